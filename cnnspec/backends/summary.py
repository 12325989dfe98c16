"""The graph as a table for people: every layer under its key, its output shape and its parameters, and the totals."""

from __future__ import annotations

from cnnspec.compiler.values import show_shape
from cnnspec.declare import spell
from cnnspec.diagnostics.render import Paint, clean
from cnnspec.graph.nodes import Graph, LayerNode, MergeNode, Node, ResidualNode, StackNode
from cnnspec.graph.walk import children_of, steps_of
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
    starts = [Row(0, entry.name or "", "input", show_shape(entry.shape or ()), 0) for entry in graph.inputs]
    return [*starts, *_rows(graph.root, 0)]


def _rows(node: Node, depth: int) -> list[Row]:
    found: list[Row] = []
    if isinstance(node, StackNode):
        for weight in node.weights:
            found.append(Row(depth, weight.label, "weight", show_shape(weight.shape), weight.parameters))
        keys = [key for key, _ in children_of(node)]
        for step in steps_of(node):
            if step.again is not None:
                name = "" if step.module.taken else keys[step.module.index]
                found.append(Row(depth, "", f"again {name}".rstrip(), show_shape(step.again.output or ()), 0))
            else:
                found += _row(keys[step.module.index], node.children[step.module.index], depth)
        return found
    for key, child in children_of(node):
        found += _row(key, child, depth)
    return found


def _row(key: str, node: Node, depth: int) -> list[Row]:
    own = Row(depth, key, _layer(node), show_shape(node.output or ()), node.parameters)
    return [own, *_rows(node, depth + 1)]


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
    layers = f"{graph.layers:,} layer{'' if graph.layers == 1 else 's'}"
    size = graph.parameters * 4 / 1e6
    total = f"{graph.parameters:,} parameters in {layers}, {size:,.2f} MB as float32"
    return table(graph.name, rows(graph), total, color=color)


def table(title: str, listed: list[Row], total: str, *, color: bool = False) -> str:
    """Lines under their heads, between a title and a total."""
    paint = Paint(color)
    cells_of = [
        (f"{'  ' * row.depth}{row.key}", clean(row.layer), row.output, f"{row.parameters:,}" if row.parameters else "-")
        for row in listed
    ]
    heads = ("", "Layer", "Output shape", "Parameters")
    widths = [max(len(cell) for cell in column) for column in zip(heads, *cells_of)]
    lines = [paint("bold", title), paint("bold", _line(heads, widths)), "-" * len(_line(heads, widths))]
    lines += [_line(cells, widths) for cells in cells_of]
    lines += ["-" * len(lines[-1]), total]
    return "\n".join(lines)


def _line(cells: tuple[str, ...], widths: list[int]) -> str:
    *texts, number = (cell for cell in cells)
    columns = [text.ljust(width) for text, width in zip(texts, widths)]
    return "  ".join([*columns, number.rjust(widths[-1])])
