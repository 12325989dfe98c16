"""Layers that add values around a sequence, image or volume, or with negative padding cut some off."""

from cnnspec.declare import Reject
from cnnspec.diagnostics import refusals
from cnnspec.diagnostics.codes import EMPTY_OUTPUT
from cnnspec.layers._axes import Float
from cnnspec.layers._window import Sides, _Spatial, check_wrap
from cnnspec.layers.base import Reads, Shape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cnnspec.layers._tape import Tape, Value

    Fill = float | None
else:
    # torch 2.13 takes None for 0.
    Fill = Float | None


class _Pad(_Spatial):
    """Padding of each side; `mode` says what is added."""

    follows = {"padding": None}

    mode = "zeros"

    padding: Sides

    def infer(self, x: Shape) -> Shape:
        self.check_rank(x)
        return (x[0], *map(self._size, self.axes, x[1:], self._sides()))

    def reads(self, x: Shape, y: Shape) -> dict[int, Reads]:
        return {axis: Reads(1, -before, -before) for axis, (before, _) in enumerate(self._sides(), 1)}

    def bounds(self, low: float, high: float) -> tuple[float, float]:
        return low, high

    def _sides(self) -> list[tuple[int, int]]:
        """Padding before and behind each axis, in the order of the shape: torch lists the last axis first."""
        padding = self.padding
        if not isinstance(padding, tuple):
            padding = (padding,) * (2 * self.rank)
        return list(zip(padding[::2], padding[1::2]))[::-1]

    def _size(self, axis: str, size: int, pads: tuple[int, int]) -> int:
        before, after = pads
        # torch 2.13 also gives empty outputs, in ReflectionPad and ReplicationPad as long as not all axes are empty.
        if size + before + after < 1:
            raise Reject("padding", EMPTY_OUTPUT, size=size + before + after, axis=axis)
        check_wrap(self.mode, axis, size, before, after)
        return size + before + after


class _ConstantPad(_Pad):
    keeps = ""

    def _size(self, axis: str, size: int, pads: tuple[int, int]) -> int:
        padded = super()._size(axis, size, pads)
        # torch 2.13 cuts off before it adds, and can't cut off more than there is; the other layers can.
        cut = -min(pads[0], 0) - min(pads[1], 0)
        if cut > size:
            raise Reject("padding", refusals.CUTS_ALL, cut=cut, axis=axis, size=size)
        return padded

    def bounds(self, low: float, high: float) -> tuple[float, float]:
        value = getattr(self, "value", 0) or 0
        return min(low, value), max(high, value)


class ConstantPad1d(_ConstantPad):
    """Adds a given value at the ends of a sequence."""

    rank = 1

    value: Fill


class ConstantPad2d(_ConstantPad):
    """Adds a given value around an image."""

    rank = 2

    value: Fill


class ConstantPad3d(_ConstantPad):
    """Adds a given value around a volume."""

    rank = 3

    value: Fill


class ZeroPad1d(_ConstantPad):
    """Adds zeros at the ends of a sequence."""

    rank = 1


class ZeroPad2d(_ConstantPad):
    """Adds zeros around an image."""

    rank = 2


class ZeroPad3d(_ConstantPad):
    """Adds zeros around a volume."""

    rank = 3


class _ReflectionPad(_Pad):
    mode = "reflect"


class ReflectionPad1d(_ReflectionPad):
    """Continues a sequence with its mirror image at both ends."""

    rank = 1


class ReflectionPad2d(_ReflectionPad):
    """Continues an image with its mirror image on all sides."""

    rank = 2


class ReflectionPad3d(_ReflectionPad):
    """Continues a volume with its mirror image on all sides."""

    rank = 3


class _ReplicationPad(_Pad):
    mode = "replicate"


class ReplicationPad1d(_ReplicationPad):
    """Repeats the values at the ends of a sequence."""

    rank = 1


class ReplicationPad2d(_ReplicationPad):
    """Repeats the values at the border of an image."""

    rank = 2


class ReplicationPad3d(_ReplicationPad):
    """Repeats the values at the border of a volume."""

    rank = 3


class _CircularPad(_Pad):
    keeps = ""
    mode = "circular"

    def run(self, tape: "Tape", x: "Value", y: Shape) -> "Value":
        # Each side is copied by itself, and so goes back through memory as large as the result.
        spare = max(2 * tape.bytes_of(y) - tape.bytes_of(x.shape), 0)
        return tape.op([x], y, spare=spare)


class CircularPad1d(_CircularPad):
    """Continues a sequence with the values of its other end."""

    rank = 1


class CircularPad2d(_CircularPad):
    """Continues an image with the values of its opposite sides."""

    rank = 2


class CircularPad3d(_CircularPad):
    """Continues a volume with the values of its opposite sides."""

    rank = 3
