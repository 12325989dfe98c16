"""Which name means what: every name of a file with what it stands for, from the text alone, right or wrong.

    names = Project("net.cnn", text).names
    names.at(offset)          # the symbol under a place
    names.visible(offset)     # all that a name there may mean

A name of a file that is imported is the same symbol in both files, unless the import gives it another name.
"""

from __future__ import annotations

import os

from cnnspec.diagnostics import Sink
from cnnspec.files import files_below, project_of, read_regular
from cnnspec.limits import LIMITS
from cnnspec.source import Source, Span
from cnnspec.syntax import tree
from cnnspec.syntax.parser import parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

MODEL, BLOCK, CONSTANT, FUNCTION, PARAMETER, VALUE, SIZE = (
    "model", "block", "constant", "function", "parameter", "value", "size"
)  # fmt: skip
_MOST_FILES = 2_000
"""Files of a project that are looked through for uses of a name."""


class Symbol:
    """Something that has a name. `binders` are the places that give it, `node` is what it stands for."""

    def __init__(self, name: str, kind: str, path: str, node: Any, region: tuple[int, int]) -> None:
        self.name, self.kind, self.path, self.node = name, kind, path, node
        self.region = region
        """Where in its file the name may be used."""
        self.binders: list[Span] = []
        self.parts: dict[str, Symbol] = {}
        """What is reached behind a dot, or as an argument by name: parameters and the labels of its bodies."""

    @property
    def parameters(self) -> list[Symbol]:
        return [part for part in self.parts.values() if part.kind is PARAMETER]


class Names:
    """The names of one file."""

    def __init__(self, path: str, text: str, project: Project) -> None:
        self.path, self.project = path, project
        self.source = Source(path, text)
        self.items = parse(self.source, Sink()).items
        self.uses: list[tuple[Span, Symbol]] = []
        """Every place of a name, those that give it included, with its symbol."""
        self.given: dict[int, Symbol] = {}
        """Those that this file gives names to, by the offsets at which they are given."""
        self.top: dict[str, Symbol] = {}
        self._read = False

    def read(self) -> Names:
        """Resolve everything, once. Files that import each other are read in turns."""
        if not self._read:
            self._read = True
            _Reader(self).file()
        return self

    def at(self, offset: int) -> tuple[Span, Symbol] | None:
        """The name that an offset lies in or behind, and its symbol."""
        for span, symbol in self.uses:
            if span.start <= offset <= span.end:
                return span, symbol
        return None

    def visible(self, offset: int) -> list[Symbol]:
        """What may be named at an offset, the innermost first."""
        inner = [one for one in self.given.values() if one.region[0] <= offset <= one.region[1]]
        found = {one.name: one for one in sorted(inner, key=lambda one: one.region[1] - one.region[0], reverse=True)}
        return [*reversed((self.top | found).values())]


class Project:
    """The files that can see each other. `open_texts` are texts that are not on the disk yet, by their real paths."""

    def __init__(self, path: str, text: str, open_texts: Mapping[str, str] | None = None) -> None:
        self.path, self.open_texts = os.path.realpath(path), dict(open_texts or {})
        self.open_texts[self.path] = text
        self._known: dict[str, Names | None] = {}

    @property
    def names(self) -> Names:
        """Those of the file that was named."""
        found = self.of(self.path)
        assert found is not None
        return found

    def of(self, path: str) -> Names | None:
        """The names of a file; None where it can't be read."""
        real = os.path.realpath(path)
        if real not in self._known:
            text = self._text(real)
            self._known[real] = None if text is None else Names(real, text, self)
            names = self._known[real]
            if names is not None:
                names.read()
        return self._known[real]

    def uses(self, symbol: Symbol) -> list[Span]:
        """Every place of a symbol, in all files of the project that can see it."""
        found: dict[tuple[str, int], Span] = {}
        for path in self._files():
            text = self._text(path)
            if text is None or symbol.name not in text:
                continue
            names = self.of(path)
            for span, other in names.uses if names is not None else ():
                if other is symbol and span.text == symbol.name:
                    found[path, span.start] = span
        return [found[key] for key in sorted(found)]

    def _files(self) -> Iterator[str]:
        own = {self.path, *self.open_texts}
        yield from own
        for number, path in enumerate(files_below(project_of(self.path), ".cnn")):
            if number >= _MOST_FILES:
                return
            if (real := os.path.realpath(path)) not in own:
                yield real

    def _text(self, path: str) -> str | None:
        if path in self.open_texts:
            return self.open_texts[path]
        try:
            data = read_regular(path, LIMITS.file_bytes + 1)
        except (OSError, ValueError):
            return None
        return None if len(data) > LIMITS.file_bytes else data.decode("utf-8-sig", "replace")


