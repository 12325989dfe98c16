"""Children that repeat, as loops."""

from __future__ import annotations

from itertools import pairwise

from cnnspec.backends.python_source.alike import Alike, Differ, filled, head_of
from cnnspec.backends.python_source.terms import Chain, Child, Counted, Literal, Loop, parts_of, rebuilt
from cnnspec.backends.python_source.words import fresh, identifier

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

PASSES, NUMBERS = 3, 3
"""The fewest passes of a loop over numbers, and the most numbers that differ between them."""
LONGEST = 8
"""The most children that are looked for as one pass of a loop."""


def with_loops(term: Any) -> Any:
    """The term with runs of equal children as loops, in all sequences whose children have numbers."""
    done: dict[int, tuple[Any, Any]] = {}

    def change(part: Any) -> Any:
        if id(part) not in done:
            inner = rebuilt(part, change) if parts_of(part) else part
            if isinstance(inner, Chain) and not any(child.label for child in inner.children):  # type: ignore[union-attr]
                inner = Chain(tuple(_runs(list(inner.children))))
            done[id(part)] = part, inner
        return done[id(part)][1]

    return change(term)


def _runs(children: list[Any]) -> list[Child | Loop]:
    found: list[Child | Loop] = []
    at = 0
    while at < len(children):
        length, times = _best(children, at)
        varied = _varied(children, at) if times * length < 3 else None
        if varied is not None:
            loop, length, times = varied
            found.append(loop)
        elif times > 1:
            same = tuple(Child(None, child.term, child.shape) for child in children[at : at + length])
            found.append(Loop(same, ("_",), Literal(times, "depth")))
        else:
            found += children[at : at + 1]
        at += max(1, length * times if times > 1 else 1)
    return found


def _best(children: list[Any], at: int) -> tuple[int, int]:
    """How many children one pass has, and how many passes there are, where that saves most."""
    best = (1, 1)
    for length in range(1, LONGEST + 1):
        times = 1
        while _equal(children, at, at + times * length, length):
            times += 1
        if times > 1 and (times - 1) * length > (best[1] - 1) * best[0]:
            best = (length, times)
    return best


# --- loops over numbers ---


def _varied(children: list[Any], at: int) -> tuple[Loop, int, int] | None:
    """The longest run from here of passes that differ in a few numbers: the loop, its length and how often it runs."""
    best: tuple[Loop, int, int] | None = None
    for length in range(1, 5):
        times = 1
        while _alike(children, at, at + times * length, length):
            times += 1
        made = _loop(children, at, length, times) if times >= PASSES else None
        if made is not None and (best is None or length * times > best[1] * best[2]):
            best = made, length, times
    return best


def _alike(children: list[Any], first: int, second: int, length: int) -> bool:
    if second + length > len(children):
        return False
    return all(head_of(children[first + index]) == head_of(children[second + index]) for index in range(length))


def _loop(children: list[Any], at: int, length: int, times: int) -> Loop | None:
    passes = [Chain(tuple(children[at + turn * length : at + (turn + 1) * length])) for turn in range(times)]
    try:
        alike = Alike(passes)
    except Differ:
        return None
    values = [values for values, _ in alike.holes]
    rows = [row[0] if len(row) == 1 else row for row in zip(*values)]
    numbers = all(one.__class__ in (int, float, tuple) for of in values for one in of)
    if not 0 < len(values) <= NUMBERS or not numbers or len(set(rows)) < len(rows):
        return None
    counted = [_counted(of, role) for of, role in alike.holes]
    if all(counted):
        template = filled(alike.template, counted)
        return Loop(template.children, ("i",), Literal(times, "depth"))
    names: list[str] = []
    for _, role in alike.holes:
        names.append(fresh(f"{identifier(role or 'value')}_i", names))
    return Loop(filled(alike.template, names).children, tuple(names), Literal(rows, "sizes"))


def _counted(values: tuple[Any, ...], role: str) -> Counted | None:
    """Whole numbers that rise in equal steps; None for others."""
    if any(value.__class__ is not int for value in values):
        return None
    step = values[1] - values[0]
    rises = step > 0 and all(b - a == step for a, b in pairwise(values))
    return Counted(Literal(values[0], role), step) if rises else None


def _equal(children: list[Any], first: int, second: int, length: int) -> bool:
    if second + length > len(children):
        return False
    return all(children[first + index].term == children[second + index].term for index in range(length))
