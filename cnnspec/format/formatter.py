"""The canonical text of a spec: same tree, same comments, one layout.

The rules:

- four spaces for each body, one statement a line, one blank line at most, none behind `{` or in front of `}`; a statement
  that its author wrote on one line with its bodies, `branch { ReLU }`, stays so where it fits;
- the names (`as x`) and shapes (`-> [...]`) behind the statements of one body stand in columns, the first four blanks
  behind the longest statement that has one; the `=` of the settings of a recipe are aligned until a blank line;
- one blank around operators, none in products of plain numbers (`16*5*5`) and in powers of names and numbers (`2**n`);
  `key=value` in arguments, `name = value` in parameters, `let` and recipes;
- a line over 100 columns has its widest list opened, one element a line; a list whose last comma ends a line stays open.
  Comments don't count, and are never moved over a token.

`format_source` checks its own result: it parses it, compares the trees and the comments, and formats it again.
"""

from __future__ import annotations

from cnnspec.diagnostics import Sink
from cnnspec.format.layout import Body, Bracket, Comment, Piece, Statement, Word, comments, flat, read
from cnnspec.record import record
from cnnspec.source import Source
from cnnspec.syntax import tree
from cnnspec.syntax.parser import parse

WIDTH = 100
INDENT = 4
_GAP = 4
"""Blanks in front of the first column behind a statement."""


class FormatterBug(Exception):
    """The formatted text does not say what the text said."""


def format_source(source: Source, sink: Sink) -> str | None:
    """The canonical text of a source; None where it has syntax errors, which go to `sink`.

    Raises FormatterBug where the result would not have the same tree and comments, or would be formatted otherwise.

    >>> format_source(Source("", "model M{input[4];Linear( 3 )}"), Sink())
    'model M { input [4]; Linear(3) }\\n'
    """
    found = Sink()
    before = parse(source, found)
    for diagnostic in found.diagnostics:
        sink.add(diagnostic)
    if found.has_errors:
        return None
    text = layout(source.text)
    if text != source.text:
        _verify(before, source, text)
    return text


def layout(text: str) -> str:
    """The canonical text of a text that parses, unchecked."""
    writer = _Writer()
    writer.body(read(text), 0)
    return "".join(f"{line}\n" for line in writer.lines)


def _verify(before: tree.Tree, source: Source, text: str) -> None:
    after = Sink()
    result = parse(Source(source.path, text), after)
    if after.has_errors or not tree.same(before, result):
        raise FormatterBug(f"{source.path}: formatting changes what the text says")
    if comments(source.text) != comments(text):
        raise FormatterBug(f"{source.path}: formatting changes comments")
    if layout(text) != text:
        raise FormatterBug(f"{source.path}: formatting twice gives another text")


class _Writer:
    """Collects the lines of a text."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def body(self, body: Body, indent: int) -> None:
        """Write the statements of a body, one a line."""
        margin = " " * indent
        heads = _settings(body) if body.settings else {}
        columns = _columns(body, indent)
        for number, entry in enumerate(body.entries):
            if number and entry.blank:
                self.lines.append("")
            if isinstance(entry, Comment):
                self.lines.append(margin + entry.text)
                continue
            if entry in columns:
                self.lines.append(margin + columns[entry])
            elif entry in heads:
                name, value = heads[entry]
                self.lines += write(entry.pieces[value:], indent, margin + name)
            elif _has_body(entry) and not _stays(entry, indent):
                self.opened(entry.pieces, indent)
            else:
                self.lines += write(entry.pieces, indent, margin)
            self.lines[-1] += _behind(entry.after)

    def opened(self, pieces: list[Piece], indent: int) -> None:
        """Write a statement with each of its bodies on lines of its own."""
        prefix = " " * indent
        line: list[Piece] = []
        for piece in pieces:
            if not isinstance(piece, Body):
                line.append(piece)
                continue
            self.lines += write(line, indent, prefix, " {")
            self.lines[-1] += _behind(piece.after)
            self.body(piece, indent + INDENT)
            prefix, line = " " * indent + "}", []
        self.lines += write(line, indent, prefix)


def _behind(comment: str) -> str:
    return f"  {comment}" if comment else ""


def _has_body(statement: Statement) -> bool:
    return any(isinstance(piece, Body) for piece in statement.pieces)


def _stays(statement: Statement, indent: int) -> bool:
    """Whether a statement with bodies was written on one line, and fits."""
    text = flat(statement.pieces) if statement.one_line else None
    return text is not None and indent + len(text) <= WIDTH


# --- columns ---


@record
class _Row:
    """A statement with a name or shape behind it."""

    statement: Statement
    head: str
    label: str
    annotation: str


def _settings(body: Body) -> dict[Statement, tuple[str, int]]:
    """What stands in front of the values of a recipe's settings, and the number of the first piece of each value."""
    found: dict[Statement, tuple[str, int]] = {}
    run: dict[Statement, tuple[str, int]] = {}
    for entry in [*body.entries, None]:
        if entry is None or entry.blank:
            width = max((len(name) for name, _ in run.values()), default=0)
            found |= {statement: (f"{name:<{width}} =", at + 1) for statement, (name, at) in run.items()}
            run = {}
        if isinstance(entry, Statement):
            at = next(n for n, piece in enumerate(entry.pieces) if isinstance(piece, Word) and piece.kind == "EQUAL")
            run[entry] = (flat(entry.pieces[:at]) or "", at)
    return found


