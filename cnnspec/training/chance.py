"""A classifier whose loss stays that of guessing."""

from __future__ import annotations

import math


class Chance:
    """Notices a classifier whose training loss has stayed at that of guessing, ln(classes), for `patience` steps."""

    def __init__(self, classes: int, *, patience: int = 150, tolerance: float = 0.02) -> None:
        self.guess = math.log(max(classes, 2))
        self.classes, self.patience, self.tolerance = classes, patience, tolerance
        self.told = False

    def check(self, steps: int, loss: float, accuracy: float) -> str:
        """A text to show once, "" otherwise. `loss` and `accuracy` are means over what was seen lately."""
        near = loss > self.guess * (1 - self.tolerance) and accuracy < 1.6 / self.classes
        if self.told or steps < self.patience or not near or not math.isfinite(loss):
            return ""
        self.told = True
        return (
            f"still at chance after {steps:,} steps: the loss is {loss:.3f}, guessing among {self.classes} classes gives "
            f"ln {self.classes} = {self.guess:.3f}. Saturating activations (Sigmoid, Tanh) may need some hundred steps more; "
            "ReLU, init = xavier_uniform, another learning rate, a smaller batch or BatchNorm help"
        )
