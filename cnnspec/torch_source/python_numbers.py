"""Python's functions on numbers: int, float, round, min, max and the like."""

from __future__ import annotations

import ast

from cnnspec.torch_source.machine import Machine
from cnnspec.torch_source.operators import compare
from cnnspec.torch_source.stops import Raised, Stop
from cnnspec.torch_source.values import Tensor, Unknown, depends_on_batch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from cnnspec.torch_source.script import Place

    Native = Callable[[Machine, Place, list[object], dict[str, object]], object]


def first_unknown(values: list[object]) -> Unknown | None:
    return next((value for value in values if isinstance(value, Unknown)), None)


def _number(name: str) -> Native:
    python: dict[str, Callable[..., object]] = {
        "int": int, "float": float, "abs": abs, "round": round, "divmod": divmod, "ord": ord, "chr": chr,
    }  # fmt: skip
    function = python[name]

    def native(m: Machine, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
        unknown = first_unknown(arguments)
        if unknown is not None:
            return unknown
        if any(isinstance(one, Tensor) for one in arguments):
            if name == "abs" or (name == "round" and isinstance(arguments[0], Tensor)):
                return arguments[0]
            return Unknown("a number that the values of a tensor give", place)
        if not all(isinstance(one, (int, float, str)) for one in arguments):
            raise Stop(f"{name}() of this", place)
        if name in ("float", "divmod") and any(depends_on_batch(one) for one in arguments):
            return Unknown("a number that depends on the size of the batch", place)
        try:
            return function(*arguments, **keywords)
        except (TypeError, ValueError, OverflowError, ZeroDivisionError) as error:
            raise Raised(type(error).__name__, str(error)[:100], place) from None

    return native


def _pow(m: Machine, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
    if len(arguments) != 2:
        raise Stop("pow() of three numbers", place)
    return m.binary(ast.Pow, arguments[0], arguments[1], place)


def _choose(largest: bool) -> Native:
    def native(m: Machine, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
        values = m.iterate(arguments[0], place) if len(arguments) == 1 else arguments
        if unknown := first_unknown(values):
            return unknown
        if not values:
            if "default" in keywords:
                return keywords["default"]
            raise Raised("ValueError", "the sequence is empty", place)
        if "key" in keywords:
            raise Stop("`key` of this", place)
        best = values[0]
        for value in values[1:]:
            if isinstance(value, Tensor) or isinstance(best, Tensor):
                raise Stop("min() and max() of tensors", place)
            better = compare(m, ast.Gt if largest else ast.Lt, value, best, place)
            if isinstance(better, Unknown):
                return better
            if better:
                best = value
        return best

    return native


NUMBERS: dict[str, Native] = {
    **{name: _number(name) for name in ("int", "float", "abs", "round", "divmod", "ord", "chr")},
    "pow": _pow,
    "min": _choose(False),
    "max": _choose(True),
}
