"""The same questions, answered one size after another with plain numbers."""

from __future__ import annotations

from typing import Any

from cnnspec.compiler.any_size import Holding, sizes_of_built
from cnnspec.compiler.declared_sizes import sizes_without_where
from cnnspec.compiler.elaborate import RULES
from cnnspec.compiler.expansion import Chosen, expanded
from cnnspec.compiler.models import choose
from cnnspec.compiler.project import read_definitions
from cnnspec.compiler.routing import differs
from cnnspec.compiler.walk import Walk
from cnnspec.diagnostics import Sink
from cnnspec.graph.nodes import Graph
from cnnspec.pipeline import check
from cnnspec.sizes.sets import boxes, contains
from cnnspec.source import Source
from cnnspec.syntax import tree


class OneSize(Walk):
    """A walk with other numbers for the sizes of the input, which believes what the spec says of its own."""

    checks_claims = False

    def __init__(self, shapes: list[tuple[int, ...]], sink: Sink) -> None:
        super().__init__(sink, RULES, {})
        self.shapes = shapes

    def input_sizes(self, node: tree.Input, sizes: Any) -> Any:
        return list(self.shapes[len(self.entries)])


class AnyWhere(Walk):
    """A walk for one size of each name, whatever `where` says of it."""

    def admits(self, condition: Any) -> bool:
        return True


class Oracle:
    """A model of a file: as it is built for the sizes that it declares, or where these are names for all of them."""

    def __init__(self, text: str, path: str = "<text>", model: str | None = None) -> None:
        source = Source(path, text)
        sink = Sink()
        graphs = check(source, sink, model=model)
        assert not sink.has_errors, [found.message for found in sink.diagnostics]
        self.graph: Graph = graphs[0]
        self.chosen: Chosen = next(
            one for one in choose(read_definitions(source, Sink()), model, Sink()) if one.name.id == self.graph.name
        )

    def holding(self) -> Holding:
        if self.graph.sizes is not None:
            return sizes_without_where(self.chosen, {}, self.graph)
        return sizes_of_built(self.chosen, {}, self.graph)

    def holds(self, holding: Holding, sizes: tuple[int, ...]) -> bool:
        """Whether the network takes an input of these sizes, by what the check says of that one size."""
        sink = Sink()
        if self.graph.sizes is not None:
            given = dict(zip(holding.grid.names, sizes))
            return expanded(AnyWhere(sink, RULES, {}), self.chosen, given, None).complete
        shapes = [
            tuple(size if axis is None else sizes[axis] for axis, size in zip(axes, entry.shape or ()))
            for axes, entry in zip(holding.axes, self.graph.inputs)
        ]
        found = expanded(OneSize(shapes, sink), self.chosen, {}, None)
        return not sink.has_errors and differs(self.graph.root, found.root) is None


def sizes_found(holding: Holding) -> Any:
    """What tells whether sizes are among those that were found."""
    found = boxes(holding.grid.region)
    return lambda sizes: contains(found, sizes)
