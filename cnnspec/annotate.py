"""Text with its checked shapes: `-> [16, 8, 8]` behind the statements of models.

A source goes in, a source comes out, which is checked once more; nothing is laid out and no file is written here.
"""

from __future__ import annotations

from cnnspec.diagnostics import Sink
from cnnspec.diagnostics.edits import Edit, apply
from cnnspec.source import Source, Span
from cnnspec.syntax import tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from cnnspec.graph.nodes import Graph

    Shape = tuple[int | str, ...]
    """Sizes; those that have names as they are written."""
    Shapes = dict[int, set[Shape]]
    """The shapes behind each statement, by the offset at which it begins."""
    Variations = list[tuple[Any, Shapes]]
    """Values of a parameter, and the shapes that each gives."""


class AnnotationBug(Exception):
    """An annotation that was written does not hold: a bug of ours."""


def annotated(source: Source, sink: Sink) -> Source | None:
    """The text with the shape behind every statement of every model body; None where it has mistakes.

    Annotations of plain numbers are made true; others have to hold. A size that changes with a parameter of the model is
    written with the parameter (`width`, `2 * width`, `size // 4`) where that is so, and as `_` elsewhere.
    """
    from cnnspec.pipeline import check
    from cnnspec.syntax.parser import parse

    parsed = parse(source, sink)
    if sink.has_errors:
        return None
    plain = _without_numbers(source, parsed)
    graphs = _checked(plain, sink)
    if graphs is None:
        # The text as it is explains better; it may also be right only with its annotations.
        check(source, shown := Sink())
        for diagnostic in shown.diagnostics if shown.has_errors else ():
            sink.add(diagnostic)
        return None
    result = Source(source.path, apply(source.text, _edits(parsed, graphs, plain)))
    check(result, after := Sink())
    if after.has_errors:
        raise AnnotationBug(f"{source.path}: an annotation that was written does not hold")
    return result


def _checked(source: Source, sink: Sink) -> list[Graph] | None:
    from cnnspec.pipeline import check

    graphs = check(source, found := Sink())
    if not found.has_errors:
        return graphs
    for diagnostic in found.diagnostics:
        sink.add(diagnostic)
    return None


def statements(body: tree.Body) -> Iterator[tree.Layer | tree.Residual | tree.Merge]:
    """The statements of a body and those nested in it that have a shape behind them."""
    for statement in body.statements:
        if isinstance(statement, tree.Layer | tree.Residual | tree.Merge):
            yield statement
        for inner in _bodies(statement):
            yield from statements(inner)


def _bodies(statement: tree.Statement) -> list[tree.Body]:
    match statement:
        case tree.Repeat() | tree.For():
            return [statement.body]
        case tree.If():
            found = [body for _, body in statement.arms]
            return [*found, statement.otherwise] if statement.otherwise else found
        case tree.Residual():
            return [statement.body, statement.shortcut] if statement.shortcut else [statement.body]
        case tree.Merge():
            return [statement.branches] if statement.branches else []
        case tree.Branch():
            return [statement.body]
    return []


def _numbers(statement: tree.Layer | tree.Residual | tree.Merge) -> Shape | None:
    """The annotation of a statement if it is one of plain numbers on one line."""
    annotation = statement.tail.annotation
    if annotation is None or "\n" in annotation.span.text:
        return None
    values = [item.value if isinstance(item, tree.Literal) else None for item in annotation.items]
    return tuple(v for v in values if isinstance(v, int)) if all(v.__class__ is int for v in values) else None


def _arrow(statement: tree.Layer | tree.Residual | tree.Merge) -> Span:
    """The annotation of a statement, with its arrow."""
    assert statement.tail.annotation is not None
    span = statement.tail.annotation.span
    return Span(span.source, span.source.text.rindex("->", 0, span.start), span.end)


def _without_numbers(source: Source, parsed: tree.Tree) -> Source:
    """The text with blanks in place of annotations of plain numbers, so that every offset stays."""
    edits = []
    for item in parsed.items:
        for statement in statements(item.body) if isinstance(item, tree.Model | tree.Block) else ():
            if _numbers(statement) is not None:
                span = _arrow(statement)
                edits.append(Edit(span, " " * (span.end - span.start)))
    return Source(source.path, apply(source.text, edits))


def _shapes(graphs: list[Graph], source: Source) -> Shapes:
    from cnnspec.graph.walk import walk
    from cnnspec.layers.base import Parts

    found: Shapes = {}
    for graph in graphs:
        for _, node in walk(graph.root):
            # A tuple of values has no one shape to write.
            if node.span.source.path == source.path and node.output is not None and not isinstance(node.output, Parts):
                shape = tuple(size if size.__class__ is int else str(size) for size in node.output)
                found.setdefault(node.span.start, set()).add(shape)
    return found


