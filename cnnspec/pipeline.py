"""From text to graphs: `check` is the whole path, the first function to read."""

from __future__ import annotations

from cnnspec.compiler.models import (
    check_parameters,
    choose,
    chosen_again,
    expand,
    look_through,
    reached,
    recipe_for,
    recipes,
)
from cnnspec.compiler.place import Meter
from cnnspec.compiler.project import read_definitions
from cnnspec.diagnostics import Label, Sink, note
from cnnspec.errors import UsageError
from cnnspec.graph.nodes import Graph
from cnnspec.limits import LIMITS
from cnnspec.lint import lint, lint_file, lint_recipe
from cnnspec.record import replace
from cnnspec.source import Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from typing import Any

    from cnnspec.compiler.any_size import Holding
    from cnnspec.compiler.expansion import Chosen
    from cnnspec.compiler.names import Block
    from cnnspec.compiler.project import File
    from cnnspec.syntax import tree

__all__ = ["Graph", "check", "sizes_that_work"]

MARK = "cnnspec:"
"""What is in every comment that silences a warning."""


def check(
    source: Source,
    sink: Sink,
    *,
    model: str | None = None,
    parameters: Mapping[str, Any] | None = None,
    shapes: Sequence[tuple[int, ...]] = (),
    select: Collection[str] = (),
    fixes: bool = False,
    read: list[Source] | None = None,
) -> list[Graph]:
    """The graphs of the models of a file, or of one of them; every mistake goes to `sink`.

    `parameters` override the defaults of the models' parameters: values, or expressions that are still to be evaluated.
    `shapes` are those of the inputs, without the batch, in place of those that the spec has. Mistakes are then those that
    the spec has by itself, or else those that it has with these shapes. Raises UsageError for shapes of which the number,
    or that of their axes, is another than the spec's, and for sizes that `where` leaves out.
    `select` names warnings, or their first signs, that are off by default and wanted here.
    Blocks that no model uses are looked through as far as that goes without their arguments. With `fixes`, the errors are
    given the edits that would remove them. `read` takes up the source and those of the files that it imports.
    """
    with sink.at_most(LIMITS.errors):
        file = read_definitions(source, sink, read)
        values = dict(parameters or {})
        chosen = choose(file, model, sink)
        check_parameters(chosen, values, sink)
        used: set[Block] = set()
        graphs = inspect(file, chosen, values, sink, select, used=used, whole=model is None)
        given = bool(shapes) and not sink.has_errors
        if given:
            graphs = [_at(one, chosen, values, shapes, sink, select) for one in graphs]
        if not sink.has_errors:
            lint_file(file, sink, select, values.values())
        elif fixes and not given:
            _name_sizes(chosen, values, graphs, sink)
            _repair(file, chosen, values, graphs, sink, used)
        unseen = [block.definition.span for block in file.blocks.values() if block not in used]
        whole = bool(graphs) and model is None and not values and not sink.has_errors
        if any(MARK in one.text for one in {file.source, *(found.span.source for found in sink.diagnostics)}):
            from cnnspec.lint.suppress import suppress

            suppress(file.source, sink, unseen=unseen, whole=whole)
        return graphs
    return []


def _repair(
    file: File, chosen: list[Chosen], values: dict[str, Any], graphs: list[Graph], sink: Sink, used: set[Block]
) -> None:
    """Give the errors of a check the edits that would remove them."""
    from cnnspec.repair.search import repair

    right = {graph.name for graph in graphs if graph.complete}

    def again(
        other: File, models: list[tree.Model], trial: Sink, known: dict[Any, Any], meter: Meter, sizes: dict[str, int]
    ) -> list[Graph]:
        edited = []
        for definition in models:
            # Those that are wrong come first: they tell soonest whether an edit helps.
            for one in sorted(filter(lambda one: one.is_of(definition), chosen), key=lambda one: one.name.id in right):
                if other.scope is not file.scope:
                    one = chosen_again(one, other, trial)
                scope = other.scope if one.block.scope is file.scope else one.block.scope
                edited.append(one.with_definition(definition, scope))
        # Blocks that no model uses matter where the error is in one of them.
        given = {**values, **sizes}
        return inspect(other, edited, given, trial, known=known, used=set(used), whole=not models, meter=meter)

    definitions = list({id(one.definition): one.definition for one in chosen}.values())
    repair(file, definitions, graphs, again, sink)


def sizes_that_work(
    source: Source,
    sink: Sink,
    *,
    model: str | None = None,
    parameters: Mapping[str, Any] | None = None,
    shapes: Sequence[tuple[int, ...]] = (),
) -> list[Holding]:
    """The sizes of the input for which each model of a file holds, as it is built; every mistake goes to `sink`.

    It is built for the input that the spec has, or for the `shapes` that are given in its place.
    """
    from cnnspec.compiler.any_size import sizes_of_built
    from cnnspec.compiler.declared_sizes import sizes_without_where

    graphs = check(source, sink, model=model, parameters=parameters)
    built = check(source, sink, model=model, parameters=parameters, shapes=shapes) if shapes else graphs
    if sink.has_errors:
        return []
    chosen = {one.name.id: one for one in choose(read_definitions(source, Sink()), model, Sink())}
    values = dict(parameters or {})
    return [
        sizes_of_built(chosen[graph.name], values, one)
        if graph.sizes is None
        else sizes_without_where(chosen[graph.name], values, graph)
        for graph, one in zip(graphs, built)
    ]


