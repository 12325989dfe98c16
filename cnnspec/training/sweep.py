"""Many runs with different settings, chosen by Optuna: what was tried, how good each was, and which was the best.

A sweep lives in a folder: `study.log` is Optuna's journal, from which it goes on, `trial-N` are the folders of the runs.
"""

from __future__ import annotations

import itertools
import os
from pathlib import Path

from cnnspec.errors import TrainError, UsageError
from cnnspec.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from optuna import Study
    from optuna.trial import FrozenTrial
    from optuna.trial import Trial as OptunaTrial

    from cnnspec.training.events import Epoch
    from cnnspec.training.results import Run

JOURNAL = "study.log"
TRIALS = 20
"""How many runs a sweep has where ranges leave it open."""
_TRIES = 2
"""How many runs there are at most for one that is wanted, where runs fail."""
_WIDE = 10.0
"""Ratio of the ends from which a range is searched by its logarithm."""


@record
class Choices:
    """Texts of which one is taken."""

    texts: tuple[str, ...]

    @property
    def samples(self) -> tuple[str, ...]:
        """Texts that have to make sense for all to do so."""
        return self.texts


@record
class Range:
    """Numbers from `low` to `high`; whole ones where both ends are."""

    low: float
    high: float

    @property
    def whole(self) -> bool:
        return isinstance(self.low, int) and isinstance(self.high, int)

    @property
    def log(self) -> bool:
        return self.low > 0 and self.high / self.low >= _WIDE

    @property
    def samples(self) -> tuple[str, ...]:
        return str(self.low), str(self.high)


Space = Choices | Range


@record
class Tried:
    """One run of a sweep. `state` is `complete`, `pruned`, `failed` or `running`; `value` is what it was judged by."""

    number: int
    settings: dict[str, str]
    state: str
    value: float | None
    epochs: int
    problem: str = ""


def space_of(text: str) -> Space | None:
    """What `a,b,c` and `low..high` stand for; None for a single value. Commas and dots in brackets and quotes don't count."""
    parts = _split(text)
    if len(parts) > 1:
        return Choices(tuple(parts))
    low, separator, high = text.partition("..")
    if not separator:
        return None
    ends = [_number(low), _number(high)]
    if None in ends or not ends[0] < ends[1]:  # type: ignore[operator]
        raise UsageError(f"{text!r} is no range: LOW..HIGH takes two numbers, the smaller one first")
    return Range(*ends)  # type: ignore[arg-type]


def _split(text: str) -> list[str]:
    parts, depth, quoted = [""], 0, False
    for character in text:
        if character == '"':
            quoted = not quoted
        depth += 0 if quoted else (character in "([") - (character in ")]")
        if character == "," and depth == 0 and not quoted:
            parts.append("")
        else:
            parts[-1] += character
    return [part.strip() for part in parts if part.strip()]


def _number(text: str) -> float | int | None:
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        return None


def count_of(spaces: Mapping[str, Space]) -> int | None:
    """How many combinations there are; None where a range leaves it open."""
    counts = [len(space.texts) if isinstance(space, Choices) else None for space in spaces.values()]
    total = 1
    for count in counts:
        if count is None:
            return None
        total *= count
    return total


