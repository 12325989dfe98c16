"""The models of a file: which are asked for, their graphs, and the recipes that belong to them."""

from __future__ import annotations

from cnnspec.compiler.elaborate import new_walk
from cnnspec.compiler.expansion import Chosen, expanded
from cnnspec.compiler.expressions import constant
from cnnspec.compiler.flow import LOST
from cnnspec.compiler.names import Block, Deferred, Partial, Scope
from cnnspec.compiler.place import Meter, Place
from cnnspec.compiler.project import File
from cnnspec.compiler.stack import Stack
from cnnspec.declare import UNKNOWN, bind
from cnnspec.diagnostics import Label, Sink, Stop, codes, did_you_mean, note
from cnnspec.diagnostics.suggestions import listing
from cnnspec.graph.nodes import Graph
from cnnspec.source import Span
from cnnspec.syntax import tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


def choose(file: File, model: str | None, sink: Sink) -> list[Chosen]:
    """The models to check: the one that is asked for, or all."""
    start = Span(file.source, 0, 0)
    if model is None:
        if not (file.models or file.blocks or file.lets or sink.has_errors):
            sink.report(codes.NO_MODEL, start)
        items = list(file.models.values())
    elif model in file.models:
        items = [file.models[model]]
    else:
        known = f"the file has {listing(file.models)}" if file.models else "the file has no models"
        sink.report(codes.UNKNOWN_MODEL, start, helps=did_you_mean(model, file.models), name=model, known=known)
        items = []
    place = Place(sink, file.scope)
    found = [_chosen(file, item, place) for item in items]
    if any(isinstance(item, tree.Variant) and file.scope.find(item.base.id) is None for item in items):
        # The base of a variant is misspelt: what models lack may be what it gives them.
        found = [one for one in found if one is None or not _needs_variant(one)]
    return [one for one in found if one is not None]


def _needs_variant(one: Chosen) -> bool:
    return any(
        parameter.default is None and parameter.name.id not in one.fixed for parameter in one.definition.parameters
    )


def chosen_again(one: Chosen, file: File, sink: Sink) -> Chosen:
    """A model or variant in a file that has been edited."""
    if one.place is None:
        return one
    return _chosen(file, file.models[one.name.id], Place(sink, file.scope)) or one


def _chosen(file: File, item: tree.Model | tree.Variant, place: Place) -> Chosen | None:
    """A model or variant with what it needs; None where a variant is wrong, which is reported."""
    binding = file.scope.bindings.get(item.name.id)
    if isinstance(item, tree.Model):
        block = binding.value if binding is not None else None
        # A model that is called as a layer is has no name in the file.
        own = block if isinstance(block, Block) and block.definition is item else Block(item, file.scope)
        return Chosen(item.name, own, {}, item.name.id)
    base = file.scope.find(item.base.id)
    if base is None:
        bases = [name for name, one in file.scope.visible() if isinstance(one.value, Block) and one.value.is_model]
        helps = did_you_mean(item.base.id, bases) or did_you_mean(item.base.id, [*file.models, *file.scope.names()])
        place.sink.report(codes.UNKNOWN_MODEL, item.base.span, helps=helps, name=item.base.id, known="unknown here")
        return None
    if binding is None or not isinstance(binding.value, Deferred):
        return None
    value = constant(binding.value, item.base.span, place)
    if value is UNKNOWN:
        return None
    if not isinstance(value, Partial) or not isinstance(value.target, Block) or not value.target.is_model:
        example = note(f"`model {item.name.id} {{ input [...]; {item.base.span.text}... }}`")
        place.sink.report(codes.VARIANT_OF_BLOCK, item.base.span, helps=[example], name=item.base.id)
        return None
    bound = bind(value.target.signature, value.arguments, value.target.name, item.base.span, place.sink)
    # What is missing may still be given by -D or by another variant.
    return Chosen(item.name, value.target, dict(bound.values), value.target.name, place)


def expand(
    chosen: Chosen,
    parameters: Mapping[str, Any],
    recipe: tree.Train | None,
    sink: Sink,
    known: dict[Any, Any] | None = None,
    used: set[Block] | None = None,
    meter: Meter | None = None,
) -> Graph:
    """The graph of one model. `known` holds uses of blocks that were expanded before, and takes up new ones.

    `used` takes up the blocks that it uses, `meter` what it costs.
    """
    used = set() if used is None else used
    names = _free_sizes(chosen, parameters)
    if names:
        from cnnspec.compiler.declared_sizes import expand_for_all

        meter = meter or Meter()
        others = meter.steps - meter.unsearched
        try:
            return expand_for_all(names, chosen, parameters, recipe, sink, used, meter)
        finally:
            meter.unsearched = meter.steps - others
    walk = new_walk(sink, known)
    walk.meter = meter or walk.meter
    walk.used = used
    return expanded(walk, chosen, parameters, recipe)


def reached(file: File, chosen: list[Chosen], parameters: Mapping[str, Any]) -> list[Chosen]:
    """The models of which each parameter has a value, and the others that nothing in the file gives one.

    A model that variants or other models reach is checked with them.
    """
    without = {id(one) for one in chosen if not _has_values(one, parameters)}
    if len(file.models) < 2 or not without:
        return chosen
    based = {item.base.id for item in file.models.values() if isinstance(item, tree.Variant)}
    definitions = [item for item in file.models.values() if isinstance(item, tree.Model)]
    for definition in [*definitions, *(block.definition for block in file.blocks.values())]:
        based |= {found.name.id for found in tree.walk(definition) if isinstance(found, tree.Layer)}
    return [one for one in chosen if one.name.id not in based or id(one) not in without]


