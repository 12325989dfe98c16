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
        self.uses = False
        """Whether there is a `use`."""
        self._collect()

    @property
    def parameters(self) -> tuple[tree.Parameter, ...]:
        return self.node.parameters if isinstance(self.node, (tree.Model, tree.Block)) else ()

    def _collect(self) -> None:
        own: tree.Name | None = None
        for node in tree.walk(self.node, bound=False):
            kind = node.__class__
            if kind is tree.Name:
                self.reads.add(node.id)
                if node is not own:
                    self.passed.add(node.id)
            elif kind is tree.Layer:
                own = node.name
            elif kind in _NOTED:
                self._note(node)

    def _note(self, item: Any) -> None:
        match item:
            case tree.Body():
                self.bodies.append(item)
            case tree.Let():
                self.lets.append(item.name)
            case tree.Use():
                self.uses = True
            case tree.For():
                self.targets += item.targets
            case tree.Tail() if isinstance(item.label, tree.Name):
                self.labels.append(item.label)


_NOTED = (tree.Body, tree.Let, tree.For, tree.Tail, tree.Use)


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
