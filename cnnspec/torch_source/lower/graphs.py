"""The graph of a module that was followed to its end."""

from __future__ import annotations

from cnnspec.compiler.expansion import integer_inputs
from cnnspec.graph.nodes import Entry, Graph
from cnnspec.record import record, replace
from cnnspec.torch_source.fitting import input_names
from cnnspec.torch_source.lower import layout as layout
from cnnspec.torch_source.lower import merges as merges
from cnnspec.torch_source.lower import own_weights as own_weights
from cnnspec.torch_source.lower.inlining import inlined
from cnnspec.torch_source.lower.keys import Keys
from cnnspec.torch_source.lower.runs import lower
from cnnspec.torch_source.outcome import Outcome
from cnnspec.torch_source.trace import Run
from cnnspec.torch_source.values import Class

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from cnnspec.source import Span
    from cnnspec.torch_source.script import Place


def graph_of(outcome: Outcome) -> Graph | None:
    """The graph of a module; None where it was not followed to its end.

    Shapes leave out the batch. Keys are those of the module's own state dict. What specs have no layer for is a `Foreign`
    layer.
    """
    return None if outcome.stop or outcome.trace is None or outcome.trace.root is None else lowered(outcome).graph


@record
class Lowered:
    """A graph, what it does not tell, reasons and where, and layers whose weights are parameters of a module around them."""

    graph: Graph
    problems: tuple[tuple[str, Span], ...]
    loose: Mapping[str, Mapping[str, str]]
    """By their keys in the graph the keys of their weights in the source."""


def lowered(outcome: Outcome) -> Lowered:
    """The graph of a module that was followed to its end."""
    assert outcome.trace is not None
    assert outcome.trace.root is not None
    run = _with_one_input(inlined(outcome.trace.root), len(outcome.inputs))
    keys = Keys(run.module)
    root, body = lower(run, place_of(outcome).span, keys)
    root = replace(root, title=outcome.name, inputs=len(outcome.inputs))
    if outcome.parameters is not None:
        root = replace(root, parameters=outcome.parameters)
    place = place_of(outcome)
    integers = integer_inputs(root)
    names = input_names(run.module) if len(outcome.inputs) > 1 else []
    entries = tuple(
        Entry(names[number] if number < len(names) else None, shape, place.span, number in integers)
        for number, shape in enumerate(outcome.inputs)
    )
    graph = Graph(outcome.name, {}, root, True, None, place.script.source, entries)
    return Lowered(graph, tuple(body.problems), keys.loose)


def place_of(outcome: Outcome) -> Place:
    """Where a module stands in the file: its class, or the expression that makes it."""
    module = outcome.module
    if module is None:
        return outcome.place
    return module.cls.place if isinstance(module.cls, Class) else module.made or outcome.place


def _with_one_input(root: Run, count: int) -> Run:
    """Several inputs of a model are one value, their tuple."""
    if count < 2:
        return root
    made = Run(root.module, (tuple(root.inputs),), root.place)
    made.steps, made.output = root.steps, root.output
    return made
