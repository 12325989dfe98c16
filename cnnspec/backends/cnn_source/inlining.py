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
    rewrite,
    with_label,
)
from cnnspec.record import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    Statements = tuple[Statement, ...]


def inlined(body: Body) -> Body:
    """A body in which those inside that need no block of their own are gone. One that runs again needs one."""
    return replace(body, statements=_list(body.statements, _read(body.statements), _again(body.statements)))


def _list(statements: Statements, read: set[str], again: set[str]) -> Statements:
    found: list[Statement] = []
    for one in statements:
        match one:
            case Call() if one.body is not None:
                inner = inlined(one.body)
                if one.name == "Sequential" and one.label in again:
                    found.append(replace(one, name=one.label, body=inner))
                elif one.label not in again and _is_plain(one, inner):
                    found += _moved(inner.statements, one.label if one.label in read else "")
                else:
                    found.append(replace(one, body=inner))
            case Residual():
                found.append(replace(one, body=_list(one.body, read, again), shortcut=_list(one.shortcut, read, again)))
            case Branches():
                found.append(replace(one, branches=tuple(_list(branch, read, again) for branch in one.branches)))
            case _:
                found.append(one)
    return tuple(found)


def _is_plain(call: Call, body: Body) -> bool:
    if body.takes or not body.statements or _read(body.statements):
        return False
    if any(isinstance(one, (Arriving, Learned, Use, Again)) for one in body.statements):
        return False
    return call.name == "Sequential" or (len(body.statements) == 1 and isinstance(body.statements[0], Call))


def _moved(statements: Statements, label: str) -> Statements:
    """Statements without labels, which might be taken where they come to; the last one with the label that is read."""
    bare = tuple(with_label(one, "") for one in statements)
    return (*bare[:-1], with_label(bare[-1], label))


def _again(statements: object) -> set[str]:
    """The names of the modules that run again."""
    found: set[str] = set()

    def note(part: object) -> object:
        if isinstance(part, Again):
            found.add(part.name)
        return part

    rewrite(statements, note)
    return found


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
