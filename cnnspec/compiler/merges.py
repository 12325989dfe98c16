"""Where values come together: `residual`, `add`, `multiply`, `concat`, `matmul`; and `tuple`, which keeps them apart."""

from __future__ import annotations

from cnnspec.compiler.flow import LOST, Flow, Known, Several, describe_sizes, doubtful, shape_fact
from cnnspec.compiler.names import Value
from cnnspec.compiler.place import MERGE
from cnnspec.compiler.stack import Stack, shared_needs
from cnnspec.compiler.values import describe, has_unknown, is_number
from cnnspec.compiler.walk import Walk
from cnnspec.declare import UNKNOWN, spell
from cnnspec.diagnostics import Label, codes, note
from cnnspec.graph.nodes import Feed, MergeNode, ResidualNode, StackNode
from cnnspec.record import record, replace
from cnnspec.syntax import tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

Sizes = tuple[int | None, ...]
_EQUAL = "the shapes have to be equal"
_BROADCAST = "sizes have to be equal, or 1"
_NUMBERS = ("add", "multiply")


def residual(walk: Walk, node: tree.Residual) -> None:
    """body(x) + shortcut(x), of equal shapes."""
    start = walk.flow
    label = walk.label(node.tail)
    if isinstance(start, Several):
        _refuse_tuple(walk, node.head, "residual", start)
        start = walk.flow = LOST
    body, end, body_stack = walk.branch(node.body, "body")
    stacks = [body_stack]
    shortcut: StackNode | None = None
    other: Known = start
    if node.shortcut is not None:
        shortcut, other, stack = walk.branch(node.shortcut, "shortcut")
        if shortcut.children or shortcut.result is not None:
            stacks.append(stack)
        else:
            shortcut = None
    first, second = _single(walk, node, end), _single(walk, node, other)
    gives = "the shortcut gives" if shortcut is not None else "the shortcut passes on"
    labels = [*_said(first, "the body gives"), *_said(second, gives)]
    result = _meet(walk, node, [first, second], labels, merge="residual adds values", rule=_EQUAL)
    given, values, modules = shared_needs(walk.stack, stacks)
    parts = [body] if shortcut is None else [body, shortcut]
    made = ResidualNode(
        label, "Residual", body, shortcut, start.shape, result.shape, sum(part.parameters for part in parts),
        node.head, max(1, sum(part.layers for part in parts)), given, len(values), len(modules),
    )  # fmt: skip
    walk.add(made, result, node.tail, values=values, modules=modules, counted=True, statement=node)


def _refuse_tuple(walk: Walk, span: Any, name: str, flow: Several) -> None:
    labels = [flow.origin.label()] if flow.origin else []
    walk.sink.report(
        codes.TAKES_ONE, span, labels=labels, layer=name, wants="one value", found=shape_fact(flow),
        helps=[note("give the tuple a name, `... as parts`, and go on from one of them: `use parts[0]`")],
    )  # fmt: skip


def _single(walk: Walk, node: tree.Residual | tree.Merge, flow: Known) -> Flow:
    """One value of a merge; a tuple is reported."""
    if isinstance(flow, Flow):
        return flow
    name = node.kind if isinstance(node, tree.Merge) else "residual"
    _refuse_tuple(walk, node.head, name, flow)
    return LOST


def _said(flow: Flow, words: str) -> list[Label]:
    """Where the shape of a branch comes from."""
    if flow.origin is None or flow.sizes is None:
        return []
    text = flow.origin.label().text if flow.origin.via else f"{words} {describe_sizes(flow)}"
    return [Label(flow.origin.span, text)]


# --- merges ---


@record
class _Operand:
    """What is merged: a value of the network, or a number."""

    flow: Flow | None
    feed: Feed | None
    number: float | None
    name: str


def merge(walk: Walk, node: tree.Merge) -> None:
    """Values of several branches, or the running value and others."""
    walk.meter.step(node.span, walk.sink, MERGE)
    label = walk.label(node.tail)
    start = walk.flow
    dim = _dimension(walk, node)
    if node.branches is not None:
        both = next((argument for argument in node.arguments if argument.name is None), None)
        if both is not None:
            problem = "takes names or branches, not both"
            walk.sink.report(codes.WRONG_CALL, both.span, function=node.kind, problem=problem)
        nodes, flows, stacks = _collected(walk, node)
        operands: list[_Operand] = []
    else:
        nodes, flows, stacks = [], [], []
        operands = _operands(walk, node)
        flows = [start, *(operand.flow for operand in operands if operand.flow is not None)]
    result = _result(walk, node, flows, dim, of_branches=bool(nodes))
    given, values, modules = shared_needs(walk.stack, stacks)
    if operands:
        values = tuple(operand.feed for operand in operands if operand.feed is not None)
    made = MergeNode(
        label, node.kind.capitalize(), node.kind, tuple(nodes), tuple(operand.number for operand in operands),
        tuple(operand.name for operand in operands), tuple(flow.shape for flow in flows), dim, start.shape, result.shape,
        sum(branch.parameters for branch in nodes), node.head, max(1, sum(branch.layers for branch in nodes)), given,
        len(values), len(modules),
    )  # fmt: skip
    walk.add(made, result, node.tail, values=values, modules=modules, counted=True, statement=node)


