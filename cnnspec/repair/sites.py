"""Where a spec can be changed: its numbers, each with what it is, and its statements with their neighbours."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from itertools import islice

from cnnspec import layers
from cnnspec.compiler.names import Block, Deferred, Scope
from cnnspec.record import record
from cnnspec.source import Span
from cnnspec.syntax import tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any


class Part:
    """A model or block that takes part in an error, and the names that it sees. `block` is None for a model."""

    def __init__(self, definition: tree.Model | tree.Block, scope: Scope, block: Block | None) -> None:
        self.definition, self.scope, self.block = definition, scope, block
        self.handed: dict[str, tuple[str, Part | Scope]] = {}
        """What its parameters stand for in its first use: names, and where those are to be looked for."""
        self._places: list[Place] | None = None
        self._lets: dict[str, tree.Expression] | None = None

    @property
    def lets(self) -> dict[str, tree.Expression]:
        """The values that its `let` give names, the first of each name."""
        if self._lets is None:
            self._lets = {}
            for place in self.places:
                if isinstance(place.statement, tree.Let):
                    self._lets.setdefault(place.statement.name.id, place.statement.value)
        return self._lets

    @property
    def places(self) -> list[Place]:
        """Every statement, those inside of others behind them, in the order of the text."""
        if self._places is None:
            self._places = []
            _collect(self.definition.body, self, self._places)
        return self._places


_ALIASES = 8
"""How often a name is followed that stands for another one."""
MOST = 40
"""Numbers of one statement that are looked at: the rest of a long list is no slip."""


@record
class Place:
    """A statement, the part that it is in, and where it stands in its body."""

    statement: tree.Statement
    part: Part
    siblings: tuple[tree.Statement, ...]
    index: int


@record
class Site:
    """A whole number that is written in a spec.

    `field` is the argument, parameter or name that it gives a value to, "" for an operand of an expression; `kind` is
    argument, stated (a width that is declared), input, table, let, default, condition or count.
    """

    node: tree.Literal
    field: str
    kind: str
    owner: tree.Statement | tree.Parameter | tree.Setting
    part: Part | None
    """Where the owner is; None for a constant of the file."""
    uses: frozenset[str] = frozenset()
    """The arguments of layers that it ends as, through parameters of blocks; empty where nothing is known of that."""


def parts_of(start: Part, more: Iterable[tuple[str, Scope]] = ()) -> list[Part]:
    """A part and every block that it uses, itself or through others and constants; `more` are further names to look at."""
    found, seen = [start], {id(start.definition)}
    left = [*((name, start.scope) for name in names_in(start.definition)), *more]
    for name, scope in left:
        binding = scope.find(name)
        value = binding.value if binding else None
        definition = getattr(value, "definition", None)
        if not isinstance(value, (Block, Deferred)) or id(definition) in seen:
            continue
        seen.add(id(definition))
        if isinstance(value, Block):
            found.append(Part(value.definition, value.scope, value))
        left += [(inner, value.scope) for inner in names_in(definition)]
    return found


def hand_over(parts: list[Part], variants: Iterable[tree.Variant], scope: Scope) -> None:
    """Tell parts what their parameters stand for: other blocks and layers, by the first of their uses."""
    by_definition = {id(part.definition): part for part in parts}
    uses: list[tuple[str, tuple[tree.Argument, ...], Part | Scope]] = []
    uses += [(one.base.id, one.arguments, scope) for one in variants]
    for part in parts:
        for place in part.places:
            statement = place.statement
            call = statement.value if isinstance(statement, tree.Let) else statement
            if isinstance(call, (tree.Layer, tree.Call)):
                uses.append((call.name.id, call.arguments, part))
    for name, arguments, home in uses:
        found = scope.find(name) if isinstance(home, Scope) else None
        target = found.value if found is not None else target_of(name, home)[0] if isinstance(home, Part) else None
        if not isinstance(target, Block) or id(target.definition) not in by_definition:
            continue
        used = by_definition[id(target.definition)]
        fields = list(target.signature.fields) if isinstance(home, Scope) else fields_of(name, home)[0]
        for position, argument in enumerate(arguments):
            field = argument.name.id if argument.name else fields[position] if position < len(fields) else ""
            value = argument.value.name if isinstance(argument.value, tree.Call) else argument.value
            if isinstance(value, tree.Name):
                used.handed.setdefault(field, (value.id, home))


def constants_of(parts: list[Part], variants: list[tuple[str, Scope]]) -> list[Deferred]:
    """The variants of models, and the constants of files that they and some parts use, themselves or through others."""
    seen: dict[Deferred, None] = {}
    left = variants + [(name, part.scope) for part in parts for name in names_in(part.definition)]
    for name, scope in left:
        binding = scope.find(name)
        found = binding.value if binding else None
        if isinstance(found, Deferred) and found not in seen:
            seen[found] = None
            left += [(inner, found.scope) for inner in names_in(found.definition.value)]
    return list(seen)


def names_in(node: Any, *, bound: bool = True) -> Iterator[str]:
    """The names in a part of the tree, with or without those that it gives."""
    return (found.id for found in tree.walk(node, bound=bound) if found.__class__ is tree.Name)


def innermost(part: Part, span: Span) -> Place | None:
    """The smallest statement of a part that holds a piece of text."""
    at = innermost_index(part, span)
    return None if at is None else part.places[at]


def innermost_index(part: Part, span: Span) -> int | None:
    """Which of a part's places that is."""
    own = part.definition.span
    if span.source is not own.source or not own.start <= span.start <= span.end <= own.end:
        return None
    every = part.places
    at = bisect_right(every, span.start, key=lambda place: place.statement.span.start)
    while at:
        at -= 1
        own = every[at].statement.span
        if own.start <= span.start and span.end <= own.end:
            return at
    return None


