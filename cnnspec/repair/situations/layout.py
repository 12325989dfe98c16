"""A value in another layout than a layer takes: the batch included, channels last or missing, flat, or another rank."""

from __future__ import annotations

from math import isqrt

from cnnspec import layers
from cnnspec.diagnostics import Edit
from cnnspec.diagnostics.suggestions import INSERT, Kind
from cnnspec.repair.case import Candidate, Case, argument, in_front, literals
from cnnspec.repair.situations.base import situation
from cnnspec.source import Span
from cnnspec.syntax import tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    Shape = tuple[int, ...]

BATCH = Kind("batch", "shapes leave out the batch: `input {text}`")
CHANNEL = Kind("channel", "an image of {count} has a dimension for it{also}: `input {text}`")
LAST = Kind("channels last", "channels come first in PyTorch{also}: `input {text}`")
FLAT = Kind("flat", "the {count} values that arrive have no height and width{also}: `input {text}`")
UNFLATTEN = Kind("unflatten", "lay them out first{also}: put `{text}` in front of `{statement}`")
SISTER = Kind("sister", "{shape} has {count}: `{name}` takes it")
SISTERS = Kind("sisters", "{shape} has {count}: write {now} for {old}")
NORMALISED = Kind("normalised channels", "the last dimension is normalised: put the channels there, `{text}`")
PERMUTE = Kind("permute", "bring the channels to the front: put `{text}` in front of `{statement}` on {where}")
SAME = Kind("same input", "both say the same on {where}: `input {text}`")
TWICE = Kind("named twice", "dimension {dim} is named twice, {missing} not at all")
KEEP = Kind("keep the batch", "dimension 0 is the batch and stays: write `Flatten`")
_BATCH_NAMES = {"None", "N", "B", "BATCH", "batch", "batch_size", "Batch"}
_AXES = ("one dimension, channels", "a length", "height and width", "depth, height and width")


def _input(case: Case) -> tree.Input | None:
    given = case.input()
    return given[1] if given is not None else None


def _text(items: list[str]) -> str:
    return f"[{', '.join(items)}]"


def _at_input(case: Case) -> bool:
    """Whether what arrives is the model's input still."""
    return case.graph is not None and case.arrives is not None and case.arrives == case.graph.input


@situation
def batch(case: Case) -> Iterator[Candidate]:
    """The batch is written as the first size of the input."""
    given = _input(case)
    if given is None or len(given.shape.items) < 2:
        return
    first = given.shape.items[0]
    named = (isinstance(first, tree.Name) and first.id in _BATCH_NAMES) or first.span.text in ("none", "-1")
    own = case.found.span == given.shape.span and len(given.shape.items) > 4
    layer = case.kind
    too_many = layer is not None and layer.rank and case.found.code.id == "E201" and _at_input(case)
    if named or own or (too_many and layer is not None and len(given.shape.items) == layer.rank + 2):
        text = _text([item.span.text for item in given.shape.items[1:]])
        edits = (Edit(given.shape.span, text),)
        # Three rows and a square behind them are an image rather than a batch of sequences.
        image = layer is not None and layer.rank == 1 and not named and first.span.text in ("1", "3")
        yield Candidate(-0.5 if image else -1.0, BATCH, {"text": text}, edits, "input", goes_on=True, sure=named)


@situation
def no_channel(case: Case) -> Iterator[Candidate]:
    """The input of an image without the dimension of its channels."""
    given, layer = _input(case), case.kind
    if given is None or layer is None or case.layer is None or not _at_input(case) or case.found.code.id != "E201":
        return
    if len(given.shape.items) != layer.rank or layer.rank < 2:
        return
    for count, cost in _channels(case, case.layer):
        text = _text([str(count), *(item.span.text for item in given.shape.items)])
        what = "one channel" if count == 1 else f"{count} channels"
        edits = (Edit(given.shape.span, text),)
        yield Candidate(cost - 0.6, CHANNEL, {"count": what, "text": text}, edits, "input", goes_on=True)


