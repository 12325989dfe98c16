"""From the tree to the graph: expand blocks, loops and conditions and infer every shape, in one walk.

Here is which rule belongs to which statement, and the rules of layers and blocks.
"""

from __future__ import annotations

from itertools import chain, islice

from cnnspec import layers
from cnnspec.compiler import inputs
from cnnspec.compiler.expressions import arguments, constant
from cnnspec.compiler.flow import LOST, Flow, Known, identity_of
from cnnspec.compiler.layer_rule import torch_layer
from cnnspec.compiler.names import Block, Deferred, Function, Made, Partial, Scope, Value, Values, chosen_at
from cnnspec.compiler.stack import Stack
from cnnspec.compiler.values import describe
from cnnspec.compiler.walk import Use, Walk
from cnnspec.declare import UNKNOWN, Argument, bind, spell
from cnnspec.diagnostics import Label, Sink, Suggestion, codes, did_you_mean, note
from cnnspec.diagnostics.suggestions import SPELLING
from cnnspec.graph.nodes import BlockUse, StackNode
from cnnspec.layers import Layer
from cnnspec.record import replace
from cnnspec.syntax import tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from cnnspec.source import Span


def new_walk(sink: Sink, known: dict[Any, Any] | None = None) -> Walk:
    """A walk that stands in front of a model. `known` holds uses of blocks that were expanded before."""
    return Walk(sink, RULES, {} if known is None else known)


# --- text that is no statement ---


def _invalid(walk: Walk, node: tree.Invalid) -> None:
    """Go on behind text that is no statement. What it would have named is unknown then, not missing."""
    inputs.invalid(walk, node)
    for name in node.names:
        walk.scope.bind(name, UNKNOWN, node.span)
    found = walk.find(node.word) if node.word else None
    if found is not None and isinstance(found.value, (Block, type, Partial)):
        walk.gap(node.word, node.span, _muted(walk, found.value, None))
        return
    walk.gap("", node.span)


# --- names ---


def _let(walk: Walk, node: tree.Let) -> None:
    walk.bind(node.name, walk.value(node.value))


def _function(walk: Walk, node: tree.Function) -> None:
    walk.bind(node.name, Function(node, walk.scope))


def _assert(walk: Walk, node: tree.Assert) -> None:
    from cnnspec.compiler.routing import check_assertion

    check_assertion(walk, node)


# --- layers and blocks ---


def _layer(walk: Walk, node: tree.Layer) -> None:
    found = walk.find(node.name.id)
    value = None if found is None else found.value
    if isinstance(value, Deferred):
        value = constant(value, node.name.span, walk)
    if found is None:
        _unknown_layer(walk, node)
    elif not _apply(walk, value, node):
        if value is not UNKNOWN:
            labels = [Label(found.span, "bound here")] if found.span else []
            name = node.name.id
            if isinstance(value, (Value, Values)):
                helps = [note(f"go on from it: `use {name}`")]
            else:
                helps = []
            walk.sink.report(
                codes.NOT_CALLABLE, node.name.span, labels=labels, helps=helps, name=name, found=describe(value)
            )
        _wrong(walk, node)


def _apply(walk: Walk, value: Any, node: tree.Layer) -> bool:
    """Run a layer or a block, with what a `let` has given it already; False where the value is neither."""
    earlier: tuple[Argument, ...] = ()
    if isinstance(value, Partial):
        value, earlier = value.target, value.arguments
    if isinstance(value, Block):
        _block(walk, value, earlier, node)
    elif isinstance(value, type) and issubclass(value, Layer):
        torch_layer(walk, value, earlier, node)
    else:
        return False
    return True


def _unknown_layer(walk: Walk, node: tree.Layer) -> None:
    name = node.name.id
    from cnnspec.layers.out_of_scope import instead_of

    instead = instead_of(name)
    if instead:
        walk.sink.report(codes.OUT_OF_SCOPE, node.name.span, helps=[note(instead)], name=name)
        _wrong(walk, node)
        return
    known = walk.sink.suggested(codes.UNKNOWN_LAYER, node.name.span)
    helps = _similar(walk, name) if known is None else known
    walk.sink.report(codes.UNKNOWN_LAYER, node.name.span, helps=helps, name=name)
    _wrong(walk, node, _meant(walk, helps))


