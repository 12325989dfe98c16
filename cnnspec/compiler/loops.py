"""Statements that decide what runs and how often: `repeat`, `for` and `if`.

Without a label they leave no trace in the graph: what they hold goes into the module around them.
"""

from __future__ import annotations

from cnnspec.compiler.expressions import truth
from cnnspec.compiler.flow import LOST, Known, joined_flows
from cnnspec.compiler.names import Scope, check_names
from cnnspec.compiler.place import spread
from cnnspec.compiler.stack import Stack
from cnnspec.compiler.values import describe, has_unknown
from cnnspec.compiler.walk import Pass, Walk
from cnnspec.declare import UNKNOWN, AnySize, spell
from cnnspec.diagnostics import Stop, codes
from cnnspec.limits import LIMITS
from cnnspec.record import replace
from cnnspec.syntax import tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from cnnspec.source import Span


def loop(walk: Walk, node: tree.For | tree.Repeat) -> None:
    kind = "for" if isinstance(node, tree.For) else "repeat"
    _as_module(walk, node, kind, lambda: _passes(walk, node))


def condition(walk: Walk, node: tree.If) -> None:
    _as_module(walk, node, "if", lambda: _arms(walk, node))


def _as_module(walk: Walk, node: tree.For | tree.Repeat | tree.If, kind: str, run: Callable[[], None]) -> None:
    """Run a statement in the module around it, or with a label in one of its own."""
    label = node.tail.label
    if not isinstance(label, tree.Name) or walk.branches is not None:
        run()
        walk.finish(node.tail)
        return
    key = walk.label(node.tail)
    named = walk.stack.has_name(walk.stack.resolve(walk.feed), walk.flow)
    stack = Stack(walk.stack, arrival_named=named)
    made, end = walk.inside(stack, walk.flow, kind, node.head, run)
    values, modules = walk.stack.needs_of(stack)
    bare = replace(node, tail=tree.Tail(label, None))
    walk.add(replace(made, label=key), end, node.tail, values=values, modules=modules, counted=True, statement=bare)


def _passes(walk: Walk, node: tree.For | tree.Repeat) -> None:
    values = _values(walk, node)
    if values is None:
        _look_through(walk, [node.body], node)
        return
    if isinstance(node, tree.For):
        check_names(node.targets, walk.sink)
    if len(values) > LIMITS.steps or len(values) * max(1, len(node.body.statements)) > 2 * LIMITS.steps:
        walk.sink.report(codes.TOO_MANY_STEPS, node.span, limit=LIMITS.steps, what="passes of a loop")
        raise Stop
    for number, value in enumerate(values):
        before, count, feed = walk.flow, len(walk.stack.children), walk.feed
        scope = Scope(walk.scope)
        if isinstance(node, tree.For):
            spread(node.targets, value, unpacks=node.unpacks, scope=scope, place=walk)
        walk.passes.append(Pass(node.head, node.body.span, number, len(values), _text_of(walk, values, number)))
        walk.run(node.body, scope)
        walk.passes.pop()
        settled = walk.flow == before and feed is None and walk.feed is None and walk.branches is None
        if number and isinstance(node, tree.Repeat) and settled:
            new = walk.stack.children[count:]
            times = len(values) - number - 1
            if walk.stack.repeat_last(len(new), times):
                walk.meter.add_layers(times * sum(child.layers for child in new), node.span, walk.sink)
                return


def _text_of(walk: Walk, values: Sequence[object], number: int) -> Span | None:
    """Where one of the values of a loop is written out: its own text, or its place in the list that is."""
    own = walk.written.get(id(values[number]))
    if own is not None:
        return own[1].span
    whole = walk.written.get(id(values))
    return whole[1].items[number].span if whole is not None else None


def _values(walk: Walk, node: tree.For | tree.Repeat) -> Any:
    """What a loop runs over, or None where that is unknown."""
    if isinstance(node, tree.Repeat):
        count = walk.value(node.count)
        if has_unknown(count):
            return None
        if isinstance(count, AnySize):
            what = f"the body would run {count} times"
            walk.sink.report(codes.SIZE_DECIDES, node.count.span, what=what, fix="write a number")
            return None
        if count.__class__ is not int or count < 0:
            wants = "a whole number of at least 0"
            walk.sink.report(
                codes.WRONG_VALUE, node.count.span, what="the count of `repeat`", value=spell(count), wants=wants
            )
            return None
        if count > LIMITS.layers and node.body.statements:
            found = f"{count:,} and more"
            walk.sink.report(codes.TOO_MANY_LAYERS, node.count.span, limit=LIMITS.layers, found=found)
            raise Stop
        return range(count if node.body.statements else 0)
    values = walk.value(node.values)
    if values is UNKNOWN:
        return None
    if not isinstance(values, (list, tuple)):
        wants = "a list, such as `range(3)`"
        walk.sink.report(
            codes.WRONG_VALUE, node.values.span, what="what `for` runs over", value=describe(values), wants=wants
        )
        return None
    return values


def _arms(walk: Walk, node: tree.If) -> None:
    for index, (test, body) in enumerate(node.arms):
        answer = truth(walk.value(test), test.span, walk)
        if answer is None:
            rest = [arm for _, arm in node.arms[index:]]
            _look_through(walk, [*rest, node.otherwise] if node.otherwise else rest, node)
            return
        if answer:
            walk.run(body, Scope(walk.scope))
            return
    if node.otherwise is not None:
        walk.run(node.otherwise, Scope(walk.scope))


def _look_through(walk: Walk, bodies: list[tree.Body], node: tree.For | tree.Repeat | tree.If) -> None:
    """Look for mistakes in bodies of which it is unknown whether and how often they run.

    What all ways through have in common is sure behind them.
    """
    collecting = walk.branches
    start = walk.flow
    loops = not isinstance(node, tree.If)
    ends: list[Known] = [] if isinstance(node, tree.If) and node.otherwise is not None else [start]
    for body in bodies:
        outer, walk.branches = walk.branches, None if collecting is None else []
        if loops:
            walk.flow = LOST
        scope = Scope(walk.scope)
        for name in node.targets if isinstance(node, tree.For) else ():
            scope.bind(name.id, UNKNOWN, name.span)
        stack = Stack(walk.stack, arrival_named=True)
        _, end = walk.inside(stack, walk.flow, "", body.span, lambda body=body, scope=scope: walk.run(body, scope))  # type: ignore[misc]
        ends.append(end)
        walk.branches, walk.flow = outer, start
    if collecting is None:
        walk.gap("", node.span, joined_flows(ends))
    else:
        made, _, stack = walk.branch(tree.Body((), node.span), "branch")
        collecting.append((made, LOST, stack))
