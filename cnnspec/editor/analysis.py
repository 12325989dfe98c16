"""What an editor shows of a text: computed from one check, in offsets of the text, without any protocol."""

from __future__ import annotations

import re

from cnnspec import layers
from cnnspec.annotate import statements
from cnnspec.backends.reference import describe
from cnnspec.diagnostics import Diagnostic, Sink
from cnnspec.format.formatter import format_source
from cnnspec.graph.nodes import Node
from cnnspec.graph.walk import walk
from cnnspec.layers.base import Parts
from cnnspec.pipeline import check
from cnnspec.record import record
from cnnspec.source import Source, Span
from cnnspec.syntax import tree
from cnnspec.syntax.parser import parse

_WORD = re.compile(r"\w+")
_MOST_SHAPES = 3
"""How many different shapes of one statement are shown; a block may be used with many."""


@record
class Hint:
    """Text to show at an offset."""

    offset: int
    text: str


@record
class Analysis:
    """One check of a text."""

    source: Source
    diagnostics: tuple[Diagnostic, ...]
    """The findings whose place is in this text; those of files that it imports are left out."""
    nodes: tuple[Node, ...]
    """The nodes that statements of this text have become, outermost first."""
    definitions: tuple[tree.Block | tree.Model, ...]


def analyse(path: str, text: str, *, fixes: bool = False) -> Analysis:
    """Check a text as if it were the file at `path`; what it imports is read from disk."""
    source, sink = Source(path, text), Sink()
    graphs = check(source, sink, fixes=fixes)
    # A text that was checked before keeps the places of its first reading: the path tells whose they are.
    nodes = [node for graph in graphs for _, node in walk(graph.root) if node.span.source.path == path]
    found = [one for one in sink.diagnostics if one.span.source.path == path]
    items = parse(source, Sink()).items
    definitions = [item for item in items if isinstance(item, tree.Block | tree.Model)]
    return Analysis(source, tuple(found), tuple(nodes), tuple(definitions))


def formatted(path: str, text: str) -> str | None:
    """The canonical text; None where it has syntax errors."""
    return format_source(Source(path, text), Sink())


def hints(analysis: Analysis) -> list[Hint]:
    """The shape behind every statement that does not state it itself."""
    shapes: dict[int, dict[str, None]] = {}
    for node in analysis.nodes:
        if node.output is not None:
            shapes.setdefault(node.span.start, {})[_shape(node.output)] = None
    return [
        Hint(statement.span.end, f"-> {_together(list(shapes[statement.span.start]))}")
        for item in analysis.definitions
        for statement in statements(item.body)
        if statement.tail.annotation is None and statement.span.start in shapes
    ]


def hover(analysis: Analysis, offset: int) -> str | None:
    """Markdown about the place: the shapes of its statement, its parameters, and the reference of the layer."""
    around = [node for node in analysis.nodes if node.span.start <= offset <= node.span.end]
    parts = []
    if around:
        span = min((node.span for node in around), key=lambda span: span.end - span.start)
        facts = dict.fromkeys(_facts(node) for node in around if node.span == span)
        parts += list(facts)[:_MOST_SHAPES]
    layer = layers.find(word_at(analysis.source.text, offset))
    if layer is not None:
        parts.append(f"```text\n{describe(layer)}\n```")
    return "\n\n".join(parts) or None


def completions(analysis: Analysis) -> list[tuple[str, str]]:
    """Names of layers and of the blocks and models of the text, each with its documentation."""
    own = [(item.name.id, "defined in this file") for item in analysis.definitions]
    found = [(name, layers.find(name)) for name in layers.names()]
    return [*own, *((name, describe(layer)) for name, layer in found if layer is not None)]


def definition(analysis: Analysis, offset: int) -> Span | None:
    """Where the block or model at an offset is defined, if that is in the text."""
    word = word_at(analysis.source.text, offset)
    return next((item.name.span for item in analysis.definitions if item.name.id == word), None)


def word_at(text: str, offset: int) -> str:
    """The word around an offset, "" where there is none."""
    start = text.rfind("\n", 0, offset) + 1
    end = text.find("\n", offset)
    line = _WORD.finditer(text, start, len(text) if end < 0 else end)
    return next((one.group() for one in line if one.start() <= offset <= one.end()), "")


def _facts(node: Node) -> str:
    return f"`{_shape(node.input)}` -> `{_shape(node.output)}`, {node.parameters:,} parameters"


def _shape(shape: tuple[object, ...] | None) -> str:
    if shape is None:
        return "?"
    if isinstance(shape, Parts):
        return f"({', '.join(_shape(part) for part in shape)})"
    return f"[{', '.join(map(str, shape))}]"


def _together(shapes: list[str]) -> str:
    """Some shapes, and that there are more."""
    return " | ".join([*shapes[:_MOST_SHAPES], *(["..."] if len(shapes) > _MOST_SHAPES else [])])