def _collected(walk: Walk, node: tree.Merge) -> tuple[list[StackNode], list[Known], list[Stack]]:
    """The branches of a merge, of which loops and conditions around `branch` decide how many there are."""
    from cnnspec.compiler.names import Scope

    outer, outer_labels = walk.branches, walk.stack.labels
    walk.branches, walk.stack.labels = [], {}
    assert node.branches is not None
    walk.run(node.branches, Scope(walk.scope))
    found, walk.branches, walk.stack.labels = walk.branches, outer, outer_labels
    broken = any(isinstance(part, tree.Invalid) for part in node.branches.statements)
    wrong = broken or any(flow is LOST for _, flow, _ in found)
    if broken and not found:
        return [], [LOST], []
    if not found or (node.kind == "matmul" and len(found) != 2 and not wrong):
        wants = "exactly two branches" if node.kind == "matmul" else "a branch at least"
        fix = f"leave it out where there is none: `if ... {{ {node.kind} {{ ... }} }}`"
        if node.kind == "matmul":
            fix = "a product of three has two of them in a `matmul` of their own; an empty branch is the value as it is"
        walk.sink.report(codes.WRONG_BRANCHES, node.head, helps=[fix], name=node.kind, wants=wants, found=len(found))
        return [], [LOST], []
    return [one for one, _, _ in found], [flow for _, flow, _ in found], [stack for _, _, stack in found]


def branch(walk: Walk, node: tree.Branch) -> None:
    """One branch of the merge at hand; it starts from the value at which the merge stands."""
    assert walk.branches is not None
    walk.meter.branch(len(walk.branches), node.span, walk.sink)
    collected, walk.branches = walk.branches, None
    made, end, stack = walk.branch(node.body, "branch")
    walk.branches = collected
    label = node.tail.label
    if isinstance(label, tree.Labels):
        walk.sink.report(codes.WRONG_LABEL, label.span, what="a branch")
    elif label is not None:
        walk.take_key(label)
        made = replace(made, label=label.id)
    if node.tail.annotation is not None:
        outer = walk.flow
        walk.flow = end
        walk.rules[tree.Tail](walk, tree.Tail(None, node.tail.annotation))
        end, walk.flow = walk.flow, outer
    walk.branches.append((made, end, stack))


def _dimension(walk: Walk, node: tree.Merge) -> int:
    """The `dim` of a concat."""
    dim = 1
    for argument in node.arguments:
        if argument.name is None:
            continue
        name = argument.name
        value = walk.value(argument.value)
        if name.id != "dim" or node.kind != "concat":
            takes = "takes values and `dim`" if node.kind == "concat" else "takes values"
            walk.sink.report(codes.UNKNOWN_PARAMETER, name.span, layer=node.kind, name=name.id, takes=takes)
        elif value.__class__ is int:
            dim = value
        elif not has_unknown(value):
            walk.sink.report(
                codes.WRONG_TYPE, argument.value.span, layer="concat", name="dim", value=spell(value),
                wants="a whole number",
            )  # fmt: skip
    return dim


def _operands(walk: Walk, node: tree.Merge) -> list[_Operand]:
    """What is merged with the running value."""
    found: list[_Operand] = []
    positional = [argument for argument in node.arguments if argument.name is None]
    if node.kind == "tuple" or not positional:
        fix = f"`{node.kind} {{ branch {{ ... }} branch {{ ... }} }}`"
        fix = fix if node.kind == "tuple" else f"`{node.kind}(name)` or {fix}"
        walk.sink.report(codes.NEEDS_ARGUMENTS, node.head, name=node.kind, fix=fix)
        return [_Operand(LOST, walk.stack.resolve(walk.feed), None, "")]
    for argument in positional:
        if argument.stated is not None:
            walk.sink.report(codes.NO_INFERRED, argument.span, layer=node.kind)
        walk.meter.merged(len(found), "values", argument.span, walk.sink)
        value = _argument(walk, argument.value)
        found += _as_operands(walk, node, value, argument.value)
    if node.kind == "matmul" and len(found) != 1:
        walk.sink.report(codes.WRONG_BRANCHES, node.head, name="matmul", wants="exactly one value", found=len(found))
        return found[:1]
    return found


