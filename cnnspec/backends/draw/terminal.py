"""A network as lines of text for a terminal: a line a step, with its shape, its parameters, and a bar as long as the map."""

from __future__ import annotations

from cnnspec.backends.draw.blocks import headline
from cnnspec.backends.draw.canvas import shorten
from cnnspec.backends.draw.errors import error_of
from cnnspec.backends.draw.fold import Alike, opened, repeats
from cnnspec.backends.draw.items import BLOCK, BRANCHES, INPUT, LEARNT, REPEAT, VALUE, Item
from cnnspec.backends.draw.view import view
from cnnspec.backends.draw.words import flat_parts, riders_of, show
from cnnspec.diagnostics.render import clean
from cnnspec.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from cnnspec.graph.nodes import Graph, Shape
    from cnnspec.layers.base import Parts

BAR, WIDTH = 24, 80
BUDGET = 24
_NAMES, _LEAST = 30, 8
"""Columns that names and bars have at least."""


@record
class Row:
    """A line: the rails in front of it, what it is, its shape, parameters, and the value for the bar."""

    rails: str
    text: str
    shape: str
    parameters: str
    value: Shape | Parts | None


def draw_text(
    graph: Graph, *, depth: int | None = None, wanted: Collection[str] = (), errors: Mapping[str, str] | None = None,
    width: int = WIDTH,
) -> str:  # fmt: skip
    """A network as text of at most `width` columns, if names are not very long."""
    alike = Alike()
    items = repeats(view(graph).items, alike)
    shown = opened(
        items, alike, budget=BUDGET, depth=0 if depth is None and len(items) > BUDGET else depth, wanted=wanted
    )
    rows = list(_rows(items, shown, dict(errors or {}), ""))
    wide = [max((len(getattr(row, name)) for row in rows), default=0) for name in ("shape", "parameters")]
    names = min(
        max((len(row.rails + row.text) for row in rows), default=0), max(_NAMES, width - sum(wide) - _LEAST - 6)
    )
    bar = max(_LEAST, min(BAR, width - names - sum(wide) - 6))
    largest = max((shape[-1] for row in rows for shape in flat_parts(row.value) if shape and len(shape) > 1), default=1)
    lines = [clean(f"{graph.name}  {headline(graph).replace('  ·  ', '  ')}"), ""]
    for row in rows:
        told = shorten(row.rails + clean(row.text), names).ljust(names)
        line = f"{told}  {row.shape.rjust(wide[0])}  {row.parameters.rjust(wide[1])}  {_bar(row.value, largest, bar)}"
        lines.append(line.rstrip())
    return "\n".join(lines)


def _rows(
    items: Sequence[Item], shown: set[str], errors: dict[str, str], rails: str, *, inner: bool = False
) -> Iterator[Row]:
    for index, item in enumerate(items):
        last = index == len(items) - 1
        mark = "└ " if last else "┌ " if not index and not inner else "├ "
        unit = item.items[0] if item.form == REPEAT and len(item.items) == 1 else item
        opens = unit.value in shown and unit.form in (BLOCK, BRANCHES) and not unit.again
        opens = opens or (item.form == REPEAT and len(item.items) > 1)
        yield Row(
            f" {rails}{mark}", _told(item, unit, errors, opens=opens), _shape(item), _parameters(item), item.output
        )
        if opens:
            yield from _inside(unit, shown, errors, rails + ("  " if last else "│ "))


def _inside(item: Item, shown: set[str], errors: dict[str, str], rails: str) -> Iterator[Row]:
    if item.form in (BLOCK, REPEAT):
        yield from _rows(item.items, shown, errors, rails, inner=True)
        return
    for number, branch in enumerate(item.branches):
        last = number == len(item.branches) - 1
        name = branch.label or (("body", "shortcut")[number] if item.residual else "branch")
        told = name if branch.items else f"{name} (identity)"
        yield Row(f" {rails}{'└ ' if last else '├ '}", told, "", "", None)
        yield from _rows(branch.items, shown, errors, rails + ("  " if last else "│ "), inner=True)


def _told(item: Item, unit: Item, errors: dict[str, str], *, opens: bool) -> str:
    before, after = riders_of(unit)
    again = "↻ " if item.again else ""
    label = f"{unit.label}: " if unit.label and unit.label != unit.name and item is unit else ""
    told = f"{again}{label}{unit.name}"
    if item.form == REPEAT and len(item.items) > 1:
        told = "repeat"
    elif unit.form in (BLOCK, BRANCHES):
        told += "" if opens or not unit.layers else f", {unit.layers} layers"
    elif unit.form == LEARNT:
        told += " (weight)"
    elif unit.form == VALUE:
        told = f"= {unit.name}"
    elif unit.form != INPUT and unit.arguments:
        told += f" {unit.arguments}"
    told = f"{before} → {told}" if before else told
    if after and (item.form != REPEAT or len(item.items) == 1):
        told += f" → {after}"
    told += f"  ×{item.copies}" if item.form == REPEAT else ""
    wrong = "" if opens else error_of(item, errors)
    return f"{told}  ✗ {wrong}" if wrong else told


def _shape(item: Item) -> str:
    """The shape of a value; of a tuple, how many it has."""
    parts = flat_parts(item.output)
    return show(item.output) if len(parts) == 1 else f"{len(parts)} values"


def _parameters(item: Item) -> str:
    return f"{item.parameters:,}" if item.parameters and not item.again else ""


def _bar(value: Shape | Parts | None, largest: int, most: int) -> str:
    """As long as the map is wide; small squares for flat values."""
    shapes: Iterable[Shape | None] = flat_parts(value)
    shape = next(iter(shapes), None)
    if not shape or None in shape:
        return ""
    if len(shape) == 1:
        return "▪" * max(1, min(10, most, shape[0] // 12))
    return "█" * max(1, round(most * shape[-1] / largest) if largest > most else shape[-1])
