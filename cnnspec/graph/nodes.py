"""The typed graph of one model: a tree of modules with the shape of every value, as the torch module will be built.

Shapes leave out the batch; a shape is None only where a mistake hides it, and then `Graph.complete` is False. Nodes are
frozen and may occur several times: equal uses of one block share their node, and every occurrence is a module of its own.
"""

from __future__ import annotations

from cnnspec.layers import Layer
from cnnspec.record import record, replace
from cnnspec.source import Source, Span
from cnnspec.syntax import tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

Shape = tuple[int, ...]


@record
class LayerNode:
    """A layer. `layer` is None where the statement is wrong."""

    label: str | None
    title: str
    layer: Layer | None
    input: Shape | None
    output: Shape | None
    parameters: int
    span: Span
    layers: int = 1


@record
class StackNode:
    """Modules one after the other: a model, the use of a block, a branch. `kept` names values that a merge uses later."""

    label: str | None
    title: str
    children: tuple[Node, ...]
    input: Shape | None
    output: Shape | None
    parameters: int
    span: Span
    layers: int
    kept: tuple[str, ...] = ()
    input_name: str | None = None


@record
class ResidualNode:
    """body(x) + shortcut(x); `shortcut` None is the identity."""

    label: str | None
    title: str
    body: StackNode
    shortcut: StackNode | None
    input: Shape | None
    output: Shape | None
    parameters: int
    span: Span
    layers: int


@record
class MergeNode:
    """`add`, `multiply` or `concat` of branches, or of the running value with the named values `sources`."""

    label: str | None
    title: str
    kind: str
    branches: tuple[StackNode, ...]
    sources: tuple[str, ...]
    dim: int
    input: Shape | None
    output: Shape | None
    parameters: int
    span: Span
    layers: int


Node = LayerNode | StackNode | ResidualNode | MergeNode


@record
class Graph:
    """A model that has been expanded and checked."""

    name: str
    values: dict[str, Any]
    """The values of the model's parameters."""
    root: StackNode
    complete: bool
    """True where every shape is known and no error was found."""
    recipe: tree.Train | None
    source: Source
    input_span: Span | None = None

    @property
    def span(self) -> Span:
        """Where the model is called by its name."""
        return self.root.span

    @property
    def input(self) -> Shape | None:
        return self.root.input

    @property
    def output(self) -> Shape | None:
        return self.root.output

    @property
    def parameters(self) -> int:
        """Number of learnable values."""
        return self.root.parameters

    @property
    def layers(self) -> int:
        return self.root.layers


def labelled(node: StackNode, label: str | None, span: Span) -> StackNode:
    """The same module under another label, made by the statement at `span`."""
    return replace(node, label=label, span=span)


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
                yield str(index), branch


def walk(node: Node, path: str = "") -> Iterator[tuple[str, Node]]:
    """Every node below `node`, in the order in which they run, under its dotted path."""
    for key, child in children_of(node):
        below = f"{path}.{key}" if path else key
        yield below, child
        yield from walk(child, below)
