"""The single edits that could remove an error, each with its cost: what the author most likely meant comes first."""

from __future__ import annotations

import re
from functools import partial
from math import prod

from cnnspec.diagnostics import Diagnostic, Sink
from cnnspec.diagnostics.edits import Edit
from cnnspec.diagnostics.suggestions import FLATTEN
from cnnspec.record import record, replace
from cnnspec.repair.ranking import change_cost, role_of, values_for
from cnnspec.repair.sites import Part, Place, Site, defaults, fields_of, places, sites
from cnnspec.source import Source, Span
from cnnspec.syntax import tree
from cnnspec.syntax.parser import parse, parse_expression

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

_FAR = 1.2


@record
class Candidate:
    """An edit to try: its cost, its words, its text, and the nodes of the tree that it puts in place of others."""

    cost: float
    words: str
    edits: tuple[Edit, ...]
    part: Part
    changes: dict[int, tuple[Any, ...]]
    shown: tree.Statement | None
    """The statement to show as it is then."""
    key: object
    """What it changes: two candidates of one key are two answers to one question."""

    @property
    def where(self) -> Span:
        first, last = self.edits[0].span, self.edits[-1].span
        return Span(first.source, min(first.start, last.start), max(first.end, last.end))


def candidates(found: Diagnostic, parts: list[Part]) -> list[tuple[float, Callable[[], Candidate]]]:
    """Every edit to try with its cost; each is made only when it is asked for.

    What is declared comes first, as it nearly always checks, then all others in the order of their costs.
    """
    search = _Search(found, parts)
    options = [*search.numbers(), *search.structure(), *search.arguments()]
    return [*search.declarations(), *sorted(options, key=lambda option: option[0])]