def _similar(walk: Walk, name: str) -> tuple[Suggestion, ...]:
    """The layers and blocks that a name which is none may mean."""
    from cnnspec.diagnostics.similar_names import closest

    if closest(name, ["Sequential"]):
        return (note("statements run one after another already: write the layers without it"),)
    here = walk.flow if isinstance(walk.flow, Flow) and walk.flow.sizes is not None else walk.start
    from cnnspec.compiler.advice import of_rank

    return of_rank(did_you_mean(name, _layer_names(walk)), here)


def _layer_names(walk: Walk) -> frozenset[str]:
    """The names of layers and blocks that are seen here; worked out once for as long as no name is bound."""
    from cnnspec.diagnostics.similar_names import MOST

    scopes = []
    scope: Scope | None = walk.scope
    while scope is not None:
        scopes.append((scope, len(scope.bindings)))
        scope = scope.outer
    # A body of its own that binds nothing sees what the one around it does.
    key = tuple(one for one in scopes if one[1])
    if walk.layer_names is None or walk.layer_names[0] != key:
        own = (name for name, binding in walk.scope.visible() if _is_layer(binding.value))
        walk.layer_names = (key, frozenset(islice(chain(layers.names(), own), MOST)))
    return walk.layer_names[1]


def _is_layer(value: object) -> bool:
    return isinstance(value, (Block, Partial, Deferred)) or (isinstance(value, type) and issubclass(value, Layer))


def _meant(walk: Walk, helps: tuple[Suggestion, ...]) -> Any:
    """The layer or block that a misspelt name can only mean."""
    from cnnspec.diagnostics.similar_names import is_plain

    if not helps or helps[0].kind is not SPELLING:
        return None
    facts = helps[0].facts
    written, meant, ties = str(facts["written"]), str(facts["meant"]), facts["ties"]
    if not isinstance(ties, tuple) or not is_plain(written, meant, ties):
        return None
    found = walk.find(meant)
    return None if found is None else found.value


def _wrong(walk: Walk, node: tree.Layer, meant: Any = None) -> None:
    """Go on behind a statement that names no layer; its arguments may hold mistakes of their own."""
    for argument in node.arguments:
        walk.value(argument.value)
    walk.label(node.tail)
    walk.gap(node.name.id, node.span, LOST if meant is None else _muted(walk, meant, node))
    walk.finish(node.tail, Made(walk.stack, len(walk.stack.children) - 1, node, walk.scope))


def _muted(walk: Walk, meant: Any, node: tree.Layer | None) -> Known:
    """What is sure behind a layer or block that was most likely meant; what is wrong with it is not told."""
    if node is None:
        value = meant.target if isinstance(meant, Partial) else meant
        if not (isinstance(value, type) and issubclass(value, Layer)):
            return LOST
        from cnnspec.compiler.standins import outcome, variants

        made = value.build({})
        assert isinstance(made, Layer)
        return outcome(variants(made, list(value.fields)), LOST)[0]
    outer = walk.sink, walk.stack, walk.flow, walk.feed, walk.depth
    walk.sink = Sink()
    walk.stack = Stack(walk.stack, arrival_named=True)
    try:
        bare = replace(node, tail=tree.Tail(None, None))
        return walk.flow if _apply(walk, meant, bare) else LOST
    finally:
        walk.sink, walk.stack, walk.flow, walk.feed, walk.depth = outer


def _block(walk: Walk, block: Block, earlier: tuple[Argument, ...], node: tree.Layer) -> None:
    walk.used.add(block)
    if any(use.block is block for use in walk.uses):
        chain = [use.block.name for use in walk.uses]
        chain = [*chain[chain.index(block.name) :], block.name]
        walk.sink.report(codes.RECURSION, node.name.span, name=block.name, chain=" uses ".join(chain))
        _wrong(walk, node)
        return
    written = [*earlier, *arguments(block, node.arguments, walk)]
    bound = bind(block.signature, written, block.name, node.name.span, walk.sink)
    label = walk.label(node.tail)
    stack, made, end = _expand(walk, block, bound.values, bound.spans, node)
    if isinstance(walk.flow, Flow) and isinstance(end, Flow):
        end = walk.flow.through(end, node.head)
    values, modules = walk.stack.needs_of(stack)
    made = replace(made, label=label, span=node.head)
    walk.add(made, end, node.tail, values=values, modules=modules, counted=True, statement=node)


