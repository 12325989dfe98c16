"""The language server: what `analysis` computes, in the protocol's words."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams
from pygls.lsp.server import LanguageServer
from pygls.uris import from_fs_path, to_fs_path
from pygls.workspace import PositionCodec

from cnnspec._version import __version__
from cnnspec.diagnostics import Diagnostic, Edit
from cnnspec.editor import analysis, python, structure
from cnnspec.editor.analysis import Analysis
from cnnspec.editor.completion import call_at, completions
from cnnspec.editor.names import Names, Project, Symbol
from cnnspec.files import write_atomic
from cnnspec.source import Source, Span
from cnnspec.syntax import tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


DRAW, REPORT = "cnnspec.draw", "cnnspec.report"
_QUICK = 0.03
"""Seconds of a check that nobody notices between two keys."""


class Server(LanguageServer):
    """Keeps the last check of every open text, and its version."""

    def __init__(self) -> None:
        super().__init__("cnnspec", __version__, text_document_sync_kind=types.TextDocumentSyncKind.Incremental)
        self.known: dict[str, Analysis] = {}
        self.resolved: tuple[object, Names] | None = None
        """The names that were asked for last, and the texts that they were resolved in."""
        self.took: dict[str, float] = {}
        """Seconds that the last check of a text took, where that was long."""

    def analysed(self, uri: str) -> Analysis:
        """The check of the text as it is now."""
        text = self.workspace.get_text_document(uri).source
        known = self.known.get(uri)
        if known is None or known.source.text != text:
            known = self.known[uri] = analyser_of(uri)(path_of(uri), text)
        return known

    @property
    def codec(self) -> PositionCodec:
        return self.workspace.position_codec

    def position(self, source: Source, offset: int) -> types.Position:
        """An offset as the client counts: units of its encoding in a line."""
        line, column = source.position(offset)
        return types.Position(line - 1, self.codec.client_num_units(source.line(line)[: column - 1]))

    def range(self, span: Span) -> types.Range:
        return types.Range(self.position(span.source, span.start), self.position(span.source, span.end))

    def offset(self, source: Source, position: types.Position) -> int:
        """A client's position as an offset; one past the end of a line, or of the text, is that end."""
        if position.line >= len(source.line_starts):
            return len(source.text)
        line = source.line(position.line + 1)
        column = 0
        while column < len(line) and self.codec.client_num_units(line[: column + 1]) <= position.character:
            column += 1
        return source.line_starts[position.line] + column

    def names(self, uri: str) -> Names:
        """The names of a text, and of the files that it can see as they are now."""
        texts = self.workspace.text_documents
        state = (uri, *((other, texts[other].version) for other in texts))
        if self.resolved is None or self.resolved[0] != state:
            others = {os.path.realpath(path_of(other)): texts[other].source for other in texts}
            text = "" if is_python(uri) else texts[uri].source
            self.resolved = state, Project(path_of(uri), text, others).names
        return self.resolved[1]

    def name_at(self, uri: str, position: types.Position) -> tuple[Names, tuple[Span, Symbol] | None]:
        names = self.names(uri)
        return names, names.at(self.offset(names.source, position))

    def uri_of(self, span: Span) -> str:
        """The address of the file that a place is in: of an open one as the editor writes it."""
        real = os.path.realpath(span.source.path)
        opened = {os.path.realpath(path_of(uri)): str(uri) for uri in self.workspace.text_documents}
        return opened.get(real) or uri_of(real)

    def pause(self, uri: str) -> float:
        """Seconds to wait for more typing: none for a text that is checked in no time, at most one."""
        return min(1.0, self.took.get(uri, 0.0))

    def publish(self, uri: str) -> None:
        before = time.perf_counter()
        shown = [self.diagnostic(found, uri) for found in self.analysed(uri).diagnostics]
        took = time.perf_counter() - before
        self.took[uri] = took if took > _QUICK else 0.0
        self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, shown))

    def show(self, uri: str, model: str, ending: str) -> str | None:
        """Write a picture or a page of a model beside other temporary files and ask the editor to open it; its path."""
        checked = self.analysed(uri)
        graph = next((one for one in checked.graphs if not model or one.name == model), None)
        if graph is None:
            return None
        folder = tempfile.mkdtemp(prefix="cnnspec-")
        path = os.path.join(folder, graph.name + ending)
        write_atomic(path, analysis.shown(checked, graph, ending))
        self.window_show_document(types.ShowDocumentParams(from_fs_path(path) or path, external=ending == ".html"))
        return path

    def diagnostic(self, found: Diagnostic, uri: str) -> types.Diagnostic:
        severity = types.DiagnosticSeverity.Error if found.severity == "error" else types.DiagnosticSeverity.Warning
        own = found.span.source
        related = [
            types.DiagnosticRelatedInformation(
                types.Location(
                    uri if label.span.source.path == own.path else uri_of(label.span.source.path),
                    self.range(label.span),
                ),
                label.text,
            )
            for label in found.labels
        ]
        lines = [found.message, found.label, *found.notes, *(f"help: {one}" for one in found.all_helps)]
        return types.Diagnostic(
            self.range(found.span),
            "\n".join(filter(None, lines)),
            severity,
            found.code.id,
            source="cnnspec",
            related_information=related,
        )

    def edits(self, edits: Sequence[Edit]) -> list[types.TextEdit]:
        return [types.TextEdit(self.range(edit.span), edit.text) for edit in edits]


