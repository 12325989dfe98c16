"""What a run keeps in its folder, and how it goes on from there. A run never ends as if weights were saved that are not."""

from __future__ import annotations

import contextlib
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import torch

from cnnspec.errors import CheckpointError
from cnnspec.training import checkpoint, distributed, spec_files
from cnnspec.training.ema import averaged_or_last
from cnnspec.training.events import epoch_of
from cnnspec.training.folder import NewFolder, locked
from cnnspec.training.plan import class_weights

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from torch import Tensor

    from cnnspec.training.progress import Progress
    from cnnspec.training.step import Trainer


class Keeper:
    """The folder of a run, with its checkpoints; without a folder, the best weights in memory.

    A disk that refuses is told and ends nothing: the next epoch tries again. `finish` demands that all is there. While an
    accelerator works on, a thread writes what was copied from it; the next checkpoint waits for it.
    """

    def __init__(
        self, trainer: Trainer, progress: Progress, folder: Path | NewFolder | None, tell: Callable[[str, str], None]
    ) -> None:
        self.trainer, self.plan, self.state, self.progress = trainer, trainer.plan, trainer.state, progress
        self.group = self.plan.group
        self.wanted = folder
        self.folder: Path | None = None
        self.tell = tell
        self.saved = time.monotonic()
        self.weights: dict[str, Tensor] = {}
        """The best weights, where there is no folder, or at the end of the run."""
        self.error = ""
        """Why the last checkpoint is not in the folder; "" where it is."""
        self.unsaved: dict[str, Any] | None = None
        """The state of a best epoch that could not be written."""
        self.writer = ThreadPoolExecutor(1)
        self.writing: Future[None] | None = None
        self.files = spec_files.collect(self.plan.graph.source)

    @property
    def in_background(self) -> bool:
        """Whether a thread writes: the CPU would have to stop its own work for it."""
        return self.plan.device.type != "cpu"

    @property
    def has_saved(self) -> bool:
        """Whether the folder holds the run as it is."""
        self._settle()
        return self.folder is not None and not self.error and (self.folder / checkpoint.LAST).exists()

    # --- the folder ---

    @contextlib.contextmanager
    def opened(self, *, resume: bool) -> Iterator[None]:
        """The run's folder, made or with its checkpoint loaded; what goes wrong for one process goes wrong for all."""
        with contextlib.ExitStack() as stack:
            error = ""
            try:
                if self.group.is_main:
                    self._open(stack, resume=resume)
                    stack.callback(self._settle)
            except CheckpointError as found:
                error = str(found)
            if error := self.group.first_error(error):
                raise CheckpointError(error)
            path = self.group.from_main(str(self.folder or ""))
            self.folder = Path(path) if path else None
            try:
                if resume and self.folder is not None:
                    self._resume(self.folder)
            except CheckpointError as found:
                error = str(found)
            if error := self.group.first_error(error):
                raise CheckpointError(error)
            yield

    def _open(self, stack: contextlib.ExitStack, *, resume: bool) -> None:
        if self.wanted is None:
            if resume:
                raise CheckpointError("a run without a folder can't be resumed: say which folder")
            return
        try:
            if isinstance(self.wanted, NewFolder):
                self.folder = self.wanted.make()
            else:
                self.folder = self.wanted
                if not resume:
                    self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            where = self.wanted.root if isinstance(self.wanted, NewFolder) else self.wanted
            raise CheckpointError(f"{where} can't be made: {(error.strerror or str(error)).lower()}") from None
        if resume:
            checkpoint.find(self.folder)
        stack.enter_context(locked(self.folder))
        if not resume and (self.folder / checkpoint.LAST).exists():
            raise CheckpointError(f"{self.folder} holds a run already: resume it, or take another folder")
        checkpoint.sweep(self.folder)

    def _resume(self, folder: Path) -> None:
        plan, progress, state = self.plan, self.progress, self.state
        path = checkpoint.find(folder)
        kept = checkpoint.load(path)
        changed = checkpoint.check(kept, plan.digest, _texts(plan.recipe))
        scheduler = plan.recipe.scheduler
        anew = "epochs" in changed and scheduler is not None and scheduler.spans_run
        if kept["data"]["train"] != plan.data.train.fingerprint():
            raise CheckpointError(f"{path} was trained on other images than these")
        checkpoint.check_weights(kept["model"], state.weights_like())
        with _as_checkpoint_error(path):
            state.load(kept, anew=anew)
            progress.best = {"value": kept["best"]["loss"], "metrics": {}} | dict(kept["best"])
            progress.waited, progress.finished = kept["waited"], kept["finished"]
            progress.history = [epoch_of(item) for item in kept["history"]]
            progress.told_chance = bool(kept["told_chance"])
            progress.confusion = kept.get("confusion")
        if plan.options.threads is None and isinstance(threads := kept.get("threads"), int) and 0 < threads < 4096:
            torch.set_num_threads(threads)
        if anew:
            self.tell("resume", f"the schedule is laid out anew, over {plan.recipe.epochs} epochs")
        for text in self._differences(kept):
            self.tell("resume", text)

    def _differences(self, kept: dict[str, Any]) -> list[str]:
        """What keeps the run from going on to the same bits."""
        now = self._surroundings() | {"torch": str(torch.__version__)}
        before = {**{name: kept.get(name) for name in now}, "torch": kept["versions"].get("torch")}
        told = [f"{name} {before[name]} -> {now[name]}" for name in now if before[name] != now[name]]
        return [f"the run goes on with other rounding than before: {', '.join(told)}"] if told else []

    def _surroundings(self) -> dict[str, Any]:
        layout = str(self.state.layout).removeprefix("torch.")
        return {"threads": torch.get_num_threads(), "processes": self.group.world, "layout": layout}

    # --- saving ---

    def is_due(self, now: float) -> bool:
        """Whether a checkpoint is due within an epoch."""
        options = self.plan.options
        by_steps = options.save_steps is not None and self.state.step % options.save_steps == 0
        return self.wanted is not None and (by_steps or now - self.saved >= options.save_seconds)

    def save(self, *, best: bool) -> None:
        """Write the checkpoint; where the epoch is the `best` so far, as that too. All processes have to call it."""
        self.saved = time.monotonic()
        if self.folder is None:
            if best and not self.state.sharded:
                with self.trainer.averaged():
                    self.weights = {k: v.detach().clone() for k, v in self.state.net.state_dict().items()}
            return
        self._settle()
        state = self.state.state() | self._about()
        if not self.group.is_main:
            return
        if self.in_background:
            self.writing = self.writer.submit(self._write, self.folder, copied(state), best)
        else:
            self._write(self.folder, state, best)
            self._tell_error()

    def _write(self, folder: Path, state: dict[str, Any], best: bool) -> None:
        if best:
            self.unsaved = None
        try:
            if self.unsaved is not None:
                checkpoint.save(folder, [checkpoint.BEST], self.unsaved)
                self.unsaved = None
            names = [checkpoint.BEST, checkpoint.LAST] if best else [checkpoint.LAST]
            checkpoint.save(folder, names, state)
            self.error = ""
        except CheckpointError as error:
            self.error = str(error)
            if best:
                # The net goes on: what has to be written later is copied.
                self.unsaved = copied(state)

    def _settle(self) -> None:
        """Wait until what is being written is there."""
        if self.writing is not None:
            self.writing.result()
            self.writing = None
            self._tell_error()

    def _tell_error(self) -> None:
        if self.error:
            self.tell("checkpoint", self.error)

    def finish(self) -> None:
        """Demand that the weights are saved; read the best ones, and write them in a form to share.

        Raises CheckpointError, in all processes, where they are not.
        """
        if self.folder is None:
            return
        self._settle()
        if self.error:
            self.save(best=False)
            self._settle()
        error = self.error
        if self.group.is_main and not error and self.progress.best["epoch"] is not None:
            try:
                self._share(self.folder)
            except CheckpointError as found:
                error = str(found)
        if error := self.group.first_error(error):
            raise CheckpointError(f"the weights of this run are not saved: {error}")

    def _share(self, folder: Path) -> None:
        state = checkpoint.load(checkpoint.find(folder, checkpoint.BEST))
        if state["epoch"] != self.progress.best["epoch"]:
            raise CheckpointError(f"{folder / checkpoint.BEST} is of epoch {state['epoch']}, not of the best")
        self.weights = averaged_or_last(state)
        about = {"spec": str(state["spec"]["text"]), "classes": "\n".join(map(str, state["data"]["classes"]))}
        checkpoint.share(folder, self.weights, about | {"model": str(state["spec"]["model"])})

    @contextlib.contextmanager
    def best_weights(self) -> Iterator[None]:
        """The net with its best weights inside, on all processes."""
        weights = self.weights
        if self.folder is not None and not self.group.is_main:
            weights = averaged_or_last(checkpoint.load(checkpoint.find(self.folder, checkpoint.BEST)))
        net, average = self.state.net, self.state.average
        kept = {key: value.clone() for key, value in net.state_dict().items()}
        self.state.average = None
        try:
            with torch.no_grad():
                for key, value in net.state_dict().items():
                    if key in weights:
                        distributed.copy_whole(value, weights[key])
            yield
        finally:
            with torch.no_grad():
                for key, value in net.state_dict().items():
                    value.copy_(kept[key])
            self.state.average = average

    def _about(self) -> dict[str, Any]:
        plan, graph, progress = self.plan, self.plan.graph, self.progress
        data = plan.data
        return {
            "format": checkpoint.FORMAT,
            "digest": plan.digest,
            "spec": {
                "text": graph.source.text, "path": str(graph.source.path), "model": graph.name, "files": self.files,
                "values": {
                    name: value for name, value in graph.values.items() if _is_plain(value) and name not in graph.fixed
                },
            },
            "recipe": _texts(plan.recipe),
            "data": {
                "train": data.train.fingerprint(), "classes": list(plan.task.classes), "shape": list(data.shape),
                "statistics": plan.prepare.statistics, "path": data.path, "dtypes": list(data.dtypes),
                "targets": [target.kind for target in data.all_targets],
                "names": [list(target.classes) for target in data.all_targets],
                "class_weights": class_weights(plan.recipe, data), "skipped": list(data.skipped),
            },
            "best": dict(progress.best),
            "confusion": progress.confusion,
            "waited": progress.waited,
            "finished": progress.finished,
            "history": [event.values() for event in progress.history],
            "told_chance": progress.told_chance,
            "versions": checkpoint.versions(),
            **{name: value for name, value in self._surroundings().items() if name != "layout"},
        }  # fmt: skip


def copied(state: Any) -> Any:
    """A state on the CPU that nothing changes any more."""
    if isinstance(state, torch.Tensor):
        return state.detach().to("cpu", copy=True)
    if isinstance(state, dict):
        return {key: copied(value) for key, value in state.items()}
    return type(state)(map(copied, state)) if isinstance(state, list | tuple) else state


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


def _texts(recipe: Any) -> dict[str, str]:
    from cnnspec.recipe.recipe import describe

    return describe(recipe)
