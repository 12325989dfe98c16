"""What the operators of expressions do to values: Python's meaning, inside of the bounds."""

from __future__ import annotations

from cnnspec.compiler.names import Partial
from cnnspec.compiler.values import Failed, bounded, check_length, describe, is_network_value, is_number
from cnnspec.declare import AnySize, spell
from cnnspec.diagnostics import codes
from cnnspec.limits import LIMITS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


_MERGES = {
    "+": "`add(x)` adds values, `add(1)` a number: `use x`, then `add(y)`",
    "-": "`multiply(-1)` and `add(x)` subtract: `use y`, `multiply(-1)`, then `add(x)`",
    "*": "`multiply(x)` multiplies by a value, `multiply(2)` by a number: `use x`, then `multiply(2)`",
    "/": "`multiply(1 / 2)` divides by a number: `use x`, then `multiply(1 / 2)`",
}


def wrong_operand(operator: str, *values: Any) -> Failed:
    if any(map(is_network_value, values)):
        helps = (_MERGES[operator],) if operator in _MERGES else ()
        return Failed(codes.VALUE_IN_EXPRESSION, helps, use=f"be used with `{operator}`")
    return Failed(codes.WRONG_OPERAND, operator=operator, operands=" and ".join(map(describe, values)))


def order(operator: str, left: Any, right: Any) -> bool:
    comparable = (is_number(left) and is_number(right)) or (
        type(left) is type(right) and isinstance(left, (str, list, tuple))
    )
    if not comparable:
        raise wrong_operand(operator, left, right)
    try:
        return bool(_ORDERS[operator](left, right))
    except TypeError:
        raise Failed(codes.WRONG_OPERAND, operator=operator, operands="these items") from None


_ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
}


def equal(left: Any, right: Any) -> bool:
    """Whether two values are equal. A layer that is called with nothing is the layer."""
    if isinstance(right, Partial) and not isinstance(left, Partial):
        left, right = right, left
    return bool(left == right)


def binary(operator: str, left: Any, right: Any) -> Any:
    if is_number(left) and is_number(right):
        return _numeric(operator, left, right)
    if operator == "+":
        for kind in _SEQUENCES:
            if isinstance(left, kind) and isinstance(right, kind):
                check_length(len(left) + len(right))
                return left + right
    if operator == "*" and isinstance(left, (str, list, tuple)) and right.__class__ is int:
        check_length(len(left) * right)
        return left * right
    if operator == "*" and isinstance(right, (str, list, tuple)) and left.__class__ is int:
        return binary("*", right, left)
    raise wrong_operand(operator, left, right)


_SEQUENCES: tuple[Any, ...] = (str, list, tuple)


def _numeric(operator: str, left: Any, right: Any) -> Any:
    if isinstance(left, AnySize) or isinstance(right, AnySize):
        _expect_whole(operator, left, right)
    match operator:
        case "+":
            return bounded(left + right)
        case "-":
            return bounded(left - right)
        case "*":
            return bounded(left * right)
        case "**":
            return _power(left, right)
        case "/":
            return bounded(left / right)
        case "//":
            return bounded(left // right)
    return left % right


def _expect_whole(operator: str, left: Any, right: Any) -> None:
    """A size that depends on the input stays a whole number."""
    if operator == "/":
        raise Failed(codes.SIZE_DIVIDED, left=spell(left), right=spell(right))
    if operator == "**" or left.__class__ is float or right.__class__ is float:
        raise Failed(codes.WRONG_OPERAND, operator=operator, operands=f"{describe(left)} and {describe(right)}")


def _power(base: Any, exponent: Any) -> Any:
    integral = base.__class__ is int and exponent.__class__ is int and exponent >= 0
    if integral and abs(base) > 1 and exponent * (abs(base).bit_length() - 1) > 64:
        raise Failed(codes.INTEGER_TOO_LARGE, limit=LIMITS.integer)
    if base == 0 and exponent < 0:
        raise Failed(codes.DIVISION_BY_ZERO)
    try:
        result = base**exponent if integral else float(base) ** float(exponent)
    except OverflowError:
        raise Failed(codes.INTEGER_TOO_LARGE, limit=LIMITS.integer) from None
    if isinstance(result, complex):
        raise Failed(codes.WRONG_OPERAND, operator="**", operands="a negative number and a fraction")
    return bounded(result)
