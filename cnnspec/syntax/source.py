"""From bytes to text with positions: `Source` is a named text, `Span` a piece of it.

Offsets count characters from 0 and are the truth; lines and columns are derived from them and count from 1. Lines end at
"\\n" only. Nothing here raises for what a file holds.
"""

from __future__ import annotations

import os

from cnnspec._record import record
from cnnspec.diagnostics import codes
from cnnspec.limits import LIMITS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cnnspec.diagnostics import Sink


class Source:
    """A text and the name it is shown under."""

    __slots__ = ("_starts", "path", "text")

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.text = text
        self._starts: list[int] | None = None

    def __repr__(self) -> str:
        return f"Source({self.path!r}, {len(self.text)} characters)"

    @property
    def line_starts(self) -> list[int]:
        if self._starts is None:
            starts, at = [0], self.text.find("\n")
            while at >= 0:
                starts.append(at + 1)
                at = self.text.find("\n", at + 1)
            self._starts = starts
        return self._starts

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset, both from 1."""
        starts = self.line_starts
        low, high = 0, len(starts)
        while high - low > 1:
            middle = (low + high) // 2
            if starts[middle] <= offset:
                low = middle
            else:
                high = middle
        return low + 1, offset - starts[low] + 1

    def line(self, number: int) -> str:
        """The text of line `number` (from 1), without its line end."""
        starts = self.line_starts
        end = starts[number] - 1 if number < len(starts) else len(self.text)
        return self.text[starts[number - 1] : end].removesuffix("\r")


@record
class Span:
    """The characters `start` to `end` (exclusive) of a source."""

    source: Source
    start: int
    end: int

    @property
    def text(self) -> str:
        return self.source.text[self.start : self.end]

    @property
    def position(self) -> tuple[int, int]:
        return self.source.position(self.start)

    @property
    def line(self) -> int:
        return self.source.position(self.start)[0]

    def to(self, other: Span) -> Span:
        """From the start of this span to the end of another one in the same source."""
        return Span(self.source, self.start, other.end)


def read_source(path: str, sink: Sink, *, shown_as: str | None = None) -> Source:
    """Read a file. OSError is the caller's; content that is no text is reported and read as an empty file."""
    with open(path, "rb") as file:
        return decode(file.read(LIMITS.file_bytes + 1), shown_as or os.path.normpath(path), sink)


def decode(data: bytes, path: str, sink: Sink) -> Source:
    """Text of a file's bytes: UTF-8 with or without a byte order mark."""
    empty = Source(path, "")
    here = Span(empty, 0, 0)
    if len(data) > LIMITS.file_bytes:
        sink.report(codes.FILE_TOO_LARGE, here, limit=LIMITS.file_bytes)
        return empty
    try:
        return Source(path, data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        sink.report(codes.NOT_TEXT, here, line=line, byte=f"0x{data[error.start]:02x}", offset=error.start)
        return empty
