"""The values that an expression of a model file may have while it is followed.

Four sorts: constants (Python's own numbers, strings, lists and so on), tensors, modules, and what is not known, with the
cause. Functions and classes of the file are values too. Nothing here knows how a value is computed.
"""

from __future__ import annotations

import ast

from cnnspec.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cnnspec.torch_source.script import Place, Script

Shape = tuple[int, ...]

BATCH = 2**61 - 1
"""The number of samples of a batch, which may be any: a prime so large that no size of a model is a multiple of it."""
_TAINTED = 2**45


def depends_on_batch(number: object) -> bool:
    """Whether a number was computed from the size of the batch."""
    return isinstance(number, int) and abs(number) > _TAINTED


def of_batch(number: int) -> bool:
    """Whether a size is a whole multiple of the batch."""
    return number != 0 and number % BATCH == 0


def show_size(size: int) -> str:
    """A size as a message gives it: N is the batch, as in torch's documentation."""
    if not depends_on_batch(size):
        return str(size)
    factor, rest = divmod(size, BATCH)
    if rest:
        return "?"
    return "N" if factor == 1 else f"{factor}*N" if factor < _TAINTED else "N*N"


def show_shape(shape: Shape) -> str:
    """A shape as a message gives it: [N, 16, 5, 5]."""
    return "[" + ", ".join(map(show_size, shape)) + "]"


class Unknown:
    """A value that is not known: what it would take to know it, and where. `reported` where a finding says so already."""

    __slots__ = ("place", "reported", "what")

    def __init__(self, what: str, place: Place | None = None, *, reported: bool = False) -> None:
        self.what, self.place, self.reported = what, place, reported


class Tensor:
    """A tensor of known shape. `made` is the place that gave it this shape, `maker` the layer that its width comes from,
    `known` the numbers of one that stands for a list of them."""

    __slots__ = ("kind", "known", "made", "maker", "parameter", "shape")

    def __init__(
        self,
        shape: Shape,
        kind: str = "float",
        *,
        parameter: bool = False,
        made: Place | None = None,
        maker: Instance | None = None,
    ) -> None:
        self.shape, self.kind, self.parameter, self.made, self.maker = shape, kind, parameter, made, maker
        self.known: tuple[float, ...] = ()


@record
class Wrapped:
    """What torch has put around the weight of a layer: weight_norm or spectral_norm."""

    name: str
    arguments: dict[str, object] | None
    """None where it is around something else than the weight."""
    keys: dict[str, str]
    """The names of what it learns where they are not those of a parametrization, by those."""


class Size(tuple[int, ...]):
    """The value of `x.shape`."""

    __slots__ = ()


class Function:
    """A function of the file. `owner` is the class whose body it stands in; `kind` says how it is bound to an instance."""

    __slots__ = ("defaults", "keyword_defaults", "kind", "name", "node", "owner", "scope")

    def __init__(
        self,
        node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda,
        scope: Scope,
        defaults: list[object],
        keyword_defaults: list[object],
        owner: Class | None = None,
    ) -> None:
        self.node, self.scope, self.defaults, self.keyword_defaults = node, scope, defaults, keyword_defaults
        self.owner, self.kind = owner, ""
        self.name = "lambda" if isinstance(node, ast.Lambda) else node.name


class Method:
    """A function together with the object that it is called on."""

    __slots__ = ("function", "receiver")

    def __init__(self, function: object, receiver: object) -> None:
        self.function, self.receiver = function, receiver


class Class:
    """A class of the file."""

    __slots__ = ("bases", "fields", "line", "members", "name", "node", "script", "style")

    def __init__(self, name: str, bases: list[AnyClass], script: Script, node: ast.ClassDef) -> None:
        self.name, self.bases, self.script, self.node = name, bases, script, node
        self.members: dict[str, object] = {}
        self.fields: list[str] = []
        self.style = ""
        self.line: list[AnyClass] | None = None

    @property
    def place(self) -> Place:
        from cnnspec.torch_source.script import Place

        return Place(self.script, self.node)


class TorchClass:
    """A class that is not of the project: one of torch.nn under its name there, `object`, or one that can't be read."""

    __slots__ = ("module", "name")

    def __init__(self, name: str, *, module: bool = True) -> None:
        self.name, self.module = name, module


AnyClass = Class | TorchClass


