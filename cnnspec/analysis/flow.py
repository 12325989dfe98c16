"""Runs a graph on stand-ins for its values, as the compiled module runs on tensors: step by step, with the same lifetimes.

An analysis says what a layer, a merge and a weight make of stand-ins, and where that matters, what it means that a value is
held or dropped: as the frames of `cnnspec.nn` and `torch.nn.Sequential` hold and drop them.
"""

from __future__ import annotations

from cnnspec.graph.nodes import (
    ARRIVING,
    STEP,
    TAKEN,
    Feed,
    Given,
    LayerNode,
    MergeNode,
    Node,
    ResidualNode,
    StackNode,
    Step,
    Tap,
    Weight,
    Wire,
)
from cnnspec.graph.walk import children_of, steps_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any


class Interpreter:
    """Base of analyses that follow values. A tuple of values is a Python tuple of stand-ins.

    What a method gives is held once, by its caller; what it is given stays held by the caller meanwhile.
    """

    def layer(self, node: LayerNode, x: Any, path: str) -> Any:
        """What a layer makes of its input."""
        raise NotImplementedError

    def merge(self, node: MergeNode | ResidualNode, parts: list[Any], path: str) -> Any:
        """What a merge makes of the values of its branches, or of those that it lists; numbers are left out."""
        raise NotImplementedError

    def weight(self, weight: Weight, path: str) -> Any:
        """A weight, stretched over the batch."""
        raise NotImplementedError

    def hold(self, value: Any) -> None:
        """One more name for a value."""

    def drop(self, value: Any) -> None:
        """One name less."""

    # --- the walk ---

    def run(self, node: Node, x: Any, values: Sequence[Any] = (), shared: Sequence[str] = (), path: str = "") -> Any:
        """What a module makes of its input, of the further `values` and of modules of other bodies, by their paths."""
        match node:
            case LayerNode():
                return self.layer(node, x, path)
            case StackNode():
                plain = not node.steps and node.result is None and not node.taps
                return self._chain(node, x, path) if plain else self._body(node, x, values, shared, path)
            case ResidualNode():
                branches = [("body", node.body), ("shortcut", node.shortcut)]
                return self._branches(node, [one for one in branches if one[1] is not None], x, values, shared, path)
        if node.branches:
            return self._branches(node, list(children_of(node)), x, values, shared, path)
        waiting = iter(values)
        return self.merge(node, [x, *[next(waiting) for part in node.operands if part is None]], path)

    def _chain(self, node: StackNode, x: Any, path: str) -> Any:
        value = x
        for key, child in children_of(node):
            before, value = value, self.run(child, value, path=_below(path, key))
            if before is not x:
                self.drop(before)
        if value is x:
            self.hold(x)
        return value

    def _body(self, node: StackNode, x: Any, values: Sequence[Any], shared: Sequence[str], path: str) -> Any:
        body = _Body(self, node, [x, *values], shared, path)
        for number, step in enumerate(steps_of(node)):
            body.step(number, step)
        return body.close()

    def _branches(
        self, node: MergeNode | ResidualNode, branches: list[tuple[str, Any]], x: Any, values: Sequence[Any],
        shared: Sequence[str], path: str,
    ) -> Any:  # fmt: skip
        parts = []
        for number, (key, branch) in enumerate(branches):
            given = node.given[number] if node.given else Given()
            own = [values[index] for index in given.values]
            modules = [shared[index] for index in given.modules]
            parts.append(self.run(branch, x, own, modules, _below(path, key)))
        tapped = [bool(branch.taps) for _, branch in branches]
        firsts = [part[0] if more else part for part, more in zip(parts, tapped)]
        if isinstance(node, ResidualNode) and len(firsts) == 1:
            self.hold(x)
            firsts.append(x)
            parts.append(x)
        result = self.merge(node, firsts, path)
        if node.taps:
            result = (result, *[self._tapped(firsts, parts, tap) for tap in node.taps])
        for part in parts:
            self.drop(part)
        return result

    def _tapped(self, firsts: list[Any], parts: list[Any], tap: Tap) -> Any:
        value = firsts[tap.branch] if tap.tap is None else parts[tap.branch][tap.tap + 1]
        self.hold(value)
        return value


