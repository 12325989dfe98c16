"""Statements that decide what runs and how often: `repeat`, `for` and `if`. They leave no trace in the graph."""

from __future__ import annotations

from cnnspec.compiler.expressions import Stop
from cnnspec.compiler.flow import Flow
from cnnspec.compiler.names import Scope, check_names
from cnnspec.compiler.values import describe, has_unknown
from cnnspec.declare import UNKNOWN, as_tuple, spell
from cnnspec.diagnostics import codes
from cnnspec.graph.nodes import Node
from cnnspec.limits import LIMITS
from cnnspec.syntax import tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from cnnspec.compiler.elaborate import Elaborator
    from cnnspec.source import Span


def loop(walk: Elaborator, node: tree.For | tree.Repeat) -> None:
    passes = _passes(walk, node)
    if passes is None:
        _blur(walk, [node.body], node.span, node)
        return
    if isinstance(node, tree.For):
        check_names(node.targets, walk.sink)
    if len(passes) > LIMITS.steps or len(passes) * max(1, len(node.body.statements)) > 2 * LIMITS.steps:
        walk.sink.report(codes.TOO_MANY_STEPS, node.span, limit=LIMITS.steps, what="passes of a loop")
        raise Stop
    for number, value in enumerate(passes):
        before, count = walk.flow, len(walk.stack.children)
        scope = Scope(walk.scope)
        if isinstance(node, tree.For):
            _spread(walk, node, value, scope)
        walk.run(node.body, scope)
        at_rest = walk.flow.shape == before.shape is not None or walk.flow == before
        if number and isinstance(node, tree.Repeat) and at_rest:
            _replicate(walk, walk.stack.children[count:], len(passes) - number - 1, node.span)
            return


def _passes(walk: Elaborator, node: tree.For | tree.Repeat) -> Any:
    """What a loop runs over, or None where that is unknown."""
    if isinstance(node, tree.Repeat):
        count = walk.value(node.count)
        if has_unknown(count):
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


def _replicate(walk: Elaborator, nodes: list[Node], times: int, span: Span) -> None:
    """Append more passes of a loop that has come to rest: each would give the nodes of the last one again."""
    walk.meter.add_layers(times * sum(node.layers for node in nodes), span, walk.sink)
    walk.stack.children.extend(nodes * times)


def _spread(walk: Elaborator, node: tree.For, value: Any, scope: Scope) -> None:
    names = node.targets
    if not node.unpacks or value is UNKNOWN:
        for name in names:
            scope.bind(name.id, value, name.span)
        return
    if isinstance(value, (list, tuple)) and len(value) == len(names):
        for name, item in zip(names, value):
            scope.bind(name.id, item, name.span)
        return
    where = names[0].span.to(names[-1].span)
    if not has_unknown(value):
        walk.sink.report(codes.WRONG_UNPACKING, where, value=spell(as_tuple(value)), count=len(names))
    for name in names:
        scope.bind(name.id, UNKNOWN, name.span)


def condition(walk: Elaborator, node: tree.If) -> None:
    for index, (test, body) in enumerate(node.arms):
        value = walk.value(test)
        if has_unknown(value):
            rest = [arm for _, arm in node.arms[index:]]
            _blur(walk, [*rest, node.otherwise] if node.otherwise else rest, node.span)
            return
        if value:
            walk.run(body, Scope(walk.scope))
            return
    if node.otherwise is not None:
        walk.run(node.otherwise, Scope(walk.scope))


def _blur(walk: Elaborator, bodies: list[tree.Body], span: Span, loop: tree.For | tree.Repeat | None = None) -> None:
    """Look for mistakes in bodies of which it is unknown whether and how often they run."""
    start = walk.flow
    for body in bodies:
        scope = Scope(walk.scope)
        for name in loop.targets if isinstance(loop, tree.For) else ():
            scope.bind(name.id, UNKNOWN, name.span)
        walk.branch(body, Flow(None) if loop else start, "", scope)
    walk.gap("", span)
