"""A body of the graph as statements: the running value, names for what is not a line, branches of merges."""

from __future__ import annotations

from cnnspec.backends.cnn_source.naming import Names, clean_name
from cnnspec.backends.cnn_source.regions import Branch, Operation, folded, operations_of, whole
from cnnspec.backends.cnn_source.statements import (
    Again,
    Argument,
    Arriving,
    Body,
    Branches,
    Call,
    Const,
    Learned,
    Mark,
    Merge,
    Name,
    Residual,
    Use,
    label_of,
    rewrite,
    with_label,
)
from cnnspec.graph.nodes import (
    ARRIVING,
    STEP,
    TAKEN,
    WEIGHT,
    Feed,
    Graph,
    LayerNode,
    MergeNode,
    Node,
    StackNode,
    Wire,
)
from cnnspec.graph.walk import wires_of
from cnnspec.layers.base import Parts
from cnnspec.record import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cnnspec.backends.cnn_source.statements import Statement
    from cnnspec.layers import Layer

    Hint = Callable[[Node], str]


def body_of(node: StackNode, path: str, hint: Hint, inputs: tuple[str, ...] = ()) -> Body:
    """The statements of a body. `path` is its key, `hint` a name for the value of a node, "" for none."""
    return _Writer(node, path, hint, inputs).body()


def root_body(graph: Graph, hint: Hint) -> tuple[Body, tuple[str, ...]]:
    """The statements of a model, and the names of its inputs: "" for the only one where nothing needs its name."""
    names = tuple(clean_name(entry.name or f"input{number}") for number, entry in enumerate(graph.inputs))
    body = body_of(graph.root, "", hint, names if len(names) > 1 else ())
    first = body.statements[0] if body.statements else None
    if len(names) == 1:
        if isinstance(first, Arriving):
            return replace(body, statements=body.statements[1:]), first.names
        return body, ("",)
    return body, names


