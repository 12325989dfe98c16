"""Convolutions, pools and resizing as ONNX nodes."""

from __future__ import annotations

import numpy as np

from cnnspec.backends.onnx.emit import emit, limits
from cnnspec.backends.onnx.writer import Place, Unwritable, flat_sizes
from cnnspec.layers.conv import _Conv, _ConvTranspose
from cnnspec.layers.fold import Fold, Unfold
from cnnspec.layers.padding import _Pad
from cnnspec.layers.pool import (
    _AdaptivePool,
    _AvgPool,
    _LPPool,
    _MaxPool,
)
from cnnspec.layers.shuffle import ChannelShuffle, PixelShuffle, PixelUnshuffle
from cnnspec.layers.upsample import Upsample, UpsamplingBilinear2d, UpsamplingNearest2d
from cnnspec.layers.wrap import _Parametrized, spectral_norm, weight_norm

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MODES = {"zeros": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def padded(at: Place, x: str, pads: Any, mode: str, value: float = 0.0) -> str:
    """A value with padding at both ends of its spatial axes; `pads` has (before, behind) for each."""
    front, behind = [0, 0], [0, 0]
    for before, after in pads:
        front.append(int(before))
        behind.append(int(after))
    inputs = [x, at.sizes(*front, *behind)]
    if mode == "constant":
        inputs.append(at.constant(value))
    return str(at.op("Pad", *inputs, mode=mode))


@emit.register(_Conv)
def _conv(layer: _Conv, at: Place) -> str:
    return convolution(layer, at, at.weight("weight"))


def convolution(layer: Any, at: Place, weight: str) -> str:
    kernel, dilation = layer.each(layer.kernel_size), layer.each(layer.dilation)
    pads, x = layer._pads(kernel, dilation), at.given
    if layer.padding_mode != "zeros":
        x, pads = padded(at, x, pads, MODES[layer.padding_mode]), ((0, 0),) * len(kernel)
    bias = [at.weight("bias")] if layer.bias else []
    return str(
        at.op(
            "Conv", x, weight, *bias, kernel_shape=list(kernel), strides=list(layer.each(layer.stride)),
            dilations=list(dilation), group=layer.groups, pads=[*(p[0] for p in pads), *(p[1] for p in pads)],
        )
    )  # fmt: skip


@emit.register(_ConvTranspose)
def _conv_transpose(layer: _ConvTranspose, at: Place) -> str:
    return transposed(layer, at, at.weight("weight"))


def transposed(layer: Any, at: Place, weight: str) -> str:
    bias = [at.weight("bias")] if layer.bias else []
    return str(
        at.op(
            "ConvTranspose", at.given, weight, *bias, kernel_shape=list(layer.each(layer.kernel_size)),
            strides=list(layer.each(layer.stride)), dilations=list(layer.each(layer.dilation)), group=layer.groups,
            pads=[*layer.each(layer.padding), *layer.each(layer.padding)],
            output_padding=list(layer.each(layer.output_padding)),
        )
    )  # fmt: skip


@limits.register(_ConvTranspose)
def _conv_transpose_limits(layer: _ConvTranspose, x: Any) -> None:
    if any(extra >= stride for extra, stride in zip(layer.each(layer.output_padding), layer.each(layer.stride))):
        raise Unwritable("output_padding has to be below the stride")


# --- weights that are worked out of others: written as they are ---


@emit.register(_Parametrized)
def _parametrized(layer: _Parametrized, at: Place) -> Any:
    from cnnspec.backends.onnx.values import dense

    inner = layer.layer
    weight = at.weight("weight", _worked_out(layer, at))
    inside = Place(at.writer, inner, at.x, at.y, at.path, at.given)
    if isinstance(inner, _Conv):
        return convolution(inner, inside, weight)
    if isinstance(inner, _ConvTranspose):
        return transposed(inner, inside, weight)
    return dense(inner, inside, _worked_out(layer, at))


def _worked_out(layer: _Parametrized, at: Place) -> Any:
    if isinstance(layer, weight_norm):
        length = at.tensor("parametrizations.weight.original0")
        direction = at.tensor("parametrizations.weight.original1")
        axes = tuple(range(direction.ndim))
        if layer.dim not in (None, -1):
            axes = tuple(axis for axis in axes if axis != range(direction.ndim)[layer.dim])
        return (direction * (length / np.sqrt((direction**2).sum(axes, keepdims=True)))).astype("float32")
    assert isinstance(layer, spectral_norm)
    weight = at.tensor("parametrizations.weight.original")
    dim = layer.layer.output_axis if layer.dim is None else layer.dim
    rows = np.moveaxis(weight, dim, 0).reshape(weight.shape[dim], -1)
    u, v = at.tensor("parametrizations.weight.0._u"), at.tensor("parametrizations.weight.0._v")
    return (weight / (u @ rows @ v)).astype("float32")


@limits.register(_Parametrized)
def _parametrized_limits(layer: _Parametrized, x: Any) -> None:
    from cnnspec.layers.linear import Linear

    if not isinstance(layer.layer, (_Conv, _ConvTranspose, Linear)):
        raise Unwritable(f"{type(layer.layer).__name__} in it is not written")
    limits(layer.layer, x)


# --- pools ---


def _window(layer: Any) -> tuple[list[int], list[int], list[int]]:
    kernel = layer.each(layer.kernel_size)
    stride = kernel if layer.stride is None else layer.each(layer.stride)
    padding = layer.each(getattr(layer, "padding", 0))
    return list(kernel), list(stride), list(padding)


@emit.register(_MaxPool)
def _max_pool(layer: _MaxPool, at: Place) -> str:
    kernel, stride, padding = _window(layer)
    dilation = list(layer.each(layer.dilation))
    # What ceil_mode adds stands in the padding behind: so no window begins in there, as in torch.
    behind = [
        max(p, (out - 1) * s + d * (k - 1) + 1 - size - p)
        for out, size, k, s, p, d in zip(at.y[1:], at.x[1:], kernel, stride, padding, dilation)
    ]
    x, pads = at.given, [*padding, *behind]
    if behind != padding:
        lowest = float(np.finfo("float32").min)
        x, pads = padded(at, x, list(zip(padding, behind)), "constant", lowest), [0] * 2 * len(kernel)
    return str(at.op("MaxPool", x, kernel_shape=kernel, strides=stride, pads=pads, dilations=dilation))


@emit.register(_AvgPool)
def _avg_pool(layer: _AvgPool, at: Place) -> str:
    kernel, stride, padding = _window(layer)
    return str(
        at.op(
            "AveragePool", at.given, kernel_shape=kernel, strides=stride, pads=[*padding, *padding],
            ceil_mode=int(layer.ceil_mode), count_include_pad=int(layer.count_include_pad),
        )
    )  # fmt: skip


@limits.register(_AvgPool)
def _avg_pool_limits(layer: _AvgPool, x: Any) -> None:
    if getattr(layer, "divisor_override", None) is not None:
        raise Unwritable("divisor_override is not written")
    kernel, stride, padding = _window(layer)
    wide = [-(-(size + 2 * p - k) // s) + 1 for size, k, s, p in zip(x[1:], kernel, stride, padding)]
    if layer.ceil_mode and tuple(wide) != layer.infer(x)[1:]:
        raise Unwritable("a last window of ceil_mode stands in the padding")


@emit.register(_LPPool)
def _lp_pool(layer: _LPPool, at: Place) -> str:
    kernel, stride, _ = _window(layer)
    return str(
        at.op(
            "LpPool",
            at.given,
            kernel_shape=kernel,
            strides=stride,
            p=int(layer.norm_type),
            ceil_mode=int(layer.ceil_mode),
        )
    )


@limits.register(_LPPool)
def _lp_pool_limits(layer: _LPPool, x: Any) -> None:
    if layer.norm_type not in (2, 4):
        raise Unwritable("norm_type is 2 or 4: of others torch has another sign")
    if layer.ceil_mode:
        raise Unwritable("ceil_mode is not written")


@emit.register(_AdaptivePool)
def _adaptive(layer: _AdaptivePool, at: Place) -> Any:
    kind = "Average" if "Avg" in type(layer).__name__ else "Max"
    sizes = list(zip(at.x[1:], at.y[1:]))
    if all(out == 1 for _, out in sizes):
        return at.op(f"Global{kind}Pool", at.given)
    if all(size % out == 0 for size, out in sizes):
        window = [size // out for size, out in sizes]
        return at.op(f"{kind}Pool", at.given, kernel_shape=window, strides=window)
    return _by_slices(at, kind, sizes)


def _by_slices(at: Place, kind: str, sizes: list[tuple[int, int]]) -> str:
    """One axis after the other: each place of the output is a mean, or the largest, of a slice."""
    name = at.given
    for axis, (size, out) in enumerate(sizes, 2):
        parts = []
        for place in range(out):
            start, stop = place * size // out, -(-(place + 1) * size // out)
            part = at.op("Slice", name, at.sizes(start), at.sizes(stop), at.sizes(axis))
            parts.append(at.op("ReduceMean" if kind == "Average" else "ReduceMax", part, at.sizes(axis), keepdims=1))
        name = at.op("Concat", *parts, axis=axis)
    return str(name)


# --- sizes ---


@emit.register(Upsample)
def _upsample(layer: Upsample, at: Place) -> str:
    return _resized(at, layer.mode, bool(layer.align_corners))


@emit.register(UpsamplingNearest2d)
def _nearest(layer: UpsamplingNearest2d, at: Place) -> str:
    return _resized(at, "nearest", False)


@emit.register(UpsamplingBilinear2d)
def _bilinear(layer: UpsamplingBilinear2d, at: Place) -> str:
    return _resized(at, "bilinear", True)


@limits.register(Upsample)
def _upsample_limits(layer: Upsample, x: Any) -> None:
    factor = layer.given.get("scale_factor")
    if factor is None:
        return
    factors = factor if isinstance(factor, tuple) else (factor,) * (len(x) - 1)
    sizes = tuple(int(np.floor(size * np.float32(one))) for size, one in zip(x[1:], factors))
    if sizes != layer.infer(x)[1:]:
        raise Unwritable("the factor gives another size as a 32-bit float")


def _resized(at: Place, mode: str, corners: bool) -> str:
    kinds = {"nearest": "nearest", "nearest-exact": "nearest", "bicubic": "cubic"}
    nearest = {"nearest": "floor", "nearest-exact": "round_prefer_ceil"}.get(mode)
    where = {"nearest": "asymmetric", "nearest-exact": "half_pixel"}.get(mode)
    where = where or ("align_corners" if corners else "pytorch_half_pixel")
    cubic = -0.75 if mode == "bicubic" else None
    options: dict[str, Any] = {
        "mode": kinds.get(mode, "linear"),
        "coordinate_transformation_mode": where,
        "nearest_mode": nearest,
        "cubic_coeff_a": cubic,
    }
    factor = at.layer.given.get("scale_factor")
    axes = len(at.x) - 1
    if factor is not None and not corners:
        factors = factor if isinstance(factor, tuple) else (factor,) * axes
        scales = at.constant([1.0, 1.0, *map(float, factors)])
        return str(at.op("Resize", at.given, "", scales, **options))
    sizes = at.sizes(*at.y[1:])
    return str(at.op("Resize", at.given, "", "", sizes, axes=list(range(2, 2 + axes)), **options))


@emit.register(_Pad)
def _pad(layer: _Pad, at: Place) -> str:
    given = flat_sizes(layer.padding, 2 * layer.rank)
    pads = [(given[2 * axis], given[2 * axis + 1]) for axis in range(layer.rank)][::-1]
    value = float(getattr(layer, "value", 0.0) or 0.0)
    mode = MODES.get(layer.mode, "constant") if not hasattr(layer, "value") else "constant"
    return padded(at, at.given, pads, mode, value)


@limits.register(_Pad)
def _pad_limits(layer: _Pad, x: Any) -> None:
    if layer.mode in ("reflect", "replicate", "circular") and min(flat_sizes(layer.padding, 1)) < 0:
        raise Unwritable("padding below 0 is not written in this mode")


@emit.register(PixelShuffle)
def _pixel_shuffle(layer: PixelShuffle, at: Place) -> str:
    if len(at.x) == 3:
        return str(at.op("DepthToSpace", at.given, blocksize=layer.upscale_factor, mode="CRD"))
    *rest, c, h, w = at.x
    r, n = layer.upscale_factor, len(rest) + 1
    cut = at.op("Reshape", at.given, at.sizes(-1, *rest, c // r**2, r, r, h, w))
    moved = at.op("Transpose", cut, perm=[*range(n + 1), n + 3, n + 1, n + 4, n + 2])
    return str(at.op("Reshape", moved, at.sizes(-1, *at.y)))


@emit.register(PixelUnshuffle)
def _pixel_unshuffle(layer: PixelUnshuffle, at: Place) -> str:
    *rest, c, h, w = at.x
    r, n = layer.downscale_factor, len(rest) + 1
    cut = at.op("Reshape", at.given, at.sizes(-1, *rest, c, h // r, r, w // r, r))
    moved = at.op("Transpose", cut, perm=[*range(n + 1), n + 2, n + 4, n + 1, n + 3])
    return str(at.op("Reshape", moved, at.sizes(-1, *at.y)))


@emit.register(ChannelShuffle)
def _channel_shuffle(layer: ChannelShuffle, at: Place) -> str:
    c, *rest = at.x
    cut = at.op("Reshape", at.given, at.sizes(-1, layer.groups, c // layer.groups, *rest))
    moved = at.op("Transpose", cut, perm=[0, 2, 1, *range(3, 3 + len(rest))])
    return str(at.op("Reshape", moved, at.sizes(-1, *at.x)))


# --- windows as columns: convolutions with filters that pick one value ---


def _picks(channels: int, kernel: tuple[int, ...]) -> Any:
    count = int(np.prod(kernel))
    return np.tile(np.eye(count, dtype="float32").reshape(count, 1, *kernel), (channels, 1, 1, 1))


@emit.register(Unfold)
def _unfold(layer: Unfold, at: Place) -> str:
    kernel, padding = layer.each(layer.kernel_size), layer.each(layer.padding)
    found = at.op(
        "Conv", at.given, at.constant(_picks(at.x[0], kernel)), kernel_shape=list(kernel),
        strides=list(layer.each(layer.stride)), dilations=list(layer.each(layer.dilation)), group=at.x[0],
        pads=[*padding, *padding],
    )  # fmt: skip
    return str(at.op("Reshape", found, at.sizes(-1, *at.y)))


@emit.register(Fold)
def _fold(layer: Fold, at: Place) -> str:
    kernel, padding = layer.each(layer.kernel_size), layer.each(layer.padding)
    stride, dilation = layer.each(layer.stride), layer.each(layer.dilation)
    size = layer.each(layer.output_size)
    places = [
        (total + 2 * p - d * (k - 1) - 1) // s + 1 for total, p, d, k, s in zip(size, padding, dilation, kernel, stride)
    ]
    rest = [
        total + 2 * p - ((n - 1) * s + d * (k - 1) + 1)
        for total, p, n, s, d, k in zip(size, padding, places, stride, dilation, kernel)
    ]
    image = at.op("Reshape", at.given, at.sizes(-1, at.x[0], *places))
    return str(
        at.op(
            "ConvTranspose", image, at.constant(_picks(at.y[0], kernel)), kernel_shape=list(kernel), strides=list(stride),
            dilations=list(dilation), group=at.y[0], pads=[*padding, *padding], output_padding=rest,
        )
    )  # fmt: skip
