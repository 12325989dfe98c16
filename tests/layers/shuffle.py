"""Cases of cnnspec/layers/shuffle.py."""

from __future__ import annotations

import random

from ._draw import Case
from ._shapes import any_shape

ACCEPTED = """
PixelShuffle(1)  [3, 4, 5] -> [3, 4, 5]
PixelShuffle(2)  [12, 4, 5] -> [3, 8, 10]
PixelShuffle(upscale_factor=3)  [9, 1, 1] -> [1, 3, 3]
PixelShuffle(2)  [7, 4, 3, 3] -> [7, 1, 6, 6]
PixelUnshuffle(1)  [3, 4, 5] -> [3, 4, 5]
PixelUnshuffle(2)  [3, 8, 10] -> [12, 4, 5]
PixelUnshuffle(downscale_factor=3)  [1, 3, 3] -> [9, 1, 1]
PixelUnshuffle(2)  [7, 1, 6, 6] -> [7, 4, 3, 3]
ChannelShuffle(1)  [3, 4] -> [3, 4]
ChannelShuffle(2)  [4, 3, 3] -> [4, 3, 3]
ChannelShuffle(groups=4)  [4, 1, 1, 1, 1] -> [4, 1, 1, 1, 1]
"""

REJECTED = """
PixelShuffle  [4, 3, 3]  E112 upscale_factor
PixelShuffle(0)  [4, 3, 3]  E116 upscale_factor
PixelShuffle(-2)  [4, 3, 3]  E116 upscale_factor
PixelShuffle(2.0)  [4, 3, 3]  E115 upscale_factor
PixelShuffle(2)  [6, 3, 3]  E205 upscale_factor
PixelShuffle(9223372036854775807)  [4, 3, 3]  E205 upscale_factor
PixelShuffle(2)  [4, 3]  E201 -
PixelShuffle(1)  [4]  E201 -
PixelUnshuffle  [4, 4, 4]  E112 downscale_factor
PixelUnshuffle(0)  [4, 4, 4]  E116 downscale_factor
PixelUnshuffle(-2)  [4, 4, 4]  E116 downscale_factor
PixelUnshuffle(2)  [3, 3, 4]  E205 downscale_factor
PixelUnshuffle(2)  [3, 4, 3]  E205 downscale_factor
PixelUnshuffle(5)  [3, 4, 4]  E205 downscale_factor
PixelUnshuffle(2)  [4, 4]  E201 -
PixelUnshuffle(1)  [4]  E201 -
ChannelShuffle  [4, 3]  E112 groups
ChannelShuffle(0)  [4, 3]  E116 groups
ChannelShuffle(-2)  [4, 3]  E116 groups
ChannelShuffle(2)  [3, 3, 3]  E205 groups
ChannelShuffle(8)  [4, 3]  E205 groups
ChannelShuffle(1)  [4]  E201 -
"""


def factor(rng: random.Random) -> int:
    return rng.choice((1, 2, 2, 3)) if rng.random() < 0.85 else rng.choice((0, -1, -2, 7))


def pixel_shuffle(rng: random.Random) -> Case:
    by = factor(rng)
    if rng.random() < 0.2:
        return {"upscale_factor": by}, any_shape(rng, 1, 5)
    return {"upscale_factor": by}, (*any_shape(rng, 0, 2), by * by * rng.randint(1, 2) or 1, *any_shape(rng, 2, 2))


def pixel_unshuffle(rng: random.Random) -> Case:
    by = factor(rng)
    if rng.random() < 0.2:
        return {"downscale_factor": by}, any_shape(rng, 1, 5)
    sizes = (abs(by) * rng.randint(1, 3) or 1 for _ in range(2))
    return {"downscale_factor": by}, (*any_shape(rng, 1, 3), *sizes)


def channel_shuffle(rng: random.Random) -> Case:
    groups = factor(rng)
    channels = abs(groups) * rng.randint(1, 3) or 1 if rng.random() < 0.75 else rng.randint(1, 7)
    return {"groups": groups}, (channels, *any_shape(rng, 0 if rng.random() < 0.3 else 1, 3))


GENERATORS = {"PixelShuffle": pixel_shuffle, "PixelUnshuffle": pixel_unshuffle, "ChannelShuffle": channel_shuffle}
