"""From text to graphs: `check` is the whole path, the first function to read."""

from __future__ import annotations

from cnnspec.compiler.graph import Graph
from cnnspec.compiler.imports import read_definitions
from cnnspec.compiler.lint import lint
from cnnspec.compiler.models import check_parameters, choose, expand, look_through, recipes
from cnnspec.diagnostics import Sink
from cnnspec.syntax.source import Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

__all__ = ["Graph", "check"]


def check(
    source: Source, sink: Sink, *, model: str | None = None, parameters: Mapping[str, Any] | None = None
) -> list[Graph]:
    """The graphs of the models of a file, or of one of them; every mistake goes to `sink`.

    `parameters` override the defaults of the models' parameters: values, or expressions that are still to be evaluated.
    Blocks that no model uses are looked through as far as that goes without their arguments.
    """
    file = read_definitions(source, sink)
    values = dict(parameters or {})
    chosen = choose(file, model, sink)
    check_parameters(file, chosen, values, sink)
    blocks = recipes(file, sink)
    graphs = [expand(file, definition, values, blocks.get(definition.name.id), sink) for definition in chosen]
    for block in file.blocks.values():
        if not block.used:
            look_through(block.definition, block.scope, sink)
    for graph in graphs:
        if graph.recipe is not None:
            from cnnspec.train.recipe import recipe_of

            # Who sets a parameter has other data in mind than the recipe; training compares them in any case.
            named = any(setting.name.id == "data" for setting in graph.recipe.settings)
            recipe_of(graph, sink, compare=named and not values)
        if graph.complete:
            lint(graph, sink)
    return graphs
