"""What names mean: the blocks of a file, and the scopes of a body."""

from __future__ import annotations

from cnnspec import layers
from cnnspec.declare import Field, Kind, Signature
from cnnspec.diagnostics import Label, Sink, codes
from cnnspec.record import record
from cnnspec.syntax import tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from cnnspec.source import Span


class _Anything(Kind):
    """Parameters of blocks take values of every kind."""

    keeps_lists = True

    def accepts(self, value: object, rank: int) -> int:
        return 0


class Block:
    """A block as a value: its definition and the file whose names it sees."""

    def __init__(self, definition: tree.Block | tree.Model, scope: Scope) -> None:
        self.definition = definition
        self.scope = scope
        self.name = definition.name.id
        self.used = False
        fields = {
            parameter.name.id: Field(parameter.name.id, _Anything(), None, parameter.default is None)
            for parameter in definition.parameters
        }
        self.signature = Signature(fields, {})


SHAPE_NAMES = ("in_channels", "in_features", "in_length", "in_depth", "in_height", "in_width", "in_shape")
"""Names that give the shape at a point of a network, always."""


def check_names(names: Iterable[tree.Name], sink: Sink) -> None:
    """Report names that are bound together and can't be: two that are equal, and those of a shape."""
    seen: dict[str, Span] = {}
    for name in names:
        first = seen.setdefault(name.id, name.span)
        if first is not name.span and name.id != "_":
            sink.report(codes.BOUND_TWICE, name.span, labels=[Label(first, "bound here")], name=name.id)
        elif name.id in SHAPE_NAMES:
            sink.report(codes.SHAPE_NAME, name.span, name=name.id)


@record
class Binding:
    """A value under a name, and where it was bound."""

    value: Any
    span: Span | None


class Scope:
    """The names of one body, and those of the bodies around it."""

    __slots__ = ("bindings", "outer", "values")

    def __init__(self, outer: Scope | None = None) -> None:
        self.outer = outer
        self.bindings: dict[str, Binding] = {}
        self.values: dict[str, Any] = {}
        """Values of the network that were named with `as`."""

    def find(self, name: str) -> Binding | None:
        scope: Scope | None = self
        while scope is not None:
            if name in scope.bindings:
                return scope.bindings[name]
            scope = scope.outer
        layer = layers.find(name)
        return None if layer is None else Binding(layer, None)

    def find_value(self, name: str) -> Any:
        """What `as name` has named in this body or one around it, or None."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.values:
                return scope.values[name]
            scope = scope.outer
        return None

    def bind(self, name: str, value: Any, span: Span | None = None) -> None:
        self.bindings[name] = Binding(value, span)

    def names(self) -> Iterator[str]:
        """All names bound in this body and those around it."""
        scope: Scope | None = self
        while scope is not None:
            yield from scope.bindings
            scope = scope.outer

    def value_names(self) -> Iterator[str]:
        scope: Scope | None = self
        while scope is not None:
            yield from scope.values
            scope = scope.outer
