"""Two graphs compared: what changed layer by layer, and whether weights of the one load into the other."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter

from cnnspec.analysis.cost import Costs
from cnnspec.analysis.receptive_field import ReceptiveFields
from cnnspec.declare import spell
from cnnspec.graph.digest import digest_of
from cnnspec.graph.matching import LIMIT, Match, Problem, longest_common, match
from cnnspec.graph.nodes import Graph, LayerNode, MergeNode, Node, ResidualNode
from cnnspec.graph.state import side_by_side, state_of
from cnnspec.graph.walk import walk
from cnnspec.layers.base import Parts
from cnnspec.record import record, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

Shape = tuple[int, ...]
LOAD, RENAMED, BROKEN = "load", "load with renamed keys", "do not load"


@record
class Module:
    """A layer or merge as it is compared: its key, what it is, its arguments as written, and its figures."""

    key: str
    title: str
    arguments: tuple[tuple[str, str], ...]
    output: Shape | Parts | None
    parameters: int
    macs: int


@record
class Change:
    """A layer that is new (`before` None), gone (`after` None), or another."""

    before: Module | None
    after: Module | None
    whole: str = ""
    """The outermost module around it that is new or gone with all that is in it, by its key."""

    @property
    def arguments(self) -> tuple[tuple[str, str, str], ...]:
        """The arguments that differ: name, value before, value after; "" for none."""
        if self.before is None or self.after is None:
            return ()
        one, other = dict(self.before.arguments), dict(self.after.arguments)
        names = dict.fromkeys([*one, *other])
        return tuple((n, one.get(n, ""), other.get(n, "")) for n in names if one.get(n) != other.get(n))


@record
class Figure:
    """A number or shape of the whole network, before and after."""

    name: str
    before: int | str
    after: int | str

    @property
    def changed(self) -> bool:
        return self.before != self.after


@record
class Verdict:
    """What becomes of weights of the first network in the second. `renamed` has pairs of keys: before, after."""

    kind: str
    renamed: tuple[tuple[str, str], ...]
    changed: tuple[tuple[str, Shape, Shape], ...]
    """Keys that have other shapes: before and after."""
    gone: tuple[tuple[str, Shape], ...]
    new: tuple[tuple[str, Shape], ...]
    doubts: tuple[tuple[str, str], ...] = ()
    """Keys of the second network that could be several of the first, with the reason."""


@record
class Comparison:
    """Two networks compared. `same` is whether they compute the same with the same keys."""

    before: str
    after: str
    same: bool
    figures: tuple[Figure, ...]
    changes: tuple[Change, ...]
    verdict: Verdict

    def fails(self, on: str) -> bool:
        """Whether a change is one that `weights`, `output` or `budget` watches for."""
        figures = {figure.name: figure for figure in self.figures}
        if on == "weights":
            return self.verdict.kind != LOAD
        if on == "output":
            return figures["input"].changed or figures["output"].changed
        return any(_grows(figures[name]) for name in ("parameters", "MACs"))


def _grows(figure: Figure) -> bool:
    return isinstance(figure.before, int) and isinstance(figure.after, int) and figure.after > figure.before


def compare(before: Graph, after: Graph) -> Comparison:
    """Compare two graphs without mistakes."""
    before, after = before.numbers, after.numbers
    one, other = _modules(before), _modules(after)
    changes = tuple(_with_wholes(_changes(one, other), one, other))
    same = digest_of(before) == digest_of(after)
    return Comparison(before.name, after.name, same, _figures(before, after), changes, verdict_of(before, after))


# --- figures ---


def _figures(before: Graph, after: Graph) -> tuple[Figure, ...]:
    one, other = _figures_of(before), _figures_of(after)
    return tuple(Figure(name, value, other[name]) for name, value in one.items())


def _figures_of(graph: Graph) -> dict[str, int | str]:
    fields = ReceptiveFields(graph).output
    return {
        "input": " and ".join(shape_of(entry.shape) for entry in graph.inputs),
        "output": shape_of(graph.output),
        "layers": graph.layers,
        "parameters": graph.parameters,
        "MACs": Costs(graph).total.macs,
        "receptive field": " x ".join(str(field.size) for field in fields[1:] or fields) or "none",
    }


def shape_of(shape: Shape | Parts | None) -> str:
    """A shape in words: `64 x 56 x 56`."""
    if isinstance(shape, Parts):
        return "(" + ", ".join(map(shape_of, shape)) + ")"
    return " x ".join(map(str, shape or ())) or "one value"


# --- layer by layer ---


def _modules(graph: Graph) -> list[Module]:
    """The layers and merges of a network, in their order."""
    costs = Costs(graph)
    found = []
    for key, node in walk(graph.root):
        if isinstance(node, (LayerNode, MergeNode, ResidualNode)):
            own = isinstance(node, LayerNode)
            macs = costs.of(node).macs if own else 0
            parameters = node.parameters if own else 0
            found.append(Module(key, _title(node), _arguments(node), node.output, parameters, macs))
    return found


def _title(node: Node) -> str:
    return node.kind if isinstance(node, MergeNode) else "residual" if isinstance(node, ResidualNode) else node.title


def _arguments(node: Node) -> tuple[tuple[str, str], ...]:
    """The arguments of a layer by their names, those that it infers included."""
    if isinstance(node, MergeNode):
        sources = [("of", ", ".join(node.sources))] if node.sources else []
        return (*sources, ("dim", str(node.dim))) if node.kind == "concat" else tuple(sources)
    if not isinstance(node, LayerNode) or node.layer is None or node.input is None:
        return ()
    layer = node.layer
    found = [(field.name, spell(getattr(layer, field.name))) for field in layer.fields.values()]
    if layer.inferred and layer.uses_width and not isinstance(node.input, Parts):
        known = [pair for pair in found if pair[0] != layer.inferred]
        found = [(layer.inferred, str(node.input[layer.inferred_axis])), *known]
    return tuple(found)


def _changes(before: list[Module], after: list[Module]) -> list[Change]:
    """What is new, gone or another, in the order of the second network. Other keys alone are no change."""
    pairs = _same(before, after)
    found: list[Change] = []
    start = (0, 0)
    for i, j in [*pairs, (len(before), len(after))]:
        found += _gap(before[start[0] : i], after[start[1] : j])
        start = (i + 1, j + 1)
    return found


def _same(before: list[Module], after: list[Module]) -> list[tuple[int, int]]:
    """The layers that are what they were: under their keys, and between those in the order of the rest."""
    places = {module.key: number for number, module in enumerate(before)}
    found = [(places[m.key], j) for j, m in enumerate(after) if m.key in places and _is_same(before[places[m.key]], m)]
    pairs: list[tuple[int, int]] = []
    start = (0, 0)
    for i, j in [*_rising(found), (len(before), len(after))]:
        inner = _in_order(before[start[0] : i], after[start[1] : j])
        pairs += [(x + start[0], y + start[1]) for x, y in inner]
        pairs.append((i, j))
        start = (i + 1, j + 1)
    return pairs[:-1]


def _is_same(one: Module, other: Module) -> bool:
    return one.title == other.title and one.arguments == other.arguments and one.output == other.output


def _rising(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The most of the pairs of which the first numbers rise, as the second ones do."""
    ends: list[int] = []
    chosen: list[int] = []
    before: list[int] = []
    for number, (first, _) in enumerate(pairs):
        place = bisect_left(ends, first)
        before.append(chosen[place - 1] if place else -1)
        ends[place : place + 1], chosen[place : place + 1] = [first], [number]
    found: list[tuple[int, int]] = []
    number = chosen[-1] if chosen else -1
    while number >= 0:
        found.append(pairs[number])
        number = before[number]
    return found[::-1]


