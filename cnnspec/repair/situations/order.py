"""Arguments in PyTorch's order, where the width that arrives comes first: one fix for all of a file."""

from __future__ import annotations

from cnnspec import layers
from cnnspec.diagnostics import Edit
from cnnspec.diagnostics.suggestions import Kind
from cnnspec.repair.case import Candidate, Case
from cnnspec.repair.situations.base import situation
from cnnspec.source import Span
from cnnspec.syntax import tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from cnnspec.repair.sites import Part

ORDER = Kind(
    "order",
    "what arrives is not written as an argument of its own: state it as `in -> out`, or leave it out, {where}",
)


@situation
def torch_order(case: Case) -> Iterator[Candidate]:
    """`Conv2d(3, 16, 3)` and `Linear(400, 120)`."""
    if case.found.code.id[:2] not in ("E1", "E2") or case.found.code.id in ("E110", "E117", "E123"):
        return
    habit = [one for one in _statements(case) if looks_so(one)]
    if not habit or (case.layer is not None and case.layer not in habit and not _is_behind(case, habit)):
        return
    every = tuple(edit for one in habit for edit in rewritten(one))
    shown = f"on {case.line(habit[0].span)}" if len(habit) == 1 else f"on {len(habit)} lines"
    yield Candidate(-2.0, ORDER, {"where": shown}, every, "order", habit[0] if len(habit) == 1 else None, sure=True)
    if case.layer in habit and len(habit) > 1:
        one = f"on {case.line(case.layer.span)}"
        yield Candidate(-1.5, ORDER, {"where": one}, rewritten(case.layer), "order of one", case.layer)


def _statements(case: Case) -> Iterator[tree.Layer]:
    part: Part
    for part in case.parts:
        for place in part.places:
            if isinstance(place.statement, tree.Layer) and part.definition.span.source is case.found.span.source:
                yield place.statement


def _is_behind(case: Case, habit: list[tree.Layer]) -> bool:
    return case.layer is not None and any(one.span.start < case.layer.span.start for one in habit)


def looks_so(statement: tree.Layer) -> bool:
    """Whether a layer has one number by position more than it takes, in front."""
    layer = layers.find(statement.name.id)
    if layer is None or not layer.inferred or layer.inferred in layer.fields:
        return False
    if any(one.stated is not None for one in statement.arguments):
        return False
    given = [one for one in statement.arguments if one.name is None]
    named = {one.name.id for one in statement.arguments if one.name is not None}
    required = [name for name, field in layer.fields.items() if field.required]
    filled = [name for name in required if name not in named]
    plain = all(_is_width(one.value) for one in given[:2])
    return plain and len(given) > len(filled) and len(given) >= 2 and layer.inferred not in named


def _is_width(node: tree.Expression) -> bool:
    """Whether an expression can be a number of channels."""
    if isinstance(node, tree.Literal):
        return node.value.__class__ is int
    return not isinstance(node, (tree.Sequence, tree.Conditional))


def rewritten(statement: tree.Layer) -> tuple[Edit, ...]:
    """A layer with its first two arguments as `in -> out`, and those behind the required ones by name."""
    first, second = statement.arguments[0], statement.arguments[1]
    between = Span(first.span.source, first.span.end, second.span.start)
    edits = [Edit(between, " -> ")]
    layer = layers.find(statement.name.id)
    assert layer is not None
    order = list(layer.fields)
    for position, one in enumerate(statement.arguments[1:]):
        if one.name is None and position < len(order) and not layer.fields[order[position]].required:
            edits.append(Edit(Span(one.span.source, one.span.start, one.span.start), f"{order[position]}="))
    return tuple(edits)
