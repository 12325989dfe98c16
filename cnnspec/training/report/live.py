"""How a run goes, in a notebook: curves that grow by the epoch, and a line that says where the epoch is."""

from __future__ import annotations

import sys

from cnnspec.backends.summary_page import escape
from cnnspec.training.events import Callback, End, Epoch, Notice, Start, Step
from cnnspec.training.report.console import Console, Remaining, end_lines, start_lines, step_line
from cnnspec.training.report.curves import draw_curves

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def telling(progress: bool | None) -> list[Callback]:
    """What tells how a run goes: in a notebook unless it is refused, elsewhere where it is asked for."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if progress is not False and getattr(shell, "kernel", None) is not None:
        from IPython.display import display

        return [Live(display)]
    return [Console(bar=False)] if progress else []


class Shown:
    """HTML as a notebook asks for it."""

    def __init__(self, html: str, text: str) -> None:
        self.html, self.text = html, text

    def __repr__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        return self.html


class Live(Callback):
    """Shows a run by `display`, that of IPython: one output for the curves, one for the line below, both replaced."""

    def __init__(self, display: Callable[..., Any]) -> None:
        self.display = display
        self.handles: list[Any] = []
        self.start: Start | None = None
        self.rest: Remaining | None = None
        self.history: list[Epoch] = []
        self.said: list[str] = []

    def on_start(self, event: Start) -> None:
        self.start, self.rest = event, Remaining(event)
        said = "\n".join([*start_lines(event), *filter(None, [event.why])])
        self.handles = [self.display(shown, display_id=True) for shown in (lines(said), lines("starting"))]

    def on_step(self, event: Step) -> None:
        if self.rest is not None and self.start is not None:
            told = step_line(event, self.rest.left(event), self.start.score)
            self._below(f"epoch {event.epoch}/{self.start.epochs}  {told}")

    def on_epoch(self, event: Epoch) -> None:
        self.history.append(event)
        if self.rest is not None and self.start is not None:
            self.rest.epoch(event)
            curves = draw_curves(self.start.model, self.history, self.start.score)
            self.handles[0].update(Shown(curves, f"{self.start.model}: {len(self.history)} of {event.epochs} epochs"))

    def on_notice(self, event: Notice) -> None:
        self.said.append(event.text)
        self._below("")

    def on_end(self, event: End) -> None:
        self._below("\n".join(end_lines(event, self.start)))

    def _below(self, text: str) -> None:
        if self.handles:
            self.handles[1].update(lines("\n".join(filter(None, [*self.said, text]))))


def lines(text: str) -> Shown:
    """Text of several lines, as it stands."""
    escaped = "\n".join(escape(line) for line in text.splitlines())
    return Shown(f'<pre style="margin:0">{escaped}</pre>', text)
