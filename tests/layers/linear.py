"""Cases of cnnspec/layers/linear.py."""

from __future__ import annotations

import random

Case = tuple[dict[str, object], tuple[int, ...]]

# Linear acts on the last dimension, whatever stands in front of it.
ACCEPTED = """
Linear(10)  [4] -> [10]
Linear(1, false)  [1] -> [1]
Linear(out_features=3, bias=true)  [2, 5, 4] -> [2, 5, 3]
Linear(4, in_features=6)  [3, 6] -> [3, 4]
Identity  [3, 4, 5] -> [3, 4, 5]
Identity()  [1] -> [1]
"""

REJECTED = """
Linear(0)  [4]  E116 out_features
Linear(-1)  [4]  E116 out_features
Linear(2.0)  [4]  E115 out_features
Linear(true)  [4]  E115 out_features
Linear(2, 1)  [4]  E115 bias
Linear(2, in_features=5)  [4]  E203 in_features
"""


def shape(rng: random.Random, low: int = 1, high: int = 4) -> tuple[int, ...]:
    """A shape of `low` to `high` sizes."""
    return tuple(rng.randint(1, 5) for _ in range(rng.randint(low, high)))


def linear(rng: random.Random) -> Case:
    return {"out_features": rng.choice((-1, 1, 2)), "bias": rng.random() < 0.5}, shape(rng)


def identity(rng: random.Random) -> Case:
    return {}, shape(rng)


GENERATORS = {"Linear": linear, "Identity": identity}
