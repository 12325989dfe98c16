"""Warnings about what stands in front of what: losses, activations, biases, dropout."""

from __future__ import annotations

from math import prod

from cnnspec.compiler.values import show_shape
from cnnspec.diagnostics import Diagnostic, Label, Sink, codes
from cnnspec.graph.nodes import Graph, LayerNode, Node, StackNode
from cnnspec.lint.runs import BATCH_NORMS, CONVOLUTIONS, TRANSPARENT, Run
from cnnspec.syntax import tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_SQUASHING = frozenset(["Sigmoid", "Softmax", "LogSoftmax", "Softmax2d"])
_SOFTMAX = frozenset(["Softmax", "LogSoftmax", "Softmin"])
_DROPOUTS = frozenset(["Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "AlphaDropout", "FeatureAlphaDropout"])
_LINEAR = CONVOLUTIONS | {"Linear"}
_BIASED = _LINEAR | {"ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d"}


def activation_before_loss(graph: Graph, sink: Sink) -> None:
    """W201: the loss of the recipe applies log-softmax itself."""
    loss = _loss_of(graph)
    if loss is None or loss.id != "CrossEntropyLoss":
        return
    last = _last_layer(graph.root)
    if last is not None and last.title in _SQUASHING:
        labels = [Label(loss.span, "the loss")]
        sink.report(codes.ACTIVATION_BEFORE_LOSS, last.span, labels=labels, layer=last.title, loss=loss.id)


def _loss_of(graph: Graph) -> tree.Name | None:
    for setting in graph.recipe.settings if graph.recipe is not None else ():
        if setting.name.id == "loss":
            value = setting.value
            return value if isinstance(value, tree.Name) else value.name if isinstance(value, tree.Call) else None
    return None


def _last_layer(node: Node) -> LayerNode | None:
    while isinstance(node, StackNode):
        if not node.children:
            return None
        node = node.children[-1]
    return node if isinstance(node, LayerNode) else None


def nothing_nonlinear(run: Run, sink: Sink) -> None:
    """W202: two linear maps in a row are one. Convolutions that are factors of a larger one on purpose are left out."""
    before: LayerNode | None = None
    for node in run.layers:
        if node.title in TRANSPARENT:
            continue
        if before is not None and node.title in _LINEAR and node.title == before.title and _plain(node, before):
            labels = [Label(before.span, "the first one")] if before.span != node.span else []
            sink.report(codes.NO_NONLINEARITY, node.span, labels=labels, layer=node.title)
        before = node


def _plain(*nodes: LayerNode) -> bool:
    """False for a depthwise, pointwise or one-dimensional factor of a convolution, and for filters of one channel."""
    return all(
        node.title == "Linear" or (_get(node).groups == 1 and min(kernel_of(node)) > 1 and _get(node).out_channels > 1)
        for node in nodes
    )


def _get(node: LayerNode) -> Any:
    return node.layer


def kernel_of(node: LayerNode) -> tuple[int, ...]:
    """The kernel size of a convolution along each axis."""
    kernel: tuple[int, ...] = _get(node).each(_get(node).kernel_size)
    return kernel


def linear_on_map(run: Run, sink: Sink) -> None:
    """W203: Linear on a feature map, where Flatten was forgotten. Behind a Permute it is meant, as in channels-last."""
    warned = False
    for node in run.layers:
        if node.title in ("Permute", "Flatten", "Unflatten"):
            warned = node.title == "Permute"
        shape, output = node.input, node.output
        if node.title != "Linear" or warned or shape is None or output is None or len(shape) < 3:
            continue
        warned = True
        facts = {"size": shape[-1], "shape": show_shape(shape), "output": show_shape(output), "total": prod(shape)}
        sink.add(Diagnostic(codes.LINEAR_ON_MAP, facts, node.span))


def bias_before_norm(run: Run, sink: Sink) -> None:
    """W204: batch normalisation takes away what a bias adds."""
    for node, norm in run.pairs():
        if norm.title in BATCH_NORMS and node.title in _BIASED and _get(node).bias:
            if node.title == "Linear" and node.output is not None and len(node.output) > 1:
                continue
            labels = [Label(norm.span, "subtracts the mean")] if norm.span != node.span else []
            sink.report(codes.BIAS_BEFORE_NORM, node.span, labels=labels, layer=node.title, norm=norm.title)


def dropout_before_norm(run: Run, sink: Sink) -> None:
    """W207: not in the parts of residuals and merges, where wide networks do without harm."""
    if run.inner:
        return
    for dropout, norm in run.pairs():
        if norm.title in BATCH_NORMS and dropout.title in _DROPOUTS and _get(dropout).p > 0:
            labels = [Label(dropout.span, "drops values in training")] if norm.span != dropout.span else []
            sink.report(codes.DROPOUT_BEFORE_NORM, norm.span, labels=labels, dropout=dropout.title, norm=norm.title)


def softmax_over_batch(run: Run, sink: Sink) -> None:
    """W220: a softmax over the images of a batch, or one whose dimension torch has to guess."""
    for node in run.layers:
        if node.title not in _SOFTMAX or node.input is None:
            continue
        dim = getattr(node.layer, "dim", None)
        if dim is None:
            problem, label = "does not say over which dimension", "torch guesses, and warns"
        elif dim in (0, -1 - len(node.input)):
            problem, label = "goes over the images of a batch", "dimension 0 is the batch"
        else:
            continue
        sink.report(codes.SOFTMAX_OVER_BATCH, node.span, layer=node.title, problem=problem, label=label)
