"""Pooling of sequences, images and volumes."""

from cnnspec.declare import Count, Integer, Paddings, Real, Reject, Sizes, Tuple
from cnnspec.diagnostics import refusals
from cnnspec.diagnostics.codes import OUT_OF_RANGE
from cnnspec.layers._window import _Spatial, check_int32, slide, window_arithmetic, window_reads
from cnnspec.layers.base import Reads, Shape, all_of, inf, prod

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cnnspec.layers._tape import Tape, Value

    OutputSizes = int | tuple[int | None, ...]
else:
    # torch 2.13 takes `none` inside of a tuple alone. It takes 0 too, for an empty output; refused here on purpose.
    OutputSizes = Count | Tuple(Count | None)


INDEX = 8
"""Bytes of the place of a maximum, which is kept beside it."""


class _Pool(_Spatial):
    """Windows that slide over each channel, one behind the other where no `stride` is given."""

    role = "pool"

    slides = True

    if TYPE_CHECKING:
        kernel_size: Sizes
        stride: Sizes | None
        padding: Sizes
        dilation: Sizes
        ceil_mode: bool
    else:
        # What the layers have that take no such argument.
        padding, dilation = 0, 1

    hangs_over = True
    """Whether a window may be larger than the input where padding or ceil_mode makes up for it."""

    def validate(self) -> None:
        check_int32(self, "kernel_size", "stride", "dilation")
        # torch 2.13 compares with the kernel as it is, however far a dilation spreads it.
        for kernel, padding in zip(self.each(self.kernel_size), self.each(self.padding)):
            if padding > kernel // 2:
                raise Reject("padding", refusals.OVER_HALF, padding=padding, limit=kernel // 2, kernel=kernel)

    def infer(self, x: Shape) -> Shape:
        self.check_rank(x)
        kernel_size = self.each(self.kernel_size)
        if not self.hangs_over:
            slide(self, x, kernel_size, self.each(1), ((0, 0),) * self.rank, self.each(1))
        stride = kernel_size if self.stride is None else self.each(self.stride)
        pads = tuple((side, side) for side in self.each(self.padding))
        dilation = self.each(self.dilation)
        return (x[0], *slide(self, x, kernel_size, stride, pads, dilation, ceil_mode=self.ceil_mode))

    def arithmetic(self, x: Shape, y: Shape) -> list[tuple[str, str]]:
        kernel_size = self.each(self.kernel_size)
        stride = kernel_size if self.stride is None else self.each(self.stride)
        pads = tuple((side, side) for side in self.each(self.padding))
        ceil_mode = bool(self.ceil_mode)
        return window_arithmetic(self, x, y, kernel_size, stride, pads, self.each(self.dilation), ceil_mode=ceil_mode)

    def reads(self, x: Shape, y: Shape) -> dict[int, Reads]:
        kernel_size = self.each(self.kernel_size)
        stride = kernel_size if self.stride is None else self.each(self.stride)
        return window_reads(kernel_size, stride, self.each(self.padding), self.each(self.dilation))

    def operations(self, x: Shape, y: Shape) -> int:
        # One for each value of a window.
        return prod(y) * prod(self.each(self.kernel_size))


def _check_one_output(return_indices: bool) -> None:
    if return_indices:
        raise Reject("return_indices", refusals.SECOND_OUTPUT)


class _MaxPool(_Pool):
    kernel_size: Sizes
    stride: Sizes | None = None
    padding: Paddings = 0
    dilation: Sizes = 1
    return_indices: bool = False
    ceil_mode: bool = False

    def validate(self) -> None:
        super().validate()
        _check_one_output(self.return_indices)

    def infer(self, x: Shape) -> Shape:
        y = super().infer(x)
        # A dilated window may have one value in front of a small input and the next behind it. torch 2.13 gives -inf
        # there, and going back it writes outside of the gradient's memory; so such windows are refused. They can only
        # be the first of an axis.
        for axis, size, padding, dilation in zip(self.axes, x[1:], self.each(self.padding), self.each(self.dilation)):
            if -padding % dilation >= size:
                raise Reject("dilation", refusals.ONLY_PADDING, axis=axis, size=size)
        return y

    def run(self, tape: "Tape", x: "Value", y: Shape) -> "Value":
        return tape.op([x], y, keeps=[x], extra=[INDEX * prod(y)], order=x.order)

    def bounds(self, low: float, high: float) -> tuple[float, float]:
        return low, high


class MaxPool1d(_MaxPool):
    """Takes the largest value of each window of a sequence."""

    rank = 1


class MaxPool2d(_MaxPool):
    """Takes the largest value of each window of an image."""

    rank = 2


class MaxPool3d(_MaxPool):
    """Takes the largest value of each window of a volume."""

    rank = 3


class _AvgPool(_Pool):
    kernel_size: Sizes
    stride: Sizes | None = None
    padding: Paddings = 0
    ceil_mode: bool = False
    count_include_pad: bool = True

    def bounds(self, low: float, high: float) -> tuple[float, float]:
        # Where padding counts, it counts as 0.
        return (low, high) if self.padding == 0 else (min(low, 0), max(high, 0))


class _AvgPoolWithDivisor(_AvgPool):
    divisor_override: Integer | None = None

    def bounds(self, low: float, high: float) -> tuple[float, float]:
        return super().bounds(low, high) if self.divisor_override is None else (-inf, inf)

    def validate(self) -> None:
        super().validate()
        if self.divisor_override == 0:
            wants = "another whole number than 0, or `none`"
            raise Reject("divisor_override", OUT_OF_RANGE, name="divisor_override", value=0, wants=wants)


class AvgPool1d(_AvgPool):
    """Takes the mean of each window of a sequence."""

    rank = 1


class AvgPool2d(_AvgPoolWithDivisor):
    """Takes the mean of each window of an image."""

    rank = 2


class AvgPool3d(_AvgPoolWithDivisor):
    """Takes the mean of each window of a volume."""

    rank = 3
    # torch 2.13 refuses larger windows here, though not in AvgPool1d, AvgPool2d and MaxPool3d.
    hangs_over = False


class _LPPool(_Pool):
    norm_type: Real
    kernel_size: Sizes
    stride: Sizes | None = None
    ceil_mode: bool = False

    def validate(self) -> None:
        super().validate()
        if self.norm_type == 0:
            wants = "another number than 0"
            raise Reject("norm_type", OUT_OF_RANGE, name="norm_type", value=self.norm_type, wants=wants)

    def run(self, tape: "Tape", x: "Value", y: Shape) -> "Value":
        size = tape.bytes_of(y)
        if self.norm_type in (inf, -inf):
            absolute = tape.pointwise(x, keeps="input", spare=tape.bytes_of(x.shape))
            return tape.op([absolute], y, keeps=[absolute], extra=[INDEX * prod(y)], drops=[absolute])
        powers = tape.pointwise(x, keeps="input", spare=2 * tape.bytes_of(x.shape))
        mean = tape.op([powers], y, keeps=[powers])
        sign = tape.op([], y)
        absolute = tape.op([mean], y, keeps=[mean], spare=size)
        positive = tape.op([absolute], y, keeps_result=True, drops=[absolute])
        signed = tape.op([sign, positive], y, keeps=[sign, positive], drops=[sign, positive])
        scaled = tape.op([signed], y, drops=[signed])
        return tape.op([scaled], y, keeps=[scaled], spare=2 * size, drops=[powers, mean, scaled])


class LPPool1d(_LPPool):
    """Takes the p-norm of each window of a sequence."""

    rank = 1

    # torch 2.13 fails on a tuple here, though not in LPPool2d and LPPool3d.
    kernel_size: Count


class LPPool2d(_LPPool):
    """Takes the p-norm of each window of an image."""

    rank = 2


class LPPool3d(_LPPool):
    """Takes the p-norm of each window of a volume."""

    rank = 3
    # torch 2.13 computes it with AvgPool3d, but with MaxPool3d for an infinite norm.
    hangs_over = False


class _AdaptivePool(_Spatial):
    """Windows as large as it takes to get an output of `output_size`; `none` keeps the size of an axis."""

    role = "pool"
    follows = {"output_size": 1}

    output_size: OutputSizes

    def infer(self, x: Shape) -> Shape:
        self.check_rank(x)
        output_size = self.output_size if isinstance(self.output_size, tuple) else self.each(self.output_size)
        return (x[0], *(given or size for given, size in zip(output_size, x[1:])))

    def reads(self, x: Shape, y: Shape) -> dict[int, Reads]:
        sizes = enumerate(zip(x[1:], y[1:]), 1)
        return {axis: all_of(size) if out == 1 else Reads(size, 0, size - 1, out) for axis, (size, out) in sizes}

    def operations(self, x: Shape, y: Shape) -> int:
        # Windows reach from floor(i * size / places) to ceil((i + 1) * size / places): two neighbours share a value
        # wherever that is no whole number.
        from math import gcd

        windows = [size + places - gcd(size, places) for size, places in zip(x[1:], y[1:])]
        return y[0] * prod(windows)

    def bounds(self, low: float, high: float) -> tuple[float, float]:
        return low, high

    def run(self, tape: "Tape", x: "Value", y: Shape) -> "Value":
        # Down to one place torch 2.13 takes the mean.
        return tape.op([x], y, keeps=() if prod(y[2:]) == 1 else [x])


class AdaptiveAvgPool1d(_AdaptivePool):
    """Takes means over a sequence, as many as asked for."""

    rank = 1

    # torch 2.13 takes no `none` here, though it does in the layers for images and volumes.
    output_size: Sizes


class AdaptiveAvgPool2d(_AdaptivePool):
    """Takes means over an image, as many along each axis as asked for."""

    rank = 2


class AdaptiveAvgPool3d(_AdaptivePool):
    """Takes means over a volume, as many along each axis as asked for."""

    rank = 3


class _AdaptiveMaxPool(_AdaptivePool):
    return_indices: bool = False

    def validate(self) -> None:
        _check_one_output(self.return_indices)

    def run(self, tape: "Tape", x: "Value", y: Shape) -> "Value":
        return tape.op([x], y, keeps=[x], extra=[INDEX * prod(y)], order=x.order)


class AdaptiveMaxPool1d(_AdaptiveMaxPool):
    """Takes the largest values over a sequence, as many as asked for."""

    rank = 1

    # torch 2.13 takes no `none` here, as in AdaptiveAvgPool1d.
    output_size: Sizes


class AdaptiveMaxPool2d(_AdaptiveMaxPool):
    """Takes the largest values over an image, as many along each axis as asked for."""

    rank = 2


class AdaptiveMaxPool3d(_AdaptiveMaxPool):
    """Takes the largest values over a volume, as many along each axis as asked for."""

    rank = 3