def _has_values(chosen: Chosen, parameters: Mapping[str, Any]) -> bool:
    return all(
        parameter.default is not None or parameter.name.id in parameters or parameter.name.id in chosen.fixed
        for parameter in chosen.definition.parameters
    )


def look_through(block: Block, sink: Sink, known: dict[Any, Any], meter: Meter) -> None:
    """Look for mistakes in a block of which neither the arguments nor the input are known."""
    walk = new_walk(sink, known)
    walk.meter = meter
    inner = Scope(block.scope)
    for parameter in block.definition.parameters:
        inner.bind(parameter.name.id, UNKNOWN, parameter.name.span)
    walk.flow = LOST
    walk.model = block.definition if isinstance(block.definition, tree.Model) else None
    walk.stack = Stack(arrival_named=True)
    try:
        walk.run(block.definition.body, inner)
        walk.check_weights(walk.stack)
    except Stop:
        pass


def check_parameters(chosen: list[Chosen], values: dict[str, Any], sink: Sink) -> None:
    """Report what -D or a keyword gives and no model takes."""
    if not chosen:
        return
    open_ones = [(one, parameter.name.id) for one in chosen for parameter in one.definition.parameters]
    known = {name for one, name in open_ones if name not in one.fixed}
    sizes = {name for one in chosen for name in _size_names(one.definition)}
    for name in values:
        if name in known or name in sizes:
            continue
        first = chosen[0]
        if name in first.fixed:
            sink.report(codes.PARAMETER_FIXED, first.name.span, model=first.name.id, name=name)
            continue
        helps = did_you_mean(name, known | sizes)
        takes = f"its parameters are {listing(sorted(known))}" if known else "it has no parameters"
        sink.report(
            codes.UNKNOWN_MODEL_PARAMETER, first.name.span, helps=helps, model=first.name.id, name=name, known=takes
        )


def _free_sizes(chosen: Chosen, parameters: Mapping[str, Any]) -> list[str]:
    """The names of sizes of a model's inputs that stand for any number, in their order."""
    names = _size_names(chosen.definition)
    return [name for name in names if name not in parameters and chosen.block.scope.find(name) is None]


def _size_names(model: tree.Model) -> dict[str, None]:
    """Names of sizes of a model's inputs that stand for any number."""
    parameters = {parameter.name.id for parameter in model.parameters}
    items = [item for node in model.body.statements if isinstance(node, tree.Input) for item in node.shape.items]
    names = [item.id for item in items if isinstance(item, tree.Name)]
    return {name: None for name in names if name not in parameters and name[0].isupper()}


def recipes(file: File, sink: Sink) -> dict[str, tree.Train]:
    """The recipe of each model; a variant that has none gets its base's, where that is in the file."""
    found: dict[str, tree.Train] = {}
    bases = [item for item in file.models.values() if isinstance(item, tree.Model)]
    for recipe in file.recipes:
        _check_settings(recipe, sink)
        head = Span(file.source, recipe.span.start, recipe.span.start + len("train"))
        if recipe.model is None and len(bases) > 1:
            problem, label = "the file has several models", "say which: `train Name { ... }`"
            sink.report(codes.TRAIN_TARGET, head, problem=problem, label=label)
            continue
        first = next((item.name.id for item in bases), next(iter(file.models), ""))
        name = recipe.model.id if recipe.model else first
        span = recipe.model.span if recipe.model else head
        if name in found:
            earlier = found[name].model
            place = earlier.span if earlier else Span(file.source, found[name].span.start, found[name].span.start + 5)
            labels, problem = [Label(place, "the first one")], f"model `{name}` has two recipes"
            sink.report(codes.TRAIN_TARGET, span, labels=labels, problem=problem, label="the second one")
        elif name in file.models:
            found[name] = recipe
        elif recipe.model is not None and not file.is_unknown(name):
            helps, problem = did_you_mean(name, file.models), f"there is no model `{name}` to train"
            sink.report(codes.TRAIN_TARGET, span, helps=helps, problem=problem, label="unknown")
    return found


def recipe_for(chosen: Chosen, file: File, found: Mapping[str, tree.Train]) -> tree.Train | None:
    """The recipe of a model; that of its base, or of the variant that it is one of, where it has none itself."""
    name: str | None = chosen.name.id
    seen: set[str] = set()
    while name is not None and name not in seen:
        if name in found:
            return found[name]
        seen.add(name)
        item = file.models.get(name)
        name = item.base.id if isinstance(item, tree.Variant) else None
    return None


def _check_settings(recipe: tree.Train, sink: Sink) -> None:
    seen: dict[str, Span] = {}
    for setting in recipe.settings:
        name = setting.name.id if setting.part is None else f"{setting.name.id}.{setting.part.id}"
        first = seen.setdefault(name, setting.name.span)
        if first is not setting.name.span:
            labels = [Label(first, "first set here")]
            sink.report(codes.DUPLICATE_SETTING, setting.name.span, labels=labels, name=name)
