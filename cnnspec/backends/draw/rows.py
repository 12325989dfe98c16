"""Steps in rows from left to right: a row for each chain, and a long chain in several.

Every value stands at the smallest x where its arrow has room and no text comes near another. Values that go to other rows or
skip steps do so on lines of their own.
"""

from __future__ import annotations

from cnnspec.backends.draw.canvas import Canvas, number
from cnnspec.backends.draw.items import marks_of
from cnnspec.backends.draw.labels import LINE, describe, draw_glyph, draw_label, label_of, label_width
from cnnspec.backends.draw.steps import Step
from cnnspec.backends.draw.volumes import Column, Scale
from cnnspec.backends.draw.windows import draw_window

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_GAP = 9
_LANE = 12


class Place:
    """Where a step stands: its value from `left` on, the middle of the arrow in front of it, and its label."""

    def __init__(self, step: Step, scale: Scale) -> None:
        self.step = step
        self.column = Column(step.output, scale, step.copies)
        self.rows = label_of(step) if step.feed or step.lines else []
        self.label = label_width(self.rows)
        self.left = self.arrow = 0.0
        self.row = 0
        self.start: float | None = None
        """Where the arrow in front of it begins; None for an input."""

    @property
    def right(self) -> float:
        return self.left + self.column.wide

    @property
    def middle(self) -> float:
        return self.left + self.column.wide / 2

    @property
    def text_right(self) -> float:
        return self.middle + self.column.text / 2

    @property
    def text_left(self) -> float:
        return self.middle - self.column.text / 2


def place(steps: Sequence[Step], scale: Scale, arrow: float, *, broken: Sequence[int] = ()) -> list[Place]:
    """The places of steps; a chain goes on in a new row at each number in `broken`."""
    places: list[Place] = []
    tails: dict[int, Place] = {}
    for number_, step in enumerate(steps):
        spot = Place(step, scale)
        before = places[step.feed[0]] if step.feed else None
        if before is not None and number_ not in broken and tails.get(before.row) is before:
            spot.row = before.row
        else:
            spot.row = len(tails)
        if number_ in broken and before is not None:
            spot.start = max(before.column.wide, (before.column.text + before.column.wide) / 2)
        _put(spot, before if spot.row == getattr(before, "row", -1) else None, before, arrow, spot.start)
        for other in (places[one] for one in step.extra):
            if other.row != spot.row and number_ not in broken:
                _shift(spot, other.right + _GAP + 14)
        tails[spot.row] = spot
        places.append(spot)
    return places


def _put(spot: Place, tail: Place | None, source: Place | None, arrow: float, faded: float | None) -> None:
    """The smallest x at which a step has room behind the last of its row, or at the beginning of one."""
    wide, text, label = spot.column.wide, spot.column.text, spot.label
    if tail is None:
        start = faded if faded is not None else source.right + 6 if source is not None else None
        spot.start = start
        if start is None:
            spot.left = max(0.0, text / 2 - wide / 2, label / 2 - wide / 2)
        else:
            spot.left = max(
                start + arrow, 2 * label / 2 - start if start < label / 2 else 0, start + text / 2 - wide / 2
            )
            if faded is None:
                spot.left = max(spot.left, start + label + 4)
            elif source is not None:
                spot.left = max(spot.left, source.column.text + _GAP + text / 2 - wide / 2)
    else:
        spot.start = start = tail.right
        spot.left = max(start + arrow, tail.text_right + _GAP + text / 2 - wide / 2, label - start)
        if tail.rows:
            spot.left = max(spot.left, 2 * (tail.arrow + tail.label / 2 + _GAP + label / 2) - start)
        if tail.column.half > spot.column.half:
            spot.left = max(spot.left, start + 4 + text / 2 - wide / 2)
        elif tail.column.half < spot.column.half:
            spot.left = max(spot.left, tail.text_right + 4)
    spot.arrow = (start + spot.left) / 2 if start is not None else spot.middle


def _shift(spot: Place, least: float) -> None:
    """Move a step so that its label is at `least` or behind it."""
    if spot.arrow < least:
        spot.arrow = least
        spot.left = max(spot.left, least + spot.label / 2 + 14, least + spot.column.text / 2 - spot.column.wide / 2 + 6)


def _begin(spot: Place) -> float:
    return min(spot.left, spot.text_left, spot.arrow - spot.label / 2, spot.left if spot.start is None else spot.start)


