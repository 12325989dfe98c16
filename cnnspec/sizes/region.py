"""Sets of sizes: those for which something holds.

A grid has an axis for each free size, with the points 1, 2, ... up to its length. A set of points of one axis is an int whose
first bit stands for 1; one of several axes is a tree, which groups the points of its first axis by what belongs to them of
the others. With it go `starts` and `periods`: along each axis, whatever the others are, membership repeats with the period
from the start on. Where the grid reaches a start and one period, the set is therefore known for all sizes.
"""

from __future__ import annotations

from math import lcm

from cnnspec.limits import LIMITS
from cnnspec.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

Axes = tuple[int, ...]
Points = tuple["tuple[int, Points | None]", ...]
"""Disjoint sets of points of the first axis, each with the set of the other axes that belongs to it; None for no more axes."""


class Entangled(Exception):
    """A question or an operation that is beyond what is decided here: about several sizes at once, or too long."""


class TooShort(Exception):
    """The grid has to be longer along an axis."""

    def __init__(self, axis: int, length: int) -> None:
        super().__init__(f"axis {axis} needs {length} points")
        self.axis, self.length = axis, length


LENGTH = 160
"""Points of an axis to begin with; where they are too few the axis is made longer, and all is done anew."""
_TOGETHER = 2048
"""Points up to which all axes are made as long as one has to be: what one needs the next one mostly needs as well."""


def longer(lengths: list[int], short: TooShort) -> list[int]:
    """Lengths with which there is more room along an axis than was missing."""
    wanted = short.length * 5 // 4
    found = [max(length, wanted) if wanted <= _TOGETHER else length for length in lengths]
    found[short.axis] = wanted
    return found


@record
class Truth:
    """For which sizes of some axes an answer is yes."""

    axes: Axes
    points: Points
    starts: tuple[int, ...]
    periods: tuple[int, ...]


class Undecided(Exception):
    """A question whose answer is not the same for all sizes at hand."""

    def __init__(self, truth: Truth) -> None:
        super().__init__("the answer depends on the size")
        self.truth = truth
        self.span: Any = None
        """Where it is asked, if that is known."""


@record
class Region:
    """Sizes of all axes that belong together, and those that each axis has in them."""

    points: Points
    alone: tuple[int, ...]
    starts: tuple[int, ...]
    periods: tuple[int, ...]

    @property
    def is_box(self) -> bool:
        """Whether every size of an axis goes with every one of the others."""
        points: Points | None = self.points
        while points is not None:
            if len(points) > 1:
                return False
            points = points[0][1]
        return True


class Work:
    """What questions about sizes have cost while networks are walked through, in points that were looked at."""

    def __init__(self) -> None:
        self.points = 0
        self.counts = False
        """Whether what is asked now counts: what is written about the answers later does not."""

    @property
    def spent(self) -> bool:
        return self.points > LIMITS.points

    def add(self, points: int) -> None:
        """Raises Entangled where that is more than is looked at."""
        if self.counts:
            self.points += points
            if self.spent:
                raise Entangled


