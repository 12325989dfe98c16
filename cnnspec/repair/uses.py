"""What becomes of a number: through names, parameters of blocks and loops to the arguments of layers that it ends as.

In `block Unit(channels, k) { Conv2d(channels, kernel_size=k) }` the 5 of `Unit(64, 5)` ends as a kernel size.
"""

from __future__ import annotations

from cnnspec import layers
from cnnspec.compiler.names import Block
from cnnspec.repair.sites import fields_of, target_of
from cnnspec.syntax import tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cnnspec.repair.sites import Part, Site

    Key = tuple[int, str]
    """A definition and one of its names."""

_DEPTH = 8
"""Through how many blocks a name is followed."""


def uses_of(parts: list[Part]) -> Callable[[Site], frozenset[str]]:
    """For the numbers of some parts the arguments of layers that each ends as."""
    ends: dict[Key, set[str]] = {}
    leads: dict[Key, set[Key]] = {}
    for part in parts:
        for name, target, field in _handed_over(part):
            own = (id(part.definition), name)
            if isinstance(target, Block):
                leads.setdefault(own, set()).add((id(target.definition), field))
            elif target is not None:
                ends.setdefault(own, set()).add(field)
    for _ in range(_DEPTH):
        before = sum(map(len, ends.values()))
        for own, others in leads.items():
            for other in others & ends.keys():
                ends.setdefault(own, set()).update(ends[other])
        if sum(map(len, ends.values())) == before:
            break
    everywhere: dict[str, set[str]] = {}
    for (_, name), fields in ends.items():
        everywhere.setdefault(name, set()).update(fields)

    def uses(site: Site) -> frozenset[str]:
        if not site.field:
            return frozenset()
        if site.part is None:
            return frozenset(everywhere.get(site.field, ()))
        if site.kind == "argument" and isinstance(site.owner, tree.Layer):
            target, _ = target_of(site.owner.name.id, site.part)
            if isinstance(target, Block):
                return frozenset(ends.get((id(target.definition), site.field), ()))
            return frozenset((site.field,)) if target is not None else frozenset()
        return frozenset(ends.get((id(site.part.definition), site.field), ()))

    return uses


def _handed_over(part: Part) -> Iterator[tuple[str, Block | type[layers.Layer] | None, str]]:
    """The names of a part that are handed to a layer or block as they are: the name, to what, and as which argument."""
    for place in part.places:
        statement = place.statement
        written = statement.value if isinstance(statement, tree.Let) else None
        if not isinstance(statement, tree.Layer) and not isinstance(written, tree.Call):
            continue
        call = statement if isinstance(statement, tree.Layer) else written
        assert isinstance(call, (tree.Layer, tree.Call))
        target, _ = target_of(call.name.id, part)
        fields, _ = fields_of(call.name.id, part)
        for position, argument in enumerate(call.arguments):
            field = argument.name.id if argument.name else fields[position] if position < len(fields) else ""
            for name in _as_they_are(argument.value):
                if field:
                    yield name, target, field


def _as_they_are(node: tree.Expression) -> Iterator[str]:
    """The names whose values an expression may have, or that a sequence holds."""
    match node:
        case tree.Name():
            yield node.id
        case tree.Group() | tree.Access():
            yield from _as_they_are(node.value)
        case tree.Conditional():
            yield from _as_they_are(node.then)
            yield from _as_they_are(node.otherwise)
        case tree.Sequence():
            for item in node.items:
                yield from _as_they_are(item)
