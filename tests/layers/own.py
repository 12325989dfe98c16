"""Cases of cnnspec/layers/own.py."""

from __future__ import annotations

import random

from ._draw import Case, flag
from ._shapes import any_shape

ACCEPTED = """
Slice(0)  [3] -> [3]
Slice(0, 1)  [3, 4] -> [1, 4]
Slice(1, 3)  [3, 4, 5] -> [2, 4, 5]
Slice(-1)  [3, 4] -> [1, 4]
Slice(start=-3, stop=-2)  [3] -> [1]
Slice(2, none)  [3] -> [1]
LayerScale  [3] -> [3]
LayerScale(0)  [3, 4, 5] -> [3, 4, 5]
LayerScale(-3.4e38)  [3, 4] -> [3, 4]
LayerScale(init=3.4e38)  [1, 1, 1, 1] -> [1, 1, 1, 1]
LayerScale(num_channels=3)  [3, 4] -> [3, 4]
StochasticDepth(0)  [3] -> [3]
StochasticDepth(p=1)  [3, 4, 5] -> [3, 4, 5]
StochasticDepth(0.1)  [3, 4] -> [3, 4]
"""

REJECTED = """
Slice  [3]  E112 start
Slice(3)  [3]  E207 start
Slice(0, 0)  [3]  E207 stop
Slice(2, 1)  [3]  E207 stop
Slice(-1, -1)  [3]  E207 stop
Slice(4)  [3]  E210 start
Slice(-4)  [3]  E210 start
Slice(0, 4)  [3]  E210 stop
Slice(0, -4)  [3]  E210 stop
Slice(none)  [3]  E115 start
Slice(1.0)  [3]  E115 start
LayerScale(3.5e38)  [3]  E116 init
LayerScale(-3.5e38)  [3]  E116 init
LayerScale(num_channels=4)  [3]  E203 num_channels
StochasticDepth  [3]  E112 p
StochasticDepth(-0.1)  [3]  E116 p
StochasticDepth(1.1)  [3]  E116 p
StochasticDepth("often")  [3]  E115 p
"""


def slices(rng: random.Random) -> Case:
    x = any_shape(rng)
    if flag(rng):
        start = rng.randrange(x[0])
        stop = rng.randint(start + 1, x[0])
    else:
        start, stop = (rng.randint(-x[0] - 1, x[0] + 1) for _ in range(2))
    given = {"start": start}
    return given if rng.random() < 0.3 else given | {"stop": stop if rng.random() < 0.9 else None}, x


def layer_scale(rng: random.Random) -> Case:
    init = rng.choice((0, 1, -1, 1e-5, 3.4e38, -3.4e38, 3.5e38, -3.5e38, 1e300))
    return {"init": init} if rng.random() < 0.9 else {}, any_shape(rng)


def stochastic_depth(rng: random.Random) -> Case:
    return {"p": rng.choice((0, 1, 0.0, 1.0, 0.2, rng.random(), -0.01, 1.01, 2))}, any_shape(rng)


GENERATORS = {"Slice": slices, "LayerScale": layer_scale, "StochasticDepth": stochastic_depth}
