"""Statements that say where values go: `use`, `again`, `weight`; and `assert`, which only looks."""

from __future__ import annotations

from cnnspec.compiler.expressions import evaluate, truth
from cnnspec.compiler.flow import LOST, Flow, Known, Several
from cnnspec.compiler.names import Made, Scope, Value, Values
from cnnspec.compiler.place import USE, Place
from cnnspec.compiler.stack import Stack
from cnnspec.compiler.values import describe, has_unknown, is_number, show_shape
from cnnspec.compiler.walk import Walk
from cnnspec.declare import UNKNOWN, AnySize, spell
from cnnspec.diagnostics import Label, codes, did_you_mean, note
from cnnspec.diagnostics.suggestions import listing
from cnnspec.graph.nodes import WEIGHT, LayerNode, MergeNode, Node, ResidualNode, StackNode, Weight, Wire
from cnnspec.graph.walk import children_of
from cnnspec.record import replace
from cnnspec.syntax import tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from cnnspec.compiler.budgets import Budgets

_INITS = {
    "normal": ("mean", "std"), "uniform": ("a", "b"), "constant": ("val",), "ones": (), "zeros": (),
    "trunc_normal": ("mean", "std", "a", "b"), "xavier_uniform": ("gain",), "xavier_normal": ("gain",),
    "kaiming_uniform": ("a", "mode", "nonlinearity"), "kaiming_normal": ("a", "mode", "nonlinearity"),
}  # fmt: skip
"""How a weight may start, as torch.nn.init has it, and the arguments by position."""


def use(walk: Walk, node: tree.Use) -> None:
    """Go on from a named value, a part, or a tuple of them."""
    walk.meter.unsure(USE)
    value = _value_of(walk, node.value)
    lost = walk.stack.resolve(walk.feed)
    if walk.flow != LOST and not walk.stack.has_name(lost, walk.flow):
        helps = [note("give it a name where it stands: `... as name`")]
        walk.sink.report(codes.VALUE_LOST, node.head, labels=_made_by(walk), helps=helps)
    if value is UNKNOWN:
        walk.stack.give_name("_", lost, node.span)
        walk.flow = LOST
    else:
        walk.flow, walk.feed = known_of_values(value), walk.stack.reach_all(value)
    walk.finish(node.tail)


def _made_by(walk: Walk) -> list[Label]:
    """Where the running value comes from: the statement above, where that made a module."""
    if walk.feed is None and walk.stack.children and walk.flow.shape is not None:
        return [Label(walk.stack.children[-1].span, f"gives {show_shape(walk.flow.shape)}")]
    return walk.flow.labels() if isinstance(walk.flow, Flow) else []


def _value_of(walk: Walk, node: tree.Expression) -> Any:
    """A value of the network or a tuple of such; UNKNOWN for anything else, which is reported."""
    if isinstance(node, tree.Name):
        found = walk.find(node.id)
        if found is None or isinstance(found.value, type):
            walk.no_value(node)
            return UNKNOWN
    value = walk.value(node)
    if has_unknown(value):
        return UNKNOWN
    if isinstance(value, Value) or (isinstance(value, (list, tuple)) and value and all(map(_is_value, value))):
        return value
    walk.sink.report(
        codes.NOT_A_VALUE,
        node.span,
        helps=lambda: did_you_mean(node.span.text, walk.scope.value_names()),
        found=describe(value),
    )
    return UNKNOWN


def _is_value(value: object) -> bool:
    return isinstance(value, Value) or (isinstance(value, (list, tuple)) and bool(value) and all(map(_is_value, value)))


def known_of_values(value: Any) -> Known:
    """What is known of a value or a tuple of values."""
    if isinstance(value, Value):
        return value.flow
    return Several(tuple(map(known_of_values, value)))


# --- again ---


