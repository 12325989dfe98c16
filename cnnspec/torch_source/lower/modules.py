"""Modules of torch.nn in a trace as the layers that they are."""

from __future__ import annotations

from cnnspec.graph.nodes import LayerNode
from cnnspec.layers import Layer
from cnnspec.layers.base import Parts
from cnnspec.torch_source.layers import Made
from cnnspec.torch_source.lower.body import Body, sample_of
from cnnspec.torch_source.lower.saying import Unsaid, make_layer
from cnnspec.torch_source.lower.shapes import batch_axis, shapes_of
from cnnspec.torch_source.special_modules import SpecialModule
from cnnspec.torch_source.trace import Step
from cnnspec.torch_source.values import Instance, Tensor, Wrapped
from cnnspec.torch_source.weights import count_parameters

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from cnnspec.graph.nodes import Wire
    from cnnspec.source import Span

    Lowered = tuple[Wire, object]

_RECURRENT = frozenset(["LSTM", "GRU", "RNN"])


def lower_module(body: Body, step: Step, module: Instance, span: Span) -> Lowered:
    """Run a module of torch.nn: its wire, and what comes out behind it. Raises Unsaid where no layer does the same."""
    layer = module.layer
    x = step.inputs[0] if step.inputs else None
    if module.wrapped is not None:
        if not isinstance(layer, Made) or not isinstance(x, Tensor) or not isinstance(step.output, Tensor):
            raise Unsaid(f"`{module.wrapped.name}` around nn.{step.name}")
        return _run_wrapped(body, module, module.wrapped, layer.layer, x, step.output, span), step.output
    if isinstance(layer, Made) and isinstance(x, Tensor) and isinstance(step.output, Tensor):
        return _run(body, module, layer.layer, x, step.output, span), step.output
    if isinstance(layer, SpecialModule):
        special = _OTHERS.get(layer.name)
        if special is not None:
            return special(body, step, module, layer, span)
    known = Layer.find(step.name) is not None
    raise Unsaid(f"nn.{step.name} with these arguments" if known else f"there is no layer for nn.{step.name}")


def _run(body: Body, module: Instance, layer: Layer, x: Tensor, y: Tensor, span: Span) -> Wire:
    """Run a layer of one value."""
    before, after = sample_of(x), sample_of(y)
    if batch_axis(x.shape) != 0 and not _anywhere(layer):
        raise Unsaid("the batch is not the first dimension here")
    if tuple(layer.infer(before)) != after or batch_axis(x.shape) != batch_axis(y.shape):
        raise Unsaid("the batch is not the first dimension here")
    count = count_parameters(module)
    if count is None:
        raise Unsaid("parameters that are not known")
    node = LayerNode(None, type(layer).__name__, layer, before, after, count, span)
    feed = body.feed(x)
    if feed is None:
        raise Unsaid("a tensor that was made of nothing")
    return body.run_module(module, node, feed)


def _run_wrapped(
    body: Body, module: Instance, wrapped: Wrapped, layer: Layer, x: Tensor, y: Tensor, span: Span
) -> Wire:  # fmt: skip
    """Run a layer whose weight is learnt in another form."""
    if wrapped.arguments is None:
        raise Unsaid(f"`{wrapped.name}` around something else than the weight of a layer")
    whole = make_layer(wrapped.name, layer=layer, **wrapped.arguments)
    wire = _run(body, module, whole, x, y, span)
    name = body.name_of(module)
    if wrapped.keys and name:
        # What learns is called otherwise in older code: each of the layer's parameters is told.
        learnt = {f"parametrizations.weight.{own}": f"{name}.{theirs}" for own, theirs in wrapped.keys.items()}
        rest = {own: f"{name}.{own}" for own in whole.tensors(sample_of(x)) if own not in learnt}
        body.keys.add_loose(name, body.run.module, learnt | rest)
    return wire


def _anywhere(layer: Layer) -> bool:
    """Whether a layer does the same wherever the batch stands."""
    if layer.inferred:
        return layer.inferred_axis == -1 and "normalized_shape" not in layer.fields
    return not layer.rank and "dim" not in layer.fields and type(layer).infer is Layer.infer


# --- modules that torch source knows in classes of their own ---


def _recurrent(body: Body, step: Step, module: Instance, other: SpecialModule, span: Span) -> Lowered:
    x = step.inputs[0]
    if not isinstance(x, Tensor) or any(value is not None for value in step.inputs[1:]):
        raise Unsaid("a recurrent layer that starts from a state")
    if batch_axis(x.shape) != (0 if other.values.get("batch_first") else 1):
        raise Unsaid("a recurrent layer that runs over the batch")
    before = sample_of(x)
    names = ("num_layers", "bias", "dropout", "bidirectional", "proj_size", "nonlinearity")
    given = {name: other.values[name] for name in names if name in other.values}
    layer = make_layer(other.name, hidden_size=other.number("hidden_size"), state=True, **given)
    after = layer.infer(before)
    if after != shapes_of(step.output):
        raise Unsaid("the batch is not the first dimension here")
    node = LayerNode(None, other.name, layer, before, after, other.count, span)
    return body.run_module(module, node, _known(body, x)), step.output


