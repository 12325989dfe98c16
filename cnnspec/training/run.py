"""When a run tests, saves, tells and stops: all processes take the same way, rank 0 writes and talks."""

from __future__ import annotations

import time

import torch

from cnnspec.files import write_atomic
from cnnspec.training.chance import Chance, stays
from cnnspec.training.events import End, Epoch, Notice, Start, Step, send
from cnnspec.training.keeper import Keeper
from cnnspec.training.progress import Progress
from cnnspec.training.report.task_pictures import draw_task
from cnnspec.training.results import Model, Run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import Any

    from cnnspec.training.folder import NewFolder
    from cnnspec.training.metrics.base import Measured
    from cnnspec.training.signals import StopSignal
    from cnnspec.training.step import Trainer

_PROGRESS = 0.2
"""Seconds between two `Step` events."""
_CHANCE = 100
"""Steps between two looks at whether the loss is still that of guessing."""


class Training:
    """Carries out a run. All processes take the same way; rank 0 writes and talks."""

    def __init__(
        self, trainer: Trainer, callbacks: Sequence[object], folder: Path | NewFolder | None, stop: StopSignal
    ) -> None:
        self.trainer, self.plan, self.state = trainer, trainer.plan, trainer.state
        self.group, self.recipe, self.stop = self.plan.group, self.plan.recipe, stop
        self.callbacks = callbacks if self.group.is_main else ()
        every = float(any(getattr(callback, "every_step", False) for callback in self.callbacks))
        self.every = bool(self.group.all_reduce_max([every], self.plan.device)[0])
        self.progress = Progress()
        self.keeper = Keeper(trainer, self.progress, folder, self._notice)
        self.started = self.told = time.monotonic()
        self.epoch_from = (0.0, 0)
        """When the running epoch began or was resumed, and the samples seen before."""
        self.final: Measured | None = None
        """The best weights on the test set, where it is looked at once."""
        self.skipped = 0
        """Files left out that have been told."""
        data = self.plan.data
        self.validation = data.validation if data.validation is not None and len(data.validation) else None
        self.best_by = self.recipe.best
        self.falling = self.plan.task.is_falling(self.best_by)
        self.chance = Chance(len(self.plan.task.classes))

    # --- the way through ---

    def run(self, *, resume: bool, why: str) -> Run:
        with self.keeper.opened(resume=resume):
            # A run that goes on has the number of threads that it began with.
            began = [] if resume else [self.trainer.start_from_weights(), self.trainer.choose_threads()]
            why = ". ".join(filter(None, (why, *began)))
            self.chance.told = self.progress.told_chance
            self._send("on_start", self._start(why))
            self._tell_skipped()
            if self.progress.finished and self.state.epoch >= self.recipe.epochs:
                text = (
                    f"the run is finished, epoch {self.state.epoch} was its last; --epochs with a higher number goes on"
                )
                return self._end("finished", text)
            try:
                with self.stop.waiting():
                    reason = "early_stopping" if self._patience_is_over() else self._epochs()
                if reason != "interrupted":
                    self._conclude()
            except BaseException as error:
                self._send("on_end", self._summary("failed", str(error) or type(error).__name__))
                raise
            return self._end(reason, self._farewell(reason))

    def _epochs(self) -> str:
        trainer, state = self.trainer, self.state
        while state.epoch < self.recipe.epochs:
            self.progress.finished = ""
            self.epoch_from = (time.monotonic(), state.seen)
            mark = (0.0, 0.0, 0)
            for _ in trainer.train_epoch():
                if (self.every or trainer.looks) and self._after_step():
                    return "interrupted"
                if state.step % _CHANCE == 0 or state.step == state.steps:
                    mark = self._look_for_chance(mark)
            self._close_epoch()
            if self._patience_is_over():
                return "early_stopping"
        return "finished"

    def _after_step(self) -> bool:
        """Save, tell or stop after a step, all processes alike; true where the run has to stop."""
        now = time.monotonic()
        ends = self.state.step == self.state.steps
        due = not ends and self.keeper.is_due(now)
        tell = self.every or now - self.told >= _PROGRESS or ends
        flags = [float(self.stop.caught > 0), float(due), float(tell and bool(self.callbacks))]
        stop, due, tell = map(bool, self.group.all_reduce_max(flags, self.plan.device))
        self.trainer.check_finite()
        if tell:
            self._tell(now)
        if due or stop:
            self.keeper.save(best=False)
        return stop

    def _close_epoch(self) -> None:
        trainer, state, progress = self.trainer, self.state, self.progress
        seconds, images = time.monotonic() - self.epoch_from[0], state.seen - self.epoch_from[1]
        loss, score = state.gather()
        before = time.monotonic()
        held = trainer.test(self.validation)
        tested = None if held is not None else trainer.test(self.plan.data.test)
        judged = held or tested
        metrics = judged.metrics if judged is not None else {self.plan.task.score: score}
        judged_loss = judged.loss if judged is not None else loss
        value = judged_loss if self.best_by == "loss" else metrics[self.best_by]
        better = progress.judge(value, falling=self.falling)
        event = Epoch(
            epoch=state.epoch + 1, epochs=self.recipe.epochs, step=state.done, train_loss=loss,
            train_metrics={self.plan.task.score: score},
            validation_loss=held.loss if held else None, validation_metrics=held.metrics if held else {},
            test_loss=tested.loss if tested else None, test_metrics=tested.metrics if tested else {},
            learning_rate=trainer.rate, seconds=seconds, test_seconds=time.monotonic() - before,
            images_per_second=images / max(seconds, 1e-9), best=better,
        )  # fmt: skip
        progress.history.append(event)
        if better:
            progress.best = {"epoch": event.epoch, "loss": judged_loss, "value": value, "metrics": metrics}
            progress.confusion = judged.confusion if judged is not None else None
        state.next_epoch(judged_loss)
        # Told before it is saved: a run that dies between the two tells it again, and no epoch is missing.
        self._send("on_epoch", event)
        self._tell_skipped()
        self._look_for_flat(loss, score)
        if state.epoch == self.recipe.epochs:
            progress.finished = "finished"
        elif self._patience_is_over():
            progress.finished = "early_stopping"
        self.keeper.save(best=better)

    def _patience_is_over(self) -> bool:
        return self.recipe.early_stopping is not None and self.progress.waited >= self.recipe.early_stopping

    def _conclude(self) -> None:
        """What is left when the last epoch is done: the test set, where it is looked at once, with the best weights."""
        self.keeper.finish()
        if self.validation is not None and self.plan.data.test is not None and len(self.plan.data.test):
            with self.keeper.best_weights():
                self.final = self.trainer.test(self.plan.data.test)
            if self.final is not None:
                self.progress.confusion = self.final.confusion
        if self.keeper.folder is not None and not self.state.sharded:
            self._draw(self.keeper.folder)

    def _draw(self, folder: Path) -> None:
        """Pictures of what the best weights do, by task."""
        data = self.plan.data
        split = next((s for s in (data.test, self.validation, data.train) if s is not None and len(s)), data.train)
        if not self.group.is_main:
            return
        with self.keeper.best_weights():
            inputs, outputs, targets = self.trainer.examples(split)
        try:
            for name, svg in draw_task(self.plan.graph.name, self.plan.task, inputs, outputs, targets).items():
                write_atomic(folder / name, svg)
        except ImportError:
            self._notice("files", "no pictures of examples: they need Pillow, pip install 'cnnspec[images]'")
        except OSError as error:
            self._notice("files", f"no pictures of examples: {error}")

    # --- telling ---

    def _send(self, method: str, event: object) -> None:
        send(self.callbacks, method, event)

    def _notice(self, kind: str, text: str) -> None:
        self._send("on_notice", Notice(kind, text))

    def _tell_skipped(self) -> None:
        found = self.plan.data.skipped
        if len(found) > self.skipped:
            first = found[self.skipped].splitlines()[0]
            more = f", and {len(found) - self.skipped - 1:,} more" if len(found) - self.skipped > 1 else ""
            self._notice("skipped", f"left out, {len(found):,} in all: {first}{more}")
            self.skipped = len(found)

    def _start(self, why: str) -> Start:
        plan, state, data = self.plan, self.state, self.plan.data
        folder = self.keeper.folder
        on = "validation" if self.validation is not None else "test" if data.test is not None and len(data.test) else ""
        return Start(
            model=plan.graph.name, parameters=plan.graph.parameters, digest=plan.digest, recipe=_texts(self.recipe),
            task=plan.task.name, score=plan.task.score, judged_by=self.best_by, judged_on=on or "train",
            classes=plan.task.classes, data=f"{data.name} from {data.origin}", train_images=len(data.train),
            validation_images=len(data.validation or ()), test_images=len(data.test or ()), skipped=data.skipped,
            batch=self.recipe.batch, epochs=self.recipe.epochs, steps=state.steps, device=str(plan.device), why=why,
            processes=self.group.world, threads=torch.get_num_threads(), seed=self.recipe.seed,
            folder=None if folder is None else str(folder), epoch=state.epoch, step=state.step,
        )  # fmt: skip

    def _tell(self, now: float) -> None:
        trainer, state = self.trainer, self.state
        self.told = now
        loss, score = state.gather()
        seconds = now - self.epoch_from[0]
        event = Step(
            epoch=state.epoch + 1, step=state.step, steps=state.steps, images=state.seen, loss=loss, score=score,
            learning_rate=trainer.rate, gradient_norm=None if trainer.norm is None else float(trainer.norm),
            seconds=seconds, images_per_second=(state.seen - self.epoch_from[1]) / max(seconds, 1e-9),
        )  # fmt: skip
        self._send("on_step", event)

    def _look_for_flat(self, loss: float, score: float) -> None:
        """Remark a loss that is after some epochs what it was in the first one."""
        text = stays([one.train_loss for one in self.progress.history], self.trainer.rate, self.recipe.freeze)
        if not text or self.chance.told:
            return
        guess = self.chance.check(max(self.state.done, self.chance.patience), loss, score)
        guess = guess if self.plan.task.guesses else ""
        self.progress.told_chance = self.progress.told_chance or bool(guess)
        self._notice("chance" if guess else "flat", guess or text)

    def _look_for_chance(self, mark: tuple[float, float, int]) -> tuple[float, float, int]:
        """Compare what was seen since `mark` (sums and samples of the epoch so far) with guessing; the new mark."""
        state = self.state
        if not self.plan.task.guesses or self.chance.told or state.done < self.chance.patience:
            return mark
        loss, score = state.gather()
        total, right, seen = loss * state.seen, score * state.seen, state.seen
        if seen > mark[2]:
            lately = seen - mark[2]
            text = self.chance.check(state.done, (total - mark[0]) / lately, (right - mark[1]) / lately)
            if text:
                self.progress.told_chance = True
                self._notice("chance", text)
        return total, right, seen

    def _farewell(self, reason: str) -> str:
        state = self.state
        place = f"epoch {state.epoch + 1}, step {state.step:,}" if state.step else f"epoch {state.epoch}"
        if reason == "interrupted":
            folder = self.keeper.folder
            how = f"go on with --resume {folder}" if folder is not None else "without a folder nothing was saved"
            return f"stopped after {place}; {how}"
        if reason == "early_stopping":
            return f"stopped after {place}: {self.progress.waited} epochs without a better {self.best_by}"
        return f"finished after {place}"

    def _summary(self, reason: str, text: str) -> End:
        progress = self.progress
        counts = None if progress.confusion is None else tuple(map(tuple, progress.confusion.tolist()))
        return End(
            reason=reason, text=text, epoch=self.state.epoch, step=self.state.done, confusion=counts,
            seconds=time.monotonic() - self.started, best_epoch=progress.best["epoch"], best_loss=progress.best["loss"],
            best_metrics=dict(progress.best["metrics"]), test_loss=self.final.loss if self.final else None,
            test_metrics=self.final.metrics if self.final else {}, saved=self.keeper.has_saved,
        )  # fmt: skip

    def _end(self, reason: str, text: str) -> Run:
        trainer, plan = self.trainer, self.plan
        if reason != "interrupted" and self.state.average is not None:
            self.state.average.swap(self.state.net)
        self.state.net.eval()
        self._send("on_end", self._summary(reason, text))
        self.group.wait()
        data = plan.data
        model = Model(
            plan.graph.name, trainer.state.net, plan.prepare, plan.task, data, plan.device, data.shape,
            data.dtypes, data.path, bool(data.skipped),
        )  # fmt: skip
        history = tuple(self.progress.history)
        return Run(self.state.net, reason, text, history, self.keeper.weights, self.keeper.folder, model)


def _texts(recipe: Any) -> dict[str, str]:
    from cnnspec.recipe.recipe import describe

    return describe(recipe)
