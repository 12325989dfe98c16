"""The tree of a spec: what the text says, before anything is looked up. Every node is frozen and has a span.

`binds` of a class are the fields that give something a name, or name one of its parts, rather than read a name.
"""

from __future__ import annotations

from cnnspec.record import record
from cnnspec.source import Source, Span, comment_above
from cnnspec.syntax.walk import same, walk

__all__ = ["same", "walk"]

# --- expressions ---


@record
class Name:
    id: str
    span: Span


@record
class Literal:
    value: int | float | bool | str | None
    span: Span


@record
class Invalid:
    """Text that is no literal or statement: the word that it begins with, and the names that it would have bound."""

    binds = ("names", "label")
    span: Span
    word: str = ""
    names: tuple[str, ...] = ()
    label: Name | None = None


@record
class Sequence:
    """A tuple `(a, b)` or a list `[a, b]`."""

    items: tuple[Expression, ...]
    is_list: bool
    span: Span


@record
class Chain:
    """Operands joined by operators of one precedence: `a + b - c`, `a < b <= c`, `a and b`; `operators` between them."""

    operands: tuple[Expression, ...]
    operators: tuple[str, ...]
    span: Span


@record
class Unary:
    """`-x`, `+x` or `not x`."""

    operator: str
    operand: Expression
    span: Span


@record
class Conditional:
    """`then if test else otherwise`."""

    then: Expression
    test: Expression
    otherwise: Expression
    span: Span


@record
class Item:
    """`[i]` behind a value."""

    index: Expression
    span: Span


@record
class Slice:
    """`[start:stop]` behind a value."""

    start: Expression | None
    stop: Expression | None
    span: Span


@record
class Member:
    """`.name` behind a value."""

    binds = ("name",)
    name: Name
    span: Span


Step = Item | Slice | Member


@record
class Access:
    """A value and the way into it: `x[0]`, `widths[1:]`, `backbone.layer3`, in one node however long the way is."""

    value: Expression
    steps: tuple[Step, ...]
    span: Span


@record
class Comprehension:
    """`[item for targets in values if condition]`."""

    binds = ("targets",)
    item: Expression
    targets: tuple[Name, ...]
    unpacks: bool
    """True for `for (a, b) in ...` and `for a, b in ...`."""
    values: Expression
    condition: Expression | None
    span: Span


@record
class Call:
    """`max(a, b)` in an expression, or `SGD(lr=0.1)` in a recipe."""

    name: Name
    arguments: tuple[Argument, ...]
    span: Span


@record
class Group:
    """An expression in parentheses."""

    value: Expression
    span: Span


Expression = Name | Literal | Invalid | Sequence | Chain | Unary | Conditional | Access | Comprehension | Call | Group


@record
class Argument:
    """`value`, `name = value`, or `stated -> value`."""

    binds = ("name",)
    value: Expression
    span: Span
    name: Name | None = None
    stated: Expression | None = None


# --- statements ---


@record
class Labels:
    """The names of `as (a, b)`; `_` drops a part."""

    binds = ("names",)
    names: tuple[Name, ...]
    span: Span


@record
class Tail:
    """What may follow a statement: `as name` or `as (a, b)`, and `-> [shape]`.

    The annotation of a tuple is a tuple, of which each item is an annotation again, or the name `_`.
    """

    binds = ("label",)
    label: Name | Labels | None
    annotation: Sequence | None


@record
class Body:
    statements: tuple[Statement, ...]
    span: Span


@record
class Input:
    shape: Sequence
    conditions: tuple[Expression, ...]
    tail: Tail
    span: Span


@record
class Arriving:
    """`input as x`: names, and checks, what arrives in a body."""

    tail: Tail
    span: Span


@record
class Layer:
    """A layer, or a block that is used like one."""

    name: Name
    arguments: tuple[Argument, ...]
    tail: Tail
    head: Span
    """The name with its arguments, without the tail."""
    span: Span


