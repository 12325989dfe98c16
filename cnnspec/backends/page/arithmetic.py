"""The arithmetic of a layer with its numbers put in: how its output is as large as it is, its parameters and products."""

from __future__ import annotations

from math import prod

from cnnspec.graph.nodes import LayerNode, MergeNode, ResidualNode
from cnnspec.layers.base import Parts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from cnnspec.graph.nodes import Node, Shape

    Line = tuple[str, str, str]
    """What is worked out, how, and what comes out."""


def worked(node: Node, macs: int | None) -> list[Line]:
    """The lines of a module; none for a value that is not known."""
    if isinstance(node, MergeNode | ResidualNode):
        return list(_merge(node))
    if not isinstance(node, LayerNode) or node.layer is None:
        return []
    x, y = node.input, node.output
    if x is None or y is None or isinstance(x, Parts) or isinstance(y, Parts):
        return []
    lines = list(_sizes(node, x, y))
    if not lines and x != y and prod(x) == prod(y):
        lines.append(("values", " · ".join(map(str, x)), f"{prod(y):,}"))
    lines += _parameters(node, x)
    if macs:
        lines.append(("multiplications", _products(node, x, y), f"{macs:,}"))
    return lines


def _sizes(node: LayerNode, x: Shape, y: Shape) -> Iterator[Line]:
    """How large the output is along each axis that a window slides over."""
    layer = node.layer
    assert layer is not None
    axes = getattr(layer, "axes", ())
    kernel = getattr(layer, "kernel_size", None)
    if not axes or kernel is None or len(x) != len(axes) + 1 or len(y) != len(x):
        return
    before: tuple[str, str] | None = None
    for index, axis in enumerate(axes):
        rule = _rule(node, index, x[index + 1])
        if not rule:
            return
        told = (rule, str(y[index + 1]))
        yield (axis, "the same" if told == before else rule, told[1])
        before = told


def _rule(node: LayerNode, index: int, size: int) -> str:
    layer = node.layer
    rank = len(getattr(layer, "axes", ()))

    def of(name: str, default: int) -> int:
        value = getattr(layer, name, default)
        value = default if value is None else value
        if isinstance(value, str):
            return 0
        return value[index] if isinstance(value, tuple) and len(value) == rank else value

    kernel, dilation, padding = of("kernel_size", 1), of("dilation", 1), of("padding", 0)
    stride = of("stride", 1) if getattr(layer, "stride", None) is not None else kernel
    if getattr(layer, "padding", 0) == "same":
        return f"{size}, padded to stay the same"
    if hasattr(layer, "output_padding"):
        return f"({size} − 1)·{stride} − 2·{padding} + {dilation}·({kernel} − 1) + {of('output_padding', 0)} + 1"
    window = str(kernel) if dilation == 1 else f"{dilation}·({kernel} − 1) − 1"
    left, right = ("⌈", "⌉") if getattr(layer, "ceil_mode", False) else ("⌊", "⌋")
    return f"{left}({size} + 2·{padding} − {window}) / {stride}{right} + 1"


def _parameters(node: LayerNode, x: Shape) -> Iterator[Line]:
    if not node.parameters:
        return
    layer = node.layer
    assert layer is not None
    weight = layer.weight(x)
    total = f"{node.parameters:,}"
    if len(weight) > 1 and node.parameters == prod(weight):
        yield ("parameters", " · ".join(map(str, weight)), total)
    elif len(weight) > 1 and node.parameters == prod(weight) + _outputs(node, weight):
        first, *rest = (weight[1], weight[0], *weight[2:]) if hasattr(layer, "output_padding") else weight
        told = f"{first} · ({'·'.join(map(str, rest))} + 1)"
        plain = getattr(layer, "groups", 1) == 1
        yield ("parameters", told if plain else f"{'·'.join(map(str, weight))} + {_outputs(node, weight)}", total)
    elif node.parameters == 2 * x[0] and layer.normalizes:
        yield ("parameters", f"2 · {x[0]}", total)
    else:
        yield ("parameters", "", total)


def _outputs(node: LayerNode, weight: Shape) -> int:
    """Biases of a layer that has them: one for each output."""
    return int(getattr(node.layer, "out_channels", weight[0]))


def _products(node: LayerNode, x: Shape, y: Shape) -> str:
    layer = node.layer
    assert layer is not None
    weight = layer.weight(x)
    if len(weight) < 2:
        return ""
    places = x[1:] if hasattr(layer, "output_padding") else y[1:] if hasattr(layer, "kernel_size") else y[:-1]
    told = "·".join(map(str, weight))
    return f"{'·'.join(map(str, places))} places · {told}" if places else told


def _merge(node: MergeNode | ResidualNode) -> Iterator[Line]:
    if isinstance(node, ResidualNode) or node.kind != "concat" or node.output is None or isinstance(node.output, Parts):
        return
    sizes = [shape[node.dim - 1] for shape in node.merged if shape and not isinstance(shape, Parts)]
    if len(sizes) == len(node.merged) and len(sizes) < 12 and sum(sizes) == node.output[node.dim - 1]:
        yield ("channels" if node.dim == 1 else f"dimension {node.dim}", " + ".join(map(str, sizes)), str(sum(sizes)))
