"""Cases of cnnspec/layers/padding.py. A side is named from the last axis on: left, right, top, bottom, front, back."""

from __future__ import annotations

import random

from ._draw import Case, edge, shape

ACCEPTED = """
ConstantPad1d(2, 0)  [3, 4] -> [3, 8]
ConstantPad1d((1, 3), -1.5)  [3, 4] -> [3, 8]
ConstantPad1d((-4, 1), 1)  [3, 4] -> [3, 1]
ConstantPad1d(padding=(-1, -2), value=3.4028234663852886e38)  [3, 4] -> [3, 1]
ConstantPad2d(1, 0.5)  [3, 4, 5] -> [3, 6, 7]
ConstantPad2d((1, 2, 3, 4), 0)  [3, 4, 5] -> [3, 11, 8]
ConstantPad2d([0, -4, 0, 0], 0)  [3, 4, 5] -> [3, 4, 1]
ConstantPad2d(-1, -3.4028234663852886e38)  [3, 4, 5] -> [3, 2, 3]
ConstantPad2d(0, 1e-320)  [1, 1, 1] -> [1, 1, 1]
ConstantPad3d(-1, none)  [3, 4, 5, 6] -> [3, 2, 3, 4]
ConstantPad3d(1, 2)  [3, 4, 5, 6] -> [3, 6, 7, 8]
ConstantPad3d((1, 2, 3, 4, 5, 6), 2)  [3, 4, 5, 6] -> [3, 15, 12, 9]
ConstantPad3d((0, 0, 0, 0, -3, 0), 2)  [3, 4, 5, 6] -> [3, 1, 5, 6]
ZeroPad1d(2)  [3, 4] -> [3, 8]
ZeroPad1d((9, 0))  [3, 4] -> [3, 13]
ZeroPad1d((-2, -1))  [3, 4] -> [3, 1]
ZeroPad2d(3)  [3, 4, 5] -> [3, 10, 11]
ZeroPad2d((1, 2, 3, 4))  [3, 4, 5] -> [3, 11, 8]
ZeroPad2d((0, 1, 0, 1))  [3, 4, 5] -> [3, 5, 6]
ZeroPad2d((-5, 5, 0, 0))  [3, 4, 5] -> [3, 4, 5]
ZeroPad2d(padding=[-1, 1, 1, -1])  [3, 4, 5] -> [3, 4, 5]
ZeroPad2d(0)  [1, 1, 1] -> [1, 1, 1]
ZeroPad3d(1)  [3, 4, 5, 6] -> [3, 6, 7, 8]
ZeroPad3d((1, 0, 2, 0, 3, 0))  [3, 4, 5, 6] -> [3, 7, 7, 7]
ZeroPad3d(-1)  [3, 4, 5, 6] -> [3, 2, 3, 4]
ReflectionPad1d(3)  [3, 4] -> [3, 10]
ReflectionPad1d((3, 0))  [3, 4] -> [3, 7]
ReflectionPad1d((3, -6))  [3, 4] -> [3, 1]
ReflectionPad1d((-3, 0))  [3, 4] -> [3, 1]
ReflectionPad2d(1)  [3, 2, 2] -> [3, 4, 4]
ReflectionPad2d((4, 3, 2, 1))  [3, 3, 5] -> [3, 6, 12]
ReflectionPad2d((-4, 4, 0, 0))  [3, 3, 5] -> [3, 3, 5]
ReflectionPad2d([-1, -1, -1, -1])  [3, 3, 5] -> [3, 1, 3]
ReflectionPad2d(padding=0)  [1, 1, 1] -> [1, 1, 1]
ReflectionPad3d(1)  [3, 2, 3, 4] -> [3, 4, 5, 6]
ReflectionPad3d((3, 3, 2, 2, 1, 1))  [3, 2, 3, 4] -> [3, 4, 7, 10]
ReflectionPad3d((0, 0, 0, 0, -1, 1))  [3, 2, 3, 4] -> [3, 2, 3, 4]
ReplicationPad1d(9)  [3, 1] -> [3, 19]
ReplicationPad1d((0, 3))  [3, 4] -> [3, 7]
ReplicationPad1d((-9, 9))  [3, 4] -> [3, 4]
ReplicationPad1d((5, -8))  [3, 4] -> [3, 1]
ReplicationPad2d(1)  [3, 1, 1] -> [3, 3, 3]
ReplicationPad2d((1, 2, 3, 4))  [3, 4, 5] -> [3, 11, 8]
ReplicationPad2d((7, -6, -5, 5))  [3, 4, 5] -> [3, 4, 6]
ReplicationPad2d([-1, -1, -1, -1])  [3, 3, 5] -> [3, 1, 3]
ReplicationPad2d(padding=0)  [1, 1, 1] -> [1, 1, 1]
ReplicationPad3d(1)  [3, 2, 3, 4] -> [3, 4, 5, 6]
ReplicationPad3d((1, 2, 3, 4, 5, 6))  [3, 1, 1, 1] -> [3, 12, 8, 4]
ReplicationPad3d((0, 0, 0, 0, -1, 1))  [3, 2, 3, 4] -> [3, 2, 3, 4]
CircularPad1d(4)  [3, 4] -> [3, 12]
CircularPad1d((4, 0))  [3, 4] -> [3, 8]
CircularPad1d((-1, 3))  [3, 4] -> [3, 6]
CircularPad1d((-3, 0))  [3, 4] -> [3, 1]
CircularPad2d(1)  [3, 1, 1] -> [3, 3, 3]
CircularPad2d((5, 4, 3, 2))  [3, 3, 5] -> [3, 8, 14]
CircularPad2d((2, -3, 0, 0))  [3, 3, 5] -> [3, 3, 4]
CircularPad2d([-1, -1, -1, -1])  [3, 3, 5] -> [3, 1, 3]
CircularPad2d(padding=0)  [1, 1, 1] -> [1, 1, 1]
CircularPad3d(1)  [3, 2, 3, 4] -> [3, 4, 5, 6]
CircularPad3d((4, 4, 3, 3, 2, 2))  [3, 2, 3, 4] -> [3, 6, 9, 12]
CircularPad3d((0, 0, 0, 0, -1, 1))  [3, 2, 3, 4] -> [3, 2, 3, 4]
"""

