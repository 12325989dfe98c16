"""Cases of cnnspec/layers/upsample.py. Sizes by factor are cut off, after a product of 64-bit floats."""

from __future__ import annotations

import random

from ._draw import Case, flag

ACCEPTED = """
Upsample(1)  [3, 4] -> [3, 1]
Upsample(7)  [3, 4, 5] -> [3, 7, 7]
Upsample(size=(2, 3, 4))  [3, 4, 5, 6] -> [3, 2, 3, 4]
Upsample(scale_factor=2)  [3, 4, 5] -> [3, 8, 10]
Upsample(scale_factor=0.29)  [1, 100] -> [1, 28]
Upsample(scale_factor=(0.25, 1.5))  [3, 4, 5] -> [3, 1, 7]
Upsample(none, 2, "nearest-exact")  [3, 2, 2, 2] -> [3, 4, 4, 4]
Upsample(scale_factor=3, mode="linear", align_corners=true)  [3, 4] -> [3, 12]
Upsample((2, 3), mode="bilinear", align_corners=false)  [3, 4, 5] -> [3, 2, 3]
Upsample(2, none, "bicubic", none, false)  [3, 4, 5] -> [3, 2, 2]
Upsample(scale_factor=1.5, mode="trilinear", recompute_scale_factor=true)  [3, 2, 2, 2] -> [3, 3, 3, 3]
UpsamplingNearest2d(2)  [3, 4, 5] -> [3, 2, 2]
UpsamplingNearest2d(scale_factor=1)  [3, 4, 5] -> [3, 4, 5]
UpsamplingNearest2d(scale_factor=(2, 0.5))  [3, 4, 5] -> [3, 8, 2]
UpsamplingNearest2d(3)  [3, 4] -> [3, 3]
UpsamplingNearest2d(size=(3, 2, 1))  [3, 4, 5, 6] -> [3, 3, 2, 1]
UpsamplingBilinear2d(size=(1, 9))  [3, 4, 5] -> [3, 1, 9]
UpsamplingBilinear2d(scale_factor=2)  [3, 4, 5] -> [3, 8, 10]
UpsamplingBilinear2d(none, (0.25, 0.2))  [3, 4, 5] -> [3, 1, 1]
"""

REJECTED = """
Upsample  [3, 4, 5]  E210 -
Upsample(mode="bilinear")  [3, 4, 5]  E210 -
Upsample(2, 2)  [3, 4, 5]  E210 scale_factor
Upsample(0)  [3, 4, 5]  E116 size
Upsample((2, 0))  [3, 4, 5]  E116 size
Upsample(2.0)  [3, 4, 5]  E115 size
Upsample((2,))  [3, 4, 5]  E210 size
Upsample((2, 2, 2))  [3, 4, 5]  E210 size
Upsample(scale_factor=0)  [3, 4, 5]  E116 scale_factor
Upsample(scale_factor=-1.5)  [3, 4, 5]  E116 scale_factor
Upsample(scale_factor=(2, 0))  [3, 4, 5]  E116 scale_factor
Upsample(scale_factor=(2, 2, 2))  [3, 4, 5]  E210 scale_factor
Upsample(scale_factor=0.2)  [3, 5, 4]  E207 scale_factor
Upsample(scale_factor=1e308)  [3, 5, 4]  E215 scale_factor
Upsample(scale_factor=1e30, recompute_scale_factor=true)  [3, 5, 4]  E215 scale_factor
Upsample(2, mode="cubic")  [3, 4, 5]  E116 mode
Upsample(2, mode="linear")  [3, 4, 5]  E201 mode
Upsample(2, mode="bilinear")  [3, 4]  E201 mode
Upsample(2, mode="bicubic")  [3, 4, 5, 6]  E201 mode
Upsample(2, mode="trilinear")  [3, 4, 5]  E201 mode
Upsample(2, mode="linear")  [3]  E201 mode
Upsample(2)  [3]  E201 -
Upsample(2)  [3, 4, 5, 6, 7]  E201 -
Upsample(2, align_corners=false)  [3, 4, 5]  E210 align_corners
Upsample(2, mode="nearest-exact", align_corners=true)  [3, 4, 5]  E210 align_corners
Upsample(2, recompute_scale_factor=true)  [3, 4, 5]  E210 recompute_scale_factor
UpsamplingNearest2d  [3, 4, 5]  E210 -
UpsamplingNearest2d(2, 2)  [3, 4, 5]  E210 scale_factor
UpsamplingNearest2d((2, 3))  [3, 4]  E210 size
UpsamplingNearest2d(0)  [3, 4, 5]  E116 size
UpsamplingNearest2d(scale_factor=0)  [3, 4, 5]  E116 scale_factor
UpsamplingNearest2d(2)  [3]  E201 -
UpsamplingBilinear2d()  [3, 4, 5]  E210 -
UpsamplingBilinear2d(2, 2)  [3, 4, 5]  E210 scale_factor
UpsamplingBilinear2d(2)  [3, 4]  E201 -
UpsamplingBilinear2d(2)  [3, 4, 5, 6]  E201 -
UpsamplingBilinear2d(-1)  [3, 4, 5]  E116 size
UpsamplingBilinear2d(scale_factor=0.1)  [3, 4, 5]  E207 scale_factor
"""