def _expand(
    walk: Walk, block: Block, values: dict[str, Any], spans: dict[str, Span], node: tree.Layer
) -> tuple[Stack, StackNode, Known]:
    """The module of a block. Equal uses are expanded once."""
    named = walk.stack.has_name(walk.stack.resolve(walk.feed), walk.flow)
    key = (block, tuple((name, _identity(value)) for name, value in values.items()), identity_of(walk.flow), named)
    known = walk.expanded.get(key) or walk.failed.get(key)
    stack = Stack(arrival_named=named)
    if known is not None:
        walk.meter.add_layers(known[0].layers, node.span, walk.sink)
        for name, value in values.items():
            walk.outer_values(value, name, stack)
        return stack, known[0], known[1]
    walk.meter.expansion(node.span, walk.sink)
    chosen = chosen_at(node.arguments, walk.scope)
    before = len(walk.sink), walk.meter.mistakes
    outer = walk.scope, walk.depth, walk.passes, walk.awaits_input
    walk.uses.append(Use(block, node.head, tuple(walk.passes)))
    walk.scope, walk.passes, walk.awaits_input = Scope(block.scope), [], False
    scope = walk.scope
    for parameter in block.definition.parameters:
        name = parameter.name.id
        if name in values:
            given = chosen.get(spans[name], spans[name])
            scope.bind(name, walk.outer_values(values[name], name, stack), parameter.name.span, given)
        else:
            default = parameter.default
            value = UNKNOWN if default is None else walk.value(default)
            scope.bind(name, value, parameter.name.span, None if default is None else default.span)
    body = block.definition.body
    made, end = walk.inside(stack, walk.flow, block.name, body.span, lambda: walk.run(body, scope))
    made = replace(made, block=BlockUse(block.definition, _plain_values(block, scope)))
    walk.uses.pop()
    walk.scope, walk.depth, walk.passes, walk.awaits_input = outer
    fine = end.shape is not None and (len(walk.sink), walk.meter.mistakes) == before
    (walk.expanded if fine else walk.failed)[key] = made, end
    return stack, made, end


def _plain_values(block: Block, scope: Scope) -> tuple[tuple[str, Any], ...]:
    """The parameters of a block with their values, without those that are layers, blocks or values of the network."""
    named = [(name, scope.bindings[name].value) for name in block.signature.fields if name in scope.bindings]
    return tuple((name, value) for name, value in named if isinstance(value, (int, float, str)))


def _identity(value: Any) -> Any:
    """What tells an argument from others: itself, or what it is where two that are spelled alike differ."""
    if isinstance(value, Values):
        return ("values", *map(_identity, value))
    if isinstance(value, (list, tuple)):
        return (value.__class__ is list, *map(_identity, value))
    if isinstance(value, Value):
        return ("value", identity_of(value.flow))
    if isinstance(value, Partial):
        return ("partial", *_identity(value.meaning()))
    return (value.__class__, spell(value)) if isinstance(value, float) else (value.__class__, value)


# --- what not every text has, in files that are imported for those that do ---


def _loop(walk: Walk, node: tree.For | tree.Repeat) -> None:
    from cnnspec.compiler.loops import loop

    loop(walk, node)


def _condition(walk: Walk, node: tree.If) -> None:
    from cnnspec.compiler.loops import condition

    condition(walk, node)


def _residual(walk: Walk, node: tree.Residual) -> None:
    from cnnspec.compiler.merges import residual

    residual(walk, node)


def _merge(walk: Walk, node: tree.Merge) -> None:
    from cnnspec.compiler.merges import merge

    merge(walk, node)


def _branch(walk: Walk, node: tree.Branch) -> None:
    from cnnspec.compiler.merges import branch

    branch(walk, node)


def _use(walk: Walk, node: tree.Use) -> None:
    from cnnspec.compiler.routing import use

    use(walk, node)


def _again(walk: Walk, node: tree.Again) -> None:
    from cnnspec.compiler.routing import again

    again(walk, node)


def _weight(walk: Walk, node: tree.Weight) -> None:
    from cnnspec.compiler.routing import weight

    weight(walk, node)


RULES: dict[type, Any] = {
    tree.Layer: _layer,
    tree.Let: _let,
    tree.Function: _function,
    tree.Assert: _assert,
    tree.For: _loop,
    tree.Repeat: _loop,
    tree.If: _condition,
    tree.Residual: _residual,
    tree.Merge: _merge,
    tree.Branch: _branch,
    tree.Input: inputs.start,
    tree.Arriving: inputs.arriving,
    tree.Tail: inputs.annotation,
    tree.Use: _use,
    tree.Again: _again,
    tree.Weight: _weight,
    tree.Invalid: _invalid,
}
