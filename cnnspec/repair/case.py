"""One error with what surrounds it: the statements that take part, the shapes that arrive, and edits to try."""

from __future__ import annotations

from cnnspec import layers
from cnnspec.diagnostics import Diagnostic, Edit
from cnnspec.diagnostics.suggestions import Kind
from cnnspec.graph.nodes import Graph, LayerNode
from cnnspec.graph.walk import walk
from cnnspec.record import record, replace
from cnnspec.repair.costs import COSTS
from cnnspec.repair.sites import Part, Place, fields_of, innermost_index
from cnnspec.repair.uses import uses_of
from cnnspec.source import Span
from cnnspec.syntax import tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from cnnspec.graph.nodes import Node
    from cnnspec.repair.sites import Site
    from cnnspec.repair.trials import Result, Trials

    Option = tuple[float, Callable[[], "Candidate | None"]]
    """The cost of an edit, and what makes it: None where it turns out that there is none."""

Shape = tuple[int, ...]
REACH = 150
"""Statements of one definition, before and behind the error, in which edits are looked for."""


@record
class Candidate:
    """An edit to try: its cost, what it proposes, its facts, and the statement to show as it is then."""

    cost: float
    kind: Kind
    facts: dict[str, object]
    edits: tuple[Edit, ...]
    key: object = None
    """What it changes: two candidates of one key are two answers to one question."""
    shown: tree.Statement | None = None
    gives: bool = True
    """Whether to say which shape the statement gives then."""
    goes_on: bool = False
    """Whether the next error may be mended along with it where that has one plain way out."""
    sure: bool = False


