"""Cases of cnnspec/layers/norm.py. One value a channel is enough for BatchNorm: a batch holds at least two samples."""

from __future__ import annotations

import random

from ._draw import Case, flag, some
from ._shapes import any_shape

ACCEPTED = """
BatchNorm1d  [3] -> [3]
BatchNorm1d(3)  [3, 4] -> [3, 4]
BatchNorm1d(1, 5e-324, none)  [1, 1] -> [1, 1]
BatchNorm1d(num_features=3, affine=false, track_running_stats=false, bias=false)  [3, 2] -> [3, 2]
BatchNorm2d(6, affine=false, track_running_stats=false)  [8, 4, 4] -> [8, 4, 4]
BatchNorm2d  [3, 4, 5] -> [3, 4, 5]
BatchNorm2d(eps=1e39, momentum=-5)  [3, 1, 1] -> [3, 1, 1]
BatchNorm2d(3, 1e-3, 0.01, true, true, bias=false)  [3, 4, 5] -> [3, 4, 5]
BatchNorm2d(momentum=1e39, track_running_stats=false)  [1, 2, 2] -> [1, 2, 2]
BatchNorm3d  [3, 4, 5, 6] -> [3, 4, 5, 6]
BatchNorm3d(3, 1)  [3, 1, 1, 1] -> [3, 1, 1, 1]
BatchNorm3d(affine=false)  [3, 1, 2, 1] -> [3, 1, 2, 1]
InstanceNorm1d  [3, 4] -> [3, 4]
InstanceNorm1d(3, 0, none, true)  [3, 2] -> [3, 2]
InstanceNorm1d(eps=-1, track_running_stats=true)  [1, 2] -> [1, 2]
InstanceNorm2d  [3, 4, 5] -> [3, 4, 5]
InstanceNorm2d(3, affine=true, bias=false)  [3, 1, 2] -> [3, 1, 2]
InstanceNorm2d(eps=1e300, momentum=0)  [3, 2, 1] -> [3, 2, 1]
InstanceNorm3d  [3, 4, 5, 6] -> [3, 4, 5, 6]
InstanceNorm3d(num_features=3, momentum=1)  [3, 1, 1, 2] -> [3, 1, 1, 2]
InstanceNorm3d(affine=true)  [1, 2, 1, 1] -> [1, 2, 1, 1]
GroupNorm(1)  [3] -> [3]
GroupNorm(3, 3)  [3, 2] -> [3, 2]
GroupNorm(2, 4, affine=false)  [8, 4, 4] -> [8, 4, 4]
GroupNorm(num_groups=2, num_channels=4, eps=-1)  [4, 2, 2, 2, 2] -> [4, 2, 2, 2, 2]
GroupNorm(2, eps=0, affine=false)  [4, 3, 3] -> [4, 3, 3]
GroupNorm(2, eps=1e300, bias=false)  [4, 3] -> [4, 3]
LayerNorm  [3] -> [3]
LayerNorm()  [3, 4, 5] -> [3, 4, 5]
LayerNorm(4)  [3, 4] -> [3, 4]
LayerNorm((3, 4), 0)  [2, 3, 4] -> [2, 3, 4]
LayerNorm([4], eps=-1, elementwise_affine=false)  [4, 4] -> [4, 4]
LayerNorm(none, 1e300, true, false)  [2, 1, 3] -> [2, 1, 3]
LayerNorm(1)  [1] -> [1]
RMSNorm  [3, 4] -> [3, 4]
RMSNorm(4)  [3, 4] -> [3, 4]
RMSNorm((3, 4), 0)  [3, 4] -> [3, 4]
RMSNorm(normalized_shape=(4,), eps=-1)  [2, 3, 4] -> [2, 3, 4]
RMSNorm(none, 1e300, false)  [5] -> [5]
RMSNorm(eps=none)  [2, 2] -> [2, 2]
LocalResponseNorm(1)  [3, 4] -> [3, 4]
LocalResponseNorm(2)  [3, 4, 5] -> [3, 4, 5]
LocalResponseNorm(5, 1e-4, 0.75, 2)  [3, 1, 1] -> [3, 1, 1]
LocalResponseNorm(100, alpha=-1e39, beta=1e39, k=-3)  [1, 2, 2, 2] -> [1, 2, 2, 2]
LocalResponseNorm(3, alpha=1e39, beta=-2, k=1e39)  [2, 1, 1, 1, 1] -> [2, 1, 1, 1, 1]
"""

