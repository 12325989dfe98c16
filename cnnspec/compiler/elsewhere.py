"""Where a name is bound that is not visible at some place, and how to reach it from there."""

from __future__ import annotations

from cnnspec.diagnostics import did_you_mean
from cnnspec.syntax import tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cnnspec.compiler.names import Scope
    from cnnspec.diagnostics import Suggestion


def similar_value(scope: Scope, body: tree.Body | None, name: str) -> Iterable[Suggestion | str]:
    """What may be meant by a name that no value has at some place of `body`: another one, or one that is bound elsewhere."""
    return did_you_mean(name, scope.value_names()) or ((_how_to_reach(name, body),) if body is not None else ())


def _how_to_reach(name: str, body: tree.Body) -> str:
    """What to write for a value that is named nowhere above, or in a body inside of `body` only."""
    for statement in body.statements:
        label = _label(statement)
        if label == name:
            return f"it is named below, on line {statement.span.line}: a name is seen behind its statement"
        for inner in _bodies(statement):
            if any(_label(one) == name for one in inner.statements):
                where, word = _WHERE[type(statement)]
                return f"a name in {where} is seen in it alone: label the whole, `{word} {{ ... }} as {name}`"
        if isinstance(statement, tree.Merge) and (path := _path(statement, name)):
            return f"a name in a branch is seen in it alone: label the merge and the branch, and go on from `{path}`"
    return f"name a value with `... as {name}`; a name is seen in its body and those inside of it"


_WHERE: dict[type, tuple[str, str]] = {
    tree.If: ("an arm of an `if`", "if ..."),
    tree.For: ("a pass of a loop", "for ..."),
    tree.Repeat: ("a pass of a loop", "repeat ..."),
}


def _label(statement: tree.Statement) -> str | None:
    tail = getattr(statement, "tail", None)
    return tail.label.id if tail is not None and isinstance(tail.label, tree.Name) else None


def _bodies(statement: tree.Statement) -> Iterator[tree.Body]:
    if isinstance(statement, tree.If):
        yield from (arm for _, arm in statement.arms)
        if statement.otherwise is not None:
            yield statement.otherwise
    elif isinstance(statement, (tree.For, tree.Repeat)):
        yield statement.body


def _path(merge: tree.Merge, name: str) -> str | None:
    """The path to a value that a branch of a merge names; labels that are missing are made up."""
    for branch in merge.branches.statements if merge.branches is not None else ():
        if isinstance(branch, tree.Branch) and any(_label(one) == name for one in branch.body.statements):
            return f"{_label(merge) or 'mix'}.{_label(branch) or 'one'}.{name}"
    return None
