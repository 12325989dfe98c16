"""The layout of networks that go down in resolution and up again: a row for each resolution.

What makes a map smaller or larger leads straight down or up; values that skip to a later step of their row go there on a
straight dashed line, or above what stands between. What the operations are is told in a legend.
"""

from __future__ import annotations

import math

from cnnspec.backends.draw.canvas import Canvas, number, text_width
from cnnspec.backends.draw.items import MERGE, marks_of
from cnnspec.backends.draw.labels import describe
from cnnspec.backends.draw.steps import Step
from cnnspec.backends.draw.volumes import FONT, Column, Scale
from cnnspec.backends.draw.words import short_name
from cnnspec.layers.base import Parts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from cnnspec.backends.draw.items import Item

ON, DOWN, UP = "on", "down", "up"
_GAP = 9
_LEGEND = 20
_LOW = 18
"""Half of the height of a volume beside which the words on a line come near those above the volume."""


class Spot:
    """A value: where it stands, how it was reached, and what goes into it besides."""

    def __init__(self, step: Step, scale: Scale) -> None:
        self.step = step
        self.mover = step
        """The operation whose arrow leads here: of a merge, the one in front of it."""
        self.column = Column(step.output, scale, step.copies)
        self.level = 0
        self.move = ON
        self.before: Spot | None = None
        self.skips: list[tuple[Spot, str]] = []
        self.x = 0.0
        self.y = 0.0

    @property
    def items(self) -> list[Item]:
        """What has made it: of a merge, also what stands in front of it."""
        return [*self.step.items, *(self.mover.items if self.mover is not self.step else ())]

    @property
    def reach(self) -> float:
        """Half of the room that it takes from left to right."""
        return max(self.column.wide, self.column.text) / 2


def spots_of(steps: Sequence[Step], scale: Scale) -> list[Spot] | None:
    """The values of a network in rows, or None where it does not go down and up with values that skip."""
    spots: dict[int, Spot] = {}
    for index, step in enumerate(steps):
        if not _is_map(step) or len(step.feed) > 1:
            return None
        spot = Spot(step, scale)
        before = spots[step.feed[0]] if step.feed else None
        joined = before is not None and step.first.form == MERGE and bool(step.extra) and _alone(steps, step.feed[0])
        if before is not None and joined and before.before is not None:
            spot.mover, spot.before, spot.level, spot.move = before.step, before.before, before.level, before.move
            spot.skips = list(before.skips)
            spots[step.feed[0]] = spot
        elif before is not None:
            spot.before = before
            spot.move = _move(before.step, step)
            spot.level = before.level + {ON: 0, DOWN: 1, UP: -1}[spot.move]
        spots[index] = spot
        spot.skips += [(spots[source], name) for source, name in zip(step.extra, step.names)]
    found = list(dict.fromkeys(spots.values()))
    return found if _fits(found) else None


def _is_map(step: Step) -> bool:
    shape = step.output
    return shape is not None and not isinstance(shape, Parts) and len(shape) > 2


def _alone(steps: Sequence[Step], source: int) -> bool:
    return sum(source in (*step.feed, *step.extra) for step in steps) == 1


def _move(before: Step, step: Step) -> str:
    size, after = before.output, step.output
    assert size is not None
    assert after is not None
    return DOWN if after[-1] < size[-1] else UP if after[-1] > size[-1] else ON


def _fits(spots: Sequence[Spot]) -> bool:
    """Whether two or more values skip to a step of their row, and the rows are those of the resolutions."""
    sizes: dict[int, int] = {}
    for spot in spots:
        shape = spot.step.output
        assert shape is not None
        if sizes.setdefault(spot.level, shape[-1]) != shape[-1]:
            return False
    skips = [(source, spot) for spot in spots for source, _ in spot.skips]
    level = sum(source.level == spot.level for source, spot in skips)
    return level >= 2 and level == len(skips) and any(spot.move == UP for spot in spots)


