"""For which sizes of the input some of its pixels, or of a map further on, lie behind the last window and are never read."""

from __future__ import annotations

from cnnspec.graph.nodes import Graph, LayerNode
from cnnspec.graph.walk import runs
from cnnspec.layers.base import Layer
from cnnspec.sizes.region import Region, Truth
from cnnspec.sizes.size import Grid, Size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def all_read(graph: Graph, grid: Grid) -> Region | None:
    """The sizes of each axis, alone, for which all windows end where their inputs do, give or take padding; None for none."""
    region: Region | None = grid.extent.whole()
    for _, node in runs(graph.root):
        if isinstance(node, LayerNode) and node.layer is not None and node.layer.slides and node.input is not None:
            for truth in _unread(node.layer, node.input):
                if region is not None:
                    region = grid.extent.both(region, truth, holds=False)
    return region


def _unread(layer: Layer, shape: Any) -> list[Truth]:
    """For each axis that depends on the input: where values are left over behind the last window."""
    found = []
    sliding: Any = layer
    kernels = sliding.each(sliding.kernel_size)
    strides = kernels if sliding.stride is None else sliding.each(sliding.stride)
    paddings = (0,) * layer.rank if isinstance(sliding.padding, str) else sliding.each(sliding.padding)
    dilations = sliding.each(sliding.dilation)
    if getattr(sliding, "ceil_mode", False):
        return []
    for size, kernel, stride, padding, dilation in zip(shape[1:], kernels, strides, paddings, dilations):
        if isinstance(size, Size) and stride > 1:
            left = (size + 2 * padding - dilation * (kernel - 1) - 1) % stride
            answer = left.compare(">", padding) if isinstance(left, Size) else left > padding
            if isinstance(answer, Truth):
                found.append(answer)
    return found
