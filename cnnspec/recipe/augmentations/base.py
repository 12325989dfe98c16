"""What an augmentation is: its arguments, the shape of the images behind it, and where it may stand."""

from cnnspec.declare import Choice, Named, Number, Reject, Tuple, Unit, spell
from cnnspec.diagnostics import refusals
from cnnspec.diagnostics.codes import OUT_OF_RANGE, WINDOW_TOO_LARGE
from cnnspec.layers.base import Shape

LONGEST_SIDE = 16384
"""The largest height or width of an image, in pixels."""

TYPE_CHECKING = False
if TYPE_CHECKING:
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
    Alpha: TypeAlias = float
    Kernel: TypeAlias = int | tuple[int, ...]
    Sigmas: TypeAlias = float | tuple[float, ...]
    Shares: TypeAlias = tuple[float, ...] | None
    Scales: TypeAlias = tuple[float, ...] | None
    Shear: TypeAlias = float | tuple[float, ...] | None
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
    Alpha = Number(0.001, 1000)
    _ODD = Number(1, 1023, whole=True)
    _SLANT = Number(-89, 89)
    _SIGMA = Number(0.001, 1000)
    Kernel = _ODD | Tuple(_ODD, 2)
    Sigmas = _SIGMA | Tuple(_SIGMA, 2)
    Shares = Tuple(Unit, 2) | None
    Scales = Tuple(Number(0.001, 1000), 2) | None
    Shear = Number(0, 89) | Tuple(_SLANT, 2) | Tuple(_SLANT, 4) | None
    Bits = Number(0, 8, whole=True)

Image = tuple[int, int, int]


class Augmentation(Named, family=True):
    """Base of the augmentations. Unless said otherwise, each image has a draw of its own."""

    rank = 2
    random = False
    """True where training draws."""
    normalizes = False
    """True where the pixels behind it are no longer numbers from 0 to 255."""

    mixes = False
    """True where each image is mixed with another one of its batch, once all of them are changed."""

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


def check_channels(field: str, value: float | tuple[float, ...], channels: int) -> None:
    """Reject a value with another number of items than one or one for each channel."""
    if isinstance(value, tuple) and len(value) not in (1, channels):
        wants = "one number" if channels == 1 else f"one number, or one for each of {channels} channels"
        raise Reject(field, OUT_OF_RANGE, name=field, value=spell(value), wants=wants)


def check_pixels(field: str, value: float | tuple[float, ...]) -> None:
    if not all(0 <= item <= 255 for item in (value if isinstance(value, tuple) else (value,))):
        raise Reject(field, OUT_OF_RANGE, name=field, value=spell(value), wants="from 0 to 255 in front of Normalize")


def check_order(field: str, value: float | tuple[float, ...]) -> None:
    if isinstance(value, tuple) and value[0] > value[1]:
        raise Reject(field, OUT_OF_RANGE, name=field, value=spell(value), wants="(least, most)")


def check_window(axis: str, window: int, size: int) -> None:
    if window > size:
        raise Reject("size", WINDOW_TOO_LARGE, window=window, size=size, axis=axis)
