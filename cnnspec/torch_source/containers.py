"""Python inside of other files: the code cells of a notebook, the fences of a Markdown text.

What is checked is one text with everything else blanked out; spans are given back in the cell, or in the Markdown text.
"""

from __future__ import annotations

import re

from cnnspec.diagnostics import Label, Sink, note
from cnnspec.record import replace
from cnnspec.source import Source, Span
from cnnspec.torch_source.project import NotPython, parse

_FENCE = re.compile(
    r"^(```+|~~~+)[ \t]*(?:python|py)\b[^\n]*\n(.*?)^\1[ \t]*$", re.MULTILINE | re.DOTALL | re.IGNORECASE
)
_MAGIC = re.compile(r"^[ \t]*[%!?].*$", re.MULTILINE)
CELLS = 2_000
"""Cells of a notebook that are read."""


class Cells:
    """The code cells of a notebook as one text, and where each begins in it."""

    def __init__(self, path: str, cells: list[tuple[int, str]]) -> None:
        self.starts: list[int] = []
        self.sources: list[Source] = []
        parts: list[str] = []
        at = 0
        for number, text in cells:
            self.starts.append(at)
            self.sources.append(Source(f"{path}:cell {number}", text))
            part = _MAGIC.sub(lambda line: "#" * len(line[0]), text) + "\n"
            parts.append(part)
            at += len(part)
        self.text = "".join(parts)

    def span(self, span: Span) -> Span:
        """A span of the joined text as one of its cell."""
        index = max(0, sum(start <= span.start for start in self.starts) - 1)
        source, start = self.sources[index], self.starts[index]
        end = min(span.end - start, len(source.text))
        return Span(source, min(span.start - start, end), end)


def read_notebook(path: str, text: str) -> Cells | None:
    """The code cells of a notebook; None where the text is none."""
    import json

    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return None
    listed = document.get("cells") if isinstance(document, dict) else None
    if not isinstance(listed, list):
        return None
    cells: list[tuple[int, str]] = []
    for number, cell in enumerate(listed[:CELLS], 1):
        if not isinstance(cell, dict) or cell.get("cell_type") != "code":
            continue
        source = cell.get("source", "")
        lines = source if isinstance(source, list) else [source]
        content = "".join(line for line in lines if isinstance(line, str))
        if not content.lstrip().startswith("%%") and _is_python(_MAGIC.sub("#", content)):
            cells.append((number, content))
    return Cells(path, cells)


def blank_markdown(text: str) -> str:
    """A Markdown text in which all but the Python of its fences is blank; lines and columns stay."""
    kept: list[str] = []
    at = 0
    for fence in _FENCE.finditer(text):
        if not _is_python(fence[2]):
            continue
        kept += _blank(text[at : fence.start(2)]), fence[2]
        at = fence.end(2)
    return "".join([*kept, _blank(text[at:])])


def _blank(text: str) -> str:
    return re.sub(r"[^\n]", " ", text)


def _is_python(text: str) -> bool:
    try:
        parse(Source("", text))
    except NotPython:
        return False
    return True


def in_cells(sink: Sink, cells: Cells) -> Sink:
    """The findings of the joined text with their places in the cells. Fixes become words: a cell is not rewritten."""
    moved = Sink()
    for found in sink.diagnostics:
        labels = tuple(Label(cells.span(label.span), label.text) for label in found.labels)
        words = [note(one.message) if one.edits else one for one in found.suggestions]
        moved.add(replace(found, span=cells.span(found.span), labels=labels, suggestions=tuple(words)))
    return moved
