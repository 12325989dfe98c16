"""Augmentation of whole batches: uint8 images to float32, with a random draw for every single image.

    pipeline = Pipeline([RandomCrop(32, padding=4), RandomHorizontalFlip(), Normalize(mean, std)], (3, 32, 32))
    x = pipeline(images, generator)    # for training
    x = pipeline(images)               # for evaluation: nothing is random

What is drawn follows torchvision's definitions. Numbers are drawn where the generator lives and images changed where they
are, so that a generator on the CPU gives the same images on every device; equal states give equal images.
"""

from __future__ import annotations

import math

import torch

from cnnspec.declare import sizes
from cnnspec.recipe import augmentations as declared
from cnnspec.training.augment import pixels

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, TypeAlias

    from torch import Generator, Tensor

    from cnnspec.recipe.augmentations import Augmentation

    Statistics: TypeAlias = tuple[tuple[float, ...], tuple[float, ...]]
    Step: TypeAlias = Callable[[Any, Tensor, Generator | None], Tensor]

TRIES = 10
"""Windows that are drawn until one fits into the image."""


class Pipeline:
    """Augmentations for images of one shape. `shape` is that of the images behind them.

    `statistics` (mean and standard deviation of each channel, where white is 1) is what a `Normalize` without arguments
    takes. Without any `Normalize`, images come out between 0 and 1. Raises ValueError for augmentations that can't stand so.
    """

    def __init__(
        self, steps: Iterable[Augmentation], shape: tuple[int, ...], statistics: Statistics | None = None
    ) -> None:
        self.steps = [_measured(step, statistics) for step in steps]
        try:
            self.shape = declared.trace(self.steps, shape)
        except declared.Refused as refused:
            code, name = refused.reject.code, type(self.steps[refused.position]).__name__
            facts = {"layer": name, **refused.reject.facts}
            raise ValueError(f"{code.message.format_map(facts)}: {code.label.format_map(facts)}") from None
        self._normalizes = any(step.normalizes for step in self.steps)

    def __call__(self, images: Tensor, generator: Generator | None = None) -> Tensor:
        """float32 images of uint8 images, [n, channels, height, width]; without a generator those for evaluation."""
        for step in self.steps:
            images = STEPS[type(step)](step, images, generator)
        return images if self._normalizes else images.float().div_(255)

    def moved(self, images: Tensor) -> Tensor:
        """uint8 images of the size that reaches the net, as for evaluation, in front of what normalises them."""
        for step in self.steps:
            if isinstance(step, MOVING):
                images = STEPS[type(step)](step, images, None)
        return images

    @property
    def constants(self) -> Statistics:
        """What is taken away from each channel and by what it is divided, where white is 1."""
        for step in self.steps:
            if isinstance(step, declared.Normalize) and step.mean is not None and step.std is not None:
                return tuple(step.mean), tuple(step.std)
        return (0.0,), (1.0,)

    def with_clean(self, images: Tensor, generator: Generator | None = None) -> tuple[Tensor, Tensor]:
        """The same, and the images as they are in front of what spoils or normalises them, where white is 1."""
        clean = None
        for step in self.steps:
            if clean is None and isinstance(step, declared.Normalize | declared.RandomErasing):
                clean = images.float() / 255
            images = STEPS[type(step)](step, images, generator)
        if clean is None:
            clean = images.float() / 255
        return (images if self._normalizes else images.float() / 255), clean

    def alike(
        self, images: Tensor, others: Tensor, generator: Generator | None = None, *, nearest: bool
    ) -> tuple[Tensor, Tensor]:
        """The same, and `others`, [n, ...] of as many images, moved as they are: by the same draws, colours untouched.

        With `nearest` no new values arise in them: for masks.
        """
        for step in self.steps:
            # The same draws again: from a generator that is where this one was.
            again = None if generator is None else generator.clone_state()
            images = STEPS[type(step)](step, images, generator)
            if isinstance(step, MOVING):
                others = STEPS[type(step)](_Alike(step, nearest=nearest), others, again)
        return (images if self._normalizes else images.float() / 255), others


