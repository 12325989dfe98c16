"""Models whose input is declared for many sizes, `input [3, H, W] where H % 32 == 0`: checked for all of them at once.

Where the network does not hold for some of them, it is checked for the smallest of these as if that had been written: the
errors are those of that size, and say which condition would leave it out.
"""

from __future__ import annotations

from cnnspec.compiler.any_size import Holding, SizedWalk, varies
from cnnspec.compiler.elaborate import RULES, new_walk
from cnnspec.compiler.expansion import expanded
from cnnspec.compiler.place import SIZED, Meter
from cnnspec.declare import UNKNOWN, AnySize, Bound, Reject, spell
from cnnspec.diagnostics import Diagnostic, Edit, Label, Sink, Suggestion, codes
from cnnspec.diagnostics.suggestions import Kind
from cnnspec.graph.nodes import Graph
from cnnspec.layers.base import Layer
from cnnspec.limits import LIMITS
from cnnspec.record import replace
from cnnspec.sizes.declared import DeclaredSizes
from cnnspec.sizes.region import LENGTH, Entangled, Region, TooShort, Undecided, Work, longer
from cnnspec.sizes.rules import settled
from cnnspec.sizes.sets import Box, boxes, smallest_of
from cnnspec.sizes.size import Grid
from cnnspec.source import Span
from cnnspec.syntax import tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from cnnspec.compiler.expansion import Chosen
    from cnnspec.compiler.names import Block
    from cnnspec.compiler.walk import Walk

NARROW = Kind("narrow", "declare the sizes that work: `where {conditions}`")
"""A condition that leaves out the sizes for which the network does not hold."""


class _OtherBase(Exception):
    """The smallest sizes that are admitted are others than those of the grid."""

    def __init__(self, base: tuple[int, ...]) -> None:
        super().__init__(base)
        self.base = base


class DeclaredWalk(SizedWalk):
    """A walk for all sizes that a model's input admits."""

    def __init__(self, grid: Grid, sink: Sink, rules: dict[type, Callable[[Walk, Any], None]]) -> None:
        super().__init__(grid, sink, {kind: _guarded(rule) for kind, rule in rules.items()})
        self.sizes = dict(zip(grid.names, grid.variables))
        self.admitted: Region = grid.region
        self.asks_where = True

    def admits(self, condition: Callable[[], bool | None]) -> bool | None:
        if not self.asks_where:
            return True
        answer = self.holds(condition)
        self.admitted = self.grid.region
        return answer

    def end_inputs(self) -> None:
        smallest = smallest_of(boxes(self.grid.region))
        if smallest != self.grid.base:
            raise _OtherBase(smallest)

    def compare(self, operator: str, left: Any, right: Any, span: Span) -> bool:
        try:
            return super().compare(operator, left, right, span)
        except Undecided as undecided:
            undecided.span = undecided.span or span
            raise

    def fits(self, stated: int, width: int | None) -> bool | None:
        # That a width depends on the size is an error of its own, which `infer` tells.
        return isinstance(settled(self.grid, width), AnySize) or super().fits(stated, width)

    def infer(self, layer: Layer, shape: Any) -> Any:
        given = super().infer(layer, shape)
        if not varies(shape) and not any(map(varies, layer.given.values())):
            return given
        call = layer.call(shape)
        followed = [layer.given.get(name) for name in layer.follows]
        for name, value in [*enumerate(call.args), *call.kwargs.items()]:
            found = settled(self.grid, value)
            if varies(found) and not any(value is one for one in followed):
                counts = layer.counts if name == 0 and layer.inferred else "values to normalise"
                raise Reject("", codes.SIZE_BUILDS, what=f"it gets {found} {counts}", found=shape, fix=_fix(shape))
        return given

    def check_arguments(self, layer: type[Layer], bound: Bound) -> Bound:
        values = dict(bound.values)
        for name, value in bound.values.items():
            if not varies(value):
                continue
            if name not in layer.follows:
                what = f"{name} of {layer.__name__} would be {spell(value)}"
                self.sink.report(codes.SIZE_DECIDES, bound.spans[name], what=what, fix="write a number")
                values[name] = UNKNOWN
            elif (least := layer.follows[name]) is not None:
                self._expect(layer, name, value, least, bound)
        return bound if values == bound.values else Bound(values, bound.spans, False)

    def _expect(self, layer: type[Layer], name: str, value: Any, least: int, bound: Bound) -> None:
        """Leave out the sizes for which an argument is too small."""
        for one in value if isinstance(value, tuple) else (value,):
            if isinstance(one, AnySize) and not self.holds(lambda one=one: one >= least):  # type: ignore[misc]
                wants = f"at least {least}"
                self.sink.report(codes.OUT_OF_RANGE, bound.spans[name], name=name, value=spell(one), wants=wants)


def _fix(shape: Any) -> str:
    """What to do about a layer that has one weight for each value of what arrives."""
    if len(shape) == 1:
        return "put `AdaptiveAvgPool2d(1)` in front of Flatten: it gives as many for every size; or give the input one size"
    return "give the input one size"


