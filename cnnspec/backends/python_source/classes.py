"""From uses of blocks to classes: uses that differ in numbers share one, which has these as parameters."""

from __future__ import annotations

import keyword
from itertools import combinations

from cnnspec.backends.python_source.alike import Alike, Differ, filled, same
from cnnspec.backends.python_source.loops import with_loops
from cnnspec.backends.python_source.terms import (
    ABSENT,
    Argument,
    Body,
    Call,
    Chain,
    Child,
    Literal,
    Use,
    parts_of,
    rebuilt,
)
from cnnspec.backends.python_source.words import RESERVED, camel, fresh, identifier
from cnnspec.record import record
from cnnspec.syntax import tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any


@record
class Parameter:
    """A parameter of a class: its name and type, and its default where it has one."""

    name: str
    type: str
    default: Literal | None = None


@record
class Class:
    """A class to be written."""

    name: str
    parameters: tuple[Parameter, ...]
    term: Chain | Body
    documentation: str


class Classes:
    """Turns the uses in a term into calls of classes, the innermost first.

    `found` has the classes, each behind those that it needs, and last that of `root`, which is called `name`. `others` are
    the same network for other values of its parameters `varied`, which the class takes; raises Differ where no one class is
    all of them.
    """

    def __init__(
        self, root: Use, name: str, taken: set[str], documentation: str, others: Sequence[Use] = (),
        varied: Sequence[str] = (),
    ) -> None:  # fmt: skip
        self.name, self.documentation = fresh(name, taken), documentation
        self.defaults = {key: value for key, value in root.values if key in varied}
        self.taken = {*taken, self.name}
        self.found: list[Class] = []
        term: Any = Chain(tuple(Child(None, use, "") for use in (root, *others)))
        order = _innermost_first(root)
        if any(set(_innermost_first(use)) - set(order) for use in others):
            raise Differ
        for origin in order:
            uses = _uses_of(term, origin)
            finished = {id(use): with_loops(use.term) for use in uses}
            calls: dict[int, Call] = {}
            for group in _groups(uses, finished):
                base = term.children[0].term
                is_root = any(use is base for use in group.uses)
                if is_root and len(group.uses) <= len(others):
                    raise Differ
                calls.update(self._class(group, base, is_root=is_root))
            term = _replaced(term, calls, origin)

    def _class(self, group: _Group, first: Use, *, is_root: bool) -> dict[int, Call]:
        uses, alike = group.uses, group.alike
        if is_root:
            # The network itself comes first: its shapes are told.
            pairs = sorted(zip(uses, group.terms), key=lambda pair: pair[0] is not first)
            uses, alike = [use for use, _ in pairs], Alike([one for _, one in pairs], shapes_of_first=True)
        name = self.name if is_root else fresh(camel(uses[0].title), self.taken)
        self.taken.add(name)
        parameters, values, texts = _parameters(uses, alike, self.defaults if is_root else _defaults(uses[0]))
        if is_root and {parameter.name for parameter in parameters} - self.defaults.keys():
            raise Differ
        term = filled(alike.template, texts)
        self.found.append(Class(name, parameters, term, self.documentation if is_root else _documentation(uses[0])))
        calls: dict[int, Call] = {}
        for index, use in enumerate(uses):
            arguments = []
            for parameter, of_uses in zip(parameters, values):
                value = of_uses[index]
                named = parameter.name if parameter.default is not None or parameter.type == "bool" else None
                if parameter.default is None or not same(value, parameter.default.value):
                    given: Call | Literal = value if isinstance(value, Call) else Literal(value, parameter.name)
                    arguments.append(Argument(named, given))
            defaults = tuple((p.name, p.default.value) for p in parameters if p.default is not None)
            calls[id(use)] = Call(name, tuple(arguments), defaults)
        return calls


def _innermost_first(root: Any) -> list[Any]:
    """The keys of all uses, each behind those of the uses that it holds."""
    holds: dict[Any, dict[Any, None]] = {}
    seen: set[int] = set()

    def visit(term: Any, around: dict[Any, None]) -> None:
        if isinstance(term, Use):
            around[_key(term)] = None
            around = holds.setdefault(_key(term), {})
            if id(term) in seen:
                return
            seen.add(id(term))
        for part in parts_of(term):
            visit(part, around)

    visit(root, {})
    ordered: dict[Any, None] = {}

    def order(key: Any) -> None:
        if key not in ordered:
            for inner in holds[key]:
                order(inner)
            ordered[key] = None

    order(_key(root))
    return list(ordered)


