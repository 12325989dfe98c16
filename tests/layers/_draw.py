"""What the generators of layers with windows share: shapes and arguments at, inside of and beyond their limits."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

Case = tuple[dict[str, object], tuple[int, ...]]


def flag(rng: random.Random) -> bool:
    return rng.random() < 0.5


def some(rng: random.Random, **values: object) -> dict[str, object]:
    """Any of the arguments."""
    return {name: value for name, value in values.items() if rng.random() < 0.65}


def edge(rng: random.Random, usual: tuple, beyond: tuple, share: float = 0.03):
    """One of the usual values, now and then one beyond them."""
    return rng.choice(beyond if rng.random() < share else usual)


def spread(rng: random.Random, rank: int, draw: Callable[[random.Random], object]) -> object:
    """One value for all axes or one for each, now and then for one too many."""
    if rng.random() < 0.5 + 0.05 * rank:
        return draw(rng)
    count = rank + 1 if rng.random() < 0.02 else rank
    return tuple(draw(rng) for _ in range(count))


def shape(rng: random.Random, channels: int, rank: int, largest: int = 0) -> tuple[int, ...]:
    """Channels and `rank` sizes, now and then one more or one fewer."""
    if rng.random() < 0.03:
        rank = rng.choice([count for count in (rank - 1, rank + 1) if count >= 0])
    low, high = rng.randint(1, 3), largest or (8, 8, 8, 7, 5)[rank]
    return (channels, *(rng.randint(low, high) for _ in range(rank)))
