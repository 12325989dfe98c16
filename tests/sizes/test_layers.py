"""Every layer, on shapes with a free size: what its rule gives for all sizes at once is what it gives for each of them."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

import pytest

from cnnspec.declare import Reject
from cnnspec.layers.base import Layer, Parts
from cnnspec.sizes.region import Entangled, Region, TooShort, points_of
from cnnspec.sizes.rules import cases, together
from cnnspec.sizes.size import Grid, Product, Size, value_at
from tests.layers.cases import accepted
from tests.sampling import amount

UP_TO = 150
CASES = [case for case in accepted() if not isinstance(case.x, Parts)]


def at(value: Any, n: int) -> Any:
    """A shape whose sizes depend on n, for one n."""
    if isinstance(value, tuple):
        return tuple(at(one, n) for one in value)
    if isinstance(value, Product):
        raise AssertionError("one size is no product")
    if isinstance(value, Size):
        return value_at(n, value.values, value.start, value.period, value.degree)
    return value


def one_by_one(layer: Layer, x: tuple[int, ...], axis: int) -> dict[int, Any]:
    """What the layer gives for each size of an axis, up to one beyond all grids; nothing where it refuses."""
    found = {}
    for n in range(1, UP_TO + 1):
        try:
            found[n] = layer.infer((*x[:axis], n, *x[axis + 1 :]))
        except Reject:
            continue
    return found


def at_once(layer: Layer, x: tuple[int, ...], axis: int) -> tuple[Region | None, Any]:
    """The sizes that the layer accepts, and what it gives for all of them."""
    length = 24
    while True:
        try:
            grid = Grid("n", (max(x[axis], 1),), (length,))
            found = cases(grid, partial(layer.infer, (*x[:axis], grid.variables[0], *x[axis + 1 :])), Reject)
            accepted = [(region, value) for region, value in found if not isinstance(value, Reject)]
            if not accepted:
                return None, None
            grid.region = grid.extent.union([region for region, _ in accepted])
            return grid.region, together(grid, accepted)
        except TooShort as short:
            length = short.length


@pytest.mark.parametrize("case", CASES[:: amount(4, 1)], ids=str)
def test_layer_on_all_sizes_at_once(case: Any):
    layer = case.answer().layer
    assert layer is not None
    for axis in range(len(case.x)):
        expected = one_by_one(layer, case.x, axis)
        try:
            region, given = at_once(layer, case.x, axis)
        except Entangled:
            # Numbers beyond the grid, tuples of other lengths, and factors that are no short fractions are not decided.
            told = re.search(r"\d{5}|^Split|^Upsampl", case.line) or len({len(y) for y in expected.values()}) > 1
            assert told, case.line
            continue
        works = []
        if region is not None:
            start, period, bits = region.starts[0], region.periods[0], region.alone[0]
            inside = set(points_of(bits))
            works = [n for n in range(1, UP_TO + 1) if (n if n < start else (n - start) % period + start) in inside]
        assert works == list(expected)
        assert [at(given, n) for n in works] == list(expected.values())
