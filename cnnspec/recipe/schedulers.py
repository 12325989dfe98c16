"""Learning-rate schedules of torch.optim.lr_scheduler under torch's names, with torch's arguments in torch's order.

When a schedule moves, whether it spans the run and which optimizers it can drive stand on its class.
"""

from cnnspec.declare import Choice, Count, Reject, Tuple, Unit, Whole
from cnnspec.recipe import contradictions
from cnnspec.recipe.component import Above, Component, NonNegative
from cnnspec.recipe.optimizers import Optimizer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    Anneal: TypeAlias = str
    MinMax: TypeAlias = str
    Relative: TypeAlias = str
    Epochs: TypeAlias = int | None
    Milestones: TypeAlias = tuple[int, ...]
else:
    Anneal = Choice("cos", "linear")
    MinMax = Choice("min", "max")
    Relative = Choice("rel", "abs")
    Epochs = Count | None
    Milestones = Tuple(Count, None)

EPOCH, STEP, METRIC = "epoch", "step", "metric"


class Scheduler(Component, family=True):
    """A schedule of torch.optim.lr_scheduler."""

    steps_on = EPOCH
    """When it moves: behind every epoch, behind every step, or behind every epoch by what was measured there."""

    @property
    def spans_run(self) -> bool:
        """Whether its course depends on the number of epochs of the recipe."""
        return False

    def arguments_for(self, epochs: int, steps: int) -> dict[str, object]:
        """The arguments of torch's class for a run of `epochs` with `steps` steps each."""
        return self.arguments()

    def check_optimizer(self, optimizer: Optimizer) -> None:
        """Raise Reject where it can't drive an optimizer."""


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

    @property
    def spans_run(self) -> bool:
        return self.T_max is None

    def arguments_for(self, epochs: int, steps: int) -> dict[str, object]:
        return self.arguments() | {"T_max": self.T_max or epochs}


class CosineAnnealingWarmRestarts(Scheduler):
    """Repeats the cosine, first after T_0 epochs, each time T_mult as long."""

    T_0: Count
    T_mult: Count = 1
    eta_min: NonNegative = 0.0


class OneCycleLR(Scheduler):
    """Raises the rate to max_lr and lets it fall far below the first one, over the whole training (Smith 2018)."""

    steps_on = STEP
    max_lr: Above
    pct_start: Unit = 0.3
    anneal_strategy: Anneal = "cos"
    cycle_momentum: bool = True
    base_momentum: Unit = 0.85
    max_momentum: Unit = 0.95
    div_factor: Above = 25.0
    final_div_factor: Above = 10000.0
    three_phase: bool = False

    @property
    def spans_run(self) -> bool:
        return True

    def arguments_for(self, epochs: int, steps: int) -> dict[str, object]:
        # torch 2.13 refuses pct_start=0 and pct_start=1 where they are written without a point.
        return self.arguments() | {"pct_start": float(self.pct_start), "total_steps": epochs * steps}

    def check_optimizer(self, optimizer: Optimizer) -> None:
        if self.cycle_momentum and not optimizer.has_momentum:
            raise Reject("cycle_momentum", contradictions.NO_MOMENTUM, optimizer=optimizer.name)


class ReduceLROnPlateau(Scheduler):
    """Multiplies the rate by factor where what is measured has not got better for patience epochs.

    `mode` is "min" where less is better, as for a loss.
    """

    steps_on = METRIC
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
            raise Reject("factor", contradictions.FACTOR_TOO_LARGE)
