"""Where values come together: `residual`, `add`, `multiply` and `concat`."""

from __future__ import annotations

from cnnspec.compiler import advice
from cnnspec.compiler.flow import LOST, Flow
from cnnspec.compiler.names import Scope
from cnnspec.compiler.values import has_unknown, show_shape
from cnnspec.declare import spell
from cnnspec.diagnostics import Diagnostic, Label, codes, note
from cnnspec.diagnostics.suggest import did_you_mean
from cnnspec.graph.nodes import MergeNode, ResidualNode, StackNode
from cnnspec.syntax import tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cnnspec.compiler.elaborate import Elaborator

Shape = tuple[int, ...]
_EQUAL = "the shapes have to be equal"
_BROADCAST = "sizes have to be equal, or 1"


def residual(walk: Elaborator, node: tree.Residual) -> None:
    """body(x) + shortcut(x), of equal shapes."""
    start = walk.flow
    label = walk.label(node.tail)
    body, end = walk.branch(node.body, start, "body", Scope(walk.scope))
    shortcut: StackNode | None = None
    other = start
    if node.shortcut is not None:
        shortcut, other = walk.branch(node.shortcut, start, "shortcut", Scope(walk.scope))
        shortcut = shortcut if shortcut.children else None
    sure = not (end.doubted or other.doubted)
    if end.shape is not None and other.shape is not None and end.shape != other.shape and sure:
        gives = "the shortcut gives" if shortcut is not None else "the shortcut passes on"
        labels = [*_said(end, "the body gives"), *_said(other, gives)]
        facts: dict[str, object] = {"merge": "residual adds values", "first": end.shape, "second": other.shape}
        facts["rule"] = _EQUAL
        walk.sink.add(Diagnostic(codes.BRANCHES_DIFFER, facts, node.head, tuple(labels)))
    result = end if end.shape is not None else other
    result = _doubted(result, other if other.shape is not None else end)
    parts = [body] if shortcut is None else [body, shortcut]
    parameters, count = sum(part.parameters for part in parts), sum(part.layers for part in parts)
    made = ResidualNode(
        label, "Residual", body, shortcut, start.shape, result.shape, parameters, node.head, max(1, count)
    )
    walk.add_expanded(made, result, node.tail)


def _said(flow: Flow, words: str) -> list[Label]:
    """Where the shape of a branch comes from."""
    if flow.origin is None or flow.shape is None:
        return []
    text = flow.origin.label().text if flow.origin.via else f"{words} {show_shape(flow.shape)}"
    return [Label(flow.origin.span, text)]


def _doubted(first: Flow, second: Flow) -> Flow:
    """The value `first`, unsure of where it differs from another that it should be equal to."""
    if first.shape is None or second.shape is None:
        return first
    channels = first.channels_doubted or first.shape[0] != second.shape[0]
    sizes = first.sizes_doubted or first.shape[1:] != second.shape[1:]
    return first.doubt(channels=channels, sizes=sizes)


def merge(walk: Elaborator, node: tree.Merge) -> None:
    """Values of several branches, or the running value and named earlier ones."""
    label = walk.label(node.tail)
    names, dim = _arguments(walk, node)
    start = walk.flow
    branches: list[StackNode] = []
    flows: list[Flow] = []
    if node.branches is not None:
        for part in node.branches.statements:
            if not isinstance(part, tree.Branch) or part.tail.label or part.tail.annotation:
                if not isinstance(part, tree.Invalid):
                    advice.not_yet(walk, part)
                continue
            branch, flow = walk.branch(part.body, start, "branch", Scope(walk.scope))
            branches.append(branch)
            flows.append(flow)
        if names:
            problem = "takes names or branches, not both"
            walk.sink.report(codes.WRONG_CALL, names[0].span, function=node.kind, problem=problem)
    else:
        if not names and all(argument.name is not None for argument in node.arguments):
            fix = f"`{node.kind}(name)` or `{node.kind} {{ branch {{ ... }} branch {{ ... }} }}`"
            walk.sink.report(codes.NEEDS_ARGUMENTS, node.head, name=node.kind, fix=fix)
        flows = [start, *(_named(walk, name) for name in names)]
    result = _MERGES[node.kind](walk, node, flows, dim)
    channels = result.channels_doubted or any(flow.channels_doubted for flow in flows)
    sizes = result.sizes_doubted or any(flow.sizes_doubted for flow in flows)
    result = result.doubt(channels=channels, sizes=sizes)
    parameters, count = sum(branch.parameters for branch in branches), sum(branch.layers for branch in branches)
    sources = () if branches else tuple(name.id for name in names)
    made = MergeNode(
        label,
        node.kind.capitalize(),
        node.kind,
        tuple(branches),
        sources,
        dim,
        start.shape,
        result.shape,
        parameters,
        node.head,
        max(1, count),
    )
    walk.add_expanded(made, result, node.tail)