def _guarded(rule: Callable[[Walk, Any], None]) -> Callable[[Walk, Any], None]:
    """A rule that reports where what a statement does depends on the size, or can't be decided for all sizes."""

    def run(walk: Any, node: Any) -> None:
        before = walk.stack, walk.scope, walk.body, walk.depth, walk.branches
        if isinstance(node, tree.Layer):
            walk.meter.step(node.span, walk.sink, SIZED)
        try:
            rule(walk, node)
            return
        except Undecided as undecided:
            walk.sink.add(_deciding(walk, node, undecided))
        except Entangled:
            if walk.grid.work.spent:
                walk.meter.stop(LIMITS.points, "sizes to be looked at", node.span, walk.sink)
            why = "it depends on several sizes together, or on more sizes than are looked at"
            walk.sink.report(codes.SIZES_TOO_MANY, getattr(node, "head", node.span), why=why)
        walk.stack, walk.scope, walk.body, walk.depth, walk.branches = before
        if not isinstance(node, (tree.Let, tree.Function, tree.Assert, tree.Input, tree.Tail, tree.Branch)):
            walk.gap("", node.span)

    return run


def _deciding(walk: SizedWalk, node: Any, undecided: Undecided) -> Diagnostic:
    """The report that an answer is yes for some sizes and no for others."""
    grid = walk.grid
    sides = [grid.extent.both(grid.region, undecided.truth, holds=holds) for holds in (False, True)]
    no, yes = (_size_text(grid, smallest_of(boxes(side)), undecided.truth.axes) for side in sides if side)
    facts: dict[str, object] = {
        "what": f"{no} says no, {yes} says yes",
        "fix": "narrow the sizes with `where`, or leave it out",
    }
    return Diagnostic(codes.SIZE_DECIDES, facts, undecided.span or getattr(node, "head", node.span))


def _size_text(grid: Grid, sizes: tuple[int, ...], axes: tuple[int, ...]) -> str:
    return ", ".join(f"{grid.names[axis]} = {sizes[axis]}" for axis in axes)


# --- the check ---


def expand_for_all(
    names: list[str],
    chosen: Chosen,
    parameters: Mapping[str, Any],
    recipe: tree.Train | None,
    sink: Sink,
    used: set[Block],
    meter: Meter,
) -> Graph:
    """The graph of a model for all sizes that its input admits, which have these names."""
    if len(names) > LIMITS.free_sizes:
        sink.report(
            codes.SIZES_TOO_MANY, chosen.name.span, why=f"the inputs have more than {LIMITS.free_sizes} sizes by name"
        )
        return _at_one(chosen, parameters, recipe, sink, used, dict.fromkeys(names, UNKNOWN), meter)
    trial = Sink()
    walk, graph = _walk_all(names, chosen, parameters, recipe, trial, used, meter)
    grid = walk.grid
    if meter.spent:
        for found in trial.diagnostics:
            sink.add(found)
        return graph
    if grid.region.points == walk.admitted.points:
        for found in trial.diagnostics:
            sink.add(found)

        def at(sizes: Mapping[str, int]) -> Graph:
            one = _at_one(chosen, parameters, recipe, Sink(), set(), sizes, Meter())
            return replace(one, values={**one.values, **sizes})

        declared = DeclaredSizes(grid, at)
        whole = replace(graph, sizes=declared)
        if not walk.unmeasured or trial.has_errors:
            return whole
        least = declared.smallest
        label = _label(walk, f"with {_listed(least)}, the smallest size that it is declared for")
        explained = _Explained(sink, trial, label, None)
        one = _at_one(chosen, parameters, recipe, explained, used, least, meter)
        return one if explained.found else whole
    failing = _failing(grid, walk.admitted)
    for found in trial.diagnostics:
        sink.add(found)
    smallest = dict(zip(names, smallest_of(failing)))
    label = _label(walk, f"with {_listed(smallest)}, the smallest size that does not work")
    explained = _Explained(sink, trial, label, None if trial.has_errors else _narrowed(walk))
    return _at_one(chosen, parameters, recipe, explained, used, smallest, meter)


def sizes_without_where(chosen: Chosen, parameters: Mapping[str, Any], graph: Graph) -> Holding:
    """The sizes for which a model holds that is declared for some of them, if `where` did not leave any out.

    Those of `where`, where the body needs it to be one network.
    """
    assert graph.sizes is not None
    names = list(graph.sizes.names)
    grid, found = graph.sizes.grid, graph
    if any(isinstance(one, tree.Input) and one.conditions for one in chosen.definition.body.statements):
        sink = Sink()
        walk, freed = _walk_all(names, chosen, parameters, None, sink, set(), Meter(), where=False)
        if not sink.has_errors:
            grid, found = walk.grid, freed
    axes = tuple(
        tuple(names.index(str(size)) if varies(size) else None for size in one.shape or ()) for one in graph.inputs
    )
    return Holding(grid, found, axes)


