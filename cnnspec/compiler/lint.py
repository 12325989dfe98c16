"""Warnings: networks that are legal and hardly what was meant. One function a rule, all over the graph."""

from __future__ import annotations

from cnnspec.compiler.graph import Graph, LayerNode, MergeNode, Node, ResidualNode, StackNode
from cnnspec.compiler.values import show_shape
from cnnspec.diagnostics import Diagnostic, Label, Sink, codes
from cnnspec.syntax import tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_SQUASHING = ("Sigmoid", "Softmax", "LogSoftmax", "Softmax2d")
_TRANSPARENT = ("Flatten", "Identity", "Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "Unflatten")


def lint(graph: Graph, sink: Sink) -> None:
    """Report every warning about a network."""
    activation_before_loss(graph, sink)
    for sequence in sequences(graph.root):
        nothing_nonlinear(sequence, sink)
        linear_on_map(sequence, sink)


def sequences(node: StackNode) -> Iterator[list[LayerNode]]:
    """Runs of layers that follow each other directly, through blocks and without the parts of merges."""
    runs: list[list[LayerNode]] = [[]]
    inner: list[StackNode] = []
    seen: set[int] = set()

    def follow(item: Node) -> None:
        match item:
            case LayerNode():
                runs[-1].append(item)
            case StackNode():
                for child in item.children:
                    follow(child)
            case ResidualNode():
                inner.extend([item.body] if item.shortcut is None else [item.body, item.shortcut])
                runs.append([])
            case MergeNode():
                inner.extend(item.branches)
                runs.append([])

    follow(node)
    yield from runs
    for part in inner:
        if id(part) not in seen:
            seen.add(id(part))
            yield from sequences(part)


def activation_before_loss(graph: Graph, sink: Sink) -> None:
    """W201: the loss of the recipe applies log-softmax itself."""
    if graph.recipe is None:
        return
    for setting in graph.recipe.settings:
        value = setting.value
        name = value if isinstance(value, tree.Name) else value.name if isinstance(value, tree.Call) else None
        if setting.name.id == "loss" and name is not None and name.id == "CrossEntropyLoss":
            last = _last_layer(graph.root)
            if last is not None and last.title in _SQUASHING:
                labels = [Label(name.span, "the loss")]
                sink.report(codes.ACTIVATION_BEFORE_LOSS, last.span, labels=labels, layer=last.title, loss=name.id)


def _last_layer(node: Node) -> LayerNode | None:
    while isinstance(node, StackNode):
        if not node.children:
            return None
        node = node.children[-1]
    return node if isinstance(node, LayerNode) else None


def nothing_nonlinear(run: list[LayerNode], sink: Sink) -> None:
    """W202: two linear maps in a row are one."""
    before: LayerNode | None = None
    for node in run:
        if node.title in _TRANSPARENT:
            continue
        if before is not None and node.title == before.title == "Linear":
            labels = [Label(before.span, "the first one")] if before.span != node.span else []
            sink.report(codes.NO_NONLINEARITY, node.span, labels=labels, layer=node.title)
        before = node


def linear_on_map(run: list[LayerNode], sink: Sink) -> None:
    """W203: Linear on a feature map, where Flatten was forgotten. Behind a Permute it is meant, as in channels-last."""
    warned = False
    for node in run:
        shape, output = node.input, node.output
        if node.title in ("Permute", "Flatten", "Unflatten"):
            warned = node.title == "Permute"
        if node.title == "Linear" and shape is not None and output is not None and len(shape) >= 3 and not warned:
            warned = True
            total = 1
            for size in shape:
                total *= size
            facts: dict[str, object] = {
                "size": shape[-1],
                "shape": show_shape(shape),
                "output": show_shape(output),
                "total": total,
            }
            sink.add(Diagnostic(codes.LINEAR_ON_MAP, facts, node.span))