def _columns(body: Body, indent: int) -> dict[Statement, str]:
    """The lines of the statements that have names and shapes behind them.

    Where the columns would be too far to the right, the longest statements are left out of them.
    """
    rows = [row for entry in body.entries if isinstance(entry, Statement) and (row := _row(entry, indent))]
    rows.sort(key=lambda row: len(row.head))
    fitting = labels = annotations = 0
    for number, row in enumerate(rows, 1):
        labels, annotations = max(labels, len(row.label)), max(annotations, len(row.annotation))
        between = 2 if labels and annotations else 0
        if indent + len(row.head) + _GAP + labels + between + annotations <= WIDTH:
            fitting = number
    aligned = zip(rows, [*_align(rows[:fitting]), *(_align([row])[0] for row in rows[fitting:])])
    return {row.statement: line for row, line in aligned}


def _row(statement: Statement, indent: int) -> _Row | None:
    """The parts of a statement that fits on one line and has a tail."""
    pieces = statement.pieces
    if _is_single(pieces):
        return None
    at = next((n for n, piece in enumerate(pieces) if isinstance(piece, Word) and piece.kind in ("AS", "_ARROW")), 0)
    if not at or (_has_body(statement) and not _stays(statement, indent)):
        return None
    labelled = at + 2 if flat(pieces[at : at + 1]) == "as" else at
    head, label, annotation = flat(pieces[:at]), flat(pieces[at:labelled]), flat(pieces[labelled:])
    if head is None or label is None or annotation is None:
        return None
    row = _Row(statement, head, label, annotation)
    return row if indent + len(_align([row])[0]) <= WIDTH else None


def _is_single(pieces: list[Piece]) -> bool:
    """Whether a statement is written with single blanks: imports, `input as x`, and an input with `where` behind its name."""
    kinds = [piece.kind if isinstance(piece, Word) else "" for piece in pieces]
    if kinds[0] != "INPUT":
        return kinds[0] == "FROM"
    return kinds[1:2] != [""] or ("AS" in kinds and "WHERE" in kinds[kinds.index("AS") :])


def _align(rows: list[_Row]) -> list[str]:
    width = max((len(row.head) for row in rows), default=0) + _GAP
    labels = max((len(row.label) for row in rows), default=0)
    labels += 2 if labels else 0
    return [f"{row.head:<{width}}{row.label:<{labels}}{row.annotation}".rstrip() for row in rows]


# --- lines ---


def write(pieces: list[Piece], indent: int, prefix: str, suffix: str = "") -> list[str]:
    """The lines of pieces behind `prefix`, with as many brackets opened as it takes."""
    brackets = [piece for piece in pieces if isinstance(piece, Bracket)]
    opened = {bracket for bracket in brackets if bracket.flat is None}
    lists = [bracket for bracket in brackets if bracket.flat is not None and bracket.elements and bracket.can_open]
    closed = sorted(lists, key=lambda bracket: len(bracket.flat or ""))
    while closed and _width(pieces, indent, prefix, suffix, opened) > WIDTH:
        opened.add(closed.pop())
    line = _Line(indent, prefix)
    for piece in pieces:
        if isinstance(piece, Comment):
            line.comment(piece)
        elif isinstance(piece, Bracket) and piece in opened:
            line.add(piece.opener, space=piece.space)
            line.open(piece)
        else:
            line.add(flat([piece]) or "", space=not isinstance(piece, Word | Bracket) or piece.space)
    return [*line.done, line.text + suffix]


def _width(pieces: list[Piece], indent: int, prefix: str, suffix: str, opened: set[Bracket]) -> int:
    """Columns of the longest line, not counting what stands in opened brackets and comments."""
    line = _Line(indent, prefix)
    widest = 0
    for piece in pieces:
        if isinstance(piece, Comment):
            widest = max(widest, len(line.text))
            line.comment(piece)
        elif isinstance(piece, Bracket) and piece in opened:
            line.add(piece.opener, space=piece.space)
            widest = max(widest, len(line.text))
            line.text = " " * indent + piece.closer
        else:
            line.add(flat([piece]) or "", space=not isinstance(piece, Word | Bracket) or piece.space)
    return max(widest, len(line.text + suffix))


class _Line:
    """The line at hand of a statement, and the lines of it that are done."""

    def __init__(self, indent: int, prefix: str) -> None:
        self.indent, self.text = indent, prefix
        self.hang = " " * (indent if prefix.lstrip() == "}" else indent + INDENT)
        """What a line begins with that goes on behind a comment."""
        self.done: list[str] = []

    def add(self, text: str, *, space: bool) -> None:
        self.text += f" {text}" if space and not self.text.isspace() and self.text else text

    def comment(self, comment: Comment) -> None:
        """End the line with a comment, or give it a line of its own."""
        if not self.text.strip():
            self.done.append(self.text + comment.text)
            return
        if comment.own_line:
            self.done += [self.text, self.hang + comment.text]
        else:
            self.done.append(self.text + _behind(comment.text))
        self.text = self.hang

    def open(self, bracket: Bracket) -> None:
        """Write the elements of a bracket on lines of their own, and go on behind it."""
        self.done.append(self.text + _behind(bracket.after))
        margin = " " * (self.indent + INDENT)
        for number, element in enumerate(bracket.elements, 1):
            if number > 1 and element.blank:
                self.done.append("")
            comma = "," if number < len(bracket.elements) or bracket.takes_comma else ""
            self.done += write(element.pieces, self.indent + INDENT, margin, comma)
            self.done[-1] += _behind(element.after)
        self.done += [margin + comment.text for comment in bracket.end]
        self.text = " " * self.indent + bracket.closer
