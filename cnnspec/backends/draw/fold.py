"""What of a network is shown once: equal neighbours as a repeat, and which blocks are opened."""

from __future__ import annotations

from itertools import pairwise

from cnnspec.backends.draw.items import BLOCK, BRANCHES, LAYER, REPEAT, Body, Item
from cnnspec.layers.base import Parts
from cnnspec.record import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

NAMES, ARGUMENTS, SHAPES = 0, 1, 2
"""What two items have to share to be alike: names and structure; arguments too; shapes too."""
_LONGEST = 6
"""Items in the longest unit that is looked for."""


class Alike:
    """Numbers for items: those that are alike have the same."""

    def __init__(self) -> None:
        self._numbers: dict[object, int] = {}
        self._known: dict[tuple[int, int], int] = {}
        self._kept: list[Item] = []

    def number(self, item: Item, level: int) -> int:
        key = (id(item), level)
        if key not in self._known:
            self._kept.append(item)
            self._known[key] = self._numbers.setdefault(self._described(item, level), len(self._numbers))
        return self._known[key]

    def _described(self, item: Item, level: int) -> object:
        told: tuple[object, ...] = (item.form, item.name, item.kind, item.again)
        if level >= ARGUMENTS:
            # How much is dropped often grows from block to block; the blocks are alike all the same.
            told += ("" if item.role == "dropout" else item.arguments, item.copies if item.form == REPEAT else 0)
        if level >= SHAPES:
            told += (item.input, item.output)
        riders = tuple(tuple(self.number(one, level) for one in side) for side in (item.before, item.after))
        bodies = tuple(tuple(self.number(one, level) for one in body.items) for body in item.branches)
        return (level, told, riders, bodies)


def repeats(items: Sequence[Item], alike: Alike) -> tuple[Item, ...]:
    """Items with equal neighbours folded, in all bodies."""
    items = [replace(item, branches=_folded(item.branches, alike)) if item.branches else item for item in items]
    linked = _linked(items)
    found: list[Item] = []
    at = 0
    while at < len(items):
        best = max(
            (_run(items, linked, at, length, alike) for length in range(1, _LONGEST + 1)), key=lambda run: run[0]
        )
        saved, length, copies, level = best
        if saved == 0:
            found.append(items[at])
            at += 1
            continue
        found.append(_repeat(items[at : at + length * copies], length, exact=level == SHAPES))
        at += length * copies
    return tuple(found)


def _folded(bodies: tuple[Body, ...], alike: Alike) -> tuple[Body, ...]:
    return tuple(replace(body, items=repeats(body.items, alike)) for body in bodies)


def _linked(items: Sequence[Item]) -> list[bool]:
    """Of each item, whether it takes the value of the one before it, which nothing else does."""
    uses: dict[str, int] = {}
    for item in items:
        for source in (*item.feed, *item.extra):
            uses[source.path] = uses.get(source.path, 0) + 1
    return [False] + [
        item.follows(before) and uses.get(before.value) == 1 and not item.extra and not item.again
        for before, item in pairwise(items)
    ]


def _run(items: Sequence[Item], linked: list[bool], at: int, length: int, alike: Alike) -> tuple[int, int, int, int]:
    """How many items are saved by folding units of `length` from `at` on; the length, the copies, what they share."""
    best = (0, length, 1, SHAPES)
    unit = items[at : at + length]
    if len(unit) < length or not all(linked[at + 1 : at + length]) or unit[0].extra:
        return best
    for level in (SHAPES, ARGUMENTS):
        numbers = [alike.number(item, level) for item in unit]
        end = at + length
        while (
            end + length <= len(items)
            and all(linked[end : end + length])
            and [alike.number(item, level) for item in items[end : end + length]] == numbers
        ):
            end += length
        copies = (end - at) // length
        if copies > 1 and (level == SHAPES or _keeps_sizes(items[at:end], length, copies)):
            best = max(best, ((copies - 1) * length, length, copies, level), key=lambda run: (run[0], run[3]))
    return best


def _keeps_sizes(items: Sequence[Item], length: int, copies: int) -> bool:
    """Whether copies that differ in their channels are of one height and width, and worth folding."""
    if copies < 3 and not (length == 1 and items[0].form == LAYER):
        return False
    return len({sizes_of(item) for item in items}) == 1


def sizes_of(item: Item) -> object:
    """Height and width, and the like, of the value of an item."""
    return item.output if item.output is None or isinstance(item.output, Parts) else (len(item.output), item.output[1:])


def _repeat(items: Sequence[Item], length: int, *, exact: bool) -> Item:
    members = tuple(tuple(items[at : at + length]) for at in range(0, len(items), length))
    unit = tuple(_common(copies) for copies in zip(*members))
    first, last = items[0], items[-1]
    return replace(
        first, form=REPEAT, value=last.value, label=None, input=first.input, output=last.output, before=(), after=(),
        parameters=sum(item.parameters for item in items), layers=sum(item.layers for item in items),
        branches=(Body(unit),), members=members, exact=exact, residual=False, kind="",
    )  # fmt: skip


def _common(copies: Sequence[Item]) -> Item:
    """What copies share: the first, without arguments in which they differ."""
    first = copies[0]
    if first.role == "dropout" and len({one.arguments for one in copies}) > 1:
        return replace(first, arguments="")
    if not first.branches or first.form == REPEAT:
        return first
    bodies = tuple(
        replace(body, items=tuple(_common(items) for items in zip(*(one.branches[at].items for one in copies))))
        for at, body in enumerate(first.branches)
    )
    return replace(first, branches=bodies)


def opened(
    items: Iterable[Item], alike: Alike, *, budget: int, depth: int | None = None, wanted: Collection[str] = ()
) -> set[str]:
    """The values of the blocks and branches that are opened.

    Each kind once, where it stands first, the outer ones before the inner ones, while no more than `budget` items are
    shown; with `depth`, all that are less deep. Those with a path in `wanted` and those around them always are.
    """
    level = _units(items)
    count, deep = len(level), 0
    seen: set[int] = set()
    found: set[str] = set()
    while level:
        below: list[Item] = []
        for item in level:
            if item.form not in (BLOCK, BRANCHES):
                continue
            inside = _units(item.inside)
            kind = alike.number(item, NAMES)
            asked = any(path == item.path or path.startswith(f"{item.path}.") for path in wanted)
            fits = deep < depth if depth is not None else kind not in seen and count + len(inside) <= budget
            if asked or fits:
                seen.add(kind)
                found.add(item.value)
                count += len(inside)
                below += inside
        level, deep = below, deep + 1
    return found


def _units(items: Iterable[Item]) -> list[Item]:
    """Items, with the unit in place of a repeat."""
    return [one for item in items for one in (_units(item.items) if item.form == REPEAT else [item])]
