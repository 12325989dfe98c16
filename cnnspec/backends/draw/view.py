"""A graph as bodies of items. A block that holds one thing is that thing, and what a value comes from is told by paths."""

from __future__ import annotations

from cnnspec.backends.draw.items import (
    BLOCK,
    BRANCHES,
    INPUT,
    LAYER,
    LEARNT,
    MERGE,
    PLAIN,
    VALUE,
    Body,
    Item,
    Source,
)
from cnnspec.backends.draw.riders import ride
from cnnspec.backends.draw.words import arguments, brief, inner_layer
from cnnspec.graph.nodes import (
    ARRIVING,
    STEP,
    TAKEN,
    Given,
    Graph,
    LayerNode,
    MergeNode,
    Node,
    ResidualNode,
    StackNode,
    Wire,
)
from cnnspec.graph.walk import children_of, node_of, steps_of, wires_of
from cnnspec.record import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cnnspec.graph.nodes import Feed, Step


def view(graph: Graph) -> Body:
    """The items of a model, its inputs first."""
    inputs = [
        Item(INPUT, entry.name or "input", path, path, None, entry.shape, entry.shape, span=entry.span, feed=())
        for number, entry in enumerate(graph.inputs)
        for path in [f"input {number}" if number else "input"]
    ]
    feed = tuple(Source(STEP, entry.value, -1, entry.name) for entry in inputs)
    items = [placed(item, feed, ()) for item in body_of(graph.root, "").items]
    learnt = [item for item in items if item.form == LEARNT]
    return Body((*learnt, *inputs, *(item for item in items if item.form != LEARNT)))


def body_of(node: StackNode, path: str) -> Body:
    """The items of a body. A branch that is a block and nothing else is the body of that block."""
    found = _Items(node, path)
    return Body(tuple(ride(found.items, found.given)), node.label)


