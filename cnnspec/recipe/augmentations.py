"""The augmentations that a recipe may name: torchvision's names, arguments, order of arguments and defaults.

A closed table, `AUGMENTATIONS`, maps the names that users write to classes with declared arguments. Each gives the shape
of the images behind it, so that `check` can compare it with the model. Nothing here imports torch: `training.augment`
carries them out.

Pixels are numbers from 0 to 255 up to `Normalize`, and of any size behind it; `fill` and `value` count in the same way.
"""

from cnnspec.declare import Choice, Named, Number, Reject, Tuple, Unit, sizes, spell
from cnnspec.diagnostics import refusals
from cnnspec.diagnostics.codes import OUT_OF_RANGE, WINDOW_TOO_LARGE
from cnnspec.layers.base import Shape
from cnnspec.recipe import contradictions

LONGEST_SIDE = 16384
"""The largest height or width of an image, in pixels."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TypeAlias

    Pixels: TypeAlias = int | tuple[int, ...]
    MaxSize: TypeAlias = int | None
    Borders: TypeAlias = int | tuple[int, ...] | None
    Color: TypeAlias = float | tuple[float, ...]
    Value: TypeAlias = float | str | tuple[float, ...]
    Degrees: TypeAlias = float | tuple[float, ...]
    Center: TypeAlias = tuple[float, ...] | None
    Area: TypeAlias = tuple[float, ...]
    Ratio: TypeAlias = tuple[float, ...]
    Jitter: TypeAlias = float | tuple[float, ...]
    Hue: TypeAlias = float | tuple[float, ...]
    Means: TypeAlias = tuple[float, ...] | None
    Deviations: TypeAlias = tuple[float, ...] | None
    PaddingMode: TypeAlias = str
    Smoothness: TypeAlias = str
    Sampling: TypeAlias = str
    Level: TypeAlias = float
    Bits: TypeAlias = int
else:
    _SIZE = Number(1, LONGEST_SIDE, whole=True)
    _BORDER = Number(0, LONGEST_SIDE, whole=True)
    _NUMBER = Number(-1_000_000, 1_000_000)
    Pixels = _SIZE | Tuple(_SIZE, 2)
    MaxSize = _SIZE | None
    Borders = _BORDER | Tuple(_BORDER, 2) | Tuple(_BORDER, 4) | None
    Color = _NUMBER | Tuple(_NUMBER, None)
    Value = Color | Choice("random")
    Degrees = Number(0, 360) | Tuple(Number(-360, 360), 2)
    Center = Tuple(_NUMBER, 2) | None
    Area = Tuple(Unit, 2)
    Ratio = Tuple(Number(0.001, 1000), 2)
    Jitter = Number(0, 100) | Tuple(Number(0, 100), 2)
    Hue = Number(0, 0.5) | Tuple(Number(-0.5, 0.5), 2)
    Means = Tuple(_NUMBER, None) | None
    Deviations = Tuple(Number(0.000001, 1_000_000), None) | None
    PaddingMode = Choice("constant", "edge", "reflect", "symmetric")
    Smoothness = Choice("nearest", "nearest-exact", "bilinear", "bicubic")
    Sampling = Choice("nearest", "bilinear")
    Level = Number(0, 255)
    Bits = Number(0, 8, whole=True)

Image = tuple[int, int, int]


class Augmentation(Named, family=True):
    """Base of the augmentations. Unless said otherwise, each image has a draw of its own."""

    rank = 2
    random = False
    """True where training draws."""
    normalizes = False
    """True where the pixels behind it are no longer numbers from 0 to 255."""

    def validate(self) -> None:
        """Raise Reject where the arguments are wrong together, whatever the images."""

    def infer(self, channels: int, height: int, width: int) -> Image:
        """Shape of the images behind it; raises Reject for images that it can't take."""
        return channels, height, width

    def output_shape(self, shape: Shape) -> Image:
        """Shape of the images behind it for images of `shape`, [channels, height, width]; raises Reject."""
        if len(shape) != 3:
            expected, found = "images, [channels, height, width],", str(list(shape))
            raise Reject("", refusals.NO_IMAGES, expected=expected, found=found)
        return self.infer(*shape)

    def check_place(self, *, normalized: bool) -> None:
        """Raise Reject where it can't stand behind a `Normalize` (`normalized`), or in front of it."""


class Refused(Exception):
    """One of several augmentations is wrong: its `position`, from 0, and the `reject` that it raised."""

    def __init__(self, position: int, reject: Reject) -> None:
        super().__init__(position, reject)
        self.position, self.reject = position, reject


def trace(steps: "Iterable[Augmentation]", shape: Shape) -> Shape:
    """Shape of images of `shape` behind all `steps`. Raises Refused for the first step that is wrong where it stands."""
    normalized = False
    for position, step in enumerate(steps):
        try:
            step.validate()
            step.check_place(normalized=normalized)
            shape = step.output_shape(shape)
        except Reject as reject:
            raise Refused(position, reject) from None
        normalized = normalized or step.normalizes
    return shape


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
            _check_pixels("fill", self.fill)


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
        _check_order("degrees", self.degrees)


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
        _check_window("height", rows, height + top + bottom)
        _check_window("width", columns, width + left + right)
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
        _check_order("scale", self.scale)
        _check_order("ratio", self.ratio)

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