def _collect(body: tree.Body, part: Part, found: list[Place]) -> None:
    for index, statement in enumerate(body.statements):
        found.append(Place(statement, part, body.statements, index))
        for inner in bodies(statement):
            _collect(inner, part, found)


def bodies(statement: tree.Statement) -> list[tree.Body]:
    """The bodies inside of a statement."""
    match statement:
        case tree.For() | tree.Repeat():
            return [statement.body]
        case tree.If():
            return [arm for _, arm in statement.arms] + ([statement.otherwise] if statement.otherwise else [])
        case tree.Residual():
            return [statement.body] + ([statement.shortcut] if statement.shortcut else [])
        case tree.Merge():
            return [statement.branches] if statement.branches else []
        case tree.Branch():
            return [statement.body]
    return []


def defaults(part: Part) -> Iterator[Site]:
    """The numbers in the defaults of a part's parameters."""
    for parameter in part.definition.parameters:
        if parameter.default is not None:
            for node, field in islice(numbers(parameter.default, parameter.name.id), MOST):
                yield Site(node, field, "default", parameter, part)


def sites(place: Place) -> Iterator[Site]:
    """The numbers of one statement, without those of statements inside of it and of its annotation."""
    statement, part = place.statement, place.part
    for node, field, kind in islice(_written(statement, part), MOST):
        yield Site(node, field, kind, statement, part)


def _written(statement: tree.Statement, part: Part) -> Iterator[tuple[tree.Literal, str, str]]:
    match statement:
        case tree.Layer():
            yield from _arguments(statement, part)
        case tree.Merge():
            for argument in statement.arguments:
                for node, _ in numbers(argument.value, ""):
                    yield node, "dim", "argument"
        case tree.Weight():
            for node, _ in numbers(statement.shape, ""):
                yield node, "size", "argument"
        case tree.Let():
            for node, field in numbers(statement.value, statement.name.id):
                yield node, field, "let"
        case tree.Repeat():
            for node, field in numbers(statement.count, "depth"):
                yield node, field, "count"
        case tree.For():
            for node, field in _table(statement):
                yield node, field, "table"
        case tree.If():
            for test, _ in statement.arms:
                for node, _ in numbers(test, ""):
                    yield node, "", "condition"
        case tree.Input():
            for node, _ in numbers(statement.shape, ""):
                yield node, "", "input"
            for condition in statement.conditions:
                for node, _ in numbers(condition, ""):
                    yield node, "", "where"


def _arguments(statement: tree.Layer, part: Part) -> Iterator[tuple[tree.Literal, str, str]]:
    names, inferred = fields_of(statement.name.id, part)
    for position, argument in enumerate(statement.arguments):
        field = argument.name.id if argument.name else names[position] if position < len(names) else ""
        kind = "stated" if field == inferred and inferred else "argument"
        for node, name in numbers(argument.value, field):
            yield node, name, kind
        if argument.stated is not None:
            for node, name in numbers(argument.stated, inferred or field):
                yield node, name, "stated"


def fields_of(name: str, part: Part) -> tuple[list[str], str]:
    """The parameters of a layer or block that are still to be given, in their order, and the one that the input determines."""
    target, given = target_of(name, part)
    if isinstance(target, Block):
        every, inferred = list(target.signature.fields), ""
    elif target is not None:
        every, inferred = list(target.fields), target.inferred
    else:
        return [], ""
    for one in given:
        if one.name is None and every:
            every.pop(0)
        elif one.name is not None and one.name.id in every:
            every.remove(one.name.id)
    return every, inferred if inferred in every else ""


