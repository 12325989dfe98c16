"""Which numbers can have to do with an error at all: trials of others would be lost.

A number of a layer with spatial dimensions decides one thing: how many channels it gives, or how large its maps are. As long
as nothing in front of the error lays values out anew, an error in one is not mended by a number of the other; and nothing
that runs behind the error mends it.
"""

from __future__ import annotations

from cnnspec import layers
from cnnspec.compiler.names import SHAPE_NAMES, Block
from cnnspec.graph.nodes import LayerNode
from cnnspec.graph.walk import walk
from cnnspec.repair.sites import names_in
from cnnspec.syntax import tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cnnspec.repair.case import Case
    from cnnspec.repair.sites import Place, Site

RANK, CHANNELS, SIZES = "rank", "channels", "sizes"
OF_ARGUMENTS = ("E112", "E113", "E114", "E115", "E116", "E210")
"""Errors in what a layer is told, whatever arrives."""
OF_VALUES = ("E303", "E304", "E306")
"""Errors in a value, whatever it is for."""
OF_RECIPES = ("E503", "E504", "E505")
"""Errors in what a recipe has to do with its model."""
_WINDOW = ("kernel_size", "stride", "padding", "dilation", "output_padding")
_WINDOWS = frozenset(_WINDOW)
_ASKING = ("channels", "size")
"""Functions that tell the shape of a value."""
_CLEAR = 4
"""The smallest size that tells a stride from a window by what becomes of it."""
_PAIRS = {
    "E202": ("found", "declared"),
    "E208": ("first", "second"),
    "E209": ("first", "second"),
    "E137": ("first", "second"),
}


def shifts(case: Case) -> list[tuple[int, int]]:
    """The numbers of channels, or of features, that there are and that there should be; both ways where either may be."""
    code, facts = case.found.code.id, case.found.facts
    pairs: list[tuple[object, object]] = []
    if code in _PAIRS:
        first, second = (facts.get(name) for name in _PAIRS[code])
        if isinstance(first, tuple) and isinstance(second, tuple) and len(first) == len(second):
            axes = range(len(first)) if len(first) == 1 or _last(first, second) else range(1)
            pairs = [(first[axis], second[axis]) for axis in axes if axis != facts.get("axis")]
    elif code == "E203" and not case.is_head:
        pairs = [(facts.get("found"), facts.get("declared"))]
    known = [(a, b) for a, b in pairs if isinstance(a, int) and isinstance(b, int) and _differ(a, b)]
    return known if code in ("E202", "E203") else [*known, *((b, a) for a, b in known)]


def _last(first: tuple[object, ...], second: tuple[object, ...]) -> bool:
    """Whether shapes differ in their last size alone: features, if the first one is no other."""
    return first[:-1] == second[:-1]


def _differ(a: object, b: object) -> bool:
    """Whether two sizes are plain numbers, and not the same."""
    return a.__class__ is b.__class__ is int and a != b and bool(a) and bool(b)


def ratio(case: Case) -> float:
    """By how much the larger of two shapes is larger behind the channels, at least; 1 where that says nothing."""
    if case.found.code.id not in _PAIRS:
        return 1.0
    first, second = (case.found.facts.get(name) for name in _PAIRS[case.found.code.id])
    if not isinstance(first, tuple) or not isinstance(second, tuple) or len(first) != len(second):
        return 1.0
    both = [pair for pair in zip(first[1:], second[1:]) if _differ(*pair)]
    if any(min(pair) < _CLEAR for pair in both):
        return 1.0
    return min((max(pair) / min(pair) for pair in both), default=1.0)


def difference(case: Case) -> int:
    """By how much two shapes of one rank differ behind the channels, at most; 0 where that says nothing."""
    if case.found.code.id not in _PAIRS:
        return 0
    first, second = (case.found.facts.get(name) for name in _PAIRS[case.found.code.id])
    if not isinstance(first, tuple) or not isinstance(second, tuple) or len(first) != len(second):
        return 0
    return max((abs(a - b) for a, b in zip(first[1:], second[1:]) if _differ(a, b)), default=0)


def wrong(case: Case) -> set[str] | None:
    """What about a shape is wrong; None where anything may be."""
    code, facts = case.found.code.id, case.found.facts
    if code == "E201":
        return {RANK}
    if code in _PAIRS:
        first, second = (facts.get(name) for name in _PAIRS[code])
        if not isinstance(first, tuple) or not isinstance(second, tuple):
            return None
        if len(first) != len(second):
            return {RANK}
        # Shapes may differ along what a concat joins.
        joined = facts.get("axis")
        both = enumerate(zip(first, second))
        off = {min(axis, 1) for axis, (one, other) in both if one != other and axis != joined}
        found = {SIZES if axis else CHANNELS for axis in off}
        return found if len(first) > 1 and not _mixed(case) else None
    kind, shape = case.kind, case.arrives
    if code in ("E204", "E207") and kind is not None and kind.rank and not _mixed(case):
        return {SIZES}
    axis = kind.inferred_axis if kind is not None and kind.inferred else None
    if code == "E203" and axis == 0 and len(shape or ()) > 1 and not _mixed(case):
        return {CHANNELS}
    return None