def _at(
    graph: Graph, models: list[Chosen], parameters: dict[str, Any], shapes: Sequence[tuple[int, ...]], sink: Sink,
    select: Collection[str],
) -> Graph:  # fmt: skip
    """The graph of a model for inputs of these shapes. What is found with them takes the place of what the spec's own gave."""
    from cnnspec.compiler.any_size import GivenWalk
    from cnnspec.compiler.expansion import expanded

    declared = [entry.shape or () for entry in graph.inputs]
    if [*map(len, declared)] != [*map(len, shapes)]:
        raise UsageError(f"--input {_shown(shapes)} is no input of {graph.name}, which takes {_shown(declared)}")
    chosen, trial = next(one for one in models if one.name.id == graph.name), Sink()
    if graph.sizes is not None:
        sizes = graph.sizes.of_shapes(declared, shapes)
        if sizes is None:
            raise UsageError(
                f"--input {_shown(shapes)} is not admitted by {graph.name}, which takes {_shown(declared)}: "
                "`cnnspec sizes` tells which are"
            )
        found = expand(chosen, {**parameters, **sizes}, graph.recipe, trial)
    else:
        found = expanded(GivenWalk(shapes, trial), chosen, parameters, graph.recipe)
    for mistake in trial.diagnostics:
        label = Label(graph.input_span or graph.span, f"with --input {_shown(shapes)}")
        sink.add(replace(mistake, labels=(*mistake.labels, label)))
    if found.complete:
        _lint_anew(graph, found, sink, select)
    return found


def _lint_anew(graph: Graph, found: Graph, sink: Sink, select: Collection[str]) -> None:
    """Put what is legal and hardly meant of a network in place of what was reported of it with other sizes."""
    lint(graph.typical, earlier := Sink(), select)
    for one in earlier.diagnostics:
        sink.discard(one)
    lint(found, sink, select)


def _shown(shapes: Sequence[Sequence[object]]) -> str:
    """Shapes as --input takes them."""
    return ",".join("x".join(map(str, shape)) for shape in shapes)


def _name_sizes(chosen: list[Chosen], values: dict[str, Any], graphs: list[Graph], sink: Sink) -> None:
    """Say of shapes that differ for which sizes of the input they would not."""
    wrong = [found for found in sink.diagnostics if found.code.id in ("E208", "E209")]
    broken = [graph for graph in graphs if not graph.complete]
    declared = any(one.kind.id == "narrow" for found in wrong for one in found.suggestions)
    if not wrong or declared or len(broken) != 1:
        return
    from cnnspec.compiler.any_size import sizes_of_spec
    from cnnspec.sizes.sets import advice

    one = next(one for one in chosen if one.name.id == broken[0].name)
    holding = sizes_of_spec(one, values, broken[0])
    words = "" if holding is None else advice(holding.grid.names, holding.boxes, holding.grid.base)
    if words:
        for found in wrong:
            sink.replace(found.with_suggestions((*found.suggestions, note(words))))


def inspect(
    file: File,
    chosen: list[Chosen],
    values: dict[str, Any],
    sink: Sink,
    select: Collection[str] = (),
    known: dict[Any, Any] | None = None,
    used: set[Block] | None = None,
    *,
    whole: bool = True,
    meter: Meter | None = None,
) -> list[Graph]:
    """The graphs of some models of a file that has been read.

    `known` holds uses of blocks that were expanded before; `used` takes up the blocks that the models use, `meter` what all
    of it costs. Blocks that are not in `used` are looked through, where the file is checked as a `whole`.
    """
    used = set() if used is None else used
    known = {} if known is None else known
    graphs: list[Graph] = []
    meter = meter or Meter()
    with sink.at_most(LIMITS.errors):
        found = recipes(file, sink)
        for one in reached(file, chosen, values):
            if not meter.spent:
                graphs.append(expand(one, values, recipe_for(one, file, found), sink, known, used, meter))
        for block in file.blocks.values() if whole else ():
            if block not in used and not meter.spent:
                look_through(block, sink, known, meter)
        for graph in graphs:
            _judge(graph, values, sink, select)
    return graphs


def _judge(graph: Graph, values: dict[str, Any], sink: Sink, select: Collection[str]) -> None:
    """Compare a graph with its recipe, and report what is legal and hardly meant; of sizes by name, at typical ones."""
    if graph.recipe is not None:
        from cnnspec.recipe.recipe import recipe_of

        # Who sets a parameter has other data in mind than the recipe; training compares them in any case.
        named = any(setting.name.id == "data" for setting in graph.recipe.settings)
        recipe = recipe_of(graph, sink, compare=named and not values)
        if recipe is not None:
            lint_recipe(graph, recipe, sink, select)
    if graph.complete:
        lint(graph.typical, sink, select)
