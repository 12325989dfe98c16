"""Losses of torch.nn under torch's names, with torch's arguments in torch's order.

What a loss wants of the last layer and of the targets stands on its class. Deprecated arguments are left out, and so is
`reduction="none"`, which gives no number to train on.
"""

from cnnspec.declare import Choice, Count, Integer, Number, Real, Reject, Tuple, Unit, Whole
from cnnspec.recipe import contradictions
from cnnspec.recipe.component import Above, Component, NonNegative

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    from cnnspec.analysis.memory import Compared

    Weights: TypeAlias = tuple[float, ...] | None
    Mean: TypeAlias = str
    BatchMean: TypeAlias = str
else:
    Weights = Tuple(Number(0), None) | None
    Mean = Choice("mean", "sum")
    BatchMean = Choice("mean", "sum", "batchmean")

SCORES, LOG_PROBABILITIES, PROBABILITIES, VALUES = "scores", "log-probabilities", "probabilities", "values"


class Loss(Component, family=True):
    """A loss of torch.nn."""

    wants = VALUES
    """What the last layer has to give: scores of any size, log-probabilities, probabilities, or the values themselves."""
    applies = ""
    """The activation that the loss applies to scores itself."""
    takes_classes = False
    """Its targets are class numbers; otherwise numbers in the shape of the output."""
    takes_text = False
    """Its targets are sequences of class numbers, shorter than the output."""
    binary = False
    """Each number of the output is a yes or no of its own."""
    per_sample = False
    """Its mean is over samples, not over the numbers of the output."""
    signs = False
    """Its targets are 1 and -1, made of 1 and 0."""
    activation = ""
    """The layer that makes what it wants of scores, """
    instead = ""
    """and the loss that takes scores themselves."""
    keeps = holds = forward = backward = 0
    """How many times the values of the output torch allocates for it: see `Compared`."""
    weighted_mean = False
    """Its mean is over the weights of the targets, and ln(classes) is the loss of guessing."""

    @property
    def compared(self) -> "Compared | None":
        """What it takes of memory; None for a loss that begins with a log-softmax."""
        if self.applies == "log-softmax":
            return None
        from cnnspec.analysis.memory import Compared

        return Compared(self.takes_classes, self.keeps, self.holds, self.forward, self.backward)

    def weight_counts(self, classes: int) -> tuple[int, ...]:
        """How many values its weights may have for an output of `classes` classes."""
        return (classes,)


class CrossEntropyLoss(Loss):
    """Log-softmax and the negative log-likelihood of the right class."""

    wants = SCORES
    applies = "log-softmax"
    takes_classes = True
    weighted_mean = True
    weight: Weights = None
    ignore_index: Integer = -100
    reduction: Mean = "mean"
    label_smoothing: Unit = 0.0


class NLLLoss(Loss):
    """The negative log-likelihood of the right class; wants log-probabilities."""

    wants = LOG_PROBABILITIES
    activation = "LogSoftmax(1)"
    instead = "CrossEntropyLoss"
    takes_classes = True
    weighted_mean = True
    weight: Weights = None
    ignore_index: Integer = -100
    reduction: Mean = "mean"


class MultiMarginLoss(Loss):
    """The hinge loss of several classes."""

    wants = SCORES
    takes_classes = True
    p: Count = 1
    margin: Real = 1.0
    weight: Weights = None
    reduction: Mean = "mean"

    def validate(self) -> None:
        if self.p > 2:
            raise Reject("p", contradictions.WRONG_EXPONENT)


class MSELoss(Loss):
    """The mean square of the differences."""

    holds = 1
    reduction: Mean = "mean"


class L1Loss(Loss):
    """The mean size of the differences."""

    keeps = forward = backward = 1
    reduction: Mean = "mean"


class SmoothL1Loss(Loss):
    """Square below beta, linear above."""

    holds = 1
    reduction: Mean = "mean"
    beta: NonNegative = 1.0


class HuberLoss(Loss):
    """Square below delta, linear above."""

    reduction: Mean = "mean"
    delta: Above = 1.0


class _Binary(Loss):
    binary = True

    def weight_counts(self, classes: int) -> tuple[int, ...]:
        return (1, classes)


class BCELoss(_Binary):
    """Binary cross entropy of each output; wants probabilities."""

    holds = 1
    wants = PROBABILITIES
    activation = "Sigmoid"
    instead = "BCEWithLogitsLoss"
    weight: Weights = None
    reduction: Mean = "mean"


class BCEWithLogitsLoss(_Binary):
    """Sigmoid and binary cross entropy of each output."""

    wants = SCORES
    applies = "a sigmoid"
    weight: Weights = None
    reduction: Mean = "mean"
    pos_weight: Weights = None


class MultiLabelSoftMarginLoss(_Binary):
    """Sigmoid and binary cross entropy, as a mean over the labels of each sample."""

    keeps, forward = 4, 3
    wants = SCORES
    applies = "a sigmoid"
    per_sample = True
    weight: Weights = None
    reduction: Mean = "mean"


class SoftMarginLoss(_Binary):
    """The logistic loss of each output; targets of 0 and 1 are read as -1 and 1."""

    holds = 1
    wants = SCORES
    applies = "a sigmoid"
    signs = True
    reduction: Mean = "mean"


class KLDivLoss(Loss):
    """The divergence of distributions: log-probabilities against probabilities, or with log_target their logarithms."""

    forward = 3
    wants = LOG_PROBABILITIES
    activation = "LogSoftmax(1)"
    instead = "CrossEntropyLoss"
    reduction: BatchMean = "mean"
    log_target: bool = False


class PoissonNLLLoss(Loss):
    """The negative log-likelihood of counts; the output is the logarithm of the rate unless log_input is false."""

    keeps, forward = 1, 2
    log_input: bool = True
    full: bool = False
    eps: Above = 1e-08
    reduction: Mean = "mean"


class CTCLoss(Loss):
    """The likelihood of a text under all its alignments with the columns of scores (Graves et al. 2006).

    Takes [time, classes]; log-softmax is applied, which changes nothing in log-probabilities. A target is a row of class
    numbers, filled up with -1 at its end, and `blank` stands in none.
    """

    wants = SCORES
    applies = "log-softmax"
    takes_text = True
    per_sample = True
    blank: Whole = 0
    reduction: Mean = "mean"
    zero_infinity: bool = False
