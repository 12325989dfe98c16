"""Comments that silence warnings: `# cnnspec: ignore[W201] reason`, behind a statement or alone on the line above it.

Only warnings can be silenced, and only by their codes. A comment that silences nothing is a finding of its own (W001), and
so is a code that means no warning (W002). Comments of an imported file hold too; only the file that is checked is told
that one of its own is of no use, and only where all of it was looked at.
"""

from __future__ import annotations

import re

from cnnspec.diagnostics import Diagnostic, Edit, Sink, Suggestion, codes, did_you_mean
from cnnspec.diagnostics.suggestions import UNSUPPRESS
from cnnspec.lint.catalogue import CODES
from cnnspec.record import record
from cnnspec.source import Source, Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_ABOUT = (codes.UNUSED_SUPPRESSION.id, codes.UNKNOWN_SUPPRESSION.id)
KNOWN = frozenset(code.id for code in CODES.values() if code.severity == "warning") - set(_ABOUT)
"""The codes that a comment can silence."""

_MISSPELT = 5
"""Signs of a word that may be a misspelt code."""


@record
class Suppression:
    """One code in a comment, and the line that it holds for. `code` is "" where the comment names none.

    `whole` is what would have to go with the code: the comment where it names no other one, else the code and a comma.
    """

    code: str
    line: int
    span: Span
    whole: Span


def suppress(source: Source, sink: Sink, *, unseen: Sequence[Span], whole: bool) -> None:
    """Take the warnings out of `sink` that comments silence, and report comments that are of no use.

    `unseen` are the parts of `source` that no rule has looked at; `whole` is False where other parts may be unseen too.
    """
    own = suppressions(source)
    tables = {source.path: _by_place(own)}
    used: set[Suppression] = set()
    for found in sink.diagnostics:
        place = found.span.source
        if found.code.id not in KNOWN:
            continue
        if place.path not in tables:
            tables[place.path] = _by_place(suppressions(place))
        if matching := tables[place.path].get((found.code.id, found.span.line)):
            used.update(matching)
            sink.discard(found)
    for one in own:
        if one.code not in KNOWN:
            _report_unknown(one, sink)
    for one in _outside(own, unseen) if whole else ():
        if one.code in KNOWN and one not in used:
            fix = Suggestion(UNSUPPRESS, {"code": one.code}, (Edit(one.whole, ""),), True)
            sink.add(Diagnostic(codes.UNUSED_SUPPRESSION, {"name": one.code}, one.span, suggestions=(fix,)))


def _by_place(found: list[Suppression]) -> dict[tuple[str, int], list[Suppression]]:
    table: dict[tuple[str, int], list[Suppression]] = {}
    for one in found:
        table.setdefault((one.code, one.line), []).append(one)
    return table


def _outside(found: list[Suppression], parts: Sequence[Span]) -> Iterator[Suppression]:
    """Those that stand in none of the parts of the text; `found` is in the order of the text, as parts never overlap."""
    behind = sorted(((part.start, part.end) for part in parts), reverse=True)
    for one in found:
        while behind and behind[-1][1] <= one.span.start:
            behind.pop()
        if not behind or one.span.start < behind[-1][0]:
            yield one


def suppressions(source: Source) -> list[Suppression]:
    """The suppressions of a source, one for each code that a comment names."""
    lines = _Lines(source)
    return [
        one
        for start, end in _comments(source)
        if "cnnspec" in source.text[start:end]
        for one in _read(source, start, end, lines)
    ]


def _comments(source: Source) -> Iterator[tuple[int, int]]:
    """Where comments start and end: never inside of a string, and each line of several on its own."""
    from cnnspec.syntax._tables import PATTERN

    for token in re.finditer(PATTERN, source.text):
        if token.lastgroup == "COMMENT":
            yield token.span()
        elif token.lastgroup == "_SEP":
            for comment in re.finditer("#[^\n]*", token[0]):
                yield token.start() + comment.start(), token.start() + comment.end()


def _read(source: Source, start: int, end: int, lines: _Lines) -> Iterator[Suppression]:
    match = re.match(r"#\s*cnnspec:\s*ignore\b\s*(\[[^\]\n]*\]?)?", source.text[start:end])
    if match is None:
        return
    line = lines.meant(start)
    listed = match[1] or ""
    named = list(re.finditer(r"[^\s,\[\]]+", listed))
    for word in named:
        at = start + match.start(1) + word.start()
        span = Span(source, at, at + len(word[0]))
        yield Suppression(word[0], line, span, _without(span) if len(named) > 1 else _comment(source, start, end))
    if not named:
        span = Span(source, start, start + len(match[0].rstrip()))
        yield Suppression("", line, span, span)


def _without(span: Span) -> Span:
    """A code with the comma that parts it from its neighbour."""
    text, start, end = span.source.text, span.start, span.end
    if behind := re.compile(r"\s*,[ \t]*").match(text, end):
        return Span(span.source, start, behind.end())
    return Span(span.source, _before(text, start, " \t,"), end)


def _comment(source: Source, start: int, end: int) -> Span:
    """A comment with the blanks in front of it, and with its line where nothing else stands there."""
    text = source.text
    end = end - 1 if text[start:end].endswith("\r") else end
    begin = _before(text, start, " \t")
    if begin == 0 or text[begin - 1] == "\n":
        end = text.find("\n", end) + 1 or len(text)
    return Span(source, begin, end)


def _before(text: str, end: int, blanks: str) -> int:
    """Where the blanks in front of an offset begin, in its line."""
    line = text.rfind("\n", 0, end) + 1
    return line + len(text[line:end].rstrip(blanks))


class _Lines:
    """The line that a comment holds for: its own, or the next one that is no comment where it stands alone."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self._next: dict[int, int] = {}

    def meant(self, start: int) -> int:
        number, column = self.source.position(start)
        if self.source.line(number)[: column - 1].strip():
            return number
        passed = []
        while number not in self._next and self._is_comment(number):
            passed.append(number)
            number += 1
        number = self._next.get(number, number)
        # A block of comments is walked through once.
        self._next |= dict.fromkeys(passed, number)
        return number

    def _is_comment(self, number: int) -> bool:
        return number < len(self.source.line_starts) and self.source.line(number).lstrip().startswith("#")


def _report_unknown(one: Suppression, sink: Sink) -> None:
    helps: tuple[Suggestion, ...] = ()
    if not one.code:
        problem, label = "`# cnnspec: ignore` names no code", "write `ignore[W202]`, with the code of the warning"
    elif one.code in CODES:
        kind = "findings about comments" if one.code in _ABOUT else "errors"
        problem, label = f"`{one.code}` can't be ignored by a comment", f"{kind} can't be silenced"
    else:
        problem, label = f"there is no warning `{one.code}`", "unknown code"
        helps = did_you_mean(one.code, KNOWN) if len(one.code) <= _MISSPELT else ()
    sink.report(codes.UNKNOWN_SUPPRESSION, one.span, helps=helps, problem=problem, label=label)