def _in_order(before: list[Module], after: list[Module]) -> list[tuple[int, int]]:
    """The layers of two lists that are the same but for their keys."""
    if not before or not after or max(len(before), len(after)) > LIMIT:
        return []
    numbers: dict[object, int] = {}
    one, other = (
        [numbers.setdefault((m.title, m.arguments, m.output), len(numbers)) for m in modules]
        for modules in (before, after)
    )
    return longest_common(one, other, [0] * len(one), [0] * len(other))


def _gap(before: Sequence[Module], after: Sequence[Module]) -> list[Change]:
    """What stands between two layers that are what they were: pairs of one kind have changed, the rest is gone or new."""
    left = list(before)
    pairs: dict[int, Module] = {}
    for by_key in (True, False):
        for number, module in enumerate(after):
            same = (m for m in left if m.title == module.title and (m.key == module.key or not by_key))
            known = None if number in pairs else next(same, None)
            if known is not None:
                pairs[number] = known
                left.remove(known)
    gone = [Change(module, None) for module in left]
    return [*gone, *[Change(pairs.get(number), module) for number, module in enumerate(after)]]


def _with_wholes(changes: list[Change], before: list[Module], after: list[Module]) -> list[Change]:
    """The changes, those of modules that are new or gone as a whole with its key."""
    gone = _wholes([change.before.key for change in changes if change.before and not change.after], before)
    new = _wholes([change.after.key for change in changes if change.after and not change.before], after)
    found = []
    for change in changes:
        if change.before is None or change.after is None:
            wholes, module = (gone, change.before) if change.after is None else (new, change.after)
            assert module is not None
            change = replace(change, whole=next((path for path in _prefixes(module.key) if path in wholes), ""))
        found.append(change)
    return found


