"""The sizes for which a network holds, in words and as JSON."""

from __future__ import annotations

from math import lcm

from cnnspec.analysis.unread import all_read
from cnnspec.compiler.any_size import Holding
from cnnspec.compiler.values import show_shape
from cnnspec.errors import UsageError
from cnnspec.sizes.region import Region
from cnnspec.sizes.sets import Box, Sizes, boxes, contains, nearest, runs_of, sizes_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def as_text(holding: Holding, near: tuple[int, ...]) -> str:
    """Words: the shapes, and a line for each axis or for each combination of sizes."""
    graph, names = holding.graph, holding.grid.names
    inputs = ", ".join(show_shape(_shown(entry.shape)) for entry in graph.inputs)
    output = show_shape(_shown(graph.output))
    lines = [f"{graph.source.path}: {graph.name}  {inputs} -> {output}"]
    found = boxes(holding.grid.region)
    free = [axis for axis in range(len(names)) if any(box[axis].only is None for box in found)]
    if not free:
        lines.append("  no other size of the input works")
    read = all_read(graph, holding.grid)
    if free and len(found) == 1:
        box = found[0]
        lines += [f"  {box[axis].words(names[axis])}{_reading(holding, box, axis, read)}" for axis in free]
    elif free:
        lines += ["  " + _row(holding, box, free, read) for box in _declared_first(holding, found)]
    if near and free:
        lines.append("  " + _nearest(holding, found, near, free))
    return "\n".join(lines)


def _shown(shape: Any) -> Any:
    return () if shape is None else shape


def _row(holding: Holding, box: Box, free: list[int], read: Region | None) -> str:
    text = " with ".join(box[axis].words(holding.grid.names[axis]) for axis in free)
    unread = [f"{holding.grid.names[axis]} {words}" for axis in free if (words := _unread(holding, box, axis, read))]
    return "; ".join([text, *unread])


def _unread(holding: Holding, box: Box, axis: int, read: Region | None) -> str:
    """Which sizes of an interval leave pixels unread."""
    if read is None or box[axis].rests:
        return ""
    listed = [
        n for low, high in box[axis].intervals for n in range(low, high + 1) if not read.alone[axis] >> (n - 1) & 1
    ]
    return f"of {_listed(listed)} leaves pixels unread" if listed else ""


def _declared_first(holding: Holding, found: list[Box]) -> list[Box]:
    return sorted(found, key=lambda box: not contains([box], holding.grid.base))


def _reading(holding: Holding, box: Box, axis: int, read: Region | None) -> str:
    """Which of the sizes leave pixels unread, or read them all, where some do and some don't."""
    grid, name = holding.grid, holding.grid.names[axis]
    if read is None or not box[axis].rests:
        words = _unread(holding, box, axis, read)
        return f"; {name} {words}" if words else ""
    both = read.alone[axis] & grid.region.alone[axis]
    if both in (0, grid.region.alone[axis]):
        return ""
    start, period = max(read.starts[axis], grid.region.starts[axis]), lcm(read.periods[axis], grid.region.periods[axis])
    if start + period - 1 > grid.extent.lengths[axis]:
        return ""
    every = sizes_of(both, start, period)
    return f"; {every.words(name).removeprefix('any ')} reads every pixel"


def _listed(numbers: list[int]) -> str:
    return " and ".join(str(low) if low == high else f"{low} to {high}" for low, high in runs_of(numbers))


def _nearest(holding: Holding, found: list[Box], near: tuple[int, ...], free: list[int]) -> str:
    wanted = _wanted(holding, near, free)
    best = nearest(found, wanted)
    asked = "x".join(str(wanted[axis]) for axis in free)
    if contains(found, wanted):
        return f"{asked} works"
    return f"nearest to {asked}: {'x'.join(str(best[axis]) for axis in free)}"


def _wanted(holding: Holding, near: tuple[int, ...], free: list[int]) -> tuple[int, ...]:
    """The sizes that are asked for, of the free axes or of all of the input; the others as the spec has them."""
    names = [holding.grid.names[axis] for axis in free]
    if len(near) != len(free):
        raise UsageError(f"--near takes a size for each of {' and '.join(names)}")
    wanted = list(holding.grid.base)
    for axis, size in zip(free, near):
        wanted[axis] = size
    return tuple(wanted)


def as_json(holdings: list[Holding], near: tuple[int, ...]) -> str:
    """One JSON object; its `models` hold the boxes of sizes of each."""
    import json

    return json.dumps({"format_version": "1.0", "models": [_model(one, near) for one in holdings]})


def _model(holding: Holding, near: tuple[int, ...]) -> dict[str, Any]:
    graph, names = holding.graph, holding.grid.names
    found = boxes(holding.grid.region)
    free = [axis for axis in range(len(names)) if any(box[axis].only is None for box in found)]
    answer: dict[str, Any] = {
        "file": graph.source.path,
        "name": graph.name,
        "inputs": [
            [str(size) if size.__class__ is not int else size for size in entry.shape or ()] for entry in graph.inputs
        ],
        "sizes": [{names[axis]: _axis(box[axis]) for axis in free} for box in _declared_first(holding, found)],
    }
    if near and free:
        best = nearest(found, _wanted(holding, near, free))
        answer["nearest"] = {names[axis]: best[axis] for axis in free}
    return answer


def _axis(sizes: Sizes) -> dict[str, Any]:
    answer: dict[str, Any] = {"intervals": [list(interval) for interval in sizes.intervals]}
    if sizes.rests:
        answer |= {"from": sizes.least, "modulo": sizes.period, "rests": list(sizes.rests)}
    return answer
