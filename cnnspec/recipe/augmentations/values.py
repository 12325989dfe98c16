"""Augmentations that change values and leave pixels where they are: colours, blur, erasing, normalisation."""

from cnnspec.declare import Reject, Unit, sizes, spell
from cnnspec.diagnostics import refusals
from cnnspec.diagnostics.codes import OUT_OF_RANGE, WINDOW_TOO_LARGE
from cnnspec.recipe import contradictions
from cnnspec.recipe.augmentations.base import (
    Alpha,
    Area,
    Augmentation,
    Bits,
    Deviations,
    Hue,
    Image,
    Jitter,
    Kernel,
    Level,
    Means,
    Ratio,
    Sigmas,
    Value,
    check_channels,
    check_order,
    check_pixels,
)


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
            check_order(name, getattr(self, name))

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


class GaussianBlur(Augmentation):
    """Blurs an image with a bell of `kernel_size` (height, width) and a deviation from `sigma`."""

    random = True

    kernel_size: Kernel
    sigma: Sigmas = (0.1, 2.0)

    def validate(self) -> None:
        check_order("sigma", self.sigma)
        if not all(side % 2 for side in sizes(self.kernel_size, 2)):
            raise Reject("kernel_size", OUT_OF_RANGE, name="kernel_size", value=spell(self.kernel_size), wants="odd")

    def infer(self, channels: int, height: int, width: int) -> Image:
        rows, columns = sizes(self.kernel_size, 2)
        for axis, window, size in (("height", rows, height), ("width", columns, width)):
            if window // 2 >= size:
                raise Reject("kernel_size", WINDOW_TOO_LARGE, window=window, size=size, axis=axis)
        return channels, height, width


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
        check_order("scale", self.scale)
        check_order("ratio", self.ratio)

    def infer(self, channels: int, height: int, width: int) -> Image:
        if not isinstance(self.value, str):
            check_channels("value", self.value, channels)
        return channels, height, width

    def check_place(self, *, normalized: bool) -> None:
        if normalized:
            return
        if isinstance(self.value, str):
            raise Reject("value", contradictions.NOISE_TOO_EARLY)
        check_pixels("value", self.value)


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


class _Mixing(Augmentation):
    """Mixes each image with another one of its batch, and their losses in the same shares. It stands last."""

    random = True
    mixes = True

    alpha: Alpha = 1.0


class MixUp(_Mixing):
    """Adds another image of the batch to each, and its loss, with shares from Beta(alpha, alpha).

    Zhang et al. 2018, https://arxiv.org/abs/1710.09412.
    """


class CutMix(_Mixing):
    """Puts a window of another image of the batch into each; the losses count as the areas do, from Beta(alpha, alpha).

    Yun et al. 2019, https://arxiv.org/abs/1905.04899.
    """