class Case:
    """An error, and what is known of the definitions around it."""

    def __init__(self, found: Diagnostic, trials: Trials, graphs: Sequence[Graph]) -> None:
        self.found, self.trials = found, trials
        self.models, self.parts = trials.around(found.span)
        self.places: list[Place] = []
        """Statements near the error, those of its own definition first."""
        self.at = 0
        """Which of them is to blame."""
        self._collect()
        named = {model.name.id for model in self.models}
        self.graph = next((graph for graph in graphs if graph.name in named), None) or self._variant(graphs)
        self.labelled = [label.span for label in found.labels]
        self.left: frozenset[object] | None = None
        """The errors that are there still after the best fix."""
        self._nodes: list[Node] | None = None
        self._ran: dict[tuple[int, int, int], int] | None = None
        self._uses: Callable[[Site], frozenset[str]] | None = None
        self._by_place: dict[tuple[int, int, int], int] | None = None
        aside = self._not_its_own(graphs)
        self.constants = [one for one in trials.constants(self.parts) if one.name not in aside]
        """The constants of files, variants among them, that take part."""

    def _variant(self, graphs: Sequence[Graph]) -> Graph | None:
        """A variant of the model, one that goes through what is to blame where there is one."""
        at = getattr(self.places[self.at].statement, "head", None) if self.places else None
        for graph in sorted(graphs, key=lambda graph: graph.complete):
            if any(node.span == at for _, node in walk(graph.root)):
                return graph
        return graphs[0] if self.models and graphs else None

    def _not_its_own(self, graphs: Sequence[Graph]) -> set[str]:
        """The variants whose own arguments are not to blame: others have the error as well, or they have not."""
        variants = {name for name, model in self.trials.file.models.items() if isinstance(model, tree.Variant)}
        place = self.place
        failing = self.node(place.statement) if place is not None and len(variants) > 1 else None
        if failing is None or not self.models:
            return set()
        alike = {
            graph.name
            for graph in graphs
            if graph.name in variants
            and any(
                node.span == failing.span and (node.input, node.output) == (failing.input, failing.output)
                for _, node in walk(graph.root)
            )
        }
        return variants - alike if len(alike) == 1 else variants

    def _collect(self) -> None:
        for part in self.parts:
            every = part.places
            middle = innermost_index(part, self.found.span)
            near = every[max(0, middle - REACH) : middle + REACH] if middle is not None else every[:REACH]
            first = [place for place in every[:3] if isinstance(place.statement, tree.Input)]
            near = [*(place for place in first if place not in near[:3]), *near] if middle is not None else near
            if middle is not None:
                self.at = len(self.places) + next(i for i, place in enumerate(near) if place is every[middle])
            self.places += near

    @property
    def place(self) -> Place | None:
        """The statement that is to blame, if the error is in one."""
        if self.places and holds(self.places[self.at], self.found.span):
            return self.places[self.at]
        return None

    @property
    def layer(self) -> tree.Layer | None:
        """The layer that is to blame."""
        place = self.place
        return place.statement if place is not None and isinstance(place.statement, tree.Layer) else None

    @property
    def kind(self) -> type[layers.Layer] | None:
        """What layer that is; None for a block and for an unknown name."""
        return layers.find(self.layer.name.id) if self.layer is not None else None

    @property
    def nodes(self) -> list[Node]:
        """The modules of the model, in the order in which they run."""
        if self._nodes is None:
            self._nodes = [node for _, node in walk(self.graph.root)] if self.graph is not None else []
        return self._nodes

    @property
    def arrives(self) -> Shape | None:
        """The shape that arrives at the statement that is to blame."""
        place = self.place
        return self.before(place.statement) if place is not None else None

    def before(self, statement: tree.Statement) -> Shape | None:
        """The shape that arrives at a statement, in its first use or where it fails."""
        node = self.node(statement)
        return node.input if node is not None and _is_numbers(node.input) else None

    def node(self, statement: tree.Statement) -> Node | None:
        """The module that a statement makes: in its first use, or the one in which it fails."""
        at = self._index(getattr(statement, "head", statement.span))
        return self.nodes[at] if at is not None else None

    def _index(self, head: Span) -> int | None:
        if self._by_place is None:
            self._by_place = {}
            for number, node in enumerate(self.nodes):
                key = (id(node.span.source), node.span.start, node.span.end)
                if self._by_place.setdefault(key, number) == number or node.output or not node.input:
                    continue
                if self.nodes[self._by_place[key]].output:
                    self._by_place[key] = number
        return self._by_place.get((id(head.source), head.start, head.end))

    def ago(self, statement: tree.Statement) -> int | None:
        """How many other statements have run, up to the error, since a statement has; None where it has not run till then."""
        if self._ran is None:
            self._ran = self._run_until()
        head = getattr(statement, "head", statement.span)
        return self._ran.get((id(head.source), head.start, head.end))

    @property
    def is_ordered(self) -> bool:
        """Whether it is known what has run before the error."""
        if self._ran is None:
            self._ran = self._run_until()
        return bool(self._ran)

    def _run_until(self) -> dict[tuple[int, int, int], int]:
        guilty = self.place.statement if self.place is not None else None
        head = getattr(guilty, "head", getattr(guilty, "span", None))
        uses = [number for number, node in enumerate(self.nodes) if node.span == head]
        if not uses or self.graph is None or not self.found.code.id.startswith("E2"):
            return {}
        # Which of several uses of a block failed is not always known.
        at = uses[-1]
        end, own = at + 1, ""
        for number, (path, _) in enumerate(walk(self.graph.root)):
            if number == at:
                own = f"{path}." if path else ""
            elif number > at:
                if not path.startswith(own):
                    break
                end = number + 1
        ran: dict[tuple[int, int, int], int] = {}
        for node in self.nodes[:end][::-1]:
            ran.setdefault((id(node.span.source), node.span.start, node.span.end), len(ran))
        return ran

    def nodes_before(self, statement: tree.Statement) -> list[LayerNode]:
        """The layers that run before a statement, in its first use or where it fails, the nearest first."""
        at = self._index(getattr(statement, "head", statement.span))
        return [node for node in self.nodes[:at][::-1] if isinstance(node, LayerNode)]

    @property
    def settings(self) -> list[tree.Setting]:
        """The settings of recipes whose images the error is about."""
        if self.found.code.id != "E503":
            return []
        every = (setting for recipe in self.trials.file.recipes for setting in recipe.settings)
        return [setting for setting in every if setting.span.holds(self.found.span)]

    @property
    def is_head(self) -> bool:
        """Whether the layer to blame is the first behind Flatten."""
        before = self.nodes_before(self.places[self.at].statement)[:1] if self.places else []
        return bool(before) and before[0].title == "Flatten" and len(before[0].input or ()) > 1

    @property
    def used(self) -> list[Span]:
        """The statements that use the block, and the blocks around it, in which the error is."""
        uses = self.found.uses
        return [one.statement.span for one in self.places if any(one.statement.span.holds(use) for use in uses)]

    @property
    def named(self) -> set[str]:
        """What stands at the labels, where that is a name: of a value that was in a loop's pass, or in a merge."""
        return {span.text for span in self.labelled}

    def loop_names(self, count: int, *, more: bool = False) -> list[str]:
        """The names that a loop near the error gives to so many values at a time, or to the first of more than these."""
        loops = [place.statement for place in self.places if isinstance(place.statement, tree.For)]
        found = next(([name.id for name in one.targets] for one in loops if len(one.targets) == count), [])
        if not found and more and count > 1:
            found = next(([name.id for name in one.targets] for one in loops if len(one.targets) > count), [])
        return found

    def with_uses(self, site: Site) -> Site:
        """A number with the arguments of layers that it ends as."""
        if self._uses is None:
            self._uses = uses_of(self.parts)
        uses = self._uses(site)
        return replace(site, uses=uses) if uses else site

    def place_of(self, span: Span) -> Place | None:
        """The statement whose head stands at `span`."""
        for place in self.places:
            if getattr(place.statement, "head", None) == span:
                return place
        return None

    def in_front_of_all(self, place: Place) -> Place:
        """The statement, or the loop or merge that begins with it: what stands in front of that comes once."""
        outer: Place | None = place
        while outer is not None and place.index == 0:
            outer = next((one for one in self.places if _begins(one.statement, place)), None)
            place = outer or place
        return place

    def attempt(self, edits: tuple[Edit, ...]) -> Result | None:
        """Try edits."""
        return self.trials.attempt(edits, self.found, self.models, self.parts)

    def line(self, span: Span) -> str:
        """A line as a sentence names it."""
        other = span.source.path != self.found.span.source.path
        return f"line {span.line}" + (f" of {span.source.path}" if other else "")

    def distance(self, index: int) -> float:
        """How far a statement is from the error: 0 for its own and those of the labels."""
        place, guilty = self.places[index], self.places[self.at]
        if index == self.at or any(holds(place, span) for span in self.labelled):
            return 0.0
        label = getattr(getattr(place.statement, "tail", None), "label", None)
        if isinstance(label, tree.Name) and place.part is guilty.part and label.id in self.named:
            return 0.0
        if place.part is not guilty.part:
            ago = self.ago(place.statement)
            if ago is not None:
                return min(COSTS["other part"] + COSTS["step back"] * ago, COSTS["far"])
            return COSTS["other definition"] + 0.1 * self.parts.index(place.part)
        steps = self.at - index
        if guilty.statement.span.start <= place.statement.span.start < guilty.statement.span.end:
            return 0.0
        return min(COSTS["far"], COSTS["step"] * abs(steps))

    # --- the input of the model ---

    def input(self) -> tuple[Place, tree.Input] | None:
        """The statement that gives the input."""
        for place in self.places:
            if isinstance(place.statement, tree.Input) and place.part.block is None:
                return place, place.statement
        return None


