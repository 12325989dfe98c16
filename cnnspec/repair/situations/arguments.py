"""Values that are meant and written in another way: a string without quotes, several values for a tuple, `/` for `//`."""

from __future__ import annotations

from cnnspec.declare.kinds import Choice, Either, Kind, Tuple
from cnnspec.diagnostics import Edit
from cnnspec.diagnostics import suggestions as words
from cnnspec.repair.case import Candidate, Case, argument, literals
from cnnspec.repair.sites import fields_of
from cnnspec.repair.situations.base import situation
from cnnspec.source import Span
from cnnspec.syntax import tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

QUOTES = words.Kind("quotes", "a string stands in double quotes: `{text}`")
WHOLE = words.Kind("whole number", "`//` divides without a remainder: `{text}`")
PERCENT = words.Kind("percent", "{percent} percent are {text}")
_WHOLE = 100
ONE_TUPLE = words.Kind("one tuple", "the values stand in one tuple")


@situation
def without_quotes(case: Case) -> Iterator[Candidate]:
    """`padding=same`."""
    statement, place, name = case.layer, case.place, case.found.span.text
    if case.found.code.id != "E117" or statement is None or place is None or case.kind is None:
        return
    names, _ = fields_of(statement.name.id, place.part)
    for position, one in enumerate(statement.arguments):
        field = one.name.id if one.name else names[position] if position < len(names) else ""
        known = case.kind.fields.get(field)
        if one.value.span == case.found.span and known is not None and name in _options(known.kind):
            text = f'"{name}"'
            yield Candidate(-1.0, QUOTES, {"text": text}, (Edit(one.value.span, text),), "quotes", sure=True)


def _options(kind: Kind) -> list[str]:
    """The strings that a parameter may be."""
    kinds = kind.kinds if isinstance(kind, Either) else (kind,)
    return [option for one in kinds if isinstance(one, Choice) for option in one.options]


@situation
def divided(case: Case) -> Iterator[Candidate]:
    """`in_channels / 2` where a whole number is wanted."""
    if case.found.code.id not in ("E115", "E116") or case.place is None:
        return
    for chain in tree.walk(case.place.statement):
        if not isinstance(chain, tree.Chain) or "/" not in chain.operators or not case.found.span.holds(chain.span):
            continue
        edits = []
        for left, operator, right in zip(chain.operands, chain.operators, chain.operands[1:]):
            if operator == "/":
                between = Span(chain.span.source, left.span.end, right.span.start)
                edits.append(Edit(between, between.text.replace("/", "//", 1)))
        text = f"{chain.operands[0].span.text} // {chain.operands[1].span.text}"
        yield Candidate(-1.0, WHOLE, {"text": text}, tuple(edits), "whole")
        return


@situation
def several_for_a_tuple(case: Case) -> Iterator[Candidate]:
    """`Mean(2, 3)` for `Mean((2, 3))`."""
    statement, kind = case.layer, case.kind
    if case.found.code.id not in ("E113", "E115") or statement is None or kind is None or not kind.fields:
        return
    first = next(iter(kind.fields.values())).kind
    takes = first.kinds if isinstance(first, Either) else (first,)
    if any(one.name for one in statement.arguments) or not any(isinstance(one, Tuple) for one in takes):
        return
    numbers = [literal for one in statement.arguments for literal in literals(one.value)]
    if len(numbers) < len(statement.arguments) or len(numbers) < 2:
        return
    inner = Span(statement.span.source, statement.arguments[0].span.start, statement.arguments[-1].span.end)
    yield Candidate(-0.8, ONE_TUPLE, {}, (Edit(inner, f"({inner.text})"),), "tuple", statement)


@situation
def percent(case: Case) -> Iterator[Candidate]:
    """A probability given in percent: `Dropout(50)`."""
    statement, place = case.layer, case.place
    given = argument(statement, place.part, "p") if statement is not None and place is not None else None
    value = given.value.value if given is not None and isinstance(given.value, tree.Literal) else None
    if case.found.code.id == "E116" and given is not None and isinstance(value, int) and 1 < value < _WHOLE:
        text = f"{value / _WHOLE:g}"
        facts: dict[str, object] = {"percent": given.value.span.text, "text": text}
        yield Candidate(-1.0, PERCENT, facts, (Edit(given.value.span, text),), "percent", statement)
