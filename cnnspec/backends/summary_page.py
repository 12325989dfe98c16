"""A summary as HTML, for notebooks: a table with bars, in the colours of the page that it stands in."""

from __future__ import annotations

from cnnspec.backends.summary import Account
from cnnspec.backends.summary_text import Options, cells, fitting, summarize, totals
from cnnspec.diagnostics.render import clean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cnnspec.graph.nodes import Graph

LINES = 60
"""Beyond it modules are folded into those around them."""
_STYLE = "text-align:{}; white-space:pre; font-variant-numeric:tabular-nums; padding:1px 8px"


class Summary(str):
    """A summary: its text, which a notebook shows as a table."""

    html: str

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return self.html


def summary_of(graph: Graph, batch: int = 1, dtype: str = "float32", optimizer: str | None = None) -> Summary:
    """The summary of a graph without mistakes; with an optimizer the memory of a step is told."""
    account = Account(graph, batch, dtype, optimizer or "SGD")
    made = Summary(summarize(account, Options(memory=optimizer is not None)))
    made.html = page(account, Options(memory=optimizer is not None, height=LINES))
    return made


def page(account: Account, options: Options) -> str:
    """The table as HTML that needs nothing else."""
    columns, lines = cells(fitting(account, options), account, options)
    heads = "".join(f'<th style="{_style(column.right)}">{escape(column.head)}</th>' for column in columns)
    body = "".join(
        "<tr>" + "".join(f'<td style="{_style(column.right)}">{escape(cell)}</td>' for column, cell in zip(columns, line))
        + "</tr>"
        for line in lines
    )  # fmt: skip
    said = "<br>".join(map(escape, totals(account, memory=options.memory)))
    caption = f'<caption style="text-align:left; font-weight:bold">{escape(account.graph.name)}</caption>'
    return f"<table>{caption}<thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table><p>{said}</p>"


def _style(right: bool) -> str:
    return _STYLE.format("right" if right else "left")


def escape(text: str) -> str:
    """A text for HTML, with control characters as signs."""
    for character, name in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        text = text.replace(character, name)
    return clean(text)
