"""What a rule gives for all sizes at once: it is run once for each part of them for which its questions have one answer."""

from __future__ import annotations

from math import lcm

from cnnspec.limits import LIMITS
from cnnspec.sizes.number import Number
from cnnspec.sizes.region import Entangled, Region, Truth, Undecided, of_axis
from cnnspec.sizes.size import Grid, Product, Size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def cases(grid: Grid, run: Callable[[], Any], *expected: type[Exception]) -> list[tuple[Region, Any]]:
    """What a rule gives for the sizes at hand: once for each part of them for which its questions have one answer.

    An exception that is `expected` counts as what it gives.
    """
    outer, asked = grid.region, grid.asks
    found: list[tuple[Region, Any]] = []
    waiting = [outer]
    grid.asks = True
    try:
        while waiting:
            grid.region = part = waiting.pop()
            grid.work.add(len(part.points) * (len(found) + 1))
            try:
                found.append((part, run()))
            except Undecided as undecided:
                for holds in (False, True):
                    half = grid.extent.both(part, undecided.truth, holds=holds)
                    assert half is not None
                    waiting.append(half)
                if len(waiting) + len(found) > LIMITS.size_cases:
                    raise Entangled from None
            except expected as error:
                found.append((part, error))
    finally:
        grid.region, grid.asks = outer, asked
    return found


def choose(grid: Grid, run: Callable[[], Any]) -> Any:
    """The value that a rule gives, put together from those of all cases."""
    return together(grid, cases(grid, run))


def together(grid: Grid, found: list[tuple[Region, Any]]) -> Any:
    """One value that is, in each region, the one that belongs to it: a number, or a tuple of such."""
    values = [value for _, value in found]
    first = values[0]
    if all(value is first for value in values):
        return settled(grid, first)
    if isinstance(first, tuple):
        if any(type(value) is not type(first) or len(value) != len(first) for value in values):
            raise Entangled
        regions = [region for region, _ in found]
        return type(first)(together(grid, list(zip(regions, column))) for column in zip(*values))
    if not all(isinstance(value, int) for value in values):
        if all(value == first for value in values):
            return first
        raise Entangled
    return settled(grid, _joined(grid, found))


def _joined(grid: Grid, found: list[tuple[Region, int]]) -> int:
    """The function of one size that is in each region the number that belongs to it."""
    (region, first), *rest = found
    axes = {value.axis for _, value in found if isinstance(value, Size)}
    axes = axes or {axis for axis, bits in enumerate(region.alone) if any(one.alone[axis] != bits for one, _ in rest)}
    if any(isinstance(value, Product) for _, value in found):
        axes = set()
    for axis in axes:
        joined: int = first
        for part, value in rest:
            truth = of_axis(axis, part.alone[axis], part.starts[axis], part.periods[axis])
            joined = where(grid, axis, truth, value, joined)
        if all(_equal(grid, part, joined, value) for part, value in found):
            return joined
    if all(_equal(grid, part, first, value) for part, value in found):
        return first
    raise Entangled


def where(grid: Grid, axis: int, truth: Truth, yes: int, no: int) -> Any:
    """The function that is `yes` where an answer is yes, and `no` where it is no."""
    sizes = [
        one if isinstance(one, Size) else Size.of(grid, axis, (int(one),) * grid.extent.lengths[axis], 1, 1, 0)
        for one in (yes, no)
    ]
    if any(size.axis != axis for size in sizes):
        raise Entangled
    pairs = enumerate(zip(*(size.values for size in sizes)))
    bits = truth.points[0][0] if truth.points else 0
    values = [pair[0] if bits >> place & 1 else pair[1] for place, pair in pairs]
    start = max(*(size.start for size in sizes), *truth.starts)
    period = lcm(*(size.period for size in sizes), *truth.periods)
    return grid.make(axis, values, start, period, max(size.degree for size in sizes))


def _equal(grid: Grid, region: Region, one: int, other: int) -> bool:
    """Whether two numbers are the same for all sizes of a region."""
    outer, grid.region = grid.region, region
    try:
        if isinstance(other, Number):
            one, other = other, one
        return grid.answer(one.compare("==", other)) if isinstance(one, Number) else one == other
    except Undecided:
        return False
    finally:
        grid.region = outer


def settled(grid: Grid, value: Any) -> Any:
    """The value, with plain numbers for what is the same for all sizes at hand."""
    if isinstance(value, tuple):
        return type(value)(settled(grid, one) for one in value)
    if isinstance(value, Product):
        if grid.region.is_box:
            # Then it is the same for all if its factors are.
            left: Any = value.factor
            for size in value.sizes:
                left = left * settled(grid, size)
            return left + value.extra
        return int(value) if _equal(grid, grid.region, value, int(value)) else value
    if not isinstance(value, Size):
        return value
    bits = grid.region.alone[value.axis]
    first = value.values[(bits & -bits).bit_length() - 1]
    if any(number != first and bits >> place & 1 for place, number in enumerate(value.values)):
        return value
    return first if _equal(grid, grid.region, value, first) else value
