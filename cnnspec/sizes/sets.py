"""Sets of sizes as people say them: intervals and residues, in words and as conditions of `where`."""

from __future__ import annotations

from cnnspec.record import record
from cnnspec.sizes.region import Points, Region, points_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


@record
class Sizes:
    """Sizes of one axis: some `intervals`, both ends included, and from `least` on those whose rest modulo `period` is one
    of `rests`; with no rests, the intervals are all."""

    intervals: tuple[tuple[int, int], ...]
    least: int = 1
    period: int = 1
    rests: tuple[int, ...] = ()

    def __contains__(self, size: int) -> bool:
        listed = any(low <= size <= high for low, high in self.intervals)
        return listed or (size >= self.least and size % self.period in self.rests)

    @property
    def is_all(self) -> bool:
        return self.period == 1 and self.least == 1 and bool(self.rests)

    @property
    def smallest(self) -> int:
        return min([low for low, _ in self.intervals] + ([self.least] if self.rests else []))

    @property
    def only(self) -> int | None:
        """The one size that there is; None where there are others."""
        if self.rests or len(self.intervals) != 1 or self.intervals[0][0] != self.intervals[0][1]:
            return None
        return self.intervals[0][0]

    def below(self, size: int) -> int | None:
        """The largest size up to `size`; None where there is none."""
        found = [min(high, size) for low, high in self.intervals if low <= size]
        if self.rests:
            ends = (size - (size - rest) % self.period for rest in self.rests)
            found += [end for end in ends if end >= self.least]
        return max(found, default=None)

    def above(self, size: int) -> int | None:
        """The smallest size from `size` on; None where there is none."""
        found = [max(low, size) for low, high in self.intervals if high >= size]
        first = max(size, self.least)
        found += [first + (rest - first) % self.period for rest in self.rests]
        return min(found, default=None)

    def words(self, name: str) -> str:
        """`any H >= 32 with H % 32 == 0`, `28 <= H <= 31`."""
        listed = [_interval(name, low, high) for low, high in self.intervals]
        if not self.rests:
            return " or ".join(listed)
        some = f"any {name}" + (f" >= {self.least}" if self.least > 1 else "")
        if self.period > 1:
            rests = " or ".join(map(str, self.rests)) if len(self.rests) < 5 else _many(self.rests)
            some += f" with {name} % {self.period} == {rests}"
        return " or ".join([*listed, some])

    def conditions(self, name: str) -> list[str]:
        """What `where` says for these sizes, as short as it gets; conditions that all have to hold."""
        if not self.rests and len(self.intervals) == 1:
            return _within(name, *self.intervals[0])
        if not self.intervals:
            return self._rests(name)
        parts = [_joined(_within(name, low, high), " and ") for low, high in self.intervals]
        if self.rests:
            parts.append(_joined(self._rests(name), " and "))
        return [" or ".join(parts)]

    def _rests(self, name: str) -> list[str]:
        needed = self.least > 1 and any(
            size in self.rests for size in ((n % self.period) for n in range(1, self.least))
        )
        least = [f"{name} >= {self.least}"] if needed else []
        if self.period == 1:
            return least
        return [*least, " or ".join(f"{name} % {self.period} == {rest}" for rest in self.rests)]


def _joined(parts: list[str], word: str) -> str:
    return parts[0] if len(parts) == 1 else "(" + word.join(f"({one})" if " or " in one else one for one in parts) + ")"


def _within(name: str, low: int, high: int) -> list[str]:
    if low == high:
        return [f"{name} == {low}"]
    return [*([f"{name} >= {low}"] if low > 1 else []), f"{name} <= {high}"]


def _interval(name: str, low: int, high: int) -> str:
    return f"{name} == {low}" if low == high else f"{low} <= {name} <= {high}"


def _many(rests: tuple[int, ...]) -> str:
    runs = [f"{low} to {high}" if low < high else str(low) for low, high in runs_of(list(rests))]
    return " or ".join(runs)


def runs_of(numbers: list[int]) -> list[tuple[int, int]]:
    """Numbers in rising order as intervals."""
    runs: list[tuple[int, int]] = []
    for number in numbers:
        if runs and runs[-1][1] == number - 1:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    return runs


def sizes_of(bits: int, start: int, period: int) -> Sizes:
    """A set of one axis, which repeats with `period` from `start` on, with the smallest of both."""
    tail = [bits >> (n - 1) & 1 for n in range(start, start + period)]
    if not any(tail):
        return Sizes(tuple(runs_of([n for n in points_of(bits) if n < start])))
    shortest = next(
        q for q in range(1, period + 1) if period % q == 0 and all(tail[i] == tail[i % q] for i in range(period))
    )
    rests = {n % shortest for n, one in enumerate(tail[:shortest], start) if one}
    while start > 1 and (bits >> (start - 2) & 1) == ((start - 1) % shortest in rests):
        start -= 1
    least = next(n for n in range(start, start + shortest) if n % shortest in rests)
    listed = [n for n in points_of(bits) if n < start]
    return Sizes(tuple(runs_of(listed)), least, shortest, tuple(sorted(rests)))


Box = tuple[Sizes, ...]
"""Sizes of every axis, in any combination."""


def boxes(region: Region) -> list[Box]:
    """A region as boxes that have nothing in common."""
    return _boxes(region.points, region, 0)


def _boxes(points: Points, region: Region, axis: int) -> list[Box]:
    start, period = region.starts[axis], region.periods[axis]
    found: list[Box] = []
    for bits, rest in points:
        sizes = sizes_of(bits, start, period)
        found += [(sizes, *box) for box in ([()] if rest is None else _boxes(rest, region, axis + 1))]
    return found


def nearest(found: list[Box], wanted: tuple[int, ...]) -> tuple[int, ...]:
    """The sizes that are nearest to those wanted: the least sum of differences, larger ones before smaller."""
    best: tuple[tuple[int, int], tuple[int, ...]] | None = None
    for box in found:
        sizes = tuple(min(_beside(one, size), key=lambda n: (abs(n - size), -n)) for one, size in zip(box, wanted))
        key = (sum(abs(a - b) for a, b in zip(sizes, wanted)), -sum(sizes))
        if best is None or key < best[0]:
            best = (key, sizes)
    assert best is not None
    return best[1]


def _beside(sizes: Sizes, size: int) -> list[int]:
    return [one for one in (sizes.below(size), sizes.above(size)) if one is not None]


def contains(found: list[Box], sizes: tuple[int, ...]) -> bool:
    """Whether some sizes are in one of the boxes."""
    return any(all(size in one for one, size in zip(box, sizes)) for box in found)


def smallest_of(found: list[Box]) -> tuple[int, ...]:
    """The smallest sizes of some boxes: those with the least sum."""
    return min((tuple(one.smallest for one in box) for box in found), key=lambda sizes: (sum(sizes), sizes))


def advice(names: Sequence[str], found: list[Box], sizes: tuple[int, ...]) -> str:
    """Words about the sizes that work, and those of them that are nearest to others; empty where no size is free."""
    free = [axis for axis in range(len(names)) if any(box[axis].only is None for box in found)]
    if not free:
        return ""
    best = nearest(found, sizes)
    kinds = " and ".join(found[0][axis].words(names[axis]) for axis in free)
    works = f"it works for {kinds}" if len(found) == 1 and free else "it works for other sizes"
    return f"{works}; nearest to {_by(sizes, free)}: {_by(best, free)}"


def _by(sizes: tuple[int, ...], free: list[int]) -> str:
    return " x ".join(str(sizes[axis]) for axis in free)
