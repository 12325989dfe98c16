"""What training and evaluation give: `Run`, `Evaluation` and `Model`. Their texts are short, whatever they hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from cnnspec.backends.summary_page import escape
from cnnspec.training.metrics.base import Measured, Prediction
from cnnspec.training.report.confusion import draw_confusion
from cnnspec.training.report.curves import draw_curves

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

    import torch
    from torch import Tensor, nn

    from cnnspec.recipe.datasets import DataSet
    from cnnspec.training.augment.prepare import Preparation
    from cnnspec.training.data.load import Data
    from cnnspec.training.data.several import Shapes
    from cnnspec.training.events import Epoch
    from cnnspec.training.metrics.base import Task

__all__ = ["Evaluation", "Model", "Prediction", "Run", "evaluation_of"]


@dataclass(frozen=True, eq=False, repr=False)
class Model:
    """A net with what it needs to look at inputs: their preparation, what its outputs say, its data."""

    name: str
    """The name of the model in its spec."""
    net: nn.Module
    prepare: Preparation
    task: Task
    data: Data | DataSet
    """What it was trained on, or the declaration of it."""
    device: torch.device
    shape: Shapes
    """Of an input as it comes in: of an image, [channels, height, width]; of several inputs, of each."""
    dtypes: tuple[str, ...] = ("uint8",)
    """Of each input as it comes in: whole numbers of pixels and tokens, or `float32`."""
    path: str | None = None
    """The path that was given for its data."""
    skip_broken: bool = False
    """Whether files that can't be read were left out in training."""

    @property
    def classes(self) -> tuple[str, ...]:
        return self.task.classes

    @property
    def picture(self) -> tuple[int, int, int] | None:
        """Channels, height and width of the picture that it takes; None where it takes something else."""
        if len(self.shape) != 3 or self.dtypes != ("uint8",):
            return None
        channels, height, width = self.shape
        return (channels, height, width)  # type: ignore[return-value]

    def __repr__(self) -> str:
        return f"<Model {self.name} for {self.task.name}, inputs {list(self.shape)}, on {self.device}>"


@dataclass(frozen=True, eq=False, repr=False)
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
    """Weights of the best epoch; empty where none was complete."""
    folder: Path | None
    model: Model
    """The net with its preparation of images and the names of the classes, for `evaluate` and `predict`."""

    def __repr__(self) -> str:
        last = self.history[-1] if self.history else None
        loss = "" if last is None else f", loss {last.train_loss:.4f}"
        where = f", in {self.folder}" if self.folder is not None else ""
        return f"<Run {self.reason}: {len(self.history)} epoch{'' if len(self.history) == 1 else 's'}{loss}{where}>"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        """What a notebook shows: the curves."""
        if not self.history:
            return {"text/plain": repr(self)}
        curves = draw_curves(self.model.name, self.history, self.model.task.score)
        return {"text/plain": repr(self), "text/html": curves, "image/svg+xml": curves}


@dataclass(frozen=True, eq=False, repr=False)
class Evaluation:
    """A net on a set of samples."""

    loss: float
    metrics: dict[str, float]
    """The metrics of the task by name, such as accuracy."""
    confusion: Tensor | None
    """Samples by class (rows) and prediction (columns), int64 [classes, classes]; None for a task without classes."""
    images: int
    """Number of samples."""
    classes: tuple[str, ...]
    name: str = ""
    """The name of the model."""
    pictures: Callable[[], dict[str, str]] = dict
    """Makes pictures of what the net does with samples, worst first: SVG by the names of files, as in the folder of a run."""

    @property
    def accuracy(self) -> float:
        """Share of the samples that were put in the right class. Raises KeyError for a task that has none."""
        return self.metrics["accuracy"]

    @property
    def per_class(self) -> tuple[float, ...]:
        """Accuracy of each class; NaN for a class without samples."""
        if self.confusion is None:
            return ()
        return tuple((self.confusion.diagonal().double() / self.confusion.sum(1).double()).tolist())

    def __repr__(self) -> str:
        told = ", ".join(f"{name} {value:.4f}" for name, value in self.metrics.items())
        return f"<Evaluation of {self.images:,} samples: loss {self.loss:.4f}{', ' if told else ''}{told}>"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        """What a notebook shows: the confusion matrix, and the worst images."""
        drawn = [] if self.confusion is None else [draw_confusion(self.name, self.confusion.tolist(), self.classes)]
        drawn += self.pictures().values()
        told = f"<p>{escape(repr(self)[1:-1])}</p>"
        return {"text/plain": repr(self), "text/html": told + "\n".join(drawn)}


def evaluation_of(model: Model, found: Measured, pictures: Callable[[], dict[str, str]]) -> Evaluation:
    """The record of a pass over a set."""
    return Evaluation(found.loss, found.metrics, found.confusion, found.samples, model.classes, model.name, pictures)
