"""The inside of folded blocks, each kind once: layers as small boxes from left to right, branches as rows."""

from __future__ import annotations

from cnnspec.backends.draw.canvas import Canvas, number, role_of, text_width
from cnnspec.backends.draw.fold import NAMES, Alike
from cnnspec.backends.draw.items import BLOCK, BRANCHES, LAYER, LEARNT, MERGE, REPEAT, VALUE, Body, Item
from cnnspec.backends.draw.steps import GENERIC
from cnnspec.backends.draw.words import describe_item, riders_of, show

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_SIZE, _SMALL, _LINE = 11, 10.5, 13
_ARROW, _ROW = 16, 9
_LEFT, _RIGHT = 26, 30
MOST = 3
_INLINE = 4
"""Items in an inner block up to which it is drawn rather than named."""
_WIDEST = 880


class Piece:
    """Something with a width, and a height above and below the line that runs through it."""

    width = 0.0
    up = 0.0
    down = 0.0

    def draw(self, canvas: Canvas, x: float, y: float) -> None:
        """Draw with the left end at `x`, on the line `y`."""
        raise NotImplementedError


class Chip(Piece):
    """One item as a box of a few centred lines."""

    def __init__(self, item: Item) -> None:
        self.item = item
        before, after = riders_of(item)
        name = item.name if item.form != LAYER else item.name.replace("Adaptive", "")
        told = item.arguments if item.form in (LAYER, MERGE) else ""
        lines = [(before, _SMALL, "soft", False), (f"↻ {name}" if item.again else name, _SIZE, "ink", True)]
        lines += [(told, _SIZE, "ink", False), (after, _SMALL, "soft", False)]
        self.lines = [line for line in lines if line[0]]
        self.width = (
            max(text_width(text, size, bold=bold) for text, size, _, bold in self.lines or [("", _SIZE, "", False)])
            + 14
        )
        self.up = self.down = (len(self.lines) * _LINE + 8) / 2

    def draw(self, canvas: Canvas, x: float, y: float) -> None:
        item = self.item
        role = role_of(item.role if item.form == LAYER else "")
        with canvas.group(describe_item(item), **item.marks):
            frame = {"stroke_dasharray": "2 2"} if item.form == LEARNT else {}
            canvas.rect(
                x, y - self.up, self.width, 2 * self.up, rx=4, fill=f"{role}-box", stroke=f"{role}-line", stroke_width=1,
                **frame,
            )  # fmt: skip
            at = y - self.up + 14
            for text, size, fill, bold in self.lines:
                canvas.text(x + self.width / 2, at, text, size=size, fill=fill, anchor="middle", bold=bold)
                at += _LINE


