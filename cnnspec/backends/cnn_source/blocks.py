"""Bodies as blocks: the uses of one class share a block, numbers that differ are its parameters, absent parts an `if`."""

from __future__ import annotations

from cnnspec.backends.cnn_source.expressing import Parameters
from cnnspec.backends.cnn_source.naming import clean_name
from cnnspec.backends.cnn_source.origins import NOWHERE, Origin
from cnnspec.backends.cnn_source.statements import (
    Argument,
    Arriving,
    Body,
    Branches,
    Call,
    Code,
    Const,
    If,
    Learned,
    Loop,
    Merge,
    Name,
    Residual,
    Statement,
    label_of,
    made_like,
    rewrite,
    skeleton,
)
from cnnspec.layers import Layer
from cnnspec.record import record, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Statements = tuple[Statement, ...]

_FEW = 2 / 3
"""Share of equal statements that two bodies of one class need to become one block."""


@record
class Block:
    """A block that is to be written: parameters with their defaults, Const or None, and its statements."""

    name: str
    parameters: tuple[tuple[str, Const | None], ...]
    statements: tuple[Statement, ...]
    comment: str = ""


class Extraction:
    """The bodies of a network taken out of the places where they stand."""

    def __init__(self, root: Body, origins: Mapping[str, Origin], *, share: bool) -> None:
        self.origins, self.share = origins, share
        self.blocks: list[Block] = []
        self.names: set[str] = set()
        self.root = root
        while True:
            ready = _ready(self.root)
            if not ready:
                break
            self._extract(ready)

    def _extract(self, ready: list[tuple[str, Call]]) -> None:
        """Turn the bodies of one title, or of as many of its uses as are ready, into blocks."""
        every = _titles(self.root)
        counts: dict[str, int] = {}
        for title, _ in ready:
            counts[title] = counts.get(title, 0) + 1
        whole = [title for title in counts if counts[title] == every.count(title)]
        title = (whole or list(counts))[0]
        uses = [call for name, call in ready if name == title]
        made = self._blocks(title, uses)

        self.root = _replaced(self.root, made)  # type: ignore[assignment]

    def _blocks(self, title: str, uses: list[Call]) -> dict[int, Call]:
        """Blocks for the uses of one title, and what stands in their places instead."""
        clusters: list[list[Call]] = []
        for use in uses:
            home = next((one for one in clusters if self.share and _alike(one[0], use)), None)
            if home is None:
                clusters.append([use])
            else:
                home.append(use)
        made: dict[int, Call] = {}
        for cluster in clusters:
            try:
                made |= self._block(title, cluster)
            except Differ:
                for use in cluster:
                    made |= self._block(title, [use])
        return made

    def _name(self, title: str) -> str:
        wish = (
            clean_name("".join(part[:1].upper() + part[1:] for part in title.replace("-", "_").split("_"))) or "Block"
        )
        wish = wish[:1].upper() + wish[1:]
        if Layer.find(wish) is not None:
            wish += "Block"
        name, number = wish, 2
        while name in self.names:
            name, number = f"{wish}{number}", number + 1
        self.names.add(name)
        return name

    def _block(self, title: str, uses: list[Call]) -> dict[int, Call]:
        bodies = [use.body for use in uses]
        origins = [self.origins.get(body.origin.path, NOWHERE) if body else NOWHERE for body in bodies]
        first = bodies[0]
        assert first is not None
        arriving = [use.mark.width for use in uses]
        parameters = Parameters(origins, [*first.takes, *_bound(first.statements)], arriving)
        statements = _Unifier(parameters).unify([body.statements for body in bodies if body is not None])
        name = self._name(title)
        given = list(origins[0].arguments)
        order = sorted(parameters.columns, key=lambda one: given.index(one) if one in given else len(given))
        order.sort(key=lambda one: one in parameters.defaults)
        listed = [(one, Const(parameters.defaults[one]) if one in parameters.defaults else None) for one in order]
        takes: list[tuple[str, Const | None]] = [(one, None) for one in first.takes]
        self.blocks.append(Block(name, (*takes, *listed), statements, origins[0].comment))
        made = {}
        for number, use in enumerate(uses):
            arguments = [Argument("", value) for value in use.values]
            for one, default in listed:
                value = parameters.columns[one][number]
                if default is None:
                    arguments.append(Argument("", Const(value, use.mark.width)))
                elif type(value) is not type(default.value) or value != default.value:
                    arguments.append(Argument(one, Const(value, use.mark.width)))
            made[id(use)] = Call(name, tuple(arguments), use.label, use.mark)
        return made


def _replaced(part: object, made: Mapping[int, Call]) -> object:
    """A copy in which some calls, known by their identity, are others."""
    if isinstance(part, Call) and id(part) in made:
        return made[id(part)]
    if isinstance(part, tuple):
        return tuple(_replaced(one, made) for one in part)
    if isinstance(part, (Call, Body, Residual, Branches, Loop, If)):
        return made_like(part, [_replaced(getattr(part, name), made) for name in part.__match_args__])
    return part


