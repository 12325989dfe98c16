"""Augmentations that move pixels: what goes along with an image, such as a mask, is moved with it."""

from cnnspec.declare import Reject, Unit, sizes, spell
from cnnspec.diagnostics.codes import OUT_OF_RANGE
from cnnspec.recipe import contradictions
from cnnspec.recipe.augmentations.base import (
    LONGEST_SIDE,
    Area,
    Augmentation,
    Borders,
    Center,
    Color,
    Degrees,
    Image,
    MaxSize,
    PaddingMode,
    Pixels,
    Ratio,
    Sampling,
    Scales,
    Shares,
    Shear,
    Smoothness,
    check_channels,
    check_order,
    check_pixels,
    check_window,
)

TYPE_CHECKING = False


class RandomHorizontalFlip(Augmentation):
    """Mirrors an image left to right with probability `p`."""

    random = True
    p: Unit = 0.5


class RandomVerticalFlip(Augmentation):
    """Mirrors an image top to bottom with probability `p`."""

    random = True
    p: Unit = 0.5


class _Filled(Augmentation):
    """Fills what lies outside of an image with `fill`: one number, or one for each channel."""

    if TYPE_CHECKING:
        fill: Color

    def infer(self, channels: int, height: int, width: int) -> Image:
        check_channels("fill", self.fill, channels)
        return channels, height, width

    def check_place(self, *, normalized: bool) -> None:
        if not normalized:
            check_pixels("fill", self.fill)


class RandomRotation(_Filled):
    """Rotates an image by an angle from `degrees`, counter-clockwise, about its middle or `center` (x, y)."""

    random = True

    degrees: Degrees
    interpolation: Sampling = "nearest"
    expand: bool = False
    center: Center = None
    fill: Color = 0

    def validate(self) -> None:
        if self.expand:
            raise Reject("expand", contradictions.SIZE_PER_IMAGE)
        check_order("degrees", self.degrees)


class RandomAffine(_Filled):
    """Rotates, moves, scales and slants an image about its middle or `center` (x, y), as torchvision does.

    Angles come from `degrees`, moves are up to the shares `translate` of width and height, factors come from `scale`. A number
    `shear` slants along x by up to as many degrees, a pair is a range for x, four numbers are ranges for x and y.
    """

    random = True

    degrees: Degrees
    translate: Shares = None
    scale: Scales = None
    shear: Shear = None
    interpolation: Sampling = "nearest"
    fill: Color = 0
    center: Center = None

    def validate(self) -> None:
        check_order("degrees", self.degrees)
        check_order("scale", self.scale or 0)
        slants = self.shear if isinstance(self.shear, tuple) else ()
        for pair in (slants[:2], slants[2:]):
            check_order("shear", pair or 0)


class RandomCrop(_Filled):
    """Cuts out a window of `size` at a random place, from the image with `padding` around it.

    In evaluation, the window lies in the middle.
    """

    random = True

    size: Pixels
    padding: Borders = None
    pad_if_needed: bool = False
    fill: Color = 0
    padding_mode: PaddingMode = "constant"

    def validate(self) -> None:
        if isinstance(self.fill, tuple) and len(self.fill) > 1 and self.padding_mode != "constant":
            raise Reject("fill", contradictions.FILL_UNUSED, mode=spell(self.padding_mode))

    def borders(self, height: int, width: int) -> tuple[int, int, int, int]:
        """Padding on the left, top, right and bottom."""
        given: int | tuple[int, ...] = self.padding or 0
        each = given if isinstance(given, tuple) else (given, given)
        left, top, right, bottom = each if len(each) == 4 else (*each, *each)
        if self.pad_if_needed:
            more_rows = max(0, sizes(self.size, 2)[0] - height - top - bottom)
            more_columns = max(0, sizes(self.size, 2)[1] - width - left - right)
            left, top, right, bottom = left + more_columns, top + more_rows, right + more_columns, bottom + more_rows
        return left, top, right, bottom

    def infer(self, channels: int, height: int, width: int) -> Image:
        super().infer(channels, height, width)
        left, top, right, bottom = self.borders(height, width)
        self._check_mirror("height", height, max(top, bottom))
        self._check_mirror("width", width, max(left, right))
        rows, columns = sizes(self.size, 2)
        check_window("height", rows, height + top + bottom)
        check_window("width", columns, width + left + right)
        return channels, rows, columns

    def _check_mirror(self, axis: str, size: int, padding: int) -> None:
        limit = {"reflect": size - 1, "symmetric": size}.get(self.padding_mode, padding)
        if padding > limit:
            facts = {"padding": padding, "mode": self.padding_mode, "axis": axis, "size": size, "limit": limit}
            raise Reject("padding", contradictions.MIRROR_TOO_SMALL, **facts)


class CenterCrop(Augmentation):
    """Cuts out the middle, of `size`; a smaller image gets black borders."""

    size: Pixels

    def infer(self, channels: int, height: int, width: int) -> Image:
        rows, columns = sizes(self.size, 2)
        return channels, rows, columns


class RandomResizedCrop(Augmentation):
    """Cuts out a window of an area from `scale` and a width-to-height `ratio`, and scales it to `size`.

    In evaluation, the whole image is scaled; where its ratio is outside of `ratio`, its middle.
    """

    random = True

    size: Pixels
    scale: Area = (0.08, 1.0)
    ratio: Ratio = (3 / 4, 4 / 3)
    interpolation: Sampling = "bilinear"
    antialias: bool = True

    def validate(self) -> None:
        check_order("scale", self.scale)
        check_order("ratio", self.ratio)

    def infer(self, channels: int, height: int, width: int) -> Image:
        rows, columns = sizes(self.size, 2)
        return channels, rows, columns


class Resize(Augmentation):
    """Scales to `size`: (height, width), or one number for the shorter side, the longer one at most `max_size`."""

    size: Pixels
    interpolation: Smoothness = "bilinear"
    max_size: MaxSize = None
    antialias: bool = True

    def validate(self) -> None:
        if self.max_size is None:
            return
        if isinstance(self.size, tuple):
            raise Reject("max_size", contradictions.BOTH_SIDES_GIVEN)
        if self.max_size <= self.size:
            wants = f"larger than size, {self.size}"
            raise Reject("max_size", OUT_OF_RANGE, name="max_size", value=self.max_size, wants=wants)

    def infer(self, channels: int, height: int, width: int) -> Image:
        if isinstance(self.size, tuple):
            return channels, self.size[0], self.size[1]
        short, long = self.size, int(self.size * max(height, width) / min(height, width))
        if self.max_size is not None and long > self.max_size:
            short, long = int(self.max_size * short / long), self.max_size
        if short < 1 or long > LONGEST_SIDE:
            facts = {"height": height, "width": width, "short": short, "long": long, "limit": LONGEST_SIDE}
            raise Reject("size", contradictions.SIDES_OUT_OF_RANGE, **facts)
        return (channels, long, short) if height > width else (channels, short, long)