def _arguments(walk: Elaborator, node: tree.Merge) -> tuple[list[tree.Name], int]:
    """The named values and the dimension that are written in the parentheses."""
    names: list[tree.Name] = []
    dim = 1
    for argument in node.arguments:
        if argument.name is None and isinstance(argument.value, tree.Name) and argument.stated is None:
            names.append(argument.value)
        elif argument.name is not None and argument.name.id == "dim" and node.kind == "concat":
            value = walk.value(argument.value)
            if value.__class__ is int:
                dim = value
            elif not has_unknown(value):
                shown, wants = spell(value), "a whole number"
                walk.sink.report(
                    codes.WRONG_TYPE, argument.value.span, layer="concat", name="dim", value=shown, wants=wants
                )
        elif argument.name is not None:
            takes = "takes names of values and `dim`" if node.kind == "concat" else "takes names of values"
            name = argument.name
            walk.sink.report(codes.UNKNOWN_PARAMETER, name.span, layer=node.kind, name=name.id, takes=takes)
        else:
            problem = "takes the names of earlier values, as `... as name` gives them"
            walk.sink.report(codes.WRONG_CALL, argument.span, function=node.kind, problem=problem)
    return names, dim


def _named(walk: Elaborator, name: tree.Name) -> Flow:
    """The value that `as name` has named; tells the stack that runs it to keep it."""
    found = walk.scope.find_value(name.id)
    if found is None:
        helps = did_you_mean(name.id, walk.scope.value_names()) or (note(f"name a value with `... as {name.id}`"),)
        walk.sink.report(codes.UNKNOWN_VALUE_NAME, name.span, helps=helps, name=name.id)
        return LOST
    flow, stack, _ = found
    stack.kept.append(name.id)
    assert isinstance(flow, Flow)
    return flow


def _first_known(flows: list[Flow]) -> Flow:
    return next((flow for flow in flows if flow.shape is not None), LOST)


def _add(walk: Elaborator, node: tree.Merge, flows: list[Flow], dim: int) -> Flow:
    first = _first_known(flows)
    for flow in flows:
        if flow.shape is not None and flow.shape != first.shape:
            _report_differ(walk, node, codes.BRANCHES_DIFFER, "add", first, flow, rule=_EQUAL)
            return _doubted(first, flow)
    return first


def _report_differ(
    walk: Elaborator, node: tree.Merge, code: codes.Code, merge: str, first: Flow, flow: Flow, **facts: object
) -> None:
    assert first.shape is not None
    assert flow.shape is not None
    if first.doubted or flow.doubted:
        return
    labels = [*_said(first, "gives"), *_said(flow, "gives")]
    said = {"merge": merge, "first": first.shape, "second": flow.shape, **facts}
    walk.sink.add(Diagnostic(code, said, node.head, tuple(labels)))


def _multiply(walk: Elaborator, node: tree.Merge, flows: list[Flow], dim: int) -> Flow:
    """Sizes of 1 are stretched, as torch broadcasts; the batch comes first in all, so the ranks have to agree."""
    first = _first_known(flows)
    if first.shape is None or any(flow.shape is None for flow in flows):
        return Flow(None, first.channels)
    sizes = list(first.shape)
    for flow in flows:
        assert flow.shape is not None
        fits = len(flow.shape) == len(sizes) and all(a == b or 1 in (a, b) for a, b in zip(sizes, flow.shape))
        if not fits:
            _report_differ(walk, node, codes.BRANCHES_DIFFER, "multiply", first, flow, rule=_BROADCAST)
            return _doubted(first, flow)
        sizes = [b if a == 1 else a for a, b in zip(sizes, flow.shape)]
    return first.become(tuple(sizes), node.head)


def _concat(walk: Elaborator, node: tree.Merge, flows: list[Flow], dim: int) -> Flow:
    first = _first_known(flows)
    if first.shape is None:
        return LOST
    rank = len(first.shape) + 1
    axis = dim % rank - 1
    if not -rank <= dim < rank or axis < 0:
        span = next((argument.value.span for argument in node.arguments if argument.name is not None), node.head)
        shape = show_shape(first.shape)
        facts: dict[str, object] = {"layer": "concat", "dim": dim, "shape": shape, "range": f"1 to {rank - 1}"}
        walk.sink.add(Diagnostic(codes.WRONG_DIMENSION, facts, span, tuple(first.labels())))
        return LOST
    for flow in flows:
        if flow.shape is not None and not _joins(first.shape, flow.shape, axis):
            along = "the channels" if axis == 0 else f"dimension {axis + 1}"
            _report_differ(walk, node, codes.CONCAT_DIFFERS, "concat", first, flow, along=along)
            return LOST
    widths = [flow.width(axis) for flow in flows]
    if any(width is None for width in widths):
        return LOST
    total = sum(width for width in widths if width is not None)
    if any(flow.shape is None for flow in flows):
        return Flow(None, total)
    return first.become((*first.shape[:axis], total, *first.shape[axis + 1 :]), node.head)


def _joins(first: Shape, second: Shape, axis: int) -> bool:
    same_rank = len(first) == len(second)
    return same_rank and all(a == b for i, (a, b) in enumerate(zip(first, second)) if i != axis)


_MERGES = {"add": _add, "multiply": _multiply, "concat": _concat}