def lineage(cls: AnyClass) -> list[AnyClass]:
    """A class and those that it inherits from, in the order in which names are looked up."""
    if isinstance(cls, TorchClass):
        return [cls]
    if cls.line is None:
        every = [cls, *(part for base in cls.bases for part in lineage(base))]
        last = {_key(part): position for position, part in enumerate(every)}
        cls.line = [part for position, part in enumerate(every) if last[_key(part)] == position]
    return cls.line


def _key(cls: AnyClass) -> object:
    return cls.name if isinstance(cls, TorchClass) else id(cls)


class Instance:
    """An object of a class. Of a module, `children` holds what torch registers: modules and parameters by name.

    `layer` is what torch's own layers were made with; `made` the call that made it, `frame` the calls around that one.
    """

    __slots__ = (
        "arguments", "attributes", "children", "cls", "frame", "layer", "made", "name", "touched", "uses", "wrapped",
    )  # fmt: skip

    def __init__(self, cls: AnyClass, made: Place | None = None, frame: Frame | None = None) -> None:
        self.cls, self.made, self.frame = cls, made, frame
        self.attributes: dict[str, object] = {}
        self.children: dict[str, object] = {}
        self.arguments: dict[str, object] | None = None
        """What its __init__ was called with, by the names of its parameters."""
        self.layer: object = None
        self.wrapped: Wrapped | None = None
        """What torch has put around its weight."""
        self.touched = False
        self.uses = 0
        self.name = ""

    @property
    def is_module(self) -> bool:
        return any(isinstance(part, TorchClass) and part.module for part in lineage(self.cls))

    @property
    def torch_name(self) -> str:
        """The name of the class of torch.nn that it is, or inherits from."""
        return next((part.name for part in lineage(self.cls) if isinstance(part, TorchClass)), "")

    def modules(self) -> Iterator[tuple[str, Instance]]:
        for name, child in self.children.items():
            if isinstance(child, Instance):
                yield name, child


class External:
    """A name outside of the project, by its dotted path: torch.nn.functional, numpy."""

    __slots__ = ("path",)

    def __init__(self, path: str) -> None:
        self.path = path


class Builtin:
    """A function of Python itself, or one that a value brings along. `call` takes the machine, the place and arguments."""

    __slots__ = ("call", "name")

    def __init__(self, name: str, call: Callable[..., object]) -> None:
        self.name, self.call = name, call


class Partial:
    """A function with some of its arguments."""

    __slots__ = ("arguments", "function", "keywords")

    def __init__(self, function: object, arguments: list[object], keywords: dict[str, object]) -> None:
        self.function, self.arguments, self.keywords = function, arguments, keywords


class Fresh:
    """A default that is made anew for each object: what `field(default_factory=...)` gives."""

    __slots__ = ("factory",)

    def __init__(self, factory: object) -> None:
        self.factory = factory


class Record:
    """Named values: what parse_args() or a namedtuple gives. `order` lists the names of one that is a tuple as well."""

    __slots__ = ("order", "values")

    def __init__(self, values: dict[str, object], order: tuple[str, ...] = ()) -> None:
        self.values, self.order = values, order


class Super:
    """What super() gives: the members behind `cls` in the line of the receiver's class."""

    __slots__ = ("cls", "receiver")

    def __init__(self, cls: Class, receiver: object) -> None:
        self.cls, self.receiver = cls, receiver


class Defaults(dict[object, object]):
    """A defaultdict: what `factory` gives stands under a key that is missing."""

    __slots__ = ("factory",)

    def __init__(self, factory: object) -> None:
        super().__init__()
        self.factory = factory


class Opaque:
    """A value of no consequence for shapes: a device, a dtype, a type hint."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name


class Scope:
    """The names of a function or a class body, and those around them. `receiver` is the first argument of a method."""

    __slots__ = ("function", "nonlocals", "of_class", "outer", "owner", "receiver", "script_globals", "top", "values")

    def __init__(
        self, top: object, outer: Scope | None = None, owner: Class | None = None, receiver: object = None
    ) -> None:
        self.top, self.outer, self.owner, self.receiver = top, outer, owner, receiver
        self.values: dict[str, object] = {}
        self.script_globals: set[str] = set()
        self.nonlocals: set[str] = set()
        self.function: Function | None = None
        self.of_class = False


class Frame:
    """A call of a function of the file, and the call around it: arguments are traced back through these."""

    __slots__ = ("function", "node", "outer", "script", "shift")

    def __init__(
        self, outer: Frame | None, function: Function, script: Script, node: ast.AST, shift: int | None
    ) -> None:
        self.outer, self.function, self.script, self.node = outer, function, script, node
        self.shift = shift
        """How many arguments stand in front of those that are written, such as self; None where that is not known."""
