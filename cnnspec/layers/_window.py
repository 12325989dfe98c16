"""What layers on 1 to 3 spatial axes share: the shapes they take, and how many places a sliding window has.

Sizes of an axis are called after torch's formulas: a window spans `dilation * (kernel_size - 1) + 1` positions, starts
every `stride` positions, and may hang over into the padding.
"""

from cnnspec.declare import Choice, Integer, Reject, Tuple, sizes
from cnnspec.diagnostics import refusals
from cnnspec.diagnostics.codes import OUT_OF_RANGE, WINDOW_TOO_LARGE
from cnnspec.layers._axes import LAYOUTS, axis_names, wrong_rank
from cnnspec.layers.base import Layer, Reads, Shape
from cnnspec.limits import LIMITS

TYPE_CHECKING = False
if TYPE_CHECKING:
    Sides = int | tuple[int, ...]
    PaddingMode = str
else:
    # One number a side, in torch's order: the last axis first, the side before it and the side behind it.
    Sides = Integer | Tuple(Integer, "sides")
    PaddingMode = Choice("zeros", "reflect", "replicate", "circular")


_LONG = 8
"""How many times as long as it is wide a value of two dimensions is no image any more."""


def _is_long(x: Shape) -> bool:
    return all(size.__class__ is int for size in x) and x[-1] >= _LONG * x[0]


class _Spatial(Layer):
    """Base of layers with `rank` spatial axes behind the channels."""

    @property
    def axes(self) -> tuple[str, ...]:
        return axis_names(self.rank)[1:]

    def each(self, value: int | tuple[int, ...]) -> tuple[int, ...]:
        """`value` for each spatial axis."""
        return sizes(value, self.rank)

    def check_rank(self, x: Shape) -> None:
        """Reject an input with another number of dimensions.

        torch 2.13 reads some of them as one sample without a batch dimension; here the batch is always there.
        """
        if len(x) != self.rank + 1:
            raise self._wrong_rank(x)

    def _wrong_rank(self, x: Shape) -> Reject:
        dimensions, expected = len(x), LAYOUTS[self.rank]
        if dimensions < 2:
            return wrong_rank(x, expected, refusals.NO_SUCH_AXES, axes=" and ".join(self.axes))
        other = f"{type(self).__name__[:-2]}{dimensions - 1}d"
        if dimensions == self.rank == 2 and not (_is_long(x) and Layer.find(other) is not None):
            return wrong_rank(x, expected, refusals.NO_CHANNEL)
        extra = dimensions - 1 - self.rank
        if Layer.find(other) is None:
            return wrong_rank(x, expected, refusals.ONE_TOO_MANY if extra == 1 else refusals.TOO_MANY, extra=extra)
        kind = refusals.WITH_BATCH if extra == 1 else refusals.OTHER_LAYER
        return wrong_rank(x, expected, kind, other=other, takes=LAYOUTS[dimensions - 1])


def slide(
    layer: _Spatial,
    x: Shape,
    kernel_size: tuple[int, ...],
    stride: tuple[int, ...],
    pads: "tuple[tuple[int, int], ...]",
    dilation: tuple[int, ...],
    *,
    ceil_mode: bool = False,
) -> Shape:
    """The number of places of a window along each spatial axis of `x`; rejects a window that has none."""
    counts = []
    for axis, size, kernel, step, (before, after), spread in zip(
        layer.axes, x[1:], kernel_size, stride, pads, dilation
    ):
        count = places(size, kernel, step, before, after, spread, ceil_mode=ceil_mode)
        if count < 1:
            raise _too_large(axis, size, before + after, kernel, spread)
        # torch 2.13 counts in 64 bits without a check: a padded input beyond that becomes negative.
        if size + before + after > LIMITS.integer:
            limit = (LIMITS.integer - size) // 2
            raise Reject("padding", refusals.OVER_64_BITS, padding=max(before, after), limit=limit)
        counts.append(count)
    return tuple(counts)