class _Writer:
    """One body on its way to statements."""

    def __init__(self, node: StackNode, path: str, hint: Hint, inputs: tuple[str, ...]) -> None:
        self.node, self.path, self.hint = node, path, hint
        self.names = Names(node)
        self.inputs = [self.names.take(name) for name in inputs]
        operations, self.result = operations_of(node)
        self.every = {one.gives: one for one in operations}
        self.operations = folded(_trimmed(operations, self.result), self.result)
        self.takes = tuple(self.names.take(clean_name(name) or "value") for name in node.takes)
        self.used: dict[Wire, str] = {}
        self.repeated = {one.step.module.index for one in operations if one.step.again is not None}
        self.states = _states(operations, self.result)

    def body(self) -> Body:
        """All statements."""
        learned = [
            Learned(Const(list(weight.shape)), self.weight(number), Mark(self._key(weight.label)))
            for number, weight in enumerate(self.node.weights)
        ]
        start = Wire(ARRIVING)
        found = [self._labelled(one) for one in self.run(self.operations, start, self.result)]
        if self.inputs:
            arriving: list[Statement] = []
        else:
            arrived = self.used.get(start)
            parts = sorted(
                (wire for wire in self.used if wire.kind == ARRIVING and wire.path), key=lambda one: one.path
            )
            arriving = [Arriving((arrived,))] if arrived else []
            if parts and isinstance(self.node.input, Parts):
                names = [self.used.get(Wire(ARRIVING, 0, (number,)), "_") for number in range(len(self.node.input))]
                arriving = [Arriving(tuple(names))]
        return Body((*arriving, *learned, *found), self.takes, Mark(self.path or "."))

    def run(self, operations: Sequence[Operation], start: Wire, result: Feed) -> list[Statement]:
        """The statements of operations that start from a value and end with another."""
        found: list[Statement] = []
        current: Feed = start
        for one in operations:
            feed, values = _ordered(one, current)
            if self._alone(feed) != current:
                found.append(self.use(feed))
            found.append(self.statement(one, values))
            current = one.gives
        if self._alone(result) != current:
            found.append(self.use(result))
        return found

    def _alone(self, feed: Feed) -> Feed:
        """A value, where it is the only one of a recurrent layer that anybody reads: then the layer gives it alone."""
        if isinstance(feed, Wire) and feed.kind == STEP and feed.index in self.states:
            return Wire(STEP, feed.index, feed.path[1:])
        return feed

    # --- names ---

    def name(self, wire: Wire) -> Name:
        """The name of a value; the statement that gives it is told to carry it."""
        if wire.kind == TAKEN:
            return Name(self.takes[wire.index], wire.path)
        if wire.kind == WEIGHT:
            return Name(self.weight(wire.index))
        if wire.kind == ARRIVING and self.inputs:
            return Name(self.inputs[wire.path[0]], wire.path[1:])
        base = whole(wire)
        if base not in self.used:
            self.used[base] = self.names.take(self._wish(base))
        return Name(self.used[base], self._path(wire))

    def _path(self, wire: Wire) -> tuple[int, ...]:
        if wire.kind == ARRIVING:
            return wire.path[1:]
        return wire.path[1:] if wire.index in self.states else wire.path

    def _wish(self, wire: Wire) -> str:
        if wire.kind == ARRIVING:
            return "x" if not wire.path else f"x{wire.path[0]}"
        node = self.every[wire].node
        if node is None:
            return "value"
        return self.names.label_of(node) or clean_name(self.hint(node)) or clean_name(node.title.lower()) or "value"

    def weight(self, index: int) -> str:
        return self.names.weight(index)

    def use(self, feed: Feed) -> Use:
        if isinstance(feed, Wire):
            return Use((self.name(feed),))
        return Use(tuple(self._part(part) for part in feed), single=False)

    def _part(self, feed: Feed) -> object:
        return self.name(feed) if isinstance(feed, Wire) else tuple(self._part(part) for part in feed)

    def _key(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name

    def _labelled(self, statement: Statement) -> Statement:
        def settle(part: object) -> object:
            label = label_of(part)
            return with_label(part, self.label(int(label[1:]))) if label[:1] == "\0" else part  # type: ignore[arg-type]

        found: Statement = rewrite(statement, settle)  # type: ignore[assignment]
        return found

    def _label(self, one: Operation) -> str:
        """The label of a statement: it is told once all have been written which of them need one."""
        return f"\0{one.gives.index}"

    def label(self, index: int) -> str:
        """The label that the statement of a step carries."""
        wire = Wire(STEP, index)
        node = self.every[wire].node
        if wire in self.used:
            return self.used[wire]
        if self.every[wire].step.again is not None:
            return ""
        if index_of(self.every[wire]) in self.repeated:
            return self.name(wire).name
        own = self.names.label_of(node) if node is not None else ""
        return self.names.take_if_free(own)

    # --- statements ---

    def statement(self, one: Operation, values: tuple[Feed, ...]) -> Statement:
        node, label = one.node, self._label(one)
        if one.step.again is not None:
            first = next(
                other for other in self.every.values()
                if other.step.again is None and other.step.module == one.step.module
            )  # fmt: skip
            return Again(self.name(first.gives).name, label)
        if isinstance(node, LayerNode):
            assert node.layer is not None
            state_off = one.gives.index in self.states
            return Call(
                type(node.layer).__name__, arguments_of(node, without_state=state_off), label,
                Mark(self._key(node.label or str(index_of(one))), _width(node)),
            )  # fmt: skip
        if isinstance(node, StackNode):
            path = self._key(node.label or str(index_of(one)))
            names = tuple(self.name(wire) for wire in wires_of(values))
            return Call(node.title, (), label, Mark(path, _width(node)), body_of(node, path, self.hint), names)
        if isinstance(node, MergeNode):
            return self._merge(one, node, values, label)
        raise TypeError(f"no statement for {type(node).__name__}")

    def _merge(self, one: Operation, node: MergeNode, values: tuple[Feed, ...], label: str) -> Statement:
        dim = (Argument("dim", Const(node.dim)),) if node.kind == "concat" and node.dim != 1 else ()
        if one.branches:
            source = one.feed
            assert isinstance(source, Wire)
            parts = [self._branch(branch, source) for branch in one.branches]
            if node.kind == "add" and len(parts) == 2:
                return Residual(parts[0], parts[1], label)
            return Branches(node.kind, tuple(parts), dim, label)
        others = iter(values)
        operands = tuple(
            Const(_plain(number)) if number is not None else self.name(_wire(next(others))) for number in node.operands
        )
        return Merge(node.kind, operands, dim, label)

    def _branch(self, branch: Branch, source: Wire) -> tuple[Statement, ...]:
        return tuple(self.run(branch.operations, source, branch.gives))


def _width(node: LayerNode | StackNode) -> int | None:
    """The channels that arrive."""
    first = node.input[0] if node.input else None
    return first if isinstance(first, int) else None


def index_of(one: Operation) -> int:
    return one.step.module.index


def _wire(feed: Feed) -> Wire:
    assert isinstance(feed, Wire)
    return feed


def _plain(number: float) -> int | float:
    return int(number) if number == int(number) and abs(number) < 2**31 else number


def _ordered(one: Operation, current: Feed) -> tuple[Feed, tuple[Feed, ...]]:
    """What an operation runs on and what else it needs: of a sum or a product, the running value may be either."""
    node = one.node
    commutes = isinstance(node, MergeNode) and node.kind in ("add", "multiply")
    if commutes and one.feed != current and one.values == (current,):
        return current, (one.feed,)
    return one.feed, one.values


def _trimmed(operations: list[Operation], result: Feed) -> list[Operation]:
    """The operations without those that lead to nothing and have no parameters."""
    live = {whole(wire) for wire in wires_of(result)}
    kept: list[Operation] = []
    for one in reversed(operations):
        if one.gives in live or (one.node is not None and one.node.parameters):
            kept.insert(0, one)
            live.update(one.takes)
    return kept


def _states(operations: list[Operation], result: Feed) -> set[int]:
    """The steps of recurrent layers of which nobody reads the state."""
    reads = [wire for one in operations for wire in wires_of((one.feed, one.values))] + wires_of(result)
    found = set()
    for one in operations:
        layer = one.node.layer if isinstance(one.node, LayerNode) else None
        if layer is not None and layer.given.get("state") is True:
            of_this = [wire for wire in reads if wire.kind == STEP and wire.index == one.gives.index]
            if all(wire.path[:1] == (0,) for wire in of_this):
                found.add(one.gives.index)
    return found


def arguments_of(node: LayerNode, *, without_state: bool = False) -> tuple[Argument, ...]:
    """The arguments of a layer as a spec has them: what the input determines, and defaults, are left out."""
    layer = node.layer
    assert layer is not None
    width = _width(node)
    positions = layer.signature.positions
    found: list[Argument] = []
    for number, field in enumerate(layer.fields.values()):
        if field.name not in layer.given or field.name == "inplace" or (field.name == "state" and without_state):
            continue
        value = layer.given[field.name]
        if field.name == layer.inferred and not _has_to_be_stated(layer, value, node):
            continue
        if not field.required and value == field.default and type(value) is type(field.default):
            continue
        first = number == len(found) and (number == 0 or field.name == "stop")
        by_position = number < positions and (field.required or first)
        found.append(Argument("" if by_position else field.name, Const(value, width)))
    return tuple(found)


def _has_to_be_stated(layer: Layer, value: object, node: LayerNode) -> bool:
    """Whether an argument that the input determines says more than that."""
    if layer.inferred != "normalized_shape" or not isinstance(value, tuple):
        return layer.inferred == "num_parameters" and value not in (None, 1)
    return len(value) > 1