def _edits(parsed: tree.Tree, graphs: list[Graph], source: Source) -> Iterator[Edit]:
    """What to write where."""
    shapes = _shapes(graphs, source)
    by_name = {graph.name: graph for graph in graphs}
    for item in parsed.items:
        if not isinstance(item, tree.Model | tree.Block):
            continue
        graph = by_name.get(item.name.id) if isinstance(item, tree.Model) else None
        varied = list(_varied(graph, source, set(_bound(item.body)))) if graph else []
        for statement in statements(item.body):
            found = shapes.get(statement.span.start, set())
            stated = _numbers(statement)
            text = _common(found)
            if len(found) == 1 and graph:
                text = ", ".join(_named(next(iter(found)), statement.span.start, varied))
            if stated is not None and found and found != {stated}:
                yield Edit(_arrow(statement), f"-> [{text}]" if text else "")
            elif statement.tail.annotation is None and graph and len(found) == 1 and text.strip("_, "):
                yield Edit(Span(source, statement.span.end, statement.span.end), f" -> [{text}]")


def _common(shapes: set[Shape]) -> str:
    """The numbers that all shapes share, `_` for other sizes; "" where their numbers of axes differ."""
    if len(set(map(len, shapes))) > 1:
        return ""
    return ", ".join(
        str(sizes[0]) if len(set(sizes)) == 1 and isinstance(sizes[0], int) else "_" for sizes in zip(*shapes)
    )


def _bound(body: tree.Body) -> Iterator[str]:
    """Names that statements of a body and those nested in it bind."""
    for statement in body.statements:
        if isinstance(statement, tree.Let):
            yield statement.name.id
        elif isinstance(statement, tree.For):
            yield from (target.id for target in statement.targets)
        for inner in _bodies(statement):
            yield from _bound(inner)


def _varied(graph: Graph, source: Source, bound: set[str]) -> Iterator[tuple[str, Any, Variations]]:
    """For each parameter that may decide sizes its value, and other values with which the model checks.

    The value is None for a name that means something else in some body: no size is spelled with it.
    """
    from cnnspec.pipeline import check

    for name, value in graph.values.items():
        found = []
        for other in _others(value):
            sink = Sink()
            graphs = check(Source(source.path, source.text), sink, model=graph.name, parameters={name: other})
            if not sink.has_errors and graphs:
                found.append((other, _shapes(graphs, graphs[0].source)))
        yield name, None if name in bound else value, found


def _others(value: object) -> list[object]:
    """Values near another value of a parameter."""
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [value + 1, value - 1, 2 * value]
    if isinstance(value, list | tuple) and value and all(item.__class__ is int for item in value):
        return [type(value)(item + 1 for item in value), type(value)(2 * item for item in value)]
    return []


def _named(shape: Shape, start: int, varied: list[tuple[str, Any, Variations]]) -> list[str]:
    """The sizes of a shape as text that holds for other values of the parameters as well."""
    texts = [str(size) for size in shape]
    for name, value, variations in varied:
        for axis, size in enumerate(shape):
            others = [(other, _sizes(shapes.get(start, {shape}), axis, len(shape))) for other, shapes in variations]
            if isinstance(size, int) and any(sizes != {size} for _, sizes in others):
                texts[axis] = size_in_terms_of(size, name, value, others) if texts[axis] == str(size) else "_"
    return texts


def _sizes(shapes: set[Shape], axis: int, rank: int) -> set[int | str]:
    return {shape[axis] if len(shape) == rank else -1 for shape in shapes}


def size_in_terms_of(size: int, name: str, value: object, others: list[tuple[Any, set[int | str]]]) -> str:
    """A size that changes with a parameter, as the parameter, a multiple or part of it, or `_`.

    `value` is what the parameter is, `others` what else it was tried with, and the sizes that came of that.

    >>> size_in_terms_of(12, "width", 4, [(5, {15}), (8, {24})])
    '3 * width'
    """
    if isinstance(value, bool) or not isinstance(value, int) or not value or not size:
        return "_"
    if size % value == 0 and all(sizes == {size // value * other} for other, sizes in others):
        return name if size == value else f"{size // value} * {name}"
    if value % size == 0 and all(sizes == {other // (value // size)} for other, sizes in others):
        return f"{name} // {value // size}"
    return "_"
