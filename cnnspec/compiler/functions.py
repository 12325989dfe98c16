"""The functions that expressions may call. They raise TypeError or ValueError for arguments that they do not take."""

from __future__ import annotations

from math import log2, sqrt

from cnnspec.compiler.values import Failed, bounded, check_length, describe, is_number, shorten
from cnnspec.declare import AnySize, spell
from cnnspec.diagnostics import codes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any


def _numbers(values: Iterable[Any]) -> list[Any]:
    numbers = list(values)
    if not all(map(is_number, numbers)):
        raise TypeError
    return numbers


def _extreme(choose: Callable[[list[Any]], Any]) -> Callable[..., Any]:
    def function(*values: Any) -> Any:
        items = values[0] if len(values) == 1 and isinstance(values[0], (list, tuple)) else values
        return choose(_numbers(items))

    return function


def _number(value: Any) -> Any:
    if not (is_number(value) or isinstance(value, bool)):
        raise TypeError
    return value


def _whole(value: Any) -> int:
    return value if isinstance(value, AnySize) else int(_number(value))


def _round(value: Any, digits: Any = None) -> Any:
    if digits is not None and (digits.__class__ is not int or abs(digits) > 400):
        raise TypeError
    return bounded(round(_numbers([value])[0], digits))


def _floor(value: Any) -> int:
    number = _numbers([value])[0]
    if isinstance(number, AnySize):
        return number
    return int(bounded(number // 1 if number.__class__ is int else int(number) - (number < int(number))))


def _sum(values: Any) -> Any:
    return bounded(sum(_numbers(_sequence(values))))


def _len(values: Any) -> int:
    return len(values if isinstance(values, str) else _sequence(values))


def _range(*bounds: Any) -> list[int]:
    if any(isinstance(bound, AnySize) for bound in bounds):
        shown = ", ".join(map(str, bounds))
        raise Failed(codes.SIZE_DECIDES, what=f"`range({shown})` would be of another length", fix="write a number")
    if not all(bound.__class__ is int for bound in bounds):
        raise TypeError
    numbers = range(*bounds)
    steps = (numbers.stop - numbers.start) // numbers.step
    check_length(steps)
    return list(numbers)


def _enumerate(values: Any) -> list[tuple[int, Any]]:
    return list(enumerate(_sequence(values)))


def _zip(*sequences: Any) -> list[tuple[Any, ...]]:
    """Python's zip, of sequences that are equally long."""
    return list(zip(*map(_sequence, sequences), strict=True))


def _sequence(values: Any) -> Any:
    if not isinstance(values, (list, tuple)):
        raise TypeError
    return values


def _of_float(function: Callable[[float], float]) -> Callable[[Any], float]:
    def apply(value: Any) -> float:
        return function(float(_numbers([value])[0]))

    return apply


def problem(function: str, arguments: list[Any]) -> str:
    """What a function takes, and what it was given instead."""
    plain = (bool, int, float, str, list, tuple, type(None))
    given = [spell(value) if isinstance(value, plain) else describe(value) for value in arguments]
    return f"{_USAGE[function]}; given {shorten(', '.join(given)) or 'nothing'}"


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "min": _extreme(min),
    "max": _extreme(max),
    "abs": lambda value: abs(_numbers([value])[0]),
    "round": _round,
    "int": lambda value: bounded(_whole(value)),
    "float": lambda value: float(_number(value)),
    "ceil": lambda value: -_floor(-_numbers([value])[0]),
    "floor": _floor,
    "len": _len,
    "sum": _sum,
    "range": _range,
    "enumerate": _enumerate,
    "zip": _zip,
    "sqrt": _of_float(sqrt),
    "log2": _of_float(log2),
}
_USAGE = {
    "min": "takes numbers, or one list of them",
    "max": "takes numbers, or one list of them",
    "abs": "takes one number",
    "round": "takes a number and, if wanted, a number of digits",
    "int": "takes one number",
    "float": "takes one number",
    "ceil": "takes one number",
    "floor": "takes one number",
    "len": "takes one list, tuple or string",
    "sum": "takes one list of numbers",
    "range": "takes one to three whole numbers, a step other than 0",
    "enumerate": "takes one list or tuple",
    "zip": "takes lists or tuples that are equally long",
    "sqrt": "takes one number that is not negative",
    "log2": "takes one number above 0",
}
