"""Terms that differ in numbers alone as one template, with a hole for each number."""

from __future__ import annotations

from cnnspec.backends.python_source.terms import (
    ABSENT,
    Argument,
    Attribute,
    Body,
    Call,
    Chain,
    Child,
    Counted,
    Expression,
    Forward,
    Hole,
    Line,
    Literal,
    Loop,
    Optional,
    Use,
    parts_of,
    rebuilt,
)
from cnnspec.backends.python_source.words import snake
from cnnspec.graph.matching import longest_common

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any


class Differ(Exception):
    """Terms differ in more than numbers."""


class Alike:
    """A template of several terms. `holes` has for each hole its value in every term, and the role of the value.

    A shape that is not the same in all of them is left out, or with `shapes_of_first` that of the first.
    """

    def __init__(self, terms: Sequence[Any], *, shapes_of_first: bool = False) -> None:
        self.shapes_of_first = shapes_of_first
        self.holes: list[tuple[tuple[Any, ...], str]] = []
        self.template = self._unify(tuple(terms))

    def _hole(self, values: tuple[Any, ...], role: str) -> Hole:
        """The hole with these values; one that says the same where both say something."""
        for index, (known, known_role) in enumerate(self.holes):
            both = [(a, b) for a, b in zip(known, values) if not (a is ABSENT or b is ABSENT)]
            if both and all(same(a, b) for a, b in both):
                merged = tuple(b if a is ABSENT else a for a, b in zip(known, values))
                self.holes[index] = (merged, known_role or role)
                return Hole(index)
        self.holes.append((values, role))
        return Hole(len(self.holes) - 1)

    def _unify(self, terms: tuple[Any, ...]) -> Any:
        present = [term for term in terms if term is not ABSENT]
        first = present[0]
        if all(term is first for term in present) and len(present) == len(terms):
            return first
        if all(isinstance(term, Literal) for term in present):
            if all(same(term.value, first.value) for term in present):
                return first
            return self._hole(tuple(t if t is ABSENT else t.value for t in terms), first.role)
        kinds = {type(term) for term in present}
        if kinds == {Call, Literal} or kinds == {Chain, Literal}:
            return self._optional(terms)
        if kinds == {Child, Loop}:
            return self._unify(tuple(_as_loop(t) if isinstance(t, Child) else t for t in terms))
        if len(kinds) != 1:
            raise Differ
        if kinds == {Call} and len({term.target for term in present}) > 1:
            # Layers without arguments, such as activations: the user of the class says which.
            _expect(all(head_of(term) == "" for term in present))
            return self._hole(terms, "activation")
        return self._same_kind(first, terms, present)

    def _same_kind(self, first: Any, terms: tuple[Any, ...], present: list[Any]) -> Any:
        if isinstance(first, Call):
            return self._calls(first, terms, present)
        if isinstance(first, Chain):
            return Chain(self._children(terms))
        if isinstance(first, Child):
            _expect_equal(present, "label")
            shapes = {term.shape for term in present}
            told = len(shapes) == 1 or self.shapes_of_first
            return Child(first.label, self._field(terms, "term"), first.shape if told else "")
        if isinstance(first, Loop):
            _expect_equal(present, "variables")
            return Loop(self._each(terms, "children"), first.variables, self._field(terms, "values"))
        if isinstance(first, Body):
            return self._bodies(first, terms, present)
        if isinstance(first, Optional):
            return Optional(self._field(terms, "term"), self._field(terms, "test"))
        if isinstance(first, Counted):
            _expect_equal(present, "step")
            return Counted(self._field(terms, "start"), first.step)
        if isinstance(first, Use):
            raise TypeError("uses are classes by now")
        _expect(all(term == first for term in present))
        return first

    def _field(self, terms: tuple[Any, ...], name: str) -> Any:
        return self._unify(tuple(term if term is ABSENT else getattr(term, name) for term in terms))

    def _each(self, terms: tuple[Any, ...], name: str) -> tuple[Any, ...]:
        lists: list[Any] = [term if term is ABSENT else getattr(term, name) for term in terms]
        counts = {len(items) for items in lists if items is not ABSENT}
        _expect(len(counts) == 1)
        return tuple(
            self._unify(tuple(items if items is ABSENT else items[index] for items in lists))
            for index in range(counts.pop())
        )

    def _children(self, terms: tuple[Any, ...]) -> tuple[Any, ...]:
        """The children of sequences; those that are missing in some of them may be left out."""
        lists: list[Any] = [term if term is ABSENT else term.children for term in terms]
        heads: list[Any] = [items if items is ABSENT else [head_of(item) for item in items] for items in lists]
        if len({tuple(one) for one in heads if one is not ABSENT}) == 1:
            return self._each(terms, "children")
        _expect(not any(_is_labelled(items) for items in lists if items is not ABSENT))
        merged: list[str] = []
        for one in heads:
            merged = merged if one is ABSENT else _merged(merged, one)
        # One of them has all that there is: so no two parts are alternatives.
        _expect(any(one is not ABSENT and len(one) == len(merged) for one in heads))
        columns: list[list[Any]] = [[] for _ in merged]
        for items, own in zip(lists, heads):
            places = iter([]) if items is ABSENT else iter(_places(own, merged))
            at = next(places, -1)
            for number, column in enumerate(columns):
                if items is ABSENT or number != at:
                    column.append(ABSENT)
                    continue
                column.append(items[len([c for c in columns[:number] if c[-1] is not ABSENT])])
                at = next(places, -1)
        return tuple(self._column(tuple(column), lists) for column in columns)

    def _column(self, items: tuple[Any, ...], lists: list[Any]) -> Any:
        """One child of several sequences, of which some may lack it."""
        before = len(self.holes)
        child = self._unify(items)
        if all(item is not ABSENT or whole is ABSENT for item, whole in zip(items, lists)):
            return child
        _expect(isinstance(child, Child))
        if isinstance(child.term, Hole):
            values, role = self.holes[child.term.index]
            given = tuple(None if i is ABSENT and w is not ABSENT else v for v, i, w in zip(values, items, lists))
            hole = child.term
            if hole.index < before:
                hole = Hole(len(self.holes))
                self.holes.append((given, role))
            self.holes[hole.index] = (given, role)
            return Child(None, Optional(hole, hole), child.shape)
        there = tuple(ABSENT if whole is ABSENT else item is not ABSENT for item, whole in zip(items, lists))
        return Child(None, Optional(child.term, self._hole(there, f"with_{_word(child.term)}")), child.shape)

    def _calls(self, first: Call, terms: tuple[Any, ...], present: list[Any]) -> Call:
        _expect_equal(present, "target")
        positions = {sum(argument.name is None for argument in term.arguments) for term in present}
        _expect(len(positions) == 1)
        count = positions.pop()
        arguments = [
            Argument(None, self._unify(tuple(t if t is ABSENT else t.arguments[index].value for t in terms)))
            for index in range(count)
        ]
        names = dict.fromkeys(
            argument.name for term in present for argument in term.arguments if argument.name is not None
        )
        order = [name for name, _ in first.defaults]
        for name in sorted(names, key=lambda name: order.index(name) if name in order else len(order)):
            values = tuple(t if t is ABSENT else _argument(t, name) for t in terms)
            arguments.append(Argument(name, self._unify(values)))
        return Call(first.target, tuple(arguments), first.defaults, first.is_plain)

    def _bodies(self, first: Body, terms: tuple[Any, ...], present: list[Any]) -> Body:
        keys = {tuple((a.key, a.name) for a in term.attributes) for term in present}
        _expect(len(keys) == 1)
        _expect_equal(present, "weights")
        _expect(len({_without_shapes(term.forward) for term in present}) == 1)
        attributes = tuple(
            Attribute(a.key, a.name, self._unify(tuple(t if t is ABSENT else t.attributes[index].term for t in terms)))
            for index, a in enumerate(first.attributes)
        )
        forward = first.forward
        if any(term.forward != forward for term in present) and not self.shapes_of_first:
            lines = zip(*[term.forward.lines for term in present])
            forward = Forward(forward.parameters, tuple(map(_common_line, lines)), forward.result, forward.returns)
        return Body(attributes, first.weights, forward)

    def _optional(self, terms: tuple[Any, ...]) -> Optional:
        """A module that some of the terms have, and some have not."""
        _expect(all(t is ABSENT or not isinstance(t, Literal) or t.value is None for t in terms))
        role = next(t.role for t in terms if isinstance(t, Literal))
        there = tuple(ABSENT if t is ABSENT or isinstance(t, Literal) else t for t in terms)
        term = self._unify(there)
        test = self._hole(tuple(t if t is ABSENT else not isinstance(t, Literal) for t in terms), f"with_{role}")
        return Optional(term, test)


