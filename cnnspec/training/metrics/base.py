"""What every kind of task has: a score of the training pass, a meter of a test, and what outputs say in words.

Meters hold sums alone, so that batches, processes and uneven divisions add up to the same numbers.
"""

from __future__ import annotations

import torch

from cnnspec.recipe.tasks import CLASSIFICATION
from cnnspec.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from torch import Tensor

    from cnnspec.recipe.tasks import Task as Kind


@record
class Measured:
    """A pass over a set: the mean loss, the metrics of the task by name, and its confusion matrix where it has classes."""

    loss: float
    metrics: dict[str, float]
    confusion: Tensor | None
    """Targets by class (rows) and prediction (columns), int64 [classes, classes], on the CPU."""
    samples: int


@record
class Prediction:
    """What a net says about one input."""

    label: str
    """The class in words, or the values."""
    probability: float
    """Of the class; NaN where the task has no probabilities."""
    top: tuple[tuple[str, float], ...]
    """What the net says by name, most probable first: classes with probabilities, or values by output."""


class Meter:
    """Sums over the samples of a pass. `update` adds a batch; `tensors` are added up over processes; `metrics` reads them."""

    def update(self, outputs: Any, targets: Any) -> None:
        raise NotImplementedError

    def tensors(self) -> list[Tensor]:
        raise NotImplementedError

    def metrics(self) -> dict[str, float]:
        raise NotImplementedError

    def confusion(self) -> Tensor | None:
        return None


class Task:
    """A kind of task with what it needs of a run: its loss and the names of its classes."""

    score = ""
    """The metric of the training pass, which the table shows."""

    def __init__(self, criterion: Any, classes: Sequence[str], kind: Kind) -> None:
        self.criterion, self.classes, self.kind = criterion, tuple(classes), kind
        self.name = kind.name

    @property
    def metrics(self) -> tuple[str, ...]:
        """The names of its metrics besides the loss."""
        return self.kind.metrics

    def is_falling(self, metric: str) -> bool:
        """Whether less of a metric is better."""
        return metric in ("loss", *self.kind.less)

    @property
    def guesses(self) -> bool:
        """Whether ln(classes) is the loss of guessing."""
        return self.kind == CLASSIFICATION and self.criterion.weighted_mean and self.criterion.mean

    def score_sum(self, outputs: Any, targets: Any) -> Tensor:
        """Sum of the score over the samples of a batch, a tensor without dimensions."""
        raise NotImplementedError

    def meter(self, device: torch.device) -> Meter:
        raise NotImplementedError

    def told(self, outputs: Any, top: int) -> list[Prediction]:
        """What outputs say, one record a sample."""
        raise NotImplementedError


def wide(device: torch.device) -> torch.dtype:
    """The type in which a device adds up long sums."""
    return torch.float32 if device.type == "mps" else torch.float64
