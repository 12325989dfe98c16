"""Text in columns: for terminals, for Markdown, as CSV."""

from __future__ import annotations

from cnnspec.diagnostics.render import Paint, clean
from cnnspec.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_EIGHTHS = " ▏▎▍▌▋▊▉█"


@record
class Column:
    """A column: its head, and whether its cells stand at the right. A `flexible` one is cut where a line is too long."""

    head: str
    right: bool = False
    flexible: bool = False


def bar(share: float, width: int) -> str:
    """A share of 1 as a bar of up to `width` characters, in eighths of them."""
    eighths = round(min(max(share, 0), 1) * width * 8)
    full, rest = divmod(eighths, 8)
    return "█" * full + (_EIGHTHS[rest] if rest else "")


def plain(
    title: str, columns: Sequence[Column], lines: Sequence[Sequence[str]], total: Sequence[str], *,
    width: int | None = None, color: bool = False,
) -> str:  # fmt: skip
    """Lines under their heads, between a title and what is said at the end; at most `width` wide where that is possible."""
    paint = Paint(color)
    cells_of = [[clean(cell) for cell in line] for line in lines]
    widths = [
        max([len(column.head), *(len(cells[place]) for cells in cells_of)]) for place, column in enumerate(columns)
    ]
    _shrink(widths, columns, width)
    heads = _line([column.head for column in columns], widths, columns)
    rule = "-" * (sum(widths) + 2 * (len(widths) - 1))
    shown = [_line(cells, widths, columns) for cells in cells_of]
    return "\n".join([paint("bold", clean(title)), paint("bold", heads), rule, *shown, rule, *total])


def _shrink(widths: list[int], columns: Sequence[Column], width: int | None) -> None:
    over = sum(widths) + 2 * (len(widths) - 1) - (width or 0)
    for place, column in enumerate(columns):
        if width and over > 0 and column.flexible:
            less = min(over, max(widths[place] - 12, 0))
            widths[place] -= less
            over -= less


def _line(cells: Sequence[str], widths: Sequence[int], columns: Sequence[Column]) -> str:
    shown = []
    for cell, width, column in zip(cells, widths, columns):
        text = cell if len(cell) <= width else cell[: width - 1] + "…"
        shown.append(text.rjust(width) if column.right else text.ljust(width))
    return "  ".join(shown).rstrip()


def markdown(title: str, columns: Sequence[Column], lines: Sequence[Sequence[str]], total: Sequence[str]) -> str:
    """A table of GitHub's Markdown, between a heading and the totals as a list."""
    rules = ["---:" if column.right else "---" for column in columns]
    table = [[column.head for column in columns], rules, *lines]
    rows = ["| " + " | ".join(_marked(cell) for cell in cells) + " |" for cells in table]
    return "\n".join([f"### {_marked(title)}", "", *rows, "", *(f"- {_marked(line)}" for line in total)])


def _marked(text: str) -> str:
    shown = clean(text)
    for character in "\\|`*_<>[":
        shown = shown.replace(character, "\\" + character)
    indent = len(shown) - len(shown.lstrip(" "))
    return "&nbsp;" * indent + shown[indent:]
