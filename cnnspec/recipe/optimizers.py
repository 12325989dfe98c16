"""Optimizers and learning-rate schedules under torch's names, with torch's arguments in torch's order.

Arguments of torch's implementation (`foreach`, `capturable`, ...) and deprecated ones are left out.
"""

from cnnspec.declare import Choice, Count, Number, Real, Tuple, Unit, Whole
from cnnspec.diagnostics import codes
from cnnspec.layers.base import Reject
from cnnspec.recipe.component import Component

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    NonNegative: TypeAlias = float
    Above: TypeAlias = float
    Pair: TypeAlias = tuple[float, float]
    Anneal: TypeAlias = str
    MinMax: TypeAlias = str
    Relative: TypeAlias = str
    Epochs: TypeAlias = int | None
    Milestones: TypeAlias = tuple[int, ...]
else:
    NonNegative = Number(0)
    Above = Number(0, above=True)
    Pair = Tuple(Number(0), 2)
    Anneal = Choice("cos", "linear")
    MinMax = Choice("min", "max")
    Relative = Choice("rel", "abs")
    Epochs = Count | None
    Milestones = Tuple(Count, None)


class Optimizer(Component):
    """An optimizer of torch.optim."""


class _Betas(Optimizer):
    betas = (0.9, 0.999)

    def arguments(self) -> dict[str, object]:
        # torch 2.13 wants two floats and refuses (0, 0.999).
        return super().arguments() | {"betas": tuple(map(float, self.betas))}

    def validate(self) -> None:
        if max(self.betas) >= 1:
            raise Reject("betas", codes.WRONG_COMBINATION, problem="the betas have to be below 1", label="too large")


class SGD(Optimizer):
    """Gradient descent, with momentum where it is asked for."""

    lr: NonNegative = 0.001
    momentum: NonNegative = 0
    dampening: Real = 0
    weight_decay: NonNegative = 0
    nesterov: bool = False

    def validate(self) -> None:
        if self.nesterov and (self.momentum <= 0 or self.dampening != 0):
            problem = "nesterov needs a momentum and no dampening"
            raise Reject("nesterov", codes.WRONG_COMBINATION, problem=problem, label="not without a momentum")


class Adam(_Betas):
    """Adaptive moments (Kingma and Ba 2015)."""

    lr: NonNegative = 0.001
    betas: Pair = (0.9, 0.999)
    eps: NonNegative = 1e-08
    weight_decay: NonNegative = 0
    amsgrad: bool = False


class AdamW(_Betas):
    """Adam with the decay of weights kept apart (Loshchilov and Hutter 2019)."""

    lr: NonNegative = 0.001
    betas: Pair = (0.9, 0.999)
    eps: NonNegative = 1e-08
    weight_decay: NonNegative = 0.01
    amsgrad: bool = False


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


# --- learning-rate schedules: torch.optim.lr_scheduler ---


class Scheduler(Component):
    """A schedule of torch.optim.lr_scheduler. It moves once an epoch, unless `per_step` is true."""

    per_step = False


class StepLR(Scheduler):
    """Multiplies the rate by gamma every step_size epochs."""

    step_size: Count
    gamma: Above = 0.1


class MultiStepLR(Scheduler):
    """Multiplies the rate by gamma at each milestone."""

    milestones: Milestones
    gamma: Above = 0.1


class ConstantLR(Scheduler):
    """Multiplies the rate by factor for the first total_iters epochs."""

    factor: Unit = 1 / 3
    total_iters: Count = 5


class LinearLR(Scheduler):
    """Moves the rate from start_factor to end_factor in total_iters epochs."""

    start_factor: Unit = 1 / 3
    end_factor: Unit = 1.0
    total_iters: Count = 5


class ExponentialLR(Scheduler):
    """Multiplies the rate by gamma every epoch."""

    gamma: Above


class PolynomialLR(Scheduler):
    """Lets the rate fall to 0 as a power of what is left of total_iters epochs."""

    total_iters: Count = 5
    power: NonNegative = 1.0


class CosineAnnealingLR(Scheduler):
    """Lets the rate fall to eta_min along half a cosine in T_max epochs, by default all of them."""

    T_max: Epochs = None
    eta_min: NonNegative = 0.0


class CosineAnnealingWarmRestarts(Scheduler):
    """Repeats the cosine, first after T_0 epochs, each time T_mult as long."""

    T_0: Count
    T_mult: Count = 1
    eta_min: NonNegative = 0.0


class OneCycleLR(Scheduler):
    """Raises the rate to max_lr and lets it fall far below the first one, over the whole training (Smith 2018)."""

    per_step = True
    max_lr: Above
    pct_start: Unit = 0.3
    anneal_strategy: Anneal = "cos"
    cycle_momentum: bool = True
    base_momentum: Unit = 0.85
    max_momentum: Unit = 0.95
    div_factor: Above = 25.0
    final_div_factor: Above = 10000.0
    three_phase: bool = False


class ReduceLROnPlateau(Scheduler):
    """Multiplies the rate by factor where the test loss has not fallen for patience epochs."""

    mode: MinMax = "min"
    factor: Unit = 0.1
    patience: Whole = 10
    threshold: NonNegative = 0.0001
    threshold_mode: Relative = "rel"
    cooldown: Whole = 0
    min_lr: NonNegative = 0
    eps: NonNegative = 1e-08

    def validate(self) -> None:
        if self.factor >= 1:
            raise Reject("factor", codes.WRONG_COMBINATION, problem="the factor has to be below 1", label="too large")