def _key(use: Use) -> Any:
    return use.origin if isinstance(use.origin, tuple) else id(use.origin)


def _uses_of(root: Any, origin: Any) -> list[Use]:
    found: dict[int, Use] = {}
    seen: set[int] = set()

    def visit(term: Any) -> None:
        if id(term) in seen:
            return
        seen.add(id(term))
        for part in parts_of(term):
            visit(part)
        if isinstance(term, Use) and _key(term) == origin:
            found[id(term)] = term

    visit(root)
    return list(found.values())


class _Group:
    """Uses that are one class."""

    def __init__(self, use: Use, term: Any) -> None:
        self.uses = [use]
        self.terms = [term]
        self.alike = Alike(self.terms)

    def takes(self, use: Use, term: Any) -> bool:
        try:
            alike = Alike([*self.terms, term])
        except Differ:
            return False
        self.uses.append(use)
        self.terms.append(term)
        self.alike = alike
        return True


def _groups(uses: Sequence[Use], finished: dict[int, Any]) -> list[_Group]:
    groups: list[_Group] = []
    # The largest first: the others may leave out a part of it.
    for use in sorted(uses, key=lambda use: -_size(finished[id(use)])):
        term = finished[id(use)]
        if not any(group.takes(use, term) for group in groups):
            groups.append(_Group(use, term))
    return groups


def _size(term: Any) -> int:
    return 1 + sum(map(_size, parts_of(term)))


def _replaced(root: Any, calls: dict[int, Call], origin: Any) -> Any:
    done: dict[int, tuple[Any, Any]] = {}

    def change(term: Any) -> Any:
        if id(term) not in done:
            if id(term) in calls:
                done[id(term)] = term, calls[id(term)]
            elif not parts_of(term):
                done[id(term)] = term, term
            else:
                done[id(term)] = term, rebuilt(term, change)
        return done[id(term)][1]

    return change(root)


# --- parameters ---


def _parameters(
    uses: Sequence[Use], alike: Alike, defaults: Mapping[str, Any]
) -> tuple[tuple[Parameter, ...], list[tuple[Any, ...]], list[str]]:
    """The parameters of a class, the value of each in every use, and what stands in each hole."""
    given = _given(uses)
    texts = [""] * len(alike.holes)
    needed: dict[str, tuple[Any, ...]] = {}
    own: dict[str, tuple[Any, ...]] = {}
    for number, (values, role) in sorted(enumerate(alike.holes), key=lambda hole: _is_test(hole[1][0])):
        known = next((name for name, of_uses in given.items() if _agree(values, of_uses)), None)
        scaled = None if known else _scaled(values, given)
        told = _told(values, {**own, **given}) if _is_test(values) and known is None else None
        if known is not None:
            needed[known] = given[known]
            texts[number] = known
        elif scaled is not None:
            needed[scaled[0]] = given[scaled[0]]
            texts[number] = scaled[1]
        elif told is not None:
            needed.update({name: given[name] for name in told[0] if name in given})
            texts[number] = told[1]
        else:
            name = fresh(_parameter_name(role), {*own, *given})
            own[name] = _whole(values)
            texts[number] = name
    ordered = {**own, **{name: needed[name] for name in given if name in needed}}
    found = [
        Parameter(
            name,
            _type_of([*values, *([defaults[name]] if name in defaults else [])]),
            Literal(defaults[name], name) if name in defaults else None,
        )
        for name, values in ordered.items()
    ]
    found.sort(key=lambda parameter: (parameter.default is not None, parameter.type == "bool"))
    return tuple(found), [ordered[parameter.name] for parameter in found], texts


def _parameter_name(role: str) -> str:
    name = identifier(role or "value")
    return f"{name}_" if keyword.iskeyword(name) or name in RESERVED else name