class _Reader:
    """Resolves the names of a file: first what each body gives names to, then what is read."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.scopes: list[dict[str, Symbol]] = [names.top]

    def file(self) -> None:
        whole = (0, len(self.names.source.text))
        for item in self.names.items:
            match item:
                case tree.Import():
                    self._import(item, whole)
                case tree.Model() | tree.Block() | tree.Variant() | tree.Let() | tree.Function():
                    self._bind(item.name, _kind_of(item), item, whole)
        # Parameters can be named by other files before this one's bodies are looked at.
        for item in self.names.items:
            if isinstance(item, (tree.Model, tree.Block)) and (own := self.names.top.get(item.name.id)) is not None:
                for parameter in item.parameters:
                    own.parts[parameter.name.id] = self._made(
                        parameter.name, PARAMETER, parameter, (item.span.start, item.span.end)
                    )
                self._labels(item.body, own)
        for item in self.names.items:
            self._definition(item)

    def _import(self, item: tree.Import, whole: tuple[int, int]) -> None:
        other = None
        if isinstance(item.path, tree.Literal) and isinstance(item.path.value, str):
            path = os.path.realpath(os.path.join(os.path.dirname(self.names.path), item.path.value))
            inside = os.path.commonpath([path, project_of(self.names.path)]) == project_of(self.names.path)
            other = self.names.project.of(path) if inside and path.endswith(".cnn") else None
        for one in item.names:
            found = None if other is None else other.top.get(one.name.id)
            if found is not None:
                self.names.uses.append((one.name.span, found))
            if one.alias is None and found is not None:
                self.names.top[one.name.id] = found
            elif found is None or one.alias is not None:
                symbol = self._bind(one.known_as, found.kind if found else BLOCK, found.node if found else one, whole)
                symbol.parts = found.parts if found else {}

    def _definition(self, item: tree.Definition) -> None:
        match item:
            case tree.Model() | tree.Block():
                own = self.names.top.get(item.name.id)
                given = {} if own is None else {part.name: part for part in own.parameters}
                self.scopes.append(given)
                for parameter in item.parameters:
                    self._read(parameter.default)
                self._body(item.body)
                self.scopes.pop()
            case tree.Variant():
                self._use(item.base)
                self._arguments(item.arguments, self._find(item.base.id))
            case tree.Train():
                if item.model is not None:
                    self._use(item.model)
                for setting in item.settings:
                    self._read(setting.value)
            case tree.Let() | tree.Function():
                self._statement(item)

    def _labels(self, body: tree.Body, owner: Symbol) -> None:
        """What the statements of a body are called, for those who reach in by `owner.name`; a name in a loop is its own."""
        region = (body.span.start, body.span.end)
        for statement in body.statements:
            label = getattr(getattr(statement, "tail", None), "label", None)
            named = label.names if isinstance(label, tree.Labels) else () if label is None else (label,)
            for name in named:
                if name.id not in owner.parts:
                    owner.parts[name.id] = self._made(name, VALUE, statement, region)
                else:
                    self._again(name, owner.parts[name.id])
                for inner in _bodies_of(statement):
                    self._labels(inner, owner.parts[name.id])
            if not named and isinstance(statement, tree.If):
                for inner in _bodies_of(statement):
                    self._labels(inner, owner)

    def _body(self, body: tree.Body) -> None:
        scope: dict[str, Symbol] = {}
        self.scopes.append(scope)
        region = (body.span.start, body.span.end)
        for statement in body.statements:
            if isinstance(statement, (tree.Let, tree.Function)):
                self._bind(statement.name, _kind_of(statement), statement, region)
            label = getattr(getattr(statement, "tail", None), "label", None)
            for name in label.names if isinstance(label, tree.Labels) else () if label is None else (label,):
                self._bind(name, VALUE, statement, region)
            if isinstance(statement, tree.Input):
                # A name of a size; one that is known already is a number.
                for size in statement.shape.items:
                    if isinstance(size, tree.Name) and size.id != "_" and self._find(size.id) is None:
                        self._bind(size, SIZE, statement, region)
        for statement in body.statements:
            self._statement(statement)
        self.scopes.pop()

    def _statement(self, statement: Any) -> None:
        match statement:
            case tree.Let():
                self._read(statement.value)
            case tree.Function():
                region = (statement.span.start, statement.span.end)
                self._within(statement.parameters, region, statement.value)
            case tree.Layer():
                self._use(statement.name)
                self._arguments(statement.arguments, self._find(statement.name.id))
            case tree.For():
                self._read(statement.values)
                scope = {}
                for name in statement.targets:
                    scope[name.id] = self._made(name, VALUE, statement, (statement.span.start, statement.span.end))
                self.scopes.append(scope)
                self._body(statement.body)
                self.scopes.pop()
            case tree.Merge():
                self._arguments(statement.arguments, None)
                if statement.branches is not None:
                    self._body(statement.branches)
            case _:
                for field in getattr(type(statement), "__match_args__", ()):
                    self._read(getattr(statement, field))
                return
        tail = getattr(statement, "tail", None)
        if tail is not None:
            self._read(tail.annotation)

    def _read(self, node: Any) -> None:
        """An expression, or anything that holds some."""
        match node:
            case tuple():
                for one in node:
                    self._read(one)
            case tree.Name():
                self._use(node)
            case tree.Body():
                self._body(node)
            case tree.Comprehension():
                self._read(node.values)
                self._within(node.targets, (node.span.start, node.span.end), (node.item, node.condition))
            case tree.Call():
                self._use(node.name)
                self._arguments(node.arguments, self._find(node.name.id))
            case tree.Argument():
                self._read((node.stated, node.value))
            case tree.Access():
                self._access(node)
            case tree.Tail():
                self._read(node.annotation)
            case _ if type(node) in _HOLDERS:
                for field in type(node).__match_args__:
                    self._read(getattr(node, field))

    def _access(self, node: tree.Access) -> None:
        self._read(node.value)
        reached = self._find(node.value.id) if isinstance(node.value, tree.Name) else None
        for step in node.steps:
            if not isinstance(step, tree.Member):
                self._read(step)
                continue
            if reached is not None and isinstance(reached.node, tree.Layer):
                made = self._find(reached.node.name.id)
                reached = made.parts.get(step.name.id) if made is not None else None
            else:
                reached = reached.parts.get(step.name.id) if reached is not None else None
            if reached is not None:
                self.names.uses.append((step.name.span, reached))

    def _arguments(self, arguments: tuple[tree.Argument, ...], callee: Symbol | None) -> None:
        for argument in arguments:
            if argument.name is not None and callee is not None and argument.name.id in callee.parts:
                self.names.uses.append((argument.name.span, callee.parts[argument.name.id]))
            self._read(argument)

    def _within(self, targets: tuple[tree.Name, ...], region: tuple[int, int], node: Any) -> None:
        self.scopes.append({name.id: self._made(name, VALUE, name, region) for name in targets})
        self._read(node)
        self.scopes.pop()

    def _find(self, name: str) -> Symbol | None:
        return next((scope[name] for scope in reversed(self.scopes) if name in scope), None)

    def _use(self, name: tree.Name) -> None:
        found = self._find(name.id)
        if found is not None:
            self.names.uses.append((name.span, found))

    def _bind(self, name: tree.Name, kind: str, node: Any, region: tuple[int, int]) -> Symbol:
        """A name of the innermost scope; one that is given again stays the same symbol."""
        scope = self.scopes[-1]
        known = scope.get(name.id) or self.names.given.get(name.span.start)
        if known is None:
            known = self._made(name, kind, node, region)
        else:
            self._again(name, known)
        scope[name.id] = known
        return known

    def _made(self, name: tree.Name, kind: str, node: Any, region: tuple[int, int]) -> Symbol:
        symbol = Symbol(name.id, kind, self.names.path, node, region)
        self._again(name, symbol)
        return symbol

    def _again(self, name: tree.Name, symbol: Symbol) -> None:
        if name.span.start not in self.names.given:
            self.names.given[name.span.start] = symbol
            symbol.binders.append(name.span)
            self.names.uses.append((name.span, symbol))


_HOLDERS = (
    tree.Sequence, tree.Chain, tree.Unary, tree.Conditional, tree.Item, tree.Slice, tree.Group, tree.Assert, tree.Branch,
)  # fmt: skip


def _kind_of(item: Any) -> str:
    match item:
        case tree.Model() | tree.Variant():
            return MODEL
        case tree.Block():
            return BLOCK
        case tree.Function():
            return FUNCTION
    return CONSTANT


def _bodies_of(statement: Any) -> Iterator[tree.Body]:
    """The bodies of a statement."""
    match statement:
        case tree.Repeat() | tree.For() | tree.Branch():
            yield statement.body
        case tree.Residual():
            yield statement.body
            if statement.shortcut is not None:
                yield statement.shortcut
        case tree.If():
            yield from (body for _, body in statement.arms)
            if statement.otherwise is not None:
                yield statement.otherwise
        case tree.Merge() if statement.branches is not None:
            yield statement.branches
