"""From text to what the formatter lays out: statements, brackets and comments in their order, without blanks and line ends.

Takes a text that parses. Every token and every comment is kept, but for separators and commas that the formatter writes
itself; what the author's lines say is kept as facts (`one_line`, `blank`, `open`).
"""

from __future__ import annotations

import re

from cnnspec.record import record
from cnnspec.syntax._tables import KEYWORDS, NAMES, PATTERN

_TOKEN = re.compile(PATTERN)
_BREAK = re.compile(r"\n|;|#[^\n]*")
_BLANKS = " \t\r"
_CALLED = ("NAME", "ADD", "MULTIPLY", "CONCAT", "MATMUL", "TUPLE")
_NUMBERS = ("INT", "FLOAT")
_VALUES = ("NAME", *_NUMBERS, "STRING", "TRUE", "FALSE", "NONE", "RPAR", "RSQB")
"""Tokens that an operand ends with: a sign behind one of them is binary, a bracket an index."""
_CLOSERS = {"LPAR": "RPAR", "LSQB": "RSQB"}
_GOES_ON = ("ELSE", "SHORTCUT")
"""Words that continue the statement in front of them, on whatever line they are."""
_STARTS = ("BRANCH", "REPEAT", "FOR", "LET")
"""Words that begin a statement wherever they stand outside of brackets: branches need no separator."""
_BEFORE_STATEMENT = ("", "LBRACE", "RBRACE", *_VALUES)
_TIGHT = ("DOT", "COLON")


class Word:
    """A token or a comment, and what stood between it and the one before: line ends, or a `;`."""

    __slots__ = ("end", "kind", "lines", "role", "space", "split", "start", "text")

    def __init__(self, kind: str, start: int, text: str, lines: int, *, split: bool) -> None:
        self.kind, self.start, self.text, self.lines, self.split = kind, start, text, lines, split
        self.end = start + len(text)
        self.space = True
        """Whether a blank stands in front of it."""
        self.role = ""
        """What an opening bracket begins."""


@record
class Comment:
    text: str
    own_line: bool
    blank: bool
    """A blank line stands above it."""


class Element:
    """What stands between two commas, with the comment behind the comma."""

    __slots__ = ("after", "blank", "pieces")

    def __init__(self, pieces: list[Piece], *, blank: bool) -> None:
        self.pieces, self.blank = pieces, blank
        self.after = ""


class Bracket:
    """`( )` or `[ ]` with its elements. `kind`: parameters, arguments, sequence, comprehension, group, index."""

    __slots__ = ("after", "closer", "elements", "end", "flat", "kind", "open", "opener", "space")

    def __init__(self, opener: Word) -> None:
        self.opener, self.kind, self.space = opener.text, opener.role, opener.space
        self.closer = ")" if opener.text == "(" else "]"
        self.elements: list[Element] = []
        self.after = ""
        """The comment behind the opening bracket."""
        self.end: list[Comment] = []
        """Comments in front of the closing bracket."""
        self.open = False
        """The author keeps it open: its last comma ends a line, or a comprehension begins one."""
        self.flat: str | None = None
        """Its text on one line, or None where there can't be one."""

    @property
    def takes_comma(self) -> bool:
        """Whether a comma may follow the last element."""
        return self.kind in ("parameters", "arguments", "sequence")

    @property
    def can_open(self) -> bool:
        """Whether its elements may stand on lines of their own."""
        return self.takes_comma or self.kind == "comprehension"


class Body:
    """`{ }` with its statements, or a whole file."""

    __slots__ = ("after", "entries", "settings")

    def __init__(self, *, settings: bool = False) -> None:
        self.entries: list[Comment | Statement] = []
        self.after = ""
        """The comment behind the opening brace."""
        self.settings = settings


class Statement:
    """A statement, definition or setting: words, brackets, bodies, and comments where a line goes on behind one."""

    __slots__ = ("after", "blank", "one_line", "pieces")

    def __init__(self, *, blank: bool) -> None:
        self.pieces: list[Piece] = []
        self.blank = blank
        self.one_line = False
        self.after = ""


Piece = Word | Bracket | Body | Comment


def read(text: str) -> Body:
    """The layout of a whole file."""
    words = words_of(text)
    _set_spaces([word for word in words if word.kind != "COMMENT"])
    return _Reader(text, words).body(Body())


def comments(text: str) -> list[str]:
    """All comments of a text, without blanks at their ends."""
    return [word.text for word in words_of(text) if word.kind == "COMMENT"]


# --- words ---


