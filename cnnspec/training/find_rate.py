"""Which learning rate to begin with: a few steps at ever higher rates, and the loss at each.

Leslie Smith 2017, "Cyclical Learning Rates for Training Neural Networks", section 3.3. Nothing of it is kept.
"""

from __future__ import annotations

import math

from cnnspec.errors import NonFiniteLoss, TrainError
from cnnspec.graph.nodes import Graph
from cnnspec.record import record, replace
from cnnspec.training.device import choose_device, keep_memory
from cnnspec.training.distributed import Group
from cnnspec.training.options import Options
from cnnspec.training.start import as_chosen, make_trainer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cnnspec.recipe.recipe import Recipe
    from cnnspec.spec import Spec
    from cnnspec.training.data.load import Data

STEPS = 100
LOWEST, HIGHEST = 1e-6, 10.0
_SMOOTH = 0.9
"""How much of the mean loss of the steps before stays in that of the next one."""
_FIRST, _FALLS = 4, 0.97
"""Steps that are not judged, and the share of the highest loss that the lowest one may be at most."""
_DIVERGED = 4.0
"""How many times its lowest value the loss may become before the search ends."""


@record
class Rates:
    """The rates that were tried, in order, and the smoothed loss at each."""

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    best: float
    """A tenth of the rate at which the loss was lowest."""
    highest: float
    """That rate: above it, the loss rises."""
    optimizer: str


def find_rate(
    spec: Spec | Graph, recipe: Recipe, data: Data, *, device: str = "auto", options: Options | None = None,
    steps: int = STEPS,
) -> Rates:  # fmt: skip
    """Take up to `steps` steps at rates from LOWEST to HIGHEST. Raises TrainError where the loss falls at none of them."""
    graph = spec if isinstance(spec, Graph) else spec.declared
    place = choose_device(device).device
    keep_memory()
    plain = replace(recipe, scheduler=None, warmup=0.0)
    chosen = options or Options()
    rates: list[float] = []
    losses: list[float] = []
    mean = before = 0.0
    with as_chosen(place, chosen):
        trainer = make_trainer(graph, plain, data, place, Group(), chosen)
        trainer.choose_threads()
        state = trainer.state
        first = state.rate
        factors = [group["lr"] / first for group in state.optimizer.param_groups]
        running = trainer.train_epoch()
        seen = 0.0
        for number in range(steps):
            rate = LOWEST * (HIGHEST / LOWEST) ** (number / max(1, steps - 1))
            for group, factor in zip(state.optimizer.param_groups, factors):
                group["lr"] = rate * factor
            try:
                if next(running, running) is running:
                    state.next_epoch(before)
                    running, seen, before = trainer.train_epoch(), 0.0, 0.0
                    next(running)
            except NonFiniteLoss:
                break
            total = float(state.sums[0])
            loss = (total - before) / max(float(state.divided) - seen, 1e-12)
            before, seen = total, float(state.divided)
            mean = _SMOOTH * mean + (1 - _SMOOTH) * loss
            smoothed = mean / (1 - _SMOOTH ** (number + 1))
            if not math.isfinite(smoothed) or (losses and smoothed > _DIVERGED * min(losses)):
                break
            rates.append(rate)
            losses.append(smoothed)
    return _chosen(rates, losses, type(recipe.optimizer).__name__)


def _chosen(rates: list[float], losses: list[float], optimizer: str) -> Rates:
    # The mean of the first few steps says little.
    lowest = min(range(_FIRST, len(losses)), key=losses.__getitem__, default=0)
    if lowest == 0 or losses[lowest] > _FALLS * max(losses[_FIRST : lowest + 1]):
        raise TrainError("the loss falls at no learning rate: look at the data, the loss and the last layer first")
    return Rates(tuple(rates), tuple(losses), rates[lowest] / 10, rates[lowest], optimizer)