def analyser_of(uri: str) -> Callable[..., Analysis]:
    """What checks a text of that address: PyTorch source is checked without running it."""
    return python.analyse if is_python(uri) else analysis.analyse


def is_python(uri: str) -> bool:
    return uri.endswith(".py")


def path_of(uri: str) -> str:
    """The file of a text; a text without one is shown under its address."""
    return to_fs_path(uri) or uri


def uri_of(path: str) -> str:
    return from_fs_path(path) or path


def build() -> Server:
    """A server with all that it answers."""
    server = Server()
    opened, changed, saved = types.TEXT_DOCUMENT_DID_OPEN, types.TEXT_DOCUMENT_DID_CHANGE, types.TEXT_DOCUMENT_DID_SAVE

    @server.feature(opened)
    @server.feature(changed)
    async def typed(ls: Server, params: types.DidOpenTextDocumentParams | types.DidChangeTextDocumentParams) -> None:
        uri = params.text_document.uri
        await asyncio.sleep(ls.pause(uri))
        document = ls.workspace.text_documents.get(uri)
        if document is not None and document.version == params.text_document.version:
            ls.publish(uri)

    @server.feature(saved)
    def written(ls: Server, params: types.DidSaveTextDocumentParams) -> None:
        # What other files import from this one has changed on the disk.
        ls.known.clear()
        ls.resolved = None
        for uri in ls.workspace.text_documents:
            ls.publish(uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def closed(ls: Server, params: types.DidCloseTextDocumentParams) -> None:
        ls.known.pop(params.text_document.uri, None)
        ls.text_document_publish_diagnostics(types.PublishDiagnosticsParams(params.text_document.uri, []))

    _edits(server)
    _shapes(server)
    _writing(server)
    _names(server)
    _structure(server)
    _commands(server)
    return server


def _edits(server: Server) -> None:
    """What changes a text."""

    @server.feature(types.TEXT_DOCUMENT_FORMATTING)
    def formatting(ls: Server, params: types.DocumentFormattingParams) -> list[types.TextEdit] | None:
        uri = params.text_document.uri
        source = ls.analysed(uri).source
        text = None if is_python(uri) else analysis.formatted(source.path, source.text)
        if text is None or text == source.text:
            return None
        return ls.edits([Edit(Span(source, 0, len(source.text)), text)])

    @server.feature(types.TEXT_DOCUMENT_CODE_ACTION, types.CodeActionOptions([types.CodeActionKind.QuickFix]))
    def actions(ls: Server, params: types.CodeActionParams) -> list[types.CodeAction]:
        uri = params.text_document.uri
        source = ls.analysed(uri).source
        start, end = ls.offset(source, params.range.start), ls.offset(source, params.range.end)
        if not any(one.span.start <= end and start <= one.span.end for one in ls.analysed(uri).diagnostics):
            return []
        # Fixes are searched where somebody asks for them: that takes many checks.
        found = analyser_of(uri)(source.path, source.text, fixes=True)
        return [
            types.CodeAction(
                fix.message.replace("`", ""),
                types.CodeActionKind.QuickFix,
                [ls.diagnostic(one, uri)],
                is_preferred=number == 0,
                edit=types.WorkspaceEdit({uri: ls.edits(fix.edits)}),
            )
            for one in found.diagnostics
            if one.span.start <= end and start <= one.span.end
            for number, fix in enumerate(one.fixes)
            if all(edit.span.source.path == source.path for edit in fix.edits)
        ]

    @server.feature(types.TEXT_DOCUMENT_RENAME, types.RenameOptions(prepare_provider=True))
    def rename(ls: Server, params: types.RenameParams) -> types.WorkspaceEdit:
        uri = params.text_document.uri
        names, found = ls.name_at(uri, params.position)
        if found is None:
            raise JsonRpcInvalidParams("there is no name here that this project gives")
        problem = analysis.rename_problem(names, found[1], params.new_name)
        if problem:
            raise JsonRpcInvalidParams(problem)
        changes: dict[str, list[types.TextEdit]] = {}
        for span in names.project.uses(found[1]):
            changes.setdefault(ls.uri_of(span), []).append(types.TextEdit(ls.range(span), params.new_name))
        return types.WorkspaceEdit(changes)

    @server.feature(types.TEXT_DOCUMENT_PREPARE_RENAME)
    def prepare_rename(ls: Server, params: types.PrepareRenameParams) -> types.Range | None:
        _, found = ls.name_at(params.text_document.uri, params.position)
        return ls.range(found[0]) if found is not None else None


def _shapes(server: Server) -> None:
    """What the check knows of a text."""

    @server.feature(types.TEXT_DOCUMENT_HOVER)
    def hover(ls: Server, params: types.HoverParams) -> types.Hover | None:
        uri = params.text_document.uri
        checked = ls.analysed(uri)
        text = analysis.hover(checked, ls.names(uri), ls.offset(checked.source, params.position))
        return types.Hover(types.MarkupContent(types.MarkupKind.Markdown, text)) if text else None

    @server.feature(types.TEXT_DOCUMENT_INLAY_HINT)
    def hints(ls: Server, params: types.InlayHintParams) -> list[types.InlayHint]:
        checked = ls.analysed(params.text_document.uri)
        first, last = ls.offset(checked.source, params.range.start), ls.offset(checked.source, params.range.end)
        return [
            types.InlayHint(ls.position(checked.source, one.offset), one.text, padding_left=True)
            for one in checked.hints
            if first <= one.offset <= last
        ]

    @server.feature(types.TEXT_DOCUMENT_CODE_LENS)
    def lenses(ls: Server, params: types.CodeLensParams) -> list[types.CodeLens]:
        uri = params.text_document.uri
        return [
            types.CodeLens(ls.range(one.span), types.Command(title, command, arguments=[uri, one.model]))
            for one in analysis.lenses(ls.analysed(uri))
            for title, command in ((one.text, REPORT), ("draw", DRAW))
        ]


def _writing(server: Server) -> None:
    """What helps to write."""

    @server.feature(types.TEXT_DOCUMENT_COMPLETION, types.CompletionOptions(trigger_characters=["(", "=", "."]))
    def complete(ls: Server, params: types.CompletionParams) -> list[types.CompletionItem]:
        if is_python(params.text_document.uri):
            return []
        names = ls.names(params.text_document.uri)
        return [
            types.CompletionItem(
                one.name,
                kind=_KINDS[one.kind],
                documentation=types.MarkupContent(types.MarkupKind.Markdown, one.about) if one.about else None,
                insert_text=one.snippet or None,
                insert_text_format=types.InsertTextFormat.Snippet if one.snippet else None,
                sort_text=f"{number:04}",
            )
            for number, one in enumerate(completions(names, ls.offset(names.source, params.position)))
        ]

    @server.feature(types.TEXT_DOCUMENT_SIGNATURE_HELP, types.SignatureHelpOptions(["(", ","]))
    def signature(ls: Server, params: types.SignatureHelpParams) -> types.SignatureHelp | None:
        names = ls.names(params.text_document.uri)
        call = call_at(names, ls.offset(names.source, params.position))
        if call is None:
            return None
        given = [types.ParameterInformation(text) for text in call.parameters]
        about = types.MarkupContent(types.MarkupKind.Markdown, call.about)
        return types.SignatureHelp([types.SignatureInformation(call.text, about, given)], 0, call.active)


def _names(server: Server) -> None:
    """Where names come from and where they are used."""

    @server.feature(types.TEXT_DOCUMENT_DEFINITION)
    def definition(ls: Server, params: types.DefinitionParams) -> list[types.Location]:
        _, found = ls.name_at(params.text_document.uri, params.position)
        return [types.Location(ls.uri_of(span), ls.range(span)) for span in (found[1].binders if found else ())]

    @server.feature(types.TEXT_DOCUMENT_REFERENCES)
    def references(ls: Server, params: types.ReferenceParams) -> list[types.Location]:
        names, found = ls.name_at(params.text_document.uri, params.position)
        if found is None:
            return []
        own = (
            [] if params.context.include_declaration else [(span.source.path, span.start) for span in found[1].binders]
        )
        spans = [span for span in names.project.uses(found[1]) if (span.source.path, span.start) not in own]
        return [types.Location(ls.uri_of(span), ls.range(span)) for span in spans]

    @server.feature(types.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT)
    def highlight(ls: Server, params: types.DocumentHighlightParams) -> list[types.DocumentHighlight]:
        names, found = ls.name_at(params.text_document.uri, params.position)
        spans = [span for span, symbol in names.uses if found is not None and symbol is found[1]]
        return [types.DocumentHighlight(ls.range(span)) for span in spans]


def _structure(server: Server) -> None:
    """How a text is built."""

    @server.feature(types.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
    def symbols(ls: Server, params: types.DocumentSymbolParams) -> list[types.DocumentSymbol]:
        found = []
        for item in ls.names(params.text_document.uri).items:
            if isinstance(item, tree.Train):
                head = Span(item.span.source, item.span.start, item.span.start + len("train"))
                found.append(
                    types.DocumentSymbol("train", types.SymbolKind.Object, ls.range(item.span), ls.range(head))
                )
            elif isinstance(item, (tree.Model, tree.Variant, tree.Block, tree.Let, tree.Function)):
                kind = _SYMBOLS.get(type(item), types.SymbolKind.Constant)
                found.append(types.DocumentSymbol(item.name.id, kind, ls.range(item.span), ls.range(item.name.span)))
        return found

    @server.feature(types.TEXT_DOCUMENT_FOLDING_RANGE)
    def folding(ls: Server, params: types.FoldingRangeParams) -> list[types.FoldingRange]:
        found = structure.folds(ls.names(params.text_document.uri))
        return [types.FoldingRange(one.first, one.last, kind=types.FoldingRangeKind(one.kind)) for one in found]

    @server.feature(types.TEXT_DOCUMENT_SEMANTIC_TOKENS_FULL, types.SemanticTokensLegend(list(structure.TYPES), []))
    def tokens(ls: Server, params: types.SemanticTokensParams) -> types.SemanticTokens:
        names = ls.names(params.text_document.uri)
        data: list[int] = []
        line = column = 0
        for word in structure.words(names):
            begin, end = ls.position(names.source, word.start), ls.position(names.source, word.end)
            if end.line != begin.line:
                continue
            if begin.line != line:
                column = 0
            data += [
                begin.line - line, begin.character - column, end.character - begin.character,
                structure.TYPES.index(word.type), 0,
            ]  # fmt: skip
            line, column = begin.line, begin.character
        return types.SemanticTokens(data)


def _commands(server: Server) -> None:
    """What a code lens or the editor's palette starts: pictures and pages, which open where the editor shows such files."""

    @server.command(DRAW)
    def draw(ls: Server, uri: str, model: str = "") -> str | None:
        return ls.show(uri, model, ".svg")

    @server.command(REPORT)
    def report(ls: Server, uri: str, model: str = "") -> str | None:
        return ls.show(uri, model, ".html")


_KINDS = {
    "layer": types.CompletionItemKind.Class,
    "block": types.CompletionItemKind.Class,
    "model": types.CompletionItemKind.Class,
    "parameter": types.CompletionItemKind.Property,
    "setting": types.CompletionItemKind.Property,
    "function": types.CompletionItemKind.Function,
    "keyword": types.CompletionItemKind.Keyword,
    "constant": types.CompletionItemKind.Constant,
    "size": types.CompletionItemKind.Variable,
    "value": types.CompletionItemKind.Value,
}
_SYMBOLS = {
    tree.Model: types.SymbolKind.Class,
    tree.Variant: types.SymbolKind.Class,
    tree.Block: types.SymbolKind.Function,
    tree.Function: types.SymbolKind.Function,
}
