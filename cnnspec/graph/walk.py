"""Going through a graph: the modules below a node under their keys, and the order in which they run."""

from __future__ import annotations

from cnnspec.graph.nodes import ARRIVING, STEP, Link, MergeNode, Node, ResidualNode, StackNode, Step, Wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


def children_of(node: Node) -> Iterator[tuple[str, Node]]:
    """The parts of a node under their keys, as torch names the submodules."""
    match node:
        case StackNode():
            for index, child in enumerate(node.children):
                yield child.label or str(index), child
        case ResidualNode():
            yield "body", node.body
            if node.shortcut is not None:
                yield "shortcut", node.shortcut
        case MergeNode():
            for index, branch in enumerate(node.branches):
                yield branch.label or str(index), branch


def walk(node: Node, path: str = "") -> Iterator[tuple[str, Node]]:
    """Every node below `node`, in the order in which they stand, under its dotted path."""
    for key, child in children_of(node):
        below = f"{path}.{key}" if path else key
        yield below, child
        yield from walk(child, below)


def steps_of(node: StackNode) -> Iterator[Step]:
    """What runs in a body, one after the other; those of a plain one are made here."""
    if node.steps:
        yield from node.steps
        return
    for index in range(len(node.children)):
        yield Step(Link(index), Wire(STEP, index - 1) if index else Wire(ARRIVING))


def node_of(body: StackNode, step: Step) -> Node | None:
    """The module that a step of a body runs, as it is in that run."""
    return step.again or (None if step.module.taken else body.children[step.module.index])


def wires_of(feed: object) -> list[Wire]:
    """Every value that is in a feed, or in a tuple of feeds."""
    if isinstance(feed, tuple):
        return [wire for part in feed for wire in wires_of(part)]
    return [feed] if isinstance(feed, Wire) else []


def runs(node: Node, path: str = "") -> Iterator[tuple[str, Node]]:
    """Every run of a module below `node` in the order of execution: as `walk`, and once more for each `again`.

    A module that runs again has its first path; its node is the one of that run.
    """
    if not isinstance(node, StackNode):
        for key, child in children_of(node):
            below = f"{path}.{key}" if path else key
            yield below, child
            yield from runs(child, below)
        return
    keys = [child.label or str(index) for index, child in enumerate(node.children)]
    for step in steps_of(node):
        if step.module.taken:
            below = f"{path}.again" if path else "again"
        else:
            key = keys[step.module.index]
            below = f"{path}.{key}" if path else key
        run = node_of(node, step)
        if run is not None:
            yield below, run
            yield from runs(run, below)
