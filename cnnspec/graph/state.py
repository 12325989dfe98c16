"""The tensors of a network: the keys of its state dict, and their shapes. Nothing here needs torch."""

from __future__ import annotations

from cnnspec.graph.nodes import LayerNode, MergeNode, Node, ResidualNode, StackNode
from cnnspec.graph.walk import children_of, walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from cnnspec.layers.base import Shape


def state_of(node: Node) -> dict[str, Shape]:
    """The shapes of the tensors of a module without mistakes by their keys, in the order of the compiled one."""
    return dict(_state(node, ""))


def _state(node: Node, prefix: str) -> Iterator[tuple[str, Shape]]:
    if isinstance(node, LayerNode):
        if node.layer is None or node.input is None:
            raise ValueError("a graph with mistakes has no state")
        for name, shape in node.layer.tensors(node.input).items():
            yield prefix + name, shape
        return
    if isinstance(node, StackNode):
        for weight in node.weights:
            yield prefix + weight.label, (1, *weight.shape)
    for key, child in children_of(node):
        yield from _state(child, f"{prefix}{key}.")


def side_by_side(node: Node) -> list[list[str]]:
    """The paths of modules that run side by side, each on the value that arrives: the branches of every merge."""
    merges = [(path, one) for path, one in [("", node), *walk(node)] if isinstance(one, (MergeNode, ResidualNode))]
    return [[f"{path}.{key}" if path else key for key, _ in children_of(one)] for path, one in merges]
