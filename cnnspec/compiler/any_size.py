"""Walks of which the input has sizes that are free: what is true for some of them, and what for all.

A walk goes through a model once, for all sizes at once: the sizes of its values are functions of the free ones. Whatever a
layer, a merge or the spec asks about them is answered for all sizes exactly (`cnnspec.sizes`). Sizes for which the network
does not hold are left out from there on, so that at the end those remain for which it does.
"""

from __future__ import annotations

from cnnspec.compiler.elaborate import RULES
from cnnspec.compiler.expansion import expanded
from cnnspec.compiler.flow import LOST, Flow, Known, Several
from cnnspec.compiler.walk import Walk, known_of
from cnnspec.declare import AnySize, Reject
from cnnspec.diagnostics import Sink
from cnnspec.graph.nodes import Entry, Graph, LayerNode
from cnnspec.graph.walk import walk as nodes_below
from cnnspec.layers.base import Layer
from cnnspec.record import record
from cnnspec.sizes.region import LENGTH, Entangled, Region, TooShort, Undecided, Work, longer
from cnnspec.sizes.rules import cases, together
from cnnspec.sizes.sets import Box, boxes, nearest
from cnnspec.sizes.size import Grid
from cnnspec.syntax import tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from cnnspec.compiler.expansion import Chosen
    from cnnspec.source import Span


class SizedWalk(Walk):
    """A walk for the sizes in the region of `grid`, which is narrowed to those for which the network holds."""

    def __init__(self, grid: Grid, sink: Sink, rules: dict[type, Callable[[Walk, Any], None]]) -> None:
        super().__init__(sink, rules, {})
        self.grid = grid

    def infer(self, layer: Layer, shape: Any) -> Any:
        """The shape behind a layer for all sizes that it accepts; raises Reject where it accepts none."""
        if not varies(shape):
            return layer.infer(shape)
        found = cases(self.grid, lambda: layer.infer(shape), Reject)
        # Most layers of a network change no size.
        return shape if len(found) == 1 and found[0][1] is shape else self._accepted(found, Reject)

    def holds(self, question: Callable[[], bool | None]) -> bool | None:
        """Whether something is true; where it is for some sizes alone, the others are left out."""
        found = cases(self.grid, question)
        if any(answer is None for _, answer in found):
            return None
        yes = [region for region, answer in found if answer]
        if yes and len(yes) < len(found):
            self.grid.region = self.grid.extent.union(yes)
        return bool(yes)

    def fits(self, stated: int, width: int | None) -> bool | None:
        return self.holds(lambda: width == stated)

    def compare(self, operator: str, left: Any, right: Any, span: Span) -> bool:
        outer, self.grid.asks = self.grid.asks, True
        try:
            return super().compare(operator, left, right, span)
        finally:
            self.grid.asks = outer

    def plain(self, known: Known) -> Known:
        return _without_sizes(known)

    def choose(self, rule: Callable[[], Any]) -> Any:
        return together(self.grid, cases(self.grid, rule))

    def _accepted(self, found: list[tuple[Region, Any]], refusal: type[Exception]) -> Any:
        accepted = [(region, value) for region, value in found if not isinstance(value, refusal)]
        if not accepted:
            raise found[-1][1]
        if len(accepted) < len(found):
            self.grid.region = self.grid.extent.union([region for region, _ in accepted])
        return together(self.grid, accepted)

    def outcome(self, layers: list[Layer], known: Known) -> tuple[Known, Reject | None]:
        if len(layers) == 1 and known.shape is not None:
            try:
                return known_of(self.infer(layers[0], known.shape)), None
            except Reject as reject:
                return LOST, reject
        return super().outcome(layers, self.plain(known))


class FreedWalk(SizedWalk):
    """A walk through a model with other numbers for the sizes of its input: what it says of its own is no condition."""

    checks_claims = False

    def input_sizes(self, node: tree.Input, sizes: list[int | None]) -> list[int | None]:
        free = self.axes[len(self.entries)]
        return [size if axis is None else self.grid.variables[axis] for size, axis in zip(sizes, free)]

    def __init__(
        self, axes: list[tuple[int | None, ...]], grid: Grid, sink: Sink, rules: dict[type, Callable[[Walk, Any], None]]
    ) -> None:
        super().__init__(grid, sink, rules)
        self.axes = axes


class BuiltWalk(FreedWalk):
    """A walk through a network as it has been built for one size: numbers that its spec works out are those of that size."""

    def number(self, size: int) -> int:
        return int(size)


