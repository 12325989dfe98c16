"""Cases of cnnspec/layers/linear.py."""

from __future__ import annotations

import random

from ._draw import Case, flag
from ._shapes import any_shape

# Linear acts on the last dimension, whatever stands in front of it.
ACCEPTED = """
Linear(10)  [4] -> [10]
Linear(1, bias=false)  [1] -> [1]
Linear(out_features=3, bias=true)  [2, 5, 4] -> [2, 5, 3]
Linear(4, in_features=6)  [3, 6] -> [3, 4]
Identity  [3, 4, 5] -> [3, 4, 5]
Identity()  [1] -> [1]
"""

REJECTED = """
Linear  [4]  E112 out_features
Linear(0)  [4]  E116 out_features
Linear(-1)  [4]  E116 out_features
Linear(2.0)  [4]  E115 out_features
Linear(true)  [4]  E115 out_features
Linear(2, bias=1)  [4]  E115 bias
Linear(4, 2)  [4]  E127 -
Linear(2, true)  [4]  E127 -
Linear(2, in_features=5)  [4]  E203 in_features
"""


def linear(rng: random.Random) -> Case:
    return {"out_features": rng.choice((-1, 1, 2)), "bias": flag(rng)}, any_shape(rng)


def identity(rng: random.Random) -> Case:
    return {}, any_shape(rng)


GENERATORS = {"Linear": linear, "Identity": identity}
