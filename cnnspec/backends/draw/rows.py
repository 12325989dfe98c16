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
_GLYPH = 9


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
        self.leaves = False
        """Whether its value goes to another row, too: down from the arrow behind it, beside the text."""

    @property
    def right(self) -> float:
        return self.left + self.column.wide

    @property
    def middle(self) -> float:
        return self.left + self.column.wide / 2

    @property
    def exit(self) -> float:
        """Where its value goes to other rows."""
        return max(self.right + 6, self.text_right + 4)

    @property
    def text_right(self) -> float:
        return self.middle + self.column.text / 2

    @property
    def text_left(self) -> float:
        return self.middle - self.column.text / 2


def place(steps: Sequence[Step], scale: Scale, arrow: float, *, broken: Sequence[int] = ()) -> list[Place]:
    """The places of steps; a chain goes on in a new row at each number in `broken`."""
    found = _placed(steps, scale, arrow, broken, frozenset())
    leaving = frozenset(
        source
        for spot in found
        for source in (*spot.step.feed, *spot.step.extra)
        if found[source].row < spot.row and not (spot.row in _begun(found, broken) and source in spot.step.feed)
    )
    return _placed(steps, scale, arrow, broken, leaving) if leaving else found


def _begun(places: Sequence[Place], broken: Sequence[int]) -> set[int]:
    """The rows in which a chain goes on that was broken."""
    return {places[one].row for one in broken}


def _placed(
    steps: Sequence[Step], scale: Scale, arrow: float, broken: Sequence[int], leaving: frozenset[int]
) -> list[Place]:
    places: list[Place] = []
    tails: dict[int, Place] = {}
    for number_, step in enumerate(steps):
        spot = Place(step, scale)
        spot.leaves = number_ in leaving
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
        start = faded if faded is not None else source.exit if source is not None else None
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
        if tail.leaves:
            spot.left = max(spot.left, tail.exit + 12, tail.exit + 4 + text / 2 - wide / 2)
            if spot.step.folded:
                spot.left = max(spot.left, 2 * (tail.exit + _GLYPH + 3) - start)
        if spot.column.several:
            spot.left = max(spot.left, tail.text_right + 18)
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


