"""Single edits that could remove an error, each with its cost: what the author most likely meant comes first.

A generator for each kind of edit; each candidate is made only when it is asked for.
"""

from __future__ import annotations

from functools import partial
from itertools import islice

from cnnspec.diagnostics import Edit
from cnnspec.diagnostics.suggestions import (
    ADD,
    DELETE,
    DROP,
    INSERT,
    NUMBER,
    SHORTCUT,
    SWAP,
)  # fmt: skip
from cnnspec.repair.case import Candidate, Case, add_argument, holds, in_front
from cnnspec.repair.costs import COSTS
from cnnspec.repair.declared import declared
from cnnspec.repair.inputs import axes
from cnnspec.repair.ranking import ROLES, change_cost, parity, role_of, square, values_for
from cnnspec.repair.relevance import (
    CHANNELS,
    OF_ARGUMENTS,
    OF_RECIPES,
    OF_VALUES,
    RANK,
    SIZES,
    difference,
    helps,
    is_out,
    ratio,
    read_until,
    shifts,
    values_behind,
    wrong,
)
from cnnspec.repair.sites import HALF, MOST, POWER, SLICE, Place, Site, defaults, fields_of, numbers, sites
from cnnspec.source import Span
from cnnspec.syntax import tree
from cnnspec.syntax.walk import walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from cnnspec.compiler.names import Deferred
    from cnnspec.repair.case import Option


_WIDE = 16
"""From this number on a number that has no name of a window is one of channels."""
_TWICE, _A_LITTLE = 1.6, 1.25
"""By how much sizes differ that a stride explains, and that it does not."""


def candidates(case: Case) -> Iterator[Option]:
    """Every edit to try with its cost, in no order, but `declarations`."""
    if case.found.code.id not in _OF_ORDER:
        yield from _numbers(case)
    if case.found.code.id in OF_RECIPES:
        return
    yield from _structure(case)
    yield from _shortcuts(case)
    yield from _arguments(case)


# --- numbers ---


def _numbers(case: Case) -> Iterator[Option]:
    """A number replaced by another one."""
    every = [*(_of_settings(case) if case.found.code.id in OF_RECIPES else every_site(case))]
    seen: dict[int, int] = {}
    for _, site in every:
        if isinstance(site.node.value, int):
            seen[site.node.value] = seen.get(site.node.value, 0) + 1
    wanted = _wanted(case)
    bad = case.found.facts.get("value") if case.found.code.id == "E116" else None
    if any(str(site.node.value) == bad for _, site in every):
        # A value that is out of its range was written, or stands where it came from.
        every = [(away, site) for away, site in every if str(site.node.value) == bad]
        every = [(away, site) for away, site in every if site.field] or every
    moved, rate, off = shifts(case), ratio(case), difference(case)
    # What arrives at a layer that states another width is most often right.
    gain = COSTS["explains"] if case.found.code.id != "E203" else 0.0
    at, stated, about = case.found.span, declared(case), wrong(case)
    sizes = {id(axis.literal) for axis in axes(case)} if case.found.code.id not in ("E202", "E503") else set()
    out = {id(place.statement) for place in case.places if is_out(case, place)}
    read = read_until(case, out) if case.is_ordered else None
    if case.found.code.id == "E306":
        # How long a sequence is, its items don't say.
        every = [(away, site) for away, site in every if site.field == SLICE] or every
    behind = values_behind(case) if case.found.code.id in OF_VALUES and case.place is not None else None
    guilty = case.place.statement if case.place is not None else None
    for away, site in every:
        if id(site.owner) in out:
            continue
        named = site.owner.name.id if isinstance(site.owner, (tree.Layer, tree.Let, tree.Parameter)) else ""
        if behind is not None and named and site.owner is not guilty and not {site.field, named} & {*behind, SLICE}:
            continue
        own = id(site.part.definition) if site.part is not None and site.kind in ("default", "let") else None
        if read is not None and own is not None and named and (own, named) not in read:
            continue
        span = site.node.span
        extra = away + (COSTS["operand"] if site.field == "" and site.kind != "input" else 0.0)
        inside = at.holds(span)
        if site.node is stated or (site.kind == "stated" and not inside):
            # What another layer states is what arrives there: to change it would be wrong.
            continue
        if not helps(case, site, about) or site.field == "p":
            continue
        if inside:
            extra += COSTS["inside of a value"] if case.found.code.id in OF_VALUES else COSTS["inside"]
        extra += COSTS["stated here" if site.kind == "stated" else site.kind]
        extra += _of_site(case, site)
        aside = _aside(site, about) + parity(site, off)
        # A size of the input is no number of channels.
        negative = span.source.text[: span.start].endswith("-")
        meant = set() if id(site.node) in sizes else wanted | _moved(site, moved)
        for value in values_for(site, meant):
            if negative and not value:
                continue
            cost = extra + aside + change_cost(site, value, seen, wanted) + _explains(site, value, moved, rate, gain)
            cost += square(site, value)
            yield cost, partial(number, case, site, value, cost)