class GivenWalk(Walk):
    """A walk with other shapes for its inputs than its spec has: what that says of its own is no condition."""

    checks_claims = False

    def __init__(self, shapes: Sequence[tuple[int, ...]], sink: Sink) -> None:
        super().__init__(sink, RULES, {})
        self.shapes = shapes

    def input_sizes(self, node: tree.Input, sizes: list[int | None]) -> list[int | None]:
        return list(self.shapes[len(self.entries)])


def varies(shape: Any) -> bool:
    """Whether a shape, or one of several, depends on a size that is free."""
    if isinstance(shape, tuple):
        return any(map(varies, shape))
    return isinstance(shape, AnySize)


def _without_sizes(known: Known) -> Known:
    """What is known, without what depends on a free size."""
    if isinstance(known, Several):
        return Several(tuple(map(_without_sizes, known.parts)), known.origin)
    if known.sizes is None:
        return known
    sizes = tuple(None if isinstance(size, AnySize) else size for size in known.sizes)
    return Flow(sizes, known.origin, known.channels_origin)


@record
class Holding:
    """The sizes for which a network holds: `grid.region`, of `grid.names`. `graph` has the shapes for all of them."""

    grid: Grid
    graph: Graph
    axes: tuple[tuple[int | None, ...], ...]
    """For each axis of each input the number of its name; None for one that is not free."""

    @property
    def boxes(self) -> list[Box]:
        return boxes(self.grid.region)

    def nearest(self, sizes: tuple[int, ...]) -> tuple[int, ...]:
        """The sizes that work and are nearest to others: one for each name."""
        return nearest(self.boxes, sizes)


def sizes_of_built(chosen: Chosen, parameters: Mapping[str, Any], graph: Graph) -> Holding:
    """The sizes of the input for which a network holds that has been built for one size, with the weights it has.

    Raises Entangled where that can't be decided.
    """
    return _holding(BuiltWalk, chosen, parameters, graph, lambda found, grid: _same_modules(graph, found, grid))


def sizes_of_spec(chosen: Chosen, parameters: Mapping[str, Any], graph: Graph) -> Holding | None:
    """The sizes with which a model would hold in place of those of its input, also of one that does not hold for these.

    None where there are none, where it has other mistakes, or where that can't be decided.
    """
    if not graph.inputs or graph.sizes is not None or any(entry.shape is None for entry in graph.inputs):
        return None
    try:
        found = _holding(FreedWalk, chosen, parameters, graph, lambda found, grid: None)
    except (Entangled, Undecided):
        return None
    return found if found.graph.complete else None


def _holding(
    kind: type[FreedWalk], chosen: Chosen, parameters: Mapping[str, Any], graph: Graph,
    also: Callable[[Graph, Grid], None],
) -> Holding:  # fmt: skip
    """The sizes that are left by a walk and by what has to hold also; anew with a longer grid while that is too short."""
    names, base, axes = _free_axes(graph.inputs)
    lengths, work = [LENGTH] * len(base), Work()
    while True:
        grid = Grid(names, base, lengths, work)
        try:
            grid.quiet = True
            grid.work.counts = True
            found = expanded(kind(axes, grid, Sink(), RULES), chosen, parameters, None)
            grid.work.counts = False
            also(found, grid)
            grid.quiet = False
            return Holding(grid, found, tuple(axes))
        except TooShort as short:
            lengths = longer(lengths, short)


def _free_axes(inputs: tuple[Entry, ...]) -> tuple[list[str], list[int], list[tuple[int | None, ...]]]:
    """The axes that are free: all but the channels of images and volumes. Inputs of equal sizes share them."""
    numbers: dict[tuple[str, int], int] = {}
    axes: list[tuple[int | None, ...]] = []
    for entry in inputs:
        shape = entry.shape or ()
        names = _NAMES[len(shape)]
        axes.append(
            tuple(
                None if name == "" else numbers.setdefault((name, size), len(numbers))
                for name, size in zip(names, shape)
            )
        )
    taken: list[str] = []
    for name, _ in numbers:
        taken.append(name if name not in taken else f"{name}{taken.count(name) + 1}")
    return taken, [size for _, size in numbers], axes


_NAMES = {0: (), 1: ("L",), 2: ("T", "L"), 3: ("", "H", "W"), 4: ("", "D", "H", "W")}


def _same_modules(graph: Graph, found: Graph, grid: Grid) -> None:
    """Leave out the sizes for which a layer would have to be built otherwise."""
    walk = SizedWalk(grid, Sink(), {})
    for (_, built), (_, other) in zip(nodes_below(graph.root), nodes_below(found.root)):
        if isinstance(built, LayerNode) and isinstance(other, LayerNode) and varies(other.input):
            layer = built.layer
            assert layer is not None
            walk.holds(lambda: layer.call(built.input) == layer.call(other.input))  # type: ignore[arg-type]  # noqa: B023