def _begins(statement: tree.Statement, place: Place) -> bool:
    """Whether a loop begins with a statement, or all branches of a merge with such as it is."""
    if isinstance(statement, (tree.For, tree.Repeat)):
        return statement.body.statements is place.siblings
    branches = statement.branches.statements if isinstance(statement, tree.Merge) and statement.branches else ()
    firsts = [one.body.statements[:1] for one in branches if isinstance(one, tree.Branch)]
    mine = getattr(place.statement, "name", None)
    return any(first == (place.statement,) for first in firsts) and all(
        getattr(one, "name", mine) == mine or getattr(one.name, "id", "") == getattr(mine, "id", None)
        for first in firsts
        for one in first
        if isinstance(one, tree.Layer)
    )


def holds(place: Place, span: Span) -> bool:
    """Whether a piece of text lies in a statement."""
    return place.statement.span.holds(span)


def argument(statement: tree.Layer, part: Part, field: str) -> tree.Argument | None:
    """What a layer is given for one of its parameters."""
    names, _ = fields_of(statement.name.id, part)
    for position, one in enumerate(statement.arguments):
        name = one.name.id if one.name else names[position] if position < len(names) else ""
        if name == field:
            return one
    return None


def add_argument(statement: tree.Layer, text: str) -> Edit:
    """The edit that gives a layer one more argument."""
    end = statement.head.end
    if statement.head.text.endswith(")"):
        at = Span(statement.span.source, end - 1, end - 1)
        return Edit(at, f", {text}" if statement.arguments else text)
    return Edit(Span(statement.span.source, end, end), f"({text})")


def in_front(place: Place, text: str) -> Edit:
    """The edit that puts a statement in front of another one."""
    source, start = place.statement.span.source, place.statement.span.start
    begin = source.text.rfind("\n", 0, start) + 1
    indent = source.text[begin:start]
    between = f"\n{indent}" if not indent.strip() else "; "
    return Edit(Span(source, start, start), text + between)


def literals(node: tree.Expression | None) -> Iterator[tree.Literal]:
    """The whole numbers that an expression is, or that a sequence holds."""
    if isinstance(node, tree.Literal) and node.value.__class__ is int:
        yield node
    if isinstance(node, tree.Sequence):
        for item in node.items:
            yield from literals(item)


def _is_numbers(shape: object) -> bool:
    return isinstance(shape, tuple) and all(size.__class__ is int for size in shape)