class Sweep:
    """A sweep in a folder. `falls` is whether a smaller value is better."""

    def __init__(self, folder: str | os.PathLike[str], spaces: Mapping[str, Space], *, seed: int, falls: bool) -> None:
        import optuna
        from optuna.storages import JournalStorage
        from optuna.storages.journal import JournalFileBackend

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self.folder, self.spaces, self.falls = Path(folder), dict(spaces), falls
        self.folder.mkdir(parents=True, exist_ok=True)
        storage = JournalStorage(JournalFileBackend(str(self.folder / JOURNAL)))
        pruner = optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=1)
        self.study: Study = optuna.create_study(
            storage=storage, pruner=pruner, study_name="sweep", load_if_exists=True,
            direction="minimize" if falls else "maximize",
        )  # fmt: skip
        # A sweep that goes on draws other numbers than at its beginning.
        self.study.sampler = optuna.samplers.TPESampler(seed=seed + len(self.study.get_trials(deepcopy=False)))
        for trial in self.study.get_trials(deepcopy=False):
            # One that was running when the sweep was stopped is run anew.
            if trial.state == optuna.trial.TrialState.RUNNING:
                self.study.tell(trial.number, state=optuna.trial.TrialState.FAIL)
        if count_of(spaces) is not None:
            for texts in itertools.product(*[space.samples for space in spaces.values()]):
                self.study.enqueue_trial(dict(zip(spaces, texts)), skip_if_exists=True)

    def run(
        self, trials: int, train: Callable[[dict[str, str], Path, Sequence[object]], Run],
        value_of: Callable[[Epoch], float], told: Callable[[Tried], None],
    ) -> None:  # fmt: skip
        """Run until so many trials are done. `train` runs settings into a folder, with callbacks."""
        import optuna

        while True:
            done = sum(one.state in ("complete", "pruned") for one in self.tried)
            if done >= trials or len(self.tried) >= _TRIES * trials:
                return
            trial = self.study.ask()
            settings = {name: self._suggested(trial, name) for name in self.spaces}
            for name, text in settings.items():
                trial.set_user_attr(name, text)
            watch = _Watch(trial, value_of)
            try:
                run = train(settings, self.folder / f"trial-{trial.number}", (watch,))
            except optuna.TrialPruned:
                self.study.tell(trial, state=optuna.trial.TrialState.PRUNED)
            except TrainError as error:
                trial.set_user_attr("problem", str(error).splitlines()[0])
                self.study.tell(trial, state=optuna.trial.TrialState.FAIL)
            else:
                if run.reason == "interrupted" or watch.best is None:
                    self.study.tell(trial, state=optuna.trial.TrialState.FAIL)
                    raise KeyboardInterrupt
                self.study.tell(trial, watch.best)
            told(_tried(self.study.get_trials(deepcopy=False)[trial.number], self.spaces))

    def _suggested(self, trial: OptunaTrial, name: str) -> str:
        space = self.spaces[name]
        if isinstance(space, Choices):
            return str(trial.suggest_categorical(name, space.texts))
        if space.whole:
            return str(trial.suggest_int(name, int(space.low), int(space.high), log=space.log))
        return f"{trial.suggest_float(name, space.low, space.high, log=space.log):.4g}"

    @property
    def tried(self) -> list[Tried]:
        """The runs that have begun."""
        trials = self.study.get_trials(deepcopy=False)
        return [_tried(trial, self.spaces) for trial in trials if trial.state.name != "WAITING"]

    @property
    def best(self) -> Tried | None:
        """The best complete trial."""
        done = [one for one in self.tried if one.state == "complete" and one.value is not None]
        return min(done, key=lambda one: (one.value or 0.0) if self.falls else -(one.value or 0.0), default=None)


def _tried(trial: FrozenTrial, spaces: Mapping[str, Space]) -> Tried:
    names = {"COMPLETE": "complete", "PRUNED": "pruned", "FAIL": "failed"}
    value = trial.value if trial.state.name == "COMPLETE" else None
    if value is None and trial.intermediate_values:
        value = trial.intermediate_values[max(trial.intermediate_values)]
    settings = {name: str(trial.user_attrs.get(name, trial.params.get(name, ""))) for name in spaces}
    problem = str(trial.user_attrs.get("problem", ""))
    return Tried(
        trial.number, settings, names.get(trial.state.name, "running"), value, len(trial.intermediate_values), problem
    )


class _Watch:
    """Tells the study of every epoch, and ends a run that is worse than most were by then."""

    def __init__(self, trial: OptunaTrial, value_of: Callable[[Epoch], float]) -> None:
        self.trial, self.value_of = trial, value_of
        self.best: float | None = None

    def on_epoch(self, event: Epoch) -> None:
        import optuna

        value = self.value_of(event)
        if event.best or self.best is None:
            self.best = value
        self.trial.report(value, event.epoch)
        if self.trial.should_prune():
            raise optuna.TrialPruned
