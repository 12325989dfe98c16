"""A graph without what leads to no output: what an evaluation computes and throws away."""

from __future__ import annotations

from cnnspec.graph.nodes import STEP, WEIGHT, Feed, Link, StackNode, Step, Wire
from cnnspec.graph.walk import children_of, wires_of
from cnnspec.record import replace


def reached(node: StackNode) -> StackNode:
    """A body without the steps whose values reach none of its results. What is left keeps its keys."""
    children = [reached(child) if isinstance(child, StackNode) else child for child in node.children]
    steps = _needed(node)
    if len(steps) == len(node.steps):
        return replace(node, children=tuple(children))
    used = {link.index for number in steps for link in _links(node.steps[number]) if not link.taken}
    kept = [number for number in range(len(children)) if number in used]
    keys = [key for key, _ in children_of(node)]
    left = tuple(
        children[number] if number == place else replace(children[number], label=keys[number])
        for place, number in enumerate(kept)
    )
    result: Feed = node.result if node.result is not None else Wire(STEP, len(node.steps) - 1)
    feeds = [feed for number in steps for feed in (node.steps[number].feed, *node.steps[number].values)]
    wires = [wire for feed in (*feeds, result, *node.taps) for wire in wires_of(feed)]
    learnt = sorted({wire.index for wire in wires if wire.kind == WEIGHT})
    weights = tuple(node.weights[number] for number in learnt)
    moved = _Moved(*({old: new for new, old in enumerate(numbers)} for numbers in (steps, kept, learnt)))
    count = sum(child.parameters for child in left) + sum(weight.parameters for weight in weights)
    return replace(
        node, children=left, steps=tuple(moved.step(node.steps[number]) for number in steps), parameters=count,
        weights=weights, result=moved.feed(result), taps=tuple(map(moved.feed, node.taps)),
        layers=sum(child.layers for child in left),
    )  # fmt: skip


def _needed(node: StackNode) -> list[int]:
    """The steps whose values reach a result, in their order."""
    last: Feed = Wire(STEP, len(node.steps) - 1)
    waiting = [wire for feed in (node.result or last, *node.taps) for wire in wires_of(feed)]
    found: set[int] = set()
    while waiting:
        wire = waiting.pop()
        if wire.kind == STEP and wire.index not in found and node.steps:
            found.add(wire.index)
            step = node.steps[wire.index]
            waiting += wires_of((step.feed, step.values))
            # Run again, a module is the one that was made where it ran first.
            first = next(n for n, one in enumerate(node.steps) if one.module == step.module)
            waiting.append(Wire(STEP, first))
    return sorted(found)


def _links(step: Step) -> tuple[Link, ...]:
    return (step.module, *step.modules)


class _Moved:
    """Steps, children and weights under their new numbers."""

    def __init__(self, steps: dict[int, int], children: dict[int, int], weights: dict[int, int]) -> None:
        self.numbers, self.children = {STEP: steps, WEIGHT: weights}, children

    def step(self, step: Step) -> Step:
        values = tuple(map(self.feed, step.values))
        modules = tuple(map(self.link, step.modules))
        return replace(step, module=self.link(step.module), feed=self.feed(step.feed), values=values, modules=modules)

    def link(self, link: Link) -> Link:
        return link if link.taken else Link(self.children[link.index])

    def feed(self, feed: Feed) -> Feed:
        if isinstance(feed, tuple):
            return tuple(map(self.feed, feed))
        numbers = self.numbers.get(feed.kind)
        return feed if numbers is None else replace(feed, index=numbers[feed.index])
