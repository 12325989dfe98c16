"""Loss and accuracy by epoch as a picture: history in, SVG text (or PNG bytes, through matplotlib) out. Writes no file.

`Canvas` writes the SVG of all our pictures: shapes and escaped text only, no scripts, nothing from elsewhere. A picture
paints its own background and follows the viewer's choice of light or dark.
"""

from __future__ import annotations

import math
from html import escape

from cnnspec.diagnostics.render import clean
from cnnspec.training.events import Epoch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Reader = Callable[[Epoch], float | None]

# Name: on a light and on a dark background. Blue and vermilion keep apart for colour-blind readers too (Okabe and Ito).
PALETTE = {
    "paper": ("#ffffff", "#0d1117"),
    "ink": ("#1f2328", "#e6edf3"),
    "soft": ("#59636e", "#9198a1"),
    "grid": ("#e3e7eb", "#2a313a"),
    "blue": ("#0072b2", "#58a6ff"),
    "orange": ("#d55e00", "#f0883e"),
}
_FONT = "system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, 'DejaVu Sans', sans-serif"
_POINTS = 600


class Canvas:
    """Collects the elements of one picture; lengths in pixels, from the upper left corner."""

    def __init__(self, width: float, height: float, title: str) -> None:
        self.size = f'width="{number(width)}" height="{number(height)}" viewBox="0 0 {number(width)} {number(height)}"'
        self.title = title
        self.parts: list[str] = []
        self.rect(0, 0, width, height, fill="paper")

    def element(self, tag: str, **attributes: object) -> None:
        """`<tag .../>`: names of the palette become colours, `stroke_width` becomes `stroke-width`."""
        self.parts.append(f"<{tag}{_attributes(attributes)}/>")

    def rect(self, x: float, y: float, width: float, height: float, **attributes: object) -> None:
        self.element("rect", x=x, y=y, width=width, height=height, **attributes)

    def line(self, x1: float, y1: float, x2: float, y2: float, stroke: str, **attributes: object) -> None:
        self.element("line", x1=x1, y1=y1, x2=x2, y2=y2, stroke=stroke, **attributes)

    def text(
        self, x: float, y: float, text: str, *, size: float = 12, fill: str = "ink", anchor: str = "start",
        bold: bool = False, halo: bool = False, rotate: float = 0,
    ) -> None:  # fmt: skip
        """One line of text with its baseline at `y`, turned by `rotate` degrees around its start.

        `halo` keeps it readable on top of lines.
        """
        attributes: dict[str, object] = {"x": x, "y": y, "font_size": size, "fill": fill}
        if anchor != "start":
            attributes["text_anchor"] = anchor
        if bold:
            attributes["font_weight"] = "600"
        if halo:
            attributes |= {"stroke": "paper", "stroke_width": 4, "stroke_linejoin": "round", "paint_order": "stroke"}
        if rotate:
            attributes["transform"] = f"rotate({number(rotate)} {number(x)} {number(y)})"
        self.parts.append(f"<text{_attributes(attributes)}>{harmless(text)}</text>")

    def svg(self) -> str:
        """The whole file."""
        dark = "".join(f".f-{name}{{fill:{c}}}.s-{name}{{stroke:{c}}}" for name, (_, c) in PALETTE.items())
        head = f'<svg xmlns="http://www.w3.org/2000/svg" {self.size} role="img" font-family="{_FONT}">'
        style = f"<style>@media (prefers-color-scheme:dark){{{dark}}}</style>"
        return "\n".join([head, f"<title>{harmless(self.title)}</title>", style, *self.parts, "</svg>", ""])


def _attributes(attributes: dict[str, object]) -> str:
    classes, written = [], []
    for name, value in attributes.items():
        text = number(value) if isinstance(value, int | float) else str(value)
        if name in ("fill", "stroke") and text in PALETTE:
            classes.append(f"{name[0]}-{text}")
            text = PALETTE[text][0]
        written.append(f' {name.replace("_", "-")}="{harmless(text)}"')
    return "".join(written) + (f' class="{" ".join(classes)}"' if classes else "")


def harmless(text: str) -> str:
    """Text as XML holds it: control characters as signs, markup escaped."""
    return escape(clean(text).replace("\ufffe", "\ufffd").replace("\uffff", "\ufffd"))


def shorten(text: str, length: int) -> str:
    """A text of at most `length` characters, the last one `…` where something was cut."""
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """About the width of a text in pixels, rather more than less."""
    return sum(map(_em, text)) * size * (1.1 if bold else 1)


def _em(character: str) -> float:
    if ord(character) > 0x2E7F or character in "MWmw@%—…":
        return 1.0
    return 0.36 if character in "iljtfr.,:;|!'()[] -/" else 0.74 if character.isupper() else 0.62


