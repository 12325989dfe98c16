"""Walks of which the input has sizes that are free: what is true for some of them, and what for all.

A walk goes through a model once, for all sizes at once: the sizes of its values are functions of the free ones. Whatever a
layer, a merge or the spec asks about them is answered for all sizes exactly (`cnnspec.sizes`). Sizes for which the network
does not hold are left out from there on, so that at the end those remain for which it does.
"""

from __future__ import annotations

from cnnspec.compiler.flow import LOST, Flow, Known, Several
from cnnspec.compiler.walk import Walk, known_of
from cnnspec.declare import Reject
from cnnspec.diagnostics import Sink
from cnnspec.graph.nodes import Entry, Graph, LayerNode
from cnnspec.graph.walk import walk as nodes_below
from cnnspec.layers.base import AnySize, Layer
from cnnspec.record import record
from cnnspec.sizes.region import Region, TooShort
from cnnspec.sizes.rules import cases, together
from cnnspec.sizes.size import Grid
from cnnspec.syntax import tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from cnnspec.compiler.models import Chosen

_LENGTH = 64
"""Points of a grid to begin with; where they are too few it is made longer, and the walk is done anew."""


class SizedWalk(Walk):
    """A walk for the sizes in the region of `grid`, which is narrowed to those for which the network holds."""

    def __init__(self, grid: Grid, sink: Sink, rules: dict[type, Callable[[Walk, Any], None]]) -> None:
        super().__init__(sink, rules, {})
        self.grid = grid

    def infer(self, layer: Layer, shape: Any) -> Any:
        """The shape behind a layer for all sizes that it accepts; raises Reject where it accepts none."""
        if not varies(shape):
            return layer.infer(shape)
        return self._accepted(cases(self.grid, lambda: layer.infer(shape), Reject), Reject)

    def holds(self, question: Callable[[], bool]) -> bool:
        """Whether something is true; where it is for some sizes alone, the others are left out."""
        found = cases(self.grid, question)
        yes = [region for region, answer in found if answer]
        if yes and len(yes) < len(found):
            self.grid.region = self.grid.extent.union(yes)
        return bool(yes)

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
        return super().outcome(layers, _without_sizes(known))


class BuiltWalk(SizedWalk):
    """A walk through a network as it has been built for one size: what its spec says of that size is no condition."""

    checks_claims = False

    def number(self, size: int) -> int:
        return int(size)

    def input_sizes(self, node: tree.Input, sizes: list[int | None]) -> list[int | None]:
        free = self.axes[len(self.entries)]
        return [size if axis is None else self.grid.variables[axis] for size, axis in zip(sizes, free)]

    def __init__(
        self, axes: list[tuple[int | None, ...]], grid: Grid, sink: Sink, rules: dict[type, Callable[[Walk, Any], None]]
    ) -> None:
        super().__init__(grid, sink, rules)
        self.axes = axes


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


def sizes_of_built(chosen: Chosen, parameters: Mapping[str, Any], graph: Graph) -> Holding:
    """The sizes of the input for which a network holds that has been built for one size, with the weights it has.

    Raises Entangled where that can't be decided.
    """
    names, base, axes = _free_axes(graph.inputs)
    lengths = [_LENGTH] * len(base)
    while True:
        grid = Grid(names, base, lengths)
        try:
            found = _walk_built(chosen, parameters, grid, axes)
            _same_modules(graph, found, grid)
            return Holding(grid, found, tuple(axes))
        except TooShort as short:
            lengths[short.axis] = max(short.length, lengths[short.axis] * 5 // 4)


def _walk_built(chosen: Chosen, parameters: Mapping[str, Any], grid: Grid, axes: list[tuple[int | None, ...]]) -> Graph:
    from cnnspec.compiler.elaborate import RULES
    from cnnspec.compiler.models import expanded

    return expanded(BuiltWalk(axes, grid, Sink(), RULES), chosen, parameters, None)


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
