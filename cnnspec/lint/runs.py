"""Runs: the layers that follow each other directly, through blocks and without the parts of merges."""

from __future__ import annotations

from cnnspec.graph.nodes import ARRIVING, STEP, LayerNode, MergeNode, Node, ResidualNode, StackNode, Wire
from cnnspec.graph.walk import wires_of
from cnnspec.layers.base import Parts

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
        if node.layer is None or isinstance(node.input, Parts) or isinstance(node.output, Parts):
            runs.append(Run(inner=inner))
        else:
            runs[-1].layers.append(node)
    elif isinstance(node, StackNode):
        if node.steps:
            _follow_steps(node, runs, parts, seen, inner)
        else:
            for child in node.children:
                _follow(child, runs, parts, seen, inner)
    else:
        for part in parts_of(node):
            if id(part) not in seen:
                seen.add(id(part))
                parts.append((part, True))
        runs.append(Run(inner=inner))


def _follow_steps(
    node: StackNode, runs: list[Run], parts: list[tuple[StackNode, bool]], seen: set[int], inner: bool
) -> None:
    """A body with named values: a run goes on where a module takes what the one before it gives, and nobody else does."""
    taken: dict[Wire, int] = {}
    for feed in (*((step.feed, step.values) for step in node.steps), node.result, node.taps):
        for wire in wires_of(feed):
            taken[wire] = taken.get(wire, 0) + 1
    before = Wire(ARRIVING)
    for number, step in enumerate(node.steps):
        if step.feed != before or taken[before] > 1:
            # A value that others read as well begins a branch.
            shared = isinstance(step.feed, Wire) and taken.get(step.feed, 0) > 1
            runs.append(Run(inner=inner or shared))
        before = Wire(STEP, number)
        if step.again is not None or step.module.taken:
            runs.append(Run(inner=inner))
        else:
            _follow(node.children[step.module.index], runs, parts, seen, inner)
    if node.result not in (None, before) or taken.get(before, 0) > (node.result is not None) or node.taps:
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


class Reached:
    """The values of a body that lead to what it gives."""

    def __init__(self, stack: StackNode) -> None:
        self._paths: dict[tuple[object, int], set[tuple[int, ...]]] = {}
        """The parts that are taken of each, the whole as the empty path."""
        last = Wire(STEP, len(stack.steps) - 1)
        self._take((stack.result if stack.result is not None else last, stack.taps))
        for number in range(len(stack.steps) - 1, -1, -1):
            if (STEP, number) in self._paths:
                self._take((stack.steps[number].feed, stack.steps[number].values))

    def _take(self, feed: object) -> None:
        for wire in wires_of(feed):
            self._paths.setdefault((wire.kind, wire.index), set()).add(wire.path)

    def has(self, part: Wire) -> bool:
        """Whether a value is among them, or a part of it, or what it is a part of."""
        paths = self._paths.get((part.kind, part.index), ())
        return any(path[: len(part.path)] == part.path[: len(path)] for path in paths)
