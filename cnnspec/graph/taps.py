"""Values inside of modules that the body around them names by a path: `backbone.layer3`, `mix.left`."""

from __future__ import annotations

from cnnspec.graph.nodes import (
    ARRIVING,
    STEP,
    Feed,
    LayerNode,
    MergeNode,
    Node,
    ResidualNode,
    Shape,
    StackNode,
    Step,
    Tap,
    Wire,
)
from cnnspec.graph.walk import children_of, steps_of
from cnnspec.layers.base import Parts
from cnnspec.record import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


class NoPart(Exception):
    """A path leads to no module: the number of the name that is wrong, the labels that there are, and whether a part
    without a label holds a module of that name."""

    def __init__(self, position: int, labels: tuple[str, ...], *, hidden: bool) -> None:
        super().__init__(position)
        self.position, self.labels, self.hidden = position, labels, hidden


def labels_of(node: Node) -> tuple[str, ...]:
    """The labels that a path may go on with."""
    return tuple(key for key, _ in children_of(node) if not key.isdigit())


def _is_hidden(node: Node, name: str) -> bool:
    """Whether a part without a label holds a module of that name."""
    inner = [] if isinstance(node, LayerNode) else [child for key, child in children_of(node) if key.isdigit()]
    return any(
        name in labels_of(child) or _is_hidden(child, name) for child in inner if not isinstance(child, LayerNode)
    )


def tap(node: Node, path: Sequence[str], position: int = 0) -> tuple[Node, int, Shape | Parts | None]:
    """A module that also gives the value behind one of its parts: it, the number of the value, and its shape.

    `path` holds keys of the state dict, from the module inwards. Raises NoPart where it leads nowhere.
    """
    keys = [key for key, _ in children_of(node)]
    if isinstance(node, LayerNode) or path[0] not in labels_of(node):
        raise NoPart(position, labels_of(node), hidden=_is_hidden(node, path[0]))
    index = keys.index(path[0])
    return (
        _tap_body(node, index, path, position)
        if isinstance(node, StackNode)
        else _tap_merge(node, index, path, position)
    )


def _tap_body(
    node: StackNode, index: int, path: Sequence[str], position: int
) -> tuple[Node, int, Shape | Parts | None]:
    steps = list(steps_of(node))
    own = [number for number, step in enumerate(steps) if not step.module.taken and step.module.index == index]
    child = node.children[index]
    result = node.result if node.result is not None else (Wire(STEP, len(steps) - 1) if steps else Wire(ARRIVING))
    taps = node.taps
    if len(path) == 1:
        has_taps = bool(getattr(child, "taps", ()))
        feed: Feed = Wire(STEP, own[0], (0,) if has_taps else ())
        shape = child.output
    else:
        had = bool(getattr(child, "taps", ()))
        child, number, shape = tap(child, path[1:], position + 1)
        if not had:
            steps = [_with_own(step, own) for step in steps]
            result, taps = _own(result, own), tuple(_own(feed, own) for feed in taps)
        feed = Wire(STEP, own[0], (1 + number,))
    children = (*node.children[:index], child, *node.children[index + 1 :])
    changed = replace(node, children=children, steps=tuple(steps), result=result, taps=(*taps, feed))
    return changed, len(changed.taps) - 1, shape


def _with_own(step: Step, tapped: list[int]) -> Step:
    return replace(step, feed=_own(step.feed, tapped), values=tuple(_own(feed, tapped) for feed in step.values))


def _own(feed: Feed, tapped: list[int]) -> Feed:
    """A feed as it is where the steps `tapped` give a tuple of their own value and others."""
    if isinstance(feed, tuple):
        return tuple(_own(part, tapped) for part in feed)
    return Wire(STEP, feed.index, (0, *feed.path)) if feed.kind == STEP and feed.index in tapped else feed


def _tap_merge(
    node: ResidualNode | MergeNode, index: int, path: Sequence[str], position: int
) -> tuple[Node, int, Shape | Parts | None]:
    branch = [child for _, child in children_of(node)][index]
    number: int | None = None
    shape = branch.output
    if len(path) > 1:
        branch, number, shape = tap(branch, path[1:], position + 1)
    taps = (*node.taps, Tap(index, number))
    assert isinstance(branch, StackNode)
    if isinstance(node, ResidualNode):
        changed: Node = (
            replace(node, taps=taps, body=branch) if index == 0 else replace(node, taps=taps, shortcut=branch)
        )
    else:
        branches = (*node.branches[:index], branch, *node.branches[index + 1 :])
        changed = replace(node, taps=taps, branches=branches)
    return changed, len(taps) - 1, shape
