"""Layers that cut an image into its windows, and that put one together from them."""

from cnnspec.declare import Paddings, Reject, Sizes
from cnnspec.diagnostics import refusals
from cnnspec.diagnostics.codes import NOT_DIVISIBLE
from cnnspec.layers._axes import wrong_rank
from cnnspec.layers._window import _Spatial, places, slide
from cnnspec.layers.base import Reads, Shape, all_of, prod

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cnnspec.layers._tape import Tape, Value


class Unfold(_Spatial):
    """Cuts an image into the windows of a convolution, one column each."""

    rank = 2
    keeps = ""

    kernel_size: Sizes
    dilation: Sizes = 1
    padding: Paddings = 0
    stride: Sizes = 1

    def infer(self, x: Shape) -> Shape:
        self.check_rank(x)
        kernel_size = self.each(self.kernel_size)
        pads = tuple((side, side) for side in self.each(self.padding))
        windows = slide(self, x, kernel_size, self.each(self.stride), pads, self.each(self.dilation))
        return (x[0] * prod(kernel_size), prod(windows))

    def run(self, tape: "Tape", x: "Value", y: Shape) -> "Value":
        # torch 2.13 makes the result in memory that held the input's size before.
        most = max(tape.bytes_of(x.shape), tape.bytes_of(y))
        return tape.op([x], y, count=most, gradient=most)

    def reads(self, x: Shape, y: Shape) -> dict[int, Reads]:
        return {axis: all_of(x[axis]) for axis in (1, 2)}

    def moved(self, x: Shape) -> dict[int, int]:
        return {}


class Fold(_Spatial):
    """Puts an image together from windows, one column each, and adds up where they overlap."""

    rank = 2
    keeps = ""

    output_size: Sizes
    kernel_size: Sizes
    dilation: Sizes = 1
    padding: Paddings = 0
    stride: Sizes = 1

    def validate(self) -> None:
        arguments = self.output_size, self.kernel_size, self.dilation
        for axis, count, size, kernel, dilation in zip(self.axes, self._windows(), *map(self.each, arguments)):
            if count < 1:
                field = "dilation" if kernel <= size else "kernel_size"
                window = dilation * (kernel - 1) + 1
                raise Reject(field, refusals.WINDOW_OVER_OUTPUT, window=window, size=size, axis=axis)

    def infer(self, x: Shape) -> Shape:
        if len(x) != 2:
            raise wrong_rank(x, "[channels * kernel_size, windows]", refusals.FROM_UNFOLD)
        area, windows = prod(self._kernel()), self._windows()
        if x[0] % area:
            facts = {"value": x[0], "divisor_name": "the size of a window", "divisor": area}
            raise Reject("kernel_size", NOT_DIVISIBLE, what="the first dimension", **facts)
        y = (x[0] // area, *self.each(self.output_size))
        if x[1] != prod(windows):
            facts = {"rows": windows[0], "columns": windows[1], "windows": x[1]}
            raise Reject("output_size", refusals.OTHER_WINDOWS, found=x, wanted=y, **facts)
        return y

    def run(self, tape: "Tape", x: "Value", y: Shape) -> "Value":
        # torch 2.13 makes the result in memory that held the input's size before.
        most = max(tape.bytes_of(x.shape), tape.bytes_of(y))
        return tape.op([x], y, count=most, gradient=most)

    def reads(self, x: Shape, y: Shape) -> dict[int, Reads]:
        return {axis: all_of(x[axis]) for axis in (0, 1)}

    def moved(self, x: Shape) -> dict[int, int]:
        return {}

    def operations(self, x: Shape, y: Shape) -> int:
        return prod(x)

    def _kernel(self) -> tuple[int, ...]:
        return self.each(self.kernel_size)

    def _windows(self) -> tuple[int, ...]:
        """The number of windows along each axis of the output."""
        arguments = self.output_size, self.kernel_size, self.stride, self.padding, self.padding, self.dilation
        return tuple(map(places, *map(self.each, arguments)))
