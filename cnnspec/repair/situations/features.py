"""The first layer behind the maps: Flatten forgotten, or a head that was made for images of another size."""

from __future__ import annotations

from math import isqrt, prod

from cnnspec.diagnostics import Edit
from cnnspec.diagnostics.suggestions import FLATTEN, INSERT, Kind
from cnnspec.graph.nodes import LayerNode
from cnnspec.repair.candidates import brief, whole
from cnnspec.repair.case import Candidate, Case, argument, in_front
from cnnspec.repair.inputs import axes, resized
from cnnspec.repair.situations.base import WHOLE, situation, smallest
from cnnspec.syntax import tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from cnnspec.repair.case import Option
    from cnnspec.repair.sites import Place

BOTH = Kind("flatten and width", "put `Flatten` in front, which gives {count}, and declare that: `{text}`")
IMAGES = Kind("images", "give it the images that it was made for: `input {shape}`")
LATER = Kind("later", "put `Flatten` in front of `{statement}` on {where}: what comes before takes maps")
POOL = Kind("pool", "put `{text}` in front of `Flatten`: images of any size do then")
CEIL = Kind("ceil", "the layers round up where `{old}` rounds down: write `{new}`")
_POOLS = ("AvgPool1d", "AvgPool2d", "AvgPool3d")
_OF_IMAGE = 3
_SMALLEST, _LARGEST = 16, 4096


@situation
def flatten_forgotten(case: Case) -> Iterator[Candidate]:
    """Linear on a map."""
    shape, statement = case.arrives, case.layer
    if case.found.code.id != "E203" or shape is None or statement is None or case.kind is None or case.place is None:
        return
    before, count = _of_use(case, case.place), prod(shape)
    front = in_front(before, "Flatten")
    exact = case.found.facts.get("declared") == count
    if case.kind.inferred_axis != -1 or len(shape) < 2 or not (exact or _from_maps(case, statement)):
        return
    node = next(
        (one for arg in statement.arguments for one in (arg.stated, arg.value) if one and one.span == case.found.span),
        None,
    )
    if exact and before is not case.place:
        where: dict[str, object] = {"text": "Flatten", "where": case.line(before.statement.span)}
        yield Candidate(-1.0, INSERT, {**where, "statement": brief(before.statement)}, (front,), "flatten")
    elif exact:
        yield Candidate(-1.0, FLATTEN, {"count": count}, (front,), "flatten")
    elif node is not None:
        product = "*".join(map(str, shape)) if len(shape) > 1 else str(count)
        text = statement.head.text.replace(node.span.text, product, 1)
        facts: dict[str, object] = {"count": count, "text": text}
        yield Candidate(-0.6, BOTH, facts, (front, Edit(node.span, product)), "flatten")


def _of_use(case: Case, place: Place) -> Place:
    """Where a block is used, if a layer is the first one in it that does anything: a map is laid out in front of a head."""
    uses = [one for one in map(case.place_of, case.found.uses) if one is not None]
    before = place.siblings[: place.index]
    if len(uses) == 1 and all(isinstance(one, tree.Layer) and "Dropout" in one.name.id for one in before):
        name = getattr(getattr(uses[0].statement, "name", None), "id", "")
        if case.trials.names[name] == 1:
            return uses[0]
    return case.in_front_of_all(place)


@situation
def flatten_too_early(case: Case) -> Iterator[Candidate]:
    """Layers that take maps behind Flatten: it belongs in front of the first layer that takes features."""
    place, shape = case.place, case.arrives
    if case.found.code.id != "E201" or place is None or shape is None or len(shape) != 1:
        return
    named = [getattr(getattr(one, "name", None), "id", "") for one in place.siblings]
    if "Flatten" not in named[: place.index] or "Linear" not in named[place.index :]:
        return
    early = next(one for one in case.places if one.statement is place.siblings[named.index("Flatten")])
    at = named.index("Linear", place.index)
    while named[at - 1].startswith("Dropout") and at - 1 > place.index:
        at -= 1
    late = next(one for one in case.places if one.statement is place.siblings[at])
    facts: dict[str, object] = {"statement": brief(late.statement), "where": case.line(late.statement.span)}
    edits = (Edit(whole(early.statement.span), ""), in_front(late, "Flatten"))
    yield Candidate(-1.0, LATER, facts, edits, "flatten")


@situation
def flatten_forgotten_before(case: Case) -> Iterator[Candidate]:
    """An output with the dimensions of a map still, since a Linear further in front was given one."""
    if case.found.code.id not in ("E202", "E208", "E209", "E212", "E419", "E505"):
        return
    end = case.place.statement.span if case.place is not None else None
    pointwise: list[LayerNode] = []
    mapped = case.graph is not None and len(case.graph.input or ()) == _OF_IMAGE
    for node in case.nodes:
        if not isinstance(node, LayerNode) or node.layer is None:
            continue
        if node.layer.inferred_axis == -1 and node.layer.linear:
            first = case.place_of((pointwise or [node])[0].span)
            if not mapped or len(node.input or ()) < 2:
                pointwise, mapped = [], False
                continue
            if first is not None:
                first = case.in_front_of_all(first)
                facts: dict[str, object] = {"text": "Flatten", "statement": brief(first.statement)}
                facts["where"] = case.line(first.statement.span)
                yield Candidate(-0.5, INSERT, facts, (in_front(first, "Flatten"),), "flatten")
            return
        if node.layer.rank:
            pointwise, mapped = [], True
        elif node.span == end and node.input != node.output:
            return
        elif node.input != node.output or not node.title.startswith("Dropout"):
            pointwise = []
        else:
            pointwise.append(node)