def _wholes(keys: list[str], modules: list[Module]) -> set[str]:
    """The paths below which all of the modules are among some keys."""
    every = Counter(path for module in modules for path in _prefixes(module.key))
    some = Counter(path for key in keys for path in _prefixes(key))
    return {path for path, count in some.items() if count == every[path] and count > 1}


def _prefixes(key: str) -> list[str]:
    """The paths of the modules that hold a key, the outermost first, and the key."""
    parts = key.split(".")
    return [".".join(parts[: length + 1]) for length in range(len(parts))]


# --- weights ---


def verdict_of(before: Graph, after: Graph) -> Verdict:
    """What becomes of weights of the first network in the second."""
    old, new = state_of(before.root), state_of(after.root)
    if old == new:
        return Verdict(LOAD, (), (), (), ())
    found = match(new, old, side_by_side(after.root))
    exact = [one for one in found.matches if new[one.key] == old[one.other]]
    if not found.problems and len(exact) == len(found.matches):
        return Verdict(RENAMED, tuple((one.other, one.key) for one in exact if one.other != one.key), (), (), ())
    return _broken(old, new, exact, found.problems)


def _broken(old: dict[str, Shape], new: dict[str, Shape], exact: list[Match], problems: tuple[Problem, ...]) -> Verdict:
    known = {key: key for key in new if old.get(key) == new[key]}
    free = {key for key in old if key not in known}
    for one in exact:
        if one.key not in known and one.other in free:
            known[one.key] = one.other
            free.discard(one.other)
    changed = tuple((key, old[key], new[key]) for key in new if key not in known and key in free)
    free -= {key for key, _, _ in changed}
    left = [key for key in new if key not in known and key not in old]
    reasons = {problem.key: problem.reason for problem in problems if problem.is_doubt}
    doubts = tuple((key, reasons[key]) for key in left if key in reasons)
    return Verdict(
        BROKEN, tuple((other, key) for key, other in known.items() if key != other), changed,
        tuple((key, old[key]) for key in old if key in free),
        tuple((key, new[key]) for key in left if key not in reasons), doubts,
    )  # fmt: skip
