"""lark itself as the parser of the language: what the product's own driver is held against."""

from __future__ import annotations

from functools import cache

from lark import Lark, Token, Tree, UnexpectedInput

from cnnspec.diagnostics import Sink
from cnnspec.source import Source, Span
from cnnspec.syntax import tree
from cnnspec.syntax.build import Builder
from cnnspec.syntax.lexer import settle
from tools.make_tables import load_grammar


class _Settle:
    """Drops the separators that do not count, as the product does between its lexer and its parser."""

    always_accept = ()

    def __init__(self, source: Source) -> None:
        self.source = source

    def process(self, stream):
        tokens = list(stream)
        plain = [(token.type, token.start_pos, token.end_pos) for token in tokens]
        kept, _ = settle(plain, self.source, Sink())
        by_start = {token.start_pos: token for token in tokens}
        for kind, start, _ in kept:
            if kind != "$END":
                token = by_start[start]
                yield token if token.type == kind else Token.new_borrow_pos(kind, token.value, token)


@cache
def reference() -> Lark:
    """lark's own parser, made once: its tables take a second."""
    return load_grammar(propagate_positions=True, postlex=_Settle(Source("", "")))


def parse_with_lark(source: Source) -> tree.Tree | None:
    """The tree, or None where lark refuses the text."""
    lark = reference()
    lark.lexer_conf.postlex.source = source
    try:
        parsed = lark.parse(source.text, start="start")
    except UnexpectedInput:
        return None
    result = _build(parsed, Builder(source, Sink()), source)
    return result if isinstance(result, tree.Tree) else tree.Tree(source, (result,))


def _build(node, builder: Builder, source: Source):
    if isinstance(node, Token):
        return builder.word(node.type, str(node), node.start_pos, node.end_pos)
    assert isinstance(node, Tree)
    values = [_build(child, builder, source) for child in node.children]
    empty = node.meta.empty
    span = Span(source, 0 if empty else node.meta.start_pos, 0 if empty else node.meta.end_pos)
    return getattr(builder, node.data)(values, span)
