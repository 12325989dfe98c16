"""Layers that work on single values or on features, as ONNX nodes."""

from __future__ import annotations

from cnnspec.backends.onnx.emit import emit, limits
from cnnspec.backends.onnx.shapes import axis_of
from cnnspec.backends.onnx.writer import Place, Unwritable
from cnnspec.layers import activation as a
from cnnspec.layers.dropout import _Dropout
from cnnspec.layers.embedding import Embedding
from cnnspec.layers.linear import Identity, Linear
from cnnspec.layers.own import Abs, Exp, LayerScale, Log, Sqrt, StochasticDepth

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


@emit.register(Identity)
@emit.register(_Dropout)
@emit.register(StochasticDepth)
def _passed_on(layer: Any, at: Place) -> Any:
    return at.given


@emit.register(Linear)
def _linear(layer: Linear, at: Place) -> str:
    return dense(layer, at, at.tensor("weight"))


def dense(layer: Any, at: Place, weight: Any) -> str:
    """A matrix product and a sum: one node for plain features."""
    if len(at.x) == 1:
        bias = [at.weight("bias")] if layer.bias else []
        return str(at.op("Gemm", at.given, at.weight("weight", weight), *bias, transB=1))
    product = at.op("MatMul", at.given, at.constant(weight.T))
    return str(at.op("Add", product, at.weight("bias"))) if layer.bias else str(product)


@emit.register(Embedding)
def _embedding(layer: Embedding, at: Place) -> str:
    return str(at.op("Gather", at.weight("weight"), at.given, axis=0))


@limits.register(Embedding)
def _embedding_limits(layer: Embedding, x: Any) -> None:
    if layer.max_norm is not None:
        raise Unwritable("max_norm changes the weights while the network runs")


@emit.register(LayerScale)
def _layer_scale(layer: LayerScale, at: Place) -> str:
    return str(at.op("Mul", at.given, at.weight("gamma", _of_channels(at, at.tensor("gamma")))))


def _of_channels(at: Place, values: Any) -> Any:
    return values.reshape(-1, *[1] * (len(at.x) - 1))


# --- activations that ONNX has: what they are called, and their arguments by ours ---

PLAIN = {
    a.ReLU: "Relu", a.Sigmoid: "Sigmoid", a.Tanh: "Tanh", a.Softsign: "Softsign", a.Mish: "Mish", a.Hardswish: "HardSwish",
    Exp: "Exp", Log: "Log", Sqrt: "Sqrt", Abs: "Abs",
}  # fmt: skip


def _plain(layer: Any, at: Place) -> str:
    return str(at.op(PLAIN[type(layer)], at.given))


for _class in PLAIN:
    emit.register(_class)(_plain)


@emit.register(a.ELU)
@emit.register(a.CELU)
def _elu(layer: Any, at: Place) -> str:
    return str(at.op("Elu" if isinstance(layer, a.ELU) else "Celu", at.given, alpha=float(layer.alpha)))


@emit.register(a.SELU)
def _selu(layer: a.SELU, at: Place) -> str:
    return str(at.op("Selu", at.given, alpha=1.6732632423543772, gamma=1.0507009873554805))


@emit.register(a.GELU)
def _gelu(layer: a.GELU, at: Place) -> str:
    return str(at.op("Gelu", at.given, approximate=layer.approximate))


@emit.register(a.LeakyReLU)
def _leaky(layer: a.LeakyReLU, at: Place) -> str:
    return str(at.op("LeakyRelu", at.given, alpha=float(layer.negative_slope)))


@emit.register(a.RReLU)
def _rrelu(layer: a.RReLU, at: Place) -> str:
    return str(at.op("LeakyRelu", at.given, alpha=(layer.lower + layer.upper) / 2))


@emit.register(a.PReLU)
def _prelu(layer: a.PReLU, at: Place) -> str:
    slope = at.tensor("weight")
    return str(at.op("PRelu", at.given, at.weight("weight", _of_channels(at, slope) if slope.size > 1 else slope)))


@emit.register(a.Hardsigmoid)
def _hard_sigmoid(layer: a.Hardsigmoid, at: Place) -> str:
    return str(at.op("HardSigmoid", at.given, alpha=1 / 6, beta=0.5))


@emit.register(a.Hardtanh)
def _clip(layer: a.Hardtanh, at: Place) -> str:
    low = layer.min_val if layer.min_value is None else layer.min_value
    high = layer.max_val if layer.max_value is None else layer.max_value
    return str(at.op("Clip", at.given, at.constant(float(low)), at.constant(float(high))))


@emit.register(a.ReLU6)
def _relu6(layer: a.ReLU6, at: Place) -> str:
    return str(at.op("Clip", at.given, at.constant(0.0), at.constant(6.0)))


@emit.register(a.Hardshrink)
def _hard_shrink(layer: a.Hardshrink, at: Place) -> str:
    return str(at.op("Shrink", at.given, lambd=float(layer.lambd), bias=0.0))


@emit.register(a.Softshrink)
def _soft_shrink(layer: a.Softshrink, at: Place) -> str:
    return str(at.op("Shrink", at.given, lambd=float(layer.lambd), bias=float(layer.lambd)))


# --- activations of several nodes ---


@emit.register(a.SiLU)
def _silu(layer: a.SiLU, at: Place) -> str:
    return str(at.op("Mul", at.given, at.op("Sigmoid", at.given)))


@emit.register(a.LogSigmoid)
def _log_sigmoid(layer: a.LogSigmoid, at: Place) -> str:
    return str(at.op("Neg", at.op("Softplus", at.op("Neg", at.given))))


@emit.register(a.Softplus)
def _softplus(layer: a.Softplus, at: Place) -> str:
    if layer.beta == 1.0:
        return str(at.op("Softplus", at.given))
    beta = at.constant(float(layer.beta))
    return str(at.op("Div", at.op("Softplus", at.op("Mul", at.given, beta)), beta))


@limits.register(a.Softplus)
def _softplus_limits(layer: a.Softplus, x: Any) -> None:
    if layer.threshold < 20:
        raise Unwritable("threshold below 20 makes another function")


@emit.register(a.Tanhshrink)
def _tanhshrink(layer: a.Tanhshrink, at: Place) -> str:
    return str(at.op("Sub", at.given, at.op("Tanh", at.given)))


@emit.register(a.Threshold)
def _threshold(layer: a.Threshold, at: Place) -> str:
    above = at.op("Greater", at.given, at.constant(float(layer.threshold)))
    return str(at.op("Where", above, at.given, at.constant(float(layer.value))))


@emit.register(a.GLU)
def _glu(layer: a.GLU, at: Place) -> str:
    axis = axis_of(at, layer.dim)
    half = at.x[axis - 1] // 2
    first, second = at.op("Split", at.given, at.sizes(half, half), outputs=2, axis=axis)
    return str(at.op("Mul", first, at.op("Sigmoid", second)))


@emit.register(a.Softmax)
@emit.register(a.LogSoftmax)
@emit.register(a.Softmin)
@emit.register(a.Softmax2d)
def _softmax(layer: Any, at: Place) -> str:
    dim = 1 if isinstance(layer, a.Softmax2d) else layer.dim
    if dim is None:
        # torch 2.13 takes the channels of one or three dimensions with the batch's, 0 or 1.
        dim = 0 if len(at.x) + 1 in (1, 3) else 1
    x = at.op("Neg", at.given) if isinstance(layer, a.Softmin) else at.given
    return str(at.op("LogSoftmax" if isinstance(layer, a.LogSoftmax) else "Softmax", x, axis=axis_of(at, dim)))
