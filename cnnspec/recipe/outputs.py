"""What a network gives at its end, value for value: the shape, between which numbers, and the layer that makes it so.

Asked of the graph alone. Where a value is not known, as behind a layer of the user's own, nothing is said of it.
"""

from __future__ import annotations

from cnnspec.graph.nodes import ARRIVING, STEP, TAKEN, Graph, LayerNode, MergeNode, Node, ResidualNode, StackNode, Wire
from cnnspec.graph.walk import node_of, steps_of
from cnnspec.layers.base import Parts, inf
from cnnspec.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from cnnspec.graph.nodes import Shape, Step

ANY = (-inf, inf)


@record
class Output:
    """One value that a network gives. `label` is "" where it has none, `bounds` None where they are not known."""

    label: str
    shape: Shape
    bounds: tuple[float, float] | None
    last: LayerNode | None
    """The last layer that changes values in evaluation: views and dropout are looked through. None behind a merge."""


def outputs_of(graph: Graph) -> list[Output]:
    """The values that a network gives, in their order: one, or those of a tuple, with those of tuples in it."""
    shape, bounds = graph.output, _stack(graph.root, ANY, ())
    if not isinstance(shape, Parts):
        return [Output("", shape or (), _pair(bounds), _last(graph.root))]
    labels = [label or "" for label in _labels(graph.root, len(shape))]
    parts = bounds if _is_tuple(bounds) and len(bounds) == len(shape) else (None,) * len(shape)
    lasts = _lasts(graph.root, len(shape))
    found: list[Output] = []
    for label, one, part, last in zip(labels, shape, parts, lasts):
        if isinstance(one, Parts):
            found += [Output("", leaf, None, None) for leaf in _leaves(one)]
        else:
            found.append(Output(label, one or (), _pair(part), last))
    return found


def _leaves(shapes: Parts) -> list[Shape]:
    """The shapes of a tuple in a tuple, in their order."""
    return [leaf for one in shapes for leaf in (_leaves(one) if isinstance(one, Parts) else [one])]


def own_bounds(node: LayerNode) -> tuple[float, float]:
    """Between which values a layer gives whatever it is given."""
    assert node.layer is not None
    return node.layer.bounds(*ANY)


def _pair(value: Any) -> tuple[float, float] | None:
    return None if value is None or _is_tuple(value) else value


def _is_tuple(value: Any) -> bool:
    """Whether a value is a tuple of values, not one value's bounds."""
    return isinstance(value, list)


# --- forward: between which numbers values lie. A tuple of values is a list. ---


def _stack(node: StackNode, arriving: Any, taken: Sequence[Any]) -> Any:
    """The bounds of what a body gives; with taps a list of its own value and those."""
    values: list[Any] = []

    def read(feed: Any) -> Any:
        if isinstance(feed, tuple):
            return [read(part) for part in feed]
        value: Any = None
        if feed.kind == ARRIVING:
            value = arriving
        elif feed.kind == TAKEN and feed.index < len(taken):
            value = taken[feed.index]
        elif feed.kind == STEP:
            value = values[feed.index]
        for index in feed.path:
            value = value[index] if _is_tuple(value) and index < len(value) else None
        return value

    for step in steps_of(node):
        run = node_of(node, step)
        values.append(None if run is None else _node(run, read(step.feed), [read(value) for value in step.values]))
    own = read(node.result) if node.result is not None else (values[-1] if values else arriving)
    return [own, *map(read, node.taps)] if node.taps else own


def _node(node: Node, value: Any, taken: Sequence[Any]) -> Any:
    match node:
        case LayerNode():
            return None if _is_tuple(value) else _layer(node, value)
        case StackNode():
            return _stack(node, value, taken)
        case ResidualNode():
            parts = [node.body] if node.shortcut is None else [node.body, node.shortcut]
            found = _branches(parts, node, value, taken)
            return _own(node, _merged("add", found if node.shortcut is not None else [*found, value]))
        case MergeNode() if node.branches:
            return _own(node, _merged(node.kind, _branches(list(node.branches), node, value, taken)))
    others = iter(taken)
    merged = [next(others, None) if operand is None else (operand, operand) for operand in node.operands]
    return _own(node, _merged(node.kind, [*(value if _is_tuple(value) else [value]), *merged]))