class Name(Piece):
    """A value that comes from elsewhere."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.width = text_width(text, _SIZE) + 6
        self.up = self.down = 8

    def draw(self, canvas: Canvas, x: float, y: float) -> None:
        canvas.text(x + self.width / 2, y + 4, self.text, size=_SIZE, fill="soft", anchor="middle")


class Times(Piece):
    """A unit that is repeated, in a dashed frame."""

    def __init__(self, inner: Piece, copies: int) -> None:
        self.inner, self.text = inner, f"×{copies}"
        self.width = inner.width + 24 + text_width(self.text, 12, bold=True)
        self.up, self.down = inner.up + 6, inner.down + 6

    def draw(self, canvas: Canvas, x: float, y: float) -> None:
        canvas.rect(
            x, y - self.up, self.width, self.up + self.down, rx=6, fill="none", stroke="line", stroke_width=1,
            stroke_dasharray="4 3",
        )  # fmt: skip
        self.inner.draw(canvas, x + 7, y)
        canvas.text(x + self.width - 7, y + 4, self.text, bold=True, anchor="end")


class Flow(Piece):
    """Pieces one after the other, with arrows; None between two that are not linked."""

    def __init__(self, pieces: Sequence[Piece], linked: Sequence[bool]) -> None:
        self.pieces, self.linked = pieces, linked
        self.width = sum(piece.width for piece in pieces) + _ARROW * max(0, len(pieces) - 1)
        self.up = max((piece.up for piece in pieces), default=0)
        self.down = max((piece.down for piece in pieces), default=0)

    def draw(self, canvas: Canvas, x: float, y: float) -> None:
        for index, piece in enumerate(self.pieces):
            if index and self.linked[index]:
                canvas.path(f"M{number(x - _ARROW + 1)} {number(y)}h{_ARROW - 3}", arrow=True)
            piece.draw(canvas, x, y)
            x += piece.width + _ARROW


class Fork(Piece):
    """Branches as rows, the identity as an arc above, and the circle in which they meet."""

    def __init__(self, item: Item, deep: int) -> None:
        self.item = item
        bodies = [body for body in item.branches if body.items]
        self.identity = len(bodies) < len(item.branches)
        self.rows = [flow_of(body, deep - 1) for body in bodies]
        self.fed = [_fed(body) for body in bodies]
        self.after = riders_of(item)[1]
        self.inner = max([row.width for row in self.rows] + [30])
        self.outputs = [show(body.items[-1].output) for body in bodies] if item.kind == "tuple" else []
        tail = max((text_width(text, _SMALL) for text in self.outputs), default=0)
        tail = tail if self.outputs else 28 + text_width(self.after, _SMALL) if self.after else 8
        self.width = _LEFT + self.inner + _RIGHT + tail
        heights = [row.up + row.down for row in self.rows]
        high = sum(heights) + _ROW * max(0, len(heights) - 1)
        axis = self.rows[0].up if len(self.rows) == 1 or (item.residual and self.rows) else high / 2
        self.axis = axis
        self.up, self.down = axis + 16 * self.identity, max(high - axis, 9)

    def draw(self, canvas: Canvas, x: float, y: float) -> None:
        start, meet = x + 8, x + _LEFT + self.inner + _RIGHT - 9
        n = number
        apart = bool(self.outputs)
        if any(self.fed) or self.identity:
            canvas.path(f"M{n(x)} {n(y)}H{n(start)}")
        if self.identity:
            top = y - self.up + 4
            end = f"H{n(meet + 8)}" if apart else f"H{n(meet - 8)}q8 0 8 8V{n(y - 10)}"
            canvas.path(f"M{n(start)} {n(y)}V{n(top + 8)}q0 -8 8 -8{end}", arrow=True)
        top = y - self.axis
        for number_, (row, fed) in enumerate(zip(self.rows, self.fed)):
            at, left = top + row.up, x + _LEFT + (self.inner - row.width) / 2
            if fed:
                down = "" if abs(at - y) < 1 else f"V{n(at)}"
                canvas.path(f"M{n(start)} {n(y)}{down}H{n(left - 2)}", arrow=True)
            end = f"H{n(meet - 10)}" if abs(at - y) < 1 else f"H{n(meet)}V{n(y + (10 if at > y else -10))}"
            canvas.path(f"M{n(left + row.width + 1)} {n(at)}{f'H{n(meet + 4)}' if apart else end}", arrow=True)
            row.draw(canvas, left, at)
            if apart:
                canvas.text(meet + 8, at + 4, self.outputs[number_], size=_SMALL, fill="soft")
            top += row.up + row.down + _ROW
        if not apart:
            draw_merge(canvas, meet, y, self.item.kind)
            if self.after:
                canvas.text(meet + 14, y + 4, self.after, size=_SMALL, fill="soft")
            else:
                canvas.path(f"M{n(meet + 8.5)} {n(y)}H{n(x + self.width)}")


def draw_merge(canvas: Canvas, x: float, y: float, kind: str) -> None:
    """A circle with the sign of a merge."""
    canvas.element("circle", cx=x, cy=y, r=8.5, fill="paper", stroke="ink", stroke_width=1.3)
    n = number
    signs = {
        "concat": f"M{n(x - 2)} {n(y - 4)}v8M{n(x + 2)} {n(y - 4)}v8",
        "multiply": f"M{n(x - 3)} {n(y - 3)}l6 6m0 -6l-6 6",
        "add": f"M{n(x - 4)} {n(y)}h8m-4 -4v8",
    }
    if kind in signs:
        canvas.path(signs[kind], "ink", 1.5)
    else:
        canvas.text(x, y + 4, "@", size=_SIZE, anchor="middle")


def _fed(body: Body) -> bool:
    """Whether the first item of a branch takes what arrives there."""
    return any(source.kind == "arriving" for source in body.items[0].feed)


def flow_of(body: Body, deep: int) -> Piece:
    """The items of a body from left to right; blocks in it are drawn as far as `deep` goes, else named."""
    pieces: list[Piece] = []
    linked: list[bool] = []
    before: Item | None = None
    for item in body.items:
        joined = before is not None and item.follows(before)
        if not joined and item.form != LEARNT and (before is not None or not _fed(body)):
            names = ", ".join(dict.fromkeys(filter(None, (source.name for source in item.feed))))
            if item.form != VALUE:
                pieces.append(Name(names or "input"))
                linked.append(False)
                joined = True
        pieces.append(Name(item.name) if item.form == VALUE else _piece(item, deep))
        linked.append(joined and item.form != VALUE)
        before = item
    return Flow(pieces, linked)


def _piece(item: Item, deep: int) -> Piece:
    if item.form == BRANCHES and deep > 0:
        return Fork(item, deep)
    if item.form == REPEAT:
        return Times(flow_of(item.branches[0], deep), item.copies)
    if item.form == BLOCK and deep > 0 and len(item.items) <= _INLINE and not item.again:
        return flow_of(item.branches[0], deep - 1)
    return Chip(item)


# --- which blocks have an inset ---


class Inset:
    """A block on its panel, under its name."""

    def __init__(self, item: Item) -> None:
        self.item = item
        body = item.branches[0] if item.form == BLOCK else Body((item,))
        for deep in (4, 3, 2, 1):
            self.piece = Fork(item, deep) if item.form == BRANCHES else flow_of(body, deep)
            if self.piece.width <= _WIDEST:
                break
        self.runs = [(item.name, "ink", 12.0, 0.0, True)]
        if item.label:
            self.runs.append((f"({item.label})", "ink", 12.0, 6.0, False))
        self.runs.append((f"{show(item.input)} → {show(item.output)}", "soft", 11.0, 8.0, False))
        told = sum(text_width(text, size, bold=bold) + gap for text, _, size, gap, bold in self.runs)
        self.width = max(self.piece.width + 28, told + 24)
        self.height = self.piece.up + self.piece.down + 46

    def draw(self, canvas: Canvas, x: float, y: float) -> None:
        canvas.rect(x, y, self.width, self.height, rx=8, fill="panel", stroke="grid", stroke_width=1)
        canvas.runs(x + 12, y + 19, self.runs)
        self.piece.draw(canvas, x + 14, y + 34 + self.piece.up)


def insets(items: Iterable[Item]) -> list[Inset]:
    """The insets of the folded blocks of a picture."""
    alike = Alike()
    kinds: dict[int, Item] = {}
    for item in _units(items):
        kinds.setdefault(alike.number(item, NAMES), item)
    names: dict[str, int] = {}
    ranked = []
    for number_, item in enumerate(kinds.values()):
        names[item.name] = names.get(item.name, 0) + 1
        ranked.append((item.name in GENERIC, names[item.name], not _has_fork(item), number_, item))
    chosen = [item for *_, item in sorted(ranked, key=lambda one: one[:-1])[:MOST]]
    return [inset for inset in map(Inset, chosen) if inset.width <= _WIDEST + 60]


def _units(items: Iterable[Item]) -> Iterator[Item]:
    """The smallest named blocks that say how a network is built."""
    for item in items:
        inside = list(item.inside)
        if item.form == REPEAT:
            yield from _units(inside)
        elif item.form == BRANCHES and (item.name not in GENERIC or item.label or len(inside) > 1):
            yield item
        elif item.form == BLOCK:
            named = [one for one in inside if one.form in (BLOCK, BRANCHES, REPEAT) and _named(one)]
            if 2 * len(named) > len(inside):
                yield from _units(inside)
            elif len(inside) <= 8 or any(one.form == BRANCHES for one in inside):
                yield item


def _named(item: Item) -> bool:
    return _named(item.items[0]) if item.form == REPEAT else item.name not in GENERIC


def _has_fork(item: Item) -> bool:
    return item.form == BRANCHES or any(_has_fork(one) for one in item.inside)


def arrange(found: Sequence[Inset], width: float) -> tuple[list[tuple[Inset, float, float]], float, float]:
    """Insets in lines of at most `width`: each with its place, and the width and height of all."""
    x = y = high = right = 0.0
    places = []
    for inset in found:
        if x and x + inset.width > width:
            x, y, high = 0.0, y + high + 12, 0.0
        places.append((inset, x, y))
        high = max(high, inset.height)
        right = max(right, x + inset.width)
        x += inset.width + 12
    return places, right, y + high
