"""Which values of a body skip items, and the lanes in which they run."""

from __future__ import annotations

from cnnspec.backends.draw.items import LEARNT, VALUE
from cnnspec.graph.nodes import ARRIVING, TAKEN
from cnnspec.record import record, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from cnnspec.backends.draw.items import Item, Source


@record
class Lane:
    """A value from the item `first` (-1 where it comes into the body) to the item `last`; lane 0 is the innermost."""

    first: int
    last: int
    path: str
    number: int = 0


def lanes_of(items: Sequence[Item]) -> list[Lane]:
    """The lanes of a body, the shortest the innermost; one is used again where it is free."""
    found: dict[tuple[int, int], Lane] = {}
    for index, item in enumerate(items):
        if item.form == VALUE and not any(source.kind not in (ARRIVING, TAKEN) for source in item.feed):
            continue
        for source in (*item.feed, *item.extra):
            first = _first(items, index, source)
            if first is None or (first == index - 1 and source in item.feed and len(item.feed) == 1):
                continue
            found.setdefault((first, index), Lane(first, index, source.path))
    placed: list[Lane] = []
    for lane in sorted(found.values(), key=lambda lane: lane.last - lane.first):
        taken = {one.number for one in placed if lane.first < one.last and one.first < lane.last}
        placed.append(replace(lane, number=next(n for n in range(len(found) + 1) if n not in taken)))
    return placed


def _first(items: Sequence[Item], index: int, source: Source) -> int | None:
    """The item that gives a value, -1 for what comes into the body; None where nothing has to be drawn."""
    if source.kind in (ARRIVING, TAKEN):
        return -1 if any(item.form != LEARNT for item in items[:index]) else None
    for number in range(index - 1, -1, -1):
        item = items[number]
        values = {item.value, *(one.value for copy in item.members for one in copy)}
        if source.path in values or any(source.path.startswith(f"{path}.") for path in item.paths):
            return number
        if item.value.startswith(f"{source.path}."):
            return number
    return None