def number(value: float) -> str:
    """A length to a hundredth of a pixel."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


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


def headline(history: Sequence[Epoch]) -> str:
    """The best epoch in words; empty before the first."""
    best = best_of(history)
    if best is None:
        return ""
    tested = best.test_loss is not None
    loss, accuracy = (best.test_loss, best.test_accuracy) if tested else (best.train_loss, best.train_accuracy)
    kind = "test" if tested else "training"
    return (
        f"best epoch {best.epoch} of {len(history)}: {kind} loss {decimals(loss, 4)}, accuracy {decimals(accuracy, 3)}"
    )


def decimals(value: float | None, places: int) -> str:
    """A number to so many decimals, with an exponent where it is huge; `-` where there is none."""
    if value is None:
        return "-"
    return f"{value:.{places}f}" if abs(value) < 10_000 or not math.isfinite(value) else f"{value:.2e}"


def best_of(history: Sequence[Epoch]) -> Epoch | None:
    """The epoch that the run held for its best: the last one marked so."""
    return next((epoch for epoch in reversed(history) if epoch.best), None)


_LOSS: tuple[Reader, Reader] = (lambda e: e.train_loss, lambda e: e.test_loss)
_ACCURACY: tuple[Reader, Reader] = (lambda e: e.train_accuracy, lambda e: e.test_accuracy)


def draw_curves(model: str, history: Sequence[Epoch]) -> str:
    """SVG with loss on the left and accuracy on the right; training solid, test dashed, the best epoch ringed.

    Values that are None, NaN or infinite leave a gap.
    """
    canvas = Canvas(880, 366, f"Loss and accuracy of {shorten(model, 60)}")
    canvas.text(24, 32, shorten(model, 60), size=17, bold=True)
    canvas.text(24, 52, headline(history), fill="soft", size=13)
    _legend(canvas, tested=any(epoch.test_loss is not None for epoch in history))
    _panel(canvas, 70, "loss", history, _LOSS, places=4)
    _panel(canvas, 508, "accuracy", history, _ACCURACY, places=3)
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


def _legend(canvas: Canvas, *, tested: bool) -> None:
    right = 848.0
    entries: list[tuple[str, str, dict[str, str]]] = [("train", "blue", {})]
    entries += [("test", "orange", {"stroke_dasharray": "6 4"})] if tested else []
    x = right - 76 * len(entries)
    for name, color, dash in entries:
        canvas.line(x, 28, x + 30, 28, color, stroke_width=2, **dash)
        canvas.text(x + 37, 32, name, size=13)
        x += 80


def _mark(panel: _Panel, epoch: int, value: float, text: str, color: str) -> None:
    """A ring at the best epoch, its value above or below it."""
    x, y = panel.x(epoch), panel.y(value)
    panel.canvas.element("circle", cx=x, cy=y, r=5.5, fill="none", stroke=color, stroke_width=1.5)
    # Loss falls and accuracy rises: there is room above the one and below the other.
    above = y - 30 > panel.top if panel.title == "loss" else y + 28 > panel.bottom
    anchor = "end" if x > panel.left + panel.width - 30 else "start" if x < panel.left + 30 else "middle"
    x += {"end": 6, "start": -6, "middle": 0}[anchor]
    panel.canvas.text(x, y - 12 if above else y + 22, text, anchor=anchor, bold=True, halo=True)


def plot_curves(model: str, history: Sequence[Epoch]) -> bytes:
    """The same picture as PNG, drawn by matplotlib. Raises ImportError where that is not installed."""
    import io
    import warnings
    from importlib import import_module

    figure = import_module("matplotlib.figure").Figure(figsize=(8.8, 3.7), layout="constrained")
    epochs = [epoch.epoch for epoch in history]
    with warnings.catch_warnings():
        # Names may hold characters that matplotlib's font has not.
        warnings.simplefilter("ignore")
        figure.suptitle(f"{clean(shorten(model, 60))}\n{headline(history)}", fontsize=11, parse_math=False)
        for axes, title, (train, test) in zip(figure.subplots(1, 2), ("loss", "accuracy"), (_LOSS, _ACCURACY)):
            for value, name, style, color in ((train, "train", "-", "blue"), (test, "test", "--", "orange")):
                heights = [_finite(value(epoch)) for epoch in history]
                axes.plot(
                    epochs, [math.nan if h is None else h for h in heights], style, color=PALETTE[color][0], label=name
                )
            axes.set(title=title, xlabel="epoch")
            axes.grid(alpha=0.3)
            axes.xaxis.get_major_locator().set_params(integer=True)
            axes.legend(frameon=False)
        file = io.BytesIO()
        figure.savefig(file, format="png", dpi=150)
    return file.getvalue()
