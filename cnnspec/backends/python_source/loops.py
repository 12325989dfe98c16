"""Children that repeat, as loops."""

from __future__ import annotations

from cnnspec.backends.python_source.terms import Chain, Child, Literal, Loop, parts_of, rebuilt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

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
        if times > 1:
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


def _equal(children: list[Any], first: int, second: int, length: int) -> bool:
    if second + length > len(children):
        return False
    return all(children[first + index].term == children[second + index].term for index in range(length))
