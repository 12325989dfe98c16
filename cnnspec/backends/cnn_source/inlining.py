"""Bodies that are no blocks: those of plain Sequentials, and of classes around a single layer, stand where they are used."""

from __future__ import annotations

from cnnspec.backends.cnn_source.statements import (
    Again,
    Arriving,
    Body,
    Branches,
    Call,
    If,
    Learned,
    Loop,
    Merge,
    Name,
    Residual,
    Statement,
    Use,
)
from cnnspec.record import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    Statements = tuple[Statement, ...]


def inlined(body: Body, kept: frozenset[str]) -> Body:
    """A body in which those inside that need no block of their own are gone. `kept` are keys of some that stay."""
    return replace(body, statements=_list(body.statements, kept, _read(body.statements)))


def _list(statements: Statements, kept: frozenset[str], read: set[str]) -> Statements:
    found: list[Statement] = []
    for one in statements:
        match one:
            case Call() if one.body is not None:
                inner = inlined(one.body, kept)
                if _is_plain(one, inner, kept):
                    found += _moved(inner.statements, one.label if one.label in read else "")
                else:
                    found.append(replace(one, body=inner))
            case Residual():
                found.append(replace(one, body=_list(one.body, kept, read), shortcut=_list(one.shortcut, kept, read)))
            case Branches():
                found.append(replace(one, branches=tuple(_list(branch, kept, read) for branch in one.branches)))
            case _:
                found.append(one)
    return tuple(found)


def _is_plain(call: Call, body: Body, kept: frozenset[str]) -> bool:
    if call.mark.path in kept or body.takes or not body.statements or _read(body.statements):
        return False
    if any(isinstance(one, (Arriving, Learned, Use, Again)) for one in body.statements):
        return False
    return call.name == "Sequential" or len(body.statements) == 1


def _moved(statements: Statements, label: str) -> Statements:
    """Statements without labels, which might be taken where they come to; the last one with the label that is read."""
    bare = tuple(replace(one, label="") if getattr(one, "label", "") else one for one in statements)
    return (*bare[:-1], replace(bare[-1], label=label))  # type: ignore[type-var]


def _read(statements: object) -> set[str]:
    """The names that statements of one body look at."""
    found: set[str] = set()

    def visit(part: object) -> None:
        match part:
            case Name():
                found.add(part.name)
            case Again():
                found.add(part.name)
            case Call():
                visit(part.values)
                visit(part.arguments)
            case tuple():
                for one in part:
                    visit(one)
            case Residual() | Branches() | Loop() | If() | Merge() | Use():
                for name in part.__match_args__:
                    visit(getattr(part, name))

    visit(statements)
    return found
