"""Cases of cnnspec/layers/own.py."""

from __future__ import annotations

import random

from ._draw import Case, flag
from ._shapes import any_shape

ACCEPTED = """
LayerScale  [3] -> [3]
LayerScale(0)  [3, 4, 5] -> [3, 4, 5]
LayerScale(-3.4e38)  [3, 4] -> [3, 4]
LayerScale(init=3.4e38)  [1, 1, 1, 1] -> [1, 1, 1, 1]
LayerScale(num_channels=3)  [3, 4] -> [3, 4]
PadChannels(1)  [3] -> [5]
PadChannels(0)  [3] -> [3]
PadChannels((0, 3))  [3, 4, 5] -> [6, 4, 5]
PadChannels(padding=[2, 0])  [3, 4] -> [5, 4]
Exp  [3] -> [3]
Log  [3, 4] -> [3, 4]
Sqrt  [3, 4, 5] -> [3, 4, 5]
Abs  [3, 4] -> [3, 4]
StochasticDepth(0)  [3] -> [3]
StochasticDepth(p=1)  [3, 4, 5] -> [3, 4, 5]
StochasticDepth(0.1)  [3, 4] -> [3, 4]
"""

REJECTED = """
LayerScale(3.5e38)  [3]  E116 init
LayerScale(-3.5e38)  [3]  E116 init
LayerScale(num_channels=4)  [3]  E203 num_channels
PadChannels  [3]  E112 padding
PadChannels(-1)  [3]  E116 padding
PadChannels((1, -1))  [3]  E116 padding
PadChannels((1, 1, 1))  [3]  E116 padding
PadChannels(0.5)  [3]  E115 padding
Exp(2)  [3]  E113 -
StochasticDepth  [3]  E112 p
StochasticDepth(-0.1)  [3]  E116 p
StochasticDepth(1.1)  [3]  E116 p
StochasticDepth("often")  [3]  E115 p
"""


def layer_scale(rng: random.Random) -> Case:
    init = rng.choice((0, 1, -1, 1e-5, 3.4e38, -3.4e38, 3.5e38, -3.5e38, 1e300))
    return {"init": init} if rng.random() < 0.9 else {}, any_shape(rng)


def stochastic_depth(rng: random.Random) -> Case:
    return {"p": rng.choice((0, 1, 0.0, 1.0, 0.2, rng.random(), -0.01, 1.01, 2))}, any_shape(rng)


def pad_channels(rng: random.Random) -> Case:
    sides = [rng.choice((0, 1, 2, 3, -1)) for _ in range(rng.choice((1, 1, 2, 2, 2, 3)))]
    return {"padding": sides[0] if len(sides) == 1 and flag(rng) else tuple(sides)}, any_shape(rng)


def plain(rng: random.Random) -> Case:
    return {}, any_shape(rng)


GENERATORS = {
    "LayerScale": layer_scale,
    "StochasticDepth": stochastic_depth,
    "PadChannels": pad_channels,
    **dict.fromkeys(("Exp", "Log", "Sqrt", "Abs"), plain),
}