@record
class Let:
    binds = ("name",)
    name: Name
    value: Expression
    span: Span


@record
class Function:
    """`let f(a, b) = value`."""

    binds = ("name", "parameters")
    name: Name
    parameters: tuple[Name, ...]
    value: Expression
    span: Span


@record
class Assert:
    test: Expression
    message: Literal | Invalid | None
    span: Span


@record
class Use:
    """`use x`: go on from another value."""

    value: Expression
    tail: Tail
    head: Span
    span: Span


@record
class Again:
    """`again x`: run a labelled module once more."""

    value: Expression
    tail: Tail
    head: Span
    span: Span


@record
class Weight:
    """`weight [sizes] = start as name`: a learned value."""

    shape: Sequence
    start: Expression
    tail: Tail
    head: Span
    span: Span


@record
class Repeat:
    """Here as in the statements below, `head` is what stands in front of the first `{`."""

    count: Expression
    body: Body
    tail: Tail
    head: Span
    span: Span


@record
class For:
    binds = ("targets",)
    targets: tuple[Name, ...]
    unpacks: bool
    """True for `for (a, b) in ...` and `for a, b in ...`."""
    values: Expression
    body: Body
    tail: Tail
    head: Span
    span: Span


@record
class If:
    """`if` and its `else if` arms, in order, then what `else` holds."""

    arms: tuple[tuple[Expression, Body], ...]
    otherwise: Body | None
    tail: Tail
    head: Span
    span: Span


@record
class Residual:
    body: Body
    shortcut: Body | None
    tail: Tail
    head: Span
    span: Span


@record
class Branch:
    """`branch { ... }` inside of a merge."""

    body: Body
    tail: Tail
    span: Span


@record
class Merge:
    """`add`, `multiply`, `concat`, `matmul` or `tuple`, of named values (`arguments`) or of branches.

    The body `branches` holds `Branch` and what decides how many there are: `For`, `Repeat`, `If`, `Let`, `Function`.
    """

    kind: str
    arguments: tuple[Argument, ...]
    branches: Body | None
    tail: Tail
    head: Span
    span: Span


Bodied = Repeat | For | If | Residual | Merge | Branch
Statement = Input | Arriving | Layer | Let | Function | Assert | Use | Again | Weight | Bodied | Invalid


# --- a file ---


@record
class Parameter:
    binds = ("name",)
    name: Name
    default: Expression | None
    span: Span


@record
class Imported:
    """`name` or `name as alias` of an import."""

    binds = ("name", "alias")
    name: Name
    alias: Name | None
    span: Span

    @property
    def known_as(self) -> Name:
        """The name that it has in the importing file."""
        return self.alias or self.name


@record
class Import:
    path: Literal | Invalid
    names: tuple[Imported, ...]
    span: Span


@record
class Model:
    binds = ("name",)
    name: Name
    parameters: tuple[Parameter, ...]
    body: Body
    span: Span


@record
class Variant:
    """`model ResNet18 = ResNet(BasicBlock, [2, 2, 2, 2])`."""

    binds = ("name",)
    name: Name
    base: Name
    arguments: tuple[Argument, ...]
    span: Span


@record
class Block:
    binds = ("name",)
    name: Name
    parameters: tuple[Parameter, ...]
    body: Body
    span: Span


@record
class Setting:
    """`name = value`, or `name.part = value` for one output of several."""

    binds = ("name", "part")
    name: Name
    part: Name | None
    value: Expression
    span: Span


@record
class Train:
    binds = ("model",)
    model: Name | None
    settings: tuple[Setting, ...]
    span: Span


Definition = Import | Let | Function | Model | Variant | Block | Train | Invalid


@record
class Tree:
    """A whole file."""

    source: Source
    items: tuple[Definition, ...]


def documentation(definition: Model | Variant | Block | Let | Function) -> str:
    """The comment block right above a definition, without its `#` marks; "" where there is none."""
    return comment_above(definition.span)
