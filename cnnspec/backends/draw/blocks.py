"""The style `blocks`: values are volumes, and the operations stand between them."""

from __future__ import annotations

from cnnspec.backends.draw.canvas import Canvas, text_width
from cnnspec.backends.draw.insets import arrange, insets
from cnnspec.backends.draw.items import BLOCK
from cnnspec.backends.draw.labels import chain_in_words
from cnnspec.backends.draw.levels import Levels, spots_of
from cnnspec.backends.draw.rows import Place, Rows, place
from cnnspec.backends.draw.steps import Step, chain
from cnnspec.backends.draw.view import view
from cnnspec.backends.draw.volumes import Scale
from cnnspec.backends.draw.words import show

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from cnnspec.backends.draw.items import Item
    from cnnspec.graph.nodes import Graph

MARGIN, _WIDEST = 22, 940
_TOP = 48


def draw_blocks(
    graph: Graph, *, depth: int | None = None, wanted: Collection[str] = (), scheme: str = "auto",
    errors: Mapping[str, str] | None = None,
) -> str:  # fmt: skip
    """A network as SVG."""
    items = view(graph).items
    wanted = wanted if depth is None else paths_to(items, depth)
    steps = chain(items, wanted=wanted, errors=errors)
    few = len(steps) <= 10 and not any(step.folded for step in steps)
    scale = Scale((step.output for step in steps), 150 if few else 116)
    title, told = graph.name, headline(graph) + ("  ·  sizes on a root scale" if scale.root else "")
    canvas = Canvas(0, 0, f"{title}: {told}", chain_in_words(steps), scheme)
    draw_head(canvas, title, told)
    if not steps:
        # A body without a layer, whose input is missing.
        canvas.width, canvas.height = head_width(title, told), _TOP
        return canvas.svg()
    levels = None if errors else _levels(items, steps, scale)
    if levels is not None:
        bottom = levels.settle(_TOP)
        levels.draw(canvas, MARGIN)
        bottom = levels.draw_legend(canvas, MARGIN, bottom + 16, max(levels.width, 640))
        steps, width = levels.untold(), max(levels.width, 640)
    else:
        rows = _rows(steps, scale, 40 if few else 24)
        if len(rows.lines) > 1 and rows.width > _WIDEST and not rows.faded:
            steps = chain(items, wanted=wanted, errors=errors, loose=True)
            rows = _rows(steps, scale, 24)
        bottom, width = rows.settle(_TOP), rows.width
        rows.draw(canvas, MARGIN)
    folded = insets(item for step in steps if step.folded for item in step.items)
    spots, wide, high = arrange(folded, max(width, 830))
    for inset, x, y in spots:
        inset.draw(canvas, MARGIN + x, bottom + 12 + y)
    canvas.width = max(width + 2 * MARGIN, wide + 2 * MARGIN, head_width(title, told))
    canvas.height = bottom + 14 + (high + 14 if spots else 0)
    return canvas.svg()


_MOST = 60


def _levels(items: Sequence[Item], steps: Sequence[Step], scale: Scale) -> Levels | None:
    """The network in rows of one resolution, where it goes down and up again; with nothing put together if need be."""
    spots = spots_of(steps, scale)
    if spots is None and len(items) <= _MOST:
        spots = spots_of(chain(items, budget=_MOST), scale)
    return Levels(spots) if spots else None


def headline(graph: Graph) -> str:
    """What goes in and comes out, and how many parameters there are."""
    sizes = f"  ·  {graph.at}" if graph.at else ""
    return f"{show(graph.takes)} → {show(graph.output)}{sizes}  ·  {graph.parameters:,} parameters"


def draw_head(canvas: Canvas, title: str, told: str) -> None:
    canvas.runs(MARGIN, 30, [(title, "ink", 17, 0, True), (told, "soft", 12, 14, False)])


def head_width(title: str, told: str) -> float:
    return 2 * MARGIN + text_width(title, 17, bold=True) + 14 + text_width(told, 12)


def paths_to(items: Iterable[Item], depth: int) -> list[str]:
    """The paths of the blocks that are less deep."""
    found = [item for item in items if depth > 0 and item.form == BLOCK]
    return [path for item in found for path in (item.path, *paths_to(item.inside, depth - 1))]


def _rows(steps: Sequence[Step], scale: Scale, arrow: float) -> Rows:
    """Steps in one row for each chain, or one chain in as many as it needs."""
    rows = Rows(place(steps, scale, arrow), {})
    if rows.width + 2 * MARGIN <= _WIDEST or len(rows.lines) > 1:
        return rows
    least = max(2, int(rows.width // _WIDEST))
    for count in range(least, least + 4):
        found = min((_broken(steps, scale, arrow, at) for at in _breaks(rows.places, count)), key=lambda one: one.width)
        if found.width + 2 * MARGIN <= _WIDEST:
            break
    return found


def _breaks(places: Sequence[Place], count: int) -> list[list[int]]:
    """Ways to break a chain into `count` rows of about the same width."""
    total = places[-1].right
    ways = []
    for slack in (0.85, 0.9, 0.95, 1.0, 1.05, 1.1, 1.15):
        at: list[int] = []
        limit, begin = total / count * slack, 0.0
        for index, spot in enumerate(places):
            if spot.right - begin > limit and index > 1 and len(at) < count - 1 and index < len(places) - 1:
                at.append(index)
                begin = spot.left - 60
        ways.append(at)
    return ways


def _broken(steps: Sequence[Step], scale: Scale, arrow: float, at: list[int]) -> Rows:
    places = place(steps, scale, arrow, broken=at)
    faded = {places[index].row: places[steps[index].feed[0]] for index in at}
    return Rows(places, faded)
