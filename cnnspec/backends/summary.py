"""The graph as a table for people: every layer under its key, its output shape and its parameters, and the totals."""

from __future__ import annotations

from cnnspec.compiler.values import show_shape
from cnnspec.declare import spell
from cnnspec.diagnostics.render import Paint, clean
from cnnspec.graph.nodes import Graph, LayerNode, MergeNode, Node, ResidualNode
from cnnspec.graph.walk import children_of
from cnnspec.record import record


@record
class Row:
    """One line of the table. `depth` is how deep the module is nested; `parameters` those of everything in it."""

    depth: int
    key: str
    layer: str
    output: str
    parameters: int


def rows(graph: Graph) -> list[Row]:
    """The lines of the table, the input first."""
    start = Row(0, (graph.inputs[0].name or "") if graph.inputs else "", "input", show_shape(graph.input or ()), 0)
    return [start, *_rows(graph.root, 0)]


def _rows(node: Node, depth: int) -> list[Row]:
    found: list[Row] = []
    for key, child in children_of(node):
        found.append(Row(depth, key, _layer(child), show_shape(child.output or ()), child.parameters))
        found += _rows(child, depth + 1)
    return found


def _layer(node: Node) -> str:
    """What a module is, as one would write it in a spec."""
    if isinstance(node, MergeNode):
        dim = [f"dim={node.dim}"] if node.kind == "concat" and node.dim != 1 else []
        arguments = ", ".join([*node.sources, *dim])
        return f"{node.kind}({arguments})" if arguments else node.kind
    if isinstance(node, LayerNode) and node.layer is not None:
        fields = [field for field in node.layer.fields.values() if field.name in node.layer.given]
        told = [(field, node.layer.given[field.name]) for field in fields if field.name != node.layer.inferred]
        arguments = ", ".join(
            spell(value) if field.required else f"{field.name}={spell(value)}"
            for field, value in told
            if field.required or value != field.default
        )
        return f"{node.title}({arguments})" if arguments else node.title
    return "residual" if isinstance(node, ResidualNode) else node.title


def summarize(graph: Graph, *, color: bool = False) -> str:
    """The table as text."""
    paint = Paint(color)
    table = [
        (f"{'  ' * row.depth}{row.key}", clean(row.layer), row.output, f"{row.parameters:,}" if row.parameters else "-")
        for row in rows(graph)
    ]
    heads = ("", "Layer", "Output shape", "Parameters")
    widths = [max(len(cell) for cell in column) for column in zip(heads, *table)]
    lines = [paint("bold", graph.name), paint("bold", _line(heads, widths)), "-" * len(_line(heads, widths))]
    lines += [_line(cells, widths) for cells in table]
    layers = f"{graph.layers:,} layer{'' if graph.layers == 1 else 's'}"
    size = graph.parameters * 4 / 1e6
    lines += ["-" * len(lines[-1]), f"{graph.parameters:,} parameters in {layers}, {size:,.2f} MB as float32"]
    return "\n".join(lines)


def _line(cells: tuple[str, ...], widths: list[int]) -> str:
    *texts, number = (cell for cell in cells)
    columns = [text.ljust(width) for text, width in zip(texts, widths)]
    return "  ".join([*columns, number.rjust(widths[-1])])
