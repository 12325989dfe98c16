"""Python's operators on constants, each bounded before it is carried out."""

from __future__ import annotations

import ast
import operator

from cnnspec.torch_source.machine import BITS, Machine
from cnnspec.torch_source.stops import Raised, Stop
from cnnspec.torch_source.values import Unknown, depends_on_batch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from cnnspec.torch_source.script import Place

_OPERATIONS: dict[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
    ast.LShift: operator.lshift,
    ast.RShift: operator.rshift,
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
    ast.BitXor: operator.xor,
}
_COMPARISONS: dict[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_SWAPPED: dict[type[ast.AST], type[ast.AST]] = {ast.Lt: ast.Gt, ast.Gt: ast.Lt, ast.LtE: ast.GtE, ast.GtE: ast.LtE}
SIGNS: dict[type[ast.AST], str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%", ast.Pow: "**",
    ast.MatMult: "@", ast.LShift: "<<", ast.RShift: ">>", ast.BitAnd: "&", ast.BitOr: "|", ast.BitXor: "^",
    ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=",
}  # fmt: skip
_SCALARS = (int, float, str, bytes, type(None))
SCALARS = (bool, *_SCALARS)


def is_plain(value: object, budget: int = 2_000) -> bool:
    """Whether a value consists of constants alone, and of few enough to compare or hash it."""
    waiting = [value]
    while waiting:
        part = waiting.pop()
        budget -= 1
        if budget < 0:
            return False
        if isinstance(part, (tuple, list, set, frozenset)):
            waiting.extend(part)
        elif isinstance(part, dict):
            waiting.extend(part)
            waiting.extend(part.values())
        elif not isinstance(part, SCALARS):
            return False
    return True


def calculate(m: Machine, kind: type[ast.AST], left: object, right: object, place: Place) -> object:
    """`left` operator `right` for constants."""
    operation = _OPERATIONS.get(kind)
    if operation is None:
        raise Stop(f"`{SIGNS.get(kind, '?')}` between these values", place)
    if isinstance(left, (int, float)) and isinstance(right, (int, float)):
        _bound_numbers(kind, left, right, place)
        if depends_on_batch(left) or depends_on_batch(right):
            return _with_batch(kind, left, right, place)
    else:
        _bound_sequences(m, kind, left, right, place)
    if kind is ast.Mod and isinstance(left, (str, bytes)):
        return Unknown("a text made by `%`", place) if isinstance(left, bytes) else _percent(m, left, right, place)
    try:
        result: object = operation(left, right)
    except ZeroDivisionError:
        raise Raised("ZeroDivisionError", "division by zero", place) from None
    except (TypeError, ValueError, OverflowError) as error:
        if is_plain(left) and is_plain(right):
            raise Raised(type(error).__name__, str(error)[:100], place) from None
        raise Stop(f"`{SIGNS[kind]}` between these values", place) from None
    return Unknown("a complex number", place) if isinstance(result, complex) else result


def _bound_numbers(kind: type[ast.AST], left: float, right: float, place: Place) -> None:
    bits = 0
    if isinstance(left, int) and isinstance(right, int):
        if kind is ast.Mult:
            bits = left.bit_length() + right.bit_length()
        elif kind is ast.Pow:
            bits = left.bit_length() * abs(right)
        elif kind is ast.LShift:
            bits = left.bit_length() + max(right, 0)
    if bits > BITS:
        raise Stop(f"a number of more than {BITS} bits", place)


def _with_batch(kind: type[ast.AST], left: float, right: float, place: Place) -> object:
    """A number that the size of the batch goes into: exact where the answer is the same for every batch."""
    if kind in (ast.Add, ast.Sub, ast.Mult) and isinstance(left, int) and isinstance(right, int):
        return left + right if kind is ast.Add else left - right if kind is ast.Sub else left * right
    if isinstance(left, int) and isinstance(right, int) and right:
        quotient, rest = divmod(left, right)
        if not rest:
            if kind is ast.FloorDiv:
                return quotient
            if kind is ast.Mod:
                return 0
            if kind is ast.Div and not depends_on_batch(quotient):
                return float(quotient)
    return Unknown("a number that depends on the size of the batch", place)


def _bound_sequences(m: Machine, kind: type[ast.AST], left: object, right: object, place: Place) -> None:
    if kind is ast.Mult:
        if isinstance(right, (list, tuple, str, bytes)):
            left, right = right, left
        if isinstance(left, (list, tuple, str, bytes)) and isinstance(right, int):
            m.spend(len(left) * max(right, 0), place)
    elif (
        kind is ast.Add and isinstance(left, (list, tuple, str, bytes)) and isinstance(right, (list, tuple, str, bytes))
    ):
        m.spend(len(left) + len(right), place)


def compare(m: Machine, kind: type[ast.AST], left: object, right: object, place: Place) -> object:
    """`left` compared with `right`; unknown where the size of the batch would decide."""
    if kind in (ast.Eq, ast.NotEq) and not (is_plain(left) and is_plain(right)):
        if isinstance(left, SCALARS) or isinstance(right, SCALARS) or type(left) is not type(right):
            return kind is ast.NotEq
        if not isinstance(left, (list, tuple, dict, set)):
            return (left is right) == (kind is ast.Eq)
        raise Stop("a comparison of these values", place)
    if not (is_plain(left) and is_plain(right)):
        raise Stop("a comparison of these values", place)
    unclear = _undecided(kind, left, right)
    if unclear:
        return Unknown("a condition on the size of the batch", place)
    try:
        return bool(_COMPARISONS[kind](left, right))
    except TypeError as error:
        raise Raised("TypeError", str(error)[:100], place) from None


def _undecided(kind: type[ast.AST], left: object, right: object) -> bool:
    if isinstance(left, tuple) and isinstance(right, tuple) and len(left) == len(right):
        return any(_undecided(ast.Eq, *pair) for pair in zip(left, right)) and all(
            one == other or _undecided(ast.Eq, one, other) for one, other in zip(left, right)
        )
    if depends_on_batch(left) == depends_on_batch(right):
        # Two sizes of batches agree only where they are the same multiple.
        return False
    number = right if depends_on_batch(left) else left
    if not isinstance(number, (int, float)):
        return False
    # A batch has at least one sample: only its comparison with less than that is decided.
    return number >= 1 if kind in (ast.Eq, ast.NotEq) else not _decided_order(kind, number, swapped=number is left)


def _decided_order(kind: type[ast.AST], number: float, *, swapped: bool) -> bool:
    if swapped:
        kind = _SWAPPED.get(kind, kind)
    return number < 1 or (number == 1 and kind in (ast.GtE, ast.Lt))


def unary(kind: type[ast.AST], value: object, place: Place) -> object:
    """-x, +x and ~x for numbers."""
    if not isinstance(value, (int, float)):
        raise Raised("TypeError", f"bad operand type for unary {type(value).__name__}", place)
    if kind is ast.USub:
        return -value
    if kind is ast.UAdd:
        return +value
    if isinstance(value, int):
        return ~value
    raise Raised("TypeError", "bad operand type for unary ~", place)


# --- texts ---


def show(value: object) -> str | None:
    """`str(value)` for a constant of moderate size; None for anything else."""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and depends_on_batch(value):
        return None
    if is_plain(value, 200):
        try:
            return str(value)
        except ValueError:
            return None
    return None


def formatted(m: Machine, value: object, spec: str, place: Place) -> str | None:
    """`format(value, spec)` for a number or a text, with a width of at most 99."""
    text = show(value)
    if text is None or not spec:
        return text
    digits = "".join(sign if sign.isdigit() else " " for sign in spec)
    if any(len(number) > 2 for number in digits.split()) or not isinstance(value, (int, float, str)):
        return None
    try:
        return format(value, spec)
    except ValueError as error:
        raise Raised("ValueError", str(error)[:100], place) from None


def _percent(m: Machine, template: str, values: object, place: Place) -> object:
    parts = values if isinstance(values, tuple) else (values,)
    digits = "".join(sign if sign.isdigit() else " " for sign in template)
    plain = all(isinstance(part, (int, float, str)) and not depends_on_batch(part) for part in parts)
    if "*" in template or not plain or any(len(number) > 2 for number in digits.split()):
        return Unknown("a text made by `%`", place)
    m.spend(len(template) + sum(len(part) if isinstance(part, str) else 32 for part in parts), place)
    try:
        return template % parts
    except (TypeError, ValueError) as error:
        raise Raised(type(error).__name__, str(error)[:100], place) from None


def join(m: Machine, template: str, arguments: list[object], keywords: dict[str, object], place: Place) -> object:
    """`template.format(...)`: plain fields alone, no attributes or items of the arguments."""
    import re

    parts: list[str] = []
    position = at = 0
    for field in re.finditer(r"\{\{|\}\}|\{(\w*)(?:!\w)?(?::([^{}]*))?\}|[{}]", template):
        parts.append(template[at : field.start()])
        at = field.end()
        if field[0] in ("{{", "}}"):
            parts.append(field[0][0])
            continue
        name = field[1]
        if name is None:
            return Unknown("a text made by format()", place)
        if not name:
            name, position = str(position), position + 1
        value = arguments[int(name)] if name.isdigit() and int(name) < len(arguments) else keywords.get(name)
        text = formatted(m, value, field[2] or "", place)
        if text is None:
            return Unknown("a text made by format()", place)
        m.spend(len(text), place)
        parts.append(text)
    return "".join([*parts, template[at:]])
