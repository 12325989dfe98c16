"""The area under the ROC curve as counts that add up over batches and processes."""

from __future__ import annotations

import math

import torch
from torch import Tensor

BINS = 2000
"""Steps of the probability: two samples in one step count as a tie."""


class Ranking:
    """How probable each class was for samples that are of it, and for the others."""

    def __init__(self, classes: int, device: torch.device) -> None:
        self.classes = classes
        self.counts = torch.zeros(2, classes, BINS, dtype=torch.int64, device=device)

    def update(self, probabilities: Tensor, truth: Tensor) -> None:
        """Probabilities [n, classes] and what is so, 0 or 1, [n, classes]."""
        steps = (probabilities.detach().float().clamp(0, 1) * (BINS - 1)).nan_to_num().round().long()
        classes = torch.arange(self.classes, device=steps.device)
        places = (truth.long() * self.classes + classes) * BINS + steps
        self.counts += torch.bincount(places.flatten(), minlength=self.counts.numel()).view_as(self.counts)

    def area(self) -> float:
        """Mean over the classes that have samples of both kinds; NaN without any."""
        others, own = self.counts.cpu().double()
        total, rest = own.sum(1), others.sum(1)
        below = others.cumsum(1) - others
        won = (own * (below + others / 2)).sum(1)
        known = (total > 0) & (rest > 0)
        return float((won[known] / (total[known] * rest[known])).mean()) if bool(known.any()) else math.nan