REJECTED = """
ConstantPad1d(1)  [3, 4]  E112 value
ConstantPad1d((1, 1, 1, 1), 0)  [3, 4]  E116 padding
ConstantPad1d((-3, -1), 0)  [3, 4]  E207 padding
ConstantPad2d(1, 3.5e38)  [3, 4, 5]  E116 value
ConstantPad2d(1, -3.5e38)  [3, 4, 5]  E116 value
ConstantPad2d(1, "zero")  [3, 4, 5]  E115 value
ConstantPad2d(1.0, 0)  [3, 4, 5]  E115 padding
ConstantPad2d((1, 1), 0)  [3, 4, 5]  E116 padding
ConstantPad2d((0, 0, -5, 9), 0)  [3, 4, 5]  E210 padding
ConstantPad2d(-2, 0)  [3, 4, 5]  E207 padding
ConstantPad2d(1, 0)  [5]  E201 -
ConstantPad3d(-2, 0)  [3, 4, 5, 6]  E207 padding
ConstantPad3d(1, 0)  [3, 4, 5]  E201 -
ZeroPad1d((-5, 3))  [3, 4]  E210 padding
ZeroPad1d((-5, 1))  [3, 4]  E207 padding
ZeroPad1d(-2)  [3, 4]  E207 padding
ZeroPad1d(1)  [3, 4, 5]  E201 -
ZeroPad2d  [3, 4, 5]  E112 padding
ZeroPad2d(1, 0)  [3, 4, 5]  E113 -
ZeroPad2d((1, 2, 3))  [3, 4, 5]  E116 padding
ZeroPad2d(none)  [3, 4, 5]  E115 padding
ZeroPad2d(true)  [3, 4, 5]  E115 padding
ZeroPad2d(-2)  [3, 4, 5]  E207 padding
ZeroPad2d((-6, 6, 0, 0))  [3, 4, 5]  E210 padding
ZeroPad2d(1)  [4, 5]  E201 -
ZeroPad3d((0, 0, 0, -5, 0, 0))  [3, 4, 5, 6]  E207 padding
ZeroPad3d((1, 1, 1, 1))  [3, 4, 5, 6]  E116 padding
ReflectionPad1d(4)  [3, 4]  E206 padding
ReflectionPad1d((0, 4))  [3, 4]  E206 padding
ReflectionPad1d((-4, 0))  [3, 4]  E207 padding
ReflectionPad2d(1)  [3, 1, 5]  E206 padding
ReflectionPad2d((5, 0, 0, 0))  [3, 4, 5]  E206 padding
ReflectionPad2d((0, 0, 4, -4))  [3, 4, 5]  E206 padding
ReflectionPad2d((0, 0, -2, -2))  [3, 4, 5]  E207 padding
ReflectionPad2d("2")  [3, 4, 5]  E115 padding
ReflectionPad2d(1)  [20]  E201 -
ReflectionPad3d((0, 0, 0, 0, 4, 0))  [3, 4, 5, 6]  E206 padding
ReflectionPad3d(1)  [3, 4, 5]  E201 -
ReplicationPad1d((2, -6))  [3, 4]  E207 padding
ReplicationPad1d((1, 1, 1))  [3, 4]  E116 padding
ReplicationPad2d(-2)  [3, 4, 5]  E207 padding
ReplicationPad2d((0, 0, -4, 0))  [3, 4, 5]  E207 padding
ReplicationPad2d(1)  [4, 5]  E201 -
ReplicationPad2d(0.5)  [3, 4, 5]  E115 padding
ReplicationPad3d(-3)  [3, 4, 5, 6]  E207 padding
ReplicationPad3d(1)  [3, 4, 5]  E201 -
CircularPad1d(5)  [3, 4]  E206 padding
CircularPad1d((0, 5))  [3, 4]  E206 padding
CircularPad1d((3, -2))  [3, 4]  E206 padding
CircularPad1d((-4, 4))  [3, 4]  E206 padding
CircularPad1d((-4, 0))  [3, 4]  E207 padding
CircularPad2d((0, 0, 5, 0))  [3, 4, 5]  E206 padding
CircularPad2d(-2)  [3, 4, 5]  E207 padding
CircularPad2d((1, 1))  [3, 4, 5]  E116 padding
CircularPad2d("all")  [3, 4, 5]  E115 padding
CircularPad2d(1)  [4, 5]  E201 -
CircularPad3d((0, 0, 0, 0, 0, 5))  [3, 4, 5, 6]  E206 padding
CircularPad3d(1)  [3, 4, 5]  E201 -
"""

KINDS = {"ConstantPad": (-3, 5), "ZeroPad": (-3, 5), "ReflectionPad": (-3, 3), "ReplicationPad": (-3, 5)}


def pad(rank: int, low: int, high: int, *, value: bool = False):
    def side(rng: random.Random) -> int:
        return rng.randint(low, high) if rng.random() < 0.25 + 0.4 / rank else rng.randint(0, 1)

    def generate(rng: random.Random) -> Case:
        padding: object = side(rng)
        if rng.random() < 0.7:
            count = 2 * rank if rng.random() < 0.98 else rng.choice((2 * rank - 1, 2 * rank + 1, 2 * rank + 2))
            padding = tuple(side(rng) for _ in range(count))
        arguments = {"padding": padding}
        if value:
            arguments["value"] = edge(rng, (0, 1, -2.5, 3.4e38, -3.4e38), (3.5e38, -3.5e38, 1e300), 0.06)
        return arguments, shape(rng, rng.randint(1, 3), rank, 5)

    return generate


GENERATORS = {
    f"{kind}{rank}d": pad(rank, low, high, value=kind == "ConstantPad")
    for kind, (low, high) in (KINDS | {"CircularPad": (-3, 4)}).items()
    for rank in (1, 2, 3)
}
