"""Shapes for the generators of layers that take any number of dimensions."""

from __future__ import annotations

import random


def any_shape(rng: random.Random, low: int = 1, high: int = 4, largest: int = 5) -> tuple[int, ...]:
    """`low` to `high` sizes from 1 to `largest`."""
    return tuple(rng.randint(1, largest) for _ in range(rng.randint(low, high)))