def words_of(text: str) -> list[Word]:
    """The tokens and comments of a text. Words of statements that stand for a name are names."""
    found: list[Word] = []
    lines, split = 0, False
    depth, before = 0, ""
    for match in _TOKEN.finditer(text):
        kind, start = match.lastgroup or "", match.start()
        if kind == "BLANK":
            continue
        if kind == "_SEP":
            for part in _BREAK.finditer(text, start, match.end()):
                if part[0] == "\n":
                    lines += 1
                elif part[0] == ";":
                    split = True
                else:
                    found.append(Word("COMMENT", part.start(), part[0].rstrip(_BLANKS), lines, split=split))
                    lines, split = 0, False
            continue
        said = match[0].rstrip(_BLANKS) if kind == "COMMENT" else match[0]
        if kind == "NAME":
            kind = KEYWORDS.get(said, kind)
            begins = not depth and (lines or split or before in _BEFORE_STATEMENT)
            if kind == "WILDCARD" or (kind in NAMES and not begins) or (kind == "SHORTCUT" and before != "RBRACE"):
                kind = "NAME"
        elif kind in ("LPAR", "LSQB"):
            depth += 1
        elif kind in ("RPAR", "RSQB"):
            depth -= 1
        before = before if kind == "COMMENT" else kind
        found.append(Word(kind, start, said, lines, split=split))
        lines, split = 0, False
    return found


def _set_spaces(words: list[Word]) -> None:
    """Say in front of which words a blank stands."""
    brackets: list[str] = []
    unary = False
    before = ""
    for index, word in enumerate(words):
        kind = word.kind
        key = bool(brackets) and brackets[-1] == "arguments"
        if kind in ("LPAR", "LSQB"):
            word.space = before not in (_CALLED if kind == "LPAR" else _VALUES)
            word.role = _role(words, index)
            brackets.append(word.role)
        elif kind in ("RPAR", "RSQB"):
            brackets.pop()
            word.space = False
        elif kind == "COMMA":
            word.space = False
        # `64 .size` is no number.
        tight = before in ("LPAR", "LSQB", *_TIGHT) or (kind in _TIGHT and (kind != "DOT" or before not in _NUMBERS))
        if unary or tight or (key and "EQUAL" in (kind, before)):
            word.space = False
        unary = kind == "SIGN" and before not in _VALUES
        before = kind
    _tighten(words)


def _role(words: list[Word], index: int) -> str:
    """What the bracket at `index` is, as far as the words in front of it tell."""
    before = words[index - 1].kind if index else ""
    if words[index].kind == "LSQB":
        return "index" if before in _VALUES else "sequence"
    if before not in _CALLED:
        return "group"
    return "parameters" if index > 1 and words[index - 2].kind in ("MODEL", "BLOCK") else "arguments"


def _tighten(words: list[Word]) -> None:
    """Take the blanks out of products of plain numbers (`16*5*5`) and of powers of simple operands (`2**n`)."""
    for index in range(1, len(words) - 1):
        word = words[index]
        if word.kind == "POWER" and _is_simple_power(words, index):
            word.space = words[index + 1].space = False
        elif word.text == "*" and words[index - 1].kind in _NUMBERS:
            first = words[index - 2] if index > 1 else word
            if first.kind in ("FACTOR", "POWER") or (not words[index - 1].space and first.kind == "SIGN"):
                continue
            last = index
            while last < len(words) and words[last].text == "*" and words[last + 1].kind in _NUMBERS:
                last += 2
            behind = words[last].kind if last < len(words) else ""
            if last > index and behind not in ("FACTOR", "POWER", "LSQB"):
                for part in words[index:last]:
                    part.space = False


def _is_simple_power(words: list[Word], index: int) -> bool:
    simple = ("NAME", *_NUMBERS)
    right = index + 1 + (words[index + 1].kind == "SIGN")
    behind = words[right + 1].kind if right + 1 < len(words) else ""
    return words[index - 1].kind in simple and words[right].kind in simple and behind not in _CLOSERS


# --- structure ---