class _Search:
    """What the edits for one error have in common."""

    def __init__(self, found: Diagnostic, parts: list[Part]) -> None:
        self.found = found
        self.parts = parts
        self.places = [place for part in parts for place in places(part)]
        self.texts = [str(value) for value in found.facts.values()] + [label.text for label in found.labels]
        self.wanted = {int(number) for text in self.texts for number in re.findall(r"\d{1,18}", text)}
        self.at = next((i for i, place in reversed([*enumerate(self.places)]) if _holds(place, found.span)), 0)
        self.labelled = [label.span for label in found.labels]
        self.off = _axes_off(found)

    def distance(self, index: int) -> float:
        """How far a statement is from the error: 0 for its own and those of the labels."""
        place, guilty = self.places[index], self.places[self.at] if self.places else None
        if guilty is None or index == self.at or any(_holds(place, span) for span in self.labelled):
            return 0.0
        if place.part is not guilty.part:
            return 0.3 + 0.1 * self.parts.index(place.part)
        steps = self.at - index
        if guilty.statement.span.start <= place.statement.span.start < guilty.statement.span.end:
            return min(_FAR, -0.03 * steps)
        return min(_FAR, 0.08 * steps if steps > 0 else 0.5 - 0.08 * steps)

    # --- numbers ---

    def all_sites(self) -> Iterator[tuple[float, Site]]:
        for index, place in enumerate(self.places):
            away = self.distance(index)
            for site in sites(place):
                yield away, site
        for part in self.parts:
            for site in defaults(part):
                yield 0.3, site

    def numbers(self) -> Iterator[tuple[float, Callable[[], Candidate]]]:
        """A number replaced by another one."""
        every = [*self.all_sites()]
        seen: dict[int, int] = {}
        for _, site in every:
            value = site.node.value
            if isinstance(value, int):
                seen[value] = seen.get(value, 0) + 1
        for away, site in every:
            inside = site.node.span.start >= self.found.span.start and site.node.span.end <= self.found.span.end
            extra = away + (0.25 if site.field == "" and site.kind not in ("annotation", "input") else 0.0)
            extra -= 0.15 if inside and site.node.span.source is self.found.span.source else 0.0
            extra -= self.explains(site)
            for value in values_for(site, self.wanted):
                cost = extra + change_cost(site, value, seen, self.wanted)
                yield cost, partial(self.number, site, value, cost)

    def explains(self, site: Site) -> float:
        """How well a number would explain sizes that are off: a stride doubles and halves them, an input's is its own."""
        if site.kind == "input" and isinstance(site.owner, tree.Input):
            axis = next((i for i, item in enumerate(site.owner.shape.items) if item is site.node), -1)
            return 1.2 if self.off == [axis] else 0.5 if axis in self.off else 0.0
        if str(site.node.value) == str(self.found.facts.get("value", "")):
            return 0.6
        return 0.4 if role_of(site) == "stride" and len(self.off) > 1 else 0.0

    def number(self, site: Site, value: int, cost: float) -> Candidate:
        span = site.node.span
        changes = {id(site.node): (tree.Literal(value, span),)}
        shown = None if isinstance(site.owner, tree.Parameter) else site.owner
        words = f"change {_called(site)} on {self.line(span)} from {span.text} to {value}"
        return Candidate(cost, words, (Edit(span, str(value)),), site.part, changes, shown, id(site.node))

    # --- what is declared ---

    def declarations(self) -> Iterator[tuple[float, Callable[[], Candidate]]]:
        """The statement that the error contradicts, set to what arrives."""
        found = self.found
        node = self.declared()
        if node is None:
            return
        place = self.places[self.at]
        text = _as_found(found, node)
        if not text or text == node.span.text:
            return
        cost = 0.85 if any(c.isalpha() for c in node.span.text.replace("_", "")) else 0.6
        words = "annotate what is there" if found.code.id == "E202" else "declare what arrives"
        yield cost, partial(self.declare, place, node, text, words, cost)

    def declare(self, place: Place, node: Any, text: str, words: str, cost: float) -> Candidate:
        if isinstance(node, tree.Sequence):
            parts = text[1:-1].split(",")
            items = tuple(_item(old, new.strip()) for old, new in zip(node.items, parts))
            items += tuple(tree.Literal(int(new), node.span) for new in parts[len(node.items) :])
            new: Any = replace(node, items=items)
        else:
            new = parse_expression(Source(node.span.source.path, text), Sink())
        edits = (Edit(node.span, text),)
        return Candidate(cost, words, edits, place.part, {id(node): (new,)}, place.statement, id(node))

    def declared(self) -> Any:
        """The expression that states what the error says is wrong."""
        if not self.places or self.found.code.id not in ("E202", "E203", "E213"):
            return None
        statement = self.places[self.at].statement
        tail = getattr(statement, "tail", None)
        options = [tail.annotation] if tail is not None and tail.annotation is not None else []
        for argument in getattr(statement, "arguments", ()):
            options += [argument.value, argument.stated]
        return next((node for node in options if node is not None and node.span == self.found.span), None)

    # --- statements ---

    def structure(self) -> Iterator[tuple[float, Callable[[], Candidate]]]:
        """A Flatten put in or taken out, two neighbours swapped, a shortcut added."""
        for index, place in enumerate(self.places):
            away = self.distance(index)
            if place.part is not self.places[self.at].part and away > _FAR:
                continue
            name = place.statement.name.id if isinstance(place.statement, tree.Layer) else ""
            flat = not any(word in name for word in ("Conv", "Pool", "2d", "3d"))
            if name and flat and place.index and abs(index - self.at) < 12:
                forgotten = any(one.kind is FLATTEN for one in self.found.suggestions) and index == self.at
                cost = (-0.5 if forgotten else 0.6 if "Linear" in name or index == self.at else 1.2) + away
                yield cost, partial(self.flatten, place, cost)
            if name == "Flatten":
                yield 0.9 + away, partial(self.delete, place, 0.9 + away)
            if name and place.index + 1 < len(place.siblings) and abs(index - self.at) < 8:
                following = place.siblings[place.index + 1]
                if isinstance(following, tree.Layer) and following.head.text != place.statement.head.text:  # type: ignore[union-attr]
                    cost = 0.7 + (away if index != self.at - 1 else 0.0)
                    yield cost, partial(self.swap, place, cost)
            if isinstance(place.statement, tree.Residual) and place.statement.shortcut is None:
                yield from self.shortcuts(place, away)

    def flatten(self, place: Place, cost: float) -> Candidate:
        statement = place.statement
        at = Span(statement.span.source, statement.span.start, statement.span.start)
        new = tree.Layer(tree.Name("Flatten", at), (), tree.Tail(None, None), at, at)
        own = place is self.places[self.at]
        given = next((one.message for one in self.found.suggestions if own and one.kind is FLATTEN), "")
        words = given or f"put `Flatten` in front of `{_short(statement)}` on {self.line(statement.span)}"
        edits = (Edit(at, f"Flatten{_separator(place)}"),)
        changes = {id(statement): (new, statement)}
        return Candidate(cost, words, edits, place.part, changes, None, ("flatten", at.start))

    def delete(self, place: Place, cost: float) -> Candidate:
        statement = place.statement
        span = _whole(statement.span)
        words = f"delete `{_short(statement)}` on {self.line(statement.span)}"
        return Candidate(cost, words, (Edit(span, ""),), place.part, {id(statement): ()}, None, id(statement))

    def swap(self, place: Place, cost: float) -> Candidate:
        first, second = place.statement, place.siblings[place.index + 1]
        edits = (Edit(first.span, second.span.text), Edit(second.span, first.span.text))
        changes = {id(first): (second,), id(second): (first,)}
        words = f"swap `{_short(first)}` on {self.line(first.span)} and `{_short(second)}` behind it"
        return Candidate(cost, words, edits, place.part, changes, None, ("swap", first.span.start))

    def shortcuts(self, place: Place, away: float) -> Iterator[tuple[float, Callable[[], Candidate]]]:
        """A residual without a shortcut whose body changes the shape."""
        shape = re.match(r"(\d+) x \d+( x \d+)*$", str(self.found.facts.get("first", "")))
        if self.found.code.id != "E208" or shape is None or place is not self.places[self.at]:
            return
        rank = shape[0].count("x")
        for stride in (1, 2):
            text = f"Conv{rank}d({shape[1]}, 1{', ' + str(stride) if stride > 1 else ''})"
            yield 0.3 + away, partial(self.shortcut, place, text, 0.3 + away)

    def shortcut(self, place: Place, text: str, cost: float) -> Candidate:
        old = place.statement
        assert isinstance(old, tree.Residual)
        at = Span(old.span.source, old.body.span.end, old.body.span.end)
        block = parse(Source("", f"block B() {{ {text} }}"), Sink()).items[0]
        assert isinstance(block, tree.Block)
        new = replace(old, shortcut=block.body)
        edits = (Edit(at, f" shortcut {{ {text} }}"),)
        words = f"give the residual on {self.line(old.span)} a shortcut: `shortcut {{ {text} }}`"
        return Candidate(cost, words, edits, place.part, {id(old): (new,)}, None, ("shortcut", id(old)))

    # --- arguments ---

    def arguments(self) -> Iterator[tuple[float, Callable[[], Candidate]]]:
        """An argument added, dropped, or two swapped."""
        for index, place in enumerate(self.places):
            statement, away = place.statement, self.distance(index)
            if not isinstance(statement, tree.Layer) or away > 0.6:
                continue
            for field, value, cost in self.additions(statement, index):
                yield cost + away, partial(self.add, place, field, value, cost + away)
            for number in range(1, len(statement.arguments)):
                if statement.arguments[number].name is not None or number == len(statement.arguments) - 1:
                    cost = 0.9 + away
                    yield cost, partial(self.drop, place, number, cost)

    def additions(self, statement: tree.Layer, index: int) -> Iterator[tuple[str, int, float]]:
        names, _ = fields_of(statement.name.id, self.places[index].part.scope)
        given = {argument.name.id for argument in statement.arguments if argument.name}
        given |= set(names[: sum(argument.name is None for argument in statement.arguments)])
        missing = self.found.code.id == "E112" and index == self.at
        for field in names:
            if field in given:
                continue
            if missing and field in str(self.found.facts.get("missing", "")):
                options = (2, 3) if "Pool" in statement.name.id else (3, 1, 5, 7, 2)
                yield from ((field, value, -0.5 + 0.1 * rank) for rank, value in enumerate(options))
            elif field == "padding" and not missing:
                yield from ((field, value, 0.75 + 0.1 * value) for value in (1, 2, 3))
            elif field == "stride" and not missing:
                yield from ((field, value, 0.8) for value in (2, 1))

    def add(self, place: Place, field: str, value: int, cost: float) -> Candidate:
        statement = place.statement
        assert isinstance(statement, tree.Layer)
        end = statement.head.end
        at = Span(statement.span.source, end, end)
        name, text = f"{field}=", f"{field}={value}"
        if statement.head.text.endswith(")"):
            at = Span(at.source, end - 1, end - 1)
            text = f", {text}" if statement.arguments else text
        else:
            text = f"({text})"
        argument = tree.Argument(tree.Literal(value, statement.name.span), statement.name.span, tree.Name(field, at))
        new = _with_arguments(statement, (*statement.arguments, argument))
        words = f"give {name.replace('_', ' ').removesuffix('=')} {value} on {self.line(statement.span)}"
        key = ("add", field, id(statement))
        return Candidate(cost, words, (Edit(at, text),), place.part, {id(statement): (new,)}, statement, key)

    def drop(self, place: Place, number: int, cost: float) -> Candidate:
        statement = place.statement
        assert isinstance(statement, tree.Layer)
        before, gone = statement.arguments[number - 1], statement.arguments[number]
        span = Span(gone.span.source, before.span.end, gone.span.end)
        rest = statement.arguments[:number] + statement.arguments[number + 1 :]
        words = f"drop `{gone.span.text}` on {self.line(statement.span)}"
        changes: dict[int, tuple[Any, ...]] = {id(statement): (_with_arguments(statement, rest),)}
        return Candidate(cost, words, (Edit(span, ""),), place.part, changes, statement, id(gone))

    def line(self, span: Span) -> str:
        other = span.source.path != self.found.span.source.path
        return f"line {span.line}" + (f" of {span.source.path}" if other else "")


