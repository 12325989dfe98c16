"""A loss that stays where it was: that of guessing for a classifier, and of any network over epochs."""

from __future__ import annotations

import math

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


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


EPOCHS = 3
"""Epochs after which a loss that has not moved is remarked."""
_MOVED = 0.01
"""By which share of itself a loss moves that is learning."""


def stays(losses: Sequence[float], rate: float, frozen: Sequence[str]) -> str:
    """A text where the training loss is, at the end of epoch `EPOCHS`, what it was in the first one; "" otherwise.

    `losses` are the means of all epochs so far, `rate` the learning rate, `frozen` the keys of what is not trained.
    """
    if len(losses) != EPOCHS or not all(map(math.isfinite, losses)):
        return ""
    first = abs(losses[0])
    if not first or max(abs(loss - losses[0]) for loss in losses) > _MOVED * first:
        return ""
    reasons = [
        f"a learning rate of {rate:g} that is far too small or too large (`cnnspec train --find-lr` looks for one)"
    ]
    reasons += [f"what is frozen: {', '.join(frozen)}"] if frozen else []
    reasons += [
        "an activation at the end that can't give the targets, or a ReLU in front of it that gives nothing but 0",
        "targets that have nothing to do with their inputs",
    ]
    return (
        f"the training loss is {losses[-1]:.4g} as it was {EPOCHS} epochs ago; likely reasons, in this order: "
        + "; ".join(reasons)
    )