class _Reader:
    def __init__(self, text: str, words: list[Word]) -> None:
        self.text, self.words, self.at = text, words, 0

    @property
    def kind(self) -> str:
        return self.words[self.at].kind if self.at < len(self.words) else ""

    def take(self) -> Word:
        self.at += 1
        return self.words[self.at - 1]

    def body(self, body: Body) -> Body:
        """Read to the closing brace or the end."""
        begins = self.at == 0
        while self.kind not in ("", "RBRACE"):
            if self.kind != "COMMENT":
                body.entries.append(self.statement())
                continue
            word = self.take()
            last = body.entries[-1] if body.entries else None
            if word.lines or (begins and last is None):
                body.entries.append(_comment(word))
            elif isinstance(last, Statement):
                last.after = word.text
            else:
                body.after = word.text
        return body

    def statement(self) -> Statement:
        first = self.words[self.at]
        statement = Statement(blank=first.lines > 1)
        pieces = statement.pieces
        while self.kind not in ("", "RBRACE"):
            kind, word = self.kind, self.words[self.at]
            goes_on = self._significant() in _GOES_ON
            ends = word.lines or word.split or kind == "COMMENT"
            if pieces and not goes_on and (ends or _begins(kind, pieces)):
                break
            if kind == "COMMENT":
                while self.kind == "COMMENT":
                    pieces.append(_comment(self.take()))
            elif kind == "LBRACE":
                self.take()
                pieces.append(self.body(Body(settings=first.kind == "TRAIN")))
                self.take()
            else:
                pieces.append(self.piece())
        statement.one_line = "\n" not in self.text[first.start : self.words[self.at - 1].end]
        if len(pieces) > 4 and isinstance(arrow := pieces[-4], Word) and arrow.kind == "_ARROW":
            # `-> [shape] as name` is written the other way round.
            pieces[-4:] = [*pieces[-2:], *pieces[-4:-2]]
        return statement

    def _significant(self) -> str:
        """The kind of the next word that is no comment."""
        at = self.at
        while at < len(self.words) and self.words[at].kind == "COMMENT":
            at += 1
        return self.words[at].kind if at < len(self.words) else ""

    def piece(self) -> Word | Bracket:
        if self.kind not in _CLOSERS:
            return self.take()
        closer = _CLOSERS[self.kind]
        bracket = Bracket(self.take())
        self._fill(bracket, closer)
        bracket.flat = _flat_bracket(bracket)
        return bracket

    def _fill(self, bracket: Bracket, closer: str) -> None:
        """Read the elements of a bracket, and the bracket that closes it."""
        commas = lines = 0
        pieces: list[Piece] = []
        blank = False
        begins_line = self.words[self.at].lines > 0
        while self.kind != closer:
            word = self.words[self.at]
            if not pieces:
                blank = word.lines > 1
            if self.kind == "FOR":
                bracket.kind = "comprehension"
            if self.kind == "COMMA" and bracket.kind == "comprehension":
                pieces.append(self.take())
            elif self.kind == "COMMA":
                self.take()
                commas += 1
                lines = 0
                pieces = _close(bracket, pieces, blank=blank)
                blank = False
            elif self.kind == "COMMENT":
                self.take()
                lines += 1
                pieces += _settle(bracket, word, pieces)
            else:
                pieces.append(self.piece())
        lines += self.take().lines
        ends_in_comma = bool(commas) and not any(not isinstance(piece, Comment) for piece in pieces)
        rest = _close(bracket, pieces, blank=blank)
        bracket.end += [piece for piece in rest if isinstance(piece, Comment)]
        bracket.open = begins_line if bracket.kind == "comprehension" else ends_in_comma and lines > 0
        if bracket.kind == "group" and commas:
            bracket.kind = "sequence"


def _begins(kind: str, pieces: list[Piece]) -> bool:
    """Whether a word on the line of a statement begins the next one: branches, and what holds them, need no separator."""
    if kind != "IF":
        return kind in _STARTS
    tail = pieces[-2] if len(pieces) > 1 else None
    return isinstance(pieces[-1], Body) or (isinstance(tail, Word) and tail.kind in ("AS", "_ARROW"))


def _comment(word: Word, *, own_line: bool | None = None) -> Comment:
    return Comment(word.text, bool(word.lines) if own_line is None else own_line, word.lines > 1)


def _settle(bracket: Bracket, word: Word, pieces: list[Piece]) -> list[Piece]:
    """Give a comment to the bracket or element that it stands behind; what belongs to the element at hand is returned."""
    if pieces or word.lines:
        return [_comment(word)]
    if not bracket.elements:
        bracket.after = word.text
        return []
    if bracket.elements[-1].after:
        return [_comment(word, own_line=True)]
    bracket.elements[-1].after = word.text
    return []


def _close(bracket: Bracket, pieces: list[Piece], *, blank: bool) -> list[Piece]:
    """Add an element; the comments behind it that belong to what follows are returned."""
    last = len(pieces)
    while last and isinstance(pieces[last - 1], Comment):
        last -= 1
    rest = [piece for piece in pieces[last:] if isinstance(piece, Comment)]
    if not last:
        return list(pieces)
    element = Element(pieces[:last], blank=blank)
    bracket.elements.append(element)
    if rest and not rest[0].own_line:
        element.after = rest.pop(0).text
    return list(rest)


def _flat_bracket(bracket: Bracket) -> str | None:
    if bracket.open or bracket.after or bracket.end:
        return None
    parts: list[str] = []
    for element in bracket.elements:
        text = flat(element.pieces)
        if text is None or element.after:
            return None
        parts.append(text)
    comma = "," if bracket.kind == "sequence" and bracket.opener == "(" and len(parts) == 1 else ""
    return f"{bracket.opener}{', '.join(parts)}{comma}{bracket.closer}"


def flat(pieces: list[Piece]) -> str | None:
    """The pieces on one line, or None where a comment or an open list keeps them from it."""
    parts: list[str] = []
    for piece in pieces:
        match piece:
            case Word():
                text: str | None = piece.text
                space = piece.space
            case Bracket():
                text, space = piece.flat, piece.space
            case Body():
                text, space = _flat_body(piece), True
            case Comment():
                return None
        if text is None:
            return None
        parts.append(f" {text}" if space and parts else text)
    return "".join(parts)


def _flat_body(body: Body) -> str | None:
    if body.after:
        return None
    text, after_branch = "", False
    for entry in body.entries:
        if isinstance(entry, Comment) or entry.after or (part := flat(entry.pieces)) is None:
            return None
        text += f" {part}" if after_branch or not text else f"; {part}"
        first = entry.pieces[0]
        after_branch = isinstance(first, Word) and first.kind == "BRANCH"
    return f"{{{text} }}"
