"""A class for every position of an image: maps of scores, masks of class numbers as targets."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from cnnspec.training.metrics.base import Meter, Prediction, Task
from cnnspec.training.metrics.classification import chosen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cnnspec.training.summed_loss import SummedLoss


class Segmentation(Task):
    """Positions whose target is the loss's `ignore_index` count nowhere."""

    score = "accuracy"

    def score_sum(self, outputs: Tensor, targets: Tensor) -> Tensor:
        kept = targets != self.criterion.ignored
        right = (chosen(outputs, self.criterion) == targets) & kept
        shares: Tensor = right.flatten(1).sum(1) / kept.flatten(1).sum(1).clamp(min=1)
        return shares.sum()

    def meter(self, device: torch.device) -> Meter:
        return _Positions(self.criterion, len(self.classes), device)

    def told(self, outputs: Tensor, top: int) -> list[Prediction]:
        found = []
        for mask in chosen(outputs, self.criterion):
            shares = torch.bincount(mask.flatten(), minlength=len(self.classes)) / max(mask.numel(), 1)
            ranked = sorted(zip(self.classes, shares.tolist()), key=lambda item: -item[1])
            found.append(Prediction(ranked[0][0], math.nan, tuple(ranked[: max(top, 1)])))
        return found


class _Positions(Meter):
    def __init__(self, criterion: SummedLoss, classes: int, device: torch.device) -> None:
        self.criterion, self.classes = criterion, classes
        self.counts = torch.zeros(classes * classes, dtype=torch.int64, device=device)

    def update(self, outputs: Tensor, targets: Tensor) -> None:
        kept = targets != self.criterion.ignored
        found, real = chosen(outputs, self.criterion)[kept], targets[kept]
        self.counts += torch.bincount(real * self.classes + found, minlength=self.classes**2)

    def tensors(self) -> list[Tensor]:
        return [self.counts]

    def confusion(self) -> Tensor:
        return self.counts.view(self.classes, self.classes).cpu()

    def metrics(self) -> dict[str, float]:
        counts = self.confusion().double()
        right, real, said = counts.diagonal(), counts.sum(1), counts.sum(0)
        known = real + said > 0
        if not bool(known.any()):
            return dict.fromkeys(("accuracy", "miou", "dice"), math.nan)
        return {
            "accuracy": float(right.sum() / counts.sum()),
            "miou": float((right / (real + said - right).clamp(min=1))[known].mean()),
            "dice": float((2 * right / (real + said).clamp(min=1))[known].mean()),
        }
