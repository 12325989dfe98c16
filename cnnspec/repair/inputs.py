"""The input of a model as numbers that can be changed."""

from __future__ import annotations

from cnnspec.diagnostics import Edit
from cnnspec.record import record
from cnnspec.syntax import tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cnnspec.repair.case import Case


@record
class Axis:
    """A size of the input, and the number that it is written as: in the input, a default or a `let`."""

    index: int
    value: int
    literal: tree.Literal


def axes(case: Case) -> list[Axis]:
    """The sizes of the input that are numbers one can change, without the channels."""
    given = case.input()
    if given is None:
        return []
    _, statement = given
    found = []
    for index, item in enumerate(statement.shape.items):
        literal = _literal(case, item)
        if index and literal is not None and isinstance(literal.value, int):
            found.append(Axis(index, literal.value, literal))
    return found


def _literal(case: Case, item: tree.Expression) -> tree.Literal | None:
    if isinstance(item, tree.Literal) and item.value.__class__ is int:
        return item
    if not isinstance(item, tree.Name) or not case.models:
        return None
    definition = case.models[0]
    options = [one.default for one in definition.parameters if one.name.id == item.id]
    options += [one.value for one in definition.body.statements if isinstance(one, tree.Let) and one.name.id == item.id]
    return next((one for one in options if isinstance(one, tree.Literal) and one.value.__class__ is int), None)


def resized(case: Case, wanted: dict[int, int]) -> tuple[tuple[Edit, ...], tuple[int, ...]] | None:
    """The edits that give the input other sizes along some axes, and its shape then. None where that can't be said."""
    edits: dict[int, Edit] = {}
    shape = list(case.graph.input or ()) if case.graph is not None else []
    for axis in axes(case):
        if axis.index in wanted:
            edit = Edit(axis.literal.span, str(wanted[axis.index]))
            if edits.setdefault(id(axis.literal), edit).text != edit.text:
                return None
            if axis.index < len(shape):
                shape[axis.index] = wanted[axis.index]
    if not edits or set(wanted) - {axis.index for axis in axes(case)}:
        return None
    return tuple(edits.values()), tuple(shape)