def _given(uses: Sequence[Use]) -> dict[str, tuple[Any, ...]]:
    """The arguments of a block, each with its value in every use."""
    found: dict[str, tuple[Any, ...]] = {}
    every = [dict(use.values) for use in uses]
    for name in every[0]:
        if all(name in values for values in every) and identifier(name) == name:
            found[name] = tuple(values[name] for values in every)
    return found


def _agree(values: tuple[Any, ...], others: tuple[Any, ...]) -> bool:
    return all(a is ABSENT or (a.__class__ is b.__class__ and a == b) for a, b in zip(values, others))


def _scaled(values: tuple[Any, ...], given: dict[str, tuple[Any, ...]]) -> tuple[str, str] | None:
    """A multiple or a fraction of an argument that is these values, as its name and how it is written."""
    if not all(value is ABSENT or value.__class__ is int for value in values):
        return None
    for name, of_uses in given.items():
        if not all(value.__class__ is int and value > 0 for value in of_uses):
            continue
        pairs = [(a, b) for a, b in zip(values, of_uses) if a is not ABSENT]
        if len(set(pairs)) < 2:
            continue
        a, b = pairs[0]
        if a > b and a % b == 0 and all(one == other * (a // b) for one, other in pairs):
            return name, f"{a // b} * {name}"
        if all(one == other - 1 for one, other in pairs):
            return name, f"{name} - 1"
        for divisor in range(2, 9):
            if all(one == other // divisor for one, other in pairs):
                return name, f"{name} // {divisor}"
    return None


def _is_test(values: tuple[Any, ...]) -> bool:
    return all(value is ABSENT or isinstance(value, bool) for value in values)


def _told(values: tuple[Any, ...], given: dict[str, tuple[Any, ...]]) -> tuple[list[str], str] | None:
    """A condition on arguments that is these truth values, and the arguments that it needs."""
    numbers = {name: of_uses for name, of_uses in given.items() if all(value.__class__ is int for value in of_uses)}
    tests: list[tuple[list[str], str, tuple[bool, ...]]] = []
    for name, of_uses in numbers.items():
        tests += [([name], f"{name} > 0", tuple(value > 0 for value in of_uses))]
        if name == "stride":
            tests += [([name], f"{name} != 1", tuple(value != 1 for value in of_uses))]
    for name, other in combinations(numbers, 2):
        if "in_channels" not in (name, other):
            # Of other numbers it would be chance.
            continue
        differ = tuple(a != b for a, b in zip(numbers[name], numbers[other]))
        tests += [([name, other], f"{name} != {other}", differ)]
    for first, second in combinations(tests, 2):
        if "!=" in first[1] and "!=" in second[1]:
            either = tuple(a or b for a, b in zip(first[2], second[2]))
            tests.append(([*first[0], *second[0]], f"{first[1]} or {second[1]}", either))
    return next(((names, text) for names, text, answers in tests if _agree(values, answers)), None)


def _whole(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """Values with another of them where one is not needed."""
    some = next(value for value in values if value is not ABSENT)
    return tuple(some if value is ABSENT else value for value in values)


def _defaults(use: Use) -> dict[str, Any]:
    """The defaults of a block's parameters that are plain values."""
    definition = use.origin
    if not isinstance(definition, (tree.Block, tree.Model)):
        return {}
    return {
        parameter.name.id: parameter.default.value
        for parameter in definition.parameters
        if isinstance(parameter.default, tree.Literal)
    }


def _type_of(values: Sequence[Any]) -> str:
    kinds = list(dict.fromkeys(map(_kind, values)))
    return " | ".join(kinds)


def _kind(value: Any) -> str:
    if isinstance(value, Call):
        return "nn.Module"
    if value is None:
        return "None"
    if isinstance(value, (tuple, list)):
        inner = list(dict.fromkeys(map(_kind, value)))
        if isinstance(value, list):
            return f"list[{' | '.join(inner)}]"
        return f"tuple[{', '.join(map(_kind, value))}]"
    return str(type(value).__name__)


def _documentation(use: Use) -> str:
    definition = use.origin
    return tree.documentation(definition) if isinstance(definition, (tree.Block, tree.Model)) else ""
