"""Runs: the layers that follow each other directly, through blocks and without the parts of merges."""

from __future__ import annotations

from cnnspec.graph.nodes import LayerNode, MergeNode, Node, ResidualNode, StackNode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any


class Run:
    """Layers in a row. `inner` is True for those in a part of a residual or a merge."""

    __slots__ = ("inner", "layers")

    def __init__(self, *, inner: bool) -> None:
        self.inner = inner
        self.layers: list[LayerNode] = []

    def pairs(self) -> Iterator[tuple[LayerNode, LayerNode]]:
        return zip(self.layers, self.layers[1:])


def runs_of(root: StackNode) -> Iterator[Run]:
    """Every run of a network. A part that occurs several times gives its runs once."""
    parts: list[tuple[StackNode, bool]] = [(root, False)]
    seen = {id(root)}
    while parts:
        part, inner = parts.pop()
        runs = [Run(inner=inner)]
        _follow(part, runs, parts, seen, inner)
        for run in runs:
            if run.layers:
                yield run


def _follow(node: Node, runs: list[Run], parts: list[tuple[StackNode, bool]], seen: set[int], inner: bool) -> None:
    if isinstance(node, LayerNode):
        if node.layer is None:
            runs.append(Run(inner=inner))
        else:
            runs[-1].layers.append(node)
    elif isinstance(node, StackNode):
        for child in node.children:
            _follow(child, runs, parts, seen, inner)
    else:
        for part in parts_of(node):
            if id(part) not in seen:
                seen.add(id(part))
                parts.append((part, True))
        runs.append(Run(inner=inner))


def parts_of(node: ResidualNode | MergeNode) -> tuple[StackNode, ...]:
    """The stacks that take the same input."""
    if isinstance(node, MergeNode):
        return node.branches
    return (node.body,) if node.shortcut is None else (node.body, node.shortcut)


def stacks_of(root: StackNode) -> Iterator[tuple[StackNode, StackNode | None]]:
    """Every stack, each once, with the one around it."""
    waiting: list[tuple[StackNode, StackNode | None]] = [(root, None)]
    seen = {id(root)}
    while waiting:
        stack, outer = waiting.pop()
        yield stack, outer
        for child in stack.children:
            if isinstance(child, LayerNode):
                continue
            for part in (child,) if isinstance(child, StackNode) else parts_of(child):
                if id(part) not in seen:
                    seen.add(id(part))
                    waiting.append((part, stack))


def layer_of(node: LayerNode) -> Any:
    """The layer of a node, for arguments that only some layers have."""
    return node.layer


def kernel_of(node: LayerNode) -> tuple[int, ...]:
    """The kernel size of a convolution or pooling along each axis."""
    layer = layer_of(node)
    kernel: tuple[int, ...] = layer.each(layer.kernel_size)
    return kernel


def in_place(node: LayerNode) -> bool:
    """Whether a layer writes its result over its input."""
    return getattr(node.layer, "inplace", False) is True


def passes_on(node: LayerNode) -> bool:
    """Whether a layer hands on the memory of its input, in evaluation at least, and leaves the values as they are."""
    layer = node.layer
    return layer is not None and (layer.view or layer.random) and not in_place(node)


def is_convolution(node: LayerNode) -> bool:
    """Whether a layer is a convolution, and no transposed one."""
    layer = layer_of(node)
    return bool(layer.linear and layer.slides)
