"""What a run keeps in its folder beside checkpoints: metrics, curves, confusion matrix, TensorBoard's event files.

Callbacks that take the events of `events.py`, import no torch and change no number. A file that can't be written is told
once and ends no run.
"""

from __future__ import annotations

import json
import math
import time
from importlib import import_module
from pathlib import Path

from cnnspec.errors import TrainError
from cnnspec.files import write_atomic
from cnnspec.training.events import SPLITS, Callback, End, Epoch, Notice, Start, epoch_of
from cnnspec.training.report.curves import draw_curves

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any


class RunFiles(Callback):
    """Keeps `metrics.jsonl` (a line an epoch, appended), `metrics.csv` and `curves.svg` (replaced), and at the end, of the
    best weights, `confusion.svg` and `confusion.txt`.

    After a resume the lines of epochs that are run again are dropped first. Does nothing for a run without a folder.
    What can't be written is told once to `tell`; the file is written whole with the next epoch.
    """

    def __init__(self, tell: Callable[[Notice], object] = lambda notice: None) -> None:
        self.tell = tell
        self.told = False
        self.whole = True
        self.folder: Path | None = None
        self.start: Start | None = None
        self.history: list[Epoch] = []

    def on_start(self, event: Start) -> None:
        self.start, self.folder = event, Path(event.folder) if event.folder else None
        if self.folder is not None:
            self.history = [
                epoch for epoch in read_metrics(self.folder / "metrics.jsonl") if epoch.epoch <= event.epoch
            ]
            self._try(lambda folder: folder.mkdir(parents=True, exist_ok=True))
            self._try(self._rewrite)

    def on_epoch(self, event: Epoch) -> None:
        self.history.append(event)
        self._try(self._append)
        self._try(lambda folder: write_atomic(folder / "metrics.csv", metrics_csv(self.history)))
        self._try(
            lambda folder: write_atomic(folder / "curves.svg", draw_curves(self._model, self.history, self._score))
        )

    def on_end(self, event: End) -> None:
        if event.confusion is not None and self.start is not None:
            self._try(lambda folder: self._confusion(folder, event.confusion or ()))

    @property
    def _model(self) -> str:
        return self.start.model if self.start is not None else ""

    @property
    def _score(self) -> str:
        return self.start.score if self.start is not None else "accuracy"

    def _try(self, write: Callable[[Path], object]) -> None:
        if self.folder is None:
            return
        try:
            write(self.folder)
        except OSError as error:
            self.whole = False
            if not self.told:
                self.tell(Notice("files", f"could not write into {self.folder}: {error.strerror or error}"))
            self.told = True

    def _rewrite(self, folder: Path) -> None:
        write_atomic(folder / "metrics.jsonl", "".join(map(metrics_line, self.history)))
        self.whole = True

    def _append(self, folder: Path) -> None:
        if not self.whole:
            self._rewrite(folder)
            return
        with open(folder / "metrics.jsonl", "ab", buffering=0) as file:
            line = metrics_line(self.history[-1]).encode()
            self.whole = file.write(line) == len(line)

    def _confusion(self, folder: Path, counts: Sequence[Sequence[int]]) -> None:
        from cnnspec.training.report.confusion import confusion_table, draw_confusion

        names = self.start.classes if self.start is not None else ()
        write_atomic(folder / "confusion.svg", draw_confusion(self._model, counts, names))
        write_atomic(folder / "confusion.txt", confusion_table(counts, names) + "\n")


def metrics_line(event: Epoch) -> str:
    """One epoch as a line of `metrics.jsonl`; NaN and infinity, which JSON lacks, become null."""
    finite = {n: None if isinstance(v, float) and not math.isfinite(v) else v for n, v in event.values().items()}
    return json.dumps(finite, allow_nan=False) + "\n"


def metrics_csv(history: Sequence[Epoch]) -> str:
    """The same as a table; empty cells where there is no value."""
    names = list(dict.fromkeys(name for event in history for name in event.values()))
    lines = [",".join(names)]
    for event in history:
        values = [event.values().get(name) for name in names]
        lines.append(",".join("" if v is None else str(int(v)) if isinstance(v, bool) else str(v) for v in values))
    return "\n".join(lines) + "\n"


def read_metrics(path: Path) -> list[Epoch]:
    """The epochs of a `metrics.jsonl`, in order. Lines that were cut off or belong to no epoch are skipped."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    found = {epoch.epoch: epoch for epoch in map(_read_line, lines) if epoch is not None}
    return [found[number] for number in sorted(found)]


def _read_line(line: str) -> Epoch | None:
    try:
        values = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(values, dict) or not isinstance(values.get("epoch"), int):
        return None
    if not all(value is None or isinstance(value, int | float) for value in values.values()):
        return None
    may_lack = ("test_", "validation_")
    kept = {n: math.nan if v is None and not n.startswith(may_lack) else v for n, v in values.items()}
    try:
        return epoch_of(kept)
    except KeyError:
        return None


class TensorBoard(Callback):
    """Writes TensorBoard's event files into the folder `tensorboard` of the run. Raises TrainError where the package
    tensorboard is not installed."""

    def __init__(self) -> None:
        try:
            self.events: Any = import_module("tensorboard.compat.proto.event_pb2")
            self.summaries: Any = import_module("tensorboard.compat.proto.summary_pb2")
            self.open: Any = import_module("tensorboard.summary.writer.event_file_writer").EventFileWriter
        except ImportError:
            raise TrainError("TensorBoard files need the package tensorboard: pip install tensorboard") from None
        self.writer: Any = None

    def on_start(self, event: Start) -> None:
        if event.folder:
            self.writer = self.open(str(Path(event.folder) / "tensorboard"))
            # Tells the reader to forget the epochs that are run again.
            session = self.events.SessionLog(status=self.events.SessionLog.START)
            self._write(event.epoch + 1, session_log=session)

    def on_epoch(self, event: Epoch) -> None:
        values = {
            "/".join(name.split("_", 1)) if name.split("_", 1)[0] in SPLITS else name: value
            for name, value in event.values().items()
            if name not in ("epoch", "epochs", "step", "seconds", "test_seconds", "best")
        }
        value = [self.summaries.Summary.Value(tag=t, simple_value=v) for t, v in values.items() if v is not None]
        self._write(event.epoch, summary=self.summaries.Summary(value=value))

    def _write(self, epoch: int, **content: Any) -> None:
        if self.writer is not None:
            self.writer.add_event(self.events.Event(wall_time=time.time(), step=epoch, **content))
            self.writer.flush()

    def on_end(self, event: End) -> None:
        if self.writer is not None:
            self.writer.close()
            self.writer = None
