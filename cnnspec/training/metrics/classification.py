"""One class for every input: by a score for each class, or by one number for two classes."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from cnnspec.training.metrics.base import Meter, Prediction, Task
from cnnspec.training.metrics.ranking import Ranking

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cnnspec.training.summed_loss import SummedLoss

TOP = 5
"""Classes among which the right one has to be for the metric `top5`."""


class Classification(Task):
    """Scores by class, or one score for two classes; class numbers as targets."""

    score = "accuracy"

    def score_sum(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return (chosen(outputs, self.criterion) == targets).sum()

    def meter(self, device: torch.device) -> Meter:
        return _Confusion(self.criterion, len(self.classes), device)

    def told(self, outputs: Tensor, top: int) -> list[Prediction]:
        found = class_probabilities(outputs, self.criterion)
        values, indices = found.topk(min(max(top, 1), len(self.classes)), 1)
        rows = zip(values.tolist(), indices.tolist())
        ranked = [tuple((self.classes[index], value) for value, index in zip(*row)) for row in rows]
        return [Prediction(row[0][0], row[0][1], row) for row in ranked]


def chosen(outputs: Tensor, criterion: SummedLoss) -> Tensor:
    """The class that outputs [n, classes, ...] say; one output a sample is the score of the second of two classes."""
    if outputs.shape[1] == 1:
        return (criterion.probabilities(outputs)[:, 0] > 0.5).long()
    return outputs.argmax(1)


def class_probabilities(outputs: Tensor, criterion: SummedLoss) -> Tensor:
    """Probabilities of classes [n, classes, ...] of what a net gives, as its loss reads it."""
    found = criterion.probabilities(outputs)
    return torch.cat((1 - found, found), 1) if outputs.shape[1] == 1 else found


class _Confusion(Meter):
    def __init__(self, criterion: SummedLoss, classes: int, device: torch.device) -> None:
        self.criterion, self.classes = criterion, classes
        self.counts = torch.zeros(classes * classes, dtype=torch.int64, device=device)
        self.near = torch.zeros(1, dtype=torch.int64, device=device)
        self.ranking = Ranking(classes, device)

    def update(self, outputs: Tensor, targets: Tensor) -> None:
        found = chosen(outputs, self.criterion)
        self.counts += torch.bincount(targets * self.classes + found, minlength=self.classes**2)
        if self.classes > TOP and outputs.shape[1] > TOP:
            self.near += (outputs.topk(TOP, 1).indices == targets[:, None]).sum()
        rows = torch.nn.functional.one_hot(targets, self.classes)
        self.ranking.update(class_probabilities(outputs, self.criterion), rows)

    def tensors(self) -> list[Tensor]:
        return [self.counts, self.near, self.ranking.counts]

    def confusion(self) -> Tensor:
        return self.counts.view(self.classes, self.classes).cpu()

    def metrics(self) -> dict[str, float]:
        counts = self.confusion()
        total = int(counts.sum())
        found = {"accuracy": int(counts.diagonal().sum()) / max(total, 1), **of_classes(counts)}
        found["auc"] = self.ranking.area()
        return found | ({"top5": int(self.near) / max(total, 1)} if self.classes > TOP else {})


def of_classes(counts: Tensor) -> dict[str, float]:
    """Means over the classes that occur: precision, recall, F1 of a confusion matrix; 0 for what was never predicted."""
    wide = counts.double()
    right, real, said = wide.diagonal(), wide.sum(1), wide.sum(0)
    known = real > 0
    if not bool(known.any()):
        return dict.fromkeys(("precision", "recall", "f1"), math.nan)
    precision, recall = right / said.clamp(min=1), right / real.clamp(min=1)
    f1 = 2 * right / (real + said).clamp(min=1)
    return {name: float(v[known].mean()) for name, v in (("precision", precision), ("recall", recall), ("f1", f1))}
