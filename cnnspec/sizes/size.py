"""Numbers that depend on the sizes of an input.

`Size` is a function of one size n: its values at 1, 2, ... to the length of the grid, and the claim that from `start` on,
on every residue class modulo `period`, it is a polynomial of at most `degree` in n. A number is such a function (of degree 0),
so is n; and so are sums, products, quotients with a whole number that are rounded down, remainders, and choices between such
functions by a comparison of such functions: each operation below says with which start and period. The layers of a network
map sizes by these operations. Hence a table that reaches `degree + 1` periods beyond the start holds the whole function, and
what is read off it is exact for every size, however large.

A comparison is a `Truth`: along each class the sign of a polynomial is that of its leading coefficient from some n on, which
is worked out, and the grid is made longer where it does not reach there.

`Product` is a number times functions of different sizes, plus a number: what Flatten gives. It is compared with numbers.

Both are ints, whose value is that at the grid's `base`: where a number has to be had, as for a picture or a cost, it is there.
"""

from __future__ import annotations

from itertools import pairwise
from math import factorial, gcd, lcm

from cnnspec.limits import LIMITS
from cnnspec.sizes.number import Number
from cnnspec.sizes.region import (
    Entangled,
    Extent,
    Points,
    Region,
    Truth,
    Undecided,
    Work,
    bits_of,
    grouped,
    of_axis,
    points_of,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

LARGEST = 2**31
"""Sizes and what is made of them are taken to be smaller: a bound beyond it is about memory, and no question about sizes."""


class Grid:
    """The free sizes of a network and what is known of them: `region` are the sizes at hand.

    While `asks` is true, `==` is a question about the sizes at hand; otherwise a size is equal to itself alone.
    """

    def __init__(
        self, names: Sequence[str], base: Sequence[int], lengths: Sequence[int], work: Work | None = None
    ) -> None:
        self.names = tuple(names)
        self.base = tuple(base)
        self.extent = Extent(tuple(lengths))
        self.work = work or Work()
        self.region: Region = self.extent.whole()
        self.asks = False
        self.quiet = False
        """Whether nobody reads what is written about sizes meanwhile."""
        self._made: dict[Any, Size] = {}
        self._done: dict[Any, Any] = {}
        self.variables = [
            self.make(axis, range(1, length + 1), 1, 1, 1) for axis, length in enumerate(self.extent.lengths)
        ]

    def make(self, axis: int, values: Sequence[int], start: int, period: int, degree: int) -> Any:
        """The function with these values; a number where it is the same everywhere."""
        self.extent.expect(axis, start + (degree + 1) * period - 1)
        table = tuple(values)
        while degree and not any(_differences(table, start, period, degree)):
            degree -= 1
        if not degree and table.count(table[0]) == len(table):
            return table[0]
        key = (axis, table)
        if key not in self._made:
            self._made[key] = Size.of(self, axis, table, start, period, degree)
        return self._made[key]

    def memo(self, key: Any, work: Callable[[], Any]) -> Any:
        if key not in self._done:
            self.work.add(max(self.extent.lengths))
            self._done[key] = work()
        return self._done[key]

    def answer(self, truth: Truth | bool) -> bool:
        """Whether something holds for the sizes at hand; raises Undecided where for some and not for others."""
        if isinstance(truth, bool):
            return truth
        self.work.add(len(self.region.points) * len(truth.points))
        if self.extent.both(self.region, truth, holds=False) is None:
            return True
        if self.extent.both(self.region, truth) is None:
            return False
        raise Undecided(truth)


def value_at(n: int, values: Sequence[int], start: int, period: int, degree: int) -> int:
    """The value of a function at any size; its table may end before it."""
    if n <= len(values):
        return values[n - 1]
    steps, residue = divmod(n - start, period)
    differences = [values[start + residue + order * period - 1] for order in range(degree + 1)]
    total, binomial = 0, 1
    for order in range(degree + 1):
        total += binomial * differences[0]
        binomial = binomial * (steps - order) // (order + 1)
        differences = [later - earlier for earlier, later in pairwise(differences)]
    return total


def _differences(table: Sequence[int], start: int, period: int, degree: int) -> list[int]:
    """The differences of that order one period apart, for each residue class from `start` on: a polynomial's leading term."""
    column = list(table[start - 1 : start - 1 + (degree + 1) * period])
    for _ in range(degree):
        column = [later - earlier for earlier, later in zip(column, column[period:])]
    return column[:period]


class Size(Number):
    """A function of one size."""

    axis: int
    values: tuple[int, ...]
    start: int
    period: int
    degree: int

    @classmethod
    def of(cls, grid: Grid, axis: int, values: tuple[int, ...], start: int, period: int, degree: int) -> Size:
        made = cls(value_at(grid.base[axis], values, start, period, degree))
        made.grid, made.axis, made.values = grid, axis, values
        made.start, made.period, made.degree = start, period, degree
        return made

    def _plus(self, other: Any) -> Any:
        """Of the later start, and of the least common multiple of the periods."""
        if isinstance(other, Product) or (isinstance(other, Size) and other.axis != self.axis):
            return _alone(self)._plus(other)
        if isinstance(other, Size):
            return self._with("+", other, lambda a, b: a + b, max(self.degree, other.degree))
        if other == 0:
            return self
        return self._each(("+", self, other), lambda a: a + other)

    def _times(self, other: Any) -> Any:
        """As a sum; the degrees add up."""
        if isinstance(other, Product) or (isinstance(other, Size) and other.axis != self.axis):
            return _alone(self)._times(other)
        if isinstance(other, Size):
            return self._with("*", other, lambda a, b: a * b, self.degree + other.degree)
        return self if other == 1 else self._each(("*", self, other), lambda a: a * other)

    def _over(self, other: Any) -> Any:
        """Rounded down. On a class, remainders of a polynomial with whole values repeat: one of degree 1 with step b repeats
        modulo c after c / gcd(b, c), one of degree d after c * d! steps. On those finer classes the quotient is a polynomial.
        """
        if other.__class__ is not int or other == 0:
            raise Entangled
        if other < 0:
            return (-self)._over(-other)
        if other == 1:
            return self
        return self.grid.memo(("//", self, other), lambda: self._quotient(other))

    def _quotient(self, divisor: int) -> Any:
        if self.degree > 1:
            finer = divisor * factorial(self.degree)
        else:
            steps = _differences(self.values, self.start, self.period, 1) if self.degree else ()
            finer = lcm(1, *(divisor // gcd(step, divisor) for step in steps))
        values = [value // divisor for value in self.values]
        return self.grid.make(self.axis, values, self.start, self.period * finer, self.degree)

    def _each(self, key: Any, change: Callable[[int], int]) -> Any:
        def work() -> Any:
            return self.grid.make(self.axis, list(map(change, self.values)), self.start, self.period, self.degree)

        return self.grid.memo(key, work)

    def _with(self, name: str, other: Size, change: Callable[[int, int], int], degree: int) -> Any:
        def work() -> Any:
            values = list(map(change, self.values, other.values))
            start, period = max(self.start, other.start), lcm(self.period, other.period)
            return self.grid.make(self.axis, values, start, period, degree)

        return self.grid.memo((name, self, other), work)

    def compare(self, operator: str, other: Any) -> Truth | bool:
        if isinstance(other, Product) or (isinstance(other, Size) and other.axis != self.axis):
            return _alone(self).compare(operator, other)
        if not isinstance(other, Size) and abs(other) >= LARGEST:
            return bool(_OPERATORS[operator](int(self), other))
        answer: Truth | bool = self.grid.memo((operator, self, other), lambda: self._sign(operator, self - other))
        return answer

    def _sign(self, operator: str, difference: Any) -> Truth | bool:
        test = _OPERATORS[operator]
        if not isinstance(difference, Size):
            return bool(test(difference, 0))
        start = difference.steady()
        self.grid.extent.expect(self.axis, start + difference.period - 1)
        return of_axis(self.axis, bits_of(test(value, 0) for value in difference.values), start, difference.period)

    def formula(self) -> str:
        found = self._fitted()
        return found.text(self.grid.names[self.axis]) if found else "_"

    def _fitted(self) -> Any:
        """Its formula for the sizes at hand; None where there is none."""
        from cnnspec.sizes.formula import fitted

        def work() -> Any:
            sizes = points_of(bits)
            growth = self._growth(sizes)
            return growth and fitted(sizes, [self.values[n - 1] for n in sizes], *growth)

        bits = self.grid.region.alone[self.axis]
        return self.grid.memo(("formula", self, bits), work)

    def term(self) -> tuple[int, list[tuple[int, Any]], int]:
        """The function as plain data: see `cnnspec.nn.Term`."""
        found = self._fitted()
        if found is not None:
            numbers = (found.slope, found.shift, found.divisor, found.times, found.extra, found.least)
            return 1, [(self.axis, numbers)], 0
        if self.degree > 1:
            raise Entangled
        return 1, [(self.axis, (self.values, self.period))], 0

    def _growth(self, sizes: list[int]) -> tuple[int, int] | None:
        """How much it grows, and over how much, where that is the same on all residue classes."""
        if self.degree > 1:
            return None
        inner = (n for n in sizes if self.start <= n <= len(self.values) - self.period)
        rises = {self.values[n + self.period - 1] - self.values[n - 1] for n in inner}
        return (rises.pop(), self.period) if len(rises) == 1 and min(rises) > 0 else None

    @property
    def levels(self) -> dict[int, int]:
        """The points at which it has each of its values."""

        def work() -> dict[int, int]:
            found: dict[int, list[int]] = {}
            for place, value in enumerate(self.values):
                found.setdefault(value, []).append(place)
            return {value: sum(1 << place for place in places) for value, places in found.items()}

        known: dict[int, int] = self.grid.memo(("levels", self), work)
        return known

    def steady(self) -> int:
        """The size from which on its sign is settled on every residue class."""
        latest = self.start
        columns = [_differences(self.values, self.start, self.period, order) for order in range(self.degree + 1)]
        for residue in range(self.period):
            steps = _settled([column[residue] for column in columns])
            latest = max(latest, self.start + residue + steps * self.period)
        return latest


def _settled(differences: list[int]) -> int:
    """After how many steps a polynomial keeps its sign; given by its differences of all orders at 0.

    Where those of every order that is not 0 have the sign of the highest, they keep it, and so does the polynomial.
    """
    while len(differences) > 1 and not differences[-1]:
        differences.pop()
    if len(differences) == 1:
        return 0
    leading = 1 if differences[-1] > 0 else -1
    values = [leading * one for one in differences]
    if len(values) == 2:
        return 0 if values[0] > 0 else -values[0] // values[1] + 1
    steps = 0
    while not (values[0] > 0 and all(one >= 0 for one in values)):
        values = [one + other for one, other in zip(values, [*values[1:], 0])]
        steps += 1
        if steps > LIMITS.grid:
            raise Entangled
    return steps


_OPERATORS: dict[str, Any] = {"==": int.__eq__, "<": int.__lt__, ">": int.__gt__}


class Product(Number):
    """`factor` times functions of different sizes, plus `extra`."""

    factor: int
    sizes: tuple[Size, ...]
    extra: int

    @classmethod
    def of(cls, grid: Grid, factor: int, sizes: tuple[Size, ...], extra: int) -> Any:
        """The product; a plain number where a factor of it is 0."""
        if factor == 0:
            return extra
        for size in sizes:
            common = gcd(*size.values)
            if common > 1:
                whole = tuple(size // common if one is size else one for one in sizes)
                return cls.of(grid, factor * common, whole, extra)
        key = ("product", factor, sizes, extra)

        def work() -> Product:
            value = factor
            for size in sizes:
                value *= int(size)
            made = cls(value + extra)
            made.grid, made.factor, made.sizes, made.extra = grid, factor, sizes, extra
            return made

        return grid.memo(key, work)

    @property
    def axes(self) -> tuple[int, ...]:
        return tuple(size.axis for size in self.sizes)

    def term(self) -> tuple[int, list[tuple[int, Any]], int]:
        """The function as plain data: see `cnnspec.nn.Term`."""
        return self.factor, [part for size in self.sizes for part in size.term()[1]], self.extra

    def formula(self) -> str:
        from cnnspec.sizes.formula import added

        factors = [text if text.isidentifier() else f"({text})" for text in map(str, self.sizes)]
        text = " * ".join(factors if self.factor == 1 else [str(self.factor), *factors])
        return added(text, self.extra)

    def _plus(self, other: Any) -> Any:
        if not isinstance(other, Number):
            return Product.of(self.grid, self.factor, self.sizes, self.extra + other)
        if isinstance(other, Product) and other.sizes == self.sizes:
            return Product.of(self.grid, self.factor + other.factor, self.sizes, self.extra + other.extra)
        raise Entangled

    def _times(self, other: Any) -> Any:
        if not isinstance(other, Number):
            return Product.of(self.grid, self.factor * other, self.sizes, self.extra * other)
        if isinstance(other, Size):
            other = Product.of(self.grid, 1, (other,), 0)
        if self.extra or other.extra:
            raise Entangled
        factor, sizes = self.factor * other.factor, {size.axis: size for size in self.sizes}
        for size in other.sizes:
            joined = size if size.axis not in sizes else size * sizes[size.axis]
            if isinstance(joined, Size):
                sizes[size.axis] = joined
            else:
                sizes.pop(size.axis)
                factor *= joined
        return Product.of(self.grid, factor, tuple(sizes[axis] for axis in sorted(sizes)), 0)

    def _over(self, other: Any) -> Any:
        if other.__class__ is not int or other == 0 or self.factor % other:
            raise Entangled
        return Product.of(self.grid, self.factor // other, self.sizes, self.extra // other)

    def __mod__(self, other: Any) -> Any:
        if other.__class__ is not int or other == 0 or self.factor % other:
            raise Entangled
        return self.extra % other

    def compare(self, operator: str, other: Any) -> Truth | bool:
        """With a number k. All values are whole: as soon as one factor is larger than |k|, the product is 0 or larger, too."""
        if isinstance(other, Number):
            difference = self - other
            if isinstance(difference, Product):
                return difference.compare(operator, 0)
            return bool(_OPERATORS[operator](difference, 0))
        if abs(other) >= LARGEST:
            return bool(_OPERATORS[operator](int(self), other))
        answer: Truth | bool = self.grid.memo((operator, self, other), lambda: self._compared(operator, other))
        return answer

    def _compared(self, operator: str, other: int) -> Truth:
        bound = abs(other - self.extra) // abs(self.factor)
        starts, periods = [], []
        for size in self.sizes:
            start = size.start
            for limit in (size - bound - 1, size + bound + 1):
                start = max(start, limit.steady())
            self.grid.extent.expect(size.axis, start + size.period - 1)
            starts.append(start)
            periods.append(size.period)
        points = _compared(operator, self.factor, self.sizes, other - self.extra, {})
        return Truth(self.axes, points, tuple(starts), tuple(periods))


def _compared(
    operator: str, factor: int, sizes: tuple[Size, ...], other: int, done: dict[Any, Points | None]
) -> Points:
    """The points at which `factor` times the product of `sizes` compares with a number."""
    first, *rest = sizes
    if not rest:
        bits = _level(operator, factor, first, other)
        return ((bits, None),) if bits else ()
    parts = []
    for value, places in first.levels.items():
        key = (len(rest), factor * value)
        if key not in done:
            done[key] = _compared(operator, factor * value, tuple(rest), other, done)
        if done[key]:
            parts.append((places, done[key]))
    return grouped(parts)


def _level(operator: str, factor: int, size: Size, other: int) -> int:
    """The points at which `factor` times a function compares with a number."""
    if operator == "==" and factor:
        return 0 if other % factor else size.levels.get(other // factor, 0)
    test, bits = _OPERATORS[operator], 0
    for value, places in size.levels.items():
        if test(factor * value, other):
            bits |= places
    return bits


def _alone(size: Size) -> Product:
    """A function of one size as a product."""
    product: Product = Product.of(size.grid, 1, (size,), 0)
    return product
