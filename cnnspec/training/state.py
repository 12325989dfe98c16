"""`RunState`: a net in training and its place in the run. What a checkpoint holds of it goes on to the same bits."""

from __future__ import annotations

import warnings

import torch
from torch import Tensor, nn

from cnnspec.recipe.schedulers import METRIC, STEP
from cnnspec.training import distributed
from cnnspec.training.device import laid, scaler_for
from cnnspec.training.ema import Average
from cnnspec.training.factory import make_optimizer, make_scheduler
from cnnspec.training.finetune import modules_of, set_frozen, start_from
from cnnspec.training.metrics.base import wide

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from cnnspec.training.plan import Plan
    from cnnspec.training.tuning import Tuning


class RunState:
    """A net, its optimizer, its schedule and how far they are. Built alike on every process of a group."""

    def __init__(self, plan: Plan, net: nn.Module, way: Tuning, steps: int) -> None:
        recipe, device = plan.recipe, plan.device
        self.plan, self.steps = plan, steps
        self.layout, self.compiled, self.sharded = way.layout, way.compile, plan.options.shard
        self.net = laid(net, way.layout)
        self.wrapped = self._wrapped()
        self.frozen = modules_of(self.net, recipe.freeze, "freeze")
        self.optimizer = make_optimizer(recipe.optimizer, self.net, recipe.rates)
        rate = float(recipe.optimizer.arguments()["lr"])  # type: ignore[arg-type]
        self.scheduler = make_scheduler(recipe.scheduler, self.optimizer, rate, epochs=recipe.epochs, steps=steps)
        self.scaler = scaler_for(recipe.precision, device)
        self.average = Average(self.net, recipe.ema) if recipe.ema is not None else None
        self.epoch, self.step = 0, 0
        self.sums = torch.zeros(2, dtype=wide(device), device=device)
        """Of the running epoch, on this process: the sums of the loss and of the score."""
        self.seen = 0
        """Samples of the running epoch, on all processes."""
        self.divided: Tensor | float = 0.0
        """What the sum of the loss of the epoch is divided by; on the device where it depends on what is there."""

    def _wrapped(self) -> nn.Module:
        """The net as the group trains it, compiled with what exchanges the gradients: they overlap with the rest then."""
        plan, options = self.plan, self.plan.options
        wrapped = distributed.wrap(
            self.net, plan.group, plan.device, sync_batch_norm=options.sync_batch_norm, shard=options.shard,
            precision=plan.recipe.precision,
        )  # fmt: skip
        if self.compiled:
            wrapped.compile()
        return wrapped

    def begin_epoch(self) -> None:
        """Training mode, with what the recipe freezes frozen, up to the epoch that thaws it."""
        thaw = self.plan.recipe.thaw
        frozen = thaw is None or self.epoch + 1 < thaw
        learnt = [parameter.requires_grad for parameter in self.net.parameters()]
        self.wrapped.train()
        set_frozen(self.frozen, frozen=frozen)
        changed = learnt != [parameter.requires_grad for parameter in self.net.parameters()]
        if changed and self.plan.group.world > 1 and not self.sharded:
            # Gradients are exchanged for those that were to learn when the net was wrapped.
            self.wrapped = self._wrapped()

    def start_from(self, weights: dict[str, Tensor]) -> str:
        """Begin with other weights than those of the seed; a sentence on what was taken."""
        told = start_from(self.net, weights)
        if self.average is not None:
            self.average = Average(self.net, self.average.decay)
        return told

    @property
    def done(self) -> int:
        """Steps of the whole run."""
        return self.epoch * self.steps + self.step

    @property
    def rate(self) -> float:
        """The learning rate of the first group of weights."""
        return float(self.optimizer.param_groups[0]["lr"])

    def weights_like(self) -> dict[str, Tensor]:
        """Names, shapes and types of all weights."""
        return {key: value.detach() for key, value in self.net.state_dict().items()}

    def gather(self) -> tuple[float, float]:
        """Mean loss and score of the epoch so far over all processes; rank 0 then holds the sums of all."""
        group = self.plan.group
        if group.world > 1:
            group.all_reduce_sum(self.sums)
            loss, score = self.sums.tolist()
            if not group.is_main:
                self.sums.zero_()
        else:
            loss, score = self.sums.tolist()
        return loss / max(float(self.divided), 1e-12), score / max(self.seen, 1)

    def next_epoch(self, judged: float) -> None:
        """Close the epoch: the schedule moves, by `judged` where it asks for a number, and the sums begin anew."""
        chosen = self.plan.recipe.scheduler
        if self.scheduler is not None and chosen is not None and chosen.steps_on != STEP:
            if chosen.steps_on == METRIC:
                self.scheduler.step(judged)
            else:
                self.scheduler.step()
        self.epoch, self.step = self.epoch + 1, 0
        self.sums.zero_()
        self.seen, self.divided = 0, 0.0

    def state(self) -> dict[str, Any]:
        """All that the rest of the run depends on. On several processes all have to call it; rank 0 gets the whole."""
        if self.sharded:
            model, optimizer = distributed.full_states(self.net, self.optimizer)
        else:
            model, optimizer = dict(self.net.state_dict()), self.optimizer.state_dict()
        self.gather()
        return {
            "model": model,
            "optimizer": optimizer,
            "scheduler": self.scheduler.state_dict() if self.scheduler is not None else None,
            "scaler": self.scaler.state_dict() if self.scaler is not None else None,
            "average": self.average.state() if self.average is not None else None,
            "epoch": self.epoch,
            "step": self.step,
            "sums": [*map(float, self.sums.tolist()), float(self.divided)],
            "seen": self.seen,
            "sharded": self.sharded,
            "layout": str(self.layout).removeprefix("torch."),
            "compiled": self.compiled,
        }

    def load(self, state: dict[str, Any], *, anew: bool = False) -> None:
        """Go on from a state. It has been checked against the architecture and the recipe.

        `anew` lays a schedule that spans the run out over the epochs of the recipe instead of those of the state.
        """
        if self.sharded:
            distributed.load_full_states(self.net, self.optimizer, state["model"], state["optimizer"])
        else:
            self.net.load_state_dict(state["model"])
            self.optimizer.load_state_dict(state["optimizer"])
        if self.scheduler is not None and not anew:
            self.scheduler.load_state_dict(state["scheduler"])
        if self.scaler is not None:
            self.scaler.load_state_dict(state["scaler"])
        if self.average is not None:
            self.average.load(state["average"])
        self.epoch, self.step, self.seen = state["epoch"], state["step"], state["seen"]
        *sums, self.divided = state["sums"]
        if anew:
            self._lay_out_anew()
        if self.plan.group.is_main:
            self.sums.copy_(torch.tensor(sums, dtype=torch.float64))

    def _lay_out_anew(self) -> None:
        """Bring the new schedule to where the run is, as if it had been in force from the start."""
        chosen = self.plan.recipe.scheduler
        assert self.scheduler is not None
        assert chosen is not None
        for group, rate in zip(self.optimizer.param_groups, self.scheduler.base_lrs):
            group["lr"] = rate
        with warnings.catch_warnings():
            # torch warns of schedules that move before the optimizer does.
            warnings.simplefilter("ignore")
            for _ in range(self.done if chosen.steps_on == STEP else self.epoch):
                self.scheduler.step()
