"""A model with other values of its parameters: what changes with one is written by its name.

A parameter becomes one of the class where the networks for several of its values are one class with other numbers, all of
which follow from the parameter.
"""

from __future__ import annotations

from cnnspec.backends.python_source.modules import Terms
from cnnspec.compiler.models import choose, expand
from cnnspec.compiler.project import read_definitions
from cnnspec.diagnostics import Sink
from cnnspec.graph.digest import digest_of
from cnnspec.record import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cnnspec.backends.python_source.terms import Use
    from cnnspec.compiler.expansion import Chosen
    from cnnspec.graph.nodes import Graph

_TRIED = 2
"""Other values of a parameter that are looked at."""


class Variants:
    """The term of a network, and those of the same model with other values of its parameters, by their names."""

    def __init__(self, graph: Graph) -> None:
        self.root = Terms().root(graph.root)
        self.others: dict[str, tuple[Use, ...]] = {}
        chosen = _chosen(graph)
        if chosen is None:
            return
        base = self._expanded(chosen, graph.values)
        if base is None or digest_of(base) != digest_of(graph):
            return
        self.root = _term(base)
        for name, value in graph.values.items():
            if name in graph.fixed:
                continue
            found: list[Use] = []
            for other in _other_values(value):
                made = self._expanded(chosen, graph.values | {name: other}) if len(found) < _TRIED else None
                found += [_term(made)] if made is not None else []
            if len(found) == _TRIED:
                self.others[name] = tuple(found)

    def _expanded(self, chosen: Chosen, values: dict[str, object]) -> Graph | None:
        given = {name: value for name, value in values.items() if name not in chosen.fixed}
        made = expand(chosen, given, None, sink := Sink())
        return made.numbers if made.complete and not sink.has_errors else None


def _term(graph: Graph) -> Use:
    """The term of a network, whose arguments are the values of the model's parameters."""
    return replace(Terms().root(graph.root), values=tuple(graph.values.items()))


def _chosen(graph: Graph) -> Chosen | None:
    """The model of a graph that was made of a spec; None for another one."""
    if graph.root.block is None or not graph.source.text:
        return None
    sink = Sink()
    found = choose(read_definitions(graph.source, sink), graph.name, sink)
    return found[0] if len(found) == 1 and not sink.has_errors else None


def _other_values(value: object) -> list[object]:
    """Values to compare with; of the first two that the model takes, it is learnt what depends on it."""
    if value.__class__ is int:
        return [value + 1, value + 5, 2 * value, 3 * value, 4 * value]
    if value.__class__ is float:
        return [value / 2, value / 4] if value else [0.25, 0.125]
    return []
