"""Warnings about values that change under the hands of others: `inplace=true`, and broadcasting in both directions."""

from __future__ import annotations

from cnnspec.compiler.values import show_shape
from cnnspec.diagnostics import Diagnostic, Label, Sink, codes
from cnnspec.graph.nodes import Graph, LayerNode, MergeNode, Node, ResidualNode, Shape, StackNode
from cnnspec.lint.runs import Run, parts_of, stacks_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

# Layers that pass on the memory of their input. Dropout does so in evaluation.
_VIEWS = frozenset(["Identity", "Flatten", "Unflatten", "Permute", "Dropout", "Dropout1d", "Dropout2d", "Dropout3d"])
# torch 2.13 keeps the result of these for the backward pass, and of the others only where they work in place.
_KEEP_RESULT = frozenset(["ReLU", "Sigmoid", "Tanh", "Softmax", "LogSoftmax", "Softmin", "Softmax2d"])
_KEEP_IN_PLACE = frozenset(["LeakyReLU", "ELU", "CELU", "SELU", "RReLU"])
_SLOPES = {"LeakyReLU": "negative_slope", "ELU": "alpha", "CELU": "alpha"}


def _in_place(node: LayerNode) -> bool:
    return getattr(node.layer, "inplace", False) is True


def no_gradient(run: Run, sink: Sink) -> None:
    """W219: torch stops in the backward pass."""
    before: LayerNode | None = None
    for node in run.layers:
        if _in_place(node):
            slope = _SLOPES.get(node.title)
            if slope is not None and getattr(node.layer, slope) < 0:
                reason = f"with {slope} below 0 the sign of the input can't be told from the result"
                sink.report(codes.NO_GRADIENT, node.span, layer=node.title, reason=reason)
            elif before is not None and _keeps_result(before):
                reason = f"the gradient of {before.title} is computed from its result, which {node.title} overwrites"
                labels = [Label(before.span, "needs its result again")] if before.span != node.span else []
                sink.report(codes.NO_GRADIENT, node.span, labels=labels, layer=node.title, reason=reason)
        if node.title not in _VIEWS or _in_place(node):
            before = node


def _keeps_result(node: LayerNode) -> bool:
    return node.title in _KEEP_RESULT or (node.title in _KEEP_IN_PLACE and _in_place(node))


def overwrites_value(graph: Graph, sink: Sink) -> None:
    """W218: a layer that changes in place what another branch, or a merge further down, takes as well."""
    for stack, _ in stacks_of(graph.root):
        if stack.input_name is not None:
            _check_first(stack.children, f"a later merge takes `{stack.input_name}`", sink)
        for index, child in enumerate(stack.children):
            if child.label is not None and child.label in stack.kept:
                _check_first(stack.children[index + 1 :], f"a later merge takes `{child.label}`", sink)
            if isinstance(child, (ResidualNode, MergeNode)):
                reason = "every branch takes the same input"
                if isinstance(child, ResidualNode):
                    reason = f"the {'identity ' if child.shortcut is None else ''}shortcut takes the same input"
                parts = parts_of(child)
                for part in parts if len(parts) > 1 or isinstance(child, ResidualNode) else ():
                    _check_first(part.children, reason, sink)


def _check_first(nodes: Iterable[Node], reason: str, sink: Sink) -> None:
    first = _first_worker(nodes)
    if first is not None and _in_place(first):
        sink.report(codes.OVERWRITES_VALUE, first.span, layer=first.title, reason=reason)


def _first_worker(nodes: Iterable[Node]) -> LayerNode | None:
    """The first layer that does not just pass its input on; None where the value runs into a merge before."""
    waiting = list(nodes)[::-1]
    while waiting:
        node = waiting.pop()
        if isinstance(node, StackNode):
            waiting += node.children[::-1]
        elif not isinstance(node, LayerNode):
            return None
        elif node.title not in _VIEWS or _in_place(node):
            return node
    return None


def outer_product(graph: Graph, sink: Sink) -> None:
    """W216: a multiply that stretches both of its values."""
    for stack, _ in stacks_of(graph.root):
        for child in stack.children:
            if not isinstance(child, MergeNode) or child.kind != "multiply" or child.output is None:
                continue
            shapes = _operands(child, graph)
            if len(shapes) > 1 and child.output not in shapes:
                facts: dict[str, object] = {"shape": show_shape(child.output)}
                facts |= {"first": show_shape(shapes[0]), "second": show_shape(shapes[1])}
                sink.add(Diagnostic(codes.OUTER_PRODUCT, facts, child.span))


def _operands(node: MergeNode, graph: Graph) -> list[Shape]:
    """The shapes that come together. A named value counts where all values of that name have one shape."""
    if node.branches:
        return [branch.output for branch in node.branches if branch.output is not None]
    shapes = [node.input] if node.input is not None else []
    for name in node.sources:
        found = {shape for stack, _ in stacks_of(graph.root) for shape in _named(stack, name)}
        if len(found) != 1:
            return []
        shapes += found
    return shapes


def _named(stack: StackNode, name: str) -> list[Shape]:
    shapes = [child.output for child in stack.children if child.label == name and child.output is not None]
    return [*shapes, stack.input] if stack.input_name == name and stack.input is not None else shapes