def every_site(case: Case) -> Iterator[tuple[float, Site]]:
    """The numbers that an error may come from, each with what its distance costs."""
    for index, place in enumerate(case.places):
        away = case.distance(index)
        rows = [span for span in case.labelled if isinstance(place.statement, tree.For) and holds(place, span)]
        for site in map(case.with_uses, sites(place)):
            other = site.kind == "table" and rows and not any(span.holds(site.node.span) for span in rows)
            yield away + (COSTS["other row"] if other else 0.0), site
    for part in case.parts:
        for site in map(case.with_uses, defaults(part)):
            yield COSTS["other definition"], site
    for constant in case.constants:
        for away, site in _constant_sites(case, constant):
            yield away, case.with_uses(site)
    yield from _of_settings(case)


def _of_settings(case: Case) -> Iterator[tuple[float, Site]]:
    for setting in case.settings:
        for node, field in islice(numbers(setting.value, setting.name.id), MOST):
            yield 0.0, Site(node, field or setting.name.id, "let", setting, None)


def _constant_sites(case: Case, constant: Deferred) -> Iterator[tuple[float, Site]]:
    """The numbers of a constant of the file; of a table the row alone that the error arose with, where that is known."""
    definition = constant.definition
    at = [span for span in case.labelled if definition.span.holds(span)]
    if not at:
        for value, field in _columns(case, definition.value, constant.name):
            for node, name in islice(numbers(value, field), MOST):
                yield COSTS["other definition"], Site(node, name, "let", definition, None)
    for row in walk(definition.value):
        if isinstance(row, tree.Expression) and row.span in at:
            items = row.items if isinstance(row, tree.Sequence) else (row,)
            names = case.loop_names(len(items)) or [constant.name] * len(items)
            for item, name in zip(items, names):
                for node, field in numbers(item, name):
                    yield 0.0, Site(node, field, "table", definition, None)


def _columns(case: Case, value: tree.Expression, name: str) -> Iterator[tuple[tree.Expression, str]]:
    """The values of a table, each with the name that a loop gives to its column; of anything else the value itself."""
    rows = value.items if isinstance(value, tree.Sequence) else ()
    widths = {len(row.items) if isinstance(row, tree.Sequence) else 0 for row in rows}
    names = case.loop_names(max(widths, default=0), more=True) if len(widths) == 1 else []
    if not names:
        yield value, name
        return
    for row in rows:
        if isinstance(row, tree.Sequence):
            yield from zip(row.items, names)


