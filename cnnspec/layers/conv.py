"""Convolutions and transposed convolutions of sequences, images and volumes."""

from cnnspec.declare import Choice, Count, Paddings, Reject, Sizes
from cnnspec.diagnostics import refusals
from cnnspec.diagnostics.codes import NOT_DIVISIBLE
from cnnspec.layers._window import PaddingMode, _Spatial, check_wrap, slide, window_arithmetic, window_reads
from cnnspec.layers.base import Reads, Shape, prod

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cnnspec.layers._tape import Tape, Value

    Padding = int | tuple[int, ...] | str
    Zeros = str
else:
    Padding = Paddings | Choice("same", "valid")
    # torch 2.13 lists the other modes in the signature of the transposed convolutions, and refuses them.
    Zeros = Choice("zeros")


class _AnyConv(_Spatial):
    """What convolutions in both directions share: filters in groups that each see a part of the channels."""

    inferred = "in_channels"
    counts = "input channels"
    linear = True

    out_channels: Count
    kernel_size: Sizes

    if TYPE_CHECKING:
        groups: int
        bias: bool

    def check_groups(self, x: Shape) -> None:
        """Reject groups that don't divide the channels on both sides."""
        sides = {"in_channels": x[0], "out_channels": self.out_channels}
        wrong = [(name, value) for name, value in sides.items() if value % self.groups]
        if wrong:
            # Where neither is divisible, the sentence names both.
            what = "".join(f"{name} ({value}) and " for name, value in wrong[:-1])
            facts = {"what": what + wrong[-1][0], "value": wrong[-1][1], "divisor": self.groups}
            raise Reject("groups", NOT_DIVISIBLE, divisor_name="groups", **facts)

    def weight(self, x: Shape) -> Shape:
        return (self.out_channels, x[0] // self.groups, *self.each(self.kernel_size))

    def parameters(self, x: Shape) -> int:
        weights = x[0] * self.out_channels // self.groups * prod(self.each(self.kernel_size))
        return weights + self.out_channels * self.bias

    def macs(self, x: Shape, y: Shape) -> int:
        # Every filter is applied once at each place of the output; of a transposed one, of the input.
        return prod(self.weight(x)) * prod((y if self.slides else x)[1:])

    def operations(self, x: Shape, y: Shape) -> int:
        return prod(y) * self.bias

    def arithmetic(self, x: Shape, y: Shape) -> list[tuple[str, str]]:
        first, second, *kernel = self.weight(x)
        window = "*".join(map(str, kernel))
        # A bias for each filter, of which the second number counts the channels; transposed ones count the other way.
        filters, seen = (first, second) if self.slides else (second * self.groups, first // self.groups)
        weights = f"({window}*{seen} + 1)*{filters}" if self.bias else f"{window}*{seen}*{filters}"
        places = "*".join(map(str, (y if self.slides else x)[1:]))
        return [
            ("parameters", f"{weights} = {self.parameters(x):,}"),
            ("MACs", f"{window}*{seen}*{filters} * {places} = {self.macs(x, y):,}"),
        ]

    def run(self, tape: "Tape", x: "Value", y: Shape) -> "Value":
        shape = self.weight(x.shape[1:])
        weights = [tape.bytes_of(shape)] + [self.out_channels * tape.size] * self.bias
        # Channels that are last in memory stay so; the gradient of the weight then has to be laid out anew.
        last = (0, *range(2, len(y)), 1)
        keeps_order = x.order == last and not x.cut
        relaid = weights[0] if keeps_order and prod(shape[2:]) > 1 and shape[1] > 1 else 0
        return tape.op([x], y, keeps=[x], weights=weights, relaid=relaid, order=last if keeps_order else None)


class _Conv(_AnyConv):
    slides = True
    role = "conv"

    stride: Sizes = 1
    padding: Padding = 0
    dilation: Sizes = 1
    groups: Count = 1
    bias: bool = True
    padding_mode: PaddingMode = "zeros"

    def validate(self) -> None:
        if self.padding == "same" and set(self.each(self.stride)) != {1}:
            raise Reject("padding", refusals.STRIDED_SAME)

    def infer(self, x: Shape) -> Shape:
        self.check_rank(x)
        self.check_groups(x)
        kernel_size, dilation = self.each(self.kernel_size), self.each(self.dilation)
        pads = self._pads(kernel_size, dilation)
        for axis, size, (before, after) in zip(self.axes, x[1:], pads):
            check_wrap(self.padding_mode, axis, size, before, after)
        return (self.out_channels, *slide(self, x, kernel_size, self.each(self.stride), pads, dilation))

    def arithmetic(self, x: Shape, y: Shape) -> list[tuple[str, str]]:
        kernel_size, dilation = self.each(self.kernel_size), self.each(self.dilation)
        pads = self._pads(kernel_size, dilation)
        sizes = window_arithmetic(self, x, y, kernel_size, self.each(self.stride), pads, dilation)
        return [*sizes, *super().arithmetic(x, y)]

    def reads(self, x: Shape, y: Shape) -> dict[int, Reads]:
        kernel_size, dilation = self.each(self.kernel_size), self.each(self.dilation)
        before = tuple(pads[0] for pads in self._pads(kernel_size, dilation))
        return window_reads(kernel_size, self.each(self.stride), before, dilation)

    def run(self, tape: "Tape", x: "Value", y: Shape) -> "Value":
        pads = self._pads(self.each(self.kernel_size), self.each(self.dilation))
        wraps = self.padding_mode != "zeros"
        if not wraps and all(before == after for before, after in pads):
            return super().run(tape, x, y)
        if wraps:
            shape = (*x.shape[:2], *(size + sum(pad) for size, pad in zip(x.shape[2:], pads)))
        else:
            # torch 2.13 pads the side that gets more, and leaves the rest to the convolution.
            shape = (*x.shape[:2], *(size + after - before for size, (before, after) in zip(x.shape[2:], pads)))
        around = self.padding_mode == "circular"
        spare = max(2 * tape.bytes_of(shape) - tape.bytes_of(x.shape), 0) if around else 0
        padded = tape.op([x], shape, keeps=[x] if wraps and not around else (), spare=spare)
        result = super().run(tape, padded, y)
        tape.release(padded.storage)
        return result

    def _pads(self, kernel_size: tuple[int, ...], dilation: tuple[int, ...]) -> tuple[tuple[int, int], ...]:
        """Padding before and behind each axis."""
        padding = self.padding
        if padding == "same":
            # torch 2.13 puts the odd one of an even window behind the input.
            totals = [spread * (kernel - 1) for kernel, spread in zip(kernel_size, dilation)]
            return tuple((total // 2, total - total // 2) for total in totals)
        if isinstance(padding, str):
            padding = 0
        return tuple((side, side) for side in self.each(padding))


class Conv1d(_Conv):
    """Slides learnt filters along a sequence."""

    rank = 1


class Conv2d(_Conv):
    """Slides learnt filters over an image."""

    rank = 2


class Conv3d(_Conv):
    """Slides learnt filters through a volume."""

    rank = 3


class _ConvTranspose(_AnyConv):
    role = "up"
    output_axis = 1

    stride: Sizes = 1
    padding: Paddings = 0
    output_padding: Paddings = 0
    groups: Count = 1
    bias: bool = True
    dilation: Sizes = 1
    padding_mode: Zeros = "zeros"

    def validate(self) -> None:
        arguments = self.stride, self.dilation, self.output_padding
        for stride, dilation, extra in zip(*map(self.each, arguments)):
            if extra >= max(stride, dilation):
                facts = {"extra": extra, "stride": stride, "dilation": dilation, "most": max(stride, dilation) - 1}
                raise Reject("output_padding", refusals.OUTPUT_PADDING, **facts)

    def weight(self, x: Shape) -> Shape:
        return (x[0], self.out_channels // self.groups, *self.each(self.kernel_size))

    def infer(self, x: Shape) -> Shape:
        self.check_rank(x)
        self.check_groups(x)
        arguments = self.kernel_size, self.stride, self.padding, self.output_padding, self.dilation
        return (self.out_channels, *map(self._size, self.axes, x[1:], *map(self.each, arguments)))

    def arithmetic(self, x: Shape, y: Shape) -> list[tuple[str, str]]:
        found: dict[str, list[str]] = {}
        arguments = self.kernel_size, self.stride, self.padding, self.output_padding, self.dilation
        for axis, size, out, (kernel, stride, padding, extra, dilation) in zip(
            self.axes, x[1:], y[1:], zip(*map(self.each, arguments))
        ):
            window = f"{kernel}" if dilation == 1 else f"{dilation}*({kernel} - 1) + 1"
            cut, more = f" - 2*{padding}" if padding else "", f" + {extra}" if extra else ""
            found.setdefault(f"({size} - 1)*{stride} + {window}{cut}{more} = {out}", []).append(axis)
        return [*((" and ".join(axes), text) for text, axes in found.items()), *super().arithmetic(x, y)]

    def reads(self, x: Shape, y: Shape) -> dict[int, Reads]:
        found = {}
        arguments = self.kernel_size, self.stride, self.padding, self.dilation
        for axis, (kernel, stride, padding, dilation) in enumerate(zip(*map(self.each, arguments)), 1):
            # Place o is reached from place i where o = i * stride - padding + k * dilation.
            found[axis] = Reads(1, padding - (kernel - 1) * dilation + stride - 1, padding, stride)
        return found

    def _size(
        self, axis: str, size: int, kernel_size: int, stride: int, padding: int, extra: int, dilation: int
    ) -> int:
        full = (size - 1) * stride + dilation * (kernel_size - 1) + extra + 1
        # torch 2.13 also cuts off everything: the output is empty then.
        if full - 2 * padding < 1:
            facts = {"axis": axis, "full": full, "limit": (full - 1) // 2}
            raise Reject("padding", refusals.CUT_OFF, padding=padding, **facts)
        return full - 2 * padding


class ConvTranspose1d(_ConvTranspose):
    """Spreads each value of a sequence over a learnt window, which makes the sequence longer."""

    rank = 1


class ConvTranspose2d(_ConvTranspose):
    """Spreads each value of an image over a learnt window, which makes the image larger."""

    rank = 2


class ConvTranspose3d(_ConvTranspose):
    """Spreads each value of a volume over a learnt window, which makes the volume larger."""

    rank = 3