class Standardize:
    """The preparation of inputs that are no images of uint8: minus mean and by deviation of each channel, or as they are."""

    def __init__(self, statistics: Statistics | None) -> None:
        self.statistics = statistics

    def __call__(self, inputs: Tensor, generator: Generator | None = None) -> Tensor:
        if self.statistics is None:
            return inputs
        mean, deviation = (
            torch.tensor(values, device=inputs.device).view(1, -1, *(1,) * (inputs.dim() - 2))
            for values in self.statistics
        )
        return (inputs.float() - mean) / deviation

    def with_clean(self, inputs: Tensor, generator: Generator | None = None) -> tuple[Tensor, Tensor]:
        return self(inputs), inputs.float()

    def alike(
        self, inputs: Tensor, others: Tensor, generator: Generator | None = None, *, nearest: bool
    ) -> tuple[Tensor, Tensor]:
        return self(inputs), others


class _Alike:
    """A step for what goes along with images: filled with 0, and without new values where those would be wrong."""

    def __init__(self, step: Augmentation, *, nearest: bool) -> None:
        self._step, self._nearest = step, nearest

    def __getattr__(self, name: str) -> object:
        if name == "fill":
            return 0
        if name == "interpolation" and self._nearest:
            return "nearest"
        return getattr(self._step, name)


def _measured(step: Augmentation, statistics: Statistics | None) -> Augmentation:
    if not isinstance(step, declared.Normalize) or step.mean is not None or step.std is not None:
        return step
    if statistics is None:
        raise ValueError("Normalize without mean and std needs the statistics of the training images")
    return declared.Normalize(*statistics)


# --- draws ---


def _uniform(n: int, low: float, high: float, generator: Generator, *more: int) -> Tensor:
    """Numbers of float64 between `low` and `high`, [n, ...]."""
    drawn = torch.rand(n, *more, generator=generator, device=generator.device, dtype=torch.float64)
    return drawn * (high - low) + low


def _chosen(n: int, p: float, generator: Generator) -> Tensor:
    """True with probability `p`, [n]."""
    return torch.rand(n, generator=generator, device=generator.device) < p


def _whole(n: int, least: Tensor | int, most: Tensor | int, generator: Generator) -> Tensor:
    """Whole numbers from `least` to `most`, both included, each with limits of its own, [n]."""
    return (_uniform(n, 0, 1, generator) * (most - least + 1)).long() + least


def windows(n: int, height: int, width: int, step: Any, generator: Generator, *, upright: bool) -> Tensor:
    """A window for each image, int64 [n, 4]: top, left, height, width, with the area and ratio that a step declares.

    `upright` ratios are height by width. Where no window of ten fits, all four numbers are -1.
    """
    area = _uniform(n, step.scale[0], step.scale[1], generator, TRIES) * (height * width)
    ratio = _uniform(n, math.log(step.ratio[0]), math.log(step.ratio[1]), generator, TRIES).exp()
    longer, shorter = (area * ratio).sqrt().round().long(), (area / ratio).sqrt().round().long()
    rows, columns = (longer, shorter) if upright else (shorter, longer)
    if upright:
        fits = (rows < height) & (columns < width)
    else:
        fits = (rows > 0) & (rows <= height) & (columns > 0) & (columns <= width)
    first = fits.int().argmax(1, keepdim=True)
    rows, columns = rows.gather(1, first)[:, 0], columns.gather(1, first)[:, 0]
    top = _whole(n, 0, height - rows, generator)
    left = _whole(n, 0, width - columns, generator)
    return torch.stack((top, left, rows, columns), 1).where(fits.any(1, keepdim=True), -1)


# --- one function for each augmentation ---


def _horizontal_flip(step: declared.RandomHorizontalFlip, images: Tensor, generator: Generator | None) -> Tensor:
    return images if generator is None else pixels.flip(images, _chosen(len(images), step.p, generator), 3)


def _vertical_flip(step: declared.RandomVerticalFlip, images: Tensor, generator: Generator | None) -> Tensor:
    return images if generator is None else pixels.flip(images, _chosen(len(images), step.p, generator), 2)


def _rotation(step: declared.RandomRotation, images: Tensor, generator: Generator | None) -> Tensor:
    if generator is None:
        return images
    degrees = _within(len(images), _both_ways(step.degrees), generator)
    center = None if step.center is None else (step.center[0], step.center[1])
    return pixels.rotate(images, degrees, step.interpolation, center, _fill(step.fill))