def _argument(walk: Walk, node: tree.Expression) -> Any:
    if isinstance(node, tree.Name):
        found = walk.find(node.id)
        if found is None or isinstance(found.value, type):
            walk.no_value(node)
            return UNKNOWN
    return walk.value(node)


def _as_operands(walk: Walk, node: tree.Merge, value: Any, written: tree.Expression) -> list[_Operand]:
    """A value, the parts of a tuple, or a number."""
    if value is UNKNOWN:
        return [_Operand(LOST, walk.stack.resolve(walk.feed), None, written.span.text)]
    if isinstance(value, Value):
        flow = value.flow
        assert isinstance(flow, Flow)
        return [_Operand(flow, walk.stack.reach(value), None, value.name)]
    if isinstance(value, (list, tuple)) and value:
        return [operand for item in value for operand in _as_operands(walk, node, item, written)]
    if is_number(value) and node.kind in _NUMBERS:
        return [_Operand(None, None, value, spell(value))]
    takes = "values and numbers" if node.kind in _NUMBERS else "values"
    helps = [note("name a value with `... as name`, and merge with it by its name")]
    walk.sink.report(codes.NO_OPERAND, written.span, helps=helps, name=node.kind, takes=takes, found=describe(value))
    return [_Operand(LOST, walk.stack.resolve(walk.feed), None, written.span.text)]


# --- what they give ---


def _result(walk: Walk, node: tree.Merge, flows: list[Known], dim: int, *, of_branches: bool) -> Known:
    if node.kind == "tuple":
        return Several(tuple(flows)) if of_branches else LOST
    single = [_single(walk, node, flow) for flow in flows]
    return _MERGES[node.kind](walk, node, single, dim)


def _meet(
    walk: Walk, node: tree.Merge | tree.Residual, flows: list[Flow], labels: list[Label], *, merge: str, rule: str
) -> Flow:
    """A value that has the shapes of all `flows` at once; reports where they differ."""
    result = flows[0]
    for flow in flows[1:]:
        if not result.readings or not flow.readings:
            result = result if result.readings else flow
            continue
        pairs = [(one, other) for one in result.readings for other in flow.readings]
        met = tuple(_both(*pair) for pair in pairs if _can_meet(walk, *pair))
        if not met:
            shown = labels or [*_said(result, "gives"), *_said(flow, "gives")]
            first, second = pairs[0]
            helps = _of_weight(walk, result, second) or _of_weight(walk, flow, first)
            walk.sink.report(
                codes.BRANCHES_DIFFER, node.head, labels=shown, helps=helps,
                merge=merge, rule=rule, first=first, second=second,
            )  # fmt: skip
            met = pairs[0]
        elif not (result.doubted or flow.doubted):
            result = Flow(met[0], result.origin, result.channels_origin)
            continue
        result = doubtful(met, result)
    return result


def _can_meet(walk: Walk, one: Sizes, other: Sizes) -> bool:
    return bool(walk.holds(lambda: not _differ(one, other)))


def _differ(one: Sizes, other: Sizes) -> bool:
    return len(one) != len(other) or any(a != b and None not in (a, b) for a, b in zip(one, other))


def _both(one: Sizes, other: Sizes) -> Sizes:
    return tuple(b if a is None else a for a, b in zip(one, other))


def _of_weight(walk: Walk, flow: Flow, wanted: Sizes) -> list[str]:
    """For a learned value of another shape than what it meets."""
    learned = flow.origin is not None and any(one.span == flow.origin.span for one in walk.stack.weights)
    return [f"a weight has the shape that it meets: `weight {list(wanted)}`"] if learned and None not in wanted else []


def _add(walk: Walk, node: tree.Merge, flows: list[Flow], dim: int) -> Flow:
    return _meet(walk, node, flows, [], merge="add", rule=_EQUAL)


def _multiply(walk: Walk, node: tree.Merge, flows: list[Flow], dim: int) -> Flow:
    """Sizes of 1 are stretched, as torch broadcasts; the batch comes first in all, so the ranks have to agree."""
    result = flows[0]
    for flow in flows[1:]:
        one, other = result.sizes, flow.sizes
        if one is None or other is None:
            return LOST
        fits = _fit_stretched(walk, one, other)
        if not fits:
            walk.sink.report(
                codes.BRANCHES_DIFFER, node.head, labels=[*_said(result, "gives"), *_said(flow, "gives")],
                merge="multiply", rule=_BROADCAST, first=shape_fact(result), second=shape_fact(flow),
            )  # fmt: skip
            if len(one) != len(other):
                return LOST
        sizes = _stretched(walk, one, other)
        doubted = (not fits) or result.doubted or flow.doubted
        result = _unsure(result.become(sizes, node.head), doubted=doubted)
    return result


