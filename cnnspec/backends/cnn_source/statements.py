"""The statements of a spec that is being written: what `body` knows of a network before it is text."""

from __future__ import annotations

from cnnspec.record import record, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeAlias


@record
class Const:
    """A value of an argument, and the channels that arrive where it stands."""

    value: object
    width: int | None = None


@record
class Code:
    """An expression of the language."""

    text: str


@record
class Name:
    """A value of the network: its name, and the way to a part of it."""

    name: str
    path: tuple[int, ...] = ()

    @property
    def text(self) -> str:
        return self.name + "".join(f"[{part}]" for part in self.path)


@record
class Mark:
    """Where in the source a module is: its key there, and the channels that arrive. Who compares statements ignores it."""

    path: str = ""
    width: int | None = None


Value: TypeAlias = "Const | Code | Name"


@record
class Argument:
    """An argument. `name` is "" for one that goes by position."""

    name: str
    value: Value


@record
class Call:
    """The use of a layer, or of a block: then `body` is what runs in it, and `origin` leads to where it comes from."""

    name: str
    arguments: tuple[Argument, ...] = ()
    label: str = ""
    mark: Mark = Mark()
    body: Body | None = None
    values: tuple[Name, ...] = ()


@record
class Body:
    """What stands in the braces of a block: the names of what arrives and of what is taken from outside, and statements."""

    statements: tuple[Statement, ...]
    takes: tuple[str, ...] = ()
    origin: Mark = Mark()
    """A key of the table that tells where bodies come from."""


@record
class Residual:
    body: tuple[Statement, ...]
    shortcut: tuple[Statement, ...] = ()
    label: str = ""


@record
class Branches:
    """A merge of branches."""

    kind: str
    branches: tuple[tuple[Statement, ...], ...]
    arguments: tuple[Argument, ...] = ()
    label: str = ""


@record
class Merge:
    """A merge of the running value with others."""

    kind: str
    operands: tuple[Name | Const, ...]
    arguments: tuple[Argument, ...] = ()
    label: str = ""


@record
class Use:
    """`use x`, or a tuple of values."""

    names: tuple[object, ...]
    single: bool = True


@record
class Arriving:
    """`input as x`."""

    names: tuple[str, ...]


@record
class Again:
    """`again name as label`: a module that runs once more."""

    name: str
    label: str = ""


@record
class Learned:
    """`weight [sizes] = start as label`."""

    shape: Const
    label: str
    mark: Mark = Mark()


@record
class Loop:
    """`repeat` where `names` is empty, else `for`."""

    items: Const | Code
    names: tuple[str, ...]
    body: tuple[Statement, ...]
    label: str = ""


@record
class If:
    condition: str
    body: tuple[Statement, ...]


Statement: TypeAlias = "Call | Residual | Branches | Merge | Use | Arriving | Again | Learned | Loop | If"


def rewrite(part: object, change: Callable[[object], object]) -> object:
    """A copy of statements, with `change` applied to everything in them, the inner parts first."""
    if isinstance(part, tuple):
        return change(tuple(rewrite(one, change) for one in part))
    if hasattr(part, "__match_args__"):
        return change(made_like(part, [rewrite(getattr(part, name), change) for name in part.__match_args__]))
    return part


def made_like(part: Any, values: list[object]) -> object:
    """A record of the same class with other values."""
    found: object = type(part)(*values)
    return found


def label_of(part: object) -> str:
    """The label of a statement; "" for one that has none, or can't have one."""
    return str(getattr(part, "label", ""))


def with_label(statement: Statement, label: str) -> Statement:
    """A statement with another label, where it can have one."""
    if isinstance(statement, (Use, Arriving, If)):
        return statement
    return replace(statement, label=label)


def constants(part: object) -> list[Const]:
    """The constants in statements, in order."""
    found: list[Const] = []

    def note(one: object) -> object:
        if isinstance(one, Const):
            found.append(one)
        return one

    rewrite(part, note)
    return found


def skeleton(part: object) -> object:
    """Statements without their constants and marks: equal ones differ in nothing else."""

    def strip(one: object) -> object:
        if isinstance(one, Const):
            return Const(None)
        return Mark() if isinstance(one, Mark) else one

    return rewrite(part, strip)


def unmarked(part: object) -> object:
    """Statements without marks and widths, to compare them."""

    def strip(one: object) -> object:
        if isinstance(one, Const):
            return Const(_exact(one.value))
        return Mark() if isinstance(one, Mark) else one

    return rewrite(part, strip)


def _exact(value: object) -> object:
    return (type(value).__name__, value) if not isinstance(value, list) else ("list", tuple(value))


def marks(part: object) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The keys of layers and of weights in the source, in the order in which they stand in the text."""
    layers: list[str] = []
    weights: list[str] = []

    def note(one: object) -> object:
        if isinstance(one, Call) and one.body is None:
            layers.append(one.mark.path)
        elif isinstance(one, Learned):
            weights.append(one.mark.path)
        return one

    rewrite(part, note)
    return tuple(layers), tuple(weights)
