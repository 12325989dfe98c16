"""The tree of a spec: what the text says, before anything is looked up. Every node is frozen and has a span."""

from __future__ import annotations

from cnnspec.record import record
from cnnspec.source import Source, Span

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
    """A literal or statement that is no text of the language; reported already."""

    span: Span


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
class Index:
    """`value[i][j]`."""

    value: Expression
    indices: tuple[Expression, ...]
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


Expression = Name | Literal | Invalid | Sequence | Chain | Unary | Conditional | Index | Call | Group


@record
class Argument:
    """`value`, `name = value`, or `stated -> value`."""

    value: Expression
    span: Span
    name: Name | None = None
    stated: Expression | None = None


# --- statements ---


@record
class Tail:
    """What may follow a statement: `as name` and `-> [shape]`."""

    label: Name | None
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
    name: Name
    value: Expression
    span: Span


@record
class Repeat:
    count: Expression
    body: Body
    span: Span


@record
class For:
    targets: tuple[Name, ...]
    unpacks: bool
    """True for `for (a, b) in ...` and `for a, b in ...`."""
    values: Expression
    body: Body
    span: Span


@record
class If:
    """`if` and its `else if` arms, in order, then what `else` holds."""

    arms: tuple[tuple[Expression, Body], ...]
    otherwise: Body | None
    span: Span


@record
class Residual:
    body: Body
    shortcut: Body | None
    tail: Tail
    head: Span
    span: Span


@record
class Merge:
    """`add`, `multiply` or `concat`, with named values as arguments or with branches."""

    kind: str
    arguments: tuple[Argument, ...]
    branches: tuple[Body, ...] | None
    tail: Tail
    head: Span
    span: Span


Statement = Input | Layer | Let | Repeat | For | If | Residual | Merge | Invalid


# --- a file ---


@record
class Parameter:
    name: Name
    default: Expression | None
    span: Span


@record
class Import:
    path: Literal | Invalid
    names: tuple[Name, ...]
    span: Span


@record
class Model:
    name: Name
    parameters: tuple[Parameter, ...]
    body: Body
    span: Span


@record
class Block:
    name: Name
    parameters: tuple[Parameter, ...]
    body: Body
    span: Span


@record
class Setting:
    name: Name
    value: Expression
    span: Span


@record
class Train:
    model: Name | None
    settings: tuple[Setting, ...]
    span: Span


Item = Import | Model | Block | Train | Invalid


@record
class Tree:
    """A whole file."""

    source: Source
    items: tuple[Item, ...]


def documentation(definition: Model | Block) -> str:
    """The comment block right above a model or block, without its `#` marks; "" where there is none."""
    source = definition.span.source
    number = definition.span.line - 1
    lines: list[str] = []
    while number >= 1 and (line := source.line(number).strip()).startswith("#"):
        lines.append(line.lstrip("#").strip())
        number -= 1
    return "\n".join(reversed(lines))
