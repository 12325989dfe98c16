"""When a run tests, saves, tells and stops: all processes take the same way, rank 0 writes and talks."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

import torch

from cnnspec.errors import CheckpointError
from cnnspec.record import record
from cnnspec.training import checkpoint
from cnnspec.training.data.loader import fingerprint
from cnnspec.training.evaluate import Model, evaluation_of
from cnnspec.training.events import End, Epoch, Notice, Start, Step, send
from cnnspec.training.signals import Chance

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from torch import Tensor, nn

    from cnnspec.recipe.recipe import Recipe
    from cnnspec.training.signals import StopSignal
    from cnnspec.training.step import Trainer

_PROGRESS = 0.2
"""Seconds between two `Step` events."""
_CHANCE = 100
"""Steps between two looks at whether the loss is still that of guessing."""


@record
class Run:
    """What training gave. `net` holds the last weights (their average with EMA), in evaluation mode."""

    net: nn.Module
    reason: str
    """`finished`, `early_stopping` or `interrupted`."""
    text: str
    """What happened and how to go on, as one sentence."""
    history: tuple[Epoch, ...]
    """One record an epoch, those before a resumption included."""
    best: dict[str, Tensor]
    """Weights of the epoch with the lowest test loss; empty where none was complete."""
    folder: Path | None
    model: Model
    """The net with its preparation of images and the names of the classes, for `evaluate` and `predict`."""


class Course:
    """When a run tests, saves, tells and stops. All processes take the same way; rank 0 writes and talks."""

    def __init__(
        self, trainer: Trainer, callbacks: Sequence[object], folder: Path | None, stop: StopSignal, save_seconds: float,
        save_steps: int | None,
    ) -> None:  # fmt: skip
        self.trainer, self.group, self.recipe = trainer, trainer.group, trainer.recipe
        self.callbacks = callbacks if self.group.leads else ()
        every = float(any(getattr(callback, "every_step", False) for callback in self.callbacks))
        self.every = bool(self.group.highest([every], trainer.device)[0])
        self.folder, self.stop = folder, stop
        self.save_seconds, self.save_steps = save_seconds, save_steps
        self.started = self.saved = self.told = time.monotonic()
        self.history: list[Epoch] = []
        self.best: dict[str, Any] = {"epoch": None, "loss": None, "accuracy": None}
        self.weights: dict[str, Tensor] = {}
        self.waited = 0
        self.finished = ""
        self.confusion: Tensor | None = None
        self.chance = Chance(trainer.classes)
        self.epoch_from = (0.0, 0)
        """When the running epoch began or was resumed, and the images seen before."""

    # --- the way through ---

    def run(self, *, resume: bool, why: str) -> Run:
        self._prepare_folder(resume)
        self._send("on_start", self._start(why))
        if self.finished and self.trainer.epoch >= self.recipe.epochs:
            text = f"the run is finished: {self.trainer.epoch} epochs are done; --epochs with a higher number goes on"
            return self._end("finished", text)
        try:
            reason = "early_stopping" if self._patience_is_over() else self._epochs()
        except BaseException as error:
            self._send("on_end", self._summary("failed", str(error) or type(error).__name__))
            raise
        return self._end(reason, self._farewell(reason))

    def _epochs(self) -> str:
        trainer = self.trainer
        while trainer.epoch < self.recipe.epochs:
            self.finished = ""
            self.epoch_from = (time.monotonic(), trainer.seen)
            mark = (0.0, 0.0, 0)
            for _ in trainer.train_epoch():
                if (self.every or trainer.looks) and self._after_step():
                    return "interrupted"
                if trainer.step % _CHANCE == 0 or trainer.step == trainer.steps:
                    mark = self._look_for_chance(mark)
            self._close_epoch()
            if self._patience_is_over():
                return "early_stopping"
        return "finished"

    def _after_step(self) -> bool:
        """Save, tell or stop after a step, all processes alike; true where the run has to stop."""
        trainer, now = self.trainer, time.monotonic()
        ends = trainer.step == trainer.steps
        due = self.folder is not None and not ends and self._save_is_due(now)
        tell = self.every or now - self.told >= _PROGRESS or ends
        flags = [float(self.stop.caught > 0), float(due), float(tell and bool(self.callbacks))]
        stop, due, tell = map(bool, self.group.highest(flags, trainer.device))
        trainer.check_finite()
        if tell:
            self._tell(now)
        if due or stop:
            self._save([checkpoint.LAST])
        return stop

    def _save_is_due(self, now: float) -> bool:
        by_steps = self.save_steps is not None and self.trainer.step % self.save_steps == 0
        return by_steps or now - self.saved >= self.save_seconds

    def _close_epoch(self) -> None:
        trainer = self.trainer
        seconds, images = time.monotonic() - self.epoch_from[0], trainer.seen - self.epoch_from[1]
        loss, accuracy = trainer.gather()
        before = time.monotonic()
        tested = trainer.test()
        test_loss = test_accuracy = None
        if tested is not None:
            test_loss, self.confusion = tested
            test_accuracy = evaluation_of(test_loss, self.confusion, ()).accuracy
        judged = loss if test_loss is None else test_loss
        better = self.best["loss"] is None or judged < self.best["loss"]
        self.waited = 0 if better else self.waited + 1
        event = Epoch(
            epoch=trainer.epoch + 1, epochs=self.recipe.epochs, step=trainer.done, train_loss=loss, train_accuracy=accuracy,
            test_loss=test_loss, test_accuracy=test_accuracy, learning_rate=trainer.rate, seconds=seconds,
            test_seconds=time.monotonic() - before, images_per_second=images / max(seconds, 1e-9), best=better,
        )  # fmt: skip
        self.history.append(event)
        if better:
            score = accuracy if test_accuracy is None else test_accuracy
            self.best = {"epoch": event.epoch, "loss": judged, "accuracy": score}
        trainer.next_epoch(judged)
        # Told before it is saved: a run that dies between the two tells it again, and no epoch is missing.
        self._send("on_epoch", event)
        self._keep(better)

    def _keep(self, better: bool) -> None:
        """Save after an epoch; the weights of the best one stay in memory where there is no folder."""
        if self.trainer.epoch == self.recipe.epochs:
            self.finished = "finished"
        elif self._patience_is_over():
            self.finished = "early_stopping"
        if self.folder is not None:
            self._save([checkpoint.BEST, checkpoint.LAST] if better else [checkpoint.LAST])
        elif better and not self.trainer.sharded:
            with self.trainer.averaged():
                self.weights = {key: value.detach().clone() for key, value in self.trainer.net.state_dict().items()}

    def _patience_is_over(self) -> bool:
        return self.recipe.early_stopping is not None and self.waited >= self.recipe.early_stopping

    # --- telling ---

    def _send(self, method: str, event: object) -> None:
        send(self.callbacks, method, event)

    def _notice(self, kind: str, text: str) -> None:
        self._send("on_notice", Notice(kind, text))

    def _start(self, why: str) -> Start:
        trainer = self.trainer
        return Start(
            model=trainer.graph.name, parameters=trainer.graph.parameters, digest=trainer.digest, recipe=_texts(self.recipe),
            classes=tuple(trainer.data.classes), train_images=len(trainer.data.train),
            test_images=len(trainer.data.test or ()),
            batch=self.recipe.batch, epochs=self.recipe.epochs, steps=trainer.steps, device=str(trainer.device), why=why,
            processes=self.group.world, seed=self.recipe.seed, folder=None if self.folder is None else str(self.folder),
            epoch=trainer.epoch, step=trainer.step,
        )  # fmt: skip

    def _tell(self, now: float) -> None:
        trainer = self.trainer
        self.told = now
        loss, accuracy = trainer.gather()
        seconds = now - self.epoch_from[0]
        event = Step(
            epoch=trainer.epoch + 1, step=trainer.step, steps=trainer.steps, images=trainer.seen, loss=loss,
            accuracy=accuracy, learning_rate=trainer.rate,
            gradient_norm=None if trainer.norm is None else float(trainer.norm),
            seconds=seconds, images_per_second=(trainer.seen - self.epoch_from[1]) / max(seconds, 1e-9),
        )  # fmt: skip
        self._send("on_step", event)

    def _look_for_chance(self, mark: tuple[float, float, int]) -> tuple[float, float, int]:
        """Compare what was seen since `mark` (sums and images of the epoch so far) with guessing; the new mark."""
        trainer = self.trainer
        if not trainer.guesses or self.chance.told or trainer.done < self.chance.patience:
            return mark
        loss, accuracy = trainer.gather()
        total, right, seen = loss * trainer.seen, accuracy * trainer.seen, trainer.seen
        if seen > mark[2]:
            lately = seen - mark[2]
            text = self.chance.check(trainer.done, (total - mark[0]) / lately, (right - mark[1]) / lately)
            if text:
                self._notice("chance", text)
        return total, right, seen

    def _farewell(self, reason: str) -> str:
        place = (
            f"epoch {self.trainer.epoch + 1}, step {self.trainer.step:,}"
            if self.trainer.step
            else f"epoch {self.trainer.epoch}"
        )
        if reason == "interrupted":
            how = f"go on with --resume in {self.folder}" if self.folder else "without a folder nothing was saved"
            return f"stopped after {place}; {how}"
        if reason == "early_stopping":
            return f"stopped after {place}: {self.waited} epochs without a lower test loss"
        return f"finished after {place}"

    def _summary(self, reason: str, text: str) -> End:
        counts = None if self.confusion is None else tuple(map(tuple, self.confusion.tolist()))
        return End(
            reason=reason, text=text, epoch=self.trainer.epoch, step=self.trainer.done, confusion=counts,
            seconds=time.monotonic() - self.started, best_epoch=self.best["epoch"], best_loss=self.best["loss"],
            best_accuracy=self.best["accuracy"],
        )  # fmt: skip

    def _end(self, reason: str, text: str) -> Run:
        trainer = self.trainer
        if self.folder is not None and self.group.leads and reason != "interrupted":
            self._share(self.folder)
        if trainer.average is not None and reason != "interrupted":
            trainer.average.swap(trainer.net)
        trainer.net.eval()
        self._send("on_end", self._summary(reason, text))
        self.group.wait()
        model = Model(
            trainer.net,
            trainer.prepare,
            trainer.data.classes,
            trainer.criterion,
            trainer.data,
            trainer.device,
            trainer.data.shape,
        )
        return Run(trainer.net, reason, text, tuple(self.history), self.weights, self.folder, model)

    # --- the folder ---

    def _prepare_folder(self, resume: bool) -> None:
        """Make the folder and load the checkpoint; what goes wrong for one process goes wrong for all."""
        error = ""
        if self.folder is None:
            error = "a run without a folder can't be resumed: say which folder" if resume else ""
        elif resume:
            try:
                self._resume(self.folder)
            except CheckpointError as found:
                error = str(found)
        elif self.group.leads:
            error = self._make_folder(self.folder)
        if error := self.group.agree(error):
            raise CheckpointError(error)
        if self.folder is not None and self.group.leads:
            checkpoint.sweep(self.folder)

    def _make_folder(self, folder: Path) -> str:
        if (folder / checkpoint.LAST).exists():
            return f"{folder} holds a run already: resume it, or take another folder"
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            return f"{folder} can't be made: {error.strerror}"
        return ""

    def _resume(self, folder: Path) -> None:
        trainer = self.trainer
        path = checkpoint.find(folder)
        state = checkpoint.load(path)
        changed = checkpoint.check(state, trainer.digest, _texts(self.recipe))
        anew = "epochs" in changed and trainer.schedule_spans
        if state["data"].get("train") != fingerprint(trainer.data.train):
            raise CheckpointError(f"{path} was trained on other images than these")
        checkpoint.check_weights(state["model"], trainer.weights_like())
        with _as_checkpoint_error(path):
            trainer.load(state, anew=anew)
            self.best, self.waited, self.finished = dict(state["best"]), state["waited"], state["finished"]
            self.history = [Epoch(**item) for item in state["history"]]
            self.chance.told = bool(state["told_chance"])
        if anew:
            self._notice("resume", f"the schedule is laid out anew, over {self.recipe.epochs} epochs")
        for text in _differences(state, trainer):
            self._notice("resume", text)

    def _save(self, names: list[str]) -> None:
        """Write checkpoints; a disk that refuses is told and ends nothing, and the earlier ones stay."""
        self.saved = time.monotonic()
        if self.folder is None:
            return
        state = self.trainer.state() | self._about()
        if not self.group.leads:
            return
        try:
            checkpoint.save(self.folder, names, state)
        except CheckpointError as error:
            self._notice("checkpoint", str(error))

    def _about(self) -> dict[str, Any]:
        trainer, graph = self.trainer, self.trainer.graph
        return {
            "format": checkpoint.FORMAT,
            "digest": trainer.digest,
            "spec": {
                "text": graph.source.text, "path": str(graph.source.path), "model": graph.name,
                "values": {name: value for name, value in graph.values.items() if _is_plain(value)},
            },
            "recipe": _texts(self.recipe),
            "data": {
                "train": fingerprint(trainer.data.train), "classes": list(trainer.data.classes),
                "shape": list(trainer.data.shape), "statistics": trainer.statistics,
            },
            "best": dict(self.best),
            "waited": self.waited,
            "finished": self.finished,
            "history": [{name: getattr(event, name) for name in Epoch.__match_args__} for event in self.history],
            "told_chance": self.chance.told,
            "versions": checkpoint.versions(),
            "threads": torch.get_num_threads(),
            "processes": self.group.world,
        }  # fmt: skip

    def _share(self, folder: Path) -> None:
        """Write the best weights in a form to share."""
        try:
            state = checkpoint.load(checkpoint.find(folder, checkpoint.BEST))
            weights = state["average"]["values"] if state["average"] else state["model"]
            about = {"spec": str(state["spec"]["text"]), "classes": "\n".join(map(str, state["data"]["classes"]))}
            self.weights = weights
            checkpoint.share(folder, weights, about | {"model": str(state["spec"]["model"])})
        except CheckpointError as error:
            self._notice("checkpoint", str(error))


@contextlib.contextmanager
def _as_checkpoint_error(path: Path) -> Iterator[None]:
    """What torch's `load_state_dict` raises for a state that passed the checks and still doesn't fit."""
    try:
        yield
    except (KeyError, ValueError, TypeError, RuntimeError, AttributeError, IndexError) as error:
        raise CheckpointError(f"{path} does not fit this run: {str(error).splitlines()[0]}") from None


def _is_plain(value: object) -> bool:
    """Whether a model's parameter can be kept in a checkpoint; blocks can't, and stay as the spec has them."""
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, int | float | str)


def _texts(recipe: Recipe) -> dict[str, str]:
    from cnnspec.recipe.recipe import describe

    return describe(recipe)


def _differences(state: dict[str, Any], trainer: Trainer) -> list[str]:
    """What keeps the run from going on to the same bits."""
    now = {
        "threads": torch.get_num_threads(),
        "processes": trainer.group.world,
        "layout": str(trainer.layout).removeprefix("torch."),
        "torch": str(torch.__version__),
    }
    before = {**{name: state.get(name) for name in now}, "torch": state["versions"].get("torch")}
    told = [f"{name} {before[name]} -> {now[name]}" for name in now if before[name] != now[name]]
    return [f"the run goes on with other rounding than before: {', '.join(told)}"] if told else []