def _axes_off(found: Diagnostic) -> list[int]:
    """The axes along which a shape is not the one that is declared, by about a factor of two."""
    there = re.findall(r"\d+|_", str(found.facts.get("found", "")))
    said = re.findall(r"\d+|_", str(found.facts.get("declared", "")))
    if len(there) != len(said) or found.code.id != "E202":
        return []
    pairs = [(int(a), int(b)) if "_" not in (a, b) else (0, 0) for a, b in zip(there, said)]
    return [axis for axis, (a, b) in enumerate(pairs) if axis and a != b and 1.6 < max(a, b) / max(1, min(a, b)) < 2.5]


def _with_arguments(old: tree.Layer, arguments: tuple[tree.Argument, ...]) -> tree.Layer:
    return replace(old, arguments=arguments)


def _holds(place: Place, span: Span) -> bool:
    own = place.statement.span
    return own.source is span.source and own.start <= span.start and span.end <= own.end


def _called(site: Site) -> str:
    """What a message calls a number."""
    if site.kind in ("annotation", "input"):
        return "the annotation" if site.kind == "annotation" else "the input"
    if site.kind == "condition" or not site.field:
        return "the number"
    if (site.kind == "argument" and role_of(site) != "width") or site.field in ("out_channels", "out_features"):
        return f"the {site.field.replace('_', ' ')}"
    return f"`{site.field}`"


