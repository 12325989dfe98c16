"""What an editor shows of a text: computed from one check, in offsets of the text, without any protocol."""

from __future__ import annotations

import re

from cnnspec import layers
from cnnspec.analysis.cost import Costs
from cnnspec.annotate import statements
from cnnspec.backends.reference import describe
from cnnspec.backends.summary_text import number
from cnnspec.diagnostics import Diagnostic, Sink
from cnnspec.diagnostics.edits import Edit, apply
from cnnspec.editor.completion import about
from cnnspec.editor.names import Names, Symbol
from cnnspec.format.formatter import format_source
from cnnspec.graph.nodes import Graph, LayerNode, Node
from cnnspec.graph.walk import walk
from cnnspec.layers.base import Parts
from cnnspec.pipeline import check
from cnnspec.record import record
from cnnspec.source import Source, Span
from cnnspec.syntax import tree
from cnnspec.syntax._tables import KEYWORDS
from cnnspec.syntax.parser import parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

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
    graphs: tuple[Graph, ...] = ()
    hints: tuple[Hint, ...] = ()
    """The shape behind every statement that does not state it itself."""


@record
class Lens:
    """What is told over the definition of a model: its shapes and costs."""

    model: str
    span: Span
    text: str


def analyse(path: str, text: str, *, fixes: bool = False) -> Analysis:
    """Check a text as if it were the file at `path`; what it imports is read from disk."""
    source, sink = Source(path, text), Sink()
    graphs = check(source, sink, fixes=fixes)
    # A text that was checked before keeps the places of its first reading: the path tells whose they are.
    nodes = [node for graph in graphs for _, node in walk(graph.root) if node.span.source.path == path]
    found = [one for one in sink.diagnostics if one.span.source.path == path]
    items = parse(source, Sink()).items
    definitions = [item for item in items if isinstance(item, tree.Block | tree.Model)]
    return Analysis(
        source, tuple(found), tuple(nodes), tuple(definitions), tuple(graphs), tuple(_hints(nodes, definitions))
    )


def formatted(path: str, text: str) -> str | None:
    """The canonical text; None where it has syntax errors."""
    return format_source(Source(path, text), Sink())


def _hints(nodes: Iterable[Node], definitions: Iterable[tree.Block | tree.Model]) -> list[Hint]:
    shapes: dict[int, dict[str, None]] = {}
    for node in nodes:
        if node.output is not None:
            shapes.setdefault(node.span.start, {})[_shape(node.output)] = None
    return [
        Hint(statement.span.end, f"-> {_together(list(shapes[statement.span.start]))}")
        for item in definitions
        for statement in statements(item.body)
        if statement.tail.annotation is None and statement.span.start in shapes
    ]


def hover(analysis: Analysis, names: Names, offset: int) -> str | None:
    """Markdown about the place: shapes, costs and arithmetic of its statement, what the word stands for, what a code means."""
    around = [node for node in analysis.nodes if node.span.start <= offset <= node.span.end]
    parts = []
    if around:
        span = min((node.span for node in around), key=lambda span: span.end - span.start)
        facts = dict.fromkeys(_facts(node) for node in around if node.span == span)
        parts += list(facts)[:_MOST_SHAPES]
    named = names.at(offset)
    layer = layers.find(word_at(analysis.source.text, offset)) if named is None else None
    if named is not None:
        parts.append(about(named[1]))
    if layer is not None:
        parts.append(f"```text\n{describe(layer)}\n```")
    found = [one for one in analysis.diagnostics if one.span.start <= offset <= one.span.end]
    if found:
        from cnnspec.report.pages import pages

        known = pages()
        told = [known[code] for code in dict.fromkeys(one.code.id for one in found) if code in known]
        parts += [f"**{page.code}: {page.title}**\n\n{page.text}" for page in told]
    return "\n\n".join(parts) or None


def lenses(analysis: Analysis) -> list[Lens]:
    """A line for every model of the text that has no mistakes."""
    spans = {item.name.id: item.name.span for item in analysis.definitions if isinstance(item, tree.Model)}
    found = []
    for graph in analysis.graphs:
        if graph.complete and graph.name in spans:
            total = Costs(graph.numbers).total
            text = f"{_shape(graph.input)} -> {_shape(graph.output)}  {total.parameters:,} parameters"
            text += f"  {number(total.macs)} MACs"
            found.append(Lens(graph.name, spans[graph.name], text))
    return found


def shown(analysis: Analysis, graph: Graph, ending: str) -> str | bytes:
    """A picture (`.svg`) or page (`.html`) of a model, what is wrong with it marked."""
    if ending == ".html":
        from cnnspec.backends.page.page import page
        from cnnspec.report.pages import shown_of

        return page(graph, analysis.diagnostics, explained=shown_of(analysis.diagnostics))
    from cnnspec.backends.draw.errors import errors_of
    from cnnspec.backends.draw.picture import draw

    return draw(graph, "svg", errors=errors_of(graph, analysis.diagnostics))


def rename_problem(names: Names, symbol: Symbol, new: str) -> str:
    """Why a symbol can't be called so, "" where it can: the text is checked with the new name, and has to say the same."""
    if not new.isidentifier() or new in KEYWORDS:
        return f"{new!r} is no name"
    if layers.find(new) is not None:
        return f"{new} is a layer"
    edits = [Edit(span, new) for span in names.project.uses(symbol) if span.source.path == names.path]
    before = analyse(names.path, names.source.text)
    after = analyse(names.path, apply(names.source.text, edits))
    if names.path == symbol.path and [one.code.id for one in before.diagnostics] != [
        one.code.id for one in after.diagnostics
    ]:
        return f"{new} means something else here already"
    return ""


def word_at(text: str, offset: int) -> str:
    """The word around an offset, "" where there is none."""
    start = text.rfind("\n", 0, offset) + 1
    end = text.find("\n", offset)
    line = _WORD.finditer(text, start, len(text) if end < 0 else end)
    return next((one.group() for one in line if one.start() <= offset <= one.end()), "")


def _facts(node: Node) -> str:
    text = f"`{_shape(node.input)}` -> `{_shape(node.output)}`, {node.parameters:,} parameters"
    if not isinstance(node, LayerNode) or node.layer is None or node.input is None or node.output is None:
        return text
    if macs := node.layer.macs(node.input, node.output):
        text += f", {number(macs)} MACs"
    lines = [f"{what}: {how}" for what, how in node.layer.arithmetic(node.input, node.output)]
    return "\n".join([text, "```text", *lines, "```"]) if lines else text


def _shape(shape: tuple[object, ...] | None) -> str:
    if shape is None:
        return "?"
    if isinstance(shape, Parts):
        return f"({', '.join(_shape(part) for part in shape)})"
    return f"[{', '.join(map(str, shape))}]"


def _together(shapes: list[str]) -> str:
    """Some shapes, and that there are more."""
    return " | ".join([*shapes[:_MOST_SHAPES], *(["..."] if len(shapes) > _MOST_SHAPES else [])])
