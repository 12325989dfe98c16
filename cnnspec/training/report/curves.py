"""Loss and score by epoch as a picture: history in, SVG text out. Writes no file."""

from __future__ import annotations

import math

from cnnspec.backends.draw.canvas import Canvas, number, shorten
from cnnspec.training.events import Epoch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Reader = Callable[[Epoch], float | None]

_POINTS = 600


# --- axes ---


def ticks(low: float, high: float, *, count: int = 5, whole: bool = False) -> list[float]:
    """About `count` round numbers that cover `low` to `high`: multiples of 1, 2, 2.5 or 5 times a power of ten."""
    if not high > low:
        spread = abs(low) * 0.1 or 1.0
        low, high = low - spread, high + spread
    rough = (high - low) / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough * 0.999)
    if whole:
        step = max(1, round(step)) if step < 10 else step
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [index * step for index in range(first, last + 1)]


def _tick_texts(values: Sequence[float]) -> list[str]:
    step = values[1] - values[0]
    if max(map(abs, values)) >= 1e5 or step < 1e-5:
        return [f"{value:.3g}" for value in values]
    decimals = next(d for d in range(8) if abs(round(step, d) - step) < step * 1e-6)
    return [f"{value:.{decimals}f}" for value in values]


def _scale(title: str, values: list[float]) -> list[float]:
    """The ticks of an axis: a share from 0 to 1, a loss from 0."""
    if not values:
        return [0.0, 0.5, 1.0]
    if title != "loss" and all(0 <= value <= 1 for value in values):
        return [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    if title == "loss" and all(value >= 0 for value in values):
        values = [0.0, *values]
    return ticks(min(values), max(values))


class _Panel:
    """Axes with curves in them: `x` and `y` give the pixels of an epoch and a value."""

    top, bottom, width = 104.0, 306.0, 300.0

    def __init__(self, canvas: Canvas, left: float, title: str, epochs: Sequence[int], values: list[float]) -> None:
        self.title = title
        self.canvas, self.left, self.epochs = canvas, left, epochs
        first, last = (epochs[0], epochs[-1]) if epochs else (1, 1)
        self.start, self.end = (first, last) if last > first else (first - 1, last + 1)
        self.values = _scale(title, values)

    def x(self, epoch: float) -> float:
        return self.left + (epoch - self.start) / (self.end - self.start) * self.width

    def y(self, value: float) -> float:
        low, high = self.values[0], self.values[-1]
        return self.bottom - (value - low) / (high - low) * (self.bottom - self.top)

    def axes(self) -> None:
        canvas, left, right = self.canvas, self.left, self.left + self.width
        canvas.text(left, self.top - 14, self.title, size=13, bold=True)
        for value, text in zip(self.values, _tick_texts(self.values)):
            canvas.line(left, self.y(value), right, self.y(value), "grid")
            canvas.text(left - 8, self.y(value) + 4, text, fill="soft", anchor="end")
        canvas.line(left, self.bottom, right, self.bottom, "soft")
        for tick in ticks(self.start, self.end, whole=True):
            if self.epochs and self.epochs[0] <= tick <= self.epochs[-1]:
                canvas.line(self.x(tick), self.bottom, self.x(tick), self.bottom + 5, "soft")
                canvas.text(self.x(tick), self.bottom + 19, f"{tick:g}", fill="soft", anchor="middle")
        canvas.text(right + 18, self.bottom + 19, "epoch", size=11, fill="soft")

    def curve(self, values: Sequence[float | None], color: str, width: float, dash: str = "") -> None:
        """A line through the values, interrupted where there is none; dots where one stands alone."""
        every = -(-len(values) // _POINTS)
        runs: list[list[tuple[float, float]]] = [[]]
        for index, value in enumerate(values):
            if value is None:
                runs.append([])
            elif index % every == 0 or index == len(values) - 1:
                runs[-1].append((self.x(self.epochs[index]), self.y(value)))
        for run in filter(None, runs):
            if len(run) > 1:
                self.canvas.path("M" + "L".join(f"{number(x)} {number(y)}" for x, y in run), color, width, dash=dash)
            else:
                self.canvas.element("circle", cx=run[0][0], cy=run[0][1], r=2.5, fill=color)

    def rates(self, rates: Sequence[float]) -> None:
        """The learning rate as a grey area below the epochs."""
        known = [(self.x(epoch), rate) for epoch, rate in zip(self.epochs, rates) if math.isfinite(rate)]
        most = max((rate for _, rate in known), default=0.0)
        if len(known) < 2 or most <= 0:
            return
        every = -(-len(known) // _POINTS)
        floor = self.bottom + 50
        tops = "".join(f"L{number(x)} {number(floor - 16 * max(0.0, rate) / most)}" for x, rate in known[::every])
        end = number(known[-1][0])
        self.canvas.element(
            "path", d=f"M{number(known[0][0])} {number(floor)}{tops}L{end} {number(floor)}z", fill="plain-front"
        )
        self.canvas.text(self.left + self.width + 8, floor - 2, "learning rate", size=11, fill="soft")


# --- the curves ---


def headline(history: Sequence[Epoch], score: str = "accuracy") -> str:
    """The best epoch in words; empty before the first."""
    best = best_of(history)
    if best is None:
        return ""
    value = best.judged_metrics.get(score)
    known = "" if value is None else f", {score} {decimals(value, 3)}"
    loss = decimals(best.judged_loss, 4)
    return f"best epoch {best.epoch} of {len(history)}: {_judged(history)} loss {loss}{known}"


def _judged(history: Sequence[Epoch]) -> str:
    """The split that decides which epoch is the best."""
    if any(epoch.validation_loss is not None for epoch in history):
        return "validation"
    return "test" if any(epoch.test_loss is not None for epoch in history) else "training"


def decimals(value: float | None, places: int) -> str:
    """A number to so many decimals, with an exponent where it is huge; `-` where there is none."""
    if value is None:
        return "-"
    return f"{value:.{places}f}" if abs(value) < 10_000 or not math.isfinite(value) else f"{value:.2e}"


def best_of(history: Sequence[Epoch]) -> Epoch | None:
    """The epoch that the run held for its best: the last one marked so."""
    return next((epoch for epoch in reversed(history) if epoch.best), None)


def _pairs(history: Sequence[Epoch], score: str) -> tuple[tuple[Reader, Reader], tuple[Reader, Reader]]:
    """How to read loss and score of an epoch: on the training images, and on those that judge it."""
    if _judged(history) == "validation":
        return (
            (lambda e: e.train_loss, lambda e: e.validation_loss),
            (lambda e: e.train_metrics.get(score), lambda e: e.validation_metrics.get(score)),
        )
    return (
        (lambda e: e.train_loss, lambda e: e.test_loss),
        (lambda e: e.train_metrics.get(score), lambda e: e.test_metrics.get(score)),
    )


def draw_curves(model: str, history: Sequence[Epoch], score: str = "accuracy") -> str:
    """SVG with loss on the left and the task's score on the right: what judges the epochs solid, training dashed.

    The best epoch is dotted, the learning rate is an area below. Values that are None, NaN or infinite leave a gap.
    """
    canvas = Canvas(880, 372, f"Loss and {score} of {shorten(model, 60)}")
    canvas.text(24, 32, shorten(model, 60), size=17, bold=True)
    canvas.text(24, 52, headline(history, score), fill="soft", size=13)
    judged = _judged(history)
    loss, scored = _pairs(history, score)
    _panel(canvas, 60, "loss", history, loss, judged)
    _panel(canvas, 478, score, history, scored, judged)
    return canvas.svg()


def _panel(
    canvas: Canvas, left: float, title: str, history: Sequence[Epoch], pair: tuple[Reader, Reader], judged: str
) -> None:
    train, test = ([_finite(value(epoch)) for epoch in history] for value in pair)
    panel = _Panel(canvas, left, title, [e.epoch for e in history], [v for v in [*train, *test] if v is not None])
    panel.axes()
    best = best_of(history)
    if best is not None:
        x = number(panel.x(best.epoch))
        canvas.path(f"M{x} {number(panel.top)}V{number(panel.bottom)}", "soft", 1, dash="2 3")
        canvas.text(panel.x(best.epoch), panel.top - 4, f"best {best.epoch}", size=11, fill="soft", anchor="middle")
    alone = all(value is None for value in test)
    panel.curve(train, "blue" if alone else "soft", 2.4 if alone else 2, "" if alone else "6 4")
    panel.curve(test, "blue", 2.4)
    _name_ends(panel, [("train", train, "blue" if alone else "soft"), (judged, test, "blue")])
    panel.rates([epoch.learning_rate for epoch in history])


def _name_ends(panel: _Panel, curves: list[tuple[str, list[float | None], str]]) -> None:
    """The name and the last value of each curve at its end, apart where the ends are near."""
    ends: list[tuple[float, str, str]] = []
    for name, values, color in curves:
        last = next((value for value in reversed(values) if value is not None), None)
        if last is not None:
            ends.append((panel.y(last), f"{name} {decimals(last, 2)}", color))
    ends.sort()
    heights = [y for y, _, _ in ends]
    if len(heights) == 2 and heights[1] - heights[0] < 15:
        middle = sum(heights) / 2
        heights = [middle - 7.5, middle + 7.5]
    for y, (_, text, color) in zip(heights, ends):
        panel.canvas.text(panel.left + panel.width + 8, y + 4, text, size=11, fill=color, bold=color == "blue")


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