class _Items:
    """The items of one body as they run, nothing folded: `items`, and `given`, the values it gives besides its own."""

    def __init__(self, node: StackNode, path: str) -> None:
        self.node, self.path = node, path
        self.keys = [key for key, _ in children_of(node)]
        self.steps = list(steps_of(node))
        self.values = [self._value(number, step) for number, step in enumerate(self.steps)]
        self.named = {named.feed: named.name for named in node.names if isinstance(named.feed, Wire)}
        self.given = {source.path for feed in node.taps for source in self.sources(feed)}

    @property
    def items(self) -> list[Item]:
        found = [
            Item(LEARNT, weight.label, path, path, None, None, weight.shape, span=weight.span,
                 parameters=weight.parameters, feed=())
            for weight in self.node.weights for path in [self.below(weight.label)]
        ]  # fmt: skip
        found += [item for number, step in enumerate(self.steps) for item in self._item(number, step)]
        result, last = self.node.result, Wire(STEP, len(self.steps) - 1) if self.steps else Wire(ARRIVING)
        if result is not None and self.sources(result) not in (self.sources(last), PLAIN):
            found.append(self._end(self.sources(result)))
        return found

    def _end(self, sources: tuple[Source, ...]) -> Item:
        """The value of a body that is not that of its last step."""
        path, node = self.below("="), self.node
        name = ", ".join(source.name or source.path or "…" for source in sources)
        return Item(VALUE, name, path, path, None, node.output, node.output, span=node.span, feed=sources)

    def below(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path else key

    def _value(self, number: int, step: Step) -> str:
        key = "again" if step.module.taken else self.keys[step.module.index]
        return self.below(key if step.again is None else f"{key} again {number}")

    def _item(self, number: int, step: Step) -> Iterator[Item]:
        node = node_of(self.node, step)
        if node is None:
            return
        value = self.values[number]
        item = item_of(node, value.split(" ")[0])
        extra = tuple(source for feed in step.values for source in self.sources(feed))
        if isinstance(node, LayerNode):
            item = replace(item, extra=tuple(Source(TAKEN, part=index) for index in range(len(extra))))
        if isinstance(node, MergeNode) and not node.branches:
            names = [name for name, number_ in zip(node.sources, node.operands) if number_ is None]
            if len(names) == len(extra):
                extra = tuple(replace(source, name=name) for source, name in zip(extra, names))
        if step.again is not None or item.value != value:
            item = replace(item, value=value, again=step.again is not None)
        yield placed(item, self.sources(step.feed), extra)

    def sources(self, feed: Feed) -> tuple[Source, ...]:
        """Where each value of a feed comes from."""
        return tuple(self._source(wire) for wire in wires_of(feed))

    def _source(self, wire: Wire) -> Source:
        name = self.named.get(wire, "")
        whole = self.named.get(Wire(wire.kind, wire.index), "") if wire.path and not name else ""
        name = name or (f"{whole}[{wire.path[0]}]" if whole else "")
        part = wire.path[0] if wire.path else -1
        if wire.kind == ARRIVING:
            return Source(ARRIVING, part=part, name=name)
        if wire.kind == TAKEN:
            return Source(TAKEN, part=wire.index, name=self.node.takes[wire.index])
        if wire.kind != STEP:
            label = self.node.weights[wire.index].label
            return Source(STEP, self.below(label), name=label)
        child, value = node_of(self.node, self.steps[wire.index]), self.values[wire.index]
        if not isinstance(child, LayerNode | None) and child.taps:
            if part > 0:
                inner = _tapped(child, value, part - 1)
                return Source(STEP, inner, name=name or inner)
            part = wire.path[1] if wire.path[1:] else -1
        label = (child.label if child is not None else None) or ""
        return Source(STEP, value, part, name or label + (f"[{part}]" if label and part >= 0 else ""))


def _tapped(node: Node, path: str, number: int) -> str:
    """The path of the module whose value `node` gives as well, as number `number`."""
    if isinstance(node, LayerNode):
        return path
    if isinstance(node, StackNode):
        sources = _Items(node, path).sources(node.taps[number])
        return sources[0].path or path
    tap = node.taps[number]
    key, branch = list(children_of(node))[tap.branch]
    return f"{path}.{key}" if tap.tap is None else _tapped(branch, f"{path}.{key}", tap.tap)


def placed(item: Item, feed: tuple[Source, ...], extra: tuple[Source, ...]) -> Item:
    """An item in the body around it, where it is known what arrives, `feed`, and what is taken from outside, `extra`."""

    def known(sources: Iterable[Source]) -> Iterator[Source]:
        for one in sources:
            if one.kind == ARRIVING:
                yield from [feed[one.part]] if 0 <= one.part < len(feed) and len(feed) > 1 else feed
            else:
                outer = extra[one.part] if one.kind == TAKEN and one.part < len(extra) else one
                yield outer if outer.name else replace(outer, name=one.name)

    if feed == PLAIN == item.feed and not item.extra and not item.before:
        return item
    before = tuple(placed(rider, feed, extra) for rider in item.before)
    return replace(item, feed=tuple(known(item.feed)), extra=tuple(known(item.extra)), before=before)


def item_of(node: Node, path: str) -> Item:
    """A module as one item; a block that holds one thing is that thing, under the outer name and label."""
    match node:
        case LayerNode():
            return _layer(node, path)
        case ResidualNode():
            shortcut = body_of(node.shortcut, f"{path}.shortcut") if node.shortcut else Body(())
            branches = _wired((_opened(body_of(node.body, f"{path}.body")), _opened(shortcut)), node.given)
            return _branches(node, path, "residual", branches, "add")
        case MergeNode():
            return _merge(node, path)
    body = body_of(node, path)
    only = body.items[0] if len(body.items) == 1 else None
    if only is not None and not node.weights and only.form != VALUE and not only.again:
        if only.form in (LAYER, MERGE):
            return replace(only, label=node.label or only.label)
        return replace(only, name=node.title, path=path, label=node.label or only.label)
    return Item(
        BLOCK, node.title, path, path, node.label, node.input, node.output, node, node.span,
        parameters=node.parameters, layers=node.layers, branches=(body,), extra=_taken(len(node.takes)),
    )  # fmt: skip


def _layer(node: LayerNode, path: str) -> Item:
    layer = node.layer
    if layer is None:
        return Item(LAYER, node.title, path, path, node.label, node.input, node.output, node, node.span, layers=1)
    inner = inner_layer(layer)
    told = arguments(layer, node.input)
    if layer.wraps:
        told = ", ".join(filter(None, [told, node.title]))
    return Item(
        LAYER, type(inner).__name__ if layer.wraps else node.title, path, path, node.label, node.input, node.output,
        node, node.span, inner.role, brief(layer, node.input), told, node.parameters, 1,
    )  # fmt: skip


def _merge(node: MergeNode, path: str) -> Item:
    if node.branches:
        bodies = tuple(
            _opened(body_of(branch, f"{path}.{key}"))
            for key, branch in children_of(node)
            if isinstance(branch, StackNode)
        )
        return _branches(node, path, node.kind, _wired(bodies, node.given), node.kind)
    sources = ", ".join(node.sources)
    return Item(
        MERGE, node.kind, path, path, node.label, node.input, node.output, node, node.span, brief=sources,
        arguments=sources, extra=_taken(sum(one is None for one in node.operands)), kind=node.kind,
    )  # fmt: skip


def _branches(node: ResidualNode | MergeNode, path: str, name: str, bodies: tuple[Body, ...], kind: str) -> Item:
    return Item(
        BRANCHES, name, path, path, node.label, node.input, node.output, node, node.span, parameters=node.parameters,
        layers=node.layers, extra=_taken(node.takes), branches=bodies, kind=kind,
        residual=isinstance(node, ResidualNode),
    )  # fmt: skip


def _wired(bodies: tuple[Body, ...], given: tuple[Given, ...]) -> tuple[Body, ...]:
    """Branches whose items take their values from the number that these have in the merge."""
    owns = (*given, *(Given() for _ in bodies))
    return tuple(
        replace(body, items=tuple(placed(item, PLAIN, _taken_as(own.values)) for item in body.items))
        for body, own in zip(bodies, owns)
    )


def _taken_as(numbers: tuple[int, ...]) -> tuple[Source, ...]:
    return tuple(Source(TAKEN, part=number) for number in numbers)


def _taken(count: int) -> tuple[Source, ...]:
    return tuple(Source(TAKEN, part=number) for number in range(count))


def _opened(body: Body) -> Body:
    """A branch without the block that is all it holds."""
    only = body.items[0] if len(body.items) == 1 else None
    if only is None or only.form != BLOCK or only.label or only.extra or only.feed != PLAIN:
        return body
    return replace(body, items=only.items)
