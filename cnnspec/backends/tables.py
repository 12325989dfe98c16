"""Text in columns: for terminals, for Markdown, as CSV."""

from __future__ import annotations

from cnnspec.diagnostics.render import Paint, clean
from cnnspec.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_EIGHTHS = " ▏▎▍▌▋▊▉█"
_NARROW = 12
"""Characters that a flexible column has at least."""


@record
class Column:
    """A column: its head, and whether its cells stand at the right.

    Where a line is too long, columns that are `optional` are left out, the last one first, and `flexible` ones cut; where
    that does not do, those that are `sparable` are left out, too.
    """

    head: str
    right: bool = False
    flexible: bool = False
    optional: bool = False
    sparable: bool = False


def bar(share: float, width: int) -> str:
    """A share of 1 as a bar of up to `width` characters, in eighths of them."""
    eighths = round(min(max(share, 0), 1) * width * 8)
    full, rest = divmod(eighths, 8)
    return "█" * full + (_EIGHTHS[rest] if rest else "")


def plain(
    title: str, columns: Sequence[Column], lines: Sequence[Sequence[str] | str], total: Sequence[str], *,
    width: int | None = None, color: bool = False,
) -> str:  # fmt: skip
    """Lines under their heads, between a title and what is said at the end; at most `width` wide where that is possible.

    A line that is a text and no list of cells stands as it is.
    """
    paint = Paint(color)
    shown: list[list[str] | str] = [
        clean(line) if isinstance(line, str) else [clean(cell) for cell in line] for line in lines
    ]
    kept = list(range(len(columns)))
    for place in reversed(range(len(columns))):
        if width and _total(_widths(columns, shown, kept)) > width and columns[place].optional:
            kept.remove(place)
    for place in reversed(kept):
        if width and columns[place].sparable and _least(_widths(columns, shown, kept), columns, kept) > width:
            kept = [one for one in kept if one != place]
    widths = _widths(columns, shown, kept)
    chosen = [columns[place] for place in kept]
    _cut(widths, chosen, width)
    rule = "-" * _total(widths)
    rows = [line if isinstance(line, str) else _line([line[place] for place in kept], widths, chosen) for line in shown]
    heads = paint("bold", _line([column.head for column in chosen], widths, chosen))
    return "\n".join([paint("bold", clean(title)), heads, rule, *rows, rule, *total])


def _widths(columns: Sequence[Column], lines: Sequence[Sequence[str] | str], kept: Sequence[int]) -> list[int]:
    cells = [line for line in lines if not isinstance(line, str)]
    return [max([len(columns[place].head), *(len(line[place]) for line in cells)]) for place in kept]


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + 2 * (len(widths) - 1)


def _least(widths: Sequence[int], columns: Sequence[Column], kept: Sequence[int]) -> int:
    """How long a line is whose flexible columns are cut as far as that goes."""
    return _total([min(wide, _NARROW) if columns[place].flexible else wide for place, wide in zip(kept, widths)])


def _cut(widths: list[int], columns: Sequence[Column], width: int | None) -> None:
    over = _total(widths) - (width or 0)
    for place, column in enumerate(columns):
        if width and over > 0 and column.flexible:
            less = min(over, max(widths[place] - _NARROW, 0))
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
