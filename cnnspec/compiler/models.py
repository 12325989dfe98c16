"""The models of a file: which are asked for, their graphs, and the recipes that belong to them."""

from __future__ import annotations

from cnnspec.compiler.elaborate import new_walk
from cnnspec.compiler.expressions import constant
from cnnspec.compiler.flow import LOST
from cnnspec.compiler.names import Block, Deferred, Partial, Scope
from cnnspec.compiler.place import Place
from cnnspec.compiler.project import File
from cnnspec.compiler.stack import Stack
from cnnspec.declare import UNKNOWN, bind
from cnnspec.diagnostics import Label, Sink, Stop, codes, note
from cnnspec.diagnostics.similar_names import did_you_mean
from cnnspec.diagnostics.suggestions import listing
from cnnspec.graph.nodes import BlockUse, Entry, Graph, LayerNode, StackNode
from cnnspec.record import record, replace
from cnnspec.source import Span
from cnnspec.syntax import tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from cnnspec.compiler.walk import Walk


@record
class Chosen:
    """A model that is to be expanded: its definition, and for a variant what that gives it already."""

    name: tree.Name
    block: Block
    fixed: dict[str, Any]
    base: str
    """The name of the model that it is a variant of; its own where it is none."""

    @property
    def definition(self) -> tree.Model:
        assert isinstance(self.block.definition, tree.Model)
        return self.block.definition

    def is_of(self, model: tree.Model) -> bool:
        """Whether `model`, perhaps edited, is what this one is made of."""
        return self.block.name == model.name.id

    def with_definition(self, model: tree.Model, scope: Scope) -> Chosen:
        """The same with an edited definition, whose file has the names `scope`."""
        same = model is self.block.definition and scope is self.block.scope
        return self if same else replace(self, block=Block(model, scope))


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
    return [one for one in found if one is not None]


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
        helps = did_you_mean(item.base.id, [*file.models, *file.scope.names()])
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
    return Chosen(item.name, value.target, dict(bound.values), value.target.name)


def expand(
    chosen: Chosen,
    parameters: Mapping[str, Any],
    recipe: tree.Train | None,
    sink: Sink,
    known: dict[Any, Any] | None = None,
    used: set[Block] | None = None,
) -> Graph:
    """The graph of one model. `known` holds uses of blocks that were expanded before, and takes up new ones.

    `used` takes up the blocks that it uses.
    """
    walk = new_walk(sink, known)
    walk.used = set() if used is None else used
    return expanded(walk, chosen, parameters, recipe)


def expanded(walk: Walk, chosen: Chosen, parameters: Mapping[str, Any], recipe: tree.Train | None) -> Graph:
    """The graph of one model, by a walk that stands in front of it."""
    sink = walk.sink
    before = sum(found.severity == "error" for found in sink.diagnostics)
    model = chosen.definition
    walk.model = model
    walk.awaits_input = any(isinstance(item, tree.Input) for item in model.body.statements)
    walk.stack = Stack(arrival_named=False)
    values: dict[str, Any] = {}
    scope = Scope(chosen.block.scope)
    walk.scope = scope
    try:
        _bind_parameters(walk, chosen, parameters, values)
        walk.run(model.body, scope)
        walk.check_weights(walk.stack)
    except Stop:
        pass
    _check_beginning(model, walk, sink)
    root = walk.stack.node(None, chosen.name.id, walk.start, walk.flow, chosen.name.span, walk.feed)
    root = replace(root, block=BlockUse(model, ()))
    complete = sum(found.severity == "error" for found in sink.diagnostics) == before
    entries = tuple(walk.entries)
    if walk.reads_integers:
        entries = _with_types(entries, root)
    complete = complete and root.output is not None
    return Graph(chosen.name.id, values, root, complete, recipe, chosen.name.span.source, entries)


def _bind_parameters(walk: Walk, chosen: Chosen, parameters: Mapping[str, Any], values: dict[str, Any]) -> None:
    scope = walk.scope
    names = {parameter.name.id for parameter in chosen.definition.parameters}
    for name, given in parameters.items():
        if name not in names:
            walk.sizes[name] = walk.value(given) if isinstance(given, tree.Expression) else given
    for parameter in chosen.definition.parameters:
        name = parameter.name.id
        if name in chosen.fixed:
            values[name] = chosen.fixed[name]
        elif name in parameters:
            given = parameters[name]
            values[name] = walk.value(given) if isinstance(given, tree.Expression) else given
        elif parameter.default is not None:
            values[name] = walk.value(parameter.default)
        else:
            walk.sink.report(codes.NO_DEFAULT, parameter.span, name=name, model=chosen.name.id)
            values[name] = UNKNOWN
        scope.bind(name, values[name], parameter.name.span)


