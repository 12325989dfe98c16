"""A body while its modules are collected: which of them there are, what each is given, and the values that have names."""

from __future__ import annotations

from cnnspec.compiler.flow import Known, Several
from cnnspec.compiler.names import Home, Made, Value, Values
from cnnspec.graph.nodes import (
    ARRIVING,
    STEP,
    TAKEN,
    WEIGHT,
    Feed,
    Given,
    Link,
    Named,
    Node,
    StackNode,
    Step,
    Weight,
    Wire,
)
from cnnspec.record import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from cnnspec.source import Span

_TAP = "tap"


class Stack(Home):
    """The modules of one body. `parent` is the body around it, whose values it may use; a block has none."""

    def __init__(self, parent: Stack | None = None, *, arrival_named: bool = False) -> None:
        self.parent = parent
        self.start: Known | None = None
        """The value that the body is run on; None for a model's, whose inputs are met in it."""
        self.children: list[Node] = []
        self.labels: dict[str, Span] = {}
        self.taken: list[Value] = []
        self.modules: list[Made] = []
        self.weights: list[Weight] = []
        self.weights_used: set[int] = set()
        self.names: list[Named] = []
        self.arrival_named = arrival_named
        """Whether what arrives is not lost where this body leaves it: it has a name outside, or others get it as well."""
        self.inputs = 1
        self.has_nameless_input = False
        self._steps: list[Step | None] = []
        """None for a module that is given what the step before it gave, and nothing else."""
        self._named: set[Wire] = set()

    # --- modules ---

    def append(self, node: Node, feed: Feed | None, values: tuple[Feed, ...], modules: tuple[Link, ...]) -> None:
        """Add a module, which is given `feed`: None for the value of the step before."""
        if feed is not None and feed == self.resolve(None):
            feed = None
        self.children.append(node)
        plain = feed is None and not values and not modules
        self._steps.append(None if plain else Step(Link(len(self.children) - 1), self.resolve(feed), values, modules))

    def repeat_last(self, count: int, times: int) -> bool:
        """Add the last `count` modules again, some times over; False where they are more than a plain chain."""
        if len(self._steps) < count or any(step is not None for step in self._steps[len(self._steps) - count :]):
            return False
        self.children.extend(self.children[len(self.children) - count :] * times)
        self._steps.extend([None] * (count * times))
        return True

    def run_again(
        self, link: Link, feed: Feed | None, values: tuple[Feed, ...], modules: tuple[Link, ...], node: Node
    ) -> None:
        self._steps.append(Step(link, self.resolve(feed), values, modules, node))

    def resolve(self, feed: Feed | None) -> Feed:
        """A feed, or for None what the last step gave."""
        if feed is not None:
            return feed
        return Wire(STEP, len(self._steps) - 1) if self._steps else Wire(ARRIVING)

    @property
    def count(self) -> int:
        """How many steps there are so far."""
        return len(self._steps)

    # --- values ---

    def reach(self, value: Value) -> Feed:
        """How a value is found in this body; one of a body around it is taken from there."""
        if value.home is self:
            if isinstance(value.feed, Wire) and value.feed.kind == WEIGHT:
                self.weights_used.add(value.feed.index)
            return value.feed
        for index, taken in enumerate(self.taken):
            if taken.home is value.home and taken.feed == value.feed:
                return Wire(TAKEN, index)
        self.taken.append(value)
        return Wire(TAKEN, len(self.taken) - 1)

    def reach_all(self, value: Any) -> Feed:
        """The same for a value or a tuple of values, which may be nested."""
        if isinstance(value, Value):
            return self.reach(value)
        return tuple(map(self.reach_all, value))

    def reach_module(self, made: Made) -> Link:
        """How a labelled module is found in this body."""
        if made.home is self:
            return Link(made.index)
        for index, taken in enumerate(self.modules):
            if taken.home is made.home and taken.index == made.index:
                return Link(index, True)
        self.modules.append(made)
        return Link(len(self.modules) - 1, True)

    def needs_of(self, inner: Stack) -> tuple[tuple[Feed, ...], tuple[Link, ...]]:
        """What a body inside of this one takes from outside, as it is found here."""
        return tuple(map(self.reach, inner.taken)), tuple(map(self.reach_module, inner.modules))

    def named_value(self, name: str, known: Known, feed: Feed, made: Made | None = None) -> Value | Values:
        """What a name stands for: the value `feed`, or the tuple of its parts."""
        if not isinstance(known, Several):
            return Value(name, known, self, feed, made)
        parts = [
            self.named_value(f"{name}[{index}]", part, part_of(feed, index)) for index, part in enumerate(known.parts)
        ]
        values = Values(parts)
        values.module, values.name, values.flow, values.home, values.feed = made, name, known, self, feed
        return values

    def give_name(self, name: str, feed: Feed, span: Span) -> None:
        """Note that a value has a name; `_` drops one on purpose."""
        for wire in _wires(feed):
            self._named.add(wire)
        if name != "_":
            self.names.append(Named(name, feed, span))

    def has_name(self, feed: Feed, known: Known) -> bool:
        """Whether a value is not lost where the body leaves it."""
        if isinstance(feed, tuple):
            parts = known.parts if isinstance(known, Several) else (known,) * len(feed)
            return all(self.has_name(part, of) for part, of in zip(feed, parts))
        if feed.kind in (TAKEN, WEIGHT) or (feed.kind == ARRIVING and self.arrival_named):
            return True
        if any(Wire(feed.kind, feed.index, feed.path[:length]) in self._named for length in range(len(feed.path) + 1)):
            return True
        return isinstance(known, Several) and all(
            self.has_name(part_of(feed, index), part) for index, part in enumerate(known.parts)
        )

    # --- the end ---

    def tapped(self, index: int, node: Node, tap: int) -> Wire:
        """The child `index` gives the value number `tap` besides its own; `node` is what it is then."""
        self.children[index] = node
        return Wire(_TAP, self._step_of(index), (tap,))

    def _step_of(self, index: int) -> int:
        seen = -1
        for number, step in enumerate(self._steps):
            if step is None or (step.again is None and not step.module.taken):
                seen += 1
                if seen == index:
                    return number
        raise IndexError(index)

    def node(self, label: str | None, title: str, start: Known, end: Known, span: Span, feed: Feed | None) -> StackNode:
        """The module of the body; `feed` is its value, None for that of the last step."""
        parameters = sum(child.parameters for child in self.children)
        parameters += sum(weight.parameters for weight in self.weights)
        count = sum(child.layers for child in self.children)
        steps, result = self._finished(feed)
        return StackNode(
            label, title, tuple(self.children), start.shape, end.shape, parameters, span, count, steps, result,
            tuple(value.name for value in self.taken), len(self.modules), (), tuple(self.weights), tuple(self.names),
            self.inputs,
        )  # fmt: skip

    def _finished(self, feed: Feed | None) -> tuple[tuple[Step, ...], Feed | None]:
        """Steps and result; none where the body is a plain chain."""
        last = Wire(STEP, len(self._steps) - 1) if self._steps else Wire(ARRIVING)
        plain = all(step is None for step in self._steps) and feed in (None, last)
        more = [child for child in self.children if getattr(child, "taps", None)]
        if plain and not (self.taken or self.modules or self.weights or more) and self.inputs == 1:
            return (), None
        tapped = {
            number
            for number, step in enumerate(self._all_steps())
            if not step.module.taken and getattr(self.children[step.module.index], "taps", None)
        }
        steps = tuple(
            replace(
                step, feed=_retapped(step.feed, tapped), values=tuple(_retapped(part, tapped) for part in step.values)
            )
            for step in self._all_steps()
        )
        self.names = [replace(named, feed=_retapped(named.feed, tapped)) for named in self.names]
        return steps, _retapped(self.resolve(feed), tapped)

    def _all_steps(self) -> list[Step]:
        found: list[Step] = []
        child = 0
        for number, step in enumerate(self._steps):
            if step is None:
                step = Step(Link(child), Wire(STEP, number - 1) if number else Wire(ARRIVING))
            child += step.again is None and not step.module.taken
            found.append(step)
        return found


