"""What is missing in between: upsampling in a decoder, a map laid out as a sequence, the values that attention compares."""

from __future__ import annotations

from cnnspec.diagnostics import Edit
from cnnspec.diagnostics.suggestions import INSERT, NUMBER, Kind
from cnnspec.repair.candidates import brief
from cnnspec.repair.case import Candidate, Case, argument, in_front, literals
from cnnspec.repair.sites import Place
from cnnspec.repair.situations.base import situation
from cnnspec.source import Span
from cnnspec.syntax import tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

UPSAMPLE = Kind("upsample", "make the map {factor} times as large{behind}: `{text}`")
COLUMNS = Kind("columns", "read the columns of the map one after the other: put `{text}` in front of `{statement}`")
ITSELF = Kind("itself", "let it compare the value with itself: `{text}`")
PROJECTED = Kind("shortcut", "give the residual on {where} a shortcut: `shortcut {{ {text} }}`")


def _put(case: Case, place: Place, text: str, cost: float, key: str) -> Candidate:
    statement = place.statement
    facts: dict[str, object] = {"text": text, "statement": brief(statement), "where": case.line(statement.span)}
    return Candidate(cost, INSERT, facts, (in_front(place, text),), key)


@situation
def upsampling(case: Case) -> Iterator[Candidate]:
    """A map that is a whole number of times smaller than the one that it is merged with."""
    place, facts = case.place, case.found.facts
    first, second = facts.get("first"), facts.get("second")
    if case.found.code.id not in ("E208", "E209") or place is None or not isinstance(place.statement, tree.Merge):
        return
    if not isinstance(first, tuple) or not isinstance(second, tuple) or place.statement.branches is not None:
        return
    for small, large in ((first, second), (second, first)):
        factor = _times(small, large)
        if factor and case.arrives == small:
            yield _put(case, place, f"Upsample(scale_factor={factor})", -0.2, "upsample")


@situation
def a_number_a_channel(case: Case) -> Iterator[Candidate]:
    """One number for each channel, merged with the map of these channels, as in squeeze and excitation."""
    place, first, second = case.place, case.found.facts.get("first"), case.found.facts.get("second")
    if case.found.code.id != "E208" or place is None or not isinstance(place.statement, tree.Merge):
        return
    if not isinstance(first, tuple) or not isinstance(second, tuple) or place.statement.branches is not None:
        return
    flat, large = sorted((first, second), key=len)
    if len(flat) == 1 < len(large) and flat[0] == large[0] and case.arrives == flat:
        yield _put(
            case, place, f"Unflatten(1, ({', '.join(map(str, (flat[0], *[1] * (len(large) - 1))))}))", -0.8, "unflatten"
        )


@situation
def values_to_lay_out(case: Case) -> Iterator[Candidate]:
    """Unflatten of another number of values than the Linear in front of it gives."""
    statement, place = case.layer, case.place
    if case.found.code.id != "E212" or statement is None or place is None or statement.name.id != "Unflatten":
        return
    given = argument(statement, place.part, "unflattened_size")
    sizes = [one.value for one in literals(given.value)] if given is not None else []
    dense = next((one for one in case.nodes_before(statement)[:3] if one.title == "Linear"), None)
    before = case.place_of(dense.span) if dense is not None else None
    if before is None or not isinstance(before.statement, tree.Layer) or len(case.arrives or ()) != 1:
        return
    width = argument(before.statement, before.part, "out_features")
    if width is not None and sizes and all(isinstance(size, int) and size > 0 for size in sizes):
        text = "*".join(map(str, sizes))
        facts: dict[str, object] = {"where": case.line(width.span), "old": width.value.span.text, "new": text}
        facts["what"] = "the out features"
        yield Candidate(-0.8, NUMBER, facts, (Edit(width.value.span, text),), "width", before.statement)


