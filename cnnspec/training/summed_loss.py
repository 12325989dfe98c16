"""`SummedLoss`: a loss of torch as a sum over samples and what that sum is divided by: parts of a batch add up exactly."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from cnnspec.errors import TrainError
from cnnspec.recipe.losses import LOG_PROBABILITIES, PROBABILITIES
from cnnspec.training.factory import make_loss

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from cnnspec.recipe.choices import Loss


class SummedLoss:
    """A loss for outputs of one shape, without the batch.

    `total(outputs, targets)` is the sum; `divisor(targets)` what torch's own mean over these targets divides by: 1 for
    `reduction="sum"`. Losses that take class numbers have targets [n] for outputs [n, classes], or [n, height, width] for
    maps of scores; all others have targets in the shape of the output, and class numbers are made rows of 0 and 1 for them.
    """

    def __init__(
        self,
        chosen: Loss,
        output: tuple[int, ...],
        device: torch.device,
        class_weights: tuple[float, ...] | None = None,
    ) -> None:
        self.name, self.output = chosen.name, output
        self.classes = output[0] if output else 1
        arguments: dict[str, Any] = chosen.arguments()
        if class_weights is not None:
            if not chosen.weighted_mean or arguments["weight"] is not None:
                raise TrainError(f"class_weights can't be put into {self.name}: it takes none, or has a weight already")
            arguments["weight"] = class_weights
        for key in ("weight", "pos_weight"):
            if arguments.get(key) is not None:
                arguments[key] = torch.tensor(arguments[key], dtype=torch.float32, device=device)
        self.mean = arguments.pop("reduction") == "mean"
        self.weighted_mean = chosen.weighted_mean
        self.weight = arguments.get("weight") if self.weighted_mean else None
        self.ignored = arguments.get("ignore_index", -100)
        self.takes_classes = chosen.takes_classes
        self.wants, self.binary = chosen.wants, chosen.binary
        _check_weights(chosen, self.classes)
        self.module = make_loss(chosen, arguments).to(device)

    def total(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """The sum of the loss over a batch, a tensor without dimensions."""
        result: Tensor = self.module(outputs, targets if self.takes_classes else self._aligned(outputs, targets))
        return result

    def _aligned(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Targets as numbers in the shape of the outputs."""
        if targets.dtype is torch.int64 and self.classes > 1 and targets.dim() == outputs.dim() - 1:
            targets = nn.functional.one_hot(targets, self.classes).movedim(-1, 1)
        return targets.to(outputs.dtype).view_as(outputs)

    def divisor(self, targets: Tensor) -> float:
        """What the mean over these targets, those of all of a batch, divides the sum by."""
        if not self.mean:
            return 1.0
        if not self.weighted_mean:
            return float(targets.numel() if self.takes_classes else len(targets) * math.prod(self.output))
        # Class numbers are known to be in range; in maps, any number may stand for "ignore".
        if self.weight is None and targets.dim() == 1 and not 0 <= self.ignored < self.classes:
            return float(len(targets))
        kept = targets[targets != self.ignored]
        return float(len(kept) if self.weight is None else self.weight[kept].sum())

    def probabilities(self, outputs: Tensor) -> Tensor:
        """Outputs as probabilities along dimension 1, as the loss reads them."""
        if self.wants == LOG_PROBABILITIES:
            return outputs.exp()
        if self.wants == PROBABILITIES:
            return outputs
        return outputs.sigmoid() if self.binary else outputs.softmax(1)


def _check_weights(chosen: Loss, classes: int) -> None:
    for key in ("weight", "pos_weight"):
        given = getattr(chosen, key, None)
        if given is not None and len(given) not in chosen.weight_counts(classes):
            raise TrainError(f"{chosen.name}: {key} has {len(given)} values, the data set has {classes} classes")