def _affine(step: declared.RandomAffine, images: Tensor, generator: Generator | None) -> Tensor:
    if generator is None:
        return images
    n, _, height, width = images.shape
    across, down = step.translate or (0.0, 0.0)
    slants = step.shear if isinstance(step.shear, tuple) else _both_ways(step.shear or 0.0)
    degrees = _within(n, _both_ways(step.degrees), generator)
    moves = [_within(n, _both_ways(share), generator).round() for share in (across * width, down * height)]
    factors = _within(n, step.scale or (1.0, 1.0), generator)
    drawn = [_within(n, limits, generator) for limits in (slants[:2], slants[2:] or (0.0, 0.0))]
    center = None if step.center is None else (step.center[0], step.center[1])
    return pixels.affine(
        images, degrees, torch.stack(moves, 1), factors, torch.stack(drawn, 1), step.interpolation, center,
        _fill(step.fill),
    )  # fmt: skip


def _both_ways(limit: float | tuple[float, ...]) -> tuple[float, ...]:
    """A range: of one number, from its negative to itself."""
    return limit if isinstance(limit, tuple) else (-limit, limit)


def _within(n: int, limits: tuple[float, ...], generator: Generator) -> Tensor:
    least, most = limits
    return _uniform(n, least, most, generator)


def _crop(step: declared.RandomCrop, images: Tensor, generator: Generator | None) -> Tensor:
    n, _, height, width = images.shape
    rows, columns = sizes(step.size, 2)
    borders = step.borders(height, width)
    padded = pixels.pad(images, borders, step.padding_mode, _fill(step.fill))
    down, right = padded.shape[2] - rows, padded.shape[3] - columns
    if generator is not None:
        top, left = _whole(n, 0, down, generator), _whole(n, 0, right, generator)
        return pixels.crop(padded, top, left, rows, columns)
    y = min(max(0, borders[1] + (height - rows) // 2), down)
    x = min(max(0, borders[0] + (width - columns) // 2), right)
    return padded[:, :, y : y + rows, x : x + columns]


def _center_crop(step: declared.CenterCrop, images: Tensor, generator: Generator | None) -> Tensor:
    return pixels.center_crop(images, *sizes(step.size, 2))


def _resize(step: declared.Resize, images: Tensor, generator: Generator | None) -> Tensor:
    _, height, width = step.infer(images.shape[1], images.shape[2], images.shape[3])
    return pixels.resize(images, height, width, step.interpolation, antialias=step.antialias)


def _resized_crop(step: declared.RandomResizedCrop, images: Tensor, generator: Generator | None) -> Tensor:
    n, _, height, width = images.shape
    whole = torch.tensor(_middle(height, width, *step.ratio)).expand(n, 4)
    box = whole
    if generator is not None:
        drawn = windows(n, height, width, step, generator, upright=False)
        box = torch.where(drawn < 0, whole.to(drawn.device), drawn)
    rows, columns = sizes(step.size, 2)
    return pixels.resized_crop(images, box, rows, columns, step.interpolation, antialias=step.antialias)


def _middle(height: int, width: int, least: float, most: float) -> tuple[int, int, int, int]:
    """The largest window in the middle with a width-to-height ratio in the limits: top, left, height, width."""
    rows, columns = height, width
    if width / height < least:
        rows = round(width / least)
    elif width / height > most:
        columns = round(height * most)
    return (height - rows) // 2, (width - columns) // 2, rows, columns


def _jitter(step: declared.ColorJitter, images: Tensor, generator: Generator | None) -> Tensor:
    """Each image has its own order of the four changes: in each of four rounds, each change gets the images due for it."""
    if generator is None:
        return images
    n = len(images)
    # Who is due is worked out where the numbers are drawn: counting them on the device would wait for it.
    order = torch.rand(n, 4, generator=generator, device=generator.device).argsort(1)
    changes = [(change, _factors(n, getattr(step, name), name, generator)) for name, change in _COLORS.items()]
    images = images.clone()
    for turn in order.unbind(1):
        for number, (change, factors) in enumerate(changes):
            due = (turn == number).nonzero().flatten()
            if factors is not None and len(due):
                factors, due = factors[due].to(images.device), due.to(images.device)
                images[due] = change(images[due], factors)
    return images


_COLORS = {
    "brightness": pixels.adjust_brightness,
    "contrast": pixels.adjust_contrast,
    "saturation": pixels.adjust_saturation,
    "hue": pixels.adjust_hue,
}


def _factors(n: int, value: float | tuple[float, float], name: str, generator: Generator) -> Tensor | None:
    """A factor for each image, or None where nothing changes."""
    neutral = 0 if name == "hue" else 1
    if isinstance(value, tuple):
        least, most = value
    else:
        least, most = neutral - value, neutral + value
        least = least if name == "hue" else max(0, least)
    return None if least == most == neutral else _uniform(n, least, most, generator)


def _some(changed: Tensor, images: Tensor, p: float, generator: Generator) -> Tensor:
    """Images of which some, each with probability p, are changed."""
    return torch.where(_chosen(len(images), p, generator).to(images.device)[:, None, None, None], changed, images)


def _grayscale(step: declared.RandomGrayscale, images: Tensor, generator: Generator | None) -> Tensor:
    return images if generator is None else _some(pixels.gray(images), images, step.p, generator)


def _invert(step: declared.RandomInvert, images: Tensor, generator: Generator | None) -> Tensor:
    return images if generator is None else _some(255 - images, images, step.p, generator)


def _solarize(step: declared.RandomSolarize, images: Tensor, generator: Generator | None) -> Tensor:
    if generator is None:
        return images
    return _some(torch.where(images >= step.threshold, 255 - images, images), images, step.p, generator)


def _posterize(step: declared.RandomPosterize, images: Tensor, generator: Generator | None) -> Tensor:
    return images if generator is None else _some(images & (256 - (1 << (8 - step.bits))), images, step.p, generator)


def _erasing(step: declared.RandomErasing, images: Tensor, generator: Generator | None) -> Tensor:
    if generator is None:
        return images
    n, _, height, width = images.shape
    box = windows(n, height, width, step, generator, upright=True)
    chosen = _chosen(n, step.p, generator)[:, None]
    box = torch.where(chosen & (box >= 0), box, 0)
    if isinstance(step.value, str):
        values = torch.randn(images.shape, generator=generator, device=generator.device)
    else:
        values = torch.tensor(step.value, dtype=torch.float32).reshape(1, -1, 1, 1)
    return pixels.erase(images, box, values)


def _fill(value: float | tuple[float, ...]) -> Tensor | float:
    return torch.tensor(value) if isinstance(value, tuple) else value


def _blur(step: declared.GaussianBlur, images: Tensor, generator: Generator | None) -> Tensor:
    if generator is None:
        return images
    limits = step.sigma if isinstance(step.sigma, tuple) else (step.sigma, step.sigma)
    rows, columns = sizes(step.kernel_size, 2)
    return pixels.gaussian_blur(images, (rows, columns), _within(len(images), limits, generator))


def _normalize(step: declared.Normalize, images: Tensor, generator: Generator | None) -> Tensor:
    assert step.mean is not None
    assert step.std is not None
    return pixels.normalize(images, step.mean, step.std)


STEPS: dict[type[Augmentation], Step] = {
    declared.RandomHorizontalFlip: _horizontal_flip,
    declared.RandomVerticalFlip: _vertical_flip,
    declared.RandomRotation: _rotation,
    declared.RandomAffine: _affine,
    declared.RandomCrop: _crop,
    declared.RandomResizedCrop: _resized_crop,
    declared.Resize: _resize,
    declared.CenterCrop: _center_crop,
    declared.ColorJitter: _jitter,
    declared.RandomGrayscale: _grayscale,
    declared.RandomInvert: _invert,
    declared.RandomSolarize: _solarize,
    declared.RandomPosterize: _posterize,
    declared.GaussianBlur: _blur,
    declared.RandomErasing: _erasing,
    declared.Normalize: _normalize,
}
"""What carries out each augmentation of the catalogue."""

MOVING = (
    declared.RandomHorizontalFlip, declared.RandomVerticalFlip, declared.RandomRotation, declared.RandomAffine,
    declared.RandomCrop,
    declared.RandomResizedCrop, declared.Resize, declared.CenterCrop,
)  # fmt: skip
"""Augmentations that move pixels: what goes along with an image is moved with them."""
