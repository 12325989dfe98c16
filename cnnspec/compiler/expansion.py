"""One model, from its definition to its graph, by a walk that stands in front of it."""

from __future__ import annotations

from cnnspec.compiler.names import Block, Scope
from cnnspec.compiler.stack import Stack
from cnnspec.declare import UNKNOWN
from cnnspec.diagnostics import Sink, Stop, codes
from cnnspec.graph.nodes import BlockUse, Entry, Graph, LayerNode, StackNode
from cnnspec.record import record, replace
from cnnspec.syntax import tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from cnnspec.compiler.place import Place
    from cnnspec.compiler.walk import Walk


@record
class Chosen:
    """A model that is to be expanded: its definition, and for a variant what that gives it already."""

    name: tree.Name
    block: Block
    fixed: dict[str, Any]
    base: str
    """The name of the model that it is a variant of; its own where it is none."""
    place: Place | None = None
    """Where the arguments of a variant were worked out."""

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


def expanded(walk: Walk, chosen: Chosen, parameters: Mapping[str, Any], recipe: tree.Train | None) -> Graph:
    """The graph of one model, by a walk that stands in front of it."""
    sink, before = walk.sink, walk.meter.mistakes
    model = chosen.definition
    walk.model = model
    walk.awaits_input = any(isinstance(item, tree.Input) for item in model.body.statements)
    walk.stack = Stack(arrival_named=False)
    values: dict[str, Any] = {}
    scope = Scope(chosen.block.scope)
    walk.scope = scope
    if chosen.place is not None:
        walk.written.update(chosen.place.written)
    stopped = True
    try:
        if walk.counts_model:
            walk.meter.model(chosen.name.span, sink)
        _bind_parameters(walk, chosen, parameters, values)
        walk.run(model.body, scope)
        walk.check_weights(walk.stack)
        stopped = False
    except Stop:
        pass
    _check_beginning(model, walk, sink)
    root = walk.stack.node(None, chosen.name.id, walk.start, walk.flow, chosen.name.span, walk.feed)
    root = replace(root, block=BlockUse(model, ()))
    entries = tuple(walk.entries)
    if walk.reads_integers:
        entries = _with_types(entries, root)
    complete = walk.meter.mistakes == before and not stopped and root.output is not None
    source, fixed = chosen.name.span.source, tuple(chosen.fixed)
    at = ", ".join(f"{name} = {size}" for name, size in walk.sizes.items() if size.__class__ is int)
    return Graph(chosen.name.id, values, root, complete, recipe, source, entries, at=at, fixed=fixed)


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