def _unsure(flow: Flow, *, doubted: bool) -> Flow:
    """A value whose sizes that are not sure may be in question."""
    assert flow.sizes is not None
    return replace(flow, options=(flow.sizes,) if doubted and None in flow.sizes else ())


def _fit_stretched(walk: Walk, one: Sizes, other: Sizes) -> bool:
    if len(one) != len(other):
        return False
    return bool(walk.holds(lambda: all(a == b or None in (a, b) or 1 in (a, b) for a, b in zip(one, other))))


def _stretched(walk: Walk, one: Sizes, other: Sizes) -> Sizes:
    sizes: Sizes = walk.choose(lambda: tuple(map(_stretched_size, one, other)))
    return sizes


def _stretched_size(a: int | None, b: int | None) -> int | None:
    if a == b or b == 1:
        return a
    if a == 1:
        return b
    # One that is not known may be 1, and then it is the other one that counts.
    return (a or b) if None in (a, b) and (a or b or 0) > 1 else None


def _matmul(walk: Walk, node: tree.Merge, flows: list[Flow], dim: int) -> Flow:
    """Rows of the first and columns of the second; what stands in front is equal."""
    if len(flows) < 2 or flows[0].sizes is None or flows[1].sizes is None:
        return LOST
    one, other = flows[0].sizes, flows[1].sizes
    ranks = len(one) == len(other) >= 2
    rows, columns = (*one[:-2], one[-1]), other[:-1]
    if not (ranks and walk.holds(lambda: not _differ(rows, columns))):
        labels = [*_said(flows[0], "gives"), *_said(flows[1], "gives")]
        walk.sink.report(
            codes.FACTORS_DIFFER, node.head, labels=labels, first=shape_fact(flows[0]),
            second=shape_fact(flows[1]),
        )  # fmt: skip
        return LOST
    lead = tuple(b if a is None else a for a, b in zip(one[:-2], other[:-2]))
    doubted = flows[0].doubted or flows[1].doubted
    sizes = (*lead, one[-2], other[-1])
    return _unsure(flows[0].become(sizes, node.head), doubted=doubted)


def _concat(walk: Walk, node: tree.Merge, flows: list[Flow], dim: int) -> Flow:
    known = [flow for flow in flows if flow.sizes is not None]
    if not known:
        return LOST
    first = known[0]
    assert first.sizes is not None
    rank = len(first.sizes) + 1
    axis = dim % rank - 1
    if not -rank <= dim < rank or axis < 0:
        span = next((argument.value.span for argument in node.arguments if argument.name is not None), node.head)
        walk.sink.report(
            codes.WRONG_DIMENSION, span, labels=first.labels(), layer="concat", dim=dim, shape=shape_fact(first),
            range=f"1 to {rank - 1}",
        )  # fmt: skip
        return LOST
    sizes: Sizes = first.sizes
    doubted = any(flow.doubted for flow in flows)
    for flow in known[1:]:
        other = flow.sizes
        assert other is not None
        if not _fit_together(walk, sizes, other, axis):
            along = "the channels" if axis == 0 else f"dimension {axis + 1}"
            walk.sink.report(
                codes.CONCAT_DIFFERS, node.head, labels=[*_said(first, "gives"), *_said(flow, "gives")], along=along,
                merge="concat", first=shape_fact(first), second=shape_fact(flow), axis=axis,
            )  # fmt: skip
            if len(other) != len(sizes):
                return LOST
            doubted = True
        sizes = _in_both(walk, sizes, other, axis)
    widths = [flow.width(axis) for flow in flows]
    total = None if len(known) < len(flows) or None in widths else sum(width or 0 for width in widths)
    sizes = (*sizes[:axis], total, *sizes[axis + 1 :])
    return _unsure(first.become(sizes, node.head), doubted=doubted)


def _fit_together(walk: Walk, first: Sizes, second: Sizes, axis: int) -> bool:
    return bool(walk.holds(lambda: _joins(first, second, axis)))


def _in_both(walk: Walk, first: Sizes, second: Sizes, axis: int) -> Sizes:
    sizes: Sizes = walk.choose(lambda: _shared(first, second, axis))
    return sizes


def _shared(first: Sizes, second: Sizes, axis: int) -> Sizes:
    """What is sure of both; along the axis in which they may differ, nothing."""
    shared = [a if b in (None, a) else b if a is None else None for a, b in zip(first, second)]
    shared[axis] = None
    return tuple(shared)


def _joins(first: Sizes, second: Sizes, axis: int) -> bool:
    same_rank = len(first) == len(second)
    return same_rank and all(a == b or None in (a, b) for i, (a, b) in enumerate(zip(first, second)) if i != axis)


_MERGES: dict[str, Callable[[Walk, tree.Merge, list[Flow], int], Flow]] = {
    "add": _add, "multiply": _multiply, "concat": _concat, "matmul": _matmul,
}  # fmt: skip
