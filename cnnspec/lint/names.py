"""Warnings about the text of a file: what is defined and not used, and names that hide a layer."""

from __future__ import annotations

from cnnspec import layers
from cnnspec.compiler.project import File
from cnnspec.diagnostics import Diagnostic, Sink, codes
from cnnspec.record import record
from cnnspec.syntax import tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# The parts of each node that hold names. Names that are bound are no part: they are not read.
_PARTS: dict[type, tuple[str, ...]] = {
    tree.Literal: (),
    tree.Invalid: (),
    tree.Sequence: ("items",),
    tree.Chain: ("operands",),
    tree.Unary: ("operand",),
    tree.Conditional: ("then", "test", "otherwise"),
    tree.Index: ("value", "indices"),
    tree.Call: ("name", "arguments"),
    tree.Group: ("value",),
    tree.Argument: ("value", "stated"),
    tree.Tail: ("annotation",),
    tree.Body: ("statements",),
    tree.Input: ("shape", "conditions", "tail"),
    tree.Layer: ("name", "arguments", "tail"),
    tree.Let: ("value",),
    tree.Repeat: ("count", "body"),
    tree.For: ("values", "body"),
    tree.If: ("arms", "otherwise"),
    tree.Residual: ("body", "shortcut", "tail"),
    tree.Merge: ("arguments", "branches", "tail"),
    tree.Parameter: ("default",),
    tree.Model: ("parameters", "body"),
    tree.Block: ("parameters", "body"),
    tree.Setting: ("value",),
    tree.Train: ("settings",),
}


class Text:
    """What a definition or recipe says: the names that it reads, those that it binds, and those that its merges take."""

    def __init__(self, node: tree.Model | tree.Block | tree.Train) -> None:
        self.node = node
        self.reads: set[str] = set()
        self.lets: list[tree.Name] = []
        self.targets: list[tree.Name] = []
        self.labels: list[tree.Name] = []
        self.merged: set[str] = set()
        self._collect(node)

    @property
    def parameters(self) -> tuple[tree.Parameter, ...]:
        return () if isinstance(self.node, tree.Train) else self.node.parameters

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
            elif kind in _PARTS:
                waiting += [getattr(item, part) for part in _PARTS[kind]]
                if kind in _BINDS:
                    self._bind(item)

    def _bind(self, item: Any) -> None:
        match item:
            case tree.Let():
                self.lets.append(item.name)
            case tree.For():
                self.targets += item.targets
            case tree.Tail() if item.label is not None:
                self.labels.append(item.label)
            case tree.Merge():
                values = (argument.value for argument in item.arguments)
                self.merged |= {value.id for value in values if isinstance(value, tree.Name)}


_BINDS = (tree.Let, tree.For, tree.Tail, tree.Merge)


@record
class FileText:
    """A file and what each of its definitions and recipes says."""

    file: File
    definitions: tuple[Text, ...]
    recipes: tuple[Text, ...]


def read(file: File) -> FileText:
    """Everything that the rules below ask of a file."""
    blocks = (block.definition for block in file.blocks.values())
    definitions = tuple(Text(node) for node in (*file.models.values(), *blocks))
    return FileText(file, definitions, tuple(map(Text, file.recipes)))


def unused_block(text: FileText, sink: Sink) -> None:
    """W210: only where there are models; a file of blocks is there to be imported."""
    if not text.file.models:
        return
    uses = {_name(item).id: item.reads for item in text.definitions if isinstance(item.node, tree.Block)}
    models = [item for item in text.definitions if isinstance(item.node, tree.Model)]
    waiting = [name for item in (*models, *text.recipes) for name in item.reads]
    reached: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += uses.get(name, ())
    for item in text.definitions:
        if isinstance(item.node, tree.Block) and item.node.name.id not in reached:
            sink.report(codes.UNUSED_BLOCK, item.node.name.span, name=item.node.name.id)


def _name(item: Text) -> tree.Name:
    assert not isinstance(item.node, tree.Train)
    return item.node.name


def unused_parameter(text: FileText, sink: Sink) -> None:
    """W211: a name that begins with `_` is not used on purpose."""
    for owner in text.definitions:
        kind = "model" if isinstance(owner.node, tree.Model) else "block"
        for parameter in owner.parameters:
            name = parameter.name
            if name.id not in owner.reads and not name.id.startswith("_"):
                facts = {"name": name.id, "kind": kind, "owner": _name(owner).id}
                sink.add(Diagnostic(codes.UNUSED_PARAMETER, dict(facts), name.span))


def unused_label(text: FileText, sink: Sink) -> None:
    """W212: a name that no merge takes. It still is the key in the state dict."""
    for owner in text.definitions:
        for label in owner.labels:
            if label.id not in owner.merged:
                sink.report(codes.UNUSED_LABEL, label.span, name=label.id)


def unused_let(text: FileText, sink: Sink) -> None:
    """W213: a `let` that nothing reads."""
    for owner in text.definitions:
        for name in owner.lets:
            if name.id not in owner.reads and not name.id.startswith("_"):
                sink.report(codes.UNUSED_LET, name.span, name=name.id)


def unused_import(text: FileText, sink: Sink) -> None:
    """W214: a name that is imported for others to import it from here is better imported from where it is defined."""
    if not text.file.imports:
        return
    used = {name for item in (*text.definitions, *text.recipes) for name in item.reads}
    for imported in text.file.imports:
        for name in imported.names:
            if name.id not in used:
                sink.report(codes.UNUSED_IMPORT, name.span, name=name.id)


def shadows_layer(text: FileText, sink: Sink) -> None:
    """W215: a name of the user's that a reader takes for PyTorch's layer."""
    for owner in text.definitions:
        named = [("the block", _name(owner))] if isinstance(owner.node, tree.Block) else []
        named += [("the parameter", parameter.name) for parameter in owner.parameters]
        named += [("the name", name) for name in (*owner.lets, *owner.targets)]
        for what, name in named:
            if layers.find(name.id) is not None:
                sink.report(codes.SHADOWS_LAYER, name.span, what=what, name=name.id)