def same(one: Any, other: Any) -> bool:
    """Whether two values are the same, as Python writes them: 1, 1.0 and true are not."""
    return bool(one.__class__ is other.__class__ and one == other and repr(one) == repr(other))


def head_of(term: Any) -> str:
    """What tells a child from others: the class that it calls; "" for a layer without arguments."""
    if isinstance(term, Child):
        return head_of(term.term)
    if isinstance(term, Loop):
        return "*".join(map(head_of, term.children))
    if isinstance(term, Call):
        return "" if term.is_plain else term.target
    return type(term).__name__


def _is_labelled(items: Sequence[Any]) -> bool:
    return any(isinstance(item, Child) and item.label is not None for item in items)


def _word(term: Any) -> str:
    """A word for a module, as a part of a name."""
    return snake(term.target.rpartition(".")[2]) if isinstance(term, Call) else "layers"


def _merged(one: list[str], other: list[str]) -> list[str]:
    """The shortest list that holds both in their order."""
    found: list[str] = []
    start = [0, 0]
    for x, y in [*_common(one, other), (len(one), len(other))]:
        found += [*one[start[0] : x], *other[start[1] : y], *one[x : x + 1]]
        start = [x + 1, y + 1]
    return found


def _common(one: list[str], other: list[str]) -> list[tuple[int, int]]:
    near = [0] * max(len(one), len(other))
    numbers = {head: number for number, head in enumerate(dict.fromkeys([*one, *other]))}
    a, b = [numbers[head] for head in one], [numbers[head] for head in other]
    return longest_common(a, b, near[: len(a)], near[: len(b)])


