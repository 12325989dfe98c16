"""What an output sees of the input: along each axis the places that one of its places reads, through all branches.

    fields = ReceptiveFields(graph)
    fields.output              # of what the network gives
    fields.of("layer1.0")      # of what a module gives, by its path

Every layer says by `Layer.reads` which places of its input a place of its output reads, and these are put together as in
Araujo, Norris and Sim 2019, "Computing Receptive Fields of Convolutional Neural Networks", doi 10.23915/distill.00021; but
place by place within a period, so that layers that make an image larger are exact, too. Edges don't matter: the input is
taken to go on forever. Norms count as functions of single values, although some take their mean over all places.
"""

from __future__ import annotations

from math import gcd

from cnnspec.analysis.flow import Interpreter, outside
from cnnspec.graph.nodes import Graph, LayerNode, MergeNode, ResidualNode, Weight
from cnnspec.layers.base import Parts, Reads, Shape, all_of
from cnnspec.record import record, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from fractions import Fraction
    from typing import Any, TypeAlias

PERIOD = 1024
"""The longest period that is kept apart place by place; beyond it a field is taken for the whole axis."""

Span = tuple[int, int] | None


@record
class Field:
    """What the places of a value read along one axis of an input.

    Place `q * len(spans) + r` reads from `q * shift + spans[r][0]` to `q * shift + spans[r][1]`; None where it reads
    nothing. With `shift` 0 all read the same. `misaligned` is whether branches of different stride or start have met.
    """

    shift: int
    spans: tuple[Span, ...]
    misaligned: bool = False

    @property
    def size(self) -> int:
        """How many places from the first one that is read to the last."""
        return max((span[1] - span[0] + 1 for span in self.spans if span is not None), default=0)

    @property
    def stride(self) -> int | Fraction:
        """How far apart the fields of neighbouring places are."""
        period = len(self.spans)
        if self.shift % period == 0:
            return self.shift // period
        # Few networks have such strides, and the module takes longer to import than most take to be worked out.
        from fractions import Fraction

        return Fraction(self.shift, period)

    @property
    def start(self) -> int:
        """The first place that place 0 reads; negative where that is padding."""
        return min((span[0] for span in self.spans[:1] if span is not None), default=0)

    def covers(self, size: int) -> bool:
        """Whether every place reads all of an axis of that size."""
        span = self.spans[0]
        return self.shift == 0 and span is not None and span[0] <= 0 and span[1] >= size - 1

    def at(self, place: int) -> Span:
        turn, rest = divmod(place, len(self.spans))
        span = self.spans[rest]
        return None if span is None else (span[0] + turn * self.shift, span[1] + turn * self.shift)

    def between(self, first: int, last: int) -> Span:
        """What the places from `first` to `last` read together."""
        while first <= last and self.at(first) is None:
            first += 1
        while first <= last and self.at(last) is None:
            last -= 1
        low, high = self.at(first), self.at(last)
        return None if first > last or low is None or high is None else (low[0], high[1])


ONE = Field(1, ((0, 0),))


