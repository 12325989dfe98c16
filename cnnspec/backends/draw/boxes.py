"""The boxes of the style `stack`: each knows the least width it needs and its height, and draws itself."""

from __future__ import annotations

from cnnspec.backends.draw.canvas import Canvas, number, role_of, text_width
from cnnspec.backends.draw.errors import error_of
from cnnspec.backends.draw.insets import draw_merge
from cnnspec.backends.draw.items import BLOCK, BRANCHES, INPUT, LAYER, LEARNT, REPEAT, VALUE, Body, Item
from cnnspec.backends.draw.lanes import Lane, lanes_of
from cnnspec.backends.draw.steps import GENERIC
from cnnspec.backends.draw.words import describe_item, riders_of, show
from cnnspec.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from cnnspec.backends.draw.canvas import Run

_HIGH, _GAP, _LANE = 26, 13, 16
_SIZE, _SMALL = 12.0, 11.0


@record
class Look:
    """How a network is shown: the values of what is opened, and what is wrong with the modules at some paths."""

    open: set[str]
    errors: dict[str, str]

    def error(self, item: Item) -> str:
        return error_of(item, self.errors)


@record
class Cost:
    """Parameters at a height."""

    y: float
    parameters: int
    text: str
    path: str


class Costs:
    """What stands in the column at the right."""

    def __init__(self) -> None:
        self.rows: list[Cost] = []

    def add(self, y: float, item: Item, copies: int = 1) -> None:
        if item.parameters and not item.again:
            text = f"{item.parameters:,}" if copies == 1 else f"{copies} × {item.parameters:,}"
            self.rows.append(Cost(y, item.parameters * copies, text, item.path))


class Box:
    """Something with a height that can be drawn in any width from `least` on."""

    least = 0.0
    height = 0.0

    def draw(self, canvas: Canvas, x: float, y: float, width: float, costs: Costs, copies: int = 1) -> None:
        """Draw with the upper left corner at x, y; costs are those of `copies` of it."""
        raise NotImplementedError

    def middle(self, path: str) -> float | None:
        """How far below its top the module with a path stands, where it is shown."""
        return None


class Line(Box):
    """An item as one line of text in a box."""

    height = _HIGH

    def __init__(self, item: Item, look: Look) -> None:
        self.item, self.error = item, look.error(item)
        before, after = riders_of(item)
        self.folded = item.form in (BLOCK, BRANCHES)
        name = f"↻ {item.name}" if item.again else item.name
        runs: list[Run] = [(item.label, "soft", _SIZE, 0, False)] if item.label and item.label != item.name else []
        runs += [(before, "soft", _SMALL, 8, False)] if before else []
        runs.append((name, "ink", _SIZE, 8, True))
        told = _count(item) if self.folded else "weight" if item.form == LEARNT else item.arguments
        runs += [(told, "soft" if self.folded else "ink", _SIZE, 8, False)] if told else []
        runs += [("●", "amber", 7, 10, False), (after, "soft", _SMALL, 4, False)] if after else []
        self.runs = runs
        self.shape = f"✗ {self.error}" if self.error else show(item.output)
        left = sum(text_width(text, size, bold=bold) + gap for text, _, size, gap, bold in runs)
        self.least = left + text_width(self.shape, _SIZE, bold=bool(self.error)) + 36 + 11 * self.folded

    def draw(self, canvas: Canvas, x: float, y: float, width: float, costs: Costs, copies: int = 1) -> None:
        item = self.item
        with canvas.group(describe_item(item), **item.marks):
            frame(canvas, item, x, y, width, self.height, error=bool(self.error), folded=self.folded)
            at = x + 10
            if self.folded:
                canvas.element("path", d=f"M{number(at)} {number(y + 9)}l6 4-6 4z", fill="soft")
                at += 11
            canvas.runs(at, y + 17.5, self.runs)
            right = "error" if self.error else "ink"
            canvas.text(x + width - 9, y + 17.5, self.shape, fill=right, anchor="end", bold=bool(self.error))
        costs.add(y + self.height / 2, item, copies)


