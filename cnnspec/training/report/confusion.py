"""The confusion matrix as a picture and as a table: counts by class (rows) and prediction (columns) in, text out.

Plain lists of whole numbers, no torch. Names of classes may be any text: it is made harmless and cut.
"""

from __future__ import annotations

import math

from cnnspec.backends.draw.canvas import Canvas, number, shorten, text_width
from cnnspec.diagnostics.render import clean
from cnnspec.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    Counts = Sequence[Sequence[int]]

_NAME = 24


def class_names(names: Sequence[str], classes: int, length: int = _NAME) -> list[str]:
    """A short harmless name for every class; its number where there is none."""
    given = [shorten(clean(name), length) for name in names[:classes]]
    return [name or str(index) for index, name in enumerate(given)] + [str(i) for i in range(len(given), classes)]


# --- the table ---


@record
class Pair:
    """Images of one class that were taken for another."""

    label: int
    prediction: int
    count: int
    images: int
    """All images of class `label`."""


def confused_pairs(counts: Counts, limit: int = 10) -> list[Pair]:
    """The most frequent confusions, most frequent first."""
    pairs = [
        Pair(row, column, count, sum(line))
        for row, line in enumerate(counts)
        for column, count in enumerate(line)
        if count and row != column
    ]
    return sorted(pairs, key=lambda pair: (-pair.count, pair.label, pair.prediction))[:limit]


def confusion_table(counts: Counts, names: Sequence[str] = (), *, pairs: int = 10) -> str:
    """Accuracy of every class and the most confused pairs as text."""
    short = class_names(names, len(counts))
    rows = [_class_row(index, line, short) for index, line in enumerate(counts)]
    images, right = sum(map(sum, counts)), sum(line[index] for index, line in enumerate(counts))
    rows.append(("all", f"{images:,}", f"{right:,}", _share(right, images), ""))
    heads = ("class", "images", "right", "accuracy", "mostly taken for")
    widths = [max(map(len, column)) for column in zip(heads, *rows)]
    lines = [_line(cells, widths) for cells in [heads, *rows]]
    found = confused_pairs(counts, pairs)
    if found:
        width = max(len(f"{pair.count:,} of {pair.images:,}") for pair in found)
        lines += ["", "most confused"]
        lines += [
            f"{f'{pair.count:,} of {pair.images:,}':>{width}}  {short[pair.label]} taken for {short[pair.prediction]}"
            for pair in found
        ]
    return "\n".join(lines)


def _class_row(index: int, line: Sequence[int], names: list[str]) -> tuple[str, ...]:
    others = [(count, -column) for column, count in enumerate(line) if column != index and count]
    count, column = max(others, default=(0, 0))
    taken = f"{names[-column]} ({count:,})" if count else ""
    return names[index], f"{sum(line):,}", f"{line[index]:,}", _share(line[index], sum(line)), taken


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.3f}" if whole else "-"


def _line(cells: tuple[str, ...], widths: list[int]) -> str:
    first, *numbers, last = cells
    columns = [first.ljust(widths[0]), *(text.rjust(width) for text, width in zip(numbers, widths[1:]))]
    return "  ".join([*columns, last]).rstrip()


# --- the picture ---

_LISTED = 8
"""Pairs that are told beside the matrix; where names don't fit, the classes in them are named."""
_LINE = 20.0
_SIZE = 12.0
_TOP = 92.0


class _Layout:
    """Where things are: sizes follow from the number of classes and the length of their names."""

    def __init__(self, names: list[str], pairs: list[Pair]) -> None:
        self.names, self.classes, self.pairs = names, len(names), pairs
        few, some = self.classes <= 4, self.classes <= 12
        self.cell = 64.0 if few else 40.0 if some else max(2.0, min(26.0, 520 / self.classes))
        self.whole = self.cell >= 15
        told = {index for pair in pairs for index in (pair.label, pair.prediction)}
        self.rows = list(range(self.classes)) if self.whole else sorted(told)
        longest = max((text_width(names[row], _SIZE) for row in self.rows), default=0.0)
        self.slanted = self.whole and longest > self.cell - 4
        self.left = max(40.0, longest + (26 if self.whole else 40))
        self.side = self.cell * self.classes
        below = 14.0 if not self.whole else longest * 0.66 + 24 if self.slanted else 24.0
        self.list = self.left + self.side + 26
        words = (text_width(_words(pair, names), _SIZE) for pair in pairs)
        self.width = max(self.list + max(words, default=0.0) + 96, 380.0)
        self.height = max(_TOP + self.side + below + 26, _TOP + 30 + _LINE * len(pairs), self.name_rows[-1] + 10)

    def x(self, column: float) -> float:
        return self.left + column * self.cell

    def y(self, row: float) -> float:
        return _TOP + row * self.cell

    @property
    def name_rows(self) -> list[float]:
        """The heights at which the names stand: at their rows, or as near to them as there is room."""
        if self.whole:
            return [self.y(row + 0.5) for row in self.rows] or [_TOP]
        found: list[float] = []
        for row in self.rows:
            found.append(max(self.y(row + 0.5), found[-1] + 14 if found else _TOP + 6))
        limit = max(_TOP + self.side - 4, _TOP + 14.0 * len(found))
        for at in range(len(found) - 1, -1, -1):
            found[at] = min(found[at], limit)
            limit = found[at] - 14
        return found or [_TOP]