def part_of(feed: Feed, index: int) -> Feed:
    """The part `index` of a tuple."""
    return feed[index] if isinstance(feed, tuple) else Wire(feed.kind, feed.index, (*feed.path, index))


def _wires(feed: Feed) -> list[Wire]:
    return [feed] if isinstance(feed, Wire) else [wire for part in feed for wire in _wires(part)]


def _retapped(feed: Feed, tapped: set[int]) -> Feed:
    """A feed as it is where modules give more than their own value: a tuple of it and of what is named in them."""
    if isinstance(feed, tuple):
        return tuple(_retapped(part, tapped) for part in feed)
    if feed.kind == _TAP:
        return Wire(STEP, feed.index, (1 + feed.path[0], *feed.path[1:]))
    if feed.kind == STEP and feed.index in tapped:
        return Wire(STEP, feed.index, (0, *feed.path))
    return feed


def shared_needs(outer: Stack, inner: list[Stack]) -> tuple[tuple[Given, ...], tuple[Feed, ...], tuple[Link, ...]]:
    """What the branches of one merge take from the body around them: which of it each branch, and all of it."""
    values: dict[Feed, int] = {}
    modules: dict[Link, int] = {}
    given: list[Given] = []
    for stack in inner:
        own_values, own_modules = outer.needs_of(stack)
        given.append(Given(_positions(own_values, values), _positions(own_modules, modules)))
    return tuple(given), tuple(values), tuple(modules)


def _positions(own: tuple[Any, ...], of_all: dict[Any, int]) -> tuple[int, ...]:
    return tuple(of_all.setdefault(one, len(of_all)) for one in own)
