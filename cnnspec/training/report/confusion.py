"""The confusion matrix as a picture and as a table: counts by class (rows) and prediction (columns) in, text out.

Plain lists of whole numbers, no torch. Names of classes may be any text: it is made harmless and cut.
"""

from __future__ import annotations

import math

from cnnspec.backends.draw.canvas import Canvas, shorten, text_width
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


class _Layout:
    """Where things are: sizes follow from the number of classes and the length of their names."""

    def __init__(self, names: list[str]) -> None:
        self.names, self.classes = names, len(names)
        self.cell = 42.0 if self.classes <= 12 else max(9.0, 560 / self.classes)
        if self.classes > 120:
            self.cell = max(2.0, 1080 / self.classes)
        self.font = min(12.0, self.cell * 0.8)
        self.named = self.font >= 6
        longest = max((text_width(name, self.font) for name in names), default=0.0) if self.named else 0.0
        self.slant = 0.0 if longest < self.cell else -45.0 if self.cell >= 20 else -90.0
        self.left = max(70.0, 46 + longest)
        self.top = 76.0
        self.side = self.cell * self.classes
        self.below = {0.0: 12.0, -45.0: longest * 0.72, -90.0: longest}[self.slant] + 20
        # Slanted names reach to the left only; behind the rows stands their accuracy.
        self.width = max(self.left + self.side + 74, 380.0)
        self.height = self.top + self.side + self.below + 30

    def x(self, column: float) -> float:
        return self.left + column * self.cell

    def y(self, row: float) -> float:
        return self.top + row * self.cell


def draw_confusion(title: str, counts: Counts, names: Sequence[str] = ()) -> str:
    """SVG of the matrix: a row a class, shaded by the root of its share of the row; blue is right, orange is wrong.

    Cells hold their counts where these can be read; behind a row stands the accuracy of the class.
    """
    layout = _Layout(class_names(names, len(counts)))
    canvas = Canvas(layout.width, layout.height, f"Confusion matrix of {shorten(title, 60)}")
    images, right = sum(map(sum, counts)), sum(line[index] for index, line in enumerate(counts))
    room = max(8, int((layout.width - 48) / 10))
    canvas.text(24, 32, shorten(title, min(60, room)), size=17, bold=True)
    canvas.text(24, 52, f"{right:,} of {images:,} right, accuracy {_share(right, images)}", size=13, fill="soft")
    for row, line in enumerate(counts):
        _draw_row(canvas, layout, row, line)
    canvas.rect(layout.left, layout.top, layout.side, layout.side, fill="none", stroke="soft")
    _draw_names(canvas, layout)
    return canvas.svg()


def _draw_row(canvas: Canvas, layout: _Layout, row: int, line: Sequence[int]) -> None:
    whole, cell = sum(line), layout.cell
    canvas.line(layout.left, layout.y(row), layout.left + layout.side, layout.y(row), "grid", stroke_width=0.5)
    for column, count in enumerate(line):
        if not count:
            continue
        shade = math.sqrt(count / whole)
        color = "blue" if column == row else "orange"
        canvas.rect(layout.x(column), layout.y(row), cell, cell, fill=color, fill_opacity=f"{shade:.3f}")
        text, size = f"{count:,}", min(12.0, cell * 0.36)
        if size >= 7 and text_width(text, size) <= cell - 3:
            ink = "paper" if shade > 0.7 else "ink"
            canvas.text(
                layout.x(column + 0.5), layout.y(row + 0.5) + size * 0.36, text, size=size, fill=ink, anchor="middle"
            )
    if layout.named:
        middle = layout.y(row + 0.5) + layout.font * 0.36
        canvas.text(layout.left + layout.side + 10, middle, _share(line[row], whole), size=layout.font, fill="soft")


def _draw_names(canvas: Canvas, layout: _Layout) -> None:
    bottom, font = layout.top + layout.side, layout.font
    for index, name in enumerate(layout.names if layout.named else ()):
        canvas.text(layout.left - 8, layout.y(index + 0.5) + font * 0.36, name, size=font, anchor="end")
        x, y = layout.x(index + 0.5), bottom + (8 if layout.slant == -90 else 14)
        if layout.slant:
            canvas.text(x + font * 0.36, y, name, size=font, anchor="end", rotate=layout.slant)
        else:
            canvas.text(x, y + 4, name, size=font, anchor="middle")
    middle = layout.left + layout.side / 2
    canvas.text(middle, layout.height - 12, "predicted", size=13, bold=True, anchor="middle")
    canvas.text(22, layout.top + layout.side / 2, "class", size=13, bold=True, anchor="middle", rotate=-90)
    if layout.named:
        canvas.text(layout.left + layout.side + 10, layout.top - 8, "accuracy", size=11, fill="soft")
