"""Values as volumes: their scale, and how one is drawn. Lengths in pixels, `y` is the axis that a volume is centred on."""

from __future__ import annotations

import math

from cnnspec.backends.draw.canvas import Canvas, number, role_of, text_width
from cnnspec.backends.draw.words import flat_parts, show
from cnnspec.layers.base import Parts
from cnnspec.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cnnspec.graph.nodes import Shape

DX, DY = 0.34, 0.26
FONT = 11
_LEAST, _THINNEST, _THICKEST = 3, 3, 48
_FLAT = 10
_MOST = 4
"""Volumes of one stage that touch."""
_COLUMN = 5
"""Values of a tuple that are drawn; the others are counted."""
_FRAME = 2.6


@record
class Box:
    """The sides of a volume: `thick` along the flow, `high`, and what `dx`, `dy` the width takes going back."""

    thick: float
    high: float
    dx: float = 0
    dy: float = 0
    frames: int = 0

    @property
    def half(self) -> float:
        return (self.high + self.dy) / 2

    @property
    def foot(self) -> float:
        """Room below for the film strip of a clip."""
        return 14 if self.frames else 0


class Scale:
    """How long a side is drawn, for all values of a picture."""

    def __init__(self, shapes: Iterable[Shape | Parts | None], highest: float = 116) -> None:
        self.highest = highest
        maps = [
            shape for whole in shapes for shape in flat_parts(whole) if shape and len(shape) > 1 and None not in shape
        ]
        sides = [size for shape in maps for size in shape[-2 if len(shape) > 2 else -1 :]]
        self.largest = max(sides, default=1)
        self.root = self.largest / min([size for size in sides if size > 1], default=1) > 64

    def side(self, size: int) -> float:
        share = size / self.largest
        return max(_LEAST, self.highest * (math.sqrt(share) if self.root else share))

    def box(self, shape: Shape | None) -> Box:
        if not shape or None in shape:
            return Box(16, 26)
        if len(shape) == 1:
            return Box(_FLAT, min(self.highest, 8.6 * math.log2(shape[0] + 1)))
        thick = min(_THICKEST, max(_THINNEST, 2 + 1.15 * math.sqrt(shape[0])))
        if len(shape) == 2:
            return Box(thick, self.side(shape[1]))
        wide = self.side(shape[-1])
        return Box(thick, self.side(shape[-2]), wide * DX, wide * DY, shape[1] if len(shape) == 4 else 0)


class Column:
    """A value, or those of a tuple below each other, with their shapes written under them."""

    def __init__(self, shape: Shape | Parts | None, scale: Scale, copies: int = 1) -> None:
        shapes = flat_parts(shape)
        self.rest = max(0, len(shapes) - _COLUMN)
        self.shapes = shapes[: len(shapes) - self.rest]
        self.copies = min(copies, _MOST)
        self.halo = False
        """Whether lines may run behind the text."""
        self.boxes = [scale.box(one) for one in self.shapes]
        self.texts = [show(one) for one in self.shapes]
        self.wide = max(box.thick * self.copies + box.dx for box in self.boxes)
        self.text = max(text_width(text, FONT) for text in self.texts)
        self.several = len(shapes) > 1
        if self.several:
            self.wide = max(self.wide, self.text)

    @property
    def half(self) -> float:
        """Above the axis; below it as much, and the shape."""
        if not self.several:
            return self.boxes[0].half
        return (sum(2 * box.half + box.foot for box in self.boxes) + 24 * (len(self.boxes) - 1)) / 2

    @property
    def low(self) -> float:
        """Below the axis, with the shape."""
        return self.half + self.boxes[-1].foot + 18 + (14 if self.rest else 0)

    def centres(self, y: float) -> list[float]:
        """The axis of each value, for a column whose axis is at `y`."""
        if not self.several:
            return [y]
        found, top = [], y - self.half
        for box in self.boxes:
            found.append(top + box.half)
            top += 2 * box.half + box.foot + 24
        return found

    def draw(
        self,
        canvas: Canvas,
        x: float,
        y: float,
        role: str,
        parts: Sequence[tuple[str, float]] = (),
        *,
        above: bool = False,
    ) -> None:
        """Volumes with their left edge at `x`; `parts` are the roles and shares of what was put together."""
        for shape, box, text, centre in zip(self.shapes, self.boxes, self.texts, self.centres(y)):
            left = x + (self.wide - box.thick * self.copies - box.dx) / 2
            if shape is None or None in shape:
                canvas.rect(
                    left,
                    centre - box.half,
                    box.thick,
                    box.high,
                    rx=3,
                    fill="paper",
                    stroke="line",
                    stroke_dasharray="4 3",
                )
            else:
                volume(canvas, left, centre, shape, box, role, self.copies, parts)
            line = centre - box.half - 6 if above else centre + box.half + box.foot + 14
            canvas.text(x + self.wide / 2, line, text, size=FONT, anchor="middle", halo=self.halo)
        if self.rest:
            canvas.text(
                x + self.wide / 2, y + self.low - 4, f"and {self.rest} more", size=FONT, fill="soft", anchor="middle"
            )


