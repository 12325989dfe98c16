"""MixUp and CutMix: each image of a batch mixed with the one before it, as torchvision does, with one share for the batch."""

from __future__ import annotations

import math
import random

import torch

from cnnspec.recipe.augmentations import CutMix, MixUp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from torch import Generator, Tensor

    from cnnspec.recipe.augmentations import Augmentation


def mix(step: Augmentation, images: Tensor, generator: Generator) -> tuple[Tensor, float]:
    """The mixed images [n, channels, height, width], and the share that their own losses count."""
    assert isinstance(step, MixUp | CutMix)
    # torch draws from no Beta distribution with a generator.
    chance = random.Random(int(torch.randint(2**62, (), generator=generator)))
    share = chance.betavariate(step.alpha, step.alpha)
    others = images.roll(1, 0)
    if isinstance(step, MixUp):
        return images.mul(share).add_(others, alpha=1 - share), share
    height, width = images.shape[2:]
    top, left, bottom, right = window(height, width, share, chance.randrange(height), chance.randrange(width))
    images = images.clone()
    images[:, :, top:bottom, left:right] = others[:, :, top:bottom, left:right]
    return images, 1 - (bottom - top) * (right - left) / (height * width)


def window(height: int, width: int, share: float, y: int, x: int) -> tuple[int, int, int, int]:
    """Top, left, bottom and right of a window about (y, x) that would leave a share, cut off at the borders."""
    half = 0.5 * math.sqrt(1 - share)
    rows, columns = int(half * height), int(half * width)
    return max(y - rows, 0), max(x - columns, 0), min(y + rows, height), min(x + columns, width)