def _ready(root: Body) -> list[tuple[str, Call]]:
    """The calls with bodies in which there are no others, under their titles."""
    found: list[tuple[str, Call]] = []

    def visit(part: object) -> bool:
        if isinstance(part, tuple):
            inside = [visit(one) for one in part]
            return any(inside)
        if isinstance(part, Call):
            inner = part.body is not None and visit(part.body.statements)
            if part.body is not None and not inner:
                found.append((part.name, part))
            return part.body is not None
        if isinstance(part, (Residual, Branches, Loop, If)):
            return visit(tuple(getattr(part, name) for name in part.__match_args__))
        return False

    visit(root.statements)
    return found


def _titles(root: Body) -> list[str]:
    found: list[str] = []

    def visit(part: object) -> None:
        if isinstance(part, tuple):
            for one in part:
                visit(one)
        elif isinstance(part, Call) and part.body is not None:
            found.append(part.name)
            visit(part.body.statements)
        elif isinstance(part, (Residual, Branches, Loop, If)):
            for name in part.__match_args__:
                visit(getattr(part, name))

    visit(root.statements)
    return found


def _bound(statements: object) -> list[str]:
    """Names that statements bind."""
    found: list[str] = []

    def note(part: object) -> object:
        if isinstance(part, Arriving):
            found.extend(part.names)
        elif label_of(part):
            found.append(label_of(part))
        return part

    rewrite(statements, note)
    return found


# --- bodies of one class that differ ---


def _key(statement: Statement) -> object:
    """What two statements need in common to be one statement of a block."""
    if isinstance(statement, Call):
        return ("call", statement.name, statement.label, statement.values)
    if isinstance(statement, Residual):
        return ("residual", statement.label)
    if isinstance(statement, Branches):
        return ("branches", statement.kind, len(statement.branches), statement.label)
    if isinstance(statement, Merge):
        return (statement.kind, tuple(isinstance(one, Const) or one for one in statement.operands), statement.label)
    return skeleton(statement)


def _aligned(lists: Sequence[Statements]) -> list[list[Statement | None]]:
    """The statements of several lists in one order: each place has what every list has there, or None."""
    slots: list[list[Statement | None]] = [[one] for one in lists[0]]
    keys = [_key(one) for one in lists[0]]
    for number, statements in enumerate(lists[1:], 1):
        pairs = _common(keys, [_key(one) for one in statements])
        merged: list[list[Statement | None]] = []
        merged_keys: list[object] = []
        i = j = 0
        for left, right in [*pairs, (len(keys), len(statements))]:
            for slot, key in zip(slots[i:left], keys[i:left]):
                merged.append([*slot, None])
                merged_keys.append(key)
            for one in statements[j:right]:
                merged.append([*[None] * number, one])
                merged_keys.append(_key(one))
            if left < len(keys):
                merged.append([*slots[left], statements[right]])
                merged_keys.append(keys[left])
            i, j = left + 1, right + 1
        slots, keys = merged, merged_keys
    return slots


def _common(first: list[object], second: list[object]) -> list[tuple[int, int]]:
    """The longest common subsequence, as pairs of places."""
    rows = [[0] * (len(second) + 1) for _ in range(len(first) + 1)]
    for i in range(len(first) - 1, -1, -1):
        for j in range(len(second) - 1, -1, -1):
            rows[i][j] = rows[i + 1][j + 1] + 1 if first[i] == second[j] else max(rows[i + 1][j], rows[i][j + 1])
    found, i, j = [], 0, 0
    while i < len(first) and j < len(second):
        if first[i] == second[j]:
            found.append((i, j))
            i, j = i + 1, j + 1
        elif rows[i + 1][j] >= rows[i][j + 1]:
            i += 1
        else:
            j += 1
    return found


def _alike(first: Call, second: Call) -> bool:
    """Whether two bodies have enough in common for one block."""
    one, other = first.body, second.body
    assert one is not None
    assert other is not None
    if one.takes != other.takes:
        return False
    left, right = [_key(part) for part in one.statements], [_key(part) for part in other.statements]
    common = len(_common(left, right))
    if common == len(left) == len(right):
        return True
    learned = any(isinstance(part, (Learned, Arriving)) for part in (*one.statements, *other.statements))
    return not learned and common >= _FEW * max(len(left), len(right))


