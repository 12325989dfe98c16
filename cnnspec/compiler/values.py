"""The values that expressions have: what they are called, and the bounds on them."""

from __future__ import annotations

from cnnspec.declare import UNKNOWN, AnySize, spell
from cnnspec.diagnostics import codes
from cnnspec.layers.base import Parts
from cnnspec.limits import LIMITS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

DEPTH = 8
"""Levels of lists in lists."""


class Failed(Exception):
    """An operation that has no value, with the code, helps and facts to report."""

    def __init__(self, code: codes.Code, helps: tuple[str, ...] = (), **facts: object) -> None:
        super().__init__(code.id)
        self.code, self.helps, self.facts = code, helps, facts


def show_shape(shape: Iterable[int | None] | Parts) -> str:
    """A shape as messages show it: `16 x 5 x 5`, with `_` for what is not known; of a tuple, `(16 x 5 x 5, 10)`."""
    if isinstance(shape, Parts):
        return "(" + ", ".join(map(show_shape, shape)) + ("," if len(shape) == 1 else "") + ")"
    sizes = tuple(shape)
    return " x ".join(map(show_size, sizes)) if len(sizes) != 1 or sizes[0] is None else str(sizes[0])


def show_size(size: int | None) -> str:
    """A size in a shape: `_` where it is not known, in brackets where it is a formula."""
    text = "_" if size is None else str(size)
    return f"({text})" if " " in text else text


def describe(value: object) -> str:
    """What a value is, in words."""
    if isinstance(value, bool):
        return f"`{spell(value)}`"
    if is_network_value(value):
        return "a value of the network"
    if isinstance(value, AnySize):
        return f"`{value}`, which depends on the input"
    names = {int: "a whole number", float: "a decimal number", str: "a string", list: "a list", tuple: "a tuple"}
    if value is None:
        return "`none`"
    if isinstance(value, type):
        return f"the layer `{value.__name__}`"
    return names.get(type(value), f"`{getattr(value, 'name', value)}`")


class NetworkValue:
    """Base of what names stand for that is known when the network runs alone."""

    __slots__ = ()


def is_network_value(value: object) -> bool:
    """Whether a value is one of the network, or the tuple of several that one module gives."""
    return isinstance(value, NetworkValue)


def shorten(text: str, longest: int = 60) -> str:
    """A text for a message, cut off where it is too long for one."""
    return text if len(text) <= longest else text[:longest] + " ..."


def is_number(value: object) -> bool:
    return value.__class__ is int or value.__class__ is float or isinstance(value, AnySize)


def bounded(value: Any) -> Any:
    """A number inside of the limits; raises Failed for one outside, and for infinity."""
    if value.__class__ is int and abs(value) > LIMITS.integer:
        raise Failed(codes.INTEGER_TOO_LARGE, limit=LIMITS.integer)
    if value.__class__ is float and not abs(value) <= 1.7976931348623157e308:
        raise Failed(codes.INTEGER_TOO_LARGE, limit=LIMITS.integer)
    return value


def has_unknown(value: Any) -> bool:
    """Whether a value is UNKNOWN or a sequence that holds it."""
    return value is UNKNOWN or (isinstance(value, (list, tuple)) and any(map(has_unknown, value)))


def weigh(value: Any, depth: int = 0) -> int:
    """Number of items in a nested sequence; raises Failed where there are too many, or too many levels."""
    if depth > DEPTH:
        raise Failed(codes.NESTED_TOO_DEEPLY, limit=DEPTH)
    weight = 0
    for item in value:
        weight += 1 + weigh(item, depth + 1) if item.__class__ in (list, tuple) else 1
        check_length(weight)
    return weight


def check_length(length: int) -> None:
    """Raises Failed where a sequence would be longer than the limit."""
    if length > LIMITS.sequence:
        raise Failed(codes.SEQUENCE_TOO_LONG, limit=LIMITS.sequence)