class Card(Box):
    """An item as centred lines, for branches that stand beside each other."""

    def __init__(self, item: Item, look: Look) -> None:
        self.item, self.error = item, look.error(item)
        before, after = riders_of(item)
        self.folded = item.form in (BLOCK, BRANCHES)
        told = _count(item) if self.folded else item.arguments
        name = f"↻ {item.name}" if item.again else item.name
        lines = [(before, "soft", False), (name, "ink", True), (told, "soft" if self.folded else "ink", False)]
        lines += [(after, "soft", False), (f"✗ {self.error}" if self.error else show(item.output), "soft", False)]
        self.lines = [line for line in lines if line[0]]
        self.least = max(text_width(text, _SMALL, bold=bold) for text, _, bold in self.lines) + 16
        self.height = len(self.lines) * 14.0 + 9

    def draw(self, canvas: Canvas, x: float, y: float, width: float, costs: Costs, copies: int = 1) -> None:
        with canvas.group(describe_item(self.item), **self.item.marks):
            frame(canvas, self.item, x, y, width, self.height, error=bool(self.error), folded=self.folded)
            for index, (text, fill, bold) in enumerate(self.lines):
                canvas.text(
                    x + width / 2, y + 16 + 14 * index, text, size=_SMALL, fill=fill, anchor="middle", bold=bold
                )


class Pills(Box):
    """A value that is not made here, or several: a pill for each."""

    height = 22.0

    def __init__(self, item: Item) -> None:
        names = [source.name or source.path for source in item.feed] if item.form == VALUE else [item.name]
        self.item, self.names = item, names[:6] + (["…"] if len(names) > 6 else [])
        self.widths = [text_width(name, _SMALL) + 20 for name in self.names]
        self.least = sum(self.widths) + 8 * (len(names) - 1)

    def draw(self, canvas: Canvas, x: float, y: float, width: float, costs: Costs, copies: int = 1) -> None:
        at = x + (width - self.least) / 2
        with canvas.group(describe_item(self.item), **self.item.marks):
            for name, wide in zip(self.names, self.widths):
                canvas.rect(at, y + 1, wide, 20, rx=10, fill="paper", stroke="line", stroke_width=1)
                canvas.text(at + wide / 2, y + 15, name, size=_SMALL, anchor="middle")
                at += wide + 8


class Chain(Box):
    """Items below each other; values that skip some of them run in lanes at the left."""

    def __init__(self, body: Body, look: Look, *, narrow: bool = False, outermost: bool = False) -> None:
        self.items = body.items
        self.boxes = [box_of(item, look, narrow=narrow) for item in body.items]
        self.lanes = lanes_of(body.items)
        self.left = _LANE * (max((lane.number for lane in self.lanes), default=-1) + 1)
        self.least = max((box.least for box in self.boxes), default=40.0) + self.left
        self.height = sum(box.height for box in self.boxes) + _GAP * max(0, len(self.boxes) - 1)
        self.outermost = outermost

    def tops(self) -> Iterator[float]:
        at = 0.0
        for box in self.boxes:
            yield at
            at += box.height + _GAP

    def draw(self, canvas: Canvas, x: float, y: float, width: float, costs: Costs, copies: int = 1) -> None:
        x, width = x + self.left, width - self.left
        tops = [y + top for top in self.tops()]
        for index, (item, box) in enumerate(zip(self.items, self.boxes)):
            if index and item.follows(self.items[index - 1]):
                canvas.path(f"M{number(x + width / 2)} {number(tops[index] - _GAP + 1)}v{_GAP - 2}", arrow=True)
            box.draw(canvas, x, tops[index], width, costs, copies)
        for lane in self.lanes:
            self._lane(canvas, lane, x, y, tops)

    def _lane(self, canvas: Canvas, lane: Lane, x: float, top: float, tops: list[float]) -> None:
        target = self.boxes[lane.last]
        end = tops[lane.last] + min(target.height / 2, 13)
        if lane.first < 0:
            start = top - 6
        else:
            source = self.boxes[lane.first]
            start = tops[lane.first] + (source.middle(lane.path) or source.height - min(source.height / 2, 8))
        at = x - 10 - lane.number * _LANE
        n = number
        canvas.path(
            f"M{n(x)} {n(start)}H{n(at + 6)}q-6 0 -6 6V{n(end - 6)}q0 6 6 6H{n(x - 2)}", "conv-line", 1.6, arrow=True
        )

    def middle(self, path: str) -> float | None:
        for top, item, box in zip(self.tops(), self.items, self.boxes):
            if path in (item.path, item.value):
                return top + min(box.height / 2, 13)
            if path.startswith(f"{item.path}."):
                inner = box.middle(path)
                return top + (inner if inner is not None else min(box.height / 2, 13))
        return None