class ColorJitter(Augmentation):
    """Changes brightness, contrast, saturation and hue, in random order.

    A number b gives factors from 1 - b (at least 0) to 1 + b, a pair its own range; for hue from -b to b, where 0.5 turns
    every colour into its complement. Grey images have neither saturation nor hue.
    """

    random = True

    brightness: Jitter = 0
    contrast: Jitter = 0
    saturation: Jitter = 0
    hue: Hue = 0

    def validate(self) -> None:
        for name in self.fields:
            _check_order(name, getattr(self, name))

    def infer(self, channels: int, height: int, width: int) -> Image:
        if channels not in (1, 3):
            raise Reject("", refusals.NO_COLOURS, expected="1 or 3 channels", found=channels)
        return channels, height, width

    def check_place(self, *, normalized: bool) -> None:
        if normalized:
            raise Reject("", contradictions.COLOURS_TOO_LATE)


class _Colours(Augmentation):
    """Changes colours of some images: before Normalize."""

    random = True

    def check_place(self, *, normalized: bool) -> None:
        if normalized:
            raise Reject("", contradictions.COLOURS_TOO_LATE)


class RandomGrayscale(_Colours):
    """Takes the colours of an image away with probability p; it keeps its channels."""

    p: Unit = 0.1

    def infer(self, channels: int, height: int, width: int) -> Image:
        if channels not in (1, 3):
            raise Reject("", refusals.NO_COLOURS, expected="1 or 3 channels", found=channels)
        return channels, height, width


class RandomInvert(_Colours):
    """Turns dark into light with probability p."""

    p: Unit = 0.5


class RandomSolarize(_Colours):
    """Turns what is at least as light as threshold into dark with probability p."""

    threshold: Level
    p: Unit = 0.5


class RandomPosterize(_Colours):
    """Keeps the highest `bits` bits of each pixel with probability p."""

    bits: Bits
    p: Unit = 0.5


class RandomErasing(Augmentation):
    """Overwrites a window with `value`, with probability `p`: a number, one for each channel, or "random" for noise.

    The window has an area from `scale` and a height-to-width `ratio`.
    """

    random = True
    p: Unit = 0.5
    scale: Area = (0.02, 0.33)
    ratio: Ratio = (0.3, 3.3)
    value: Value = 0

    def validate(self) -> None:
        _check_order("scale", self.scale)
        _check_order("ratio", self.ratio)

    def infer(self, channels: int, height: int, width: int) -> Image:
        if not isinstance(self.value, str):
            check_channels("value", self.value, channels)
        return channels, height, width

    def check_place(self, *, normalized: bool) -> None:
        if normalized:
            return
        if isinstance(self.value, str):
            raise Reject("value", contradictions.NOISE_TOO_EARLY)
        _check_pixels("value", self.value)


class Normalize(Augmentation):
    """Takes `mean` from every channel and divides by `std`, both on a scale where white is 1.

    Without them, those of the training images are measured.
    """

    mean: Means = None
    std: Deviations = None

    normalizes = True

    def validate(self) -> None:
        if (self.mean is None) != (self.std is None):
            raise Reject("std" if self.mean is None else "mean", contradictions.MEAN_OR_STD_ALONE)

    def infer(self, channels: int, height: int, width: int) -> Image:
        for name in ("mean", "std"):
            if (value := getattr(self, name)) is not None:
                check_channels(name, value, channels)
        return channels, height, width

    def check_place(self, *, normalized: bool) -> None:
        if normalized:
            raise Reject("", contradictions.NORMALIZED_TWICE)


def check_channels(field: str, value: float | tuple[float, ...], channels: int) -> None:
    """Reject a value with another number of items than one or one for each channel."""
    if isinstance(value, tuple) and len(value) not in (1, channels):
        wants = "one number" if channels == 1 else f"one number, or one for each of {channels} channels"
        raise Reject(field, OUT_OF_RANGE, name=field, value=spell(value), wants=wants)


def _check_pixels(field: str, value: float | tuple[float, ...]) -> None:
    if not all(0 <= item <= 255 for item in (value if isinstance(value, tuple) else (value,))):
        raise Reject(field, OUT_OF_RANGE, name=field, value=spell(value), wants="from 0 to 255 in front of Normalize")


def _check_order(field: str, value: float | tuple[float, ...]) -> None:
    if isinstance(value, tuple) and value[0] > value[1]:
        raise Reject(field, OUT_OF_RANGE, name=field, value=spell(value), wants="(least, most)")


def _check_window(axis: str, window: int, size: int) -> None:
    if window > size:
        raise Reject("size", WINDOW_TOO_LARGE, window=window, size=size, axis=axis)


AUGMENTATIONS = Augmentation.table()