def _channels(case: Case, statement: tree.Layer) -> list[tuple[int, float]]:
    """The channels that a first layer most likely takes, with what it costs to think so."""
    said = _stated(case, statement)
    return [(said, 0.0)] if said is not None else [(1, 0.0), (3, 0.2)]


def _stated(case: Case, statement: tree.Layer) -> int | None:
    layer = layers.find(statement.name.id)
    place = case.place
    if layer is None or place is None:
        return None
    options = [one.stated for one in statement.arguments if one.stated is not None]
    given = argument(statement, place.part, layer.inferred) if layer.inferred else None
    options += [given.value] if given is not None else []
    for node in options:
        for literal in literals(node):
            return int(literal.value or 0)
    return None


@situation
def flat(case: Case) -> Iterator[Candidate]:
    """A vector where a layer wants an image."""
    given, layer, shape = _input(case), case.kind, case.arrives
    if layer is None or layer.rank != 2 or shape is None or len(shape) != 1 or case.found.code.id != "E201":
        return
    assert case.layer is not None
    assert case.place is not None
    if "Transpose" in case.layer.name.id:
        # What generates an image begins with one place.
        facts: dict[str, object] = {"text": f"Unflatten(1, ({shape[0]}, 1, 1))", "statement": case.layer.head.text}
        edits = (in_front(case.place, str(facts["text"])),)
        yield Candidate(-0.9, UNFLATTEN, facts, edits, "unflatten", goes_on=True)
        return
    for count, cost in _channels(case, case.layer):
        side = isqrt(shape[0] // max(1, count))
        if side < 2 or count * side * side != shape[0]:
            continue
        sizes = [str(count), str(side), str(side)]
        facts = {"count": shape[0], "text": _text(sizes)}
        if given is not None and _at_input(case):
            edits = (Edit(given.shape.span, _text(sizes)),)
            yield Candidate(cost - 0.6, FLAT, facts, edits, "input", goes_on=True)
        text = f"Unflatten(1, ({', '.join(sizes)}))"
        facts = {"text": text, "statement": case.layer.head.text}
        yield Candidate(cost - 0.4, UNFLATTEN, facts, (in_front(case.place, text),), "unflatten", goes_on=True)


@situation
def channels_last(case: Case) -> Iterator[Candidate]:
    """The channels as the last size of the input, or time and channels the other way round."""
    shape, statement = case.arrives, case.layer
    declared = case.found.facts.get("declared")
    if case.found.code.id != "E203" or shape is None or statement is None or len(shape) < 2:
        return
    assert case.place is not None
    if shape[-1] != declared or shape[0] == declared or case.kind is None or case.kind.inferred_axis != 0:
        return
    given = _input(case)
    if given is not None and _at_input(case):
        items = [item.span.text for item in given.shape.items]
        text = _text([items[-1], *items[:-1]])
        edits = (Edit(given.shape.span, text),)
        # A one in front is most often a channel that was put there.
        cost = 0.45 if len(shape) == 2 and shape[0] == 1 else -0.5
        yield Candidate(cost, LAST, {"text": text}, edits, "input", goes_on=True)
    order = (0, len(shape), *range(1, len(shape)))
    text = f"Permute({order})"
    facts: dict[str, object] = {
        "text": text, "statement": statement.head.text, "where": case.line(statement.span),
    }  # fmt: skip
    before = case.nodes_before(statement)[:1]
    # An embedding, a recurrent or a dense layer gives its features last.
    last = (
        bool(before)
        and before[0].layer is not None
        and not before[0].layer.rank
        and before[0].output != before[0].input
    )
    cost = 0.7 if len(shape) == 2 else 0.1
    yield Candidate(
        -0.7 if last and len(shape) == 2 else cost, PERMUTE, facts, (in_front(case.place, text),), "permute"
    )


@situation
def image_of_keras(case: Case) -> Iterator[Candidate]:
    """An image as [height, width, channels], for layers that state no channels and find too few columns."""
    given, shape = _input(case), case.arrives
    if case.found.code.id != "E204" or given is None or shape is None or len(shape) != 3 or len(given.shape.items) != 3:
        return
    sizes = case.graph.input if case.graph is not None and case.graph.input else shape
    if len(sizes) != 3 or any(size.__class__ is not int for size in sizes):
        return
    height, width, channels = sizes
    if channels in (1, 2, 3, 4) and channels < width and channels < height and height not in (1, 2, 3, 4):
        items = [item.span.text for item in given.shape.items]
        text = _text([items[-1], *items[:-1]])
        yield Candidate(-1.2, LAST, {"text": text}, (Edit(given.shape.span, text),), "input", goes_on=True)


@situation
def channels_normalised(case: Case) -> Iterator[Candidate]:
    """A layer that normalises the last dimension, told the channels of a map."""
    shape, statement = case.arrives, case.layer
    if case.found.code.id != "E213" or shape is None or statement is None or len(shape) < 2:
        return
    said = [one.value for argument in statement.arguments[:1] for one in literals(argument.value)]
    if said != [shape[0]]:
        return
    rank = len(shape)
    last, back = (0, *range(2, rank + 1), 1), (0, rank, *range(1, rank))
    text = f"Permute({last}); {statement.head.text}; Permute({back})"
    yield Candidate(-0.7, NORMALISED, {"text": text}, (Edit(statement.head, text),), "permute")


@situation
def sister(case: Case) -> Iterator[Candidate]:
    """A layer of another rank than what arrives: the layer of that rank."""
    layer, shape, statement = case.kind, case.arrives, case.layer
    if layer is None or statement is None or shape is None or case.found.code.id != "E201" or not layer.rank:
        return
    name = statement.name.id
    other = f"{name[:-2]}{max(1, len(shape) - 1)}d"
    if other == name or layers.find(other) is None:
        return
    edits = (Edit(statement.name.span, other),)
    facts: dict[str, object] = {"shape": list_of(shape), "count": _AXES[min(3, len(shape) - 1)], "name": other}
    # Where the layers around have this rank, it is the input that is to blame.
    alike = sum(_rank(place.statement) == layer.rank for place in case.places) - 1
    fitting = sum(_rank(place.statement) == len(shape) - 1 for place in case.places)
    cost = -0.7 if fitting >= alike else 0.4
    if _at_input(case) and len(shape) == layer.rank == 2 and shape[0] == shape[1]:
        cost = max(cost, 0.1)
    yield Candidate(cost, SISTER, facts, edits, "sister", goes_on=True)


@situation
def sisters(case: Case) -> Iterator[Candidate]:
    """All layers of another rank than what arrives."""
    layer, shape = case.kind, case.arrives
    if layer is None or shape is None or case.place is None or case.found.code.id != "E201" or not layer.rank:
        return
    rank = len(shape) - 1
    names: dict[str, str] = {}
    edits = []
    for place in case.places:
        statement = place.statement
        if place.part is not case.place.part or not isinstance(statement, tree.Layer) or _rank(statement) != layer.rank:
            continue
        old = statement.name.id
        names[old] = f"{old[:-2]}{rank}d"
        edits.append(Edit(statement.name.span, names[old]))
    if len(edits) < 2 or any(layers.find(name) is None for name in names.values()):
        return
    facts: dict[str, object] = {
        "shape": list_of(shape), "count": _AXES[min(3, rank)], "now": [*names.values()], "old": [*names],
    }  # fmt: skip
    # So few channels, or rows as different as these, are no height.
    narrow = rank == 1 and (shape[0] <= 4 or shape[1] >= 8 * shape[0])
    image = rank == 2 and shape[0] in (1, 3)
    yield Candidate(-0.75 if narrow or image else 0.3, SISTERS, facts, tuple(edits), "sisters")


def list_of(shape: Shape) -> str:
    """A shape as an input is written."""
    return f"[{', '.join(map(str, shape))}]"


def _rank(statement: tree.Statement) -> int:
    layer = layers.find(statement.name.id) if isinstance(statement, tree.Layer) else None
    return layer.rank if layer is not None else 0


@situation
def inputs_differ(case: Case) -> Iterator[Candidate]:
    """A model in another one, of which one says another input than the other gets."""
    found, said = case.found.facts.get("found"), case.found.facts.get("declared")
    if case.found.code.id != "E419" or not isinstance(found, tuple) or not isinstance(said, tuple):
        return
    if len(found) != len(said):
        return
    for place in case.places:
        statement = place.statement
        if not isinstance(statement, tree.Input) or len(statement.shape.items) != len(found):
            continue
        own = place.part.block is None
        edits = []
        for item, there, wanted in zip(statement.shape.items, found, said):
            if there != wanted and isinstance(item, tree.Literal) and item.value == (there if own else wanted):
                edits.append(Edit(item.span, str(wanted if own else there)))
        if edits:
            text = _text([str(size) for size in (said if own else found)])
            cost = 0.0 if own else 0.1
            yield Candidate(cost, SAME, {"where": case.line(statement.span), "text": text}, tuple(edits), "input")


@situation
def batch_flattened(case: Case) -> Iterator[Candidate]:
    """Flatten told to begin with the batch."""
    statement = case.layer
    if case.found.code.id != "E218" or statement is None or statement.name.id != "Flatten":
        return
    yield Candidate(-1.0, KEEP, {}, (Edit(statement.head, "Flatten"),), "flatten", goes_on=True)


@situation
def permuted(case: Case) -> Iterator[Candidate]:
    """Permute without its parentheses, or without the batch."""
    statement = case.layer
    if statement is None or statement.name.id != "Permute" or not statement.arguments or case.arrives is None:
        return
    numbers = [one.value for one in literals(statement.arguments[0].value)]
    wrapped = len(statement.arguments) > 1
    if wrapped:
        numbers = [literal.value for one in statement.arguments for literal in literals(one.value)]
    dims = tuple(number for number in numbers if isinstance(number, int))
    rank = len(case.arrives)
    if sorted(dims) == [*range(1, rank + 1)]:
        dims = (0, *dims)
    if sorted(dims) == [0, 1, 2] and rank > 2 and case.place is not None:
        uses = [case.place_of(span) for span in case.found.uses]
        place = next((one for one in uses if one is not None), None) or case.place
        own = place.statement.span
        facts: dict[str, object] = {"text": "Flatten(2)", "statement": own.text.split("  ")[0], "where": case.line(own)}
        yield Candidate(-0.9, INSERT, facts, (in_front(place, "Flatten(2)"),), "flatten")
    if sorted(dims) != [*range(rank + 1)]:
        yield from _named_twice(case, statement, dims, rank)
        return
    edits = (Edit(_inside(statement), f"({', '.join(map(str, dims))})"),)
    words = Kind("permute", "the dimensions stand in one tuple, the batch as 0")
    yield Candidate(-1.0, words, {}, edits, "permute", statement, sure=wrapped)


def _named_twice(case: Case, statement: tree.Layer, dims: tuple[int, ...], rank: int) -> Iterator[Candidate]:
    """The dimension that is missing, in the place of either of those that are the same; the batch is the first one."""
    missing = sorted(set(range(rank + 1)) - set(dims))
    if len(dims) != rank + 1 or len(missing) != 1 or case.found.code.id != "E210":
        return
    for at, dim in enumerate(dims):
        whole = (*dims[:at], missing[0], *dims[at + 1 :])
        if sorted(whole) == [*range(rank + 1)]:
            edits = (Edit(_inside(statement), f"({', '.join(map(str, whole))})"),)
            cost = -0.9 if whole[0] == 0 else 0.5
            yield Candidate(cost, TWICE, {"dim": dim, "missing": missing[0]}, edits, "permute", statement)


def _inside(statement: tree.Layer) -> Span:
    """What stands between the parentheses of a layer."""
    first, last = statement.arguments[0].span, statement.arguments[-1].span
    return Span(first.source, first.start, last.end)