@situation
def upsampled_output(case: Case) -> Iterator[Candidate]:
    """A stated map that is a whole number of times larger than what a convolution of 1 gives, such as scores of pixels."""
    statement, found, said = case.layer, case.found.facts.get("found"), case.found.facts.get("declared")
    if case.found.code.id != "E202" or statement is None or case.place is None:
        return
    if not isinstance(found, tuple) or not isinstance(said, tuple) or found[:1] != said[:1]:
        return
    factor = _times(found, said)
    kernel = argument(statement, case.place.part, "kernel_size")
    if factor and kernel is not None and kernel.value.span.text == "1":
        start = statement.span.start
        begin = statement.span.source.text.rfind("\n", 0, start) + 1
        indent = statement.span.source.text[begin:start]
        between = f"\n{indent}" if not indent.strip() else "; "
        text = f"Upsample(scale_factor={factor})"
        at = Span(statement.span.source, statement.head.end, statement.head.end)
        facts: dict[str, object] = {"factor": factor, "behind": f" behind `{brief(statement)}`", "text": text}
        yield Candidate(0.4, UPSAMPLE, facts, (Edit(at, between + text),), "upsample")


def _times(small: tuple[object, ...], large: tuple[object, ...]) -> int:
    """How many times as large a map is along all axes behind the channels; 0 where it is not."""
    if len(small) != len(large) or len(small) < 2:
        return 0
    found = set()
    for a, b in zip(small[1:], large[1:]):
        if a.__class__ is not int or b.__class__ is not int or not a or b % a:
            return 0
        found.add(b // a)
    factor = found.pop()
    return factor if not found and factor > 1 else 0


@situation
def columns(case: Case) -> Iterator[Candidate]:
    """A map where a layer reads a sequence."""
    shape, kind, place = case.arrives, case.kind, case.place
    if case.found.code.id != "E201" or shape is None or kind is None or place is None or kind.rank or len(shape) != 3:
        return
    text = "Flatten(1, 2); Permute((0, 2, 1))"
    facts: dict[str, object] = {"text": text, "statement": brief(place.statement)}
    yield Candidate(-0.5, COLUMNS, facts, (in_front(place, text),), "columns")


@situation
def compared_with_itself(case: Case) -> Iterator[Candidate]:
    """Attention on one value: queries, keys and values are the same."""
    statement, place = case.layer, case.place
    if case.found.code.id != "E133" or statement is None or place is None or "Attention" not in statement.name.id:
        return
    before = place.siblings[place.index - 1] if place.index else None
    tail = getattr(before, "tail", None)
    if tail is None or before is None:
        return
    edits: list[Edit] = []
    name = tail.label.id if isinstance(tail.label, tree.Name) else ""
    if not name and tail.label is None:
        taken = set(case.trials.names)
        name = next(one for one in ("x", "y", "z", "tokens", "values_") if one not in taken)
        head = getattr(before, "head", None)
        end = head.end if head is not None else before.span.end
        at = Span(before.span.source, end, end)
        edits.append(Edit(at, f" as {name}"))
    if name:
        text = f"use ({name}, {name}, {name})"
        yield Candidate(-1.0, ITSELF, {"text": text}, (*edits, in_front(place, text)), "itself", goes_on=True)


@situation
def projected(case: Case) -> Iterator[Candidate]:
    """A residual without a shortcut, in a block that is told channels and stride: a shortcut that is told the same."""
    place = case.place
    statement = place.statement if place is not None else None
    if case.found.code.id != "E208" or place is None or not isinstance(statement, tree.Residual) or statement.shortcut:
        return
    convs = [one for one in statement.body.statements if isinstance(one, tree.Layer) and one.name.id.startswith("Conv")]
    if not convs or "Transpose" in convs[-1].name.id:
        return
    channels = argument(convs[-1], place.part, "out_channels")
    strides = [given for one in convs if (given := argument(one, place.part, "stride")) is not None]
    if channels is None or len(strides) > 1:
        return
    width = channels.value.span.text
    stride = strides[0].value if strides else None
    step = f", stride={stride.span.text}" if stride is not None else ""
    text = f"{convs[-1].name.id}({width}, 1{step})"
    tests = [f"{stride.span.text} != 1"] if isinstance(stride, tree.Name) else []
    if isinstance(channels.value, tree.Name) or tests:
        tests.append(f"in_channels != {width}")
        text = f"if {' or '.join(tests)} {{ {text} }}"
    at = Span(statement.span.source, statement.body.span.end, statement.body.span.end)
    facts: dict[str, object] = {"where": case.line(statement.span), "text": text}
    yield Candidate(-0.5 if tests else 0.0, PROJECTED, facts, (Edit(at, f" shortcut {{ {text} }}"),), "shortcut")
