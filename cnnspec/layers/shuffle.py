"""Layers that move values between channels and positions."""

from cnnspec.declare import Count, Reject
from cnnspec.diagnostics import refusals
from cnnspec.diagnostics.codes import NOT_DIVISIBLE
from cnnspec.layers._axes import LAYOUTS, wrong_rank
from cnnspec.layers.base import Layer, Reads, Shape

TYPE_CHECKING = False
if TYPE_CHECKING:
    pass


def _divide(what: str, value: int, name: str, divisor: int, field: str) -> int:
    if value % divisor:
        raise Reject(field, NOT_DIVISIBLE, what=what, value=value, divisor_name=name, divisor=divisor)
    return value // divisor


def _expect_image(x: Shape) -> None:
    # torch 2.13 takes any dimensions in front of the last three. It reads [channels, length] with its batch as one
    # image without a batch; refused here on purpose.
    if len(x) < 3:
        raise wrong_rank(x, LAYOUTS[2], refusals.NEEDS_IMAGE)


class PixelShuffle(Layer):
    """Makes an image larger by moving channels into its positions.

    Shi et al. 2016, https://arxiv.org/abs/1609.05158.
    """

    role = "up"

    keeps = ""

    upscale_factor: Count

    def infer(self, x: Shape) -> Shape:
        _expect_image(x)
        factor = self.upscale_factor
        *front, channels, height, width = x
        channels = _divide("the number of channels", channels, "upscale_factor squared", factor**2, "upscale_factor")
        return (*front, channels, height * factor, width * factor)

    def reads(self, x: Shape, y: Shape) -> dict[int, Reads]:
        return {axis: Reads(1, 0, 0, self.upscale_factor) for axis in (len(x) - 2, len(x) - 1)}

    def bounds(self, low: float, high: float) -> tuple[float, float]:
        return low, high


class PixelUnshuffle(Layer):
    """Makes an image smaller by moving its positions into channels; the inverse of PixelShuffle."""

    keeps = ""

    downscale_factor: Count

    def infer(self, x: Shape) -> Shape:
        _expect_image(x)
        factor = self.downscale_factor
        *front, channels, height, width = x
        height = _divide("the height", height, "downscale_factor", factor, "downscale_factor")
        width = _divide("the width", width, "downscale_factor", factor, "downscale_factor")
        return (*front, channels * factor**2, height, width)

    def reads(self, x: Shape, y: Shape) -> dict[int, Reads]:
        factor = self.downscale_factor
        return {axis: Reads(factor, 0, factor - 1) for axis in (len(x) - 2, len(x) - 1)}

    def bounds(self, low: float, high: float) -> tuple[float, float]:
        return low, high


class ChannelShuffle(Layer):
    """Deals the channels of each group out to all groups.

    Zhang et al. 2017, https://arxiv.org/abs/1707.01083.
    """

    keeps = ""

    groups: Count

    def infer(self, x: Shape) -> Shape:
        # torch 2.13 refuses plain features, [channels].
        if len(x) < 2:
            raise wrong_rank(x, "[channels, length, ...]", refusals.BEFORE_FLATTEN)
        _divide("the number of channels", x[0], "groups", self.groups, "groups")
        return x

    def bounds(self, low: float, high: float) -> tuple[float, float]:
        return low, high