class Open(Box):
    """A block with what it holds, in a frame with a header."""

    def __init__(self, item: Item, look: Look, *, narrow: bool = False) -> None:
        self.item = item
        self.inner = Chain(item.branches[0], look, narrow=narrow)
        self.runs: list[Run] = [(item.label, "soft", _SIZE, 0, False)] if item.label and item.label != item.name else []
        self.runs.append((item.name, "ink", _SIZE, 8, True))
        self.shape = show(item.output)
        head = sum(text_width(text, size, bold=bold) + gap for text, _, size, gap, bold in self.runs)
        self.least = max(self.inner.least + 16, head + text_width(self.shape, _SMALL) + 36)
        self.height = self.inner.height + 36

    def draw(self, canvas: Canvas, x: float, y: float, width: float, costs: Costs, copies: int = 1) -> None:
        with canvas.group(describe_item(self.item), **self.item.marks):
            canvas.rect(x, y, width, self.height, rx=8, fill="none", stroke="line", stroke_width=1)
            canvas.runs(x + 10, y + 16, self.runs)
            canvas.text(x + width - 9, y + 16, self.shape, size=_SMALL, fill="soft", anchor="end")
        self.inner.draw(canvas, x + 8, y + 28, width - 16, costs, copies)

    def middle(self, path: str) -> float | None:
        inner = self.inner.middle(path)
        return None if inner is None else inner + 28


class Times(Box):
    """A unit that is repeated, in a dashed frame."""

    def __init__(self, item: Item, look: Look, *, narrow: bool = False) -> None:
        self.item = item
        self.inner = Chain(item.branches[0], look, narrow=narrow)
        self.text = f"×{item.copies}"
        self.side = text_width(self.text, 14, bold=True) + 16
        first, last = item.input, item.output
        what = "channels" if isinstance(last, tuple) and len(last) > 1 else "features"
        self.told = "" if item.exact or not first or not last else f"{what} {first[0]:,} → {last[0]:,}"
        self.least = max(self.inner.least, text_width(self.told, _SMALL) + 8) + self.side + 8
        self.height = self.inner.height + 14 + 14 * bool(self.told)

    def draw(self, canvas: Canvas, x: float, y: float, width: float, costs: Costs, copies: int = 1) -> None:
        canvas.rect(x, y, width, self.height, rx=8, fill="none", stroke="line", stroke_width=1, stroke_dasharray="4 3")
        exact = self.item.exact
        self.inner.draw(
            canvas, x + 6, y + 7, width - self.side - 6, costs if exact else Costs(), copies * self.item.copies
        )
        if not exact:
            costs.add(y + self.height / 2, self.item, copies)
        canvas.text(x + width - self.side / 2, y + self.height / 2 + 4, self.text, size=14, anchor="middle", bold=True)
        if self.told:
            canvas.text(x + 10, y + self.height - 7, self.told, size=_SMALL, fill="soft")

    def middle(self, path: str) -> float | None:
        return self.height / 2