def volume(
    canvas: Canvas, x: float, y: float, shape: Shape, box: Box, role: str, copies: int = 1,
    parts: Sequence[tuple[str, float]] = (),
) -> None:  # fmt: skip
    """One value, or `copies` that touch, with the left edge at `x`."""
    role = role_of(role)
    if len(shape) == 1:
        _flat(canvas, x, y, box, role)
        return
    thick = box.thick * copies
    top = y - box.high / 2 + box.dy / 2
    pieces = [(role_of(one), share * thick) for one, share in parts] or [(role, thick)]
    last = pieces[-1][0]
    n = number
    if box.dx:
        canvas.path(
            f"M{n(x + thick)} {n(top + box.high)}v{n(-box.high)}l{n(box.dx)} {n(-box.dy)}v{n(box.high)}z",
            f"{last}-line", 1, fill=f"{last}-side",
        )  # fmt: skip
    at = x
    for piece, wide in pieces:
        if box.dx:
            back = f"l{n(box.dx)} {n(-box.dy)}h{n(-wide)}z"
            canvas.path(f"M{n(at)} {n(top)}h{n(wide)}{back}", f"{piece}-line", 1, fill=f"{piece}-top")
        canvas.rect(at, top, wide, box.high, fill=f"{piece}-front", stroke=f"{piece}-line", stroke_width=1)
        at += wide
    seams = copies if copies > 1 else shape[0] if shape[0] <= 8 and box.high > 20 and not parts else 1
    if seams > 1:
        back = f"v{n(-box.high)}l{n(box.dx)} {n(-box.dy)}"
        lines = "".join(f"M{n(x + thick * i / seams)} {n(top + box.high)}{back}" for i in range(1, seams))
        canvas.path(lines, f"{role}-line", 1 if copies > 1 else 0.5)
    if box.frames:
        _film(canvas, x + (thick + box.dx) / 2, top + box.high + 6, box.frames, role)


def _flat(canvas: Canvas, x: float, y: float, box: Box, role: str) -> None:
    canvas.rect(
        x, y - box.high / 2, box.thick, box.high, rx=5, fill=f"{role}-front", stroke=f"{role}-line", stroke_width=1
    )
    if box.high > 26:
        for part in (1, 2, 3):
            centre = y - box.high / 2 + box.high * part / 4
            canvas.element("circle", cx=x + box.thick / 2, cy=centre, r=1.5, fill=f"{role}-line")


def _film(canvas: Canvas, x: float, y: float, frames: int, role: str) -> None:
    """One tick for each frame of a clip."""
    step = min(_FRAME, 100 / frames)
    ticks = "".join(f"M{number(x + (i - frames / 2 + 0.5) * step)} {number(y)}v6" for i in range(frames))
    canvas.path(ticks, f"{role}-line", step * 0.7)