REJECTED = """
BatchNorm1d(4)  [3]  E203 num_features
BatchNorm1d  [3, 4, 5]  E201 -
BatchNorm1d(0)  [3]  E116 num_features
BatchNorm1d(eps=0)  [3]  E116 eps
BatchNorm1d(eps=-1e-5)  [3]  E116 eps
BatchNorm2d(64)  [3, 4, 5]  E203 num_features
BatchNorm2d  [3]  E201 -
BatchNorm2d  [3, 4]  E201 -
BatchNorm2d  [3, 4, 5, 6]  E201 -
BatchNorm2d(-3)  [3, 4, 5]  E116 num_features
BatchNorm2d(eps=0.0)  [3, 4, 5]  E116 eps
BatchNorm2d(momentum="slow")  [3, 4, 5]  E115 momentum
BatchNorm3d(2)  [3, 4, 5, 6]  E203 num_features
BatchNorm3d  [3, 4, 5]  E201 -
BatchNorm3d  [3, 4, 5, 6, 7]  E201 -
BatchNorm3d(eps=0)  [3, 4, 5, 6]  E116 eps
InstanceNorm1d  [3, 1]  E214 -
InstanceNorm1d  [3]  E201 -
InstanceNorm1d  [3, 4, 5]  E201 -
InstanceNorm1d(0, affine=true)  [3, 4]  E116 num_features
InstanceNorm1d(4)  [3, 4]  E203 num_features
InstanceNorm2d  [3, 1, 1]  E214 -
InstanceNorm2d(track_running_stats=true)  [3, 1, 1]  E214 -
InstanceNorm2d  [3, 4]  E201 -
InstanceNorm2d  [3, 4, 5, 6]  E201 -
InstanceNorm2d(4, affine=true)  [3, 4, 5]  E203 num_features
InstanceNorm3d  [3, 1, 1, 1]  E214 -
InstanceNorm3d  [3, 4, 5]  E201 -
InstanceNorm3d  [3, 4, 5, 6, 7]  E201 -
InstanceNorm3d(2, affine=true)  [3, 4, 5, 6]  E203 num_features
GroupNorm(8)  [8, 1, 1]  E214 -
GroupNorm(6)  [6]  E214 -
BatchNorm1d(track_running_stats=false)  [6]  E214 -
BatchNorm2d(affine=false, track_running_stats=false)  [6, 1, 1]  E214 -
GroupNorm  [3]  E112 num_groups
GroupNorm(0)  [3]  E116 num_groups
GroupNorm(-1)  [3]  E116 num_groups
GroupNorm(2)  [3]  E205 num_groups
GroupNorm(4)  [2, 4]  E205 num_groups
GroupNorm(2, 3)  [4]  E205 num_groups
GroupNorm(2, 6)  [4]  E203 num_channels
GroupNorm(1, 0)  [4]  E116 num_channels
LayerNorm(3)  [3, 4]  E213 normalized_shape
LayerNorm((4, 3))  [3, 4]  E213 normalized_shape
LayerNorm((2, 3, 4))  [3, 4]  E213 normalized_shape
LayerNorm(0)  [4]  E116 normalized_shape
LayerNorm(())  [4]  E116 normalized_shape
LayerNorm((4, -1))  [4]  E116 normalized_shape
RMSNorm(3)  [3, 4]  E213 normalized_shape
RMSNorm((1, 4))  [4]  E213 normalized_shape
RMSNorm(0)  [4]  E116 normalized_shape
RMSNorm(eps="small")  [4]  E115 eps
LocalResponseNorm  [3, 4]  E112 size
LocalResponseNorm(0)  [3, 4]  E116 size
LocalResponseNorm(-1)  [3, 4]  E116 size
LocalResponseNorm(5)  [3]  E201 -
"""

