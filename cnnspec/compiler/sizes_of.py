"""The sizes of a value of the network, as expressions ask for them."""

from __future__ import annotations

from cnnspec.compiler.flow import Flow, Known, shape_fact
from cnnspec.compiler.place import Place
from cnnspec.declare import UNKNOWN
from cnnspec.diagnostics import codes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from cnnspec.source import Span

# What each name of a size reads from a shape: the axis, and the number of dimensions it needs.
_SIZES: dict[str, tuple[int, tuple[int, ...]]] = {
    "channels": (0, (1, 2, 3, 4)),
    "features": (-1, (1, 2, 3, 4)),
    "length": (1, (2,)),
    "depth": (1, (4,)),
    "height": (-2, (3, 4)),
    "width": (-1, (3, 4)),
}
SIZE_FUNCTIONS = (*_SIZES, "size", "shape")


def size_of(known: Known, what: str, name: str, span: Span, place: Place) -> Any:
    """The size `what` of a value, which the spec calls `name`; UNKNOWN where it is not sure."""
    if not isinstance(known, Flow):
        place.sink.report(
            codes.NO_SUCH_SIZE, span, name=name, shape=shape_fact(known), why="a tuple has values, and each a shape"
        )
        return UNKNOWN
    sizes = known.sizes
    if what in ("shape", "size"):
        part = None if sizes is None else sizes[what == "size" :]
        return UNKNOWN if part is None or None in part else [place.number(size) for size in part if size is not None]
    axis, ranks = _SIZES[what]
    if sizes is not None and len(sizes) not in ranks:
        why = f"{name} needs {' or '.join(map(str, ranks))} dimensions"
        place.sink.report(codes.NO_SUCH_SIZE, span, name=name, shape=shape_fact(known), why=why)
        return UNKNOWN
    width = known.width(axis)
    return UNKNOWN if width is None else place.number(width)
