"""From text to tokens: `(kind, start, end)`, kinds named as in the grammar. Text that begins no token is `unknown`; the
parser reports it where it meets it.

Separators inside ( ) and [ ] do not count, nor one in front of `else` and `shortcut`. A bracket that is still open at a
brace or at the end of the text is taken for unclosed: its line ends count, so that the mistake stays on its own line.
"""

from __future__ import annotations

import re

from cnnspec.diagnostics import Sink, codes
from cnnspec.limits import LIMITS
from cnnspec.source import Source, Span
from cnnspec.syntax._tables import IGNORED, KEYWORDS, PATTERN

Token = tuple[str, int, int]

_TOKEN = re.compile(PATTERN)
_BRACKETS = frozenset({"LPAR", "RPAR", "LSQB", "RSQB", "LBRACE", "RBRACE"})
_QUOTED = re.compile(r"'[^'\n#]*'")


def tokenize(source: Source, sink: Sink, most: int) -> tuple[list[Token], set[int]]:
    """The tokens of a source, `most` of them, ended by `$END`, and the offsets of brackets that are never closed."""
    return settle(_scan(source, sink, most), source, sink)


def _scan(source: Source, sink: Sink, most: int) -> list[Token]:
    text, at = source.text, 0
    tokens: list[Token] = []
    add, keywords, ignored = tokens.append, KEYWORDS.get, IGNORED
    for match in _TOKEN.finditer(text):
        start, end = match.span()
        if start != at:
            if start > at:
                at = _skip_unknown(text, at, start, tokens)
            if start < at:
                continue
        at = end
        kind = match.lastgroup
        if kind in ignored:
            continue
        if kind == "NAME":
            kind = keywords(text[start:end], kind)
        assert kind is not None
        add((kind, start, end))
    if at < len(text):
        add(("unknown", at, len(text)))
    source.tokens = len(tokens)
    if len(tokens) > most:
        first = tokens[most]
        sink.report(codes.TOO_MANY_TOKENS, Span(source, first[1], first[2]), limit=LIMITS.tokens)
        return [("too deep", first[1], len(text))]
    return tokens


def _skip_unknown(text: str, start: int, end: int, tokens: list[Token]) -> int:
    """Add the characters that no token begins with as one token, a text in single quotes whole; where it ends."""
    quoted = _QUOTED.match(text, start) if text[start] == "'" else None
    end = quoted.end() if quoted else end
    tokens.append(("unknown", start, end))
    return end


def settle(tokens: list[Token], source: Source, sink: Sink) -> tuple[list[Token], set[int]]:
    """Drop the separators that do not count; find the brackets that are never closed."""
    end = ("$END", len(source.text), len(source.text))
    closers: dict[int, int] = {}
    unclosed: set[int] = set()
    deep = _pair(tokens, closers, unclosed)
    if deep is not None:
        sink.report(codes.NESTED_TOO_DEEPLY, Span(source, deep[1], deep[2]), limit=LIMITS.nesting)
        return [("too deep", deep[1], len(source.text)), end], set()
    kept: list[Token] = []
    until = 0
    for number, token in enumerate(tokens):
        kind = token[0]
        if kind == "_SEP":
            if number < until and source.text[token[1]] != ";":
                continue
        elif number in closers:
            until = max(until, closers[number])
        elif (
            kept
            and kept[-1][0] == "_SEP"
            and (kind == "ELSE" or (kind == "SHORTCUT" and kept[-2:-1] and kept[-2][0] == "RBRACE"))
        ):
            kept.pop()
        kept.append(token)
    kept.append(end)
    return kept, unclosed


def _pair(tokens: list[Token], closers: dict[int, int], unclosed: set[int]) -> Token | None:
    """Find where each bracket is closed, and the offsets of those that are not; the token that is nested too deeply."""
    opened: list[int] = []
    braces = 0
    for number, token in enumerate(tokens):
        kind = token[0]
        if kind not in _BRACKETS:
            continue
        if kind == "LPAR" or kind == "LSQB":
            opened.append(number)
        elif kind == "RPAR" or kind == "RSQB":
            if opened:
                closers[opened.pop()] = number
        else:
            unclosed.update(tokens[index][1] for index in opened)
            opened.clear()
            braces += 1 if kind == "LBRACE" else -1
        if braces + len(opened) > LIMITS.nesting:
            return token
    unclosed.update(tokens[index][1] for index in opened)
    return None