MODES = {1: ("linear",), 2: ("bilinear", "bicubic"), 3: ("trilinear",)}


def scale(rng: random.Random) -> float:
    pick = rng.random()
    if pick < 0.06:
        return rng.choice((0, -1, -0.5, 0.05, 1e30))
    return rng.choice((1, 2, 3, 0.5, 1.5, 0.29, 1.1, 0.7)) if pick < 0.6 else rng.uniform(0.2, 3)


def size(rng: random.Random) -> int:
    return rng.randint(1, 7) if rng.random() < 0.95 else rng.choice((0, -1))


def resize(rng: random.Random, rank: int) -> tuple[dict[str, object], tuple[int, ...]]:
    """Sizes or factors for `rank` dimensions, one for all of them or one for each, now and then for too many."""
    x = (rng.randint(1, 2), *(rng.randint(1, 6) for _ in range(rank)))
    if rank == 1:
        x = (x[0], rng.choice((x[1], 10, 29, 30, 57, 100)))
    given: dict[str, object] = {}
    draw, name = (scale, "scale_factor") if rng.random() < 0.6 else (size, "size")
    if rng.random() < 0.97:
        given[name] = draw(rng)
    if rng.random() < 0.3:
        length = rank if rng.random() < 0.9 else rng.randint(1, 4)
        given[name] = tuple(draw(rng) for _ in range(length))
    if rng.random() < 0.03:
        # torch takes a factor of 0 for none given.
        given |= {"size": 3, "scale_factor": 2}
    return given, x


def upsample(rng: random.Random) -> Case:
    rank = rng.randint(1, 3) if rng.random() < 0.95 else rng.choice((0, 4))
    given, x = resize(rng, rank)
    fitting = rng.choice(("nearest", "nearest-exact", *MODES.get(rank, ())))
    anything = rng.choice(("nearest", "linear", "bilinear", "bicubic", "trilinear", "cubic"))
    if rng.random() < 0.8:
        given["mode"] = fitting if rng.random() < 0.9 else anything
    if rng.random() < (0.06 if "nearest" in str(given.get("mode", "nearest")) else 0.7):
        given["align_corners"] = flag(rng)
    if rng.random() < 0.3:
        given["recompute_scale_factor"] = "size" not in given and flag(rng)
    elif rng.random() < 0.04:
        given["recompute_scale_factor"] = True
    return given, x


def nearest(rng: random.Random) -> Case:
    return resize(rng, rng.randint(1, 3) if rng.random() < 0.92 else rng.choice((0, 4)))


def bilinear(rng: random.Random) -> Case:
    return resize(rng, 2 if rng.random() < 0.9 else rng.randint(0, 4))


GENERATORS = {"Upsample": upsample, "UpsamplingNearest2d": nearest, "UpsamplingBilinear2d": bilinear}
