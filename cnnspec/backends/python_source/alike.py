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
    Forward,
    Hole,
    Line,
    Literal,
    Loop,
    Optional,
    Use,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any


class Differ(Exception):
    """Terms differ in more than numbers."""


class Alike:
    """A template of several terms. `holes` has for each hole its value in every term, and the role of the value."""

    def __init__(self, terms: Sequence[Any]) -> None:
        self.holes: list[tuple[tuple[Any, ...], str]] = []
        self.template = self._unify(tuple(terms))

    def _hole(self, values: tuple[Any, ...], role: str) -> Hole:
        """The hole with these values; one that says the same where both say something."""
        for index, (known, known_role) in enumerate(self.holes):
            both = [(a, b) for a, b in zip(known, values) if not (a is ABSENT or b is ABSENT)]
            if both and all(_same(a, b) for a, b in both):
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
            if all(_same(term.value, first.value) for term in present):
                return first
            return self._hole(tuple(t if t is ABSENT else t.value for t in terms), first.role)
        kinds = {type(term) for term in present}
        if kinds == {Call, Literal} or kinds == {Chain, Literal}:
            return self._optional(terms)
        if kinds == {Child, Loop}:
            return self._unify(tuple(_as_loop(t) if isinstance(t, Child) else t for t in terms))
        if len(kinds) != 1:
            raise Differ
        return self._same_kind(first, terms, present)

    def _same_kind(self, first: Any, terms: tuple[Any, ...], present: list[Any]) -> Any:
        if isinstance(first, Call):
            return self._calls(first, terms, present)
        if isinstance(first, Chain):
            return Chain(self._each(terms, "children"))
        if isinstance(first, Child):
            _expect_equal(present, "label")
            shapes = {term.shape for term in present}
            return Child(first.label, self._field(terms, "term"), first.shape if len(shapes) == 1 else "")
        if isinstance(first, Loop):
            _expect_equal(present, "variables")
            return Loop(self._each(terms, "children"), first.variables, self._field(terms, "values"))
        if isinstance(first, Body):
            return self._bodies(first, terms, present)
        if isinstance(first, Optional):
            return Optional(self._field(terms, "term"), self._field(terms, "test"))
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
        return Call(first.target, tuple(arguments), first.defaults)

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
        if any(term.forward != forward for term in present):
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


def _same(one: Any, other: Any) -> bool:
    """Whether two values are the same, as Python writes them: 1, 1.0 and true are not."""
    return bool(one.__class__ is other.__class__ and one == other and repr(one) == repr(other))


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
