"""A summary as text: a table for the terminal or for Markdown, CSV, JSON, and the two columns of the course notes."""

from __future__ import annotations

from cnnspec.analysis.cost import Costs
from cnnspec.analysis.receptive_field import Field, ReceptiveFields
from cnnspec.backends.summary import AGAIN, INPUT, MODULE, Row, rows
from cnnspec.backends.tables import Column, bar, markdown, plain
from cnnspec.compiler.values import show_shape
from cnnspec.graph.nodes import Graph, Shape
from cnnspec.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

BAR = 8


@record
class Options:
    """How a summary is shown. `depth` None: all levels, or as many as leave at most `height` lines."""

    depth: int | None = None
    height: int | None = None
    width: int | None = None
    color: bool = False


def summarize(graph: Graph, options: Options | None = None) -> str:
    """The table of a graph without mistakes, as text for a terminal."""
    graph, options = graph.numbers, options or Options()
    costs = Costs(graph)
    listed = _fitting(graph, costs, options)
    fields = ReceptiveFields(graph)
    columns, lines = _cells(listed, graph, costs, fields)
    return plain(_title(graph), columns, lines, totals(graph, costs, fields), width=options.width, color=options.color)


def summarize_markdown(graph: Graph, options: Options | None = None) -> str:
    """The table of a graph without mistakes, in Markdown."""
    graph, options = graph.numbers, options or Options()
    costs = Costs(graph)
    fields = ReceptiveFields(graph)
    columns, lines = _cells(_fitting(graph, costs, options), graph, costs, fields)
    return markdown(_title(graph), columns, lines, totals(graph, costs, fields))


def _title(graph: Graph) -> str:
    return f"{graph.name} with {graph.at}, the smallest size that it is declared for" if graph.at else graph.name


def _fitting(graph: Graph, costs: Costs, options: Options) -> list[Row]:
    """The rows down to the depth that is asked for, or to the last one that leaves few enough of them."""
    found = list(rows(graph, costs, depth=options.depth))
    if options.depth is not None or options.height is None:
        return found
    depth = max((row.depth for row in found), default=0)
    while len(found) > options.height and depth > 0:
        found = list(rows(graph, costs, depth=depth))
        depth -= 1
    return found


def _cells(
    listed: list[Row], graph: Graph, costs: Costs, fields: ReceptiveFields
) -> tuple[list[Column], list[list[str]]]:
    columns = [
        Column(""), Column("Layer", flexible=True), Column("Output"), Column("Parameters", right=True),
        Column("MACs", right=True), Column(""), Column("Field", right=True), Column("Stride", right=True),
        Column("Padding", right=True),
    ]  # fmt: skip
    most = costs.total.macs or 1
    lines = []
    for row in listed:
        cost, times = row.cost, f"  x{row.times}" if row.times > 1 else ""
        share = bar(cost.macs / most, BAR) if row.own else ""
        lines.append(
            [
                f"{'  ' * row.depth}{row.key if row.kind != AGAIN else ''}", row.layer + times, show_shape(row.output),
                _number(cost.parameters), "" if row.kind == INPUT else _number(cost.macs), share,
                *_seen(fields.of(row.paths[-1]) if row.kind == MODULE else (), graph.input or ()),
            ]
        )  # fmt: skip
    return columns, lines


def _seen(fields: tuple[Field, ...], shape: Shape) -> tuple[str, str, str]:
    """A receptive field: its size, its stride and how far it reaches into the padding, one number where the axes agree."""
    if not fields:
        return "", "", ""
    sizes = shape[len(shape) - len(fields) :]
    if all(field.covers(size) for field, size in zip(fields, sizes)):
        return "all", "", ""
    return _each([f.size for f in fields]), _each([f.stride for f in fields]), _each([-f.start for f in fields])


def _each(values: Sequence[object]) -> str:
    return str(values[0]) if len(set(values)) == 1 else "x".join(map(str, values))


def _number(value: int) -> str:
    return f"{value:,}" if value else "-"


def totals(graph: Graph, costs: Costs, fields: ReceptiveFields) -> list[str]:
    """What is said of the whole network."""
    total = costs.total
    layers = f"{graph.layers:,} layer{'' if graph.layers == 1 else 's'}"
    lines = [f"{total.parameters:,} parameters in {layers}, {total.parameters * 4 / 1e6:,.2f} MB as float32"]
    if total.buffers or total.counters:
        lines.append(f"{total.buffers + total.counters:,} values in buffers, which are not learned")
    lines.append(
        f"{total.macs:,} multiply-accumulates (MACs), {total.flops:,} FLOPs, and {total.operations:,} other operations "
        "for one sample forward"
    )
    if fields.output:
        lines.append(_view(fields.output, graph.input or ()))
    return lines


def _view(fields: tuple[Field, ...], shape: Shape) -> str:
    """What the output sees of the input, in words."""
    sizes = shape[len(shape) - len(fields) :]
    field, whole = " x ".join(str(field.size) for field in fields), " x ".join(map(str, sizes))
    askew = "; branches that meet are not centred on each other" if any(field.misaligned for field in fields) else ""
    if all(field.covers(size) for field, size in zip(fields, sizes)):
        return f"every output sees all of the {whole} input"
    return f"an output sees {field} of the {whole} input{askew}"


def course_notes(graph: Graph, batch: int = 1) -> str:
    """A line for each top-level module: its class, and the shape that it gives."""
    listed = [row for row in rows(graph, Costs(graph), depth=1, fold=False) if row.kind in (MODULE, AGAIN)]
    return "\n".join(f"{row.layer.partition('(')[0]} output shape:\t {_size(row.output, batch)}" for row in listed)


def _size(shape: object, batch: int) -> str:
    if not isinstance(shape, tuple):
        return ""
    if shape and isinstance(shape[0], tuple):
        return "(" + ", ".join(_size(part, batch) for part in shape) + ")"
    return f"torch.Size([{', '.join(map(str, (batch, *shape)))}])"
