"""Optimizers of torch.optim under torch's names, with torch's arguments in torch's order.

Arguments of torch's implementation (`foreach`, `capturable`, ...) and deprecated ones are left out.
"""

from cnnspec.declare import Number, Real, Reject, Tuple, Unit
from cnnspec.recipe import contradictions
from cnnspec.recipe.component import Component, NonNegative

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    Pair: TypeAlias = tuple[float, float]
    NonPositive: TypeAlias = float
    AtLeastOne: TypeAlias = float
    Epsilons: TypeAlias = tuple[float | None, float]
else:
    Pair = Tuple(Number(0), 2)
    NonPositive = Number(None, 0)
    AtLeastOne = Number(1)
    Epsilons = Tuple(Number(0) | None, 2)


class Optimizer(Component, family=True):
    """An optimizer of torch.optim."""

    @property
    def memory(self) -> str:
        """What its step takes, as `cnnspec.analysis.memory.OPTIMIZERS` knows it; "" for another one."""
        return ""

    @property
    def has_momentum(self) -> bool:
        """Whether a schedule can move its momentum, or the first of its betas."""
        return "momentum" in self.fields or "betas" in self.fields


class _Betas(Optimizer):
    betas = (0.9, 0.999)

    def arguments(self) -> dict[str, object]:
        # torch 2.13 wants two floats and refuses (0, 0.999).
        return super().arguments() | {"betas": tuple(map(float, self.betas))}

    def validate(self) -> None:
        if max(self.betas) >= 1:
            raise Reject("betas", contradictions.BETAS_TOO_LARGE)


class SGD(Optimizer):
    """Gradient descent, with momentum where it is asked for."""

    lr: NonNegative = 0.001
    momentum: NonNegative = 0
    dampening: Real = 0
    weight_decay: NonNegative = 0
    nesterov: bool = False

    @property
    def memory(self) -> str:
        if self.nesterov or self.weight_decay:
            return ""
        return "momentum" if self.momentum else "SGD"

    def validate(self) -> None:
        if self.nesterov and (self.momentum <= 0 or self.dampening != 0):
            raise Reject("nesterov", contradictions.NESTEROV_ALONE)


class Adam(_Betas):
    """Adaptive moments (Kingma and Ba 2015)."""

    lr: NonNegative = 0.001
    betas: Pair = (0.9, 0.999)
    eps: NonNegative = 1e-08
    weight_decay: NonNegative = 0
    amsgrad: bool = False

    @property
    def memory(self) -> str:
        return "" if self.amsgrad or self.weight_decay else "Adam"


class AdamW(_Betas):
    """Adam with the decay of weights kept apart (Loshchilov and Hutter 2019)."""

    lr: NonNegative = 0.001
    betas: Pair = (0.9, 0.999)
    eps: NonNegative = 1e-08
    weight_decay: NonNegative = 0.01
    amsgrad: bool = False

    @property
    def memory(self) -> str:
        return "" if self.amsgrad else "AdamW"


class NAdam(_Betas):
    """Adam with Nesterov's momentum (Dozat 2016)."""

    lr: NonNegative = 0.002
    betas: Pair = (0.9, 0.999)
    eps: NonNegative = 1e-08
    weight_decay: NonNegative = 0
    momentum_decay: NonNegative = 0.004
    decoupled_weight_decay: bool = False


class RAdam(_Betas):
    """Adam with rectified variance (Liu et al. 2020)."""

    lr: NonNegative = 0.001
    betas: Pair = (0.9, 0.999)
    eps: NonNegative = 1e-08
    weight_decay: NonNegative = 0
    decoupled_weight_decay: bool = False


class Adamax(_Betas):
    """Adam with the infinity norm (Kingma and Ba 2015)."""

    lr: NonNegative = 0.002
    betas: Pair = (0.9, 0.999)
    eps: NonNegative = 1e-08
    weight_decay: NonNegative = 0


class Adagrad(Optimizer):
    """A rate for each weight that falls with the gradients seen (Duchi et al. 2011)."""

    lr: NonNegative = 0.01
    lr_decay: NonNegative = 0
    weight_decay: NonNegative = 0
    initial_accumulator_value: NonNegative = 0
    eps: NonNegative = 1e-10


class Adadelta(Optimizer):
    """Adagrad over a window of gradients (Zeiler 2012)."""

    lr: NonNegative = 1.0
    rho: Unit = 0.9
    eps: NonNegative = 1e-06
    weight_decay: NonNegative = 0


class RMSprop(Optimizer):
    """Gradients divided by a running mean of their size (Hinton 2012)."""

    lr: NonNegative = 0.01
    alpha: NonNegative = 0.99
    eps: NonNegative = 1e-08
    weight_decay: NonNegative = 0
    momentum: NonNegative = 0
    centered: bool = False


class ASGD(Optimizer):
    """Gradient descent that keeps the average of its weights (Polyak and Juditsky 1992)."""

    lr: NonNegative = 0.01
    lambd: Real = 0.0001
    alpha: Real = 0.75
    t0: Real = 1000000.0
    weight_decay: NonNegative = 0


class Rprop(Optimizer):
    """Steps by the sign of the gradient, of a size for each weight (Riedmiller and Braun 1993); for whole batches."""

    lr: NonNegative = 0.01
    etas: Pair = (0.5, 1.2)
    step_sizes: Pair = (1e-06, 50)

    def validate(self) -> None:
        if not 0 < self.etas[0] < 1 < self.etas[1]:
            raise Reject("etas", contradictions.ETAS_OUT_OF_ORDER)


class Adafactor(Optimizer):
    """Adam with second moments kept by row and column (Shazeer and Stern 2018)."""

    lr: NonNegative = 0.01
    beta2_decay: NonPositive = -0.8
    eps: Epsilons = (None, 0.001)
    d: AtLeastOne = 1.0
    weight_decay: NonNegative = 0.0
