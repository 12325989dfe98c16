"""Operations in a row that are one layer together: a view, an exchange of dimensions and a view shuffle channels."""

from __future__ import annotations

from cnnspec.graph.nodes import STEP, Feed, LayerNode, Link, Node, Step, Wire
from cnnspec.graph.walk import wires_of
from cnnspec.layers.base import Parts
from cnnspec.record import replace
from cnnspec.torch_source.lower.saying import make_layer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cnnspec.layers import Layer

_LENGTH = 3


def simplified(
    children: list[Node], steps: list[Step], result: Feed | None
) -> tuple[list[Node], list[Step], Feed | None]:
    """A body with such operations replaced. Values between them that anything else looks at keep them."""
    number = 0
    while number + _LENGTH <= len(steps):
        layer = _shuffle(children, steps, result, number)
        if layer is None:
            number += 1
            continue
        first = children[steps[number].module.index]
        last = children[steps[number + 2].module.index]
        assert isinstance(first, LayerNode)
        assert isinstance(last, LayerNode)
        made = LayerNode(None, type(layer).__name__, layer, first.input, last.output, 0, first.span)
        at = steps[number].module.index
        children = [*children[:at], made, *children[at + _LENGTH :]]
        step = Step(Link(at), steps[number].feed)
        moved = [_moved(one, number, at) for one in steps[number + _LENGTH :]]
        steps = [*steps[:number], step, *moved]
        result = None if result is None else _rewired(result, number)
    return children, steps, result


def _shuffle(children: list[Node], steps: list[Step], result: Feed | None, number: int) -> Layer | None:
    """ChannelShuffle, where it is what three steps do."""
    run = steps[number : number + _LENGTH]
    numbers = [step.module.index for step in run]
    if any(step.again is not None or step.module.taken for step in run) or numbers != list(
        range(numbers[0], numbers[0] + _LENGTH)
    ):
        return None
    nodes = [children[index] for index in numbers]
    names = [node.title for node in nodes]
    if names != ["Unflatten", "Permute", "Flatten"] or any(
        step.feed != Wire(STEP, number + place) for place, step in enumerate(run[1:])
    ):
        return None
    others = [step for place, step in enumerate(steps) if place not in (number + 1, number + 2)]
    read = [wires_of((step.feed, step.values)) for step in others] + [wires_of(result)]
    if any(wire.kind == STEP and wire.index in (number, number + 1) for wires in read for wire in wires):
        return None
    split, middle, x = nodes[0].output, nodes[1].output, nodes[0].input
    if any(shape is None or isinstance(shape, Parts) for shape in (split, middle, x)):
        return None
    assert split is not None
    assert x is not None
    if (
        len(split) != len(x) + 1
        or split[2:] != x[1:]
        or middle != (split[1], split[0], *split[2:])
        or nodes[2].output != x
    ):
        return None
    if _dims(nodes[1]) != (0, 2, 1, *range(3, len(split) + 1)):
        return None
    return make_layer("ChannelShuffle", groups=split[0])


def _dims(node: Node) -> object:
    return node.layer.given.get("dims") if isinstance(node, LayerNode) and node.layer is not None else None


def _moved(step: Step, number: int, at: int) -> Step:
    """A step behind the replaced ones."""
    link = Link(step.module.index - 2) if not step.module.taken and step.module.index > at else step.module
    values = tuple(_rewired(feed, number) for feed in step.values)
    return replace(step, module=link, feed=_rewired(step.feed, number), values=values)


def _rewired(feed: Feed, number: int) -> Feed:
    if isinstance(feed, tuple):
        return tuple(_rewired(part, number) for part in feed)
    return replace(feed, index=feed.index - 2) if feed.kind == STEP and feed.index > number else feed