class _Body:
    """A body while it runs: its registers, as `cnnspec.nn.Stack` has them."""

    def __init__(self, owner: Interpreter, node: StackNode, given: list[Any], shared: Sequence[str], path: str) -> None:
        self.owner, self.node, self.shared, self.path = owner, node, shared, path
        self.given = given[: 1 + len(node.takes)] if node.inputs == 1 else [tuple(given)]
        self.values: list[Any] = []
        self.keys = [key for key, _ in children_of(node)]
        self.last = _last_uses(node)
        self.current: Any = ()
        """What the name of the running value holds besides the registers."""

    def step(self, number: int, step: Step) -> None:
        owner = self.owner
        self._name(self.fetch(step.feed))
        given = [self.fetch(feed) for feed in step.values]
        modules = [self.shared[link.index] if link.taken else self._key(link.index) for link in step.modules]
        if step.module.taken:
            path, child = self.shared[step.module.index], step.again
        else:
            path, child = self._key(step.module.index), self.node.children[step.module.index]
        run = step.again or child
        assert run is not None
        value = owner.run(run, self.current, given, modules, path)
        if step.module.taken and _taps(run):
            for tap in value[1:]:
                owner.drop(tap)
            value = value[0]
        elif not step.module.taken and _taps(child) and not _taps(run):
            value = (value,)
        self.values.append(value)
        self._name(value)
        for index in self.last.get(number, ()):
            owner.drop(self.values[index])
            self.values[index] = None

    def _key(self, index: int) -> str:
        return _below(self.path, self.keys[index])

    def _name(self, value: Any) -> None:
        self.owner.hold(value)
        before, self.current = self.current, value
        self.owner.drop(before)

    def fetch(self, feed: Feed) -> Any:
        if isinstance(feed, tuple):
            return tuple(map(self.fetch, feed))
        assert isinstance(feed, Wire)
        if feed.kind == ARRIVING:
            value = self.given[0]
        elif feed.kind == TAKEN:
            value = self.given[1 + feed.index]
        elif feed.kind == STEP:
            value = self.values[feed.index]
        else:
            weight = self.node.weights[feed.index]
            value = self.owner.weight(weight, _below(self.path, weight.label))
        for index in feed.path:
            value = value[index]
        return value

    def close(self) -> Any:
        """What the body gives; every name of it is dropped."""
        node = self.node
        last = Wire(STEP, len(self.values) - 1) if self.values else Wire(ARRIVING)
        result = self.fetch(node.result if node.result is not None else last)
        self.owner.hold(result)
        if node.taps:
            taps = [self.fetch(tap) for tap in node.taps]
            for tap in taps:
                self.owner.hold(tap)
            result = (result, *taps)
        self._name(())
        for value in self.values:
            if value is not None:
                self.owner.drop(value)
        return result


def _taps(node: Node | None) -> tuple[object, ...]:
    return () if node is None or isinstance(node, LayerNode) else node.taps


def _below(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _last_uses(node: StackNode) -> dict[int, list[int]]:
    """The steps whose values are needed for the last time, by the step that needs them."""
    steps = list(steps_of(node))
    last: dict[int, int] = {}
    for number, step in enumerate(steps):
        last[number] = number
        for index in _steps_in((step.feed, *step.values)):
            last[index] = number
    kept = set(_steps_in((node.result, *node.taps) if node.result is not None else node.taps))
    if node.result is None and steps:
        kept.add(len(steps) - 1)
    found: dict[int, list[int]] = {}
    for index, number in last.items():
        if index not in kept:
            found.setdefault(number, []).append(index)
    return found


def _steps_in(feeds: object) -> list[int]:
    if isinstance(feeds, tuple):
        return [index for feed in feeds for index in _steps_in(feed)]
    return [feeds.index] if isinstance(feeds, Wire) and feeds.kind == STEP else []


def outside(body: StackNode) -> list[str]:
    """Paths for the modules that a body by itself takes from outside, to run them again."""
    return [f"outside {number}" for number in range(body.modules)]
