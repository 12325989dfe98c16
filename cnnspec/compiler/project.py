"""Files and what they import: every definition that a spec can see. Imports never leave the project's folder.

The project is the nearest folder above the spec that holds `pyproject.toml`, `.git` or `cnnspec.toml`, and the spec's own
folder where there is none. Paths are resolved, symbolic links included, before they are compared with it.
"""

from __future__ import annotations

import os
import stat

from cnnspec import layers
from cnnspec.compiler.names import Binding, Block, Deferred, Function, Scope, check_names
from cnnspec.declare import UNKNOWN
from cnnspec.diagnostics import Label, Sink, Suggestion, codes, did_you_mean, note
from cnnspec.diagnostics.suggestions import listing
from cnnspec.files import project_of
from cnnspec.limits import LIMITS
from cnnspec.record import record
from cnnspec.source import Source, Span
from cnnspec.syntax import tree
from cnnspec.syntax.parser import parse
from cnnspec.syntax.read import read_source


@record
class File:
    """The definitions of one file, and the scope that holds its blocks and imports."""

    source: Source
    scope: Scope
    models: dict[str, tree.Model | tree.Variant]
    blocks: dict[str, Block]
    recipes: tuple[tree.Train, ...]
    imports: tuple[tree.Import, ...] = ()
    lets: tuple[tree.Let | tree.Function, ...] = ()
    """The constants and functions at the top of the file."""

    def own_names(self) -> list[str]:
        """What the file itself defines, and others may import."""
        return [name for name in self.scope.bindings if self.own(name) is not None]

    def own(self, name: str) -> Binding | None:
        """A block, model, constant or function that the file itself defines."""
        binding = self.scope.bindings.get(name)
        home = getattr(binding.value, "scope", None) if binding is not None else None
        return binding if home is self.scope else None

    def is_unknown(self, name: str) -> bool:
        """Whether a mistake hides what a name means."""
        binding = self.scope.bindings.get(name)
        return binding is not None and binding.value is UNKNOWN


def read_definitions(source: Source, sink: Sink, read: list[Source] | None = None) -> File:
    """Parse a source and everything that it imports; `read` takes up the sources of all of these files."""
    reader = _Reader(source.path, sink)
    file = reader.read(source, ())
    if read is not None:
        read += [file.source, *(imported.source for imported in reader.files.values())]
    return file


