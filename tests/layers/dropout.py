"""Cases of cnnspec/layers/dropout.py."""

from __future__ import annotations

import random

from ._draw import Case, flag, some
from ._shapes import any_shape

ACCEPTED = """
Dropout  [3] -> [3]
Dropout(0)  [3, 4] -> [3, 4]
Dropout(p=1, inplace=true)  [3, 4, 5, 6, 7] -> [3, 4, 5, 6, 7]
AlphaDropout  [3] -> [3]
AlphaDropout(0.0)  [3, 4] -> [3, 4]
AlphaDropout(p=1.0, inplace=true)  [3, 4, 5] -> [3, 4, 5]
Dropout1d  [3, 4] -> [3, 4]
Dropout1d(0)  [1, 1] -> [1, 1]
Dropout1d(p=1, inplace=true)  [3, 4] -> [3, 4]
Dropout2d  [3, 4, 5] -> [3, 4, 5]
Dropout2d(0)  [3] -> [3]
Dropout2d(p=1)  [3, 4] -> [3, 4]
Dropout2d(0.5, true)  [3, 4, 5, 6] -> [3, 4, 5, 6]
Dropout3d  [3, 4, 5, 6] -> [3, 4, 5, 6]
Dropout3d(0)  [1, 1, 1, 1] -> [1, 1, 1, 1]
Dropout3d(p=1, inplace=true)  [3, 4, 5, 6] -> [3, 4, 5, 6]
FeatureAlphaDropout  [3] -> [3]
FeatureAlphaDropout(0)  [3, 4] -> [3, 4]
FeatureAlphaDropout(p=1, inplace=true)  [3, 4, 5] -> [3, 4, 5]
"""

REJECTED = """
Dropout(-0.1)  [3]  E116 p
Dropout(1.1)  [3]  E116 p
Dropout(2)  [3]  E116 p
Dropout(p="0.5")  [3]  E115 p
AlphaDropout(-0.1)  [3]  E116 p
AlphaDropout(1.1)  [3]  E116 p
Dropout1d(-0.1)  [3, 4]  E116 p
Dropout1d(1.1)  [3, 4]  E116 p
Dropout1d  [3]  E201 -
Dropout1d  [3, 4, 5]  E201 -
Dropout2d(-1)  [3, 4, 5]  E116 p
Dropout2d(1.1)  [3, 4, 5]  E116 p
Dropout3d(-0.1)  [3, 4, 5, 6]  E116 p
Dropout3d(1.1)  [3, 4, 5, 6]  E116 p
Dropout3d  [3]  E201 -
Dropout3d  [3, 4, 5]  E201 -
Dropout3d  [3, 4, 5, 6, 7]  E201 -
FeatureAlphaDropout(-0.1)  [3]  E116 p
FeatureAlphaDropout(1.1)  [3]  E116 p
"""


def dropout(rng: random.Random, low: int, high: int) -> Case:
    p = rng.choice((0, 1, 0.0, 1.0, 0.5, rng.random(), -0.01, 1.01, 2, -1))
    return some(rng, p=p, inplace=flag(rng)), any_shape(rng, low, high)


def any_rank(rng: random.Random) -> Case:
    return dropout(rng, 1, 5)


def sequences(rng: random.Random) -> Case:
    return dropout(rng, 1, 3) if rng.random() < 0.1 else dropout(rng, 2, 2)


def volumes(rng: random.Random) -> Case:
    return dropout(rng, 1, 5) if rng.random() < 0.05 else dropout(rng, 4, 4)


GENERATORS = {
    **dict.fromkeys(("Dropout", "AlphaDropout", "Dropout2d", "FeatureAlphaDropout"), any_rank),
    "Dropout1d": sequences,
    "Dropout3d": volumes,
}