class _Unifier:
    """Bodies of one class as the statements of a block."""

    def __init__(self, parameters: Parameters) -> None:
        self.parameters = parameters

    def unify(self, lists: Sequence[Statements], arriving: Sequence[int | None] = ()) -> Statements:
        """One list of statements for all. `arriving` are the channels that come to each."""
        found: list[Statement] = []
        waiting: list[Statement] = []
        last: list[bool] = []
        condition = ""
        for slot in _aligned(lists):
            there = [one is not None for one in slot]
            if there != last and waiting:
                found.append(If(condition, tuple(waiting)))
                waiting = []
            if all(there):
                found.append(self._one(slot))
            else:
                if there != last or not condition:
                    condition = self.parameters.condition(there, arriving or _widths(lists), _wish(slot))
                waiting.append(self._one(slot))
            last = there
        if waiting:
            found.append(If(condition, tuple(waiting)))
        return tuple(found)

    def _one(self, slot: Sequence[Statement | None]) -> Statement:
        present = [one for one in slot if one is not None]
        first = present[0]
        match first:
            case Call():
                return replace(first, arguments=self._arguments(first.name, slot))
            case Residual():
                bodies = [one.body if isinstance(one, Residual) else None for one in slot]
                shortcuts = [one.shortcut if isinstance(one, Residual) else None for one in slot]
                arriving = _widths([one or () for one in bodies])
                return Residual(self._inner(bodies, arriving), self._inner(shortcuts, arriving), first.label)
            case Branches():
                count = len(first.branches)
                inner = [
                    self._inner([one.branches[number] if isinstance(one, Branches) else None for one in slot])
                    for number in range(count)
                ]
                return Branches(first.kind, tuple(inner), first.arguments, first.label)
            case Merge():
                operands = tuple(
                    self._value([one.operands[number] if isinstance(one, Merge) else None for one in slot], "factor")
                    for number in range(len(first.operands))
                )
                return Merge(first.kind, operands, first.arguments, first.label)  # type: ignore[arg-type]
            case Learned():
                shape = self._value([one.shape if isinstance(one, Learned) else None for one in slot], "shape")
                return Learned(shape, first.label, first.mark)  # type: ignore[arg-type]
        return first

    def _inner(self, lists: Sequence[Statements | None], arriving: Sequence[int | None] = ()) -> Statements:
        """Bodies inside of a statement, which not all uses need to have."""
        known = [one if one is not None else () for one in lists]
        if all(one is not None for one in lists):
            return self.unify(known, arriving)
        only = [number for number, one in enumerate(lists) if one is not None]
        # Uses without the statement say nothing about what is in it: they go with the first that has it.
        return self.unify([known[number] if number in only else known[only[0]] for number in range(len(known))])

    def _arguments(self, name: str, slot: Sequence[Statement | None]) -> tuple[Argument, ...]:
        calls = [one if isinstance(one, Call) else None for one in slot]
        layer = Layer.find(name)
        order = list(layer.fields) if layer is not None else []
        names: list[str] = []
        count = max(sum(not one.name for one in call.arguments) for call in calls if call is not None)
        for call in calls:
            names += [one.name for one in call.arguments if one.name and one.name not in names] if call else []
        names.sort(key=lambda one: order.index(one) if one in order else len(order))
        found = []
        for position in range(count):
            column = [self._positional(call, position, layer) for call in calls]
            wish = order[position] if position < len(order) else "value"
            found.append(Argument("", self._value(column, clean_name(wish) or "value")))
        for key in names:
            column = [self._named(call, key, layer) for call in calls]
            found.append(Argument(key, self._value(column, clean_name(key) or "value")))
        return tuple(found)

    def _named(self, call: Call | None, key: str, layer: type[Layer] | None) -> object:
        if call is None:
            return None
        value = next((one.value for one in call.arguments if one.name == key), None)
        if value is None and layer is not None:
            return Const(layer.fields[key].default, call.mark.width)
        return value

    def _positional(self, call: Call | None, position: int, layer: type[Layer] | None) -> object:
        if call is None:
            return None
        own = [one.value for one in call.arguments if not one.name]
        if position < len(own):
            return own[position]
        return None if layer is None else Const(list(layer.fields.values())[position].default, call.mark.width)

    def _value(self, column: Sequence[object], wish: str) -> Const | Code | Name:
        given = [one for one in column if one is not None]
        if not all(isinstance(one, Const) for one in given):
            first = given[0]
            if all(one == first for one in given) and isinstance(first, (Code, Name)):
                return first
            raise Differ
        return self.parameters.express([one if isinstance(one, Const) else None for one in column], wish)


class Differ(Exception):
    """Uses of a class that no one block can stand for."""


def _widths(lists: Sequence[Statements]) -> list[int | None]:
    """The channels that arrive at each of several lists, as far as their first statement tells."""
    return [_arriving(statements[0]) if statements else None for statements in lists]


def _arriving(statement: Statement) -> int | None:
    match statement:
        case Call():
            return statement.mark.width
        case Residual() if statement.body:
            return _arriving(statement.body[0])
        case Branches():
            return next((_arriving(branch[0]) for branch in statement.branches if branch), None)
    return None


def _wish(slot: Sequence[Statement | None]) -> str:
    """A name for the parameter that says whether a statement is there."""
    first = next(one for one in slot if one is not None)
    label = label_of(first)
    return clean_name(f"with_{label}" if label else f"with_{getattr(first, 'name', 'more')}".lower()) or "more"