def _from_maps(case: Case, statement: tree.Statement) -> bool:
    """Whether a layer with a window came before: without one, the dimensions may be meant."""
    return any(node.layer is not None and hasattr(node.layer, "kernel_size") for node in case.nodes_before(statement))


@situation
def made_for_other_images(case: Case) -> Iterator[Candidate | Option]:
    """Linear behind Flatten, with the width of images of another size."""
    statement, declared = case.layer, case.found.facts.get("declared")
    if (
        case.found.code.id != "E203"
        or statement is None
        or not isinstance(declared, int)
        or statement.name.id != "Linear"
    ):
        return
    before = case.nodes_before(statement)
    flatten = next((one for one in before[:2] if one.title == "Flatten"), None)
    maps = flatten.input if flatten is not None else None
    if flatten is None or maps is None or len(maps) < 2 or declared % maps[0]:
        return
    side = isqrt(declared // maps[0]) if len(maps) == 3 else declared // maps[0]
    if prod((maps[0], *(side,) * (len(maps) - 1))) != declared or side < 1:
        return
    place = case.place_of(flatten.span)
    head, rank = flatten.span, len(maps)

    def images() -> Candidate | None:
        wanted = _images(case, head, rank, side)
        if wanted is None or min(wanted[1][1:]) < _SMALLEST:
            return None
        return Candidate(0.75, IMAGES, {"shape": _listed(wanted[1])}, wanted[0], "input")

    yield 0.75, images
    if place is not None:
        text = f"AdaptiveAvgPool{len(maps) - 1}d({side})"
        yield Candidate(0.95, POOL, {"text": text}, (in_front(place, text),), "pool")


@situation
def pool_over_all(case: Case) -> Iterator[Candidate]:
    """A pool in front of Flatten that was to leave one value a channel, and is too small for these images."""
    statement, declared = case.layer, case.found.facts.get("declared")
    if case.found.code.id != "E203" or statement is None or not case.is_head:
        return
    pool = next((node for node in case.nodes_before(statement)[:3] if node.title.endswith(_POOLS)), None)
    place = case.place_of(pool.span) if pool is not None else None
    shape = pool.input if pool is not None else None
    if place is None or shape is None or not isinstance(place.statement, tree.Layer) or declared != shape[0]:
        return
    kernel = argument(place.statement, place.part, "kernel_size")
    if kernel is None or len(set(shape[1:])) != 1 or not isinstance(kernel.value, tree.Literal):
        return
    edits = (Edit(kernel.value.span, str(shape[1])),)
    yield Candidate(-0.8, WHOLE, {"reason": "", "size": shape[1]}, edits, id(kernel.value), place.statement)


def _images(case: Case, head: object, rank: int, side: int) -> tuple[tuple[Edit, ...], tuple[int, ...]] | None:
    """The smallest input with which a layer gets maps of `side`."""
    given = axes(case)
    if len(given) != rank - 1 or len({axis.value for axis in given}) != 1:
        return None

    def gives(size: int) -> int:
        changed = resized(case, {axis.index: size for axis in given})
        before = output_before(case, changed[0], head) if changed is not None else None
        return min(before[1:]) if before is not None and len(before) > 1 else 0

    size = smallest(lambda size: gives(size) >= side, 0, _LARGEST)
    if size is None or gives(size) != side:
        return None
    # Of the sizes that give these maps, the one that the layers divide without a remainder.
    factor = _factor(size, side)
    round_size = side * factor
    best = round_size if round_size != size and gives(round_size) == side else size
    return resized(case, {axis.index: best for axis in given})


def _factor(size: int, side: int) -> int:
    power = 1
    while power * side < size:
        power *= 2
    return power


def output_before(case: Case, edits: tuple[Edit, ...], head: object) -> tuple[int, ...] | None:
    """The shape that arrives at a layer with edits elsewhere."""
    from cnnspec.graph.walk import walk

    for graph in case.trials.measure(edits, case.models, case.parts):
        for _, node in walk(graph.root):
            if node.span == head:
                return node.input if node.input and all(size.__class__ is int for size in node.input) else None
    return None


def _listed(shape: tuple[int, ...]) -> str:
    return f"[{', '.join(map(str, shape))}]"


@situation
def rounded_down(case: Case) -> Iterator[Candidate]:
    """A size that is computed with `//` where the layers round up."""
    if case.found.code.id not in ("E203", "E202"):
        return
    for place in case.places:
        if place.part is not case.places[case.at].part:
            continue
        statement = place.statement
        roots: list[object] = [statement.value] if isinstance(statement, tree.Let) else []
        if statement is case.layer:
            roots = list(statement.arguments)
        for chain in _divisions(tuple(roots)):
            old = chain.span.text
            new = f"ceil({chain.operands[0].span.text} / {chain.operands[1].span.text})"
            yield Candidate(-0.8, CEIL, {"old": old, "new": new}, (Edit(chain.span, new),), id(chain))


def _divisions(node: object) -> list[tree.Chain]:
    return [found for found in tree.walk(node) if isinstance(found, tree.Chain) and found.operators == ("//",)]