def read(field: Field, reads: Reads, size: int) -> Field:
    """The field of what reads a value of that field, of which there are `size` places."""
    period, per = len(field.spans), reads.per * len(field.spans)
    own = per // gcd(reads.step, per)
    if own > PERIOD:
        return replace(field, shift=0, spans=(field.between(0, size - 1),))
    if own == 1 and period == 1 and reads.per == 1 and field.spans[0] is not None:
        (low, high), shift = field.spans[0], field.shift
        span = (low + reads.first * shift, high + reads.last * shift) if reads.first <= reads.last else None
        return Field(shift * reads.step, (span,), field.misaligned)
    spans = [field.between(*reads.places(place)) for place in range(own)]
    return Field(reads.step * own // per * field.shift, tuple(spans), field.misaligned)


def join(first: Field, second: Field, size: int) -> Field:
    """The field of what two values of as many places are merged to."""
    if first == second or first.spans == (None,):
        return second
    if second.spans == (None,):
        return first
    periods = len(first.spans), len(second.spans)
    period = periods[0] * periods[1] // gcd(*periods)
    shifts = first.shift * period // periods[0], second.shift * period // periods[1]
    if shifts[0] != shifts[1] or period > PERIOD:
        both = _hull([first.between(0, size - 1), second.between(0, size - 1)])
        fixed = 0 in shifts
        return Field(0, (both,), first.misaligned or second.misaligned or not fixed)
    spans = tuple(_hull([first.at(place), second.at(place)]) for place in range(period))
    askew = _centre(first) != _centre(second)
    return Field(shifts[0], spans, first.misaligned or second.misaligned or askew)


def _centre(field: Field) -> int:
    span = field.at(0)
    return 0 if span is None else sum(span)


def _hull(spans: list[Span]) -> Span:
    known = [span for span in spans if span is not None]
    return (min(low for low, _ in known), max(high for _, high in known)) if known else None


Axis = tuple[int, int]
"""An axis of an input: the number of the input, and that of the dimension in its shape."""
Fields: TypeAlias = "dict[Axis, tuple[Field, int | None]]"
"""The field along each axis that is seen, and the dimension of the value that its places are of; None where it is none."""


@record
class Seen:
    """What is known of a value: its shape, and what it sees."""

    shape: Shape
    fields: Fields

    @property
    def first(self) -> tuple[Field, ...]:
        """The fields along the axes of the first input that is seen."""
        inputs = [axis[0] for axis in self.fields]
        return tuple(field for axis, (field, _) in sorted(self.fields.items()) if axis[0] == min(inputs))


class ReceptiveFields(Interpreter):
    """The receptive fields of a graph without mistakes. With several inputs and outputs those of the first of each."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._seen: dict[str, Seen] = {}
        self._reads: dict[int, tuple[dict[int, Reads], dict[int, int] | None]] = {}
        given = [self._entry(number, entry.shape or (), entry.integers) for number, entry in enumerate(graph.inputs)]
        end = self.run(graph.root, given[0] if given else Seen((), {}), given[1:], outside(graph.root))
        self.outputs: list[Seen] = _flat(end)

    @property
    def output(self) -> tuple[Field, ...]:
        """Of what the network gives, for each axis of the input; empty where that has none."""
        return self.outputs[0].first if self.outputs else ()

    @property
    def paths(self) -> list[str]:
        """The paths of the modules, in the order in which they have run."""
        return list(self._seen)

    def of(self, path: str) -> tuple[Field, ...]:
        """Of what the module under a path gives when it runs last."""
        return self._seen[path].first if path in self._seen else ()

    def _entry(self, number: int, shape: Shape, integers: bool) -> Seen:
        axes = range(0 if integers else 1, len(shape))
        return Seen(shape, {(number, axis): (ONE, axis) for axis in axes})

    # --- what runs ---

    def run(self, node: Any, x: Any, values: Any = (), shared: Any = (), path: str = "") -> Any:
        result = super().run(node, x, values, shared, path)
        found = result
        while isinstance(found, tuple) and found:
            found = found[0]
        if found != ():
            self._seen[path] = found
        return result

    def layer(self, node: LayerNode, x: Any, path: str) -> Any:
        layer, shape = node.layer, node.output
        assert layer is not None
        assert shape is not None
        parts = [x] if isinstance(x, Seen) else _flat(x)
        if len(parts) > 1:
            # Attention of one value over others: every step sees all of them.
            return self._made(shape, _joined(map(_whole, parts), parts[0].shape))
        seen = parts[0]
        known = self._reads.get(id(node))
        if known is None:
            known = self._reads[id(node)] = layer.reads(seen.shape, shape), layer.moved(seen.shape)
        return self._made(shape, _through(seen, *known))

    def _made(self, shape: Any, fields: Fields) -> Any:
        if isinstance(shape, Parts):
            return tuple(self._made(part, fields) for part in shape)
        return Seen(shape, fields)

    def merge(self, node: MergeNode | ResidualNode, parts: list[Any], path: str) -> Any:
        if isinstance(node, MergeNode) and node.kind == "tuple":
            return tuple(parts)
        shape = node.output
        assert shape is not None
        seen = [part for value in parts for part in _flat(value)]
        if isinstance(node, MergeNode) and node.kind == "matmul":
            return self._made(shape, _joined(map(_whole, seen), shape))
        if isinstance(node, MergeNode) and node.kind == "concat":
            dim = node.dim - 1 if node.dim > 0 else len(shape) + node.dim
            return self._made(shape, _joined([_whole(part, only=dim) for part in seen], shape))
        return self._made(shape, _joined([_stretched(part, shape) for part in seen], shape))

    def weight(self, weight: Weight, path: str) -> Seen:
        return Seen(weight.shape, {})


def _flat(value: Any) -> list[Seen]:
    return [part for one in value for part in _flat(one)] if isinstance(value, tuple) else [value]


def _through(seen: Seen, reads: dict[int, Reads], moved: dict[int, int] | None) -> Fields:
    """The fields of what a layer makes of a value."""
    if not reads and moved is None:
        return seen.fields
    found = {}
    # Axes are mostly alike, and then share what is worked out.
    last: tuple[Field, Reads, int, Field] | None = None
    for axis, (field, dim) in seen.fields.items():
        if dim is not None and dim in reads:
            size = seen.shape[dim]
            if last is None or last[0] is not field or last[1:3] != (reads[dim], size):
                last = field, reads[dim], size, read(field, reads[dim], size)
            field = last[3]
        found[axis] = (field, dim if moved is None or dim is None else moved.get(dim))
    return found


def _whole(seen: Seen, only: int | None = None) -> Fields:
    """The fields where every place reads all of a value; with `only`, all along one dimension."""
    found = {}
    for axis, (field, dim) in seen.fields.items():
        if dim is not None and (only is None or dim == only):
            field = read(field, all_of(seen.shape[dim]), seen.shape[dim])
        found[axis] = (field, dim)
    return found


def _stretched(seen: Seen, shape: Shape) -> Fields:
    """The fields of a value that is broadcast to a shape: along a size of 1 all places read the same."""
    found = {}
    for axis, (field, dim) in seen.fields.items():
        if dim is not None and seen.shape[dim] == 1 != shape[dim]:
            field = read(field, Reads(0, 0, 0), 1)
        found[axis] = (field, dim)
    return found


def _joined(values: Iterable[Fields], shape: Shape) -> Fields:
    """The fields of what several values are merged to."""
    found: Fields = {}
    last: tuple[Field, Field, Field] | None = None
    for fields in values:
        for axis, (field, dim) in fields.items():
            if axis not in found:
                found[axis] = (field, dim)
                continue
            other, place = found[axis]
            place = dim if place is None else place
            if last is None or last[0] is not other or last[1] is not field:
                last = other, field, join(other, field, 1 if place is None else shape[place])
            found[axis] = (last[2], place)
    return found
