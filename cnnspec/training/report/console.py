"""What a run tells the person at the terminal: events in, lines of text out. Imports no torch and changes no number.

`Console` prints one line an epoch, and below it a moving bar on a terminal. The functions before it make the lines.
"""

from __future__ import annotations

import atexit
import math
import os
import sys
import time

from cnnspec.diagnostics.render import Paint, clean
from cnnspec.training.events import Callback, End, Epoch, Notice, Start, Step
from cnnspec.training.report.curves import decimals

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Self, TextIO

_PAUSE = 10.0
_WARNINGS = ("chance", "flat", "checkpoint", "files", "skipped", "spec")
_OTHER = {"validation": "val. loss"}
NAMED = 12
"""Classes up to which all are named."""


# --- lines ---


def start_lines(event: Start) -> list[str]:
    """What the run is going to do."""
    processes = f" in {event.processes} processes" if event.processes > 1 else ""
    sets = [(event.train_images, "training"), (event.validation_images, "validation"), (event.test_images, "test")]
    counted = [f"{count:,} {name}" for count, name in sets if count]
    classes = f", {len(event.classes):,} classes" if event.classes else ""
    lines = [
        f"{event.model}: {event.parameters:,} parameters, {event.task}, on {event.device}{processes}",
        f"{event.data}: {listing(counted)} images{classes}",
        f"{_count(event.epochs, 'epoch')} of {_count(event.steps, 'step')}, {event.batch:,} images a step, seed {event.seed}",
        f"the best epoch is that with the best {event.judged_by} on the {event.judged_on} images",
    ]
    if 0 < len(event.classes) <= NAMED:
        lines.insert(2, f"classes: {', '.join(event.classes)}")
    if event.step:
        lines.append(f"goes on in epoch {event.epoch + 1}, behind step {event.step:,} of {event.steps:,}")
    elif event.epoch:
        lines.append(f"goes on behind epoch {event.epoch}")
    return lines


def listing(words: list[str]) -> str:
    """`a, b and c`."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def table_head(event: Start) -> str:
    """The heads of the columns of `epoch_line`."""
    score, other = event.score.rjust(8), _OTHER.get(event.judged_on, "test loss").rjust(9)
    return f"{'epoch':>{_places(event.epochs)}}  train loss  {score}  {other}  {score}  images/s         lr     time"


def epoch_line(event: Epoch, score: str = "accuracy") -> str:
    """One epoch as a line of the table."""
    counted = f"{event.epoch}/{event.epochs}".rjust(_places(event.epochs))
    held = event.validation_loss is not None
    loss, metrics = (event.validation_loss, event.validation_metrics) if held else (event.test_loss, event.test_metrics)
    wide = max(8, len(score))
    cells = [
        f"{decimals(event.train_loss, 4):>10}",
        f"{decimals(event.train_metrics.get(score), 3):>{wide}}",
        f"{decimals(loss, 4):>9}",
        f"{decimals(metrics.get(score), 3):>{wide}}",
        f"{_rate(event.images_per_second):>8}",
        f"{event.learning_rate:>9.3g}",
        f"{duration(event.seconds + event.test_seconds):>7}",
    ]
    return "  ".join([counted, *cells]) + ("  best" if event.best else "")


def step_line(event: Step, left: float | None, score: str = "accuracy") -> str:
    """Where a running epoch is; `left` are the seconds to the end of the run. Behind the last step comes the test."""
    steps = f"{event.steps:,}"
    ahead = "testing" if event.step == event.steps else "" if left is None else f"{duration(left)} left"
    parts = [
        f"step {event.step:>{len(steps)},}/{steps}",
        f"{ahead:>11}",
        f"loss {decimals(event.loss, 4)}",
        f"{score} {decimals(event.score, 3)}",
        f"{_rate(event.images_per_second)} images/s",
    ]
    return "  ".join(parts)


def end_lines(event: End, start: Start | None = None) -> list[str]:
    """How the run ended, its best epoch, and where the files are. What failed is told by who called the run."""
    lines = [event.text] if event.text and event.reason != "failed" else []
    if event.best_epoch is not None:
        known = [f"{name} {decimals(value, 3)}" for name, value in list(event.best_metrics.items())[:3]]
        told = ", ".join([f"loss {decimals(event.best_loss, 4)}", *known])
        lines.append(f"best epoch {event.best_epoch}: {told}; {duration(event.seconds)} in all")
    if event.test_loss is not None:
        known = [f"{name} {decimals(value, 3)}" for name, value in event.test_metrics.items()]
        lines.append(f"its weights on the test images: {', '.join([f'loss {decimals(event.test_loss, 4)}', *known])}")
    if start is not None and start.folder and (event.epoch or event.saved):
        kept = "curves, metrics and checkpoints" if event.saved else "curves and metrics, but no weights of the end,"
        lines.append(f"{kept} are in {start.folder}")
    return lines


def duration(seconds: float) -> str:
    """Seconds as people read them: `4.2 s`, `1:05`, `2:03:09`."""
    if not math.isfinite(seconds):
        return "?"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:,}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _places(epochs: int) -> int:
    return max(5, 2 * len(str(epochs)) + 1)


def _rate(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


class Remaining:
    """Says how long the rest of a run will take, from the running epoch's pace and the last evaluation."""

    def __init__(self, start: Start) -> None:
        self.start = start
        self.test_seconds = 0.0

    def epoch(self, event: Epoch) -> None:
        self.test_seconds = event.test_seconds

    def left(self, event: Step) -> float | None:
        """Seconds; None before anything was measured."""
        resumed = self.start.step if event.epoch == self.start.epoch + 1 else 0
        done = event.step - resumed
        if done <= 0 or event.seconds <= 0:
            return None
        epochs = self.start.epochs - event.epoch
        steps = event.steps - event.step + epochs * event.steps
        return steps * event.seconds / done + (epochs + 1) * self.test_seconds


