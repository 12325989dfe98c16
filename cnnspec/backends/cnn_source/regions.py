"""What runs in a body as operations on numbered values; those between a value and a merge become its branches."""

from __future__ import annotations

from cnnspec.graph.nodes import ARRIVING, STEP, Feed, MergeNode, Node, StackNode, Step, Wire
from cnnspec.graph.walk import node_of, steps_of, wires_of
from cnnspec.record import record

_LARGEST, _SHORT = 16, 8
"""Operations of a branch. A longer one is easier to read as statements with a name at its beginning."""


class Operation:
    """One step of a body. `feed` is its running value, `values` the others that it needs, `gives` what it makes."""

    __slots__ = ("branches", "feed", "gives", "node", "step", "values")

    def __init__(
        self, step: Step, node: Node | None, feed: Feed, values: tuple[Feed, ...], gives: Wire,
        branches: tuple[Branch, ...] = (),
    ) -> None:  # fmt: skip
        self.step, self.node, self.feed, self.values, self.gives, self.branches = (
            step, node, feed, values, gives, branches,
        )  # fmt: skip

    @property
    def takes(self) -> list[Wire]:
        """Every value that goes in, parts of tuples as the values that they belong to."""
        inner = [wire for branch in self.branches for one in branch.operations for wire in one.takes]
        return [whole(wire) for wire in wires_of((self.feed, self.values))] + inner

    @property
    def depth(self) -> int:
        """How deep branches are nested in it."""
        inner = [one.depth for branch in self.branches for one in branch.operations]
        return 1 + max(inner, default=0) if self.branches else 0


@record
class Branch:
    """One operand of a merge: the operations that lead to it, and the value that it is."""

    operations: tuple[Operation, ...]
    gives: Wire


def whole(wire: Wire) -> Wire:
    """The value that a part belongs to. The parts of what arrives are values of their own."""
    if wire.kind == ARRIVING:
        return Wire(ARRIVING, 0, wire.path[:1])
    return Wire(wire.kind, wire.index)


def operations_of(body: StackNode) -> tuple[list[Operation], Feed]:
    """The operations of a body in the order in which they run, and what it gives."""
    steps = list(steps_of(body))
    found = [
        Operation(step, node_of(body, step), step.feed, step.values, Wire(STEP, number))
        for number, step in enumerate(steps)
    ]
    last: Feed = Wire(STEP, len(steps) - 1) if steps else Wire(ARRIVING)
    return found, last if body.result is None else body.result


def folded(operations: list[Operation], result: Feed) -> list[Operation]:
    """The operations, where those that run between one value and the merge of what comes of it are its branches."""
    repeated = {one.step.module.index for one in operations if one.step.again is not None}
    for merge in list(operations):
        if not isinstance(merge.node, MergeNode) or merge.node.branches or merge.step.again is not None:
            continue
        parts = _branches(operations, merge, result, repeated)
        if parts is None:
            continue
        source, branches = parts
        inside = {id(one) for branch in branches for one in branch.operations}
        made = Operation(merge.step, merge.node, source, (), merge.gives, branches)
        operations = [made if one is merge else one for one in operations if id(one) not in inside]
    return operations


def _branches(
    operations: list[Operation], merge: Operation, result: Feed, repeated: set[int]
) -> tuple[Wire, tuple[Branch, ...]] | None:
    """The value that all operands of a merge come from, and how each does."""
    node = merge.node
    assert isinstance(node, MergeNode)
    operands = [wire for wire in (merge.feed, *merge.values) if isinstance(wire, Wire)]
    plain = len(operands) == 1 + len(merge.values) == len(set(operands))
    if not plain or any(operand is not None for operand in node.operands) or any(wire.path for wire in operands):
        return None
    users: dict[Wire, list[Operation]] = {}
    for one in operations:
        for wire in one.takes:
            users.setdefault(wire, []).append(one)
    kept = {whole(wire) for wire in wires_of(result)}
    before = operations[: operations.index(merge)]
    regions = [_exclusive(before, operand, merge, users, kept) for operand in operands]
    if any(one.step.module.index in repeated for region in regions for one in region):
        # `again` reaches no module of a branch from outside.
        return None
    sources = {wire for region, operand in zip(regions, operands) for wire in _sources(region, operand)}
    sources = {wire for wire in sources if wire.kind in (ARRIVING, STEP)}
    if len(sources) != 1 or not any(regions) or not _readable(node.kind, regions, operands, sources):
        return None
    (source,) = sources
    if node.kind == "add" and len(operands) == 2 and _weight(regions[0]) < _weight(regions[1]):
        regions.reverse()
        operands.reverse()
    return source, tuple(Branch(tuple(region), operand) for region, operand in zip(regions, operands))


def _weight(region: list[Operation]) -> tuple[bool, int]:
    """What makes a branch the body of a residual: that it is one at all, then its parameters."""
    return bool(region), sum(one.node.parameters for one in region if one.node is not None)


def _exclusive(
    before: list[Operation], operand: Wire, merge: Operation, users: dict[Wire, list[Operation]], kept: set[Wire]
) -> list[Operation]:
    """The operations that run for one operand of a merge alone."""
    region: list[Operation] = []
    inside: set[int] = set()
    for one in reversed(before):
        consumers = users.get(one.gives, [])
        if not consumers or one.gives in kept or one.step.again is not None:
            continue
        if all(id(user) in inside or (user is merge and one.gives == operand) for user in consumers):
            region.insert(0, one)
            inside.add(id(one))
    return region


def _sources(region: list[Operation], operand: Wire) -> set[Wire]:
    """What a region reads that it does not make."""
    made = {one.gives for one in region}
    return {wire for one in region for wire in one.takes if wire not in made} or {operand}


def _readable(kind: str, regions: list[list[Operation]], operands: list[Wire], sources: set[Wire]) -> bool:
    """Whether branches are easier to read than a name: not where one of them is most of the network."""
    passed = any(not region for region, operand in zip(regions, operands) if operand in sources)
    deepest = max(sum(one.depth for one in region) for region in regions)
    longest = max(map(len, regions))
    return longest <= _LARGEST and not (passed and kind == "concat" and (deepest > 1 or longest > _SHORT))
