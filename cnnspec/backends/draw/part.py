"""One module of a network as a network of its own, to be drawn alone."""

from __future__ import annotations

from cnnspec.graph.nodes import Entry, Graph, Node, StackNode
from cnnspec.graph.walk import walk
from cnnspec.layers.base import Parts
from cnnspec.record import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from cnnspec.graph.nodes import Shape


def part_of(graph: Graph, path: str) -> Graph | None:
    """The module with a key of the state dict, `layer2.0`; None where there is none."""
    node = next((node for key, node in walk(graph.root) if key == path), None)
    if node is None:
        return None
    root = node if isinstance(node, StackNode) else _around(node)
    shapes: Iterable[Shape | None] = node.input if isinstance(node.input, Parts) else (node.input,)
    entries = tuple(Entry(None, shape, node.span) for shape in shapes)
    label = node.label or path
    name = label if label == node.title or node.title in ("repeat", "for", "if") else f"{label} {node.title}"
    return replace(graph, name=f"{graph.name}: {name}", root=root, inputs=entries, complete=graph.complete)


def _around(node: Node) -> StackNode:
    return StackNode(None, node.title, (node,), node.input, node.output, node.parameters, node.span, node.layers)


def paths_of(graph: Graph) -> list[str]:
    """The keys of all modules."""
    return [path for path, _ in walk(graph.root)]
