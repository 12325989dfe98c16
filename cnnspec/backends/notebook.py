"""A network as a notebook shows it: its picture, and its modules as a table."""

from __future__ import annotations

from cnnspec.analysis.cost import Costs
from cnnspec.backends.draw.blocks import draw_blocks
from cnnspec.backends.draw.canvas import harmless
from cnnspec.backends.draw.words import show
from cnnspec.backends.summary import rows

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cnnspec.graph.nodes import Graph

_MOST = 40
"""Rows of a table that is told in full; of a larger network the outermost modules are shown."""


def html_of(graph: Graph) -> str:
    """Picture and table, without anything from elsewhere."""
    graph = graph.typical
    costs = Costs(graph)
    found = list(rows(graph, costs))
    if len(found) > _MOST:
        found = list(rows(graph, costs, depth=1))
    lines = []
    for row in found:
        key = harmless(row.key) + (f" ×{row.times}" if row.times > 1 else "")
        numbers = [show(row.output), f"{row.cost.parameters:,}", f"{row.cost.macs:,}"]
        cells = "".join(f'<td style="text-align:right">{text}</td>' for text in numbers)
        lines.append(
            f'<tr><td style="text-align:left;padding-left:{0.5 + 1.2 * row.depth:.1f}em">{key}</td>'
            f'<td style="text-align:left">{harmless(row.layer)}</td>{cells}</tr>'
        )
    total = f"{graph.parameters:,} parameters, {costs.total.macs:,} multiply-accumulates"
    heads = "".join(f"<th>{name}</th>" for name in ("", "layer", "output", "parameters", "MACs"))
    table = f"<table><thead><tr>{heads}</tr></thead><tbody>{''.join(lines)}</tbody></table>"
    return f"{draw_blocks(graph)}<details><summary>{total}</summary>{table}</details>"
