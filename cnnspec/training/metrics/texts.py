"""A text for every input: scores of classes along time, read by CTC. Targets are class numbers, filled up with -1."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from cnnspec.training.metrics.base import Meter, Prediction, Task, wide
from cnnspec.training.summed_loss import TextLoss, lengths_of


class Texts(Task):
    """Outputs [n, time, classes]; the best class of each column is read, repeats once and the blank not at all."""

    score = "accuracy"
    criterion: TextLoss

    def read(self, outputs: Tensor) -> list[list[int]]:
        """The class numbers that outputs say, a list for each sample."""
        found = []
        for row in outputs.argmax(-1).tolist():
            kept = [one for index, one in enumerate(row) if index == 0 or one != row[index - 1]]
            found.append([one for one in kept if one != self.criterion.blank])
        return found

    def score_sum(self, outputs: Tensor, targets: Tensor) -> Tensor:
        right = [said == real for said, real in zip(self.read(outputs), texts_of(targets))]
        return torch.tensor(float(sum(right)), device=outputs.device)

    def meter(self, device: torch.device) -> Meter:
        return _Edits(self, device)

    def told(self, outputs: Tensor, top: int) -> list[Prediction]:
        names = [name if len(name) == 1 else f"{name} " for name in self.classes]
        texts = ["".join(names[one] for one in said).strip() for said in self.read(outputs)]
        likely = outputs.softmax(-1).amax(-1).log().sum(1).exp().tolist()
        return [Prediction(text or "nothing", value, ((text, value),)) for text, value in zip(texts, likely)]


def texts_of(targets: Tensor) -> list[list[int]]:
    """Targets as lists of class numbers."""
    rows = targets.long().tolist()
    return [row[:length] for row, length in zip(rows, lengths_of(targets).tolist())]


def edits(said: list[int], real: list[int]) -> int:
    """The fewest insertions, deletions and changes that make one list of another (Levenshtein 1966)."""
    line = list(range(len(real) + 1))
    for row, one in enumerate(said, 1):
        corner, line[0] = line[0], row
        for column, other in enumerate(real, 1):
            corner, line[column] = line[column], min(line[column] + 1, line[column - 1] + 1, corner + (one != other))
    return line[-1]


class _Edits(Meter):
    """Sums: texts, those that are right, edits, characters."""

    def __init__(self, task: Texts, device: torch.device) -> None:
        self.task = task
        self.sums = torch.zeros(4, dtype=wide(device), device=device)

    def update(self, outputs: Tensor, targets: Tensor) -> None:
        pairs = list(zip(self.task.read(outputs), texts_of(targets)))
        right = sum(said == real for said, real in pairs)
        found = [len(pairs), right, sum(edits(*pair) for pair in pairs), sum(len(real) for _, real in pairs)]
        self.sums += torch.tensor(found, dtype=self.sums.dtype, device=self.sums.device)

    def tensors(self) -> list[Tensor]:
        return [self.sums]

    def metrics(self) -> dict[str, float]:
        texts, right, changed, characters = self.sums.tolist()
        return {
            "cer": changed / characters if characters else math.nan,
            "accuracy": right / texts if texts else math.nan,
        }
