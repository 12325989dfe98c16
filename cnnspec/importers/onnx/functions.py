"""Operators on single values, and windows that slide over them."""

from __future__ import annotations

import numpy as np
from onnx import helper

from cnnspec.importers.onnx.nodes import Node, Unread, Value, node, padded, per_axis, real, said

_PLAIN = {
    "Relu": "F.relu", "Sigmoid": "torch.sigmoid", "Tanh": "torch.tanh", "Exp": "torch.exp", "Log": "torch.log",
    "Sqrt": "torch.sqrt", "Abs": "torch.abs", "Softsign": "F.softsign", "HardSwish": "F.hardswish", "Mish": "F.mish",
    "Erf": "torch.erf", "Softplus": "F.softplus",
}  # fmt: skip


@node(*_PLAIN)
def _plain(at: Node) -> list[Value]:
    return said(f"{_PLAIN[at.proto.op_type]}({at.tensor()})")


@node("Identity", "Dropout", "Cast")
def _same(at: Node) -> list[Value]:
    value = at.value(0)
    if at.proto.op_type == "Cast" and value.array is not None:
        return [Value(array=value.array.astype(helper.tensor_dtype_to_np_dtype(at.get("to"))))]
    if at.proto.op_type == "Cast" and not value.is_list and at.get("to") != 1:
        raise Unread("a value of another type")
    return [value]


@node("LeakyRelu")
def _leaky(at: Node) -> list[Value]:
    return said(f"F.leaky_relu({at.tensor()}, {real(at.get('alpha', 0.01))})")


@node("Elu", "Celu")
def _elu(at: Node) -> list[Value]:
    return said(f"F.{at.proto.op_type.lower()}({at.tensor()}, {real(at.get('alpha', 1.0))})")


@node("Selu")
def _selu(at: Node) -> list[Value]:
    return said(f"F.selu({at.tensor()})")


@node("Gelu")
def _gelu(at: Node) -> list[Value]:
    return said(f"F.gelu({at.tensor()}, approximate={at.get('approximate', 'none')!r})")


@node("HardSigmoid")
def _hard_sigmoid(at: Node) -> list[Value]:
    if abs(at.get("alpha", 0.2) - 1 / 6) > 1e-6 or abs(at.get("beta", 0.5) - 0.5) > 1e-6:
        raise Unread("a hard sigmoid with another slope than 1/6")
    return said(f"F.hardsigmoid({at.tensor()})")


@node("Clip")
def _clip(at: Node) -> list[Value]:
    low, high = (
        at.get(name) if name in at.attributes else None if at.value(number).array is None else float(at.array(number))
        for number, name in ((1, "min"), (2, "max"))
    )
    return said(f"torch.clamp({at.tensor()}, {_limit(low)}, {_limit(high)})")


def _limit(value: float | None) -> str:
    return "None" if value is None or abs(value) > 3e38 else repr(int(value) if value == int(value) else value)


@node("Softmax", "LogSoftmax")
def _softmax(at: Node) -> list[Value]:
    name = {"Softmax": "softmax", "LogSoftmax": "log_softmax"}[at.proto.op_type]
    return said(f"F.{name}({at.tensor()}, dim={at.get('axis', -1)})")


_SIGNS = {"Add": "+", "Sub": "-", "Mul": "*", "Div": "/", "Pow": "**"}


