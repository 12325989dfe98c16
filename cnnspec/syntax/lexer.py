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
_SKIPPED = "skipped"
_NAMES = {
    "\t": "tab",
    "\r": "carriage return",
    "\0": "null character",
    "\u00a0": "no-break space",
    "\ufeff": "byte order mark",
    "'": "single quote",
    ".": "dot",
    "\\": "backslash",
    "@": "at sign",
    "|": "vertical bar",
    "`": "backtick",
}
_MEANT = {
    "&&": "and",
    "&": "and",
    "||": "or",
    "|": "or",
    "!": "not ",
    "\u00d7": "*",
    "\u2212": "-",
    "\u2013": "-",
    "\u2192": "->",
    "\u201c": '"',
    "\u201d": '"',
    "\u2264": "<=",
    "\u2265": ">=",
    "\u2260": "!=",
}
"""What people mean with signs that the language does not have."""
_QUOTED = re.compile(r"'[^'\n#]*'")
_LONGEST = 40
"""Characters of an unknown text that a message shows."""


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


def report_unknown(source: Source, start: int, end: int, sink: Sink, hint: str = "") -> None:
    """Report the characters that no token begins with, as one mistake."""
    text = source.text[start : min(end, start + _LONGEST)]
    if text[0] == '"':
        line_end = source.text.find("\n", start)
        end = len(source.text) if line_end < 0 else line_end
        end = start + len(source.text[start:end].rstrip())
        sink.report(codes.STRING_NOT_CLOSED, Span(source, start, end))
        return
    import unicodedata

    plain = text.isprintable()
    shown = "'" if text[0] == "'" else text if plain else f"U+{ord(text[0]):04X}"
    name = _NAMES.get(text[0]) or unicodedata.name(text[0], "control character").lower()
    span = Span(source, start, start + (len(text) if plain else 1))
    hint = hint or _hint_on(text)
    sink.report(codes.UNKNOWN_CHARACTER, span, helps=(hint,) if hint else (), character=shown, name=name)


def _hint_on(text: str) -> str:
    """What was probably meant by text that begins no token."""
    import unicodedata

    first = text[0]
    if first == "'":
        return (
            f'a string stands in double quotes: "{text[1:-1]}"' if len(text) > 1 else "a string stands in double quotes"
        )
    plain = _MEANT.get(text) or _MEANT.get(first) or unicodedata.normalize("NFKC", first)
    if unicodedata.category(first) == "Zs":
        return "use a plain blank"
    if unicodedata.category(first) in ("Cc", "Cf"):
        return "delete it"
    if plain != first and plain.isascii() and plain.isprintable():
        return f"it is written `{plain.strip()}`"
    return "names are written with the letters a to z" if first.isalpha() else ""


def settle(tokens: list[Token], source: Source, sink: Sink) -> tuple[list[Token], set[int]]:
    """Drop the separators that do not count; find the brackets that are never closed."""
    kept: list[Token] = []
    brackets: list[int] = []
    braces = 0
    unclosed: set[int] = set()
    for token in tokens:
        kind = token[0]
        if kind == "LPAR" or kind == "LSQB":
            brackets.append(len(kept))
        elif kind == "RPAR" or kind == "RSQB":
            if brackets:
                brackets.pop()
        elif kind == "LBRACE" or kind == "RBRACE":
            _give_up(brackets, kept, unclosed)
            braces += 1 if kind == "LBRACE" else -1
        elif kind == "_SEP" and brackets and source.text[token[1]] != ";":
            token = (_SKIPPED, token[1], token[2])
        elif (kind == "ELSE" or kind == "SHORTCUT") and kept and kept[-1][0] == "_SEP":
            kept.pop()
        if braces + len(brackets) > LIMITS.nesting:
            sink.report(codes.NESTED_TOO_DEEPLY, Span(source, token[1], token[2]), limit=LIMITS.nesting)
            brackets.clear()
            return [(("too deep"), token[1], len(source.text)), ("$END", len(source.text), len(source.text))], set()
        kept.append(token)
    _give_up(brackets, kept, unclosed)
    kept.append(("$END", len(source.text), len(source.text)))
    return [token for token in kept if token[0] is not _SKIPPED], unclosed


def _give_up(brackets: list[int], kept: list[Token], unclosed: set[int]) -> None:
    """The open brackets are not closed in time: let their line ends count after all."""
    if not brackets:
        return
    unclosed.update(kept[index][1] for index in brackets)
    for index in range(brackets[0], len(kept)):
        kind, start, end = kept[index]
        if kind is _SKIPPED:
            kept[index] = ("_SEP", start, end)
    brackets.clear()
