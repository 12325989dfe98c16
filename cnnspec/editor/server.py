"""The language server: what `analysis` computes, in the protocol's words."""

from __future__ import annotations

from lsprotocol import types
from pygls.lsp.server import LanguageServer
from pygls.uris import from_fs_path, to_fs_path
from pygls.workspace import PositionCodec

from cnnspec._version import __version__
from cnnspec.diagnostics import Diagnostic, Edit
from cnnspec.editor import analysis
from cnnspec.editor.analysis import Analysis
from cnnspec.source import Source, Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


class Server(LanguageServer):
    """Keeps the last check of every open text, and its version."""

    def __init__(self) -> None:
        super().__init__("cnnspec", __version__, text_document_sync_kind=types.TextDocumentSyncKind.Incremental)
        self.known: dict[str, Analysis] = {}

    def analysed(self, uri: str) -> Analysis:
        """The check of the text as it is now."""
        text = self.workspace.get_text_document(uri).source
        known = self.known.get(uri)
        if known is None or known.source.text != text:
            known = self.known[uri] = analysis.analyse(path_of(uri), text)
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


def path_of(uri: str) -> str:
    """The file of a text; a text without one is shown under its address."""
    return to_fs_path(uri) or uri


def uri_of(path: str) -> str:
    return from_fs_path(path) or path


def build() -> Server:
    """A server with all that it answers."""
    server = Server()

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    def changed(
        ls: Server,
        params: types.DidOpenTextDocumentParams | types.DidChangeTextDocumentParams | types.DidSaveTextDocumentParams,
    ) -> None:
        uri = params.text_document.uri
        if isinstance(params, types.DidSaveTextDocumentParams):
            # What other files import from this one has changed on the disk.
            ls.known.clear()
        shown = [ls.diagnostic(found, uri) for found in ls.analysed(uri).diagnostics]
        ls.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, shown))

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def closed(ls: Server, params: types.DidCloseTextDocumentParams) -> None:
        ls.known.pop(params.text_document.uri, None)
        ls.text_document_publish_diagnostics(types.PublishDiagnosticsParams(params.text_document.uri, []))

    _edits(server)
    _reading(server)
    return server


def _edits(server: Server) -> None:
    """What changes a text."""

    @server.feature(types.TEXT_DOCUMENT_FORMATTING)
    def formatting(ls: Server, params: types.DocumentFormattingParams) -> list[types.TextEdit] | None:
        uri = params.text_document.uri
        source = ls.analysed(uri).source
        text = analysis.formatted(source.path, source.text)
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
        found = analysis.analyse(source.path, source.text, fixes=True)
        return [
            types.CodeAction(
                fix.message.replace("`", ""),
                types.CodeActionKind.QuickFix,
                [ls.diagnostic(one, uri)],
                edit=types.WorkspaceEdit({uri: ls.edits(fix.edits)}),
            )
            for one in found.diagnostics
            if one.span.start <= end and start <= one.span.end
            for fix in one.fixes
            if all(edit.span.source.path == source.path for edit in fix.edits)
        ]


def _reading(server: Server) -> None:
    """What tells about a text."""

    @server.feature(types.TEXT_DOCUMENT_HOVER)
    def hover(ls: Server, params: types.HoverParams) -> types.Hover | None:
        checked = ls.analysed(params.text_document.uri)
        text = analysis.hover(checked, ls.offset(checked.source, params.position))
        return types.Hover(types.MarkupContent(types.MarkupKind.Markdown, text)) if text else None

    @server.feature(types.TEXT_DOCUMENT_INLAY_HINT)
    def hints(ls: Server, params: types.InlayHintParams) -> list[types.InlayHint]:
        checked = ls.analysed(params.text_document.uri)
        first, last = ls.offset(checked.source, params.range.start), ls.offset(checked.source, params.range.end)
        return [
            types.InlayHint(ls.position(checked.source, one.offset), one.text, padding_left=True)
            for one in analysis.hints(checked)
            if first <= one.offset <= last
        ]

    @server.feature(types.TEXT_DOCUMENT_COMPLETION)
    def completion(ls: Server, params: types.CompletionParams) -> list[types.CompletionItem]:
        return [
            types.CompletionItem(name, kind=types.CompletionItemKind.Class, documentation=text)
            for name, text in analysis.completions(ls.analysed(params.text_document.uri))
        ]

    @server.feature(types.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
    def symbols(ls: Server, params: types.DocumentSymbolParams) -> list[types.DocumentSymbol]:
        return [
            types.DocumentSymbol(item.name.id, types.SymbolKind.Class, ls.range(item.span), ls.range(item.name.span))
            for item in ls.analysed(params.text_document.uri).definitions
        ]

    @server.feature(types.TEXT_DOCUMENT_DEFINITION)
    def definition(ls: Server, params: types.DefinitionParams) -> types.Location | None:
        uri = params.text_document.uri
        checked = ls.analysed(uri)
        span = analysis.definition(checked, ls.offset(checked.source, params.position))
        return types.Location(uri, ls.range(span)) if span else None