# --- the console ---


class Console(Callback):
    """Tells how a run goes: on a terminal with a moving bar where rich is installed, otherwise in plain lines.

    `color` and `bar` default to what the stream can show; NO_COLOR and TERM=dumb are honoured. Use it as a context
    manager, or call `close()`: the terminal is left as it was, after Ctrl-C too.
    """

    def __init__(
        self, stream: TextIO | None = None, *, color: bool | None = None, bar: bool | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self.stream = stream if stream is not None else sys.stdout
        moving = self.stream.isatty() and os.environ.get("TERM") != "dumb"
        self.color = (moving and not os.environ.get("NO_COLOR")) if color is None else color
        self.paint = Paint(self.color)
        self.wants_bar = moving if bar is None else bar
        self.clock = clock
        self.spoke = clock()
        self.bar: _Bar | None = None
        self.start: Start | None = None
        self.rest: Remaining | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Take the bar away. May be called more than once."""
        if self.bar is not None:
            self.bar.stop()
            atexit.unregister(self.bar.stop)
            self.bar = None

    def say(self, text: str, style: str = "") -> None:
        """One line that stays, above the bar."""
        shown = _encodable(clean(text), self.stream)
        line = self.paint(style, shown) if style else shown
        self.spoke = self.clock()
        if self.bar is not None:
            self.bar.above(line)
        else:
            self.stream.write(line + "\n")
            self.stream.flush()

    def on_start(self, event: Start) -> None:
        self.start, self.rest = event, Remaining(event)
        first, *others = start_lines(event)
        self.say(first, "bold")
        for line in others:
            self.say(line)
        if event.why:
            self.say(event.why)
        self.say("")
        self.say(table_head(event), "bold")
        if self.wants_bar:
            self.bar = _Bar.start(self.stream, color=self.color, width=_places(event.epochs))

    def on_step(self, event: Step) -> None:
        if self.rest is None:
            return
        epochs = self.rest.start.epochs
        epoch = f"{event.epoch}/{epochs}".rjust(_places(epochs))
        if self.bar is not None:
            self.bar.show(
                epoch, step_line(event, self.rest.left(event), self.rest.start.score), event.step, event.steps
            )
        elif event.step < event.steps and self.clock() - self.spoke >= _PAUSE:
            self.say(f"{epoch}  {step_line(event, self.rest.left(event), self.rest.start.score)}")

    def on_epoch(self, event: Epoch) -> None:
        if self.rest is not None:
            self.rest.epoch(event)
        score = self.start.score if self.start is not None else "accuracy"
        self.say(epoch_line(event, score), "second" if event.best else "")

    def on_notice(self, event: Notice) -> None:
        style = "warning" if event.kind in _WARNINGS else "place"
        first, *others = event.text.splitlines() or [""]
        self.say(f"{'warning' if style == 'warning' else 'note'}: {first}", style)
        for line in others:
            self.say(f"  {line}", style)

    def on_end(self, event: End) -> None:
        self.close()
        self.say("")
        for index, line in enumerate(end_lines(event, self.start)):
            style = "bold" if event.reason in ("finished", "early_stopping") else "warning"
            self.say(line, style if not index else "")


def _encodable(text: str, stream: TextIO) -> str:
    encoding = getattr(stream, "encoding", None) or "utf-8"
    return text.encode(encoding, "replace").decode(encoding)


class _Bar:
    """The moving line, by rich. It is drawn when told so, in the caller's thread: nothing runs beside the training."""

    def __init__(self, progress: Any, task: Any, text: Any) -> None:
        self.progress, self.task, self.text = progress, task, text

    @classmethod
    def start(cls, stream: TextIO, *, color: bool, width: int) -> _Bar | None:
        """None where rich is not installed."""
        try:
            from rich.console import Console as Screen
            from rich.progress import BarColumn, Progress, TextColumn
            from rich.table import Column
            from rich.text import Text
        except ImportError:
            return None
        screen = Screen(
            file=stream, force_terminal=True, no_color=not color, highlight=False, markup=False, emoji=False
        )
        fixed, rest = Column(no_wrap=True, min_width=width), Column(no_wrap=True, overflow="ellipsis")
        columns = (
            TextColumn("{task.fields[epoch]}", markup=False, table_column=fixed),
            BarColumn(bar_width=None, table_column=Column(ratio=1, min_width=4)),
            TextColumn("{task.fields[line]}", markup=False, table_column=rest),
        )
        progress = Progress(*columns, console=screen, transient=True, auto_refresh=False, expand=True)
        task = progress.add_task("", epoch="", line="starting", total=1)
        progress.start()
        bar = cls(progress, task, Text)
        # A run that ends without `close` must not leave the cursor hidden.
        atexit.register(bar.stop)
        return bar

    def show(self, epoch: str, line: str, done: int, total: int) -> None:
        self.progress.update(self.task, epoch=epoch, line=line, completed=done, total=total, refresh=True)

    def above(self, line: str) -> None:
        self.progress.console.print(self.text.from_ansi(line), soft_wrap=True)
        self.progress.refresh()

    def stop(self) -> None:
        self.progress.stop()