def _words(pair: Pair, names: Sequence[str]) -> str:
    return f"{names[pair.label]} taken for {names[pair.prediction]}"


def draw_confusion(title: str, counts: Counts, names: Sequence[str] = ()) -> str:
    """SVG of the matrix: a row a class, shaded by the root of its share of the row; blue is right, orange is wrong.

    Cells hold their counts where these can be read; beside it stand the pairs that are confused most.
    """
    pairs = confused_pairs(counts, _LISTED)
    layout = _Layout(class_names(names, len(counts)), pairs)
    images, right = sum(map(sum, counts)), sum(line[index] for index, line in enumerate(counts))
    canvas = Canvas(layout.width, layout.height, f"Confusion matrix of {shorten(title, 60)}")
    canvas.description = "; ".join(f"{pair.count:,}: {_words(pair, layout.names)}" for pair in pairs)
    room = max(8, int((layout.width - 48) / 10))
    canvas.text(24, 32, shorten(title, min(60, room)), size=17, bold=True)
    canvas.text(24, 52, f"{right:,} of {images:,} right, accuracy {_share(right, images)}", size=13, fill="soft")
    canvas.text(layout.left, _TOP - 10, "true class by row", fill="soft")
    canvas.rect(layout.left, _TOP, layout.side, layout.side, fill="panel")
    for row, line in enumerate(counts):
        _draw_row(canvas, layout, row, line)
    _draw_names(canvas, layout)
    _draw_pairs(canvas, layout)
    return canvas.svg()


def _draw_row(canvas: Canvas, layout: _Layout, row: int, line: Sequence[int]) -> None:
    whole, cell = sum(line), layout.cell
    gap = 0.5 if cell >= 5 else 0.0
    for column, count in enumerate(line):
        if not count:
            continue
        shade = math.sqrt(count / whole)
        color = "blue" if column == row else "orange"
        x, y, side = layout.x(column) + gap, layout.y(row) + gap, cell - 2 * gap
        with canvas.group(f"{layout.names[row]} taken for {layout.names[column]}: {count:,} of {whole:,}"):
            canvas.rect(x, y, side, side, fill=color, fill_opacity=f"{shade:.3f}")
            text, size = f"{count:,}", 11.5
            if cell >= 26 and text_width(text, size) <= cell - 3:
                ink = "paper" if shade > 0.7 else "ink"
                canvas.text(layout.x(column + 0.5), layout.y(row + 0.5) + 4, text, size=size, fill=ink, anchor="middle")


def _draw_names(canvas: Canvas, layout: _Layout) -> None:
    bottom = _TOP + layout.side
    gap = 8 if layout.whole else 24
    for row, y in zip(layout.rows, layout.name_rows):
        canvas.text(layout.left - gap, y + 4, layout.names[row], size=_SIZE, anchor="end")
        if not layout.whole:
            at = layout.y(row + 0.5)
            canvas.path(
                f"M{number(layout.left - 21)} {number(y)}L{number(layout.left - 8)} {number(at)}h6", "line", 0.8
            )
    for column in layout.rows if layout.whole else ():
        x, name = layout.x(column + 0.5), layout.names[column]
        if layout.slanted:
            canvas.text(x + 4, bottom + 14, name, size=_SIZE, anchor="end", rotate=-40)
        else:
            canvas.text(x, bottom + 17, name, size=_SIZE, anchor="middle")
    canvas.text(layout.left + layout.side / 2, layout.height - 10, "predicted", fill="soft", anchor="middle")


def _draw_pairs(canvas: Canvas, layout: _Layout) -> None:
    if not layout.pairs:
        return
    x, y = layout.list, _TOP + 6
    canvas.text(x, y, "most often confused", bold=True)
    most = layout.pairs[0].count
    for pair in layout.pairs:
        y += _LINE
        canvas.rect(x, y - 9, 46 * pair.count / most, 11, rx=1, fill="orange")
        canvas.text(x + 76, y, f"{pair.count:,}", size=11.5, anchor="end")
        canvas.text(x + 82, y, _words(pair, layout.names), size=11.5)
