"""Cases of cnnspec/layers/cut.py."""

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
Slice(1, 3, 2)  [3, 4] -> [3, 2]
Slice(0, -1, dim=-1)  [3, 4, 5] -> [3, 4, 4]
Slice(1, dim=-2)  [3, 4] -> [2, 4]
Select(0)  [3, 4] -> [4]
Select(-1, 1)  [20, 12] -> [12]
Select(3, dim=2)  [3, 4, 5] -> [3, 5]
Select(index=0, dim=-1)  [3, 4] -> [3]
Chunk(1)  [3] -> [[3]]
Chunk(2)  [6, 8, 8] -> [[3, 8, 8], [3, 8, 8]]
Chunk(3, dim=2)  [4, 6] -> [[4, 2], [4, 2], [4, 2]]
Chunk(chunks=2, dim=-1)  [4, 6] -> [[4, 3], [4, 3]]
Split((1, 5))  [6, 8] -> [[1, 8], [5, 8]]
Split([2, 2, 2], -1)  [4, 6] -> [[4, 2], [4, 2], [4, 2]]
Split(3)  [6] -> [[3], [3]]
Split(sizes=6, dim=2)  [4, 6] -> [[4, 6]]
Mean(1)  [6, 8] -> [8]
Mean((2, 3))  [6, 8, 8] -> [6]
Mean(-1, true)  [6] -> [1]
Mean((1, 2), keepdim=true)  [6, 8] -> [1, 1]
Max(dim=1)  [20, 12] -> [12]
Max((2, 3), true)  [6, 8, 8] -> [6, 1, 1]
Sum((-1, -2))  [6, 8, 8] -> [6]
Max((1, -1))  [6, 8, 8] -> [8]
Sum(2)  [6, 1] -> [6]
Sum((1, 2), true)  [6, 1] -> [1, 1]
Std(1)  [2, 8] -> [8]
Std((2, 3))  [6, 1, 2] -> [6]
Std(-1, keepdim=true)  [6, 2] -> [6, 1]
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
Slice(0, 1, 0)  [3]  E218 dim
Slice(0, 1, 3)  [3, 4]  E211 dim
Slice(0, 9, 2)  [3, 4]  E210 stop
Select  [3, 4]  E112 index
Select(3)  [3, 4]  E210 index
Select(-4)  [3, 4]  E210 index
Select(0, 0)  [3, 4]  E218 dim
Select(0, 3)  [3, 4]  E211 dim
Select(0)  [3]  E201 -
Select("last")  [3, 4]  E115 index
Chunk  [3]  E112 chunks
Chunk(0)  [3]  E116 chunks
Chunk(2)  [3]  E205 chunks
Chunk(4)  [3]  E205 chunks
Chunk(3, 0)  [3]  E218 dim
Chunk(3, 4)  [3]  E211 dim
Chunk(100001)  [100001]  E008 chunks
Split  [3]  E112 sizes
Split(0)  [3]  E116 sizes
Split((1, 0, 2))  [3]  E116 sizes
Split(())  [3]  E116 sizes
Split(2)  [3]  E205 sizes
Split((1, 1))  [3]  E212 sizes
Split((2, 2))  [3]  E212 sizes
Split(1, 0)  [3]  E218 dim
Split(1, 5)  [3]  E211 dim
Mean  [3]  E112 dim
Mean(0)  [3, 4]  E218 dim
Mean((0, 1))  [3, 4]  E218 dim
Mean(3)  [3, 4]  E211 dim
Mean((1, 1))  [3, 4]  E210 dim
Mean((1, -2))  [3, 4]  E210 dim
Mean(())  [3, 4]  E116 dim
Mean(1)  [3]  E201 -
Mean(none)  [3, 4]  E115 dim
Mean(1, keepdim=1)  [3, 4]  E115 keepdim
Max((1, 2))  [3, 4]  E201 -
Max(1.5)  [3, 4]  E115 dim
Max(-3)  [3, 4]  E218 dim
Sum(5)  [3, 4]  E211 dim
Max(())  [3, 4]  E116 dim
Sum(())  [3, 4]  E116 dim
Std(())  [3, 4]  E116 dim
Std(1)  [1, 4]  E210 dim
Std((2, 3))  [6, 1, 1]  E210 dim
Std(0)  [6, 2]  E218 dim
"""


def dimension(rng: random.Random, x: tuple[int, ...]) -> int:
    """A dimension of a shape, now and then the batch or one that is not there."""
    dims = len(x) + 1
    return rng.randint(-dims - 1, dims) if rng.random() < 0.15 else rng.choice([*range(1, dims), *range(1 - dims, 0)])


def size_of(x: tuple[int, ...], dim: int) -> int:
    """The size along a dimension; any where there is none."""
    return (2, *x)[dim] if -len(x) - 1 <= dim <= len(x) else 3


def slices(rng: random.Random) -> Case:
    x = any_shape(rng)
    dim = dimension(rng, x) if flag(rng) else 1
    size = size_of(x, dim)
    if flag(rng):
        start = rng.randrange(size)
        stop = rng.randint(start + 1, size)
    else:
        start, stop = (rng.randint(-size - 1, size + 1) for _ in range(2))
    given = {"start": start} if dim == 1 else {"start": start, "dim": dim}
    return given if rng.random() < 0.3 else given | {"stop": stop if rng.random() < 0.9 else None}, x


def select(rng: random.Random) -> Case:
    x = any_shape(rng, 1 if rng.random() < 0.1 else 2)
    dim = dimension(rng, x)
    size = size_of(x, dim)
    index = rng.randint(-size - 1, size) if rng.random() < 0.4 else rng.randint(-size, size - 1)
    return {"index": index, "dim": dim}, x


def chunk(rng: random.Random) -> Case:
    x = any_shape(rng)
    dim = dimension(rng, x)
    size = size_of(x, dim)
    fitting = [count for count in range(1, size + 1) if size % count == 0]
    return {"chunks": rng.choice(fitting) if rng.random() < 0.75 else rng.randint(0, 6), "dim": dim}, x


def split(rng: random.Random) -> Case:
    x = any_shape(rng)
    dim = dimension(rng, x)
    left, parts = size_of(x, dim), []
    while left > 0:
        parts.append(rng.randint(1, left))
        left -= parts[-1]
    if rng.random() < 0.2:
        parts[rng.randrange(len(parts))] += rng.choice((1, -1))
    sizes: object = tuple(parts)
    if rng.random() < 0.3:
        sizes = rng.randint(0, 5) if flag(rng) else rng.choice((1, size_of(x, dim)))
    return {"sizes": sizes, "dim": dim}, x


def reduce(rng: random.Random) -> Case:
    x = any_shape(rng, 1, 4)
    dims = [dimension(rng, x) for _ in range(rng.choice((1, 1, 2, 2, 3)))]
    if rng.random() < 0.7:
        dims = list({size % (len(x) + 1): size for size in dims}.values())
    keepdim = {"keepdim": flag(rng)} if len(dims) < len(x) and rng.random() < 0.5 else {"keepdim": rng.random() < 0.7}
    return {"dim": dims[0] if len(dims) == 1 and flag(rng) else tuple(dims)} | keepdim, x


GENERATORS = {
    "Slice": slices,
    "Select": select,
    "Chunk": chunk,
    "Split": split,
    **dict.fromkeys(("Mean", "Max", "Sum", "Std"), reduce),
}
