"""What lays values out anew, cuts them or brings them down to fewer, as ONNX nodes."""

from __future__ import annotations

from cnnspec.backends.onnx.emit import emit
from cnnspec.backends.onnx.writer import Place
from cnnspec.layers.cut import Chunk, Max, Mean, Select, Slice, Split, Std, Sum
from cnnspec.layers.own import PadChannels
from cnnspec.layers.reshape import Flatten, Permute, Unflatten

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def axis_of(at: Place, dim: int) -> int:
    """A dimension counted from the front, the batch as 0."""
    return dim if dim >= 0 else dim + len(at.x) + 1


@emit.register(Flatten)
def _flatten(layer: Flatten, at: Place) -> str:
    if len(at.y) == 1:
        return str(at.op("Flatten", at.given, axis=1))
    return str(at.op("Reshape", at.given, at.sizes(-1, *at.y)))


@emit.register(Unflatten)
def _unflatten(layer: Unflatten, at: Place) -> str:
    return str(at.op("Reshape", at.given, at.sizes(-1, *at.y)))


@emit.register(Permute)
def _permute(layer: Permute, at: Place) -> str:
    return str(at.op("Transpose", at.given, perm=[axis_of(at, dim) for dim in layer.dims]))


@emit.register(Slice)
def _slice(layer: Slice, at: Place) -> str:
    axis = axis_of(at, layer.dim)
    start, stop, _ = slice(layer.start, layer.stop).indices(at.x[axis - 1])
    return str(at.op("Slice", at.given, at.sizes(start), at.sizes(stop), at.sizes(axis)))


@emit.register(Select)
def _select(layer: Select, at: Place) -> str:
    return str(at.op("Gather", at.given, at.constant(layer.index, "int64"), axis=axis_of(at, layer.dim)))


def _parts(at: Place, dim: int) -> Any:
    axis = axis_of(at, dim)
    found = at.op("Split", at.given, at.sizes(*(part[axis - 1] for part in at.y)), outputs=len(at.y), axis=axis)
    return found if isinstance(found, tuple) else (found,)


@emit.register(Split)
def _split(layer: Split, at: Place) -> Any:
    return _parts(at, layer.dim)


@emit.register(Chunk)
def _chunk(layer: Chunk, at: Place) -> Any:
    return _parts(at, layer.dim)


@emit.register(PadChannels)
def _pad_channels(layer: PadChannels, at: Place) -> str:
    before, after = layer.padding if isinstance(layer.padding, tuple) else (layer.padding, layer.padding)
    rest = [0] * (len(at.x) - 1)
    return str(at.op("Pad", at.given, at.sizes(0, before, *rest, 0, after, *rest), at.constant(0.0), mode="constant"))


# --- fewer values ---


def _axes(layer: Any, at: Place) -> list[int]:
    dims = layer.dim if isinstance(layer.dim, tuple) else (layer.dim,)
    return [axis_of(at, dim) for dim in dims]


def _reduced(kind: str, layer: Any, at: Place) -> str:
    return str(at.op(kind, at.given, at.sizes(*_axes(layer, at)), keepdims=int(layer.keepdim)))


@emit.register(Mean)
def _mean(layer: Mean, at: Place) -> str:
    return _reduced("ReduceMean", layer, at)


@emit.register(Max)
def _max(layer: Max, at: Place) -> str:
    return _reduced("ReduceMax", layer, at)


@emit.register(Sum)
def _sum(layer: Sum, at: Place) -> str:
    return _reduced("ReduceSum", layer, at)


@emit.register(Std)
def _std(layer: Std, at: Place) -> str:
    axes = _axes(layer, at)
    count = 1
    for axis in axes:
        count *= at.x[axis - 1]
    away = at.op("Sub", at.given, at.op("ReduceMean", at.given, at.sizes(*axes), keepdims=1))
    squares = at.op("ReduceSum", at.op("Mul", away, away), at.sizes(*axes), keepdims=int(layer.keepdim))
    return str(at.op("Sqrt", at.op("Div", squares, at.constant(float(count - 1)))))
