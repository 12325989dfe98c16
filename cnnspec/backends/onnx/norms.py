"""Normalisations as ONNX nodes, with the statistics of evaluation."""

from __future__ import annotations

import numpy as np

from cnnspec.backends.onnx.emit import emit
from cnnspec.backends.onnx.writer import Place
from cnnspec.layers.norm import (
    GroupNorm,
    LayerNorm,
    LocalResponseNorm,
    RMSNorm,
    _BatchNorm,
    _InstanceNorm,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def _scale(at: Place, count: int) -> tuple[str, str]:
    """What is multiplied and added behind the normalisation, of each channel."""
    weight = at.weight("weight") if at.has("weight") else at.constant(np.ones(count))
    bias = at.weight("bias") if at.has("bias") else at.constant(np.zeros(count))
    return weight, bias


def _with_running(layer: Any, at: Place) -> str:
    weight, bias = _scale(at, at.x[0])
    mean, variance = at.weight("running_mean"), at.weight("running_var")
    return str(at.op("BatchNormalization", at.given, weight, bias, mean, variance, epsilon=float(layer.eps)))


@emit.register(_BatchNorm)
def _batch_norm(layer: _BatchNorm, at: Place) -> str:
    if at.has("running_mean"):
        return _with_running(layer, at)
    axes = at.sizes(0, *range(2, len(at.x) + 1))
    away = at.op("Sub", at.given, at.op("ReduceMean", at.given, axes, keepdims=1))
    variance = at.op("ReduceMean", at.op("Mul", away, away), axes, keepdims=1)
    y = at.op("Div", away, at.op("Sqrt", at.op("Add", variance, at.constant(float(layer.eps)))))
    rest = [1] * (len(at.x) - 1)
    if at.has("weight"):
        y = at.op("Mul", y, at.weight("weight", at.tensor("weight").reshape(-1, *rest)))
    if at.has("bias"):
        y = at.op("Add", y, at.weight("bias", at.tensor("bias").reshape(-1, *rest)))
    return str(y)


@emit.register(_InstanceNorm)
def _instance_norm(layer: _InstanceNorm, at: Place) -> str:
    if at.has("running_mean"):
        return _with_running(layer, at)
    return str(at.op("InstanceNormalization", at.given, *_scale(at, at.x[0]), epsilon=float(layer.eps)))


@emit.register(GroupNorm)
def _group_norm(layer: GroupNorm, at: Place) -> str:
    weight, bias = _scale(at, at.x[0])
    return str(
        at.op("GroupNormalization", at.given, weight, bias, epsilon=float(layer.eps), num_groups=layer.num_groups)
    )


@emit.register(LayerNorm)
def _layer_norm(layer: LayerNorm, at: Place) -> str:
    shape = layer._shape(at.x)
    weight = at.weight("weight") if at.has("weight") else at.constant(np.ones(shape))
    bias = [at.weight("bias")] if at.has("bias") else []
    return str(at.op("LayerNormalization", at.given, weight, *bias, axis=-len(shape), epsilon=float(layer.eps)))


@emit.register(RMSNorm)
def _rms_norm(layer: RMSNorm, at: Place) -> str:
    axes = at.sizes(*range(-len(layer._shape(at.x)), 0))
    eps = float(np.finfo("float32").eps) if layer.eps is None else float(layer.eps)
    squares = at.op("ReduceMean", at.op("Mul", at.given, at.given), axes, keepdims=1)
    y = at.op("Div", at.given, at.op("Sqrt", at.op("Add", squares, at.constant(eps))))
    return str(at.op("Mul", y, at.weight("weight"))) if at.has("weight") else str(y)


@emit.register(LocalResponseNorm)
def _local_response_norm(layer: LocalResponseNorm, at: Place) -> str:
    if layer.size % 2 and len(at.x) == 3:
        return str(
            at.op(
                "LRN", at.given, alpha=float(layer.alpha), beta=float(layer.beta), bias=float(layer.k), size=layer.size
            )
        )
    # ONNX has the odd neighbour of an even window behind, torch in front; runtimes take images alone.
    rest = [0] * (len(at.x) - 1)
    before, after = layer.size // 2, (layer.size - 1) // 2
    squares = at.op("Mul", at.given, at.given)
    wide = at.op("Pad", squares, at.sizes(0, before, *rest, 0, after, *rest), at.constant(0.0), mode="constant")
    total = None
    for start in range(layer.size):
        part = at.op("Slice", wide, at.sizes(start), at.sizes(start + at.x[0]), at.sizes(1))
        total = part if total is None else at.op("Add", total, part)
    assert total is not None
    mean = at.op("Mul", total, at.constant(float(layer.alpha) / layer.size))
    power = at.op("Pow", at.op("Add", mean, at.constant(float(layer.k))), at.constant(float(layer.beta)))
    return str(at.op("Div", at.given, power))
