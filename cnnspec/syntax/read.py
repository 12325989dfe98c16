"""From the bytes of a file to a `Source`. Nothing here raises for what a file holds."""

from __future__ import annotations

import os

from cnnspec.diagnostics import codes
from cnnspec.files import read_regular
from cnnspec.limits import LIMITS
from cnnspec.source import Source, Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cnnspec.diagnostics import Sink


def read_source(path: str, sink: Sink, *, shown_as: str | None = None) -> Source:
    """Read a regular file. OSError is the caller's; content that is no text is reported and read as an empty file."""
    return decode(read_regular(path, LIMITS.file_bytes + 1), shown_as or os.path.normpath(path), sink)


def decode(data: bytes, path: str, sink: Sink) -> Source:
    """Text of a file's bytes: UTF-8 with or without a byte order mark."""
    empty = Source(path, "")
    here = Span(empty, 0, 0)
    if len(data) > LIMITS.file_bytes:
        sink.report(codes.FILE_TOO_LARGE, here, limit=LIMITS.file_bytes)
        return empty
    try:
        # Not "utf-8-sig", whose codec takes longer to import than most files to check.
        return Source(path, data.decode().removeprefix("\ufeff"))
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        sink.report(codes.NOT_TEXT, here, line=line, byte=f"0x{data[error.start]:02x}", offset=error.start)
        return empty
