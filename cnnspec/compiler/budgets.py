"""What an assertion may ask of the body so far: `macs`, `receptive_field`, `memory(batch)`. Read in where one does."""

from __future__ import annotations

from cnnspec.analysis.cost import DTYPES, Costs
from cnnspec.analysis.memory import OPTIMIZERS, training_step
from cnnspec.analysis.receptive_field import ReceptiveFields
from cnnspec.compiler.expressions import evaluate, truth
from cnnspec.compiler.flow import Flow, Known, Several
from cnnspec.compiler.names import Measure, Scope, Value, Values
from cnnspec.compiler.place import Meter, Place
from cnnspec.compiler.values import Failed, has_unknown, is_number
from cnnspec.compiler.walk import Walk
from cnnspec.declare import UNKNOWN, spell
from cnnspec.diagnostics import Label, Sink, codes, note
from cnnspec.graph.nodes import Entry, Graph, LayerNode
from cnnspec.graph.walk import runs
from cnnspec.source import Span
from cnnspec.syntax import tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

NAMES = ("macs", "receptive_field", "memory")
SHOWN = 3
"""Layers that are named where a budget is exceeded."""


class Budgets:
    """The measures of a body up to an assertion. Each is worked out where it is asked for."""

    def __init__(self, graph: Graph | None, meter: Meter) -> None:
        self.graph = graph
        # Going through the layers again is work as any other, and more of it for each than an operation is.
        meter.operations += _LAYER * graph.layers if graph is not None else 0
        self._memory: dict[tuple[int, str, str], Any] = {}

    def values(self) -> dict[str, Any]:
        """What the names stand for; unknown where a mistake hides the shapes."""
        if self.graph is None:
            return dict.fromkeys(NAMES, UNKNOWN)
        fields = ReceptiveFields(self.graph).output
        smallest = min((field.size for field in fields), default=1)
        return {"macs": Costs(self.graph).total.macs, "receptive_field": smallest, "memory": Measure(self._measured)}

    def _measured(self, node: tree.Call, place: Place) -> Any:
        """The peak of a training step, for the arguments of a call."""
        given: dict[str, Any] = {}
        names = ["batch", "optimizer", "dtype"]
        for position, argument in enumerate(node.arguments):
            name = argument.name.id if argument.name is not None else "".join(names[position : position + 1])
            if name not in names or name in given or argument.stated is not None:
                raise Failed(codes.WRONG_CALL, function="memory", problem=_USAGE)
            given[name] = evaluate(argument.value, place)
        if has_unknown(list(given.values())):
            return UNKNOWN
        batch, optimizer, dtype = given.get("batch"), given.get("optimizer", "SGD"), given.get("dtype", "float32")
        if batch.__class__ is not int or not 0 < batch <= MOST or optimizer not in OPTIMIZERS or dtype not in DTYPES:
            raise Failed(codes.WRONG_CALL, function="memory", problem=_USAGE)
        return self.step(batch, optimizer, dtype).peak

    def step(self, batch: int, optimizer: str, dtype: str) -> Any:
        assert self.graph is not None
        key = batch, optimizer, dtype
        if key not in self._memory:
            self._memory[key] = training_step(self.graph, batch, optimizer=optimizer, dtype=dtype)
        return self._memory[key]

    def largest(self, name: str) -> list[Label]:
        """The layers that cost most of a measure, with how much."""
        if self.graph is None:
            return []
        costs = Costs(self.graph)
        sums: dict[Span, int] = {}
        kept = next(iter(self._memory.values())).kept if self._memory else {}
        for path, node in runs(self.graph.root):
            if isinstance(node, LayerNode):
                own = {"macs": costs.of(node).macs, "parameters": node.parameters, "memory": kept.get(path, 0)}
                sums[node.span] = sums.get(node.span, 0) + own.get(name, 0)
        most = sorted(sums.items(), key=lambda item: -item[1])[:SHOWN]
        unit = {"macs": "MACs", "parameters": "parameters", "memory": "bytes kept"}.get(name, "")
        return [Label(span, f"{count:,} {unit}") for span, count in most if count]


def check_budget(graph: Graph, test: tree.Expression, message: str, sink: Sink) -> None:
    """Check what is asserted of a whole network: `parameters`, `macs`, `receptive_field`, `memory(batch)`."""
    place = Place(sink, Scope(None))
    budgets = Budgets(graph, place.meter)
    for name, value in (budgets.values() | {"parameters": graph.parameters}).items():
        place.scope.bind(name, value)
    if truth(evaluate(test, place), test.span, place) is False:
        names = {part.id for part in tree.walk(test) if isinstance(part, tree.Name)}
        labels = [label for name in ("parameters", *NAMES) if name in names for label in budgets.largest(name)]
        helps = [note(message)] if message else []
        sink.report(codes.OVER_BUDGET, test.span, labels=labels, helps=helps, found=sides(place, test))


def sides(place: Place, test: tree.Expression) -> str:
    """What the two sides of a comparison are."""
    while isinstance(test, tree.Group):
        test = test.value
    if not isinstance(test, tree.Chain) or len(test.operands) != 2:
        return "it is false"
    left, right = (evaluate(operand, place) for operand in test.operands)
    shown = [f"{int(value):,}" if is_number(value) and value == value // 1 else spell(value) for value in (left, right)]
    return f"it is {shown[0]} against {shown[1]}"


MOST = 10**9
_LAYER = 20
"""The operations that take the time of working out the measures of one layer."""
_USAGE = 'takes a batch, optimizer and dtype: `memory(32, optimizer="Adam")`'


def body_so_far(walk: Walk) -> Graph | None:
    """The body at hand up to here as a graph of its own; None where a shape is not known."""
    stack = walk.stack
    start = walk.start if stack.start is None else stack.start
    names = stack.names
    root = stack.node(None, "", start, walk.flow, walk.body.span if walk.body else Span(_source(walk), 0, 0), walk.feed)
    stack.names = names
    if any(child.output is None for child in root.children) or not _plain(walk.flow) or not _plain(start):
        return None
    given = [*(start.parts if isinstance(start, Several) else (start,)), *map(_known, stack.taken)]
    if not all(map(_plain, given)):
        return None
    entries = tuple(Entry(None, one.shape, root.span) for one in given)
    return Graph("", {}, root, True, None, root.span.source, entries)


def _source(walk: Walk) -> Any:
    assert walk.model is not None
    return walk.model.span.source


def _known(value: Value | Values) -> Known:
    return value.flow


def _plain(known: Known) -> bool:
    """Whether a value has a shape of whole numbers."""
    if isinstance(known, Several):
        return all(map(_plain, known.parts))
    return isinstance(known, Flow) and known.shape is not None and all(one.__class__ is int for one in known.shape)
