"""Sets of sizes, as bits of a grid: which of them something holds for.

A grid has an axis for each free size, with the points 1, 2, ... up to its length. A set is described by the bits of its
points, and by `starts` and `periods`: along each axis, whatever the others are, membership repeats with the period from the
start on. Where the grid reaches a start and one period, its bits are therefore the whole infinite set.
"""

from __future__ import annotations

from math import lcm

from cnnspec.limits import LIMITS
from cnnspec.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

Axes = tuple[int, ...]


class Entangled(Exception):
    """A question or an operation that is beyond what is decided here: about several sizes at once, or too long."""


class TooShort(Exception):
    """The grid has to be longer along an axis."""

    def __init__(self, axis: int, length: int) -> None:
        super().__init__(f"axis {axis} needs {length} points")
        self.axis, self.length = axis, length


@record
class Truth:
    """For which sizes an answer is yes: a bit for every point of the grid of `axes`, the last axis running fastest."""

    axes: Axes
    bits: int
    starts: tuple[int, ...]
    periods: tuple[int, ...]


class Undecided(Exception):
    """A question whose answer is not the same for all sizes at hand."""

    def __init__(self, truth: Truth) -> None:
        super().__init__("the answer depends on the size")
        self.truth = truth


@record
class Region:
    """Sizes that belong together: of each axis alone, and where that is not enough those of some axes `jointly`.

    `alone` always has the sizes of an axis for which the others have one.
    """

    alone: tuple[int, ...]
    axes: Axes = ()
    jointly: int = 0
    starts: tuple[int, ...] = ()
    periods: tuple[int, ...] = ()


class Extent:
    """How many points the axes of a grid have, and what follows for the bits of sets."""

    def __init__(self, lengths: tuple[int, ...]) -> None:
        self.lengths = lengths

    def expect(self, axis: int, length: int) -> None:
        """Raise TooShort where the grid has to be longer, Entangled where it would have to be too long."""
        if length > self.lengths[axis]:
            if length > LIMITS.grid:
                raise Entangled
            raise TooShort(axis, length)

    def cells(self, axes: Axes) -> int:
        total = 1
        for axis in axes:
            total *= self.lengths[axis]
        return total

    def every(self, axes: Axes) -> int:
        """The bits of all points."""
        return (1 << self.cells(axes)) - 1

    def whole(self) -> Region:
        """All sizes."""
        count = len(self.lengths)
        return Region(tuple(self.every((axis,)) for axis in range(count)), (), 0, (1,) * count, (1,) * count)

    def rows(self, bits: int, axes: Axes) -> list[int]:
        """The bits that belong to each point of the first axis."""
        inner = self.cells(axes[1:])
        ones = (1 << inner) - 1
        return [bits >> (row * inner) & ones for row in range(self.lengths[axes[0]])]

    def spread(self, bits: int, axes: Axes, to: Axes) -> int:
        """The same set on a grid of more axes, in which it does not depend on the others."""
        if axes == to:
            return bits
        inner = self.cells(to[1:])
        if not axes or axes[0] != to[0]:
            row = self.spread(bits, axes, to[1:])
            return row * (((1 << inner * self.lengths[to[0]]) - 1) // ((1 << inner) - 1))
        spread = 0
        for number, row in enumerate(self.rows(bits, axes)):
            if row:
                spread |= self.spread(row, axes[1:], to[1:]) << (number * inner)
        return spread

    def project(self, bits: int, axes: Axes, axis: int) -> int:
        """The points of one axis for which the others have one."""
        if axes == (axis,):
            return bits
        rows = self.rows(bits, axes)
        if axes[0] == axis:
            return sum(1 << number for number, row in enumerate(rows) if row)
        union = 0
        for row in rows:
            union |= row
        return self.project(union, axes[1:], axis)

    def bits(self, region: Region, axes: Axes) -> int:
        """A region on the grid of `axes`, which are all of its joint ones at least."""
        bits = self.spread(region.jointly, region.axes, axes) if region.axes else self.every(axes)
        for axis in axes:
            bits &= self.spread(region.alone[axis], (axis,), axes)
        return bits

    def of_bits(self, bits: int, axes: Axes, like: Region) -> Region | None:
        """The region that has these bits on the grid of `axes`, and on the others is as `like`; None where it is empty."""
        if not bits:
            return None
        alone = list(like.alone)
        for axis in axes:
            alone[axis] = self.project(bits, axes, axis)
        flat = Region(tuple(alone), (), 0, like.starts, like.periods)
        if len(axes) < 2 or self.bits(flat, axes) == bits:
            return flat
        return Region(tuple(alone), axes, bits, like.starts, like.periods)

    def both(self, region: Region, truth: Truth, *, holds: bool = True) -> Region | None:
        """What is in a region and has an answer; None for nothing."""
        like = self._repeating(region, truth)
        bits = truth.bits if holds else self.every(truth.axes) & ~truth.bits
        if len(truth.axes) == 1 and truth.axes[0] not in region.axes:
            axis = truth.axes[0]
            left = region.alone[axis] & bits
            if not left:
                return None
            alone = (*region.alone[:axis], left, *region.alone[axis + 1 :])
            return Region(alone, region.axes, region.jointly, like.starts, like.periods)
        axes = tuple(sorted({*region.axes, *truth.axes}))
        return self.of_bits(self.bits(region, axes) & self.spread(bits, truth.axes, axes), axes, like)

    def union(self, regions: list[Region]) -> Region:
        """The sizes that are in one of several regions, which are not none."""
        first = regions[0]
        like = first
        for region in regions[1:]:
            like = self._repeating(like, Truth(tuple(range(len(self.lengths))), 0, region.starts, region.periods))
        differing = {
            axis for axis in range(len(self.lengths)) if any(one.alone[axis] != first.alone[axis] for one in regions)
        }
        axes = tuple(sorted(differing.union(*(one.axes for one in regions))))
        bits = 0
        for region in regions:
            bits |= self.bits(region, axes)
        found = self.of_bits(bits, axes, like)
        assert found is not None
        return found

    def _repeating(self, region: Region, truth: Truth) -> Region:
        """The region, with what the set of its points that have an answer repeats with."""
        starts, periods = list(region.starts), list(region.periods)
        for axis, start, period in zip(truth.axes, truth.starts, truth.periods):
            starts[axis] = max(starts[axis], start)
            periods[axis] = lcm(periods[axis], period)
            self.expect(axis, starts[axis] + periods[axis] - 1)
        return Region(region.alone, region.axes, region.jointly, tuple(starts), tuple(periods))


def points(bits: int) -> list[int]:
    """The sizes of a set of one axis: its first bit stands for 1."""
    return [number for number, digit in enumerate(reversed(bin(bits)[2:]), 1) if digit == "1"]


def of_points(flags: Iterable[object]) -> int:
    """The set of the sizes 1, 2, ... whose flag is true."""
    return int("".join("1" if flag else "0" for flag in flags)[::-1] or "0", 2)
