"""The models of a file: which are asked for, their graphs, and the recipes that belong to them."""

from __future__ import annotations

from contextlib import suppress

from cnnspec.compiler.elaborate import Elaborator
from cnnspec.compiler.expressions import Stop
from cnnspec.compiler.flow import LOST
from cnnspec.compiler.names import Scope
from cnnspec.compiler.project import File
from cnnspec.declare import UNKNOWN
from cnnspec.diagnostics import Label, Sink, codes
from cnnspec.diagnostics.suggest import did_you_mean, listing
from cnnspec.graph.nodes import Graph
from cnnspec.source import Span
from cnnspec.syntax import tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


def expand(
    file: File,
    model: tree.Model,
    parameters: Mapping[str, Any],
    recipe: tree.Train | None,
    sink: Sink,
    known: dict[Any, Any] | None = None,
) -> Graph:
    """The graph of one model. `known` holds uses of blocks that were expanded before, and takes up new ones."""
    before = sum(found.severity == "error" for found in sink.diagnostics)
    walk = Elaborator(sink, known)
    walk.in_model = True
    walk.awaits_input = any(isinstance(item, tree.Input) for item in model.body.statements)
    scope = Scope(file.scope)
    values: dict[str, Any] = {}
    try:
        walk.scope = scope
        for parameter in model.parameters:
            name = parameter.name.id
            if name in parameters:
                given = parameters[name]
                values[name] = walk.value(given) if isinstance(given, tree.Expression) else given
            elif parameter.default is not None:
                values[name] = walk.value(parameter.default)
            else:
                sink.report(codes.NO_DEFAULT, parameter.span, name=name, model=model.name.id)
                values[name] = UNKNOWN
            scope.bind(name, values[name], parameter.name.span)
        walk.run(model.body, scope)
    except Stop:
        pass
    _check_beginning(model, walk, sink)
    root = walk.stack.node(None, model.name.id, walk.start, walk.flow, model.name.span)
    complete = sum(found.severity == "error" for found in sink.diagnostics) == before
    given = next((item.span for item in model.body.statements if isinstance(item, tree.Input)), None)
    return Graph(model.name.id, values, root, complete and root.output is not None, recipe, file.source, given)


def _check_beginning(model: tree.Model, walk: Elaborator, sink: Sink) -> None:
    """Report a model that has no input, or nothing but its input; not where another mistake is the reason."""
    statements = model.body.statements
    if not walk.has_input and not any(isinstance(item, tree.Input) for item in statements):
        sink.report(codes.NO_INPUT, model.name.span, name=model.name.id)
    elif not sink.has_errors and all(isinstance(item, (tree.Input, tree.Let)) for item in statements):
        sink.report(codes.EMPTY_MODEL, model.name.span, name=model.name.id)


def look_through(block: tree.Block | tree.Model, scope: Scope, sink: Sink) -> None:
    """Look for mistakes in a block of which neither the arguments nor the input are known."""
    walk = Elaborator(sink)
    inner = Scope(scope)
    for parameter in block.parameters:
        inner.bind(parameter.name.id, UNKNOWN, parameter.name.span)
    walk.flow = LOST
    with suppress(Stop):
        walk.run(block.body, inner)


def choose(file: File, model: str | None, sink: Sink) -> list[tree.Model]:
    """The models to check: the one that is asked for, or all."""
    start = Span(file.source, 0, 0)
    if model is None:
        if not file.models and not file.blocks and not sink.has_errors:
            sink.report(codes.NO_MODEL, start)
        return list(file.models.values())
    if model in file.models:
        return [file.models[model]]
    helps = did_you_mean(model, file.models)
    known = f"the file has {listing(file.models)}" if file.models else "the file has no models"
    sink.report(codes.UNKNOWN_MODEL, start, helps=helps, name=model, known=known)
    return []


def check_parameters(file: File, chosen: list[tree.Model], values: dict[str, Any], sink: Sink) -> None:
    known = {parameter.name.id for model in chosen for parameter in model.parameters}
    for name in values:
        if name not in known and chosen:
            helps = did_you_mean(name, known)
            takes = f"its parameters are {listing(sorted(known))}" if known else "it has no parameters"
            names = chosen[0].name.id
            span = chosen[0].name.span
            sink.report(codes.UNKNOWN_MODEL_PARAMETER, span, helps=helps, model=names, name=name, known=takes)


def recipes(file: File, sink: Sink) -> dict[str, tree.Train]:
    """The recipe of each model."""
    found: dict[str, tree.Train] = {}
    for recipe in file.recipes:
        seen: dict[str, Span] = {}
        for setting in recipe.settings:
            first = seen.setdefault(setting.name.id, setting.name.span)
            if first is not setting.name.span:
                labels = [Label(first, "first set here")]
                sink.report(codes.DUPLICATE_SETTING, setting.name.span, labels=labels, name=setting.name.id)
        head = Span(file.source, recipe.span.start, recipe.span.start + len("train"))
        if recipe.model is None and len(file.models) > 1:
            problem, label = "the file has several models", "say which: `train Name { ... }`"
            sink.report(codes.TRAIN_TARGET, head, problem=problem, label=label)
            continue
        name = recipe.model.id if recipe.model else next(iter(file.models), "")
        span = recipe.model.span if recipe.model else head
        if name in found:
            earlier = found[name].model
            first = earlier.span if earlier else Span(file.source, found[name].span.start, found[name].span.start + 5)
            labels, problem = [Label(first, "the first one")], f"model `{name}` has two recipes"
            sink.report(codes.TRAIN_TARGET, span, labels=labels, problem=problem, label="the second one")
        elif name in file.models:
            found[name] = recipe
        elif recipe.model is not None and not file.is_unknown(name):
            helps, problem = did_you_mean(name, file.models), f"there is no model `{name}` to train"
            sink.report(codes.TRAIN_TARGET, span, helps=helps, problem=problem, label="unknown")
    return found
