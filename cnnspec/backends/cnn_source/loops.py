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
    label_of,
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
    for period, passes in _shortest(inner):
        end = position + period * passes
        found += [_loop(inner[position:end], period, orders, taken)] if passes > 1 else inner[position:end]
        position = end
    return tuple(found)


def _shortest(statements: Statements) -> list[tuple[int, int]]:
    """The cut into single statements and loops, each a period and a number of passes, that takes fewest lines."""
    lines = [_height(one) for one in statements]
    best: list[tuple[float, list[tuple[int, int]]]] = [(0, [])]
    for start in range(len(statements) - 1, -1, -1):
        rest = best[0]
        choice = lines[start] + rest[0], [(1, 1), *rest[1]]
        for period, passes, cost in _loops(statements[start:], lines[start:]):
            behind = best[period * passes - 1]
            if cost + behind[0] < choice[0]:
                choice = cost + behind[0], [(period, passes), *behind[1]]
        best.insert(0, choice)
    return best[0][1]


def _height(one: Statement) -> int:
    from cnnspec.backends.cnn_source.text import body_lines

    return sum(1 for _ in body_lines((one,), 0))


def _loops(statements: Statements, lines: list[int]) -> list[tuple[int, int, float]]:
    """The loops that may begin with the first of some statements, and the lines that each takes."""
    found = []
    for period in range(1, min(_LONGEST, len(statements) // 2) + 1):
        for passes in range(2, _passes(statements, period) + 1):
            columns = len(_columns(statements, period, passes))
            if columns and passes < 3:
                continue
            body = sum(lines[:period])
            found.append((period, passes, body + (0 if body == 1 else 2) + 0.7 * columns))
    return found


def _inside(one: Statement, orders: Orders, taken: frozenset[str]) -> Statement:
    match one:
        case Residual():
            return replace(one, body=looped(one.body, orders, taken), shortcut=looped(one.shortcut, orders, taken))
        case Branches():
            return replace(one, branches=tuple(looped(branch, orders, taken) for branch in one.branches))
        case If():
            return replace(one, body=looped(one.body, orders, taken))
    return one


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
        if isinstance(part, (Name, Again, Arriving, Learned, Use, Loop, Code)) or label_of(part):
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