class Levels:
    """Values with their places; draws them."""

    def __init__(self, spots: list[Spot]) -> None:
        self.spots = spots
        lowest = min(spot.level for spot in spots)
        for spot in spots:
            spot.level -= lowest
        self.rows = range(max(spot.level for spot in spots) + 1)
        self._place()
        self.legend: dict[tuple[str, str], tuple[str, str, float]] = {}
        for spot in spots:
            if spot.before is not None:
                self._style(spot)
        self.width = max(spot.x + spot.reach for spot in spots)

    def _place(self) -> None:
        ends: dict[int, float] = {}
        for spot in self.spots:
            before = spot.before
            if before is None:
                spot.x = spot.reach
            elif spot.move == ON:
                apart = before.column.wide / 2 + spot.column.wide / 2 + 30
                spot.x = before.x + max(apart, before.column.text / 2 + spot.column.text / 2 + _GAP)
            else:
                spot.x = before.x
            if spot.level in ends:
                spot.x = max(spot.x, ends[spot.level] + spot.reach + (28 if spot.skips else _GAP + 8))
            _pull(spot, ends)
            ends[spot.level] = spot.x + spot.reach

    def settle(self, top: float) -> float:
        """Give every row its axis, the first below `top`; the lower end of the last."""
        y = top + 6
        for row in self.rows:
            inside = [spot for spot in self.spots if spot.level == row]
            half = max(spot.column.half for spot in inside)
            arcs = self._arcs(row)
            y += half + 22 + (11 * arcs + 8 if arcs else 0)
            for spot in inside:
                spot.y = y
            y += half + 24
        return y - 14

    def _arcs(self, row: int) -> int:
        """How many values of a row skip over others of it."""
        return sum(not self._free(source, spot) for source, spot, _ in self._along(row))

    def _along(self, row: int) -> list[tuple[Spot, Spot, str]]:
        """The values that skip along a row, the nearest first; those that go on behind others of it, too."""
        inside = [spot for spot in self.spots if spot.level == row]
        pairs = [(source, spot, name) for spot in inside for source, name in spot.skips]
        pairs += [
            (spot.before, spot, "")
            for spot in inside
            if spot.before is not None and spot.move == ON and not self._free(spot.before, spot)
        ]
        return sorted(pairs, key=lambda pair: pair[1].x - pair[0].x)

    def _free(self, source: Spot, spot: Spot) -> bool:
        return not any(one.level == spot.level and source.x < one.x < spot.x for one in self.spots)

    def draw(self, canvas: Canvas, x: float) -> None:
        for spot in self.spots:
            if spot.before is not None and (spot.move != ON or self._free(spot.before, spot)):
                self._arrow(canvas, x, spot)
        for row in self.rows:
            self._skips(canvas, x, row)
        for spot in self.spots:
            told = "; ".join(dict.fromkeys([describe(spot.mover), describe(spot.step)]))
            with canvas.group(told, **marks_of(spot.items)):
                left = x + spot.x - spot.column.wide / 2
                spot.column.draw(canvas, left, spot.y, _made_by(spot), _parts(spot), above=True)

    def _arrow(self, canvas: Canvas, x: float, spot: Spot) -> None:
        before = spot.before
        assert before is not None
        color, wide = self._style(spot)
        start, end = x + before.x, x + spot.x
        if spot.move == ON:
            left = start + before.column.wide / 2 + 4
            thick_arrow(canvas, left, before.y, end - spot.column.wide / 2 - 4, spot.y, color, wide)
            return
        down = spot.move == DOWN
        first = before.y + before.column.half + 4 if down else before.y - before.column.half - 20
        last = spot.y - spot.column.half - 20 if down else spot.y + spot.column.half + 5
        if abs(start - end) > 2:
            canvas.path(f"M{number(start)} {number(first)}V{number((first + last) / 2)}H{number(end)}", color, wide)
            first = (first + last) / 2
        thick_arrow(canvas, end, first, end, last, color, wide)

    def _skips(self, canvas: Canvas, x: float, row: int) -> None:
        """The dashed lines of a row: straight where nothing stands between, else above."""
        arcs = 0
        for source, spot, name in self._along(row):
            start, end = x + source.x + source.column.wide / 2 + 5, x + spot.x - spot.column.wide / 2 - 5
            if self._free(source, spot):
                canvas.path(f"M{number(start)} {number(spot.y)}H{number(end)}", "soft", 1.6, dash="6 4", arrow=True)
                text = f"{spot.step.first.kind or spot.step.title}({name})" if name else spot.step.title
                low = min(source.column.half, spot.column.half) < _LOW
                room = min(end - start, spot.x - spot.reach - source.x - source.reach) if low else end - start - 24
                if room > text_width(text, FONT):
                    canvas.text((start + end) / 2, spot.y - 7, text, size=FONT, fill="soft", anchor="middle")
                continue
            top = spot.y - max(one.column.half for one in self.spots if one.level == row) - 30 - 11 * arcs
            left, right = x + source.x + 6, x + spot.x - 6 - 5 * arcs
            canvas.path(
                f"M{number(left)} {number(source.y - source.column.half - 18)}V{number(top + 6)}q0 -6 6 -6"
                f"H{number(right - 6)}q6 0 6 6V{number(spot.y - spot.column.half - 18)}", "soft", 1.6,
                dash="" if source is spot.before else "6 4", arrow=True,
            )  # fmt: skip
            arcs += 1

    def _style(self, spot: Spot) -> tuple[str, float]:
        """Colour and width of the arrow to a value; its operation is put into the legend."""
        step = spot.mover
        told = inside(step) if step.folded else " · ".join(filter(None, [*step.lines[:1], *step.after]))
        name = step.first.name
        color = {"pool": "pool-line", "up": "up-line", "attention": "attention-line"}.get(step.role, "conv-line")
        self.legend.setdefault((name, told), (spot.move, color, 2.6 if step.folded else 1.5))
        return self.legend[name, told][1:]

    def untold(self) -> list[Step]:
        """The steps whose inside the legend does not tell."""
        return [spot.mover for spot in self.spots if not inside(spot.mover)]

    def draw_legend(self, canvas: Canvas, x: float, y: float, width: float) -> float:
        """What the arrows mean, in lines of at most `width`; the lower end."""
        entries: list[tuple[str, str, str, str, float]] = [(*words, *style) for words, style in self.legend.items()]
        if any(len(_parts(spot)) for spot in self.spots):
            entries.append(("concat", "the dashed value, then the other", "skip", "soft", 1.6))
        elif any(spot.skips for spot in self.spots):
            entries.append(("dashed", "a value that is used again", "skip", "soft", 1.6))
        at = x
        for name, told, move, color, wide in entries:
            size = 34 + text_width(name, FONT, bold=True) + 8 + text_width(told, FONT) + 22
            if at > x and at + size > x + width:
                at, y = x, y + _LEGEND
            if move == "skip":
                canvas.path(f"M{number(at)} {number(y - 4)}h24", color, wide, dash="6 4", arrow=True)
            elif move == ON:
                thick_arrow(canvas, at, y - 4, at + 24, y - 4, color, wide)
            else:
                first, last = (y - 13, y + 4) if move == DOWN else (y + 4, y - 13)
                thick_arrow(canvas, at + 12, first, at + 12, last, color, wide)
            canvas.runs(at + 32, y, [(name, "ink", FONT, 0, True), (told, "soft", FONT, 6, False)])
            at += size
        return y + 8


