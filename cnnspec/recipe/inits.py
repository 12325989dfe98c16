"""Initialisations: the functions of torch.nn.init by their names without the underscore, with torch's arguments."""

from cnnspec.declare import Choice, Real
from cnnspec.recipe.component import Component, NonNegative

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    FanMode: TypeAlias = str
    Nonlinearity: TypeAlias = str
else:
    FanMode = Choice("fan_in", "fan_out")
    Nonlinearity = Choice("linear", "conv1d", "conv2d", "conv3d", "sigmoid", "tanh", "relu", "leaky_relu", "selu")


class Init(Component, family=True):
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
