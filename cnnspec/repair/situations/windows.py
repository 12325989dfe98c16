"""A window that is larger than its input, and padding="same" with a stride."""

from __future__ import annotations

from functools import partial

from cnnspec.diagnostics import Edit
from cnnspec.diagnostics.suggestions import ADD, Kind
from cnnspec.graph.nodes import LayerNode
from cnnspec.repair.candidates import whole
from cnnspec.repair.case import Candidate, Case, add_argument, argument, literals
from cnnspec.repair.inputs import axes, resized
from cnnspec.repair.situations.base import WHOLE, factors, situation, smallest, stride_of, unpadded_kernel
from cnnspec.source import Span
from cnnspec.syntax import tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from cnnspec.repair.case import Option
    from cnnspec.repair.sites import Place

LARGER = Kind("larger input", "give it larger images, at least `input {shape}`")
LEAVE_OUT = Kind("leave out", "leave out `{statement}` on {where}, which divides the size by {stride}")
PADDED = Kind("padded", "each convolution without padding makes the map smaller: give all of them padding")
SAME = Kind("same", "with a stride, PyTorch wants the padding as a number")
ROWS = Kind("rows", "leave out {text} on {where}: the map is used up by then")
WITHOUT_WINDOW = Kind(
    "without window", "in PyTorch's order `{given}` are channels that arrive and that are given; give a window"
)
_LARGE_WINDOW = 8
"""From this number on a window is unusual."""
_LARGEST = 8192
_LARGER = 0.2


@situation
def too_small(case: Case) -> Iterator[Candidate | Option]:
    """The map has become too small for a window."""
    shape, statement, place = case.arrives, case.layer, case.place
    if case.found.code.id not in ("E204", "E207") or statement is None or place is None or shape is None:
        return
    kernel = argument(statement, place.part, "kernel_size")
    sizes = shape[1:]
    divided = factors(case, statement)
    reason = ""
    if divided and max(divided) > 1 and sizes:
        reason = f"the size was divided by {max(divided)} on the way, {min(sizes)} is left; "
    if kernel is not None and sizes and len(set(sizes)) == 1:
        for literal in literals(kernel.value):
            edits = (Edit(literal.span, str(sizes[0])),)
            yield Candidate(-0.9, WHOLE, {"reason": reason, "size": sizes[0]}, edits, id(literal), statement)
            break
    if axes(case):
        yield _LARGER, partial(_larger, case)
    yield from _less(case, statement)