def _branches(parts: list[StackNode], node: ResidualNode | MergeNode, value: Any, taken: Sequence[Any]) -> list[Any]:
    found = []
    for index, part in enumerate(parts):
        given = node.given[index].values if index < len(node.given) else ()
        result = _stack(part, value, [taken[place] for place in given if place < len(taken)])
        found.append(result[0] if part.taps and _is_tuple(result) else result)
    return found


def _own(node: ResidualNode | MergeNode, value: Any) -> Any:
    return [value, *(None for _ in node.taps)] if node.taps else value


def _layer(node: LayerNode, bounds: tuple[float, float] | None) -> tuple[float, float] | None:
    layer = node.layer
    if layer is None or layer.module is not None or isinstance(node.output, Parts):
        return None
    if bounds is not None:
        return layer.bounds(*bounds)
    always = layer.bounds(*ANY)
    return always if layer.bounds(0, 0) == always else None


def _merged(kind: str, parts: list[Any]) -> Any:
    if kind == "tuple":
        return parts
    known = [part for part in parts if part is not None and not _is_tuple(part)]
    if len(known) < len(parts) or kind not in ("add", "multiply", "concat"):
        return None
    low, high = known[0]
    for least, most in known[1:]:
        if kind == "add":
            low, high = low + least, high + most
        elif kind == "concat":
            low, high = min(low, least), max(high, most)
        else:
            products = [one * other for one in (low, high) for other in (least, most)]
            products = [product if product == product else 0 for product in products]  # 0 * inf is no number
            low, high = min(products), max(products)
    return low, high


# --- backward: the layer that a value comes from ---


def _last(node: StackNode) -> LayerNode | None:
    found = _origin(node, node.result if node.result is not None else Wire(STEP, -1))
    return found if isinstance(found, LayerNode) else None


def _lasts(node: StackNode, count: int) -> list[LayerNode | None]:
    """The last layer of each part of the tuple that a body gives."""
    if isinstance(node.result, tuple):
        found = [_origin(node, feed) for feed in node.result]
        return [one if isinstance(one, LayerNode) else None for one in found]
    merge = _tuple_of(node)
    return [_last(branch) for branch in merge.branches] if merge is not None else [None] * count


def _labels(node: StackNode, count: int) -> list[str | None]:
    if isinstance(node.result, tuple):
        names = {named.feed: named.name for named in node.names if isinstance(named.feed, Wire)}
        return [names.get(feed) if isinstance(feed, Wire) else None for feed in node.result]
    merge = _tuple_of(node)
    return [branch.label for branch in merge.branches] if merge is not None else [None] * count


def _tuple_of(node: StackNode) -> MergeNode | None:
    """The `tuple` that a body ends in."""
    steps = list(steps_of(node))
    wire = node.result if node.result is not None else Wire(STEP, len(steps) - 1)
    if not isinstance(wire, Wire) or wire.kind != STEP or wire.path or not steps:
        return None
    run = node_of(node, steps[wire.index])
    if isinstance(run, StackNode):
        return _tuple_of(run)
    return run if isinstance(run, MergeNode) and run.kind == "tuple" and run.branches else None


def _origin(node: StackNode, wire: Any) -> LayerNode | str | None:
    """The layer that a value of a body comes from, ARRIVING where it is handed through, None where it is a merge's."""
    steps: list[Step] = list(steps_of(node))
    if not isinstance(wire, Wire) or wire.path:
        return None
    if wire.kind == STEP and not steps:
        return ARRIVING
    while wire.kind == STEP:
        step = steps[wire.index]
        run = node_of(node, step)
        if isinstance(run, StackNode) and not run.taps:
            inner = _origin(run, run.result if run.result is not None else Wire(STEP, -1))
            if inner != ARRIVING:
                return inner
        elif not isinstance(run, LayerNode) or run.layer is None or not (run.layer.view or run.layer.random):
            return run if isinstance(run, LayerNode) and run.layer is not None else None
        if not isinstance(step.feed, Wire) or step.feed.path:
            return None
        wire = step.feed
    return ARRIVING if wire.kind == ARRIVING else None
