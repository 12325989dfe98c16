"""Norms, activations and dropouts ride on the layer that they belong to, where nothing else needs the value between."""

from __future__ import annotations

from cnnspec.backends.draw.items import BRANCHES, LAYER, MERGE, Item
from cnnspec.graph.nodes import LayerNode
from cnnspec.record import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

_RIDERS = ("norm", "activation", "dropout")
_CARRIERS = ("conv", "dense", "up", "attention", "pool")


def ride(items: list[Item], given: Collection[str]) -> list[Item]:
    """The items of a body with riders in their places; `given` are values that the body gives besides its own."""
    uses: dict[str, int] = dict.fromkeys(given, 2)
    for item in items:
        for source in (*item.feed, *item.extra):
            uses[source.path] = uses.get(source.path, 0) + 1
    found: list[Item] = []
    pending: list[Item] = []
    for item in items:
        last = (pending or found)[-1] if pending or found else None
        joined = last is not None and item.follows(last) and uses.get(last.value, 0) <= 1
        if joined and not pending and _carries(found[-1], item):
            found[-1] = _with_rider(found[-1], item)
            continue
        if pending and not joined:
            found, pending = found + pending, []
        if rides(item):
            pending.append(item)
            continue
        if pending and item.form == LAYER and item.role in _CARRIERS:
            item = _behind(pending, item)
        else:
            found += pending
        pending = []
        found.append(item)
    return found + pending


def rides(item: Item) -> bool:
    """Whether a layer may be shown with another one: it keeps the shape, and computes value by value or nothing."""
    if item.form != LAYER or item.output is None or item.again or item.input != item.output:
        return False
    return item.role in _RIDERS or (item.role == "pool" and "output_size" in _layer(item))


def flattens(item: Item) -> bool:
    """Whether a layer only drops the sizes of a map of one place."""
    node = item.node
    if not isinstance(node, LayerNode) or node.layer is None or not node.layer.reshapes or item.again:
        return False
    shape, after = node.input, node.output
    return bool(shape and after) and len(after or ()) == 1 and (after or ())[0] == (shape or ())[0]


def _layer(item: Item) -> Collection[str]:
    node = item.node
    return node.layer.fields if isinstance(node, LayerNode) and node.layer is not None else ()


def _carries(host: Item, rider: Item) -> bool:
    if host.form == LAYER and host.role == "pool" and flattens(rider):
        return True
    carrier = (host.form == LAYER and host.role in _CARRIERS) or (
        host.form in (BRANCHES, MERGE) and host.kind != "tuple"
    )
    return carrier and rides(rider) and host.output == rider.input


def _with_rider(host: Item, rider: Item) -> Item:
    return replace(
        host, after=(*host.after, rider), value=rider.value, output=rider.output,
        parameters=host.parameters + rider.parameters, layers=host.layers + rider.layers,
    )  # fmt: skip


def _behind(riders: list[Item], host: Item) -> Item:
    return replace(
        host, before=tuple(riders), feed=riders[0].feed, parameters=host.parameters + sum(r.parameters for r in riders),
        layers=host.layers + len(riders),
    )  # fmt: skip