def again(walk: Walk, node: tree.Again) -> None:
    """Run a labelled module once more: the same weights on another value."""
    value = _value_of(walk, node.value)
    made = value.module if isinstance(value, (Value, Values)) else None
    if made is None:
        if value is not UNKNOWN:
            words = "label the statement that makes the module: `Layer(...) as name`"
            if isinstance(node.value, tree.Access):
                words = "`again` runs a module of this body or one around it: write that of a part in the body that makes it"
            helps = [note(words)]
            walk.sink.report(codes.NO_MODULE, node.value.span, helps=helps, name=node.value.span.text)
        walk.gap("again", node.span)
        walk.finish(node.tail)
        return
    walk.meter.expansion(node.span, walk.sink)
    home = made.home
    assert isinstance(home, Stack)
    first = home.children[made.index]
    if isinstance(first, LayerNode) and first.layer is None:
        # What is wrong with the statement that made it has been told.
        walk.gap("again", node.span)
        walk.finish(node.tail)
        return
    second, end, stack = _rerun(walk, made)
    complete = _is_complete(first) and _is_complete(second)
    if complete and not walk.holds(lambda: differs(first, second) is None):
        labels = [Label(first.span, "made here")]
        difference = differs(first, second)
        fix = (f"what has weights of its own is made once more: write its statement in place of `{node.head.text}`",)
        shapes = {"first": first.input, "second": second.input}
        facts = {"name": value.name, "what": difference, **shapes}
        walk.sink.report(codes.BUILT_DIFFERENTLY, node.head, labels=labels, helps=fix, **facts)
    values = tuple(map(walk.stack.reach, stack.taken))
    modules = tuple(map(walk.stack.reach_module, stack.modules))
    link = walk.stack.reach_module(made)
    walk.meter.add_layers(second.layers, node.span, walk.sink)
    walk.stack.run_again(link, walk.feed, values, modules, replace(second, label=first.label))
    walk.flow, walk.feed = end, None
    walk.finish(node.tail)


def _rerun(walk: Walk, made: Made) -> tuple[Node, Known, Stack]:
    """The module as it would be built for the running value, in a body of its own."""
    outer = walk.stack, walk.flow, walk.feed, walk.scope
    home = made.home
    assert isinstance(home, Stack)
    stack = Stack(home, arrival_named=True)
    walk.stack, walk.feed, walk.scope = stack, None, Scope(made.scope)
    try:
        statement: Any = made.statement
        # A loop or condition is a module because of its label; the others are without.
        labelled = isinstance(statement, (tree.Repeat, tree.For, tree.If))
        bare = replace(statement, tail=tree.Tail(statement.tail.label if labelled else None, None))
        walk.rules[type(bare)](walk, bare)
        return stack.children[0], walk.flow, stack
    finally:
        walk.stack, walk.flow, walk.feed, walk.scope = outer


def _is_complete(node: Node) -> bool:
    if isinstance(node, LayerNode):
        return node.layer is not None and node.input is not None
    return all(_is_complete(child) for _, child in children_of(node))


def differs(first: Node, second: Node) -> str | None:
    """What two modules differ in, so that one can't be run in place of the other; None for nothing."""
    if type(first) is not type(second) or first.title != second.title:
        return f"{first.title} and {second.title}"
    if isinstance(first, LayerNode) and isinstance(second, LayerNode):
        assert first.layer is not None
        assert second.layer is not None
        one, other = first.layer.call(first.input), second.layer.call(second.input)  # type: ignore[arg-type]
        return (
            None if one == other else f"{first.title}({_shown(one)}) was made, {first.title}({_shown(other)}) is needed"
        )
    ours, theirs = list(children_of(first)), list(children_of(second))
    if [key for key, _ in ours] != [key for key, _ in theirs]:
        return f"what {first.title} holds"
    if isinstance(first, MergeNode) and isinstance(second, MergeNode) and first.kind != second.kind:
        return f"{first.kind} and {second.kind}"
    if isinstance(first, StackNode) and isinstance(second, StackNode):
        weights = [[(weight.label, weight.shape) for weight in node.weights] for node in (first, second)]
        if weights[0] != weights[1]:
            return f"the weights of {first.title}"
    assert not isinstance(first, ResidualNode) or isinstance(second, ResidualNode)
    return next((found for (_, a), (_, b) in zip(ours, theirs) if (found := differs(a, b)) is not None), None)


def _shown(call: Any) -> str:
    return ", ".join([*map(spell, call.args), *(f"{name}={spell(value)}" for name, value in call.kwargs.items())])


# --- weights ---


def weight(walk: Walk, node: tree.Weight) -> None:
    """A learned value of the body at hand."""
    sizes = [_weight_size(walk, item) for item in node.shape.items]
    start = _start(walk, node.start)
    label = node.tail.label
    if not isinstance(label, tree.Name):
        span = label.span if label is not None else node.span
        walk.sink.report(codes.UNNAMED, span, what="a weight", fix="`weight [...] = ... as name`")
        return
    walk.take_key(label)
    if None in sizes or not sizes or start is None:
        walk.bind(label, UNKNOWN)
        return
    shape = tuple(size for size in sizes if size is not None)
    count = 1
    for size in shape:
        count *= size
    if count > 2**61:
        walk.sink.report(codes.TENSOR_TOO_LARGE, node.shape.span, what="the weight", limit=2**61)
        walk.bind(label, UNKNOWN)
        return
    walk.stack.weights.append(Weight(label.id, shape, start, node.span))
    feed = Wire(WEIGHT, len(walk.stack.weights) - 1)
    flow = LOST.become(shape, node.span, verb="is")
    walk.bind(label, walk.stack.named_value(label.id, flow, feed))
    walk.stack.give_name(label.id, feed, label.span)


