"""The style `stack`: boxes from top to bottom, as the source reads, with parameters and their shares at the right."""

from __future__ import annotations

from cnnspec.backends.draw.blocks import MARGIN, draw_head, head_width, headline
from cnnspec.backends.draw.boxes import Chain, Costs, Look
from cnnspec.backends.draw.canvas import Canvas, text_width
from cnnspec.backends.draw.fold import Alike, opened, repeats
from cnnspec.backends.draw.items import Body
from cnnspec.backends.draw.view import view
from cnnspec.backends.draw.words import describe_item

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from cnnspec.graph.nodes import Graph

BUDGET = 30
_NARROWEST = 340
_TOP = 52
_BAR = 64


def draw_stack(
    graph: Graph, *, depth: int | None = None, wanted: Collection[str] = (), scheme: str = "auto",
    errors: Mapping[str, str] | None = None,
) -> str:  # fmt: skip
    """A network as SVG. `errors` says what is wrong with the modules at some paths."""
    alike = Alike()
    items = repeats(view(graph).items, alike)
    look = Look(opened(items, alike, budget=BUDGET, depth=depth, wanted=wanted), dict(errors or {}))
    chain = Chain(Body(items), look, outermost=True)
    width = max(_NARROWEST, chain.least)
    title, told = graph.name, headline(graph)
    canvas = Canvas(0, 0, f"{title}: {told}", "; ".join(map(describe_item, items)), scheme)
    draw_head(canvas, title, told)
    costs = Costs()
    chain.draw(canvas, MARGIN, _TOP, width, costs)
    right = _costs(canvas, MARGIN + width + 14, costs, graph.parameters)
    canvas.width = max(right + 20, head_width(title, told))
    canvas.height = _TOP + chain.height + 18
    return canvas.svg()


def _costs(canvas: Canvas, x: float, costs: Costs, total: int) -> float:
    """Parameters and the shares of them as bars, beside what has them; the right end."""
    if not costs.rows or not total:
        return x
    column = x + max(72.0, *(text_width(row.text, 11) for row in costs.rows))
    canvas.text(column, _TOP - 6, "parameters", size=11, fill="soft", anchor="end")
    for row in costs.rows:
        with canvas.group(f"{row.parameters:,} parameters", data_also=row.path):
            canvas.text(column, row.y + 4, row.text, size=11, anchor="end")
            share = max(1, _BAR * row.parameters / total)
            canvas.rect(column + 7, row.y - 5, share, 10, rx=1, fill="plain-line")
    return column + 7 + _BAR