def _end(spot: Place) -> float:
    return max(spot.right, spot.text_right, spot.arrow + spot.label / 2)


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
        self.width = max(map(_end, places))
        self.order = self._order()
        self.axes: list[float] = []
        self.over = self._over()

    def _order(self) -> list[int]:
        """The rows from top to bottom: of those that leave a row, the last to leave first, so that no line crosses a row."""
        below: dict[int, list[int]] = {}
        for row, line in enumerate(self.lines):
            feed = line[0].step.feed
            below.setdefault(self.places[feed[0]].row if feed else -1, []).append(row)
        found: list[int] = []

        def take(row: int) -> None:
            found.append(row)
            for other in sorted(below.get(row, ()), key=lambda one: -(self.lines[one][0].start or 0)):
                take(other)

        for row in below[-1]:
            before = len(found)
            take(row)
            place = self._nearer(row, found[:before])
            found[place:] = [*found[before:], *found[place:before]]
        return found

    def _nearer(self, row: int, above: list[int]) -> int:
        """Where an input has its row: behind all `above`, or below what takes it where a line up would run through others."""
        takers = [
            spot
            for spot in self.places
            if any(self.places[one].row == row for one in spot.step.extra) and spot.row != row
        ]
        for spot in takers:
            place = above.index(spot.row) + 1 if spot.row in above else len(above)
            between = [other for one in above[place:] for other in self.lines[one]]
            if any(_begin(other) - 4 < spot.arrow < _end(other) + 4 for other in between):
                return place
        return len(above)

    def _over(self) -> dict[tuple[int, int], int]:
        """The lane above a row of each value that comes down to it from a row above, past other values of that."""
        found: dict[tuple[int, int], int] = {}
        for index, spot in enumerate(self.places):
            for one in spot.step.extra:
                source = self.places[one]
                if self.order.index(source.row) >= self.order.index(spot.row):
                    continue
                beside = any(source.left < other.left < spot.arrow + _GAP for other in self.lines[source.row])
                if beside or spot.arrow < source.exit + 6:
                    found[one, index] = sum(self.places[last].row == spot.row for _, last in found)
        return found

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
        """The room above the axis of a row: its labels, above these the lanes of its own values, then those of others."""
        tops = [self._reach(line, spot) + 10 + LINE * len(spot.rows) for spot in line]
        return max(tops) + self._room(line, self.lanes) + self._room(line, self.over)

    def _room(self, line: list[Place], lanes: dict[tuple[int, int], int]) -> float:
        """How high the lanes above a row are."""
        own = [lane for (_, last), lane in lanes.items() if self.places[last].row == line[0].row]
        return _LANE * (max(own) + 1) + 10 if own else 0

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
        y, above = top, None
        self.axes = [0.0] * len(self.lines)
        for row in self.order:
            line = self.lines[row]
            if above is not None and self._beside(line, above):
                self.axes[row] = self.axes[above[0].row]
                continue
            y += self._above(line)
            self.axes[row] = y
            y += max(spot.column.low for spot in [*line, *([self.faded[row]] if row in self.faded else [])]) + 10
            above = line
        return y - 10

    def _beside(self, line: list[Place], before: list[Place]) -> bool:
        """Whether a row has room beside the one before it, which is no longer and not the first."""
        if before[0].row == 0 or self.faded or line[0].start is None:
            return False
        alike = max(spot.column.low for spot in line) <= max(spot.column.low for spot in before)
        room = _begin(line[0]) > before[-1].text_right + 20 or max(map(_end, line)) + 20 < _begin(before[0])
        return alike and self._above(line) <= self._above(before) and room

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
            start = f"M{n(x + source.exit)} {n(self.axes[source.row])}V{n(y)}"
        for to in spot.column.centres(y):
            bend = "" if abs(to - y) < 1 else f"H{n(x + spot.left - 14)}V{n(to)}"
            canvas.path(f"{start}{bend}H{n(x + spot.left - 3)}", arrow=True)

    def _arc(self, canvas: Canvas, x: float, first: int, last: int) -> None:
        """A value that skips steps: up, along its lane, and down to the label of what takes it."""
        source, spot = self.places[first], self.places[last]
        line = self.lines[spot.row]
        y = self.axes[spot.row] - self._above(line) + self._room(line, self.over) + self._room(line, self.lanes)
        y -= _LANE * (self.lanes[first, last] + 1)
        top = self.axes[spot.row] - source.column.half - 3
        end = self.axes[spot.row] - self._reach(line, spot) - 12 - LINE * len(spot.rows)
        n = number
        left, right = x + self._rise(line, source), x + spot.arrow
        canvas.path(
            f"M{n(left)} {n(top)}V{n(y + 6)}q0 -6 6 -6H{n(right - 6)}q6 0 6 6V{n(end)}", "blue", 1.5, arrow=True
        )

    def _rise(self, line: list[Place], source: Place) -> float:
        """Where a line leaves a value upwards: between the labels beside it, where they leave room."""
        at = source.middle + source.column.wide * 0.2
        low, high = source.arrow + source.label / 2 + 4, _end(source)
        for after in line[line.index(source) + 1 : line.index(source) + 2]:
            high = after.arrow - after.label / 2 - 4
        return min(max(at, low), high) if low <= high else at

    def _extras(self, canvas: Canvas, x: float, spot: Place, index: int) -> None:
        """Values from other rows."""
        n, y = number, self.axes[spot.row]
        for source in (self.places[one] for one in spot.step.extra):
            if source.row == spot.row:
                continue
            level = self.axes[source.row]
            up = level > y
            end = y + 4 if up else y - self._reach(self.lines[spot.row], spot) - 12 - LINE * len(spot.rows)
            lane = self.over.get((self.places.index(source), index))
            if lane is None:
                way = f"M{n(x + source.right + 3)} {n(level)}H{n(x + spot.arrow - 6)}q6 0 6 {-6 if up else 6}"
            else:
                side = y - self._above(self.lines[spot.row]) + 8 + _LANE * lane
                turn = 6 if spot.arrow > source.exit else -6
                way = (
                    f"M{n(x + source.right + 3)} {n(level)}H{n(x + source.exit - 6)}q6 0 6 6V{n(side - 6)}q0 6 {turn} 6"
                    f"H{n(x + spot.arrow - turn)}q{turn} 0 {turn} 6"
                )
            canvas.path(f"{way}V{n(end)}", "blue", 1.5, arrow=True)

    def _label(self, canvas: Canvas, x: float, spot: Place) -> None:
        y = self.axes[spot.row]
        if spot.step.folded and spot.start is not None:
            draw_glyph(canvas, x + spot.arrow - 1, y, spot.step)
        bottom = y - self._reach(self.lines[spot.row], spot) - 10
        draw_label(canvas, x + spot.arrow, bottom, spot.rows, halo=bool(self.lanes))