def _weight_size(walk: Walk, item: tree.Expression) -> int | None:
    value = walk.value(item)
    if has_unknown(value):
        return None
    if isinstance(value, AnySize):
        what = f"a weight would have a size of {value}"
        walk.sink.report(codes.SIZE_DECIDES, item.span, what=what, fix="write a number")
        return None
    if value.__class__ is not int or value < 1:
        wants = "a whole number of at least 1"
        walk.sink.report(codes.WRONG_VALUE, item.span, what="a size of a weight", value=spell(value), wants=wants)
        return None
    return int(value)


def _start(walk: Walk, node: tree.Expression) -> Any:
    """How a weight starts: a number, or the name of a function of torch.nn.init with its arguments; None where wrong."""
    name = node.id if isinstance(node, tree.Name) else node.name.id if isinstance(node, tree.Call) else ""
    if name.rstrip("_") in _INITS and walk.find(name) is None:
        given: dict[str, Any] = {}
        places = iter(_INITS[name.rstrip("_")])
        for argument in node.arguments if isinstance(node, tree.Call) else ():
            parameter = argument.name.id if argument.name is not None else next(places, "")
            value = walk.value(argument.value)
            if value is UNKNOWN:
                return None
            text = parameter in ("mode", "nonlinearity")
            if parameter not in _INITS[name.rstrip("_")] or not (isinstance(value, str) if text else is_number(value)):
                takes = listing(_INITS[name.rstrip("_")]) or "nothing"
                walk.sink.report(codes.WRONG_CALL, argument.span, function=name, problem=f"takes {takes}")
                return None
            given[parameter] = value
        return (name.rstrip("_"), given)
    if name and walk.find(name) is None:
        helps = did_you_mean(name, _INITS)
        walk.sink.report(codes.UNKNOWN_NAME, node.span, helps=helps, name=name)
        return None
    value = walk.value(node)
    if value is UNKNOWN:
        return None
    if not is_number(value):
        wants = "a number, or a function of torch.nn.init such as `normal(std=0.02)`"
        walk.sink.report(codes.WRONG_VALUE, node.span, what="the start of a weight", value=describe(value), wants=wants)
        return None
    return value


# --- assert ---

_MEASURES = ("macs", "receptive_field", "memory")


def check_assertion(walk: Walk, node: tree.Assert) -> None:
    """Check what a spec asserts at its place. `parameters`, `macs` and so on are there those of the body so far."""
    if not walk.checks_claims:
        return
    names = {name.id for name in _names(node.test) if walk.find(name.id) is None}
    scope, budgets = Scope(walk.scope), None
    if not names.isdisjoint(_MEASURES):
        from cnnspec.compiler.budgets import Budgets, body_so_far

        budgets = Budgets(body_so_far(walk), walk.meter)
        walk.unmeasured |= budgets.graph is None
        for name, value in budgets.values().items():
            scope.bind(name, value)
    count = sum(child.parameters for child in walk.stack.children)
    scope.bind("parameters", count + sum(weight.parameters for weight in walk.stack.weights))
    outer, walk.scope = walk.scope, scope
    try:
        answer = walk.holds(lambda: truth(evaluate(node.test, walk), node.test.span, walk))
    finally:
        walk.scope = outer
    if answer is False:
        message = node.message.value if isinstance(node.message, tree.Literal) else None
        helps = [note(str(message))] if message else []
        found = _sides(walk, node.test, scope)
        if names.isdisjoint(("parameters", *_MEASURES)):
            walk.sink.report(codes.ASSERT_FAILS, node.test.span, helps=helps, found=found)
            return
        labels = _largest(walk, names, budgets)
        walk.sink.report(codes.OVER_BUDGET, node.test.span, labels=labels, helps=helps, found=found)


def _largest(walk: Walk, names: set[str], budgets: Budgets | None) -> list[Label]:
    """The layers that cost most of what an assertion measures."""
    from cnnspec.compiler.budgets import Budgets, body_so_far

    budgets = budgets or Budgets(body_so_far(walk), walk.meter)
    return [label for name in ("parameters", *_MEASURES) if name in names for label in budgets.largest(name)]


def _sides(walk: Place, test: tree.Expression, scope: Scope) -> str:
    """What the two sides of a comparison are."""
    from cnnspec.compiler.budgets import sides

    outer, walk.scope = walk.scope, scope
    try:
        return sides(walk, test)
    finally:
        walk.scope = outer


def _names(node: tree.Expression) -> list[tree.Name]:
    return [found for found in tree.walk(node) if isinstance(found, tree.Name)]