def _short(statement: tree.Statement) -> str:
    """A statement in a sentence."""
    head = getattr(statement, "head", statement.span)
    return " ".join(str(head.text).split())


def _separator(place: Place) -> str:
    """What stands between a new statement and the one behind it."""
    source, start = place.statement.span.source, place.statement.span.start
    begin = source.text.rfind("\n", 0, start) + 1
    indent = source.text[begin:start]
    return f"\n{indent}" if not indent.strip() else "; "


def _whole(span: Span) -> Span:
    """A statement with its line, or with the `;` behind it."""
    text = span.source.text
    begin, end = text.rfind("\n", 0, span.start) + 1, text.find("\n", span.end)
    end = len(text) if end < 0 else end
    if not text[begin : span.start].strip() and not text[span.end : end].strip():
        return Span(span.source, begin, min(len(text), end + 1))
    behind = re.match(r"[ \t]*;[ \t]*", text[span.end : end])
    return Span(span.source, span.start, span.end + (behind.end() if behind else 0))


def _item(old: Any, text: str) -> Any:
    return old if old.span.text == text else tree.Literal(int(text), old.span)


def _as_found(found: Diagnostic, node: Any) -> str:
    """What is there instead of what is declared, in the style of the declaration."""
    there = re.findall(r"\d+", str(found.facts.get("found", "")))
    if isinstance(node, tree.Sequence):
        left, right = node.span.text[0], node.span.text[-1]
        same = len(there) == len(node.items)
        declared = re.findall(r"\d+|_", str(found.facts.get("declared", "")))
        texts = [
            item.span.text if same and said in (size, "_") else size
            for item, size, said in zip(node.items, there, declared)
        ]
        return f"{left}{', '.join(texts if same else there)}{right}"
    if len(there) != 1:
        return ""
    if isinstance(node, tree.Chain) and set(node.operators) == {"*"}:
        for label in found.labels:
            for text in re.findall(r"\d+(?: x \d+)+", label.text):
                sizes = text.split(" x ")
                if prod(map(int, sizes)) == int(there[0]):
                    between = " * " if " * " in node.span.text else "*"
                    return between.join(sizes)
    return str(there[0])
