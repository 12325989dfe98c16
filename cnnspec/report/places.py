"""What the machine formats share: paths, positions, stable fingerprints, and JSON that is safe to print anywhere."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from cnnspec.diagnostics import Diagnostic
    from cnnspec.source import Source, Span


def dump(value: Any) -> str:
    """JSON in ASCII: what is not printable is escaped, so that no terminal acts on it."""
    import json

    return json.dumps(value, indent=2).replace("\x7f", "\\u007f") + "\n"


def shown_path(path: str) -> str:
    """A path with `/` between its parts, relative to the current folder where it is in there; always Unicode."""
    if os.path.isabs(path):
        below = os.path.relpath(path)
        path = path if below.startswith("..") else below
    return path.replace(os.sep, "/").encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def range_of(span: Span) -> dict[str, Any]:
    """Where a span starts and ends (exclusive): lines and columns from 1, bytes of the UTF-8 text from 0."""
    return {"start": _position(span.source, span.start), "end": _position(span.source, span.end)}


def _position(source: Source, offset: int) -> dict[str, int]:
    line, column = source.position(offset)
    text = source.text
    byte = offset if text.isascii() else len(text[:offset].encode("utf-8", "surrogatepass"))
    return {"line": line, "column": column, "byte": byte}


def fingerprints(diagnostics: Iterable[Diagnostic]) -> list[str]:
    """A name for every finding that stays when lines are added elsewhere in its file.

    Made of the code, the path, the text of the line without its blanks, and the number of the occurrence of these three.
    """
    from hashlib import sha256

    seen: dict[tuple[str, str, str], int] = {}
    names = []
    for found in diagnostics:
        source = found.span.source
        line = "".join(source.line(found.span.line).split())
        key = (found.code.id, shown_path(source.path), line)
        seen[key] = seen.get(key, 0) + 1
        text = "\0".join([*key, str(seen[key])])
        names.append(sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32])
    return names