class _Reader:
    def __init__(self, path: str, sink: Sink) -> None:
        self.path = path
        self.sink = sink
        self.files: dict[str, File] = {}
        self.tokens = 0
        self._project: str | None = None

    @property
    def project(self) -> str:
        if self._project is None:
            self._project = project_of(self.path)
        return self._project

    def read(self, source: Source, chain: tuple[str, ...]) -> File:
        """`chain` holds the real paths of the files that are being imported, outermost first."""
        content = _parse_once(source, self.sink, max(0, LIMITS.tokens - self.tokens))
        self.tokens += content.source.tokens
        recipes = tuple(item for item in content.items if isinstance(item, tree.Train))
        imported = tuple(item for item in content.items if isinstance(item, tree.Import))
        lets = tuple(item for item in content.items if isinstance(item, (tree.Let, tree.Function)))
        file = File(content.source, Scope(), {}, {}, recipes, imported, lets)
        defined: dict[str, tree.Name] = {}
        for item in content.items:
            self._define(item, file, defined, chain)
        for item in content.items:
            if isinstance(item, (tree.Block, tree.Model)):
                check_names([parameter.name for parameter in item.parameters], self.sink)
            elif isinstance(item, (tree.Let, tree.Function)):
                check_names([item.name], self.sink)
        return file

    def _define(self, item: tree.Definition, file: File, defined: dict[str, tree.Name], chain: tuple[str, ...]) -> None:
        match item:
            case tree.Import():
                self._import(item, file, defined, chain)
            case tree.Invalid():
                for name in item.names:
                    file.scope.bind(name, UNKNOWN, item.span)
            case tree.Model() if self._is_new(item.name, defined):
                file.models[item.name.id] = item
                if layers.find(item.name.id) is None:
                    file.scope.bind(item.name.id, Block(item, file.scope), item.name.span)
            case tree.Variant() if self._is_new(item.name, defined):
                file.models[item.name.id] = item
                file.scope.bind(item.name.id, Deferred(meant_by(item), file.scope), item.name.span)
            case tree.Block() if self._is_new(item.name, defined):
                block = Block(item, file.scope)
                file.blocks[item.name.id] = block
                file.scope.bind(item.name.id, block, item.name.span)
            case tree.Let() if self._is_new(item.name, defined):
                file.scope.bind(item.name.id, Deferred(item, file.scope), item.name.span)
            case tree.Function() if self._is_new(item.name, defined):
                file.scope.bind(item.name.id, Function(item, file.scope), item.name.span)

    def _is_new(self, name: tree.Name, defined: dict[str, tree.Name]) -> bool:
        earlier = defined.setdefault(name.id, name)
        if earlier is not name:
            labels = [Label(earlier.span, "first definition")]
            self.sink.report(codes.DUPLICATE_DEFINITION, name.span, labels=labels, name=name.id)
        return earlier is name

    def _import(self, item: tree.Import, file: File, defined: dict[str, tree.Name], chain: tuple[str, ...]) -> None:
        from cnnspec.diagnostics.similar_names import closest

        imported, meant = self._load(item, file.source, chain), list[str]()
        for name, alias in ((one.name, one.alias or one.name) for one in item.names):
            if imported is None:
                if alias.id not in defined:
                    file.scope.bind(alias.id, UNKNOWN, alias.span)
            elif not self._is_new(alias, defined):
                continue
            elif (found := imported.own(name.id)) is not None:
                file.scope.bind(alias.id, found.value, alias.span)
            else:
                names = imported.own_names()
                helps = did_you_mean(name.id, names)
                near = imported.scope.bindings.get(closest(name.id, names) or "")
                labels = [Label(near.span, "defined here")] if near is not None and near.span is not None else []
                path = imported.source.path
                if not imported.is_unknown(name.id):
                    self.sink.report(
                        codes.NOT_IN_IMPORT, name.span, labels=labels, helps=helps, path=path, name=name.id
                    )
                file.scope.bind(alias.id, UNKNOWN, alias.span)
                if near is not None and alias is name and near.span is not None:
                    # Uses of what was meant are right, whatever it is.
                    meant.append(near.span.text)
        for other in meant:
            if other not in defined and other not in file.scope.bindings:
                file.scope.bind(other, UNKNOWN, None)

    def _load(self, item: tree.Import, importer: Source, chain: tuple[str, ...]) -> File | None:
        """The file that an import names, or None where that is reported."""
        if not isinstance(item.path, tree.Literal) or not isinstance(item.path.value, str):
            return None
        span = item.path.span
        shown, real = self._locate(item.path.value, importer, span)
        if real is None:
            return None
        chain = chain or (os.path.realpath(importer.path),)
        if real in chain:
            names = [os.path.basename(path) for path in (*chain[chain.index(real) :], real)]
            self.sink.report(codes.IMPORT_CYCLE, span, chain=" imports ".join(names))
            return None
        if real in self.files:
            return self.files[real]
        if self.tokens > LIMITS.tokens:
            # Said where the bound was passed.
            return None
        if len(self.files) >= LIMITS.imported_files or len(chain) >= LIMITS.import_depth:
            depth = len(chain) >= LIMITS.import_depth
            limit, what = (LIMITS.import_depth, "imports in a chain") if depth else (LIMITS.imported_files, "imports")
            self.sink.report(codes.TOO_MANY_IMPORTS, span, limit=limit, what=what)
            return None
        try:
            source = read_source(real, self.sink, shown_as=shown)
        except OSError as error:
            self.sink.report(codes.IMPORT_NOT_FOUND, span, path=shown, helps=(error.strerror or "",))
            return None
        file = self.read(source, (*chain, real))
        if self.tokens > LIMITS.tokens:
            return None
        self.files[real] = file
        return file

    def _locate(self, text: str, importer: Source, span: Span) -> tuple[str, str | None]:
        """The path as it is shown, and the real one where it may be read."""
        problem = _problem_of(text)
        shown = os.path.normpath(os.path.join(os.path.dirname(importer.path), text.replace("\0", "")))
        if problem:
            self.sink.report(codes.IMPORT_OUTSIDE, span, path=text, reason=problem)
            return shown, None
        real = os.path.realpath(shown)
        if os.path.commonpath([real, self.project]) != self.project:
            reason = f"leads out of the project, {os.path.basename(self.project) or self.project}/"
            self.sink.report(codes.IMPORT_OUTSIDE, span, path=text, reason=reason)
            return shown, None
        try:
            regular = stat.S_ISREG(os.stat(real).st_mode)
        except OSError:
            regular = False
        if not regular:
            self.sink.report(codes.IMPORT_NOT_FOUND, span, helps=self._near(shown), path=shown)
            return shown, None
        return shown, real

    def _near(self, path: str) -> tuple[Suggestion, ...]:
        folder = os.path.dirname(path) or "."
        try:
            names = [name for name in os.listdir(folder) if name.endswith(".cnn")]
        except OSError:
            return (note(f"there is no folder {folder}"),)
        near = did_you_mean(os.path.basename(path), names)
        return near or ((note(f"{folder} holds {listing(sorted(names))}"),) if 0 < len(names) <= 8 else ())


def meant_by(item: tree.Variant) -> tree.Let:
    """What a variant stands for: its base with the arguments that it gives."""
    return tree.Let(item.name, tree.Call(item.base, item.arguments, item.span), item.span)


def _problem_of(text: str) -> str:
    """What is wrong with the text of an import path; "" for nothing."""
    if not text.endswith(".cnn"):
        return "the path has to end in .cnn"
    if os.path.isabs(text) or "\\" in text or "\0" in text or ":" in text:
        return "the path has to be relative, with `/` between its parts"
    return ""


_parsed: dict[tuple[str, str], tuple[tree.Tree, Sink]] = {}


def _parse_once(source: Source, sink: Sink, tokens: int) -> tree.Tree:
    """The tree of a source that may have so many tokens; the same text under the same path is parsed once in a process."""
    key = (source.path, source.text)
    if key not in _parsed or _parsed[key][0].source.tokens > tokens:
        if len(_parsed) >= LIMITS.imported_files:
            _parsed.pop(next(iter(_parsed)))
        own = Sink()
        content = parse(source, own, tokens=tokens)
        if source.tokens <= tokens:
            _parsed[key] = (content, own)
    else:
        content, own = _parsed[key]
    for found in own.diagnostics:
        sink.add(found)
    return content
