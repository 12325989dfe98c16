"""Parts of values: items and slices of sequences, and values inside of labelled modules."""

from __future__ import annotations

from cnnspec.compiler.flow import describe_sizes
from cnnspec.compiler.names import Value, Values
from cnnspec.compiler.operators import wrong_operand
from cnnspec.compiler.place import Place
from cnnspec.compiler.values import Failed, describe
from cnnspec.declare import UNKNOWN
from cnnspec.diagnostics import codes
from cnnspec.syntax import tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from cnnspec.source import Span


def item_of(value: Any, index: Any, step: tree.Item, place: Place) -> Any:
    """`value[index]`."""
    if value is UNKNOWN or index is UNKNOWN:
        return UNKNOWN
    if isinstance(value, Value):
        return _no_tuple(value, step.span, place)
    if not isinstance(value, (list, tuple, str)) or index.__class__ is not int:
        raise wrong_operand("[ ]", value, index)
    if not -len(value) <= index < len(value):
        place.sink.report(codes.INDEX_OUT_OF_RANGE, step.index.span, index=index, length=len(value))
        return UNKNOWN
    return value[index]


def _no_tuple(value: Value, span: Span, place: Place) -> Any:
    if value.flow.sizes is not None:
        place.sink.report(codes.NOT_A_TUPLE, span, name=value.name, shape=describe_sizes(value.flow))
    return UNKNOWN


def slice_of(value: Any, ends: list[Any], step: tree.Slice, place: Place) -> Any:
    """`value[start:stop]`."""
    if value is UNKNOWN or UNKNOWN in ends:
        return UNKNOWN
    if isinstance(value, Value):
        return _no_tuple(value, step.span, place)
    whole = all(end is None or end.__class__ is int for end in ends)
    if not isinstance(value, (list, tuple, str)) or not whole:
        raise Failed(codes.WRONG_OPERAND, operator="[ : ]", operands=" and ".join(map(describe, [value, *ends])))
    return value[ends[0] : ends[1]]


def inner_of(value: Any, path: list[tree.Name], node: tree.Access, place: Place) -> Any:
    """`value.label.label`: the value behind a module inside of a labelled one."""
    if value is UNKNOWN:
        return UNKNOWN
    if isinstance(value, (Value, Values)):
        return place.inner_value(value, path, node.span)
    raise Failed(codes.WRONG_OPERAND, operator=".", operands=describe(value))
