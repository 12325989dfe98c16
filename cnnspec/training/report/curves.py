"""Loss and score by epoch as a picture: history in, SVG text out. Writes no file."""

from __future__ import annotations

import math

from cnnspec.backends.draw.canvas import Canvas, number, shorten, text_width
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


class _Panel:
    """Axes with curves in them: `x` and `y` give the pixels of an epoch and a value."""

    top, bottom, width = 92.0, 306.0, 340.0

    def __init__(self, canvas: Canvas, left: float, title: str, epochs: Sequence[int], values: list[float]) -> None:
        self.title = title
        self.canvas, self.left, self.epochs = canvas, left, epochs
        first, last = (epochs[0], epochs[-1]) if epochs else (1, 1)
        self.start, self.end = (first, last) if last > first else (first - 1, last + 1)
        self.values = ticks(min(values), max(values)) if values else [0.0, 0.5, 1.0]

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
        canvas.text((left + right) / 2, self.bottom + 40, "epoch", fill="soft", anchor="middle")

    def curve(self, values: Sequence[float | None], color: str, *, dashed: bool) -> None:
        """A line through the values, interrupted where there is none; dots where epochs are few or stand alone."""
        every = -(-len(values) // _POINTS)
        runs: list[list[tuple[float, float]]] = [[]]
        for index, value in enumerate(values):
            if value is None:
                runs.append([])
            elif index % every == 0 or index == len(values) - 1:
                runs[-1].append((self.x(self.epochs[index]), self.y(value)))
        dash = {"stroke_dasharray": "6 4"} if dashed else {}
        for run in filter(None, runs):
            path = "M" + "L".join(f"{number(x)} {number(y)}" for x, y in run)
            if len(run) > 1:
                self.canvas.element(
                    "path", d=path, fill="none", stroke=color, stroke_width=2, stroke_linejoin="round", **dash
                )
            if len(values) <= 20 or len(run) == 1:
                for x, y in run:
                    self.canvas.element("circle", cx=x, cy=y, r=2.5, fill=color)


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
    """SVG with loss on the left and the task's score on the right; training solid, test or validation dashed, best ringed.

    Values that are None, NaN or infinite leave a gap.
    """
    canvas = Canvas(880, 366, f"Loss and {score} of {shorten(model, 60)}")
    canvas.text(24, 32, shorten(model, 60), size=17, bold=True)
    canvas.text(24, 52, headline(history, score), fill="soft", size=13)
    judged = _judged(history)
    _legend(canvas, "" if judged == "training" else judged)
    loss, scored = _pairs(history, score)
    _panel(canvas, 70, "loss", history, loss, places=4)
    _panel(canvas, 508, score, history, scored, places=3)
    return canvas.svg()


def _panel(
    canvas: Canvas, left: float, title: str, history: Sequence[Epoch], pair: tuple[Reader, Reader], *, places: int
) -> None:
    train, test = ([_finite(value(epoch)) for epoch in history] for value in pair)
    panel = _Panel(canvas, left, title, [e.epoch for e in history], [v for v in [*train, *test] if v is not None])
    panel.axes()
    panel.curve(train, "blue", dashed=False)
    panel.curve(test, "orange", dashed=True)
    best = best_of(history)
    if best is not None:
        tested = _finite(pair[1](best))
        value, color = (tested, "orange") if tested is not None else (_finite(pair[0](best)), "blue")
        if value is not None:
            _mark(panel, best.epoch, value, f"{value:.{places}f}", color)


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _legend(canvas: Canvas, judged: str) -> None:
    entries: list[tuple[str, str, dict[str, str]]] = [("train", "blue", {})]
    entries += [(judged, "orange", {"stroke_dasharray": "6 4"})] if judged else []
    x = 848.0 - sum(45 + text_width(name, 13) for name, _, _ in entries)
    for name, color, dash in entries:
        canvas.line(x, 28, x + 30, 28, color, stroke_width=2, **dash)
        canvas.text(x + 37, 32, name, size=13)
        x += 49 + text_width(name, 13)


def _mark(panel: _Panel, epoch: int, value: float, text: str, color: str) -> None:
    """A ring at the best epoch, its value above or below it."""
    x, y = panel.x(epoch), panel.y(value)
    panel.canvas.element("circle", cx=x, cy=y, r=5.5, fill="none", stroke=color, stroke_width=1.5)
    # Loss falls and accuracy rises: there is room above the one and below the other.
    above = y - 30 > panel.top if panel.title == "loss" else y + 28 > panel.bottom
    anchor = "end" if x > panel.left + panel.width - 30 else "start" if x < panel.left + 30 else "middle"
    x += {"end": 6, "start": -6, "middle": 0}[anchor]
    panel.canvas.text(x, y - 12 if above else y + 22, text, anchor=anchor, bold=True, halo=True)