class Rows:
    """Places in rows, with what is above and below their axes; draws them."""

    def __init__(self, places: list[Place], faded: dict[int, Place]) -> None:
        self.places, self.faded = places, faded
        self.lines = [[spot for spot in places if spot.row == row] for row in range(max(p.row for p in places) + 1)]
        self.lanes = self._lanes()
        for spot in places:
            spot.column.halo = len(self.lines) > 1 and not faded
        self.width = max(max(p.right, p.text_right, p.arrow + p.label / 2) for p in places)
        self.axes: list[float] = []

    def _lanes(self) -> dict[tuple[int, int], int]:
        """The lane above its row of each value that skips steps of its row; the shortest are the lowest."""
        skips = sorted(
            {
                (source, index)
                for index, spot in enumerate(self.places)
                for source in (*spot.step.extra, *spot.step.feed)
                if self.places[source].row == spot.row and self._between(source, index)
            },
            key=lambda skip: skip[1] - skip[0],
        )
        found: dict[tuple[int, int], int] = {}
        for first, last in skips:
            taken = {
                lane
                for (other, end), lane in found.items()
                if self.places[other].row == self.places[first].row and first < end and other < last
            }
            found[first, last] = next(lane for lane in range(len(skips) + 1) if lane not in taken)
        return found

    def _between(self, source: int, index: int) -> bool:
        """Whether other steps of the row stand between two."""
        line = self.lines[self.places[index].row]
        return line.index(self.places[index]) - line.index(self.places[source]) > 1

    def _above(self, line: list[Place]) -> float:
        lanes = [lane for (_, last), lane in self.lanes.items() if self.places[last].row == line[0].row]
        tops = [self._reach(line, spot) + 10 + LINE * len(spot.rows) for spot in line]
        return max(tops) + (_LANE * (max(lanes) + 1) + 10 if lanes else 0)

    def _reach(self, line: list[Place], spot: Place) -> float:
        """How high the volumes around a label are."""
        left, right = spot.arrow - spot.label / 2 - 4, spot.arrow + spot.label / 2 + 4
        near = [other.column.half for other in line if other.left < right and other.right > left]
        index = line.index(spot)
        if index:
            near.append(line[index - 1].column.half)
        elif spot.row in self.faded:
            near.append(self.faded[spot.row].column.half)
        return max([spot.column.half, *near])

    def settle(self, top: float) -> float:
        """Give every row its axis, the first below `top`; the lower end of the last."""
        y = top
        self.axes = []
        for line in self.lines:
            if self._beside(line):
                self.axes.append(self.axes[-1])
                continue
            y += self._above(line)
            self.axes.append(y)
            y += (
                max(
                    spot.column.low
                    for spot in [*line, *([self.faded[line[0].row]] if line[0].row in self.faded else [])]
                )
                + 10
            )
        return y - 10

    def _beside(self, line: list[Place]) -> bool:
        """Whether a row has room behind the one before it, which is no longer and not the first."""
        row = line[0].row
        if row < 2 or self.faded:
            return False
        before = self.lines[row - 1]
        alike = max(spot.column.low for spot in line) <= max(spot.column.low for spot in before)
        return alike and self._above(line) <= self._above(before) and _begin(line[0]) > before[-1].text_right + 20

    def draw(self, canvas: Canvas, x: float) -> None:
        for row, spot in self.faded.items():
            with canvas.group(opacity=0.45, stroke_dasharray="3 3"):
                left = max(0.0, (spot.column.text - spot.column.wide) / 2)
                spot.column.draw(canvas, x + left, self.axes[row], spot.step.role)
        for spot in self.places:
            self._arrow(canvas, x, spot)
        for first, last in self.lanes:
            self._arc(canvas, x, first, last)
        for index, spot in enumerate(self.places):
            self._extras(canvas, x, spot, index)
        following = self._following()
        for index, spot in enumerate(self.places):
            y = self.axes[spot.row]
            with canvas.group(describe(spot.step), **marks_of(spot.step.items)):
                spot.column.draw(canvas, x + spot.left, y, spot.step.role)
                if index in following and not spot.column.several:
                    after = following[index]
                    draw_window(canvas, spot.step, spot.column, after.step, x + spot.left, y, x + after.left)
        for spot in self.places:
            self._label(canvas, x, spot)

    def _following(self) -> dict[int, Place]:
        """The place behind each step in its row."""
        return {
            spot.step.feed[0]: spot
            for spot in self.places
            if spot.step.feed and self.places[spot.step.feed[0]].row == spot.row
        }

    def _arrow(self, canvas: Canvas, x: float, spot: Place) -> None:
        y, n = self.axes[spot.row], number
        if spot.start is None:
            return
        start = f"M{n(x + spot.start + 3)} {n(y)}"
        source = self.places[spot.step.feed[0]]
        if source.row != spot.row and spot.row not in self.faded:
            start = f"M{n(x + source.right + 6)} {n(self.axes[source.row])}V{n(y)}"
        for to in spot.column.centres(y):
            bend = "" if abs(to - y) < 1 else f"H{n(x + spot.left - 14)}V{n(to)}"
            canvas.path(f"{start}{bend}H{n(x + spot.left - 3)}", arrow=True)

    def _arc(self, canvas: Canvas, x: float, first: int, last: int) -> None:
        """A value that skips steps: up, along its lane, and down to the label of what takes it."""
        source, spot = self.places[first], self.places[last]
        line = self.lines[spot.row]
        y = self.axes[spot.row] - self._above(line) + 10 + _LANE * (max(self.lanes.values()) - self.lanes[first, last])
        top = self.axes[spot.row] - source.column.half - 3
        end = self.axes[spot.row] - self._reach(line, spot) - 12 - LINE * len(spot.rows)
        n = number
        left, right = x + source.middle + source.column.wide * 0.2, x + spot.arrow
        canvas.path(
            f"M{n(left)} {n(top)}V{n(y + 6)}q0 -6 6 -6H{n(right - 6)}q6 0 6 6V{n(end)}", "blue", 1.5, arrow=True
        )

    def _extras(self, canvas: Canvas, x: float, spot: Place, index: int) -> None:
        """Values from other rows."""
        n, y = number, self.axes[spot.row]
        for source in (self.places[one] for one in spot.step.extra):
            if source.row == spot.row:
                continue
            start = f"M{n(x + source.right + 3)} {n(self.axes[source.row])}"
            up = source.row > spot.row
            end = y + 4 if up else y - self._reach(self.lines[spot.row], spot) - 12 - LINE * len(spot.rows)
            canvas.path(f"{start}H{n(x + spot.arrow - 6)}q6 0 6 {-6 if up else 6}V{n(end)}", "blue", 1.5, arrow=True)

    def _label(self, canvas: Canvas, x: float, spot: Place) -> None:
        y = self.axes[spot.row]
        if spot.step.folded and spot.start is not None:
            draw_glyph(canvas, x + spot.arrow - 1, y, spot.step)
        bottom = y - self._reach(self.lines[spot.row], spot) - 10
        draw_label(canvas, x + spot.arrow, bottom, spot.rows, halo=bool(self.lanes))