class Fork(Box):
    """Branches as columns, the identity as a lane, and the sign of the merge below."""

    def __init__(self, item: Item, look: Look, *, narrow: bool = False) -> None:
        self.item = item
        bodies = [body for body in item.branches if body.items]
        bodies = bodies[::-1] if item.residual and len(bodies) == 2 else bodies
        self.labels = [body.label or "" for body in bodies]
        self.identity = len(bodies) < len(item.branches)
        self.alone = len(bodies) == 1 and not narrow
        self.columns = [Chain(body, look, narrow=not self.alone) for body in bodies]
        self.fed = [any(source.kind == "arriving" for source in body.items[0].feed) for body in bodies]
        self.names = [
            "" if fed else ", ".join(source.name for source in body.items[0].feed)
            for fed, body in zip(self.fed, bodies)
        ]
        self.room = 20 if any(self.names) and (any(self.fed) or self.identity) else 11
        """Between the line from which branches leave and the branches."""
        self.named = item.name not in GENERIC or bool(item.label)
        self.top = 20 if self.named else 4
        self.lane = 26 if self.identity else 0
        self.wide = max(
            [column.least for column in self.columns] + [text_width(n, _SMALL) + 8 for n in self.names] + [40]
        )
        self.sides = self.lane * (2 if len(self.columns) == 1 else 1) + 16
        self.runs: list[Run] = [(item.label, "soft", _SIZE, 0, False)] if item.label and item.label != item.name else []
        self.runs.append((item.name, "ink", _SIZE, 8, True))
        self.after = riders_of(item)[1]
        head = sum(text_width(text, size, bold=bold) + gap for text, _, size, gap, bold in self.runs) * self.named
        head += text_width(show(item.output), _SMALL) + 40 if self.named else 0
        count = max(1, len(self.columns))
        self.least = max(
            self.wide * count + 12 * (count - 1) + self.sides, head, text_width(self.after, _SMALL) * 2 + 60
        )
        self.high = max([column.height for column in self.columns] + [10])
        self.apart = item.kind == "tuple"
        self.height = self.top + 3 + self.room + self.high + (16 if self.apart else 36) + (8 if self.after else 2)

    def draw(self, canvas: Canvas, x: float, y: float, width: float, costs: Costs, copies: int = 1) -> None:
        item, n = self.item, number
        with canvas.group(describe_item(item), **item.marks):
            canvas.rect(x, y, width, self.height, rx=8, fill="panel", stroke="grid", stroke_width=1)
            if self.named:
                canvas.runs(x + 10, y + 15, self.runs)
                canvas.text(x + width - 9, y + 15, show(item.output), size=_SMALL, fill="soft", anchor="end")
        middle, start = x + width / 2, y + self.top + 3
        meet = start + self.room + self.high + 16
        if any(self.fed) or self.identity:
            canvas.path(f"M{n(middle)} {n(start - (1 if self.named else 7))}V{n(start)}")
        if self.identity:
            self._identity(canvas, x, middle, start, meet)
        self._columns(canvas, x, width, start, meet, costs, copies)
        if not self.apart:
            self._merge(canvas, middle, meet, y)
        if len(self.columns) > 1 or not self.alone:
            costs.add(meet, item, copies)

    def _identity(self, canvas: Canvas, x: float, middle: float, start: float, meet: float) -> None:
        at, n = x + 8 + self.lane / 2 - 3, number
        end = f"V{n(meet + 4)}" if self.apart else f"V{n(meet - 8)}q0 8 8 8H{n(middle - self._half() - 3)}"
        canvas.path(f"M{n(middle)} {n(start)}H{n(at + 8)}q-8 0 -8 8{end}", "line", 1.6, arrow=True)

    def _half(self) -> float:
        return 29 if self.item.kind in ("concat", "matmul") else 9

    def _columns(
        self, canvas: Canvas, x: float, width: float, start: float, meet: float, costs: Costs, copies: int
    ) -> None:
        n, middle, count = number, x + width / 2, max(1, len(self.columns))
        wide = (width - self.sides - 12 * (count - 1)) / count
        for index, column in enumerate(self.columns):
            left = x + 8 + self.lane + index * (wide + 12)
            centre, top = (
                left + column.left + (wide - column.left) / 2,
                start + self.room + (self.high - column.height) / 2,
            )
            if self.fed[index]:
                bend = "" if abs(centre - middle) < 1 else f"H{n(centre)}"
                canvas.path(f"M{n(middle)} {n(start)}{bend}V{n(top - 1)}", arrow=True)
            elif self.names[index] and self.columns[index].items[0].form != VALUE:
                canvas.text(centre, top - 4, self.names[index], size=_SMALL, fill="soft", anchor="middle")
            bottom = f"M{n(centre)} {n(top + column.height + 1)}"
            if self.apart:
                canvas.path(f"{bottom}V{n(meet + 4)}", arrow=True)
            elif abs(centre - middle) < 1:
                canvas.path(f"{bottom}V{n(meet - 10)}", arrow=True)
            else:
                side = self._half() + 3
                canvas.path(f"{bottom}V{n(meet)}H{n(middle + (side if centre > middle else -side))}", arrow=True)
            column.draw(canvas, left, top, wide, costs if self.alone else Costs(), copies)

    def _merge(self, canvas: Canvas, middle: float, meet: float, y: float) -> None:
        if self.item.kind in ("concat", "matmul"):
            canvas.rect(middle - 29, meet - 9, 58, 18, rx=9, fill="paper", stroke="ink", stroke_width=1.3)
            canvas.text(middle, meet + 4, self.item.kind, size=_SMALL, anchor="middle")
        else:
            draw_merge(canvas, middle, meet, self.item.kind)
        canvas.path(f"M{number(middle)} {number(meet + 9)}V{number(y + self.height)}")
        if self.after:
            canvas.element("circle", cx=middle + 10, cy=meet + 16, r=2.6, fill="amber")
            canvas.text(middle + 17, meet + 20, self.after, size=_SMALL, fill="soft")

    def middle(self, path: str) -> float | None:
        return None


