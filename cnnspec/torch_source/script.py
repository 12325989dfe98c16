"""A Python file as text with positions: the syntax tree's lines and bytes as spans of the source."""

from __future__ import annotations

import ast

from cnnspec.record import record
from cnnspec.source import Source, Span


class Script:
    """One Python text that has been parsed. `path` is where it lies, "" for a text from elsewhere."""

    __slots__ = ("path", "source", "tree")

    def __init__(self, source: Source, tree: ast.Module, path: str = "") -> None:
        self.source, self.tree, self.path = source, tree, path

    def span(self, node: ast.AST) -> Span:
        """The characters of a node. The tree counts columns in bytes of UTF-8."""
        line = getattr(node, "lineno", None)
        if line is None:
            return Span(self.source, 0, 0)
        start = self._offset(line, getattr(node, "col_offset", 0))
        end = self._offset(getattr(node, "end_lineno", None) or line, getattr(node, "end_col_offset", None) or 0)
        return Span(self.source, start, max(start, end))

    def _offset(self, line: int, column: int) -> int:
        starts = self.source.line_starts
        start = starts[min(line, len(starts)) - 1]
        if self.source.text.isascii():
            return start + column
        text = self.source.line(min(line, len(starts)))
        if text.isascii():
            return start + min(column, len(text))
        return start + len(text.encode("utf-8", "surrogatepass")[:column].decode("utf-8", "ignore"))


@record
class Place:
    """A node of a script: where something was made, called or refused."""

    script: Script
    node: ast.AST

    @property
    def span(self) -> Span:
        return self.script.span(self.node)

    @property
    def text(self) -> str:
        """The node's text on one line, shortened."""
        text = " ".join(self.span.text.split())
        return text if len(text) <= 60 else text[:57] + "..."