class Extent:
    """How many points the axes of a grid have, and the operations on its sets."""

    def __init__(self, lengths: tuple[int, ...]) -> None:
        self.lengths = lengths

    def expect(self, axis: int, length: int) -> None:
        """Raise TooShort where the grid has to be longer, Entangled where it would have to be too long."""
        if length > self.lengths[axis]:
            if length > LIMITS.grid:
                raise Entangled
            raise TooShort(axis, length)

    def every(self, axis: int) -> int:
        """All points of an axis."""
        return (1 << self.lengths[axis]) - 1

    def whole(self) -> Region:
        """All sizes."""
        count = len(self.lengths)
        points: Points | None = None
        for axis in reversed(range(count)):
            points = ((self.every(axis), points),)
        return Region(points or (), tuple(map(self.every, range(count))), (1,) * count, (1,) * count)

    def both(self, region: Region, truth: Truth, *, holds: bool = True) -> Region | None:
        """What is in a region and has an answer; None for nothing."""
        points = self._spread(truth.points, truth.axes, 0)
        found = _met(region.points, points) if holds else _left(region.points, points)
        return self._region(found, *self._repeating(region, truth.axes, truth.starts, truth.periods)) if found else None

    def without(self, region: Region, other: Region) -> Region | None:
        """What is in the first region alone; None for nothing."""
        axes = tuple(range(len(self.lengths)))
        found = _left(region.points, other.points)
        return self._region(found, *self._repeating(region, axes, other.starts, other.periods)) if found else None

    def union(self, regions: list[Region]) -> Region:
        """The sizes that are in one of several regions, which are not none."""
        axes = tuple(range(len(self.lengths)))
        found = regions[0]
        for region in regions[1:]:
            points = _joined(found.points, region.points)
            found = self._region(points, *self._repeating(found, axes, region.starts, region.periods))
        return found

    def _spread(self, points: Points | None, axes: Axes, axis: int) -> Points:
        """The same set over all axes from `axis` on."""
        if axes and axes[0] == axis:
            if points is None or axis == len(self.lengths) - 1:
                return points or ()
            return tuple((bits, self._spread(rest, axes[1:], axis + 1)) for bits, rest in points)
        last = axis == len(self.lengths) - 1
        return ((self.every(axis), None if last else self._spread(points, axes, axis + 1)),)

    def _repeating(
        self, region: Region, axes: Axes, starts: tuple[int, ...], periods: tuple[int, ...]
    ) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """What the part of a region repeats with that belongs to another set."""
        all_starts, all_periods = list(region.starts), list(region.periods)
        for axis, start, period in zip(axes, starts, periods):
            all_starts[axis] = max(all_starts[axis], start)
            all_periods[axis] = lcm(all_periods[axis], period)
            self.expect(axis, all_starts[axis] + all_periods[axis] - 1)
        return tuple(all_starts), tuple(all_periods)

    def _region(self, points: Points, starts: tuple[int, ...], periods: tuple[int, ...]) -> Region:
        alone = [0] * len(self.lengths)
        _project(points, 0, alone)
        return Region(points, tuple(alone), starts, periods)


def _met(one: Points, other: Points) -> Points:
    """What is in both sets."""
    parts: list[tuple[int, Points | None]] = []
    for bits, rest in one:
        for others, more in other:
            both = bits & others
            if both and rest is not None and more is not None:
                met = _met(rest, more)
                parts += [(both, met)] if met else []
            elif both:
                parts.append((both, None))
    return grouped(parts)


def _left(one: Points, other: Points) -> Points:
    """What is in the first set alone."""
    parts: list[tuple[int, Points | None]] = []
    for bits, rest in one:
        for others, more in other:
            both = bits & others
            bits &= ~others
            if both and rest is not None and more is not None:
                left = _left(rest, more)
                parts += [(both, left)] if left else []
        parts += [(bits, rest)] if bits else []
    return grouped(parts)


def _joined(one: Points, other: Points) -> Points:
    """What is in one of the sets."""
    parts = list(_left(other, one))
    apart = [*one, *parts]
    flat: list[tuple[int, Points | None]] = []
    for bits, rest in apart:
        # Parts of the first axis that occur in both are cut so that each point has one set of the others.
        for number, (others, more) in enumerate(flat):
            both = bits & others
            if both:
                flat[number] = (others & ~both, more)
                flat.append((both, None if rest is None or more is None else _joined(more, rest)))
                bits &= ~both
        flat += [(bits, rest)] if bits else []
    return grouped([part for part in flat if part[0]])


def grouped(parts: Iterable[tuple[int, Points | None]]) -> Points:
    """Disjoint parts of a set, with those put together that have the same of the other axes, in the order of their points."""
    found: dict[Points | None, int] = {}
    for bits, rest in parts:
        found[rest] = found.get(rest, 0) | bits
    return tuple(sorted(((bits, rest) for rest, bits in found.items()), key=lambda part: part[0] & -part[0]))


def _project(points: Points, axis: int, alone: list[int]) -> None:
    for bits, rest in points:
        alone[axis] |= bits
        if rest is not None:
            _project(rest, axis + 1, alone)


def points_of(bits: int) -> list[int]:
    """The sizes of a set of one axis."""
    return [number for number, digit in enumerate(reversed(bin(bits)[2:]), 1) if digit == "1"]


def bits_of(flags: Iterable[object]) -> int:
    """The set of the sizes 1, 2, ... whose flag is true."""
    return int("".join("1" if flag else "0" for flag in flags)[::-1] or "0", 2)


def of_axis(axis: int, bits: int, start: int, period: int) -> Truth:
    """A set of one axis."""
    return Truth((axis,), ((bits, None),) if bits else (), (start,), (period,))