def _pull(spot: Spot, ends: dict[int, float]) -> None:
    """Move what leads straight to a value along with it, where it is the last of its row: its arrow stays straight."""
    before = spot.before
    if before is None or spot.move == ON or spot.x <= before.x or ends[before.level] != before.x + before.reach:
        return
    before.x = spot.x
    ends[before.level] = before.x + before.reach
    _pull(before, ends)


def thick_arrow(canvas: Canvas, x1: float, y1: float, x2: float, y2: float, color: str, wide: float) -> None:
    """A straight arrow in one colour."""
    length = math.hypot(x2 - x1, y2 - y1) or 1
    ux, uy, head = (x2 - x1) / length, (y2 - y1) / length, 6 + wide
    n = number
    canvas.path(f"M{n(x1)} {n(y1)}L{n(x2 - ux * head * 0.7)} {n(y2 - uy * head * 0.7)}", color, wide)
    left = f"{n(x2 - ux * head - uy * head / 2)} {n(y2 - uy * head + ux * head / 2)}"
    right = f"{n(x2 - ux * head + uy * head / 2)} {n(y2 - uy * head - ux * head / 2)}"
    canvas.element("path", d=f"M{n(x2)} {n(y2)}L{left}L{right}z", fill=color)


def _made_by(spot: Spot) -> str:
    return spot.mover.role if spot.step.first.form == MERGE else spot.step.role


def _parts(spot: Spot) -> list[tuple[str, float]]:
    """Of a concatenation, the roles of what was put together and their shares of the channels, in their order."""
    item = spot.step.first
    whole = spot.step.output
    if item.form != MERGE or item.kind != "concat" or whole is None or not spot.skips:
        return []
    known = [(source.step.role, (source.step.output or (0,))[0] / whole[0]) for source, _ in spot.skips]
    rest = 1 - sum(share for _, share in known)
    return [*known, (spot.mover.role, rest)] if rest > 0 else []


def inside(step: Step) -> str:
    """What a folded block holds, where that is short to say."""
    item = step.first
    inner = item.items
    if len({(one.name, one.brief) for one in inner}) != 1 or not inner:
        return ""
    one = inner[0]
    riders = [short_name(rider.name, rider.role) for rider in one.after]
    return f"{len(inner)} × " + " · ".join(filter(None, [f"{one.name} {one.brief}".strip(), *riders]))