def _check_beginning(model: tree.Model, walk: Walk, sink: Sink) -> None:
    """Report a model that has no input, or nothing but its input; not where another mistake is the reason."""
    statements = model.body.statements
    has_input = walk.broken_input or any(isinstance(item, tree.Input) for item in statements)
    if not has_input and not any(isinstance(item, tree.Arriving) for item in statements):
        sink.report(codes.NO_INPUT, model.name.span, name=model.name.id)
    elif not sink.has_errors and all(isinstance(item, (tree.Input, tree.Let, tree.Function)) for item in statements):
        sink.report(codes.EMPTY_MODEL, model.name.span, name=model.name.id)


def _with_types(entries: tuple[Entry, ...], root: StackNode) -> tuple[Entry, ...]:
    """The inputs, with those marked that are of integers: a layer that reads integers takes them first."""
    takers = integer_inputs(root)
    return tuple(replace(entry, integers=number in takers) for number, entry in enumerate(entries))


def integer_inputs(node: StackNode) -> set[int]:
    """The numbers of the inputs of a body that a layer of integers reads."""
    from cnnspec.graph.nodes import ARRIVING, Wire
    from cnnspec.graph.walk import steps_of

    found: set[int] = set()
    for step in steps_of(node):
        child = step.again or (None if step.module.taken else node.children[step.module.index])
        if not isinstance(step.feed, Wire) or step.feed.kind != ARRIVING or child is None:
            continue
        number = step.feed.path[0] if step.feed.path else 0
        if isinstance(child, LayerNode):
            reads = child.layer is not None and child.layer.integers
        else:
            bodies = [child] if isinstance(child, StackNode) else getattr(child, "branches", ())
            reads = any(integer_inputs(body) for body in bodies)
        if reads:
            found.add(number)
    return found


def reached(file: File, chosen: list[Chosen], parameters: Mapping[str, Any]) -> list[Chosen]:
    """The models of which each parameter has a value, and the others that nothing in the file gives one.

    A model that variants or other models reach is checked with them.
    """
    if len(file.models) < 2:
        return chosen
    based = {item.base.id for item in file.models.values() if isinstance(item, tree.Variant)}
    definitions = [item for item in file.models.values() if isinstance(item, tree.Model)]
    for definition in [*definitions, *(block.definition for block in file.blocks.values())]:
        based |= {found.name.id for found in tree.walk(definition) if isinstance(found, tree.Layer)}
    return [one for one in chosen if one.name.id not in based or _has_values(one, parameters)]


def _has_values(chosen: Chosen, parameters: Mapping[str, Any]) -> bool:
    return all(
        parameter.default is not None or parameter.name.id in parameters or parameter.name.id in chosen.fixed
        for parameter in chosen.definition.parameters
    )


def look_through(block: Block, sink: Sink) -> None:
    """Look for mistakes in a block of which neither the arguments nor the input are known."""
    walk = new_walk(sink)
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
            labels = [Label(first.name.span, "given in this definition")]
            sink.report(codes.PARAMETER_FIXED, first.name.span, labels=labels, model=first.name.id, name=name)
            continue
        helps = did_you_mean(name, known | sizes)
        takes = f"its parameters are {listing(sorted(known))}" if known else "it has no parameters"
        sink.report(
            codes.UNKNOWN_MODEL_PARAMETER, first.name.span, helps=helps, model=first.name.id, name=name, known=takes
        )


def _size_names(model: tree.Model) -> set[str]:
    """Names of sizes of a model's inputs that stand for any number."""
    parameters = {parameter.name.id for parameter in model.parameters}
    items = [item for node in model.body.statements if isinstance(node, tree.Input) for item in node.shape.items]
    names = {item.id for item in items if isinstance(item, tree.Name)}
    return {name for name in names - parameters if name[0].isupper()}


def recipes(file: File, sink: Sink) -> dict[str, tree.Train]:
    """The recipe of each model; a variant that has none gets its base's, where that is in the file."""
    found: dict[str, tree.Train] = {}
    for recipe in file.recipes:
        _check_settings(recipe, sink)
        head = Span(file.source, recipe.span.start, recipe.span.start + len("train"))
        bases = [item for item in file.models.values() if isinstance(item, tree.Model)]
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
