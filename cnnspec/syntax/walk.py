"""All nodes of a tree, and whether two trees say the same: the only places that go through nodes of every kind."""

from __future__ import annotations

from cnnspec.source import Source, Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any


def walk(node: Any) -> Iterator[Any]:
    """A node, or a tuple of nodes, and every node below, each before what stands in it and in the order of the text."""
    waiting = [node]
    while waiting:
        item = waiting.pop()
        if item.__class__ is tuple:
            waiting += item[::-1]
            continue
        fields = _fields(item)
        if fields is not None:
            yield item
            waiting += [getattr(item, field) for field in reversed(fields)]


def same(a: Any, b: Any) -> bool:
    """Whether two nodes, or tuples of nodes, say the same, wherever they stand."""
    waiting = [(a, b)]
    while waiting:
        one, other = waiting.pop()
        if one.__class__ is not other.__class__:
            return False
        if one.__class__ is tuple:
            if len(one) != len(other):
                return False
            waiting += zip(one, other)
            continue
        fields = _fields(one)
        if fields is None:
            if one != other:
                return False
        else:
            waiting += [(getattr(one, field), getattr(other, field)) for field in fields]
    return True


_PARTS: dict[type, tuple[str, ...] | None] = {}


def _fields(node: Any) -> tuple[str, ...] | None:
    """The fields of a node without its places in the text; None for what is no node."""
    kind = node.__class__
    try:
        return _PARTS[kind]
    except KeyError:
        names = getattr(kind, "__match_args__", None) if kind not in (Span, Source) else None
        fields = None if names is None else tuple(name for name in names if name not in ("span", "head", "source"))
        _PARTS[kind] = fields
        return fields
