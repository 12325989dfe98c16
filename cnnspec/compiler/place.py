"""Where an expression stands: the names and the shape that it may see, and what its evaluation costs."""

from __future__ import annotations

from cnnspec.compiler.flow import LOST, Known
from cnnspec.compiler.names import Scope
from cnnspec.compiler.operators import equal, order
from cnnspec.compiler.values import describe, has_unknown
from cnnspec.declare import UNKNOWN
from cnnspec.diagnostics import Sink, Stop, codes
from cnnspec.limits import LIMITS
from cnnspec.syntax import tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from cnnspec.compiler.names import Deferred, Value, Values
    from cnnspec.source import Span


LAYER, MERGE, USE, NAME, SIZED, UNSURE = 4, 6, 4, 2, 12, 30
"""How many steps more than a statement some take: binding a layer's arguments, a merge or a branch, `use`, a name, a layer
for all sizes, and one behind a mistake, of which several shapes are tried."""


class Meter:
    """Counts what the expansion of the models of a check costs, against the limits."""

    def __init__(self) -> None:
        self.spent = False
        """Whether a limit is reached."""
        self.mistakes = 0
        self.models = 0
        self.operations = 0
        self.steps = 0
        self.unsearched = 0
        """Those of the steps that the search for fixes does not count."""
        self.expansions = 0
        self.layers = 0
        self.sizes: Any = None
        """The Work of models that are declared for many sizes."""

    def mistake(self, span: Span, sink: Sink) -> None:
        """Count an error that was met, and told if it is a new one. Where they are too many, that is told."""
        self.mistakes += 1
        if self.mistakes > LIMITS.met:
            self.spent = True
            sink.report(codes.TOO_MANY_MISTAKES, span, limit=LIMITS.met)
            raise Stop

    def model(self, span: Span, sink: Sink) -> None:
        self.models += 1
        if self.models > LIMITS.models:
            self.stop(LIMITS.models, "models", span, sink)

    def operation(self, span: Span, sink: Sink) -> None:
        self.operations += 1
        if self.operations > LIMITS.operations:
            self.stop(LIMITS.operations, "operations", span, sink)

    def step(self, span: Span, sink: Sink, count: int = 1) -> None:
        """Count a statement; one that takes the time of several as so many."""
        self.steps += count
        if self.steps > LIMITS.steps:
            self.stop(LIMITS.steps, "statements", span, sink)

    def unsure(self, count: int) -> None:
        """Count work that a trial of a fix does not answer for; the next step looks whether it is too much."""
        self.steps += count
        self.unsearched += count

    def expansion(self, span: Span, sink: Sink) -> None:
        self.expansions += 1
        if self.expansions > LIMITS.expansions:
            self.stop(LIMITS.expansions, "different uses of blocks", span, sink)

    def branch(self, before: int, span: Span, sink: Sink) -> None:
        self.merged(before, "branches", span, sink)
        self.step(span, sink, MERGE)

    def merged(self, before: int, what: str, span: Span, sink: Sink) -> None:
        if before >= LIMITS.branches:
            self.stop(LIMITS.branches, f"{what} of one merge", span, sink)

    def input(self, count: int, span: Span, sink: Sink) -> None:
        if count > LIMITS.inputs:
            self.stop(LIMITS.inputs, "inputs of one model", span, sink)

    def stop(self, limit: int, what: str, span: Span, sink: Sink) -> None:
        self.spent = True
        sink.report(codes.TOO_MANY_STEPS, span, limit=limit, what=what)
        raise Stop

    def add_layers(self, count: int, span: Span, sink: Sink) -> None:
        self.layers += count
        if self.layers > LIMITS.layers:
            self.spent = True
            sink.report(codes.TOO_MANY_LAYERS, span, limit=LIMITS.layers, found=f"{self.layers:,}")
            raise Stop


class Place:
    """What an expression may see. By itself a place in no network; a walk through one derives from it."""

    def __init__(self, sink: Sink, scope: Scope) -> None:
        self.sink = sink
        self.scope = scope
        self.meter = Meter()
        self.flow: Known = LOST
        """What is known of the running value."""
        self.awaits_input = False
        """True in front of the input of a model that has one."""
        self.in_function = ""
        """The name of the function that is being worked out, which has no place in a network."""
        self.calling: list[str] = []
        """The functions and constants that are being worked out, outermost first."""
        self.constants: dict[Deferred, Any] = {}
        """The constants of files that have been worked out."""
        self.written: dict[int, tuple[object, tree.Sequence]] = {}
        """Lists and tuples that a spec writes out, by their ids, each with its text."""
        self.unmeasured = False
        """Whether a budget was met that depends on a size, or is hidden by a mistake."""

    def compare(self, operator: str, left: Any, right: Any, span: Span) -> bool:
        """What a comparison of two values gives."""
        if operator in ("==", "!="):
            return equal(left, right) == (operator == "==")
        return order(operator, left, right)

    def choose(self, rule: Callable[[], Any]) -> Any:
        """What a rule about sizes gives."""
        return rule()

    def number(self, size: int) -> int:
        """A size of a value of the network, as expressions see it."""
        return size

    def inner_value(self, of: Value | Values, path: Sequence[tree.Name], span: Span) -> Any:
        """The value behind a module inside of a labelled one; only a network has such."""
        raise NotImplementedError


def spread(names: tuple[tree.Name, ...], value: Any, *, unpacks: bool, scope: Scope, place: Place) -> None:
    """Bind the names of a `for` to one of the values that it runs over."""
    if not unpacks or value is UNKNOWN:
        for name in names:
            scope.bind(name.id, value, name.span)
        return
    if isinstance(value, (list, tuple)) and len(value) == len(names):
        for name, item in zip(names, value):
            scope.bind(name.id, item, name.span)
        return
    if not has_unknown(value):
        found = describe(value) if not isinstance(value, (list, tuple)) else f"a sequence of {len(value)}"
        place.sink.report(codes.WRONG_UNPACKING, names[0].span.to(names[-1].span), value=found, count=len(names))
    for name in names:
        scope.bind(name.id, UNKNOWN, name.span)
