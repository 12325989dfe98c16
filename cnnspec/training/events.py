"""What a run tells its callbacks: one frozen record an event, with plain numbers and text, never a tensor.

A callback is any object with some of the methods of `Callback`; those it lacks are skipped. Under torchrun only the
process of rank 0 calls them. An exception in a callback ends the run.
"""

from __future__ import annotations

from cnnspec.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any


@record
class Start:
    """The run is about to begin, or to go on."""

    model: str
    parameters: int
    """Number of learnable values."""
    digest: str
    """Hash of the architecture."""
    recipe: dict[str, str]
    """Every setting as a recipe writes it."""
    task: str
    """`classification`, `segmentation`, ..."""
    score: str
    """The metric of the training pass."""
    judged_by: str
    """What decides which epoch is the best: `loss` or a metric of the task."""
    judged_on: str
    """The split that decides it: `validation`, `test`, or `train` where there is no other."""
    classes: tuple[str, ...]
    """Names of the classes."""
    data: str
    """The data set and where it was read from."""
    train_images: int
    validation_images: int
    test_images: int
    skipped: tuple[str, ...]
    """What was left out so far because it could not be read."""
    batch: int
    epochs: int
    steps: int
    """Steps an epoch."""
    device: str
    why: str
    """How the device and the layout were chosen, as one sentence."""
    processes: int
    threads: int
    """Of torch, in each process."""
    seed: int
    folder: str | None
    epoch: int
    """Epochs that are complete already: 0 unless resumed."""
    step: int
    """Steps of the next epoch that are done already: 0 unless resumed in the middle of one."""


@record
class Step:
    """So many steps are done. Sent a few times a second and at the end of an epoch; every time to a callback that has
    `every_step = True`."""

    epoch: int
    """The epoch that is running, counted from 1."""
    step: int
    """Steps done in this epoch."""
    steps: int
    """Steps of an epoch."""
    images: int
    """Images seen in this epoch."""
    loss: float
    """Mean training loss of this epoch so far."""
    score: float
    """The task's score on the images of this epoch so far: for a classifier, the share put in the right class."""
    learning_rate: float
    gradient_norm: float | None
    """Norm of the gradient of the last step, before clipping; None where it isn't measured."""
    seconds: float
    """Time since this epoch began, or was resumed."""
    images_per_second: float


@record
class Epoch:
    """An epoch is complete and was judged: on the validation split where there is one, otherwise on the test set."""

    epoch: int
    """Counted from 1."""
    epochs: int
    step: int
    """Steps done in the whole run."""
    train_loss: float
    train_metrics: dict[str, float]
    """The score of the task, measured while the epoch ran."""
    validation_loss: float | None
    validation_metrics: dict[str, float]
    test_loss: float | None
    test_metrics: dict[str, float]
    learning_rate: float
    """That of the epoch's last step."""
    seconds: float
    """Time of the training part, since the start of the epoch or the resumption."""
    test_seconds: float
    images_per_second: float
    best: bool
    """The best so far."""

    @property
    def train_accuracy(self) -> float | None:
        return self.train_metrics.get("accuracy")

    @property
    def test_accuracy(self) -> float | None:
        return self.test_metrics.get("accuracy")

    @property
    def judged_loss(self) -> float:
        """The loss on the split that decides which epoch is the best."""
        losses = (self.validation_loss, self.test_loss)
        return next((loss for loss in losses if loss is not None), self.train_loss)

    @property
    def judged_metrics(self) -> dict[str, float]:
        """The metrics on that split."""
        if self.validation_loss is not None:
            return self.validation_metrics
        return self.train_metrics if self.test_loss is None else self.test_metrics

    def values(self) -> dict[str, float | None]:
        """Everything by one name each, metrics as `test_accuracy`: as metrics.jsonl and checkpoints hold it."""
        found: dict[str, float | None] = {}
        for name in Epoch.__match_args__:
            value = getattr(self, name)
            if isinstance(value, dict):
                prefix = name.removesuffix("metrics")
                found |= {f"{prefix}{metric}": number for metric, number in value.items()}
            elif value is not None or name == "test_loss":
                found[name] = value
        return found


SPLITS = ("train", "validation", "test")


def epoch_of(values: dict[str, Any]) -> Epoch:
    """An epoch from what `values` gave. Raises KeyError where something is missing."""
    plain = [name for name in Epoch.__match_args__ if not name.endswith("metrics")]
    known: dict[str, Any] = {name: values[name] for name in plain if name != "validation_loss"}
    known["validation_loss"] = values.get("validation_loss")
    for split in SPLITS:
        prefix = f"{split}_"
        named = {name: value for name, value in values.items() if name.startswith(prefix) and name not in plain}
        known[f"{prefix}metrics"] = {n.removeprefix(prefix): v for n, v in named.items() if v is not None}
    return Epoch(**known)


@record
class Notice:
    """Something to tell the user once: stuck at chance, a checkpoint that could not be written, another thread count."""

    kind: str
    """`chance`, `flat`, `checkpoint`, `resume`, `device`, `skipped`, `spec`, `files`."""
    text: str


@record
class End:
    """The run is over."""

    reason: str
    """`finished`, `early_stopping`, `interrupted`, `failed`."""
    text: str
    """What happened and how to go on, as one sentence."""
    epoch: int
    """Epochs that are complete."""
    step: int
    seconds: float
    best_epoch: int | None
    best_loss: float | None
    best_metrics: dict[str, float]
    test_loss: float | None
    """Of the best weights, where the test set was looked at once, at the end."""
    test_metrics: dict[str, float]
    confusion: tuple[tuple[int, ...], ...] | None
    """Test images by class (rows) and prediction (columns), of the best weights; None where there is none."""
    saved: bool
    """Whether the weights are in the run's folder."""


class Callback:
    """What a callback may implement. Deriving from it is not needed."""

    every_step = False

    def on_start(self, event: Start) -> None: ...

    def on_step(self, event: Step) -> None: ...

    def on_epoch(self, event: Epoch) -> None: ...

    def on_notice(self, event: Notice) -> None: ...

    def on_end(self, event: End) -> None: ...


def send(callbacks: Sequence[object], method: str, event: object) -> None:
    """Call one method of every callback that has it."""
    for callback in callbacks:
        handler = getattr(callback, method, None)
        if handler is not None:
            handler(event)
