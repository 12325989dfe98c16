"""From text to tokens: `(kind, start, end)`, kinds named as in the grammar. Text that begins no token is `unknown`; the
parser reports it where it meets it.

Separators inside ( ) and [ ] do not count, nor one in front of `else` and `shortcut`. A bracket that is still open at a
brace or at the end of the text is taken for unclosed: its line ends count, so that the mistake stays on its own line.
"""

from __future__ import annotations

from cnnspec.diagnostics import Sink, codes
from cnnspec.limits import LIMITS
from cnnspec.source import Source, Span
from cnnspec.syntax._tables import KEYWORDS, SIGNS

Token = tuple[str, int, int]

_BRACKETS = frozenset({"LPAR", "RPAR", "LSQB", "RSQB", "LBRACE", "RBRACE"})
_DIGITS = frozenset("0123456789")
_IN_NUMBER = _DIGITS | {"_"}
_LETTERS = frozenset("_ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
_IN_NAME = _LETTERS | _DIGITS
_BLANKS = frozenset(" \t\r")
_BEGINNINGS = _IN_NAME | _BLANKS | {*SIGNS, ".", ";", "#", "\n"}
"""Characters that begin a token, or lie between tokens. `"` begins one where the string has an end."""
_REMEMBERED = 200
"""Characters of a line at most whose tokens are kept for the next one that says the same."""


def tokenize(source: Source, sink: Sink, most: int) -> tuple[list[Token], set[int]]:
    """The tokens of a source, `most` of them, ended by `$END`, and the offsets of brackets that are never closed."""
    return settle(scan(source, sink, most), source, sink)


def scan(source: Source, sink: Sink, most: int) -> list[Token]:
    """The tokens of a source before brackets are paired: every line end is a separator, there is no `$END`."""
    tokens: list[Token] = []
    known: dict[str, list[Token]] = {}
    separator, start = -1, 0
    for line in source.text.split("\n"):
        found = known.get(line)
        if found is None:
            found = _words(line)
            if len(line) < _REMEMBERED:
                known[line] = found
        for kind, begin, end in found:
            if kind == "_SEP":
                separator = start + begin if separator < 0 else separator
                continue
            if separator >= 0:
                tokens.append(("_SEP", separator, start + begin))
                separator = -1
            tokens.append((kind, start + begin, start + end))
        start += len(line) + 1
        if separator < 0:
            separator = start - 1
    if separator < len(source.text):
        tokens.append(("_SEP", separator, len(source.text)))
    source.tokens = len(tokens)
    if len(tokens) > most:
        first = tokens[most]
        sink.report(codes.TOO_MANY_TOKENS, Span(source, first[1], first[2]), limit=LIMITS.tokens)
        return [("too deep", first[1], len(source.text))]
    return tokens


def _words(line: str) -> list[Token]:
    """The tokens of one line, whose offsets count from its beginning; each `;` is a separator."""
    found: list[Token] = []
    at, last = 0, len(line)
    line += "\n"
    while at < last:
        begin, first = at, line[at]
        at += 1
        if first in _BLANKS:
            continue
        if first in _LETTERS:
            while line[at] in _IN_NAME:
                at += 1
            word = line[begin:at]
            kind = KEYWORDS.get(word, "NAME")
        elif first in _DIGITS or (first == "." and line[at] in _DIGITS):
            kind, at = _number(line, begin)
        elif first == ";":
            kind = "_SEP"
        elif first == "#":
            break
        elif first == '"' and (end := _end_of_string(line, at)) > at:
            kind, at = "STRING", end
        elif line[begin : at + 1] in SIGNS:
            at += 1
            kind = SIGNS[line[begin:at]]
        elif first in SIGNS:
            kind = SIGNS[first]
        else:
            kind, at = "unknown", _end_of_unknown(line, begin)
        found.append((kind, begin, at))
    return found


def _number(line: str, at: int) -> tuple[str, int]:
    """The kind of the number that begins at an offset, and where it ends: `12`, `1_000`, `1.`, `.5`, `1e-3`."""
    kind = "INT"
    while line[at] in _IN_NUMBER:
        at += 1
    if line[at] == ".":
        kind, at = "FLOAT", at + 1
        while line[at] in _DIGITS:
            at += 1
    if line[at] in "eE":
        power = at + 2 if line[at + 1] in "+-" else at + 1
        if line[power] in _DIGITS:
            kind = "FLOAT"
            while line[power] in _DIGITS:
                power += 1
            at = power
    return kind, at


def _end_of_string(line: str, at: int) -> int:
    """Where a string ends whose first character behind the quote is at an offset; that offset where it has no end."""
    start = at
    while (sign := line[at]) != '"':
        at += 2 if sign == "\\" else 1
        if at >= len(line):
            return start
    return at + 1


def _end_of_unknown(line: str, begin: int) -> int:
    """Where text ends that no token begins with; a text in single quotes is one."""
    if line[begin] == "'":
        end = line.find("'", begin + 1)
        if end > 0 and "#" not in line[begin:end]:
            return end + 1
    at = begin + 1
    while not _begins_token(line, at):
        at += 1
    return at


def _begins_token(line: str, at: int) -> bool:
    if line[at] == '"':
        return _end_of_string(line, at + 1) > at + 1
    return line[at] in _BEGINNINGS or line[at : at + 2] in SIGNS


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