@node(*_SIGNS)
def _arithmetic(at: Node) -> list[Value]:
    first, second = at.value(0), at.value(1)
    sign = _SIGNS[at.proto.op_type]
    if first.array is not None and second.array is not None:
        pair = first.array, second.array
        folded = {"+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide, "**": np.power}[sign](*pair)
        return [Value(array=np.asarray(folded))]
    array = second.array if second.array is not None else first.array
    if array is not None and array.size > 1:
        x, weight = at.tensor(0 if second.array is not None else 1), at.reader.parameter(array)
        return said(f"{x} {sign} {weight}" if second.array is not None else f"{weight} {sign} {x}")
    return said(f"{first.said} {sign} {second.said}")


@node("Neg")
def _negative(at: Node) -> list[Value]:
    return said(f"-{at.tensor()}")


@node("Reciprocal")
def _reciprocal(at: Node) -> list[Value]:
    return said(f"1 / {at.tensor()}")


@node("MaxPool", "AveragePool", "LpPool")
def _pool(at: Node) -> list[Value]:
    kind = {"MaxPool": "max", "AveragePool": "avg", "LpPool": "lp"}[at.proto.op_type]
    window = at.get("kernel_shape")
    rank = len(window)
    strides, dilations = at.get("strides", [1] * rank), at.get("dilations", [1] * rank)
    if len(at.proto.output) > 1 and at.proto.output[1]:
        raise Unread("a pooling that gives the places of its maxima")
    if kind == "max":
        x, padding = padded(at, rank, ", value=float('-inf')")
    else:
        x, padding = padded(at, rank)
        if x != at.tensor() and not at.get("count_include_pad", 0):
            raise Unread("an average without the padding, which differs at both ends")
    text = per_axis(window) + (f", stride={per_axis(strides)}" if strides != window else "")
    text += f", padding={per_axis(padding)}" if set(padding) != {0} else ""
    text += ", ceil_mode=True" if at.get("ceil_mode", 0) else ""
    if kind == "max" and set(dilations) != {1}:
        text += f", dilation={per_axis(dilations)}"
    elif set(dilations) != {1}:
        raise Unread("an average with dilation")
    if kind == "avg" and set(padding) != {0} and not at.get("count_include_pad", 0):
        text += ", count_include_pad=False"
    if kind == "lp":
        return said(f"F.lp_pool{rank}d({x}, {at.get('p', 2)}, {text})")
    return said(f"F.{kind}_pool{rank}d({x}, {text})")


@node("GlobalAveragePool", "GlobalMaxPool")
def _global_pool(at: Node) -> list[Value]:
    kind = "avg" if "Average" in at.proto.op_type else "max"
    return said(f"F.adaptive_{kind}_pool{at.rank}d({at.tensor()}, 1)")


_MODES = {"nearest": "nearest", "linear": "bilinear", "cubic": "bicubic"}
_WAYS = ("asymmetric", "half_pixel", "pytorch_half_pixel", "align_corners")


@node("Resize", "Upsample")
def _resize(at: Node) -> list[Value]:
    mode, way = at.get("mode", "nearest"), at.get("coordinate_transformation_mode", "half_pixel")
    newer = at.proto.op_type == "Resize" and len(at.proto.input) > 2
    scales, sizes = at.value(2 if newer else 1), at.value(3) if newer else Value()
    axes = at.get("axes", list(range(at.rank + 2)))
    if mode not in _MODES or way not in _WAYS or (way == "asymmetric" and mode != "nearest") or axes[-1] != at.rank + 1:
        raise Unread("this way of resizing")
    skipped = 2 if len(axes) == at.rank + 2 else 0
    if mode == "cubic" and abs(at.get("cubic_coeff_a", -0.75) + 0.75) > 1e-6:
        raise Unread("this way of resizing")
    if scales.array is not None and scales.array.size:
        factors = [float(one) for one in scales.array[skipped:]]
        exact = [int(one) if one.is_integer() else one for one in factors]
        text = f"scale_factor={exact[0] if len(set(exact)) == 1 else tuple(exact)}"
        whole = all(one.is_integer() for one in factors)
    elif sizes.is_list:
        text, whole = f"size={sizes.text}[{skipped}:]", False
    elif sizes.array is not None:
        text, whole = f"size={tuple(int(one) for one in sizes.array[skipped:])}", False
    else:
        raise Unread("this way of resizing")
    floors = way == "asymmetric" and at.get("nearest_mode", "round_prefer_floor") == "floor"
    # Where each pixel becomes a whole number of them, all ways of rounding agree.
    if mode == "nearest" and not floors and (way == "align_corners" or not whole):
        raise Unread("this way of resizing")
    name = {1: "linear", 3: "trilinear"}.get(at.rank, "bilinear") if mode == "linear" else _MODES[mode]
    text += f", mode={name!r}" if name != "nearest" else ""
    return said(f"F.interpolate({at.tensor()}, {text}{', align_corners=True' if way == 'align_corners' else ''})")


@node("DepthToSpace", "SpaceToDepth")
def _pixels(at: Node) -> list[Value]:
    if at.proto.op_type == "DepthToSpace" and at.get("mode", "DCR") == "CRD":
        return said(f"F.pixel_shuffle({at.tensor()}, {at.get('blocksize')})")
    raise Unread(f"`{at.proto.op_type}` in this order")


@node("Pad")
def _pad(at: Node) -> list[Value]:
    pads = at.numbers(1, "pads") or []
    rank = len(pads) // 2
    if at.value(3).array is not None:
        raise Unread("padding of some axes")
    flat = [pads[axis + end * rank] for axis in reversed(range(rank)) for end in (0, 1)]
    while len(flat) > 2 and flat[-2:] == [0, 0]:
        flat = flat[:-2]
    mode = {"constant": "constant", "reflect": "reflect", "edge": "replicate", "wrap": "circular"}[
        at.get("mode", "constant")
    ]
    fill = at.value(2).array
    number = float(fill.reshape(-1)[0]) if fill is not None and fill.size else at.get("value", 0.0)
    extra = f", mode={mode!r}" if mode != "constant" else f", value={number}" if number else ""
    return said(f"F.pad({at.tensor()}, {tuple(flat)}{extra})")