def _places(own: list[str], merged: list[str]) -> list[int]:
    """Where the items of a list stand in one that holds it."""
    found = [y for _, y in _common(own, merged)]
    _expect(len(found) == len(own))
    return found


def _as_loop(child: Child) -> Loop:
    """One child as a loop that runs once."""
    return Loop((child,), ("_",), Literal(1, "depth"))


def _expect(holds: bool) -> None:
    if not holds:
        raise Differ


def _expect_equal(terms: list[Any], name: str) -> None:
    first = getattr(terms[0], name)
    _expect(all(getattr(term, name) == first for term in terms))


def _argument(call: Call, name: str) -> Any:
    """The argument of that name, or its default."""
    for argument in call.arguments:
        if argument.name == name:
            return argument.value
    defaults = dict(call.defaults)
    _expect(name in defaults)
    return Literal(defaults[name], name)


def _without_shapes(forward: Forward) -> Forward:
    lines = tuple(Line(line.target, line.expression, "", line.kind) for line in forward.lines)
    return Forward(forward.parameters, lines, forward.result, forward.returns)


def _common_line(lines: tuple[Line, ...]) -> Line:
    first = lines[0]
    same = all(line.shape == first.shape for line in lines)
    return first if same else Line(first.target, first.expression, "", first.kind)


def filled(template: Any, parts: Sequence[Any]) -> Any:
    """A template with what stands in its holes: a term, or a text."""

    def change(term: Any) -> Any:
        if isinstance(term, Hole):
            part = parts[term.index]
            return Expression(part) if isinstance(part, str) else part
        return rebuilt(term, change) if parts_of(term) else term

    return change(template)