def decides(site: Site) -> str:
    """What a number decides alone; "" where it may decide anything."""
    owner = site.owner
    if site.kind == "where":
        return SIZES
    if site.uses and site.uses <= _WINDOWS:
        return SIZES
    if site.uses == {"out_channels"}:
        return CHANNELS
    if site.kind not in ("argument", "input", "stated"):
        return ""
    if site.kind == "input":
        return "input"
    layer = layers.find(owner.name.id) if isinstance(owner, tree.Layer) else None
    binding = site.part.scope.find(owner.name.id) if site.part is not None and isinstance(owner, tree.Layer) else None
    if layer is None or (binding is not None and isinstance(binding.value, Block)):
        return ""
    if layer.rank and site.field in _WINDOW:
        return SIZES
    if layer.rank and site.field == "out_channels":
        return CHANNELS
    return "kept" if site.field in ("out_features", "num_features", "p", "eps") else ""


def helps(case: Case, site: Site, wanted: set[str] | None) -> bool:
    """Whether another number there can mend what is wrong."""
    if case.found.code.id in ("E115", "E116") and case.layer is not None and site.owner is case.layer:
        return case.found.span.holds(site.node.span)
    if wanted == {RANK}:
        # The number of dimensions follows from how often, whether, and what lays out.
        layer = layers.find(site.owner.name.id) if isinstance(site.owner, tree.Layer) else None
        return site.kind in ("condition", "count") or (layer is not None and not layer.rank and not layer.role)
    what = decides(site)
    if not what or wanted is None or what in wanted:
        return True
    return what in ("input", "kept")


def is_out(case: Case, place: Place) -> bool:
    """Whether a statement has no part in the error: it runs behind it alone, or another one's arguments are wrong."""
    guilty = case.place
    if guilty is None:
        return False
    at, own = place.statement.span, guilty.statement.span
    if case.found.code.id in OF_ARGUMENTS and isinstance(place.statement, (tree.Layer, tree.Input)):
        return place is not guilty and not any(place.statement.span.holds(span) for span in case.labelled)
    if place.part is not guilty.part and isinstance(place.statement, tree.Layer) and case.is_ordered:
        return case.ago(place.statement) is None
    if place.part is not guilty.part or not case.found.code.id.startswith("E2") or at.start < own.end:
        return False
    loops = (one.statement for one in case.places if isinstance(one.statement, (tree.For, tree.Repeat)))
    return not any(loop.span.holds(at) and loop.span.holds(own) for loop in loops)


def read_until(case: Case, out: set[int]) -> set[tuple[int, str]]:
    """The names, by definition, that statements read which have a part in the error; `out` has the ids of the others."""
    found: set[tuple[int, str]] = set()
    for place in case.places[::-1]:
        statement, own = place.statement, id(place.part.definition)
        if id(statement) in out or (isinstance(statement, tree.Let) and (own, statement.name.id) not in found):
            continue
        found |= {(own, name) for name in names_in(_read(statement))}
    for part in case.parts:
        every = tuple(one.default for one in part.definition.parameters)
        found |= {(id(part.definition), name) for name in names_in(every)}
    return found


def values_behind(case: Case) -> set[str]:
    """The names that an error in a value can come from: those that its statement reads, and what their values are made of."""
    place = case.place
    found = set(names_in(_read(place.statement))) if place is not None else set()
    every = {name: value for part in case.parts for name, value in part.lets.items()}
    every |= {constant.name: constant.definition.value for constant in case.constants}
    for one in case.places:
        if isinstance(one.statement, tree.For):
            every |= {name.id: one.statement.values for name in one.statement.targets}
    left = list(found)
    for name in left:
        if name in every:
            new = set(names_in(every[name])) - found
            found |= new
            left += new
    return found


def _read(statement: tree.Statement) -> object:
    """What a statement works out itself, without the statements inside of it and without its annotation."""
    match statement:
        case tree.Layer() | tree.Merge():
            return statement.arguments
        case tree.Let() | tree.For():
            return statement.value if isinstance(statement, tree.Let) else statement.values
        case tree.Repeat():
            return statement.count
        case tree.If():
            return tuple(test for test, _ in statement.arms)
        case tree.Residual() | tree.Branch():
            return ()
    return statement


def _mixed(case: Case) -> bool:
    """Whether a layer in front of the error makes sizes of channels, or the other way round."""
    guilty = case.node(case.place.statement) if case.place is not None else None
    if case.graph is None or guilty is None or any(_asks_for_sizes(place.statement) for place in case.places):
        return True
    own = ""
    for path, node in walk(case.graph.root):
        if own and not path.startswith(own):
            return False
        own = own or (f"{path}." if node is guilty else "")
        shapes = (node.input, node.output)
        plain = not isinstance(node, LayerNode) or node.layer is None or node.layer.rank
        if not plain and None not in shapes and node.input != node.output and node is not guilty:
            return True
    return False


def _asks_for_sizes(statement: tree.Statement) -> bool:
    """Whether a statement uses the shape at its place."""
    written = getattr(statement, "arguments", None) or getattr(statement, "value", None)
    return any(
        (isinstance(node, tree.Name) and node.id in SHAPE_NAMES)
        or (isinstance(node, tree.Call) and node.name.id in _ASKING)
        for node in tree.walk(written)
    )
