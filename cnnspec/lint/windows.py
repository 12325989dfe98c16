"""Warnings about windows and widths: pixels that are not read, padding, bottlenecks, very large layers."""

from __future__ import annotations

from math import prod

from cnnspec.compiler.values import show_shape
from cnnspec.diagnostics import Label, Sink, codes
from cnnspec.graph.nodes import Graph, LayerNode, walk
from cnnspec.lint.order import kernel_of
from cnnspec.lint.runs import BATCH_NORMS, CONVOLUTIONS, Run, runs_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_POOLS = frozenset(f"{kind}Pool{rank}d" for kind in ("Max", "Avg") for rank in (1, 2, 3))
_WINDOWS = CONVOLUTIONS | _POOLS
_WIDE = 8
_LARGE_COUNT, _LARGE_SHARE = 50_000_000, 0.8
_UNITS = {"height": "rows", "width": "columns", "depth": "slices", "length": "values"}


def unread_pixels(run: Run, sink: Sink) -> None:
    """W205: windows that start further apart than they reach. In residuals a 1x1 kernel with a stride is customary."""
    for node in run.layers:
        if node.title not in _WINDOWS or node.input is None or node.output is None:
            continue
        layer: Any = node.layer
        if layer.stride is None or layer.stride == 1:
            continue
        kernels = kernel_of(node)
        if run.inner and set(kernels) == {1}:
            continue
        strides = layer.each(layer.stride)
        read = 1.0
        worst = -1
        for axis, (kernel, stride) in enumerate(zip(kernels, strides)):
            reach = kernel if getattr(layer, "dilation", 1) == 1 else stride
            if reach < stride and node.output[axis + 1] > 1:
                read *= reach / stride
                worst = axis
        if worst >= 0:
            axis_name = layer.axes[worst]
            facts = {"window": kernels[worst], "stride": strides[worst], "gap": strides[worst] - kernels[worst]}
            share, unit = round(100 * (1 - read)), _UNITS[axis_name]
            sink.report(
                codes.UNREAD_PIXELS, node.span, layer=node.title, share=share, unit=unit, axis=axis_name, **facts
            )


def mostly_padding(run: Run, sink: Sink) -> None:
    """W206: a window that even at its best place sees less than half of the input that it could, along every axis."""
    for node in run.layers:
        if node.title not in CONVOLUTIONS or node.input is None:
            continue
        layer: Any = node.layer
        if layer.padding == 0 or layer.padding == "valid" or layer.padding_mode != "zeros":
            continue
        kernels, sizes = kernel_of(node), node.input[1:]
        spread = layer.each(layer.dilation)
        facts: dict[str, Any] = {
            "layer": node.title,
            "window": " x ".join(map(str, kernels)),
            "size": show_shape(sizes),
        }
        used = [min(kernel, -(-size // step)) for kernel, size, step in zip(kernels, sizes, spread)]
        if all(2 * best < kernel for best, kernel in zip(used, kernels)):
            reason = f"at most {prod(used)} of the {prod(kernels)} weights of a filter can meet the input"
            fix = f"reduce the size less before, or use `{node.title}(..., kernel_size=1)`"
            sink.report(codes.MOSTLY_PADDING, node.span, **facts, reason=reason, fix=fix)
        elif layer.padding != "same" and any(
            pad > step * (kernel - 1) for pad, kernel, step in zip(layer.each(layer.padding), kernels, spread)
        ):
            reason = "the padding is at least as wide as the window: the outermost results see nothing else"
            fix = f"padding={spread[0] * (kernels[0] - 1) // 2} keeps the size"
            sink.report(codes.MOSTLY_PADDING, node.span, **facts, reason=reason, fix=fix)


def one_value_per_channel(run: Run, sink: Sink) -> None:
    """W208: batch normalisation behind global pooling."""
    for node in run.layers:
        shape = node.input
        if node.title in BATCH_NORMS and shape is not None and len(shape) > 1 and prod(shape[1:]) == 1:
            sink.report(codes.ONE_VALUE_PER_CHANNEL, node.span, layer=node.title, shape=show_shape(shape))


def narrow(run: Run, sink: Sink) -> None:
    """W209: a width of 1 between wide layers."""
    before: LayerNode | None = None
    for node in run.layers:
        if node.title not in CONVOLUTIONS and node.title != "Linear":
            continue
        if before is not None and _width(before, "output") == 1 == _width(node, "input"):
            arriving, after = _width(before, "input"), _width(node, "output")
            if arriving >= _WIDE and after >= _WIDE and before.title == node.title:
                unit = "feature" if node.title == "Linear" else "channel"
                labels = [Label(node.span, f"makes {after} of it")] if node.span != before.span else []
                facts: dict[str, Any] = {"before": arriving, "after": after, "shape": show_shape(before.output or ())}
                sink.report(codes.NARROW, before.span, labels=labels, unit=unit, layer=before.title, **facts)
        before = node


def _width(node: LayerNode, side: str) -> int:
    shape = node.input if side == "input" else node.output
    return 0 if shape is None else shape[-1 if node.title == "Linear" else 0]


def argument_order(run: Run, sink: Sink) -> None:
    """W221: `Conv2d(3, 16, 3)`, written as in PyTorch, where in_channels comes first."""
    for node in run.layers:
        if node.title not in CONVOLUTIONS or node.input is None:
            continue
        layer: Any = node.layer
        out, kernel, stride = layer.out_channels, layer.kernel_size, layer.stride
        if out != node.input[0] or kernel.__class__ is not int or stride.__class__ is not int:
            continue
        positional = "stride" in layer.given and "=" not in node.span.text and "->" not in node.span.text
        if positional and kernel >= _WIDE and stride < kernel:
            facts = {"out": out, "kernel": kernel, "stride": stride}
            sink.report(codes.ARGUMENT_ORDER, node.span, layer=node.title, **facts)


def large_linear(graph: Graph, sink: Sink) -> None:
    """W217: a Linear layer behind Flatten that holds nearly all of a large network."""
    total = graph.parameters
    if total < _LARGE_COUNT or not any(_is_large(node, total) for _, node in walk(graph.root)):
        return
    for run in runs_of(graph.root):
        for flatten, node in run.pairs():
            if flatten.title != "Flatten" or not _is_large(node, total) or flatten.input is None:
                continue
            channels, rank = flatten.input[0], len(flatten.input) - 1
            if rank < 1 or node.input is None or node.output is None or prod(flatten.input[1:]) == 1:
                continue
            out = node.output[-1]
            facts: dict[str, Any] = {
                "count": node.parameters,
                "total": total,
                "width": node.input[-1],
                "out": out,
                "rank": rank,
            }
            small, share = (channels + 1) * out, round(100 * node.parameters / total)
            labels = [Label(flatten.span, f"gets {show_shape(flatten.input)}")]
            sink.report(
                codes.LARGE_LINEAR, node.span, labels=labels, channels=channels, small=small, share=share, **facts
            )


def _is_large(node: object, total: int) -> bool:
    if not isinstance(node, LayerNode) or node.title != "Linear":
        return False
    return node.parameters > _LARGE_COUNT and node.parameters > _LARGE_SHARE * total
