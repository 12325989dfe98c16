"""What was measured of steps and of runs, for people: learning rates, where a step goes, a sweep. Numbers in, text out."""

from __future__ import annotations

import math

from cnnspec.backends.draw.canvas import Canvas, number, shorten
from cnnspec.training.report.curves import decimals, ticks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from cnnspec.training.find_rate import Rates
    from cnnspec.training.profile import StepProfile
    from cnnspec.training.sweep import Tried

_BAR = 24
_LAYERS = 12
"""Layers of a profile that are told, the slowest ones."""


# --- learning rates ---


def rate_lines(found: Rates) -> list[str]:
    """What to begin with, and what not to pass."""
    return [
        f"begin with optimizer.lr = {found.best:.2g} for {found.optimizer}",
        f"a tenth of {found.highest:.2g}, where the loss was lowest; above that it rises",
    ]


def draw_rates(model: str, found: Rates) -> str:
    """SVG of the loss by the learning rate, on a logarithmic axis, with the rate to begin with."""
    canvas = Canvas(560, 340, f"Loss of {shorten(model, 60)} by learning rate")
    canvas.text(24, 32, shorten(model, 50), size=17, bold=True)
    canvas.text(24, 52, f"begin with {found.best:.2g}; the loss is lowest at {found.highest:.2g}", fill="soft", size=13)
    plot = _Plot(canvas, 64, 76, 440, 200, [math.log10(rate) for rate in found.rates], found.losses)
    plot.axes("loss", "learning rate", log=True)
    points = [(plot.x(math.log10(rate)), plot.y(loss)) for rate, loss in zip(found.rates, found.losses)]
    canvas.path("M" + "L".join(f"{number(x)} {number(y)}" for x, y in points), "blue", 2.4)
    at = plot.x(math.log10(found.best))
    canvas.path(f"M{number(at)} {number(plot.top)}V{number(plot.bottom)}", "soft", 1, dash="2 3")
    canvas.text(at, plot.top - 6, f"{found.best:.2g}", size=11, fill="soft", anchor="middle")
    return canvas.svg()


class _Plot:
    """Axes around points: `x` and `y` give the pixels of values."""

    def __init__(
        self,
        canvas: Canvas,
        left: float,
        top: float,
        width: float,
        height: float,
        xs: Sequence[float],
        ys: Sequence[float],
    ) -> None:
        self.canvas, self.left, self.top, self.width = canvas, left, top, width
        self.bottom = top + height
        self.xs, self.ys = ticks(min(xs), max(xs), count=6), ticks(min(ys), max(ys))
        self.low, self.high = min(*xs, self.xs[0]), max(*xs, self.xs[-1])

    def x(self, value: float) -> float:
        return self.left + (value - self.low) / ((self.high - self.low) or 1.0) * self.width

    def y(self, value: float) -> float:
        low, high = self.ys[0], self.ys[-1]
        return self.bottom - (value - low) / ((high - low) or 1.0) * (self.bottom - self.top)

    def axes(self, title: str, below: str, *, log: bool = False) -> None:
        canvas, right = self.canvas, self.left + self.width
        for value in self.ys:
            canvas.line(self.left, self.y(value), right, self.y(value), "grid")
            canvas.text(self.left - 8, self.y(value) + 4, f"{value:g}", fill="soft", anchor="end")
        canvas.text(self.left, self.top - 8, title, size=12, fill="soft")
        canvas.line(self.left, self.bottom, right, self.bottom, "soft")
        steps = range(math.ceil(self.low), math.floor(self.high) + 1) if log else self.xs
        for step in steps:
            canvas.line(self.x(step), self.bottom, self.x(step), self.bottom + 5, "soft")
            text = f"{10.0**step:g}" if log else f"{step:g}"
            canvas.text(self.x(step), self.bottom + 19, text, fill="soft", anchor="middle")
        canvas.text(right, self.bottom + 38, below, size=12, fill="soft", anchor="end")


# --- a profile ---


def profile_lines(found: StepProfile) -> list[str]:
    """A table of where a step goes: stages, and the layers of the forward pass, the slowest ones first."""
    lines = [
        f"a step of {found.batch} samples on {found.device}: {found.seconds * 1000:.2f} ms, the mean of {found.steps}"
    ]
    layers = sum(one.indent for one in found.shares)
    told = 0
    for one in found.shares:
        told += one.indent
        if one.indent and told > _LAYERS:
            continue
        share = one.seconds / found.seconds if found.seconds else 0.0
        bar = "█" * round(share * _BAR) if not one.indent else ""
        lines.append(
            f"{'    ' * one.indent + one.name:<40} {one.seconds * 1000:>9.2f} ms {share:>6.1%}  {bar}".rstrip()
        )
    if layers > _LAYERS:
        lines.append(f"{layers - _LAYERS} faster layers are left out")
    return lines