NUMBERS = (0, 1, -1, 1e-5, 0.1, -2.5, 1e39, -1e39)


def channel_norm(rng: random.Random, eps: float, x: tuple[int, ...]) -> Case:
    """Of another rank than `x` now and then."""
    momentum = rng.choice((None, *NUMBERS))
    flags = {"affine": flag(rng), "track_running_stats": flag(rng), "bias": flag(rng)}
    if rng.random() < 0.3:
        x = any_shape(rng, 1, 5)
    return some(rng, num_features=x[0], eps=eps, momentum=momentum, **flags), x


def batch_norm(rank: int):
    def generate(rng: random.Random) -> Case:
        eps = rng.choice((1e-5, 1, 1e39, 5e-324, 0, 0.0, -1e-5) if rng.random() < 0.3 else (1e-5, 1e-3, 1, 1e39))
        low = 1 if rank == 1 else rank + 1
        return channel_norm(rng, eps, any_shape(rng, low, rank + 1))

    return generate


def instance_norm(rank: int):
    def generate(rng: random.Random) -> Case:
        x = any_shape(rng, rank + 1, rank + 1)
        if x[1:] == (1,) or rng.random() < 0.1:
            x = (x[0], *rng.choice(((1,) * rank, (2,) * rank)))
        return channel_norm(rng, rng.choice(NUMBERS), x)

    return generate


def group_norm(rng: random.Random) -> Case:
    groups = rng.choice((1, 1, 2, 2, 3, 3, 4, 4, 0, -1))
    channels = groups * rng.randint(1, 3) if rng.random() < 0.7 else rng.randint(1, 6)
    x = (max(channels, 1), *any_shape(rng, 0, 3))
    arguments = some(rng, num_channels=x[0], eps=rng.choice(NUMBERS), affine=flag(rng), bias=flag(rng))
    return {"num_groups": groups} | arguments, x


def normalized(rng: random.Random, x: tuple[int, ...]) -> object:
    """Trailing sizes of a shape, or nearly so. One more than there are is 7, which no batch of a test has."""
    tail = x[rng.randrange(len(x)) :]
    pick = rng.random()
    if pick < 0.1:
        return tail[0]
    if pick < 0.45:
        spoiled = rng.randrange(len(tail))
        return (*tail[:spoiled], rng.choice((tail[spoiled] + 1, 0, -1)), *tail[spoiled + 1 :])
    if pick < 0.55:
        return (7, *x)
    return x[-1] if pick < 0.7 else tail


def layer_norm(rng: random.Random) -> Case:
    x = any_shape(rng)
    flags = {"elementwise_affine": flag(rng), "bias": flag(rng)}
    return some(rng, normalized_shape=normalized(rng, x), eps=rng.choice(NUMBERS), **flags), x


def rms_norm(rng: random.Random) -> Case:
    x = any_shape(rng)
    given = {
        "normalized_shape": normalized(rng, x),
        "eps": rng.choice((None, *NUMBERS)),
        "elementwise_affine": flag(rng),
    }
    return some(rng, **given), x


def local_response_norm(rng: random.Random) -> Case:
    x = any_shape(rng, 1, 5)
    numbers = some(rng, alpha=rng.choice(NUMBERS), beta=rng.choice(NUMBERS), k=rng.choice(NUMBERS))
    return {"size": rng.choice((1, 2, 3, 5, 9, rng.choice((0, -1))))} | numbers, x


GENERATORS = {
    **{f"BatchNorm{rank}d": batch_norm(rank) for rank in (1, 2, 3)},
    **{f"InstanceNorm{rank}d": instance_norm(rank) for rank in (1, 2, 3)},
    "GroupNorm": group_norm,
    "LayerNorm": layer_norm,
    "RMSNorm": rms_norm,
    "LocalResponseNorm": local_response_norm,
}
