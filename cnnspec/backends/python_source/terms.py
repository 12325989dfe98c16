"""What the Python of a network is made of, before it is text: calls, sequences of modules, and bodies with a forward.

Terms are frozen. Those that are alike but for their numbers are one template with parameters: `alike.py`.
"""

from __future__ import annotations

from cnnspec.record import record, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeAlias


class Absent:
    """Stands for what a template does not say, where an optional part is missing."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT = Absent()


@record
class Literal:
    """A number, a string or the like; `role` is the name of the argument that it is."""

    value: Any
    role: str


@record
class Expression:
    """An expression of parameters, as it is written."""

    text: str


@record
class Hole:
    """The place of a literal in a template: which one it is among those that differ."""

    index: int


@record
class Counted:
    """A number that grows with the passes of a loop: `start + step * i`."""

    start: Term
    step: int


@record
class Argument:
    """An argument of a call; `name` is None where it goes by position."""

    name: str | None
    value: Term


@record
class Call:
    """A call that makes a module. `defaults` says what arguments that are left out are.

    `is_plain` tells of a layer without tensors that takes no argument by position, such as an activation.
    """

    target: str
    arguments: tuple[Argument, ...]
    defaults: tuple[tuple[str, Any], ...] = ()
    is_plain: bool = False


@record
class Child:
    """A module in its place: its label, None where it is numbered, and the shape of its value, "" for none to tell."""

    label: str | None
    term: Term
    shape: str


@record
class Loop:
    """`*[... for variables in values]`: children that are made several times. `values` is a count or a list."""

    children: tuple[Child, ...]
    variables: tuple[str, ...]
    values: Term


@record
class Chain:
    """`nn.Sequential` of its children."""

    children: tuple[Child | Loop, ...]


@record
class Optional:
    """A module that is there where `test` holds."""

    term: Term
    test: Term


@record
class Line:
    """`target = expression` of a forward. `kind` is the type to declare, "" for none."""

    target: str
    expression: str
    shape: str
    kind: str = ""


@record
class Weight:
    """A learned value: its name, the shape, and how it starts: a number, or a function of torch.nn.init and its arguments."""

    name: str
    shape: tuple[int, ...]
    start: Any


@record
class Forward:
    """A forward: its arguments with their types, its lines, and what it returns, with the type of that."""

    parameters: tuple[tuple[str, str], ...]
    lines: tuple[Line, ...]
    result: str
    returns: str


@record
class Attribute:
    """A child of a body: its key in the state dict, and the name of the attribute, "" where the key can't be one."""

    key: str
    name: str
    term: Term


@record
class Body:
    """A module with attributes and a forward of its own."""

    attributes: tuple[Attribute, ...]
    weights: tuple[Weight, ...]
    forward: Forward


@record
class Use:
    """What is to be written as a class, where it is used: `origin` tells classes apart, `values` are a block's arguments."""

    origin: Any
    title: str
    values: tuple[tuple[str, Any], ...]
    term: Chain | Body


Term: TypeAlias = "Literal | Expression | Hole | Counted | Call | Chain | Optional | Body | Use"


def rebuilt(term: Any, change: Callable[[Any], Any]) -> Any:
    """The term with each part changed."""
    match term:
        case Call():
            return replace(term, arguments=tuple(Argument(a.name, change(a.value)) for a in term.arguments))
        case Chain():
            return Chain(tuple(map(change, term.children)))
        case Child():
            return Child(term.label, change(term.term), term.shape)
        case Loop():
            return Loop(tuple(map(change, term.children)), term.variables, change(term.values))
        case Optional():
            return Optional(change(term.term), change(term.test))
        case Counted():
            return Counted(change(term.start), term.step)
        case Body():
            return replace(term, attributes=tuple(Attribute(a.key, a.name, change(a.term)) for a in term.attributes))
        case Use():
            return replace(term, term=change(term.term))
    return term


def parts_of(term: Any) -> list[Any]:
    """The terms right inside of a term."""
    match term:
        case Call():
            return [argument.value for argument in term.arguments]
        case Chain():
            return list(term.children)
        case Child():
            return [term.term]
        case Loop():
            return [*term.children, term.values]
        case Optional():
            return [term.term, term.test]
        case Counted():
            return [term.start]
        case Body():
            return [attribute.term for attribute in term.attributes]
        case Use():
            return [term.term]
    return []
