"""What is known of the value that runs through a network, axis by axis, and which statement made it so."""

from __future__ import annotations

from cnnspec.compiler.values import show_shape
from cnnspec.diagnostics import Label
from cnnspec.layers.base import Parts
from cnnspec.record import record
from cnnspec.source import Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

Shape = tuple[int, ...]
Sizes = tuple[int | None, ...]


@record
class Origin:
    """The statement that gave a shape, and the layers that have laid out its values anew since."""

    span: Span
    shape: Sizes
    via: tuple[tuple[str, Sizes], ...] = ()
    verb: str = "gives"

    def label(self) -> Label:
        steps = [f"so {name} gives {show_shape(shape)}" for name, shape in self.via]
        return Label(self.span, ", ".join([f"{self.verb} {show_shape(self.shape)}", *steps]))


@record
class Flow:
    """What is known of one value, and where it comes from.

    `sizes` has a number for each axis that is sure and None for one that is not; it is None where not even the number of
    axes is known, and then `first` and `last` may still be. After an error `options` are the sizes that the value may have:
    those that were found and those that the spec declares. Only what is wrong for all of them is news.
    """

    sizes: Sizes | None = None
    origin: Origin | None = None
    channels_origin: Origin | None = None
    first: int | None = None
    last: int | None = None
    options: tuple[Sizes, ...] = ()

    @property
    def doubted(self) -> bool:
        """Whether an error has put in question what is not sure."""
        return bool(self.options)

    @property
    def readings(self) -> tuple[Sizes, ...]:
        """The sizes that the value may have; none where the number of its axes is not known."""
        return self.options or (() if self.sizes is None else (self.sizes,))

    @property
    def shape(self) -> Shape | None:
        """The shape where all of it is sure."""
        sizes = self.sizes
        return None if sizes is None or None in sizes else sizes  # type: ignore[return-value]

    @property
    def rank(self) -> int | None:
        return None if self.sizes is None else len(self.sizes)

    def width(self, axis: int) -> int | None:
        """The size along the first axis (0) or the last (-1), or any other of a known rank, where it is sure."""
        if self.sizes is not None:
            return self.sizes[axis] if -len(self.sizes) <= axis < len(self.sizes) else None
        return {0: self.first, -1: self.last}.get(axis)

    def labels(self, axis: int = -1) -> list[Label]:
        """The place that explains the shape, or with axis 0 the number of channels."""
        origin = self.channels_origin if axis == 0 and self.channels_origin else self.origin
        return [origin.label()] if origin else []

    def become(self, sizes: Sizes, span: Span, *, name: str = "", reshapes: bool = False, verb: str = "gives") -> Flow:
        """The value after a statement that gives `sizes`."""
        if sizes == self.sizes:
            return self
        origin = Origin(span, sizes, (), verb)
        if reshapes and self.origin is not None and self.sizes is not None:
            origin = Origin(self.origin.span, self.origin.shape, (*self.origin.via, (name, sizes)), self.origin.verb)
        before = self.sizes
        keeps = before is not None and len(sizes) == len(before) and sizes[0] == before[0]
        return Flow(sizes, origin, self.channels_origin if keeps else origin)

    def blurred(self, axes: tuple[int, ...]) -> Flow:
        """The same value, not sure of some of its axes."""
        if self.sizes is None:
            return self
        gone = {axis % len(self.sizes) for axis in axes if -len(self.sizes) <= axis < len(self.sizes)}
        sizes = tuple(None if axis in gone else size for axis, size in enumerate(self.sizes))
        return Flow(sizes, self.origin, self.channels_origin)

    def or_else(self, other: Sizes) -> Flow:
        """The same value after an error: it has the sizes that are known, or `other` ones."""
        return doubtful((*self.readings, other), self)

    def through(self, end: Flow, span: Span) -> Flow:
        """The value `end` as the use of a block at `span` gives it: what made it so inside of the block is not shown."""
        if end.sizes is None:
            return end
        same = end.sizes == self.sizes
        origin = self.origin if same else Origin(span, end.sizes)
        channels = self.channels_origin if same or end.width(0) == self.width(0) else origin
        return Flow(end.sizes, origin, channels, None, None, end.options)


@record
class Several:
    """What is known of a tuple of values."""

    parts: tuple[Flow | Several, ...]
    origin: Origin | None = None

    @property
    def shape(self) -> Parts | None:
        shapes = [part.shape for part in self.parts]
        return None if None in shapes else Parts(shapes)

    @property
    def doubted(self) -> bool:
        return any(part.doubted for part in self.parts)


Known = Flow | Several

LOST = Flow()
"""A value of which nothing is known."""
_READINGS = 4
"""How many sizes a value may have after errors; the first ones are kept."""


def doubtful(options: tuple[Sizes, ...], like: Flow) -> Flow:
    """A value that has one of several sizes, of which it is in question which; with the origins of `like`."""
    options = tuple(dict.fromkeys(options))[:_READINGS]
    found = joined(options)
    return Flow(found.sizes, like.origin, like.channels_origin, found.first, found.last, options)


def shape_fact(known: Known) -> object:
    """A shape as a fact of a finding: its sizes, None for what is not known; words for anything else."""
    return known.sizes if isinstance(known, Flow) and known.sizes is not None else describe_sizes(known)


def describe_sizes(known: Known) -> str:
    """A shape as messages show it, `_` for what is not known; of a doubted one the sizes that were found."""
    if isinstance(known, Several):
        return "(" + ", ".join(map(describe_sizes, known.parts)) + ("," if len(known.parts) == 1 else "") + ")"
    sizes = known.readings[0] if known.readings else None
    return "unknown" if sizes is None else show_shape(sizes)


def joined(shapes: Sequence[Sizes]) -> Flow:
    """What is sure of a value that has one of these shapes."""
    if len({len(shape) for shape in shapes}) > 1:
        first, last = {shape[0] for shape in shapes}, {shape[-1] for shape in shapes}
        return Flow(None, None, None, first.pop() if len(first) == 1 else None, last.pop() if len(last) == 1 else None)
    columns = [set(column) for column in zip(*shapes)]
    return Flow(tuple(next(iter(column)) if len(column) == 1 else None for column in columns))


def joined_flows(flows: list[Known]) -> Known:
    """What is sure of a value that is one of these, as after an `if` whose answer is unknown."""
    first = flows[0]
    if all(flow == first for flow in flows):
        return first
    if not all(isinstance(flow, Flow) for flow in flows):
        return LOST
    known = [flow for flow in flows if isinstance(flow, Flow)]
    if any(flow.sizes is None or len(flow.sizes) != known[0].rank for flow in known):
        return LOST
    columns = zip(*[flow.sizes or () for flow in known])
    sizes = tuple(column[0] if len(set(column)) == 1 else None for column in columns)
    origin = known[0].origin if isinstance(first, Flow) else None
    doubted = any(flow.doubted for flow in known)
    return Flow(sizes, origin, known[0].channels_origin, None, None, (sizes,) if doubted else ())


def identity_of(known: Known) -> tuple[object, ...]:
    """What the shapes behind a value depend on."""
    if isinstance(known, Several):
        return tuple(map(identity_of, known.parts))
    return (known.sizes, known.first, known.last, known.options)