@situation
def keeps_the_size(case: Case) -> Iterator[Candidate]:
    """A convolution without padding whose stated size is the one that it gives with half of its window as padding."""
    statement, place, node = case.layer, case.place, case.node(case.layer) if case.layer is not None else None
    said = case.found.facts.get("declared")
    kernel = unpadded_kernel(statement, place) if statement is not None and place is not None else None
    if case.found.code.id != "E202" or kernel is None or not isinstance(node, LayerNode) or not isinstance(said, tuple):
        return
    stride, arrives = stride_of(node), case.arrives or _stated_before(place)
    if stride is None or len(arrives) != len(said) or statement is None:
        return
    padded = [(size - 1) // step + 1 for size, step in zip(arrives[1:], stride)]
    if padded == [*said[1:]]:
        # A stride as well may be what is wrong.
        cost = -0.9 if max(stride) == 1 else -0.3
        edits = (add_argument(statement, f"padding={kernel // 2}"),)
        facts: dict[str, object] = {"name": "padding", "value": kernel // 2, "where": case.line(statement.span)}
        yield Candidate(cost, ADD, facts, edits, ("add", "padding", id(statement)), statement)


def _stated_before(place: Place | None) -> tuple[int, ...]:
    """What the statement in front says that it gives, in numbers: after an error, that is as likely as what was found."""
    before = place.siblings[place.index - 1] if place is not None and place.index else None
    tail = getattr(before, "tail", None)
    return tuple(int(one.value or 0) for one in literals(tail.annotation)) if tail is not None else ()


@situation
def channels_for_a_window(case: Case) -> Iterator[Candidate]:
    """`Conv2d(3, 32)` in PyTorch's order and without its window: 3 channels arrive, 32 are to be given."""
    statement = case.layer
    if case.found.code.id not in ("E204", "E203", "E202") or statement is None:
        return
    for node in case.nodes_before(statement)[::-1]:
        place = case.place_of(node.span)
        one = place.statement if place is not None else None
        if not isinstance(one, tree.Layer) or not one.name.id.startswith("Conv") or len(one.arguments) < 2:
            continue
        first, second = (given.value for given in one.arguments[:2])
        if any(given.name is not None for given in one.arguments[:2]) or not _is_number(second, _LARGE_WINDOW):
            continue
        if node.input is not None and isinstance(first, tree.Literal) and first.value == node.input[0]:
            edits = (Edit(first.span, second.span.text), Edit(second.span, "3"))
            facts: dict[str, object] = {"given": f"{first.span.text}, {second.span.text}"}
            yield Candidate(-1.3, WITHOUT_WINDOW, facts, edits, "torch order", one, goes_on=True)
            return


def _is_number(node: tree.Expression, least: int) -> bool:
    return isinstance(node, tree.Literal) and isinstance(node.value, int) and node.value >= least


@situation
def rows_left_out(case: Case) -> Iterator[Candidate]:
    """A loop whose last passes find no map any more."""
    if case.found.code.id not in ("E204", "E207"):
        return
    for place in case.places:
        loop = place.statement
        rows = loop.values.items if isinstance(loop, tree.For) and isinstance(loop.values, tree.Sequence) else ()
        at = next((i for i, row in enumerate(rows) if row.span in case.labelled), 0)
        if at:
            gone = Span(loop.span.source, rows[at - 1].span.end, rows[-1].span.end)
            facts: dict[str, object] = {"text": gone.text.lstrip(", "), "where": case.line(gone)}
            yield Candidate(0.3, ROWS, facts, (Edit(gone, ""),), "rows")


@situation
def unpadded(case: Case) -> Iterator[Candidate]:
    """A map that convolutions without padding have used up, not strides and pools."""
    statement, place = case.layer, case.place
    if case.found.code.id != "E204" or statement is None or place is None:
        return
    if max(factors(case, statement), default=1) > 1:
        return
    edits = []
    for one in case.places:
        inside = one.part is place.part and one.statement.span.start <= statement.span.start
        kernel = unpadded_kernel(one.statement, one) if inside else None
        if kernel is not None and isinstance(one.statement, tree.Layer):
            edits.append(add_argument(one.statement, f"padding={kernel // 2}"))
    if len(edits) > 1:
        yield Candidate(-0.3, PADDED, {}, tuple(edits), "padding")


def _larger(case: Case) -> Candidate | None:
    """The smallest images that are large enough."""
    given = axes(case)

    def fits(size: int) -> bool:
        changed = resized(case, {axis.index: max(size, axis.value) for axis in given})
        result = case.attempt(changed[0]) if changed is not None else None
        return result is not None and result.failed is None

    size = smallest(fits, min(axis.value for axis in given), _LARGEST)
    changed = resized(case, {axis.index: max(size, axis.value) for axis in given}) if size is not None else None
    if changed is None:
        return None
    edits, shape = changed
    return Candidate(_LARGER, LARGER, {"shape": f"[{', '.join(map(str, shape))}]"}, edits, "input")


def _less(case: Case, statement: tree.Layer) -> Iterator[Candidate]:
    """The nearest layer that does nothing but make the map smaller, left out."""
    for node in case.nodes_before(statement)[:12]:
        stride = stride_of(node)
        place = case.place_of(node.span)
        if stride is not None and max(stride) > 1 and "Pool" in node.title and place is not None:
            facts: dict[str, object] = {
                "statement": node.span.text, "where": case.line(node.span), "stride": max(stride),
            }  # fmt: skip
            yield Candidate(0.4, LEAVE_OUT, facts, (Edit(whole(place.statement.span), ""),), "leave out")
            return


@situation
def same_with_stride(case: Case) -> Iterator[Candidate]:
    """padding="same" on a layer that strides."""
    statement, place = case.layer, case.place
    if case.found.code.id != "E210" or statement is None or place is None:
        return
    padding, kernel = (argument(statement, place.part, name) for name in ("padding", "kernel_size"))
    if padding is None or kernel is None or not isinstance(padding.value, tree.Literal):
        return
    if padding.value.value != "same":
        return
    numbers = [int(literal.value or 0) for literal in literals(kernel.value)]
    half = [number // 2 if number % 2 else (number - 1) // 2 for number in numbers]
    text = f"{kernel.value.span.text} // 2" if not half else str(half[0]) if len(set(half)) == 1 else str(tuple(half))
    yield Candidate(-1.0, SAME, {}, (Edit(padding.value.span, text),), "same", statement)