def target_of(name: str, part: Part) -> tuple[Block | type[layers.Layer] | None, list[tree.Argument]]:
    """What a name runs, and what that is given where the name gets its value: `let Unit = ConvBN(activation=SiLU)`."""
    given: list[tree.Argument] = []
    lets, scope, handed = part.lets, part.scope, part.handed
    for _ in range(_ALIASES):
        written = lets.get(name)
        if written is None and name in handed:
            name, home = handed[name]
            lets, scope, handed = (home.lets, home.scope, home.handed) if isinstance(home, Part) else ({}, home, {})
            continue
        if written is None:
            found = scope.find(name)
            value = found.value if found is not None else None
            if isinstance(value, Block):
                return value, given
            if not isinstance(value, Deferred):
                break
            written, scope, lets, handed = value.definition.value, value.scope, {}, {}
        if isinstance(written, tree.Call):
            given = [*written.arguments, *given]
        elif not isinstance(written, tree.Name):
            return None, []
        name = written.name.id if isinstance(written, tree.Call) else written.id
    return layers.find(name), given


def _table(statement: tree.For) -> Iterator[tuple[tree.Literal, str]]:
    names = [name.id for name in statement.targets]
    rows = statement.values.items if isinstance(statement.values, tree.Sequence) else (statement.values,)
    for row in rows:
        if isinstance(row, tree.Sequence) and len(row.items) == len(names):
            for item, name in zip(row.items, names):
                yield from numbers(item, name)
        else:
            yield from numbers(row, names[0])


def numbers(node: tree.Expression | None, field: str) -> Iterator[tuple[tree.Literal, str]]:
    """The whole numbers in an expression; those that are operands lose the field that the whole of it gives."""
    match node:
        case tree.Literal() if node.value.__class__ is int:
            yield node, field
        case tree.Sequence():
            for item in node.items:
                yield from numbers(item, field)
        case tree.Chain():
            for item, role in zip(node.operands, _idioms(node, field)):
                yield from numbers(item, role)
        case tree.Unary():
            yield from numbers(node.operand, "")
        case tree.Group():
            yield from numbers(node.value, field)
        case tree.Conditional():
            yield from numbers(node.then, field)
            yield from numbers(node.test, "")
            yield from numbers(node.otherwise, field)
        case tree.Access():
            yield from numbers(node.value, field)
            for step in node.steps:
                if isinstance(step, tree.Item):
                    yield from numbers(step.index, field)
                elif isinstance(step, tree.Slice):
                    yield from numbers(step.start, SLICE)
                    yield from numbers(step.stop, SLICE)
        case tree.Comprehension():
            yield from numbers(node.item, "")
            yield from numbers(node.values, "")
            yield from numbers(node.condition, "")
        case tree.Call():
            layer = layers.find(node.name.id)
            names = list(layer.fields) if layer is not None else []
            for position, argument in enumerate(node.arguments):
                name = names[position] if position < len(names) else ""
                yield from numbers(argument.value, argument.name.id if argument.name else name)


HALF, POWER = "half of a window", "base of powers"
"""What operands are called that are nearly always 2: `kernel_size // 2` as padding, and `2**i` channels."""
SLICE = "end of a slice"
"""What a number is called that decides how long a sequence is: `widths[:4]`."""


def _idioms(node: tree.Chain, field: str) -> list[str]:
    """What the operands of an expression are for; "" where nothing is known of that."""
    roles = [""] * len(node.operands)
    for index, operator in enumerate(node.operators):
        if operator == "//" and field == "padding":
            roles[index + 1] = HALF
        if operator == "**":
            roles[index] = POWER
    return roles


def _touched(nodes: tuple[Any, ...], where: Span) -> tuple[int, int]:
    """Which nodes, in the order of the text, have to do with a piece of it: from one to in front of another."""
    if len(nodes) < 32 or not hasattr(nodes[0], "span"):
        return 0, len(nodes)
    low = bisect_left(nodes, where.start, key=lambda node: node.span.end)
    return low, bisect_right(nodes, where.end, key=lambda node: node.span.start)


def replaced(node: Any, changes: dict[int, tuple[Any, ...]], where: Span) -> Any:
    """The tree with the nodes of `changes` (by id) replaced by several, one or none; it shares what is outside `where`."""
    if node.__class__ is tuple:
        low, high = _touched(node, where)
        items: list[Any] = []
        for item in node[low:high]:
            items += changes[id(item)] if id(item) in changes else (replaced(item, changes, where),)
        return (*node[:low], *items, *node[high:])
    if id(node) in changes:
        return changes[id(node)][0]
    span = getattr(node, "span", None)
    if span is None and not isinstance(node, tree.Tail):
        return node
    if span is not None and (span.end < where.start or span.start > where.end):
        return node
    fields = node.__match_args__
    return type(node)(*[replaced(getattr(node, field), changes, where) for field in fields])
