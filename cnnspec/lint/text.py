"""What the text of a file says: which names its definitions and recipes bind and read. Rules about files ask it."""

from __future__ import annotations

from cnnspec.compiler.project import File
from cnnspec.record import record
from cnnspec.syntax import tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, TypeAlias

    Node: TypeAlias = tree.Model | tree.Block | tree.Train | tree.Variant | tree.Let | tree.Function | tree.Expression

# The parts of each node that hold names. Names that are bound are no part: they are not read.
_PARTS: dict[type, tuple[str, ...]] = {
    tree.Literal: (),
    tree.Invalid: (),
    tree.Sequence: ("items",),
    tree.Chain: ("operands",),
    tree.Unary: ("operand",),
    tree.Conditional: ("then", "test", "otherwise"),
    tree.Access: ("value", "steps"),
    tree.Item: ("index",),
    tree.Slice: ("start", "stop"),
    tree.Comprehension: ("item", "values", "condition"),
    tree.Call: ("name", "arguments"),
    tree.Group: ("value",),
    tree.Argument: ("value", "stated"),
    tree.Tail: ("annotation",),
    tree.Body: ("statements",),
    tree.Input: ("shape", "conditions", "tail"),
    tree.Layer: ("name", "arguments", "tail"),
    tree.Let: ("value",),
    tree.Function: ("value",),
    tree.Assert: ("test",),
    tree.Use: ("value", "tail"),
    tree.Again: ("value", "tail"),
    tree.Weight: ("shape", "start", "tail"),
    tree.Arriving: ("tail",),
    tree.Branch: ("body", "tail"),
    tree.Repeat: ("count", "body", "tail"),
    tree.For: ("values", "body", "tail"),
    tree.If: ("arms", "otherwise", "tail"),
    tree.Residual: ("body", "shortcut", "tail"),
    tree.Merge: ("arguments", "branches", "tail"),
    tree.Parameter: ("default",),
    tree.Model: ("parameters", "body"),
    tree.Variant: ("base", "arguments"),
    tree.Block: ("parameters", "body"),
    tree.Setting: ("value",),
    tree.Train: ("settings",),
}


class Text:
    """What a definition or recipe says: the names that it reads, and those that it binds."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.reads: set[str] = set()
        self.passed: set[str] = set()
        """Those of them that are no statement's own: a block among them is handed on as a value."""
        self.lets: list[tree.Name] = []
        self.targets: list[tree.Name] = []
        self.labels: list[tree.Name] = []
        self.bodies: list[tree.Body] = []
        self._collect(node)

    @property
    def parameters(self) -> tuple[tree.Parameter, ...]:
        return self.node.parameters if isinstance(self.node, (tree.Model, tree.Block)) else ()

    def _collect(self, node: Any) -> None:
        waiting = [node]
        reads = self.reads
        while waiting:
            item = waiting.pop()
            kind = item.__class__
            if kind is tuple:
                waiting += item
            elif kind is tree.Name:
                reads.add(item.id)
                self.passed.add(item.id)
            elif kind is tree.Layer:
                reads.add(item.name.id)
                waiting += item.arguments, item.tail
            elif kind in _PARTS:
                waiting += [getattr(item, part) for part in _PARTS[kind]]
                if kind in _BINDS:
                    self._bind(item)

    def _bind(self, item: Any) -> None:
        match item:
            case tree.Body():
                self.bodies.append(item)
            case tree.Let():
                self.lets.append(item.name)
            case tree.For():
                self.targets += item.targets
            case tree.Tail() if isinstance(item.label, tree.Name):
                self.labels.append(item.label)


_BINDS = (tree.Body, tree.Let, tree.For, tree.Tail)


@record
class FileText:
    """A file and what each of its definitions and recipes says."""

    file: File
    definitions: tuple[Text, ...]
    """Models and blocks."""
    recipes: tuple[Text, ...]
    others: tuple[Text, ...]
    """Variants, constants and functions, and the values that are given to models from outside: `-D unit=Base`."""


def read(file: File, values: Iterable[object] = ()) -> FileText:
    """Everything that rules ask of a file. `values` are those that are given to its models."""
    blocks = (block.definition for block in file.blocks.values())
    models = [item for item in file.models.values() if isinstance(item, tree.Model)]
    variants = [item for item in file.models.values() if isinstance(item, tree.Variant)]
    definitions = tuple(Text(node) for node in (*models, *blocks))
    given = [value for value in values if isinstance(value, tree.Expression)]
    others = tuple(map(Text, (*variants, *file.lets, *given)))
    return FileText(file, definitions, tuple(map(Text, file.recipes)), others)


def definition_name(item: Text) -> tree.Name:
    """The name of a model or block."""
    assert isinstance(item.node, (tree.Model, tree.Block))
    return item.node.name
