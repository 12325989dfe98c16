"""What a step, an epoch and a test do to the state of a run.

Every random number is a function of seed, epoch, step and rank, so that a checkpoint needs no random state and a resumed
run goes on to the same bits. On the CPU every step is checked for numbers that are not finite before it changes the
weights; an accelerator, which would have to be waited for, is asked every `_PAUSE` steps.
"""

from __future__ import annotations

import contextlib
import gc
import math

import torch
from torch import Tensor

from cnnspec.recipe.schedulers import STEP
from cnnspec.training import distributed
from cnnspec.training.data.loader import seed_noise
from cnnspec.training.data.several import arranged, detached, run
from cnnspec.training.device import autocast
from cnnspec.training.factory import build
from cnnspec.training.finetune import read_weights
from cnnspec.training.measure import examples, measure
from cnnspec.training.nonfinite import find_culprit, not_finite
from cnnspec.training.plan import choose_threads, choose_way, make_loader
from cnnspec.training.state import RunState
from cnnspec.training.summed_loss import or_one

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from cnnspec.errors import TrainError
    from cnnspec.training.data.loader import MicroBatch
    from cnnspec.training.data.several import Values
    from cnnspec.training.data.splits import AnySplit
    from cnnspec.training.metrics.base import Measured
    from cnnspec.training.plan import Plan

_PAUSE = 16
"""Steps between two looks at an accelerator."""


