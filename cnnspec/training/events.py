"""What a run tells its callbacks: one frozen record an event, with plain numbers and text, never a tensor.

A callback is any object with some of the methods of `Callback`; those it lacks are skipped. Under torchrun only the
process of rank 0 calls them. An exception in a callback ends the run.
"""

from __future__ import annotations

from cnnspec.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


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
    classes: tuple[str, ...]
    """Names of the classes."""
    train_images: int
    test_images: int
    batch: int
    epochs: int
    steps: int
    """Steps an epoch."""
    device: str
    why: str
    """How the device and the layout were chosen, as one sentence."""
    processes: int
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
    accuracy: float
    """Share of the images of this epoch so far that were put in the right class."""
    learning_rate: float
    gradient_norm: float | None
    """Norm of the gradient of the last step, before clipping; None where it isn't measured."""
    seconds: float
    """Time since this epoch began, or was resumed."""
    images_per_second: float


@record
class Epoch:
    """An epoch is complete and the test set was evaluated."""

    epoch: int
    """Counted from 1."""
    epochs: int
    step: int
    """Steps done in the whole run."""
    train_loss: float
    train_accuracy: float
    test_loss: float | None
    test_accuracy: float | None
    learning_rate: float
    """That of the epoch's last step."""
    seconds: float
    """Time of the training part, since the start of the epoch or the resumption."""
    test_seconds: float
    images_per_second: float
    best: bool
    """The lowest test loss so far."""


@record
class Notice:
    """Something to tell the user once: stuck at chance, a checkpoint that could not be written, another thread count."""

    kind: str
    """`chance`, `checkpoint`, `resume`, `device`."""
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
    best_accuracy: float | None
    confusion: tuple[tuple[int, ...], ...] | None
    """Test images by class (rows) and prediction (columns), of the last weights; None where nothing was evaluated."""


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