def window_arithmetic(
    layer: _Spatial, x: Shape, y: Shape, kernel_size: "tuple[int, ...]", stride: "tuple[int, ...]",
    pads: "tuple[tuple[int, int], ...]", dilation: "tuple[int, ...]", *, ceil_mode: bool = False,
) -> "list[tuple[str, str]]":  # fmt: skip
    """How the sizes behind a sliding window come about, axes of the same sum told once."""
    found: dict[str, list[str]] = {}
    for axis, size, kernel, step, (before, after), spread, out in zip(
        layer.axes, x[1:], kernel_size, stride, pads, dilation, y[1:]
    ):
        padding = f" + 2*{before}" if before == after else f" + {before} + {after}"
        window = f"{kernel}" if spread == 1 else f"({spread}*({kernel} - 1) + 1)"
        room = f"{size}{padding if before or after else ''} - {window}"
        found.setdefault(f"{'ceil' if ceil_mode else 'floor'}(({room}) / {step}) + 1 = {out}", []).append(axis)
    return [(" and ".join(axes), text) for text, axes in found.items()]


def window_reads(
    kernel_size: "tuple[int, ...]", stride: "tuple[int, ...]", before: "tuple[int, ...]", dilation: "tuple[int, ...]"
) -> dict[int, Reads]:
    """What the places of a sliding window read along the dimensions behind the channels."""
    found: dict[int, Reads] = {}
    windows = list(zip(kernel_size, stride, before, dilation))
    for axis, (kernel, step, pad, spread) in enumerate(windows, 1):
        # Axes are mostly alike, and then share what is worked out.
        alike = axis > 1 and windows[axis - 1] == windows[axis - 2]
        found[axis] = found[axis - 1] if alike else Reads(step, -pad, (kernel - 1) * spread - pad, 1)
    return found


def _too_large(axis: str, size: int, padding: int, kernel_size: int, dilation: int) -> Reject:
    # The dilation is to blame where the window fits without it.
    field = "dilation" if kernel_size <= size + padding else "kernel_size"
    shown = f"{size + padding} ({size} and padding)" if padding else str(size)
    return Reject(field, WINDOW_TOO_LARGE, window=dilation * (kernel_size - 1) + 1, size=shown, axis=axis)


def places(
    size: int, kernel_size: int, stride: int, before: int, after: int, dilation: int, *, ceil_mode: bool = False
) -> int:
    """Places of a window along an axis of `size` with padding on both sides; less than 1 where it doesn't fit."""
    room = size + before + after - dilation * (kernel_size - 1) - 1
    if not ceil_mode:
        return room // stride + 1
    # torch 2.13: with ceil_mode the last window may hang over the padded end, and so may the only one: a window
    # larger than the padded input is accepted up to a stride. None may start behind the input, in its padding.
    count = -(-room // stride) + 1
    return count - 1 if (count - 1) * stride >= size + before else count


def check_wrap(mode: str, axis: str, size: int, before: int, after: int) -> None:
    """Reject padding that takes more values from the input than there are. Negative padding cuts off."""
    # torch 2.13 compares padding that reflects with the whole input, whatever is cut off on the other side.
    if mode == "reflect":
        limits, kind = (size - 1, size - 1), refusals.OVER_REFLECTION
    elif mode == "circular":
        # torch 2.13 compares with the whole input here too, and then gives memory that nothing was written to.
        limits, kind = (size + min(after, 0), size + min(before, 0)), refusals.OVER_ROUND
    else:
        return
    for padding, limit in zip((before, after), limits):
        if padding > limit:
            raise Reject("padding", kind, padding=padding, limit=max(limit, 0), axis=axis, size=size)


def check_int32(layer: _Spatial, *fields: str) -> None:
    """Reject what torch's pools can't count with: they hold their arguments in 32 bits."""
    for field in fields:
        given = getattr(layer, field)
        value = 0 if given is None else max(layer.each(given))
        # torch 2.13: MaxPool1d takes more where no gradient is needed, which is not in training.
        if value > 2**31 - 1:
            raise Reject(field, OUT_OF_RANGE, name=field, value=value, wants=f"at most {2**31 - 1}")
