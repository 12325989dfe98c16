"""All nodes of a tree, and whether two trees say the same: the only places that go through nodes of every kind."""

from __future__ import annotations

from cnnspec.source import Source, Span

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any


def walk(node: Any, *, bound: bool = True) -> Iterator[Any]:
    """A node, or a tuple of nodes, and every node below, each before what stands in it and in the order of the text.

    Without `bound` those are left out that only give something a name (`binds` of their class): what is left is read.
    """
    fields_of = _fields if bound else _read_fields
    waiting = [node]
    while waiting:
        item = waiting.pop()
        if item.__class__ is tuple:
            waiting += item[::-1]
            continue
        fields = fields_of(item)
        if fields is not None:
            yield item
            for field in reversed(fields):
                part = getattr(item, field)
                if part:
                    waiting.append(part)


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
_READ_PARTS: dict[type, tuple[str, ...] | None] = {}


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


def _read_fields(node: Any) -> tuple[str, ...] | None:
    """The fields of a node that hold what it reads; None for what is no node."""
    kind = node.__class__
    try:
        return _READ_PARTS[kind]
    except KeyError:
        fields, binds = _fields(node), getattr(kind, "binds", ())
        read = None if fields is None else tuple(field for field in fields if field not in binds)
        _READ_PARTS[kind] = read
        return read
