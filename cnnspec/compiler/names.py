"""What names mean: the scopes of bodies, and the things that names stand for besides plain values."""

from __future__ import annotations

from cnnspec import layers
from cnnspec.compiler.values import NetworkValue
from cnnspec.declare import Field, Kind, Signature, spell
from cnnspec.diagnostics import Label, Sink, codes
from cnnspec.layers import Layer
from cnnspec.record import record
from cnnspec.syntax import tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

    from cnnspec.compiler.flow import Flow, Known
    from cnnspec.declare import Argument
    from cnnspec.graph.nodes import Feed
    from cnnspec.source import Span


class _Anything(Kind):
    """Parameters of blocks take values of every kind."""

    keeps_lists = True

    def accepts(self, value: object, rank: int) -> int:
        return 0


_ANYTHING = _Anything()


class Block:
    """A block, or a model that is used as one, as a value: its definition and the file whose names it sees."""

    def __init__(self, definition: tree.Block | tree.Model, scope: Scope) -> None:
        self.definition = definition
        self.scope = scope
        self.name = definition.name.id
        fields = {
            parameter.name.id: Field(parameter.name.id, _ANYTHING, None, parameter.default is None)
            for parameter in definition.parameters
        }
        self.signature = Signature(fields, {})

    @property
    def is_model(self) -> bool:
        return isinstance(self.definition, tree.Model)


class Partial:
    """A layer or block with some of its arguments, the others still to be given, as `functools.partial` has it."""

    def __init__(self, target: Block | type[Layer], arguments: tuple[Argument, ...]) -> None:
        self.target = target
        self.arguments = arguments

    @property
    def name(self) -> str:
        """As one writes it: `Unit(8, eps=0.001)`."""
        given = [spell(a.value) if a.name is None else f"{a.name}={spell(a.value)}" for a in self.arguments]
        return f"{target_name(self.target)}({', '.join(given)})" if given else target_name(self.target)

    def meaning(self) -> tuple[object, ...]:
        """What two that are equal have in common: the target and its arguments by their parameters' names."""
        return whole(self.target, self.arguments)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, (Block, type)):
            return self.meaning() == whole(other, ())
        return isinstance(other, Partial) and self.meaning() == other.meaning()

    def __hash__(self) -> int:
        return hash(target_name(self.target))


def whole(target: Block | type[Layer], arguments: tuple[Argument, ...]) -> tuple[object, ...]:
    """A target with its arguments by name, in an order that does not depend on how they were written."""
    fields = list(target.signature.fields)
    places = iter(fields)
    given = {a.name if a.name is not None else next(places, ""): _kept(a.value) for a in arguments}
    return (target, tuple(sorted(given.items(), key=lambda item: item[0])))


def _kept(value: Any) -> Any:
    return tuple(map(_kept, value)) if isinstance(value, (list, tuple)) else value


def target_name(target: Block | type[Layer]) -> str:
    return target.name if isinstance(target, Block) else target.__name__


class Function:
    """`let name(parameters) = value`: it sees its parameters and the names around it."""

    def __init__(self, definition: tree.Function, scope: Scope) -> None:
        self.definition = definition
        self.scope = scope
        self.name = definition.name.id


class Deferred:
    """`let name = value` at the top of a file: worked out when it is first needed, whatever its place."""

    def __init__(self, definition: tree.Let, scope: Scope) -> None:
        self.definition = definition
        self.scope = scope
        self.name = definition.name.id


class Home:
    """The body in which a value lives; the walk's stacks derive from it."""


@record
class Measure:
    """A function of the body so far, `memory(32)`, which works out its arguments itself."""

    work: Callable[[tree.Call, Any], Any]


@record
class Made:
    """A labelled module: the body it is in, which of its children it is, and the statement that made it."""

    home: Home
    index: int
    statement: tree.Statement
    scope: Scope


class Value(NetworkValue):
    """A value of the network that has a name: what is known of it, the body it lives in, and where it is found there.

    `module` is the labelled module that gave it, where one did.
    """

    __slots__ = ("feed", "flow", "home", "module", "name")

    def __init__(self, name: str, flow: Flow, home: Home, feed: Feed, module: Made | None = None) -> None:
        self.name, self.flow, self.home, self.feed, self.module = name, flow, home, feed, module


class Values(tuple, NetworkValue):  # type: ignore[type-arg]
    """A tuple of values that one module gave, or that arrived as one: `whole` is that tuple as a single value."""

    module: Made | None = None
    name = ""
    flow: Known
    home: Home
    feed: Feed


@record
class Binding:
    """A value under a name, and where it was bound. `given` is where a block's argument was written by its user."""

    value: Any
    span: Span | None
    given: Span | None = None


_bindings: dict[type[Layer], Binding] = {}


def _layer_binding(name: str) -> Binding | None:
    """What the name of a layer stands for where nothing hides it."""
    layer = layers.find(name)
    if layer is None:
        return None
    if layer not in _bindings:
        _bindings[layer] = Binding(layer, None)
    return _bindings[layer]


class Scope:
    """The names of one body, and those of the bodies around it."""

    __slots__ = ("bindings", "outer")

    def __init__(self, outer: Scope | None = None) -> None:
        self.outer = outer
        self.bindings: dict[str, Binding] = {}

    def find(self, name: str) -> Binding | None:
        scope: Scope | None = self
        while scope is not None:
            if name in scope.bindings:
                return scope.bindings[name]
            scope = scope.outer
        return _layer_binding(name)

    def bind(self, name: str, value: Any, span: Span | None = None, given: Span | None = None) -> None:
        if name != "_":
            self.bindings[name] = Binding(value, span, given)

    def visible(self) -> Iterator[tuple[str, Binding]]:
        """All names bound in this body and those around it, the nearest first."""
        scope: Scope | None = self
        while scope is not None:
            yield from scope.bindings.items()
            scope = scope.outer

    def names(self) -> Iterator[str]:
        return (name for name, _ in self.visible())

    def value_names(self) -> Iterator[str]:
        """Names of values of the network."""
        return (name for name, binding in self.visible() if isinstance(binding.value, (Value, Values)))


SHAPE_NAMES = (
    "in_channels", "in_features", "in_length", "in_depth", "in_height", "in_width", "in_size", "in_shape",
)  # fmt: skip
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


def stated_parameter(target: Block | type[Layer]) -> str:
    """The parameter that `in -> out` states in front of the arrow; "" for none."""
    return "" if isinstance(target, Block) or not target.signature.arrow else target.signature.inferred


def chosen_at(written: Iterable[tree.Argument], scope: Scope) -> dict[Span, Span]:
    """For each written argument the place where its value was chosen: further out where it is a block's parameter."""
    return {argument.value.span: blamed(argument.value, scope) for argument in written}


def blamed(node: tree.Expression, scope: Scope) -> Span:
    """Where an argument was chosen: where it is written, or for a block's parameter where the block's user wrote it."""
    while isinstance(node, tree.Group):
        node = node.value
    if isinstance(node, tree.Name):
        found = scope.find(node.id)
        if found is not None and found.given is not None:
            return found.given
    return node.span