class Trainer:
    """Takes the steps of a plan: `state` is where the run is."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.criterion = plan.task.criterion
        self.loader = make_loader(plan)
        net = build(plan.graph, plan.recipe.init, plan.recipe.seed).to(plan.device)
        way = choose_way(plan, self.loader, net)
        self.why = way.why
        self.state = RunState(plan, net, way, len(self.loader))
        self.norm: Tensor | None = None
        """Norm of the last step's gradient, before clipping; None where it isn't measured."""
        self.rate = self.state.rate
        """The learning rate of the last step."""

    def choose_threads(self) -> str:
        """See `plan.choose_threads`."""
        return choose_threads(self.plan, self.loader, self.state.net, self.state.layout)

    def start_from_weights(self) -> str:
        """Begin with the weights that the recipe names; a sentence on what was taken, "" where it names none."""
        path = self.plan.recipe.weights
        if path is None:
            return ""
        return self.state.start_from(read_weights(path, self.plan.graph.source.path))

    def release(self) -> None:
        """Let go of what holds on to the group: gloo's threads abort a process that ends before they do."""
        if self.plan.group.world > 1 and not self.state.sharded:
            self.state.wrapped = self.state.net
            if self.state.compiled:
                torch.compiler.reset()
            gc.collect()

    # --- a step ---

    def train_epoch(self) -> Iterator[None]:
        """Run what is left of the epoch; yields after every step, when all of its state is that of the step's end."""
        state = self.state
        state.begin_epoch()
        for parts, targets in self.loader.batches(state.epoch, state.step):
            self.take_step(parts, targets)
            state.step += 1
            state.seen += len(targets)
            yield

    def take_step(self, parts: list[MicroBatch], targets: Values) -> None:
        """Move the weights by the gradient of a batch: this process's parts of it, and the targets of all of it."""
        state = self.state
        divisor = self.criterion.divisor(targets)
        state.optimizer.zero_grad(set_to_none=True)
        self._seed()
        for index, part in enumerate(parts):
            with distributed.no_sync(state.wrapped, last=index == len(parts) - 1):
                self._accumulate(part, targets, self.plan.group.world / or_one(divisor))
        if state.scaler is not None:
            state.scaler.unscale_(state.optimizer)
        self._measure_gradient()
        if self.plan.device.type == "cpu" and state.scaler is None:
            self._demand_finite(parts)
        self._update()
        counted = divisor if self.criterion.mean else len(targets)
        state.divided += counted.to(state.sums.dtype) if isinstance(counted, Tensor) else counted

    def _seed(self) -> None:
        seed_noise(self.plan.device, self.plan.recipe.seed, self.state.epoch, self.state.step, self.plan.group.rank)

    def _accumulate(self, part: MicroBatch, targets: Values, scale: Tensor | float) -> None:
        state = self.state
        with autocast(self.plan.recipe.precision, self.plan.device):
            outputs = run(state.wrapped, arranged(part.inputs, state.layout))
            total = self.criterion.total(outputs, part.targets, targets)
            if part.others is not None:
                # Every target of the batch is once another one's: both losses are divided by the same.
                total = part.share * total + (1 - part.share) * self.criterion.total(outputs, part.others)
        loss = total * (scale * part.weight)
        scaled: Tensor = loss if state.scaler is None else state.scaler.scale(loss)
        scaled.backward()  # type: ignore[no-untyped-call]
        if part.weight:
            score = self.plan.task.score_sum(detached(outputs), part.targets)
            state.sums += torch.stack((total.detach().to(state.sums.dtype), score.to(state.sums.dtype)))

    def _measure_gradient(self) -> None:
        """The norm of the gradient over all parameters; cut where the recipe says."""
        limit, net = self.plan.recipe.clip_grad_norm, self.state.net
        if limit is None and self.plan.device.type != "cpu":
            return
        gradients = [parameter.grad for parameter in net.parameters() if parameter.grad is not None]
        self.norm = distributed.whole(torch.nn.utils.get_total_norm(gradients))
        if limit is not None:
            torch.nn.utils.clip_grads_with_norm_(net.parameters(), limit, self.norm)

    def _demand_finite(self, parts: list[MicroBatch]) -> None:
        assert self.norm is not None
        if not math.isfinite(norm := float(self.norm)):
            loss = float(self.state.sums[0])
            raise self._explain("gradient", norm, parts) if math.isfinite(loss) else self._explain("loss", loss, parts)

    def _explain(self, what: str, value: float, parts: list[MicroBatch]) -> TrainError:
        """The error of a step that was not finite; runs it again to find the layer."""
        layer, cause = "", ""
        net, layout = self.state.net, self.state.layout
        for part in parts:

            def loss_of(part: MicroBatch = part) -> Tensor:
                self._seed()
                total: Tensor = self.criterion.total(run(net.forward, arranged(part.inputs, layout)), part.targets)
                return total

            if not self.state.sharded:
                layer, cause = find_culprit(net, loss_of)
            if layer:
                break
        return not_finite(what, value, layer, cause, self.state.done + 1)

    def _update(self) -> None:
        """Move the weights, with the rate of the schedule times that of the warm-up."""
        state, recipe = self.state, self.plan.recipe
        kept = [group["lr"] for group in state.optimizer.param_groups]
        warm = recipe.warmup * state.steps
        factor = min(1.0, (state.done + 1) / warm) if warm else 1.0
        for group, rate in zip(state.optimizer.param_groups, kept):
            group["lr"] = rate * factor
        self.rate = state.rate
        if state.scaler is None:
            state.optimizer.step()
        else:
            state.scaler.step(state.optimizer)
            state.scaler.update()
        for group, rate in zip(state.optimizer.param_groups, kept):
            group["lr"] = rate
        if state.scheduler is not None and recipe.scheduler is not None and recipe.scheduler.steps_on == STEP:
            state.scheduler.step()
        if state.average is not None:
            state.average.update(state.net)

    # --- numbers ---

    @property
    def looks(self) -> bool:
        """Whether this is a step after which reading numbers costs no waiting worth mentioning."""
        state = self.state
        return self.plan.device.type == "cpu" or state.step % _PAUSE == 0 or state.step == state.steps

    def check_finite(self) -> None:
        """For devices that are looked at now and then: raise NonFiniteLoss where the loss of the epoch is not finite."""
        state = self.state
        if self.plan.device.type != "cpu" and not math.isfinite(loss := float(state.sums[0])):
            parts, _ = next(self.loader.batches(state.epoch, state.step - 1))
            raise self._explain("loss", loss, parts)

    def test(self, split: AnySplit | None) -> Measured | None:
        """What the net is worth on a split, with the averaged weights where there are; None without samples."""
        if split is None or not len(split):
            return None
        state, plan = self.state, self.plan
        split = split.to(plan.device)
        if not state.sharded:
            plan.group.broadcast_buffers(state.net)
        mine = plan.group.share(len(split))
        # A sharded net is run by all processes in step, and so each looks at all samples.
        order = torch.arange(len(split)) if state.sharded else torch.arange(mine.start, mine.stop)
        size = max(1, plan.recipe.batch // plan.recipe.accumulate)
        with self.averaged():
            return measure(
                state.wrapped if state.sharded else state.net, split.batches(order, size) if len(order) else (),
                plan.prepare, plan.task, device=plan.device, layout=state.layout, precision=plan.recipe.precision,
                group=distributed.Group() if state.sharded else plan.group,
            )  # fmt: skip

    def examples(self, split: AnySplit) -> tuple[Values, Values, Values]:
        """Inputs as the data has them, outputs, and targets as the loss takes them, of some samples; on the CPU."""
        plan, state = self.plan, self.state
        return examples(
            state.net, split, plan.prepare, device=plan.device, layout=state.layout, precision=plan.recipe.precision,
            batch=max(1, min(plan.recipe.batch, 64)),
        )  # fmt: skip

    @contextlib.contextmanager
    def averaged(self) -> Iterator[None]:
        """The net with the averaged weights inside, where the recipe asks for them."""
        average = self.state.average
        if average is None:
            yield
            return
        average.swap(self.state.net)
        try:
            yield
        finally:
            average.swap(self.state.net)
