"""Operators with weights, as modules."""

from __future__ import annotations

import numpy as np

from cnnspec.importers.onnx.nodes import Node, Unread, Value, node, padded, per_axis, real, said

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Array = np.ndarray[Any, Any]


@node("Conv")
def _conv(at: Node) -> list[Value]:
    weight = at.array(1)
    rank, groups = weight.ndim - 2, at.get("group", 1)
    x, padding = padded(at, rank)
    arrays = {"weight": weight} | ({"bias": at.array(2)} if at.value(2).array is not None else {})
    text = f"nn.Conv{rank}d({weight.shape[1] * groups}, {weight.shape[0]}, {per_axis(weight.shape[2:])}"
    text += _options(at, rank, padding, groups)
    return at.module(f"{text}{', bias=False' if len(arrays) == 1 else ''})", arrays, x)


def _options(at: Node, rank: int, padding: list[int], groups: int) -> str:
    strides, dilations = at.get("strides", [1] * rank), at.get("dilations", [1] * rank)
    text = f", stride={per_axis(strides)}" if set(strides) != {1} else ""
    text += f", padding={per_axis(padding)}" if set(padding) != {0} else ""
    text += f", dilation={per_axis(dilations)}" if set(dilations) != {1} else ""
    return text + (f", groups={groups}" if groups != 1 else "")


@node("ConvTranspose")
def _conv_transpose(at: Node) -> list[Value]:
    weight = at.array(1)
    rank, groups = weight.ndim - 2, at.get("group", 1)
    if "output_shape" in at.attributes:
        raise Unread("a transposed convolution with `output_shape`")
    pads = list(at.get("pads", [0] * 2 * rank))
    if pads[:rank] != pads[rank:] or at.get("auto_pad", "NOTSET") != "NOTSET":
        raise Unread("padding that differs at both ends")
    arrays = {"weight": weight} | ({"bias": at.array(2)} if at.value(2).array is not None else {})
    text = f"nn.ConvTranspose{rank}d({weight.shape[0]}, {weight.shape[1] * groups}, {per_axis(weight.shape[2:])}"
    text += _options(at, rank, pads[:rank], groups)
    more = at.get("output_padding", [0] * rank)
    text += f", output_padding={per_axis(more)}" if set(more) != {0} else ""
    return at.module(f"{text}{', bias=False' if len(arrays) == 1 else ''})", arrays, at.tensor())


@node("Gemm")
def _gemm(at: Node) -> list[Value]:
    if at.get("alpha", 1.0) != 1.0 or at.get("beta", 1.0) != 1.0 or at.get("transA", 0):
        raise Unread("a `Gemm` with factors, or of a transposed value")
    weight = at.array(1) if at.get("transB", 0) else np.ascontiguousarray(at.array(1).T)
    return _linear(at, weight, at.value(2).array)


def _linear(at: Node, weight: Array, bias: Array | None) -> list[Value]:
    arrays = {"weight": weight} | ({"bias": bias.reshape(-1)} if bias is not None and bias.ndim != 1 else {})
    arrays |= {"bias": bias} if bias is not None and bias.ndim == 1 else {}
    text = f"nn.Linear({weight.shape[1]}, {weight.shape[0]}{', bias=False' if bias is None else ''})"
    return at.module(text, arrays, at.tensor())


@node("MatMul")
def _matmul(at: Node) -> list[Value]:
    weight = at.value(1).array
    if weight is not None and weight.ndim == 2:
        return _linear(at, np.ascontiguousarray(weight.T), at.reader.bias_behind(at.proto, weight.shape[1]))
    return said(f"torch.matmul({at.tensor(0)}, {at.tensor(1)})")


@node("BatchNormalization")
def _batch_norm(at: Node) -> list[Value]:
    if at.get("training_mode", 0):
        raise Unread("a batch norm in training mode")
    names = ("weight", "bias", "running_mean", "running_var")
    arrays = {name: at.array(number) for number, name in enumerate(names, 1)}
    momentum = round(1 - at.get("momentum", 0.9), 6)
    text = f"{len(arrays['weight'])}, eps={real(at.get('epsilon', 1e-5))}, momentum={momentum}"
    return at.module(f"nn.BatchNorm{at.rank}d({text})", arrays, at.tensor())


@node("LayerNormalization")
def _layer_norm(at: Node) -> list[Value]:
    weight = at.array(1)
    arrays = {"weight": weight} | ({"bias": at.array(2)} if at.value(2).array is not None else {})
    if at.get("axis", -1) not in (-weight.ndim,):
        raise Unread("a layer norm over dimensions that are not the last ones of its weight")
    shape = weight.shape[0] if weight.ndim == 1 else weight.shape
    text = f"nn.LayerNorm({shape}, eps={real(at.get('epsilon', 1e-5))}{', bias=False' if len(arrays) == 1 else ''})"
    return at.module(text, arrays, at.tensor())


@node("InstanceNormalization")
def _instance_norm(at: Node) -> list[Value]:
    arrays = {"weight": at.array(1), "bias": at.array(2)}
    text = f"nn.InstanceNorm{at.rank}d({len(at.array(1))}, eps={real(at.get('epsilon', 1e-5))}, affine=True)"
    return at.module(text, arrays, at.tensor())


@node("GroupNormalization")
def _group_norm(at: Node) -> list[Value]:
    arrays = {"weight": at.array(1), "bias": at.array(2)}
    text = f"nn.GroupNorm({at.get('num_groups')}, {len(at.array(1))}, eps={real(at.get('epsilon', 1e-5))})"
    return at.module(text, arrays, at.tensor())


@node("PRelu")
def _prelu(at: Node) -> list[Value]:
    weight = at.array(1).reshape(-1)
    return at.module(f"nn.PReLU({len(weight)})", {"weight": weight}, at.tensor())
