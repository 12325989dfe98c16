"""Losses and initialisations under torch's names, with torch's arguments in torch's order.

Arguments of torch's implementation (`foreach`, `capturable`, ...) and deprecated ones are left out.
"""

from cnnspec.declare import Choice, Count, Integer, Number, Real, Tuple, Unit
from cnnspec.diagnostics import codes
from cnnspec.layers.base import Reject
from cnnspec.recipe.component import Component

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    NonNegative: TypeAlias = float
    Above: TypeAlias = float
    Weights: TypeAlias = tuple[float, ...] | None
    Mean: TypeAlias = str
    FanMode: TypeAlias = str
    Nonlinearity: TypeAlias = str
else:
    NonNegative = Number(0)
    Above = Number(0, above=True)
    Weights = Tuple(Number(0), None) | None
    Mean = Choice("mean", "sum")
    FanMode = Choice("fan_in", "fan_out")
    Nonlinearity = Choice("linear", "conv1d", "conv2d", "conv3d", "sigmoid", "tanh", "relu", "leaky_relu", "selu")


class Loss(Component):
    """A loss of torch.nn. `takes_classes`: its targets are class numbers; otherwise one-hot rows like the output."""

    takes_classes = False
    wants_probabilities = ""
    """What the last layer has to give where the loss does not take plain scores."""


class CrossEntropyLoss(Loss):
    """Log-softmax and the negative log-likelihood of the right class."""

    takes_classes = True
    weight: Weights = None
    ignore_index: Integer = -100
    reduction: Mean = "mean"
    label_smoothing: Unit = 0.0


class NLLLoss(Loss):
    """The negative log-likelihood of the right class; wants log-probabilities."""

    takes_classes = True
    wants_probabilities = "LogSoftmax"
    weight: Weights = None
    ignore_index: Integer = -100
    reduction: Mean = "mean"


class MultiMarginLoss(Loss):
    """The hinge loss of several classes."""

    takes_classes = True
    p: Count = 1
    margin: Real = 1.0
    weight: Weights = None
    reduction: Mean = "mean"

    def validate(self) -> None:
        if self.p > 2:
            raise Reject("p", codes.WRONG_COMBINATION, problem="p has to be 1 or 2", label="too large")


class MSELoss(Loss):
    """The mean square of the differences."""

    reduction: Mean = "mean"


class L1Loss(Loss):
    """The mean size of the differences."""

    reduction: Mean = "mean"


class SmoothL1Loss(Loss):
    """Square below beta, linear above."""

    reduction: Mean = "mean"
    beta: NonNegative = 1.0


class HuberLoss(Loss):
    """Square below delta, linear above."""

    reduction: Mean = "mean"
    delta: Above = 1.0


class BCELoss(Loss):
    """Binary cross entropy of each output; wants probabilities."""

    wants_probabilities = "Sigmoid"
    weight: Weights = None
    reduction: Mean = "mean"


class BCEWithLogitsLoss(Loss):
    """Sigmoid and binary cross entropy of each output."""

    weight: Weights = None
    reduction: Mean = "mean"
    pos_weight: Weights = None


# --- initialisation: torch.nn.init ---


class Init(Component):
    """A function of torch.nn.init, by its name without the underscore, for weights of at least two dimensions."""


class xavier_uniform(Init):
    """Uniform with variance 2 / (fan_in + fan_out) (Glorot and Bengio 2010)."""

    gain: Real = 1.0


class xavier_normal(Init):
    """Normal with variance 2 / (fan_in + fan_out) (Glorot and Bengio 2010)."""

    gain: Real = 1.0


class kaiming_uniform(Init):
    """Uniform with a variance that ReLU keeps (He et al. 2015)."""

    a: Real = 0
    mode: FanMode = "fan_in"
    nonlinearity: Nonlinearity = "leaky_relu"


class kaiming_normal(Init):
    """Normal with a variance that ReLU keeps (He et al. 2015)."""

    a: Real = 0
    mode: FanMode = "fan_in"
    nonlinearity: Nonlinearity = "leaky_relu"


class orthogonal(Init):
    """A (semi-)orthogonal matrix (Saxe et al. 2014)."""

    gain: Real = 1


class normal(Init):
    """Normal."""

    mean: Real = 0.0
    std: NonNegative = 1.0


class uniform(Init):
    """Uniform from a to b."""

    a: Real = 0.0
    b: Real = 1.0


class trunc_normal(Init):
    """Normal, cut off at a and b."""

    mean: Real = 0.0
    std: NonNegative = 1.0
    a: Real = -2.0
    b: Real = 2.0


class constant(Init):
    """One number everywhere."""

    val: Real
