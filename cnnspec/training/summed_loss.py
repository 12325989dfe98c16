"""`SummedLoss`: a loss of torch as a sum over samples and what that sum is divided by: parts of a batch add up exactly.

`SeveralLosses` are those of a net of several outputs, `summed` makes what a recipe asks for.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from cnnspec.errors import TrainError
from cnnspec.recipe.losses import LOG_PROBABILITIES, PROBABILITIES
from cnnspec.training.data.several import Several, parts_of
from cnnspec.training.factory import make_loss

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from cnnspec.recipe.choices import Loss
    from cnnspec.training.data.several import Values


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
        reduction = arguments.pop("reduction")
        self.mean = reduction != "sum"
        self.per_sample = chosen.per_sample or reduction == "batchmean"
        self.signs = chosen.signs
        self.weighted_mean = chosen.weighted_mean
        self.weight = arguments.get("weight") if self.weighted_mean else None
        self.ignored = arguments.get("ignore_index", -100)
        self.takes_classes = chosen.takes_classes
        self.wants, self.binary = chosen.wants, chosen.binary
        _check_weights(chosen, self.classes)
        self.module = make_loss(chosen, arguments).to(device)

    @property
    def factors(self) -> tuple[float, ...]:
        """What each loss counts: of one, 1."""
        return (1.0,)

    def each(self, outputs: Values, targets: Values) -> list[tuple[Tensor, Tensor | float]]:
        """Of each loss its sum over a batch and what that is divided by."""
        found, wanted = parts_of(outputs)[0], parts_of(targets)[0]
        return [(self.total(found, wanted), self.divisor(wanted) if self.mean else float(len(wanted)))]

    def total(self, outputs: Tensor, targets: Tensor, whole: Tensor | None = None) -> Tensor:
        """The sum of the loss over a batch, a tensor without dimensions; the `whole` of the batch changes nothing."""
        result: Tensor = self.module(outputs, targets if self.takes_classes else self._aligned(outputs, targets))
        return result

    def _aligned(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Targets as numbers in the shape of the outputs."""
        if targets.dtype is torch.int64 and self.classes > 1 and targets.dim() == outputs.dim() - 1:
            targets = nn.functional.one_hot(targets, self.classes).movedim(-1, 1)
        aligned = targets.to(outputs.dtype).view_as(outputs)
        return aligned * 2 - 1 if self.signs else aligned

    def divisor(self, targets: Tensor) -> Tensor | float:
        """What the mean over these targets, those of all of a batch, divides the sum by; nothing is read from a device."""
        if not self.mean:
            return 1.0
        if self.per_sample:
            return float(len(targets))
        if not self.weighted_mean:
            return float(targets.numel() if self.takes_classes else len(targets) * math.prod(self.output))
        # Class numbers are known to be in range; in maps, any number may stand for "ignore".
        if self.weight is None and targets.dim() == 1 and not 0 <= self.ignored < self.classes:
            return float(len(targets))
        kept = targets != self.ignored
        counts: Tensor = kept if self.weight is None else self.weight[targets.where(kept, 0)] * kept
        return counts.sum()

    def probabilities(self, outputs: Tensor) -> Tensor:
        """Outputs as probabilities along dimension 1, as the loss reads them."""
        if self.wants == LOG_PROBABILITIES:
            return outputs.exp()
        if self.wants == PROBABILITIES:
            return outputs
        return outputs.sigmoid() if self.binary else outputs.softmax(1)


class TextLoss(SummedLoss):
    """A loss over alignments: outputs [n, time, classes], targets [n, length] of class numbers filled up with -1."""

    def __init__(self, chosen: Loss, output: tuple[int, ...], device: torch.device) -> None:
        super().__init__(chosen, output, device)
        self.classes = output[-1]
        self.blank, self.zero_infinity = int(self.module.blank), bool(self.module.zero_infinity)  # type: ignore[arg-type]

    def total(self, outputs: Tensor, targets: Tensor, whole: Tensor | None = None) -> Tensor:
        scores = outputs.float().log_softmax(-1).transpose(0, 1)
        targets, lengths = targets.long(), lengths_of(targets)
        columns = torch.full_like(lengths, scores.shape[0])
        losses = nn.functional.ctc_loss(
            scores, targets.clamp(min=0), columns, lengths, blank=self.blank, reduction="none",
            zero_infinity=self.zero_infinity,
        )  # fmt: skip
        return (losses / lengths.clamp(min=1) if self.mean else losses).sum()


class SeveralLosses:
    """The losses of several outputs, with a factor each. The same targets for all, or some for each."""

    mean = True
    weight: Tensor | None = None

    def __init__(self, losses: Sequence[SummedLoss], factors: Sequence[float]) -> None:
        self.losses, self.factors = tuple(losses), tuple(factors)

    def _pairs(self, targets: Values) -> list[tuple[SummedLoss, Tensor]]:
        shared = not isinstance(targets, Several)
        return [(loss, parts_of(targets)[0 if shared else index]) for index, loss in enumerate(self.losses)]

    def each(self, outputs: Values, targets: Values) -> list[tuple[Tensor, Tensor | float]]:
        """Of each loss its sum over a batch and what that is divided by."""
        return [loss.each(found, wanted)[0] for (loss, wanted), found in zip(self._pairs(targets), parts_of(outputs))]

    def total(self, outputs: Values, targets: Values, whole: Values | None = None) -> Tensor:
        """The sum over a batch of what each sample adds to the loss of the `whole` batch, by default these samples."""
        result = parts_of(outputs)[0].new_zeros(())
        of_whole = self._pairs(targets if whole is None else whole)
        for factor, found, (loss, wanted), (_, all_wanted) in zip(
            self.factors, parts_of(outputs), self._pairs(targets), of_whole
        ):
            scale = factor * len(all_wanted) / or_one(loss.divisor(all_wanted))
            result = result + loss.total(found, wanted) * scale
        return result

    def divisor(self, targets: Values) -> float:
        return float(len(targets))


def summed(
    chosen: Loss, output: tuple[int, ...], device: torch.device, class_weights: tuple[float, ...] | None = None
) -> SummedLoss:
    """The loss of a recipe for outputs of one shape."""
    if chosen.takes_text:
        return TextLoss(chosen, output, device)
    return SummedLoss(chosen, output, device, class_weights)


def or_one(divisor: Tensor | float) -> Tensor | float:
    """What a batch is divided by: 1 where there is nothing to count, as where all of it is ignored."""
    return torch.where(divisor == 0, 1, divisor) if isinstance(divisor, Tensor) else divisor or 1.0


def lengths_of(targets: Tensor) -> Tensor:
    """How long each text is, [n]: what is behind it is -1."""
    return (targets >= 0).sum(1)


def _check_weights(chosen: Loss, classes: int) -> None:
    for key in ("weight", "pos_weight"):
        given = getattr(chosen, key, None)
        if given is not None and len(given) not in chosen.weight_counts(classes):
            raise TrainError(f"{chosen.name}: {key} has {len(given)} values, the data set has {classes} classes")
