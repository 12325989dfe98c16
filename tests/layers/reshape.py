"""Cases of cnnspec/layers/reshape.py. Dimensions count the batch as 0."""

from __future__ import annotations

import random

from ._draw import Case, flag, some

ACCEPTED = """
Flatten  [3, 4, 5] -> [60]
Flatten()  [3] -> [3]
Flatten(2)  [3, 4, 5] -> [3, 20]
Flatten(1, 2)  [3, 4, 5] -> [12, 5]
Flatten(-3, -2)  [3, 4, 5] -> [12, 5]
Flatten(start_dim=-1, end_dim=3)  [3, 4, 5] -> [3, 4, 5]
Flatten(0, 0)  [3, 4] -> [3, 4]
Flatten(0, -3)  [3, 4] -> [3, 4]
Unflatten(1, (3, 4))  [12] -> [3, 4]
Unflatten(1, (-1,))  [12] -> [12]
Unflatten(-1, [2, -1, 3])  [5, 12] -> [5, 2, 2, 3]
Unflatten(dim=2, unflattened_size=(1, 4))  [3, 4, 5] -> [3, 1, 4, 5]
Unflatten(-3, (3, 1))  [3, 4, 5] -> [3, 1, 4, 5]
Permute((0, 2, 3, 1))  [3, 4, 5] -> [4, 5, 3]
Permute([0, 1])  [3] -> [3]
Permute(dims=(0, -1, -2))  [3, 4] -> [4, 3]
Permute((-3, 1, 2))  [3, 4] -> [3, 4]
"""

REJECTED = """
Flatten(2)  [3]  E211 start_dim
Flatten(4)  [3, 4, 5]  E211 start_dim
Flatten(-5)  [3, 4, 5]  E211 start_dim
Flatten(1, 4)  [3, 4, 5]  E211 end_dim
Flatten(1, -5)  [3, 4, 5]  E211 end_dim
Flatten(0)  [3]  E218 start_dim
Flatten(-3, 1)  [3, 4]  E218 start_dim
Flatten(2, 1)  [3, 4, 5]  E210 end_dim
Flatten(end_dim=0)  [3, 4, 5]  E210 end_dim
Flatten(1.0)  [3, 4, 5]  E115 start_dim
Unflatten(unflattened_size=(3, 4))  [12]  E112 dim
Unflatten(1)  [12]  E112 unflattened_size
Unflatten(1, (3, 4))  [13]  E212 unflattened_size
Unflatten(1, (5, -1))  [12]  E212 unflattened_size
Unflatten(1, (24, -1))  [12]  E212 unflattened_size
Unflatten(1, (0, -1))  [12]  E212 unflattened_size
Unflatten(1, (12, 0))  [12]  E212 unflattened_size
Unflatten(1, (-1, -1))  [12]  E210 unflattened_size
Unflatten(1, (-2, -6))  [12]  E116 unflattened_size
Unflatten(1, ())  [12]  E116 unflattened_size
Unflatten(1, 12)  [12]  E115 unflattened_size
Unflatten(2, (3, 4))  [12]  E211 dim
Unflatten(-3, (3, 4))  [12]  E211 dim
Unflatten(0, (5, -1))  [12]  E218 dim
Unflatten(-2, (1, -1))  [12]  E218 dim
Permute  [3, 4]  E112 dims
Permute((0, 1))  [3, 4]  E210 dims
Permute((0, 1, 2, 3))  [3, 4]  E210 dims
Permute((0, 1, 1))  [3, 4]  E210 dims
Permute((0, 2, -1))  [3, 4]  E210 dims
Permute((0, 1, 3))  [3, 4]  E211 dims
Permute((0, 1, -4))  [3, 4]  E211 dims
Permute((1, 0, 2))  [3, 4]  E218 dims
Permute(())  [3, 4]  E116 dims
Permute(0)  [3, 4]  E115 dims
"""


def shape(rng: random.Random, low: int = 1, high: int = 4) -> tuple[int, ...]:
    """A shape of `low` to `high` sizes. None of them is the size of a batch in a test, or leaves one as it is."""
    return tuple(rng.choice((3, 4, 5, 6)) for _ in range(rng.randint(low, high)))


def flatten(rng: random.Random) -> Case:
    x = shape(rng)
    dims = len(x) + 1
    start, end = (rng.randint(-1, dims) if rng.random() < 0.35 else rng.randint(1, dims - 1) for _ in range(2))
    start, end = (min(start, end), max(start, end)) if flag(rng) else (start, end)
    return some(rng, start_dim=start - rng.choice((0, dims)), end_dim=end - rng.choice((0, dims))), x


def unflatten(rng: random.Random) -> Case:
    sizes = [rng.choice((3, 4, 5)), *(rng.choice((1, 3, 4)) for _ in range(rng.randint(0, 2)))]
    rng.shuffle(sizes)
    product = 1
    for size in sizes:
        product *= size
    x = [*shape(rng, 0, 2), product, *shape(rng, 0, 2)]
    dim = x.index(product) + 1
    if flag(rng):
        sizes[rng.randrange(len(sizes))] = -1
    if rng.random() < 0.25:
        sizes[rng.randrange(len(sizes))] = rng.choice((0, -1, -2, 3, 7))
    if rng.random() < 0.15:
        dim = rng.choice((-1, rng.randint(1, len(x)), len(x) + 1))
    dim = dim - len(x) - 1 if flag(rng) else dim
    if dim in (0, -len(x) - 1):
        sizes = [5, -1]
    return {"dim": dim, "unflattened_size": tuple(sizes)}, tuple(x)


def permute(rng: random.Random) -> Case:
    x = shape(rng)
    order = list(range(1, len(x) + 1))
    rng.shuffle(order)
    dims = [0, *order]
    pick = rng.random()
    if pick < 0.1:
        rng.shuffle(dims)
    elif pick < 0.3:
        dims[rng.randrange(len(dims))] = rng.randint(-len(dims) - 1, len(dims))
    elif pick < 0.35:
        dims.append(rng.randint(0, len(dims)))
    return {"dims": tuple(dim - len(x) - 1 if dim >= 0 and rng.random() < 0.3 else dim for dim in dims)}, x


GENERATORS = {"Flatten": flatten, "Unflatten": unflatten, "Permute": permute}
