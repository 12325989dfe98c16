"""Any number of labels for every input: a score for each label, 0 or 1 as its target."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from cnnspec.training.metrics.base import Meter, Prediction, Task
from cnnspec.training.metrics.ranking import Ranking

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cnnspec.training.summed_loss import SummedLoss


class SeveralLabels(Task):
    """A label is said where its probability is above one half."""

    score = "accuracy"

    def score_sum(self, outputs: Tensor, targets: Tensor) -> Tensor:
        said = self.criterion.probabilities(outputs) > 0.5
        right: Tensor = (said == (targets > 0.5)).float().mean(1).sum()
        return right

    def meter(self, device: torch.device) -> Meter:
        return _Labels(self.criterion, len(self.classes), device)

    def told(self, outputs: Tensor, top: int) -> list[Prediction]:
        found = []
        for row in self.criterion.probabilities(outputs).tolist():
            said = [name for name, value in zip(self.classes, row) if value > 0.5]
            ranked = sorted(zip(self.classes, row), key=lambda item: -item[1])
            found.append(Prediction(", ".join(said) or "none", math.nan, tuple(ranked[: max(top, 1)])))
        return found


class _Labels(Meter):
    def __init__(self, criterion: SummedLoss, labels: int, device: torch.device) -> None:
        self.criterion = criterion
        self.counts = torch.zeros(4, labels, dtype=torch.int64, device=device)
        """Of each label: said and right, said and wrong, not said and wrong, not said and right."""
        self.ranking = Ranking(labels, device)

    def update(self, outputs: Tensor, targets: Tensor) -> None:
        found = self.criterion.probabilities(outputs)
        said, real = found > 0.5, targets > 0.5
        self.counts += torch.stack(
            [(a & b).sum(0) for a, b in ((said, real), (said, ~real), (~said, real), (~said, ~real))]
        )
        self.ranking.update(found, real)

    def tensors(self) -> list[Tensor]:
        return [self.counts, self.ranking.counts]

    def metrics(self) -> dict[str, float]:
        right, wrong, missed, quiet = self.counts.cpu().double()
        known = right + missed > 0
        if not bool(known.any()):
            return dict.fromkeys(("accuracy", "f1", "precision", "recall", "auc"), math.nan)
        each = {
            "f1": 2 * right / (2 * right + wrong + missed).clamp(min=1),
            "precision": right / (right + wrong).clamp(min=1),
            "recall": right / (right + missed).clamp(min=1),
        }
        accuracy = float((right + quiet).sum() / self.counts.sum().clamp(min=1).cpu())
        means = {name: float(values[known].mean()) for name, values in each.items()}
        return {"accuracy": accuracy, **means, "auc": self.ranking.area()}