def _moved(site: Site, moved: list[tuple[int, int]]) -> set[int]:
    """What a number of channels would have to be for those that there are to be as many as there should be."""
    value = site.node.value
    if not isinstance(value, int) or role_of(site) != "width":
        return set()
    sums = {value + should - there for there, should in moved}
    return sums | {value * should // there for there, should in moved if value * should % there == 0}


def _wanted(case: Case) -> set[int]:
    """The sizes that the error speaks of."""
    found: set[int] = set()
    for name, value in case.found.facts.items():
        items = value if isinstance(value, tuple) else (value,) if name not in ("dim", "axis") else ()
        found |= {item for item in items if item.__class__ is int and item > 0}
    if case.found.code.id == "E116":
        return set()
    shape = case.arrives
    found |= set(shape or ())
    divisor, value = case.found.facts.get("divisor"), case.found.facts.get("value")
    if isinstance(divisor, int) and isinstance(value, int) and divisor > 1:
        # The nearest multiples, not as few as there are groups.
        found -= {divisor} if value > divisor else set()
        found |= {value // divisor * divisor, (value // divisor + 1) * divisor}
    return found


def _of_site(case: Case, site: Site) -> float:
    """What is known of a number whatever it becomes: that the error names it, or that images rarely have so many channels."""
    if site.kind == "input" and isinstance(site.owner, tree.Input):
        if site.node is site.owner.shape.items[0] and case.found.code.id == "E203" and _at_input(case):
            return COSTS["first layer"]
        if site.node is site.owner.shape.items[0] and site.node.value not in (1, 3):
            return COSTS["unusual channels"]
        return 0.0
    return COSTS["named by the error"] if str(site.node.value) == str(case.found.facts.get("value", "")) else 0.0


def _at_input(case: Case) -> bool:
    """Whether what arrives is the model's input still, with channels."""
    taken = None if case.graph is None else case.graph.input
    return taken is not None and len(taken) > 1 and case.arrives == taken


def _aside(site: Site, about: set[str] | None) -> float:
    """What a number costs that is hardly about what is wrong: channels where sizes are, a window where channels are."""
    role, value = role_of(site), site.node.value
    if about == {SIZES}:
        return COSTS["explains nothing"] if role == "width" and isinstance(value, int) and value >= _WIDE else 0.0
    window = about == {CHANNELS} and role in ("kernel", "stride", "padding", "dilation")
    return COSTS["explains nothing"] if window else 0.0


def _explains(site: Site, value: int, moved: list[tuple[int, int]], rate: float, gain: float) -> float:
    """How well another number would explain what is off: a stride a multiple of the size, a width just as many channels."""
    role, old = role_of(site), site.node.value
    assert isinstance(old, int)
    if site.kind == "input":
        return 0.0
    if role == "width" and moved:
        if any(value - old == should - there or value * there == old * should for there, should in moved):
            return gain
        # A width that is used several times moves the sum by a multiple.
        several = any(
            (should - there) % (value - old) == 0 < (should - there) // (value - old) for there, should in moved
        )
        return 0.0 if several and abs(value - old) > 1 else COSTS["explains nothing"]
    if role == "stride" and rate > 1:
        return COSTS["strides explain"] if rate > _TWICE else COSTS["explains nothing"] if rate < _A_LITTLE else 0.0
    return COSTS["explains nothing"] if role in ("kernel", "padding", "dilation") and rate > _TWICE else 0.0


def number(case: Case, site: Site, value: int, cost: float) -> Candidate:
    """Another number at a site."""
    span = site.node.span
    shown = None if isinstance(site.owner, (tree.Parameter, tree.Setting)) else site.owner
    facts = {"what": _called(site), "where": case.line(span), "old": span.text, "new": value}
    return Candidate(cost, NUMBER, facts, (Edit(span, str(value)),), id(site.node), shown)


def _called(site: Site) -> str:
    """What a message calls a number."""
    if site.kind == "input":
        return "the input"
    if site.kind == "count":
        return "the count"
    if site.kind == "condition" or site.field in ("", HALF, POWER, SLICE):
        return "the number"
    if (site.kind == "argument" and role_of(site) != "width") or site.field in ("out_channels", "out_features"):
        return f"the {site.field.replace('_', ' ')}"
    return f"`{site.field}`"


# --- statements ---

_OF_SHAPES = ("E201", "E202", "E203", "E204", "E207", "E208", "E209", "E213", "E214")
"""Errors that another order of the statements may be the reason for."""


_OF_ORDER = ("E132",)
"""Errors that nothing but another order may mend."""


def _structure(case: Case) -> Iterator[Option]:
    """A Flatten put in or taken out, two neighbours swapped."""
    if case.found.code.id not in (*_OF_SHAPES, *_OF_ORDER, "E205"):
        return
    about = wrong(case) if case.found.code.id in _OF_SHAPES else {CHANNELS}
    uses = {index for index, place in enumerate(case.places) if place.statement.span in case.used}
    for index, place in enumerate(case.places):
        away = case.distance(index)
        statement = place.statement
        used = index in uses or index + 1 in uses
        far = place.part is not case.places[case.at].part and away > 1.2
        if not isinstance(statement, tree.Layer) or (far and not used):
            continue
        name = statement.name.id
        if is_out(case, place):
            continue
        flat = (about is None or RANK in about) and not any(word in name for word in ("Conv", "Pool", "2d", "3d"))
        if flat and place.index and abs(index - case.at) < 12:
            near = "Linear" in name or index == case.at
            cost = (COSTS["flatten before Linear"] if near else COSTS["flatten"]) + away
            yield cost, partial(_flatten, case, place, cost)
        if name == "Flatten":
            yield COSTS["delete"] + away, partial(_delete, case, place, COSTS["delete"] + away)
        if place.index + 1 < len(place.siblings) and (abs(index - case.at) < 8 or used):
            following = place.siblings[place.index + 1]
            if isinstance(following, tree.Layer) and following.head.text != statement.head.text:
                cost = COSTS["swap"] + (0.0 if index == case.at - 1 or used else away)
                if case.found.code.id == "E213" and index == case.at - 1 and place.part is case.places[case.at].part:
                    # A norm in front of a layer that changes the last dimension states what arrives there.
                    cost = 0.5
                yield cost, partial(_swap, case, place, cost)


def _flatten(case: Case, place: Place, cost: float) -> Candidate:
    place = case.in_front_of_all(place)
    statement = place.statement
    facts: dict[str, object] = {"text": "Flatten", "statement": brief(statement), "where": case.line(statement.span)}
    return Candidate(cost, INSERT, facts, (in_front(place, "Flatten"),), ("flatten", statement.span.start))


def _delete(case: Case, place: Place, cost: float) -> Candidate:
    statement = place.statement
    facts: dict[str, object] = {"statement": brief(statement), "where": case.line(statement.span)}
    return Candidate(cost, DELETE, facts, (Edit(whole(statement.span), ""),), id(statement))


def _swap(case: Case, place: Place, cost: float) -> Candidate:
    first, second = place.statement, place.siblings[place.index + 1]
    edits = (Edit(first.span, second.span.text), Edit(second.span, first.span.text))
    facts: dict[str, object] = {"statement": brief(first), "other": brief(second), "where": case.line(first.span)}
    return Candidate(cost, SWAP, facts, edits, ("swap", first.span.start))


def _shortcuts(case: Case) -> Iterator[Option]:
    """A residual without a shortcut whose body changes the shape."""
    shape = case.found.facts.get("first")
    statement = case.places[case.at].statement if case.places else None
    if case.found.code.id != "E208" or not isinstance(shape, tuple) or len(shape) < 2:
        return
    if not isinstance(statement, tree.Residual) or statement.shortcut is not None:
        return
    at = Span(statement.span.source, statement.body.span.end, statement.body.span.end)
    for stride in (1, 2):
        text = f"Conv{len(shape) - 1}d({shape[0]}, 1{f', stride={stride}' if stride > 1 else ''})"
        facts: dict[str, object] = {"where": case.line(statement.span), "text": text}
        edits = (Edit(at, f" shortcut {{ {text} }}"),)
        cost = COSTS["shortcut"]
        yield cost, partial(Candidate, cost, SHORTCUT, facts, edits, ("shortcut", id(statement)))


# --- arguments ---


def _arguments(case: Case) -> Iterator[Option]:
    """An argument added or dropped."""
    for index, place in enumerate(case.places):
        statement, away = place.statement, case.distance(index)
        if not isinstance(statement, tree.Layer) or away > 0.6 or is_out(case, place):
            continue
        for field, value, cost in _additions(case, statement, index):
            yield cost + away, partial(_add, case, statement, field, value, cost + away)
        count, one = len(statement.arguments), case.found.code.id in ("E115", "E116")
        for number in range(max(1, count - 8), count):
            if one and not statement.arguments[number].span.holds(case.found.span):
                continue
            if statement.arguments[number].name is not None or number == count - 1:
                cost = COSTS["drop"] + away
                yield cost, partial(_drop, case, statement, number, cost)


def _additions(case: Case, statement: tree.Layer, index: int) -> Iterator[tuple[str, int, float]]:
    names, _ = fields_of(statement.name.id, case.places[index].part)
    given = {argument.name.id for argument in statement.arguments if argument.name}
    given |= set(names[: sum(argument.name is None for argument in statement.arguments)])
    missing = case.found.code.id == "E112" and index == case.at
    lacking = case.found.facts.get("missing")
    lacking = lacking if isinstance(lacking, list) else []
    about = wrong(case)
    if not missing and (case.found.code.id in OF_ARGUMENTS or (about is not None and SIZES not in about)):
        return
    for field in names:
        if field in given:
            continue
        if missing and field in lacking and ROLES.get(field) == "kernel":
            options = (2, 3) if "Pool" in statement.name.id else (3, 1, 5, 7, 2)
            yield from ((field, value, 0.1 * rank) for rank, value in enumerate(options))
        elif field == "padding" and not missing:
            yield from ((field, value, COSTS["add padding"] + 0.1 * (value - 1)) for value in (1, 2, 3))
        elif field == "stride" and not missing:
            yield from ((field, value, COSTS["add stride"]) for value in (2, 1))


def _add(case: Case, statement: tree.Layer, field: str, value: int, cost: float) -> Candidate:
    facts: dict[str, object] = {
        "name": field.replace("_", " "), "value": value, "where": case.line(statement.span),
    }  # fmt: skip
    edits = (add_argument(statement, f"{field}={value}"),)
    return Candidate(cost, ADD, facts, edits, ("add", field, id(statement)), statement)


def _drop(case: Case, statement: tree.Layer, number: int, cost: float) -> Candidate:
    before, gone = statement.arguments[number - 1], statement.arguments[number]
    span = Span(gone.span.source, before.span.end, gone.span.end)
    facts: dict[str, object] = {"text": gone.span.text, "where": case.line(statement.span)}
    return Candidate(cost, DROP, facts, (Edit(span, ""),), id(gone), statement)


# --- pieces of text ---


def brief(statement: tree.Statement) -> str:
    """A statement in a sentence."""
    head = getattr(statement, "head", statement.span)
    text = " ".join(str(head.text).split())
    return text if len(text) <= 60 else text[:57] + "..."


def whole(span: Span) -> Span:
    """A statement with its line, or with the `;` behind it."""
    text = span.source.text
    begin, end = text.rfind("\n", 0, span.start) + 1, text.find("\n", span.end)
    end = len(text) if end < 0 else end
    if not text[begin : span.start].strip() and not text[span.end : end].strip():
        return Span(span.source, begin, min(len(text), end + 1))
    behind = text[span.end : end]
    blank = behind.lstrip(" \t")
    if blank.startswith(";"):
        rest = blank[1:].lstrip(" \t")
        return Span(span.source, span.start, end - len(rest))
    return span


__all__ = ["brief", "candidates", "every_site", "holds", "number", "whole"]
