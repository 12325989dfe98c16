"""Statements that follow each other alike as `repeat`, or as `for` where numbers differ."""

from __future__ import annotations

from cnnspec.backends.cnn_source.statements import (
    Again,
    Arriving,
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
    Use,
    constants,
    rewrite,
    skeleton,
    unmarked,
)
from cnnspec.record import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Statements = tuple[Statement, ...]
    Orders = Mapping[str, Sequence[str]]

_LONGEST = 12
"""Statements of one pass."""
_NAMES = 4
"""Numbers that differ between passes."""


def looped(statements: Statements, orders: Orders, taken: frozenset[str] = frozenset()) -> Statements:
    """Statements with their runs as loops, inside of others first."""
    inner = tuple(_inside(one, orders, taken) for one in statements)
    found: list[Statement] = []
    position = 0
    while position < len(inner):
        period, passes = _best(inner, position)
        if passes < 2:
            found.append(inner[position])
            position += 1
            continue
        found.append(_loop(inner[position : position + period * passes], period, orders, taken))
        position += period * passes
    return tuple(found)


def _inside(one: Statement, orders: Orders, taken: frozenset[str]) -> Statement:
    match one:
        case Residual():
            return replace(one, body=looped(one.body, orders, taken), shortcut=looped(one.shortcut, orders, taken))
        case Branches():
            return replace(one, branches=tuple(looped(branch, orders, taken) for branch in one.branches))
        case If():
            return replace(one, body=looped(one.body, orders, taken))
    return one


def _best(statements: Statements, start: int) -> tuple[int, int]:
    """The period and the number of passes that save most lines from a statement on."""
    best, saved = (1, 1), 0
    rest = statements[start:]
    for period in range(1, min(_LONGEST, len(rest) // 2) + 1):
        passes = _passes(rest, period)
        if passes < 2:
            continue
        columns = _columns(rest, period, passes)
        cost = period + 2 + (1 if columns else 0)
        if period * passes - cost > saved - (0 if columns or period > 1 else 1) and (passes > 2 or not columns):
            best, saved = (period, passes), period * passes - cost
    return best


def _passes(statements: Statements, period: int) -> int:
    """How often the first statements follow each other in the same form."""
    first = [skeleton(one) for one in statements[:period]]
    if not all(map(_may_repeat, statements[:period])):
        return 1
    passes = 1
    while (passes + 1) * period <= len(statements):
        again = statements[passes * period : (passes + 1) * period]
        if [skeleton(one) for one in again] != first or not all(map(_may_repeat, again)):
            break
        if len(_columns(statements, period, passes + 1)) > _NAMES:
            break
        passes += 1
    return passes


def _may_repeat(statement: Statement) -> bool:
    """Whether a statement binds no name and looks at none."""
    told: list[object] = []

    def note(part: object) -> object:
        if isinstance(part, (Name, Again, Arriving, Learned, Use, Loop, Code)) or getattr(part, "label", ""):
            told.append(part)
        return part

    rewrite(statement, note)
    return not told or all(isinstance(part, (Loop, Code)) for part in told)


def _columns(statements: Statements, period: int, passes: int) -> list[tuple[object, ...]]:
    """The constants that differ between passes, each column once."""
    found: list[tuple[object, ...]] = []
    for column in _all_columns(statements, period, passes):
        key = tuple(_exact(one) for one in column)
        if len(set(key)) > 1 and key not in found:
            found.append(key)
    return found


def _all_columns(statements: Statements, period: int, passes: int) -> list[tuple[Const, ...]]:
    rows = [constants(statements[number * period : (number + 1) * period]) for number in range(passes)]
    return list(zip(*rows))


def _exact(one: Const) -> object:
    return repr(unmarked(one))


def _loop(statements: Statements, period: int, orders: Orders, taken: frozenset[str]) -> Loop:
    passes = len(statements) // period
    every = _all_columns(statements, period, passes)
    keys = _columns(statements, period, passes)
    if not keys:
        return Loop(Const(passes), (), statements[:period])
    names: list[str] = []
    hints = _hints(statements[:period], orders)
    values: list[tuple[object, ...]] = []
    used = set(taken)
    for key in keys:
        number = next(number for number, column in enumerate(every) if tuple(map(_exact, column)) == key)
        name, count = hints[number], 2
        while name in used:
            name, count = f"{hints[number]}{count}", count + 1
        used.add(name)
        names.append(name)
        values.append(tuple(one.value for one in every[number]))
    by_key = dict(zip(keys, names))
    position = iter(every)

    def change(part: object) -> object:
        if not isinstance(part, Const):
            return part
        key = tuple(map(_exact, next(position)))
        return Code(by_key[key]) if key in by_key else part

    body = rewrite(statements[:period], change)
    items = list(values[0]) if len(names) == 1 else [tuple(row) for row in zip(*values)]
    return Loop(Const(items), tuple(names), body)  # type: ignore[arg-type]


def _hints(statements: Statements, orders: Orders) -> list[str]:
    """A name for each constant: that of the argument."""
    found: list[str] = []

    def visit(part: object, name: str) -> None:
        match part:
            case Const():
                found.append(name)
            case tuple():
                for one in part:
                    visit(one, name)
            case Call():
                order = orders.get(part.name) or _order_of(part.name)
                for number, argument in enumerate(part.arguments):
                    own = argument.name or (order[number] if number < len(order) else "value")
                    visit(argument.value, own)
            case Merge():
                visit(part.operands, "factor")
                visit(tuple(argument.value for argument in part.arguments), "dim")
            case Residual() | Branches() | If() | Loop():
                for field in part.__match_args__:
                    visit(getattr(part, field), name)

    visit(statements, "value")
    return found


def _order_of(name: str) -> list[str]:
    from cnnspec.layers import Layer

    layer = Layer.find(name)
    return list(layer.fields) if layer is not None else []
