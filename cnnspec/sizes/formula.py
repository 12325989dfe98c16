"""Sizes in words: the shortest formula that has the values of a function at all sizes at hand."""

from __future__ import annotations

from math import gcd

from cnnspec.record import record, replace


@record
class Formula:
    """max(least, times * ((slope * n + shift) // divisor) + extra)"""

    slope: int
    shift: int
    divisor: int
    times: int = 1
    extra: int = 0
    least: int | None = None

    def at(self, n: int) -> int:
        value = self.times * ((self.slope * n + self.shift) // self.divisor) + self.extra
        return value if self.least is None else max(self.least, value)

    def text(self, name: str) -> str:
        inner = name if self.slope == 1 else f"{self.slope} * {name}"
        if self.shift:
            inner = added(inner, self.shift)
        if self.divisor > 1:
            inner = f"{f'({inner})' if self.shift else inner} // {self.divisor}"
        if self.times > 1:
            inner = f"{self.times} * {name if inner == name else f'({inner})'}"
        inner = added(inner, self.extra)
        return inner if self.least is None else f"max({self.least}, {inner})"


def added(text: str, extra: int) -> str:
    return f"{text} + {extra}" if extra > 0 else f"{text} - {-extra}" if extra < 0 else text


def fitted(sizes: list[int], values: list[int], rise: int, run: int) -> Formula | None:
    """The formula of a function that has these values at these sizes, and grows by `rise` over `run`; None for none."""
    slope, divisor = _shortened(rise, run)
    found = _floored(sizes, values, slope, divisor)
    if found is not None:
        return found
    step = gcd(*(value - values[0] for value in values))
    if step > 1:
        extra = values[0] % step
        inner = _floored(sizes, [(value - extra) // step for value in values], *_shortened(rise, run * step))
        if inner is not None:
            return Formula(inner.slope, inner.shift, inner.divisor, step, extra + step * inner.extra)
    return _bounded(sizes, values, slope, divisor)


def _bounded(sizes: list[int], values: list[int], slope: int, divisor: int) -> Formula | None:
    """The formula of a function that does not fall below its least value."""
    least = min(values)
    larger = [(n, value) for n, value in zip(sizes, values) if value > least]
    inner = _floored([n for n, _ in larger], [value for _, value in larger], slope, divisor) if larger else None
    if inner is None:
        return None
    below = (n for n, value in zip(sizes, values) if value == least)
    if any(inner.at(n) > least for n in below):
        return None
    return replace(inner, least=least)


def _shortened(rise: int, run: int) -> tuple[int, int]:
    common = gcd(rise, run) or 1
    return rise // common, run // common


def _floored(sizes: list[int], values: list[int], slope: int, divisor: int) -> Formula | None:
    """(slope * n + shift) // divisor + extra, with the least shift."""
    low = max(divisor * value - slope * n for n, value in zip(sizes, values))
    high = min(divisor * value - slope * n for n, value in zip(sizes, values)) + divisor - 1
    if low > high:
        return None
    whole = -(-low // divisor)
    if low > 0 or high < 0:
        if whole * divisor <= high:
            return Formula(slope, 0, divisor, extra=whole)
        return Formula(slope, low if low > 0 else high, divisor)
    return Formula(slope, 0, divisor)