def _embedding(body: Body, step: Step, module: Instance, other: SpecialModule, span: Span) -> Lowered:
    x = step.inputs[0]
    if not isinstance(x, Tensor) or not isinstance(step.output, Tensor):
        raise Unsaid("an embedding of this")
    before = sample_of(x)
    names = ("padding_idx", "max_norm", "norm_type")
    given = {name: other.values[name] for name in names if other.values.get(name) is not None}
    count, width = other.number("num_embeddings"), other.number("embedding_dim")
    layer = make_layer("Embedding", num_embeddings=count, embedding_dim=width, **given)
    node = LayerNode(None, "Embedding", layer, before, sample_of(step.output), other.count, span)
    return body.run_module(module, node, _known(body, x)), step.output


def _attention(body: Body, step: Step, module: Instance, other: SpecialModule, span: Span) -> Lowered:
    tensors = [value for value in step.inputs if isinstance(value, Tensor)]
    result = step.output[0] if isinstance(step.output, tuple) else None
    if len(tensors) != 3 or not isinstance(result, Tensor) or other.values.get("add_bias_kv"):
        raise Unsaid("attention with a mask, or with a bias of its own")
    if any(batch_axis(one.shape) != (0 if other.values.get("batch_first") else 1) for one in tensors):
        raise Unsaid("attention over the batch")
    given = {name: other.values[name] for name in ("dropout", "bias") if name in other.values}
    heads = other.number("num_heads")
    shapes = [sample_of(one) for one in tensors]
    if tensors[0] is tensors[1] is tensors[2]:
        layer = make_layer("SelfAttention", num_heads=heads, **given)
        node = LayerNode(None, "SelfAttention", layer, shapes[0], layer.infer(shapes[0]), other.count, span)
        return body.run_module(module, node, _known(body, tensors[0])), result
    layer = make_layer("MultiheadAttention", num_heads=heads, **given)
    x = Parts(shapes)
    node = LayerNode(None, "MultiheadAttention", layer, x, layer.infer(x), other.count, span)
    return body.run_module(module, node, tuple(_known(body, one) for one in tensors)), result


def _encoder_layer(body: Body, step: Step, module: Instance, other: SpecialModule, span: Span) -> Lowered:
    x = step.inputs[0]
    if not isinstance(x, Tensor) or any(value is not None for value in step.inputs[1:]):
        raise Unsaid("a transformer layer with a mask")
    if batch_axis(x.shape) != (0 if other.values.get("batch_first") else 1):
        raise Unsaid("attention over the batch")
    names = ("dim_feedforward", "dropout", "activation", "layer_norm_eps", "norm_first", "bias")
    given = {name: other.values[name] for name in names if name in other.values}
    if given.get("activation", "relu") not in ("relu", "gelu"):
        raise Unsaid("an activation that is no name")
    layer = make_layer("TransformerEncoderLayer", nhead=other.number("nhead"), **given)
    before = sample_of(x)
    node = LayerNode(None, "TransformerEncoderLayer", layer, before, layer.infer(before), other.count, span)
    return body.run_module(module, node, _known(body, x)), step.output


def _stochastic_depth(body: Body, step: Step, module: Instance, other: SpecialModule, span: Span) -> Lowered:
    if other.values.get("mode") != "row":
        raise Unsaid("dropped paths of this kind")
    return _dropped(body, step, module, other.values.get("p"), span)


def _drop_path(body: Body, step: Step, module: Instance, other: SpecialModule, span: Span) -> Lowered:
    if other.values.get("scale_by_keep", True) is not True:
        raise Unsaid("dropped paths of this kind")
    return _dropped(body, step, module, other.values.get("drop_prob", 0.0) or 0.0, span)


def _dropped(body: Body, step: Step, module: Instance, p: object, span: Span) -> Lowered:
    x = step.inputs[0]
    if not isinstance(x, Tensor) or not isinstance(p, (int, float)):
        raise Unsaid("dropped paths of this kind")
    shape = sample_of(x)
    node = LayerNode(None, "StochasticDepth", make_layer("StochasticDepth", p=float(p)), shape, shape, 0, span)
    return body.run_module(module, node, _known(body, x)), step.output


def _known(body: Body, x: Tensor) -> Wire:
    wire = body.feed(x)
    if wire is None or isinstance(wire, tuple):
        raise Unsaid("a tensor that was made of nothing")
    return wire


_OTHERS: dict[str, Callable[[Body, Step, Instance, SpecialModule, Span], Lowered]] = {
    **dict.fromkeys(_RECURRENT, _recurrent),
    "Embedding": _embedding,
    "MultiheadAttention": _attention,
    "TransformerEncoderLayer": _encoder_layer,
    "DropPath": _drop_path,
    "StochasticDepth": _stochastic_depth,
}
