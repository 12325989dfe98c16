"""Text with positions: `Source` is a named text, `Span` a piece of it.

Offsets count characters from 0 and are the truth; lines and columns are derived from them and count from 1. Lines end at
"\\n" only.
"""

from __future__ import annotations

from cnnspec.record import record


class Source:
    """A text and the name it is shown under."""

    __slots__ = ("_starts", "path", "text", "tokens")

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.text = text
        self.tokens = 0
        """Words and signs, counted when the text is parsed."""
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

    def holds(self, other: Span) -> bool:
        """Whether another piece of the same text lies in this one."""
        return self.source is other.source and self.start <= other.start and other.end <= self.end

    def to(self, other: Span) -> Span:
        """From the start of this span to the end of another one in the same source."""
        return Span(self.source, self.start, other.end)


def comment_above(span: Span) -> str:
    """The comment block right above the line of a place, without its `#` marks; "" where there is none."""
    source = span.source
    number = span.line - 1
    lines: list[str] = []
    while number >= 1 and (line := source.line(number).strip()).startswith("#"):
        lines[:0], number = [line.lstrip("#").strip()], number - 1
    return "\n".join(lines)
