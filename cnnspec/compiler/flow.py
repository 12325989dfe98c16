"""What is known of the value that runs through a network, and which statement made it so."""

from __future__ import annotations

from cnnspec.compiler.values import show_shape
from cnnspec.diagnostics import Label
from cnnspec.record import record
from cnnspec.source import Span

Shape = tuple[int, ...]


@record
class Origin:
    """The statement that gave a shape, and the layers that have laid out its values anew since."""

    span: Span
    shape: Shape
    via: tuple[tuple[str, Shape], ...] = ()
    verb: str = "gives"

    def label(self) -> Label:
        steps = [f"so {name} gives {show_shape(shape)}" for name, shape in self.via]
        return Label(self.span, ", ".join([f"{self.verb} {show_shape(self.shape)}", *steps]))


@record
class Flow:
    """A value on its way: its shape, or where that is unknown (None) at most its channels; and where they come from."""

    shape: Shape | None = None
    channels: int | None = None
    origin: Origin | None = None
    channels_origin: Origin | None = None
    channels_doubted: bool = False
    """After a mistake the walk goes on with one of two numbers. What disagrees with a doubted one is no news."""
    sizes_doubted: bool = False

    @property
    def doubted(self) -> bool:
        return self.channels_doubted or self.sizes_doubted

    def width(self, axis: int) -> int | None:
        """The size along an axis, as far as it is known."""
        if self.shape is not None:
            return self.shape[axis]
        return self.channels if axis == 0 else None

    def labels(self, axis: int = -1) -> list[Label]:
        """The place that explains the shape, or with axis 0 the number of channels."""
        origin = self.channels_origin if axis == 0 and self.channels_origin else self.origin
        return [origin.label()] if origin else []

    def become(self, shape: Shape, span: Span, *, name: str = "", reshapes: bool = False, verb: str = "gives") -> Flow:
        """The value after a statement that gives `shape`."""
        if shape == self.shape:
            return self
        channels, sizes = self.channels_doubted, self.sizes_doubted
        if len(shape) == 1:
            channels, sizes = self.doubted, False
        origin = Origin(span, shape, (), verb)
        if reshapes and self.origin is not None and self.shape is not None:
            origin = Origin(self.origin.span, self.origin.shape, (*self.origin.via, (name, shape)), self.origin.verb)
        keeps = self.shape is not None and shape[0] == self.shape[0] and len(shape) == len(self.shape)
        return Flow(shape, shape[0], origin, self.channels_origin if keeps else origin, channels, sizes)

    def through(self, end: Flow, span: Span) -> Flow:
        """The value `end` as the use of a block at `span` gives it: what made it so inside of the block is not shown."""
        if end.shape is None:
            return end
        origin = self.origin if end.shape == self.shape else Origin(span, end.shape)
        channels = self.channels_origin if end.channels == self.channels else origin
        return Flow(end.shape, end.channels, origin, channels, end.channels_doubted, end.sizes_doubted)

    def doubt(self, *, channels: bool, sizes: bool) -> Flow:
        """The same value, sure or unsure of its channels and of its other sizes."""
        if (channels, sizes) == (self.channels_doubted, self.sizes_doubted):
            return self
        return Flow(self.shape, self.channels, self.origin, self.channels_origin, channels, sizes)


LOST = Flow()
"""A value of which nothing is known."""