def box_of(item: Item, look: Look, *, narrow: bool) -> Box:
    """The box of an item; what is not opened is one line."""
    if item.form == REPEAT:
        return Times(item, look, narrow=narrow)
    if item.form == VALUE or (item.form == INPUT and narrow):
        return Pills(item)
    if item.form in (BLOCK, BRANCHES) and item.value in look.open and not item.again:
        return Open(item, look, narrow=narrow) if item.form == BLOCK else Fork(item, look, narrow=narrow)
    return Card(item, look) if narrow else Line(item, look)


def frame(
    canvas: Canvas, item: Item, x: float, y: float, width: float, height: float, *, error: bool, folded: bool
) -> None:
    """The box of an item: outlined where it is wrong, dashed where its shape is not known, a pile where it is folded."""
    role = role_of(item.role if item.form == LAYER else "")
    unknown = item.output is None
    dash = {"stroke_dasharray": "2 2" if item.form == LEARNT else "4 3"} if unknown or item.form == LEARNT else {}
    canvas.rect(
        x, y, width, height, rx=4, fill="paper" if error or unknown else f"{role}-box",
        stroke="error" if error else f"{role}-line", stroke_width=2 if error else 1, **({} if error else dash),
    )  # fmt: skip
    if folded:
        n = number
        pile = f"M{n(x + 4)} {n(y + height + 2.5)}h{n(width - 8)}M{n(x + 7)} {n(y + height + 5)}h{n(width - 14)}"
        canvas.path(pile, f"{role}-line", 1)


def _count(item: Item) -> str:
    return f"{item.layers} layer{'' if item.layers == 1 else 's'}" if item.layers else ""