def _walk_all(
    names: list[str], chosen: Chosen, parameters: Mapping[str, Any], recipe: tree.Train | None, sink: Sink,
    used: set[Block], meter: Meter, *, where: bool = True,
) -> tuple[DeclaredWalk, Graph]:  # fmt: skip
    """Go through a model for all sizes; anew with a longer grid, as long as that is too short."""
    lengths, base = [LENGTH] * len(names), (1,) * len(names)
    work = meter.sizes = meter.sizes or Work()
    first = True
    while True:
        trial = Sink()
        try:
            walk = DeclaredWalk(Grid(names, base, lengths, work), trial, RULES)
            walk.used, walk.asks_where, walk.meter = used, where, meter
            walk.counts_model, work.counts = first, True
            first = False
            graph = expanded(walk, chosen, parameters, recipe)
            break
        except TooShort as short:
            lengths = longer(lengths, short)
        except _OtherBase as other:
            base = other.base
        finally:
            work.counts = False
    for found in trial.diagnostics:
        sink.add(found)
    return walk, graph


def _failing(grid: Grid, admitted: Region) -> list[Box]:
    """The sizes that are admitted and do not work."""
    left = grid.extent.without(admitted, grid.region)
    assert left is not None
    return boxes(left)


def _at_one(
    chosen: Chosen, parameters: Mapping[str, Any], recipe: tree.Train | None, sink: Sink, used: set[Block],
    sizes: Mapping[str, Any], meter: Meter,
) -> Graph:  # fmt: skip
    """The graph of a model for one size."""
    walk = new_walk(sink)
    walk.used, walk.meter, walk.counts_model = used, meter, False
    return expanded(walk, chosen, {**parameters, **sizes}, recipe)


class _Explained(Sink):
    """Takes the first error that a network has at one size, and says which size that is and which ones work."""

    def __init__(self, inner: Sink, trial: Sink, label: Label | None, fix: Suggestion | None) -> None:
        super().__init__()
        self.inner = inner
        self.told = {found.span for found in trial.diagnostics}
        self.found = False
        self.label = label
        self.fix = fix

    def add(self, diagnostic: Diagnostic) -> None:
        if diagnostic.severity == "error":
            if self.found or diagnostic.span in self.told:
                return
            self.found = True
            labels = (*diagnostic.labels, *([self.label] if self.label else []))
            fixes = (*([self.fix] if self.fix else []), *diagnostic.suggestions)
            diagnostic = replace(diagnostic, labels=labels, suggestions=fixes)
        self.inner.add(diagnostic)

    @property
    def diagnostics(self) -> list[Diagnostic]:
        return self.inner.diagnostics

    @property
    def has_errors(self) -> bool:
        return self.inner.has_errors

    def __len__(self) -> int:
        return len(self.inner)


def _label(walk: DeclaredWalk, text: str) -> Label | None:
    """Words at the shape of the input that has the sizes."""
    node = _declaring(walk)
    return None if node is None else Label(node.shape.span, text)


def _listed(sizes: Mapping[str, int]) -> str:
    return ", ".join(f"{name} = {size}" for name, size in sizes.items())


def _declaring(walk: DeclaredWalk) -> tree.Input | None:
    """The input that is to have the conditions: the last one that names sizes."""
    found = None
    for statement in walk.model.body.statements if walk.model else ():
        if isinstance(statement, tree.Input) and any(
            isinstance(item, tree.Name) and item.id in walk.sizes for item in statement.shape.items
        ):
            found = statement
    return found


def _narrowed(walk: DeclaredWalk) -> Suggestion | None:
    """The weakest condition with which the network holds, as a fix."""
    grid, node = walk.grid, _declaring(walk)
    now, then = boxes(walk.admitted), boxes(grid.region)
    if node is None or len(then) > 1:
        return None
    told = {condition.span.text for condition in node.conditions}
    added = [
        condition
        for axis, name in enumerate(grid.names)
        if len(now) > 1 or now[0][axis] != then[0][axis]
        for condition in then[0][axis].conditions(name)
        if condition not in told
    ]
    # What says the same of a size with another number is replaced: all that is to hold of it is in the new ones.
    kinds = {_without_numbers(condition): condition for condition in added}
    texts = [kinds.pop(_without_numbers(text), text) for text in (one.span.text for one in node.conditions)]
    texts += kinds.values()
    conditions = ", ".join(texts)
    if not node.conditions:
        at = Span(node.span.source, node.shape.span.end, node.shape.span.end)
        return Suggestion(NARROW, {"conditions": conditions}, (Edit(at, f" where {conditions}"),))
    first, last = node.conditions[0].span, node.conditions[-1].span
    edit = Edit(Span(node.span.source, first.start, last.end), conditions)
    return Suggestion(NARROW, {"conditions": conditions}, (edit,))


def _without_numbers(condition: str) -> str:
    return "".join(letter for letter in condition if not letter.isdigit() and letter != " ")