# --- a sweep ---


def sweep_lines(tried: Sequence[Tried], judged_by: str, *, falls: bool) -> list[str]:
    """A table of the runs, the best first; those that failed with their reason last."""
    names = list(tried[0].settings) if tried else []
    rows = [["trial", *names, judged_by, "epochs", ""]]
    for one in in_order(tried, falls=falls):
        known = decimals(one.value, 4) if one.value is not None else "-"
        rows.append([str(one.number), *one.settings.values(), known, str(one.epochs), one.problem or _WORDS[one.state]])
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    return ["  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths)).rstrip() for row in rows]


_WORDS = {"complete": "", "pruned": "ended early", "failed": "failed", "running": "running"}


def in_order(tried: Sequence[Tried], *, falls: bool) -> list[Tried]:
    """Complete runs, the best first, then those that were ended early, then those that failed."""
    order = ["complete", "pruned", "running", "failed"]
    sign = 1.0 if falls else -1.0
    return sorted(tried, key=lambda one: (order.index(one.state), sign * one.value if one.value is not None else 0.0))


def draw_sweep(model: str, tried: Sequence[Tried], judged_by: str, *, falls: bool) -> str:
    """SVG with a panel a setting: the value of every run over what the setting was; the best one is filled."""
    known = [one for one in tried if one.value is not None and math.isfinite(one.value)]
    names = list(tried[0].settings) if tried else []
    width, height = 300, 190
    columns = max(1, min(3, len(names)))
    rows = max(1, -(-len(names) // columns))
    canvas = Canvas(80 + columns * (width + 70), 90 + rows * (height + 90), f"Sweep of {shorten(model, 60)}")
    canvas.text(24, 32, shorten(model, 60), size=17, bold=True)
    ordered = in_order(known, falls=falls)
    if not ordered or not names:
        canvas.text(24, 52, "no run was complete", fill="soft", size=13)
        return canvas.svg()
    best = ordered[0]
    told = ", ".join(f"{name} {shorten(text, 30)}" for name, text in best.settings.items())
    canvas.text(24, 52, f"best {judged_by} {decimals(best.value, 4)}: {told}", fill="soft", size=13)
    for at, name in enumerate(names):
        left, top = 64 + at % columns * (width + 70), 92 + at // columns * (height + 90)
        _panel(canvas, left, top, width, height, name, known, best, judged_by)
    return canvas.svg()


def _panel(
    canvas: Canvas, left: float, top: float, width: float, height: float, name: str, known: Sequence[Tried], best: Tried,
    judged_by: str,
) -> None:  # fmt: skip
    texts = [one.settings[name] for one in known]
    values = [one.value for one in known if one.value is not None]
    numbers = [_number(text) for text in texts]
    plain = [one for one in numbers if one is not None]
    choices = list(dict.fromkeys(texts))
    log = len(plain) == len(texts) and min(plain) > 0 and max(plain) >= 10 * min(plain)
    if len(plain) == len(texts) and len(choices) > 1:
        xs = [math.log10(one) if log else one for one in plain]
        plot = _Plot(canvas, left, top, width, height, xs, values)
        plot.axes(judged_by, name, log=log)
        places = [plot.x(x) for x in xs]
    else:
        places_of = {text: left + width * (at + 0.5) / len(choices) for at, text in enumerate(choices)}
        plot = _Plot(canvas, left, top, width, height, [0.0, 1.0], values)
        plot.xs = []
        plot.axes(judged_by, name)
        for text, x in places_of.items():
            shown = shorten(text, max(4, int(width / len(choices) / 7)))
            canvas.text(x, plot.bottom + 19, shown, fill="soft", anchor="middle", size=11)
        places = [places_of[text] for text in texts]
    for one, x in zip(known, places):
        assert one.value is not None
        filled = one is best
        canvas.element(
            "circle", cx=round(x, 1), cy=round(plot.y(one.value), 1), r=4.5 if filled else 3.5,
            fill="blue" if filled else "paper", stroke="blue" if one.state == "complete" else "soft", stroke_width=1.6,
        )  # fmt: skip


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
