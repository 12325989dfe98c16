"""What a graph computes, as a number for every value: equal numbers are equal values, whatever the modules around them.

Two graphs whose layers are told to be the same ones, by a name each, are the same network where their outputs are equal.
"""

from __future__ import annotations

from cnnspec.graph.nodes import (
    ARRIVING,
    STEP,
    TAKEN,
    Feed,
    Graph,
    LayerNode,
    MergeNode,
    Node,
    ResidualNode,
    StackNode,
    Wire,
)
from cnnspec.graph.walk import children_of, node_of, steps_of
from cnnspec.layers.base import Parts
from cnnspec.record import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import TypeAlias

Value: TypeAlias = "int | tuple[Value, ...]"
_WITHOUT_MEANING = frozenset(["inplace"])


class Meanings:
    """Numbers of values, over as many graphs as are to be compared."""

    def __init__(self) -> None:
        self._known: dict[object, int] = {}

    def of(self, graph: Graph, names: Mapping[str, object]) -> Value:
        """The value of a graph. `names` are those of its layers and weights, by their keys."""
        inputs: list[Value] = [self._number(("input", number)) for number in range(len(graph.inputs))]
        arriving: Value = tuple(inputs) if len(inputs) > 1 else inputs[0]
        return _Run(self, names).body(graph.root, arriving, (), (), "")[0]

    def _number(self, term: object) -> int:
        return self._known.setdefault(term, len(self._known))


class _Run:
    def __init__(self, meanings: Meanings, names: Mapping[str, object]) -> None:
        self.number, self.names = meanings._number, names

    def body(
        self, node: StackNode, arriving: Value, taken: Sequence[Value], modules: Sequence[tuple[str, Node]], path: str
    ) -> tuple[Value, tuple[Value, ...]]:
        """The value of a body, and the further ones that it gives."""
        keys = [key for key, _ in children_of(node)]
        weights = [self.number(("weight", self._name(_below(path, one.label)))) for one in node.weights]
        given: list[Value] = []

        def value(feed: Feed) -> Value:
            if isinstance(feed, tuple):
                return tuple(value(part) for part in feed)
            source: Value = (
                given[feed.index] if feed.kind == STEP
                else arriving if feed.kind == ARRIVING
                else taken[feed.index] if feed.kind == TAKEN
                else weights[feed.index]
            )  # fmt: skip
            for part in feed.path:
                assert isinstance(source, tuple)
                source = source[part]
            return source

        for step in steps_of(node):
            run = node_of(node, step)
            below, first = (
                modules[step.module.index] if step.module.taken
                else (_below(path, keys[step.module.index]), node.children[step.module.index])
            )  # fmt: skip
            handed = [
                modules[link.index] if link.taken else (_below(path, keys[link.index]), node.children[link.index])
                for link in step.modules
            ]
            if run is not None:
                # Counted with its first run, its weights are those of that one.
                run = replace(run, parameters=first.parameters)
            result, taps = self.node(run or first, value(step.feed), [value(one) for one in step.values], handed, below)
            given.append((result, *taps) if taps else result)
        end = node.result if node.result is not None else Wire(STEP, len(given) - 1) if given else Wire(ARRIVING)
        return value(end), tuple(value(tap) for tap in node.taps)

    def node(
        self, node: Node, x: Value, values: Sequence[Value], modules: Sequence[tuple[str, Node]], path: str
    ) -> tuple[Value, tuple[Value, ...]]:
        match node:
            case StackNode():
                return self.body(node, x, values, modules, path)
            case LayerNode():
                return self._layer(node, x, path), ()
            case ResidualNode() | MergeNode():
                return self._merge(node, x, values, modules, path)

    def _merge(
        self, node: ResidualNode | MergeNode, x: Value, values: Sequence[Value], modules: Sequence[tuple[str, Node]],
        path: str,
    ) -> tuple[Value, tuple[Value, ...]]:  # fmt: skip
        branches: list[Value] = []
        tapped: list[tuple[Value, ...]] = []
        for number, (key, branch) in enumerate(children_of(node)):
            assert isinstance(branch, StackNode)
            given = node.given[number] if number < len(node.given) else None
            own = [values[index] for index in given.values] if given else []
            linked = [modules[index] for index in given.modules] if given else []
            result, taps = self.body(branch, x, own, linked, _below(path, key))
            branches.append(result)
            tapped.append(taps)
        further = tuple(branches[tap.branch] if tap.tap is None else tapped[tap.branch][tap.tap] for tap in node.taps)
        if isinstance(node, ResidualNode):
            return self._joined("add", 1, branches if node.shortcut is not None else [*branches, x]), further
        if not node.branches:
            others = iter(values)
            branches = [
                x,
                *(next(others) if one is None else self.number(("number", one)) for one in node.operands),
            ]
        return self._joined(node.kind, node.dim, branches), further

    def _joined(self, kind: str, dim: int, values: list[Value]) -> Value:
        if kind == "tuple":
            return tuple(values)
        if kind in ("add", "multiply"):
            return self.number((kind, tuple(sorted(values, key=repr))))
        return self.number((kind, dim if kind == "concat" else 0, tuple(values)))

    def _layer(self, node: LayerNode, x: Value, path: str) -> Value:
        assert node.layer is not None
        assert node.input is not None
        call = node.layer.call(node.input)
        arguments = {key: value for key, value in call.kwargs.items() if key not in _WITHOUT_MEANING}
        with_state = arguments.pop("state", False)
        name = self._name(path) if node.parameters or sum(node.layer.buffers(node.input)) else None
        term = self.number((call.target, repr(call.args), repr(sorted(arguments.items())), name, x))
        if "state" in node.layer.fields and not with_state:
            # What it gives alone is the first part of what it gives with its state.
            return self.number((term, ".0"))
        return self._parts(term, node.output, "")

    def _parts(self, term: int, shape: object, place: str) -> Value:
        if isinstance(shape, Parts):
            return tuple(self._parts(term, part, f"{place}.{number}") for number, part in enumerate(shape))
        return self.number((term, place)) if place else term

    def _name(self, path: str) -> object:
        return self.names.get(path, path)


def _below(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key
