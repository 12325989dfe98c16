"""One run: the state of a net in training, and what a step and an epoch do to it.

Every random number is a function of seed, epoch, step and rank, so that a checkpoint needs no random state and a resumed
run goes on to the same bits. On the CPU every step is checked for numbers that are not finite before it changes the
weights; an accelerator, which would have to be waited for, is asked every `_PAUSE` steps.
"""

from __future__ import annotations

import contextlib
import gc
import math
import warnings

import torch
from torch import Tensor, nn

from cnnspec.errors import TrainError
from cnnspec.graph.digest import digest_of
from cnnspec.recipe.schedulers import METRIC, STEP
from cnnspec.record import record
from cnnspec.training import distributed
from cnnspec.training.data.loader import Feed, seed_noise
from cnnspec.training.device import autocast, check_precision, laid, laid_out, layout_of, scaler_for, tune
from cnnspec.training.evaluate import measure
from cnnspec.training.factory import (  # fmt: skip
    Average,
    Criterion,
    build,
    make_optimizer,
    make_scheduler,
)
from cnnspec.training.signals import find_culprit, not_finite

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from cnnspec.graph.nodes import Graph
    from cnnspec.recipe.recipe import Recipe
    from cnnspec.training.data.loader import Part, Prepare
    from cnnspec.training.distributed import Group

_PAUSE = 16
"""Steps between two looks at an accelerator."""


@record
class Ways:
    """How a run is carried out, apart from what the recipe says."""

    tune: bool = False
    layout: torch.memory_format | None = None
    """None for the rule of `layout_of`."""
    compile: bool | None = None
    """None for what the recipe says."""
    sync_batch_norm: bool = False
    shard: bool = False
    overfit_one_batch: bool = False


class Trainer:
    """A net, its optimizer and its place in the run. Built alike on every process of a group."""

    def __init__(
        self, graph: Graph, recipe: Recipe, data: Any, device: torch.device, group: Group, ways: Ways, *,
        train_prepare: Prepare, test_prepare: Prepare, draws: bool,
    ) -> None:  # fmt: skip
        check_precision(recipe.precision, device)
        self.graph, self.recipe, self.data, self.device, self.group = graph, recipe, data, device, group
        self.classes = len(data.classes)
        self.digest = digest_of(graph)
        self.prepare = test_prepare
        self.feed = Feed(
            data.train, train_prepare if not ways.overfit_one_batch else test_prepare,
            draws=draws and not ways.overfit_one_batch, seed=recipe.seed, batch=recipe.batch, parts=recipe.accumulate,
            group=group, device=device, repeat=ways.overfit_one_batch,
        )  # fmt: skip
        self.tests = data.test.to(device) if data.test is not None else None
        self.criterion = Criterion(recipe.loss, self.classes, device)
        self._check_fit()
        net = build(graph, recipe.init, recipe.seed).to(device)
        self.why = self._choose(net, ways)
        self.net = laid(net, self.layout)
        if self.compiled:
            self.net.compile()
        self.wrapped = distributed.wrap(self.net, group, device, sync_batch_norm=ways.sync_batch_norm, shard=ways.shard)
        self.sharded = ways.shard
        self.optimizer = make_optimizer(recipe.optimizer, self.net)
        self.steps = len(self.feed)
        self.scheduler = make_scheduler(recipe.scheduler, self.optimizer, epochs=recipe.epochs, steps=self.steps)
        self.scaler = scaler_for(recipe.precision, device)
        self.average = Average(self.net, recipe.ema) if recipe.ema is not None else None
        self.epoch, self.step = 0, 0
        wide = torch.float32 if device.type == "mps" else torch.float64
        self.sums = torch.zeros(2, dtype=wide, device=device)
        """Of the running epoch, on this process: the sum of the loss, the images put in the right class."""
        self.seen, self.divided = 0, 0.0
        """Of the running epoch, on all processes: images, and what the sum of the loss is divided by."""
        self.norm: Tensor | None = None
        self.rate = self._rate()
        self.statistics: tuple[tuple[float, ...], tuple[float, ...]] | None = None

    def weights_like(self) -> dict[str, Tensor]:
        """Names, shapes and types of all weights."""
        return {key: value.detach() for key, value in self.net.state_dict().items()}

    def _choose(self, net: nn.Module, ways: Ways) -> str:
        """Set layout and compilation; a sentence on how they were chosen."""
        # FSDP2 takes no weights that lie in another order than their sizes (torch 2.13).
        chosen = torch.contiguous_format if ways.shard else layout_of(self.device, self.graph.input or ())
        self.layout = ways.layout or chosen
        self.compiled = self.recipe.compile if ways.compile is None else ways.compile
        if not ways.tune or ways.shard:
            return "images lie with their channels last" if self.layout == torch.channels_last else ""
        parts, labels = next(self.feed.batches(0, 0))
        rest = self.recipe.epochs * len(self.feed)

        def step(candidate: nn.Module, images: Tensor) -> Tensor:
            with autocast(self.recipe.precision, self.device):
                return self.criterion.total(candidate(images), parts[0].labels) / len(labels)

        found = tune(net, step, parts[0].images, try_compile=rest > 2000 or self.recipe.compile)
        flags = [float(found.layout == torch.channels_last), float(found.compile)]
        # The processes measure alone and have to run alike.
        last, compiled = self.group.highest(flags, self.device)
        self.layout = torch.channels_last if last else torch.contiguous_format
        self.compiled = bool(compiled)
        return found.why

    def _check_fit(self) -> None:
        """Raise TrainError where the images or classes of the data are not those of the model."""
        output = self.graph.output or ()
        if len(output) != 1 or output[0] != self.classes:
            raise TrainError(
                f"the data set has {self.classes} classes and {self.graph.name} gives {list(output)}: "
                "its last layer needs one output a class"
            )
        if not len(self.data.train):
            raise TrainError("the data set has no training images")
        images = next(self.feed.batches(0, 0))[0][0].images
        if tuple(images.shape[1:]) != self.graph.input:
            raise TrainError(
                f"the images are {list(images.shape[1:])} as they reach the model, {self.graph.name} takes "
                f"{list(self.graph.input or ())}"
            )

    def release(self) -> None:
        """Let go of what holds on to the group: gloo's threads abort a process that ends before they do."""
        if self.group.world > 1 and not self.sharded:
            self.wrapped = self.net
            gc.collect()

    # --- a step ---

    @property
    def done(self) -> int:
        """Steps of the whole run."""
        return self.epoch * self.steps + self.step

    def _rate(self) -> float:
        return float(self.optimizer.param_groups[0]["lr"])

    def train_epoch(self) -> Iterator[None]:
        """Run what is left of the epoch; yields after every step, when all of its state is that of the step's end."""
        self.wrapped.train()
        for parts, labels in self.feed.batches(self.epoch, self.step):
            self._run(parts, labels)
            self.step += 1
            self.seen += len(labels)
            yield

    def _run(self, parts: list[Part], labels: Tensor) -> None:
        divisor = self.criterion.divisor(labels)
        self.optimizer.zero_grad(set_to_none=True)
        self._seed()
        for index, part in enumerate(parts):
            with distributed.quiet(self.wrapped, last=index == len(parts) - 1):
                self._accumulate(part, self.group.world / (divisor or 1.0))
        if self.scaler is not None:
            self.scaler.unscale_(self.optimizer)
        self._measure_gradient()
        if self.device.type == "cpu" and self.scaler is None:
            self._demand_finite(parts, divisor)
        self._update()
        self.divided += divisor if self.criterion.mean else len(labels)

    def _seed(self) -> None:
        seed_noise(self.device, self.recipe.seed, self.epoch, self.step, self.group.rank)

    def _accumulate(self, part: Part, scale: float) -> None:
        with autocast(self.recipe.precision, self.device):
            scores = self.wrapped(laid_out(part.images, self.layout))
            total = self.criterion.total(scores, part.labels)
        loss = total * (scale * part.weight)
        scaled: Tensor = loss if self.scaler is None else self.scaler.scale(loss)
        scaled.backward()  # type: ignore[no-untyped-call]
        if part.weight:
            right = (scores.detach().argmax(1) == part.labels).sum()
            self.sums += torch.stack((total.detach().to(self.sums.dtype), right.to(self.sums.dtype)))

    def _measure_gradient(self) -> None:
        """The norm of the gradient over all parameters; cut where the recipe says."""
        limit = self.recipe.clip_grad_norm
        if limit is None and self.device.type != "cpu":
            return
        gradients = [parameter.grad for parameter in self.net.parameters() if parameter.grad is not None]
        norm = torch.nn.utils.get_total_norm(gradients)
        self.norm = norm.full_tensor() if hasattr(norm, "full_tensor") else norm
        if limit is not None:
            torch.nn.utils.clip_grads_with_norm_(self.net.parameters(), limit, self.norm)

    def _demand_finite(self, parts: list[Part], divisor: float) -> None:
        assert self.norm is not None
        if not math.isfinite(norm := float(self.norm)):
            loss = float(self.sums[0])
            raise (
                self._explain("loss", loss, parts)
                if not math.isfinite(loss)
                else self._explain("gradient", norm, parts)
            )

    def _explain(self, what: str, value: float, parts: list[Part] | None) -> TrainError:
        """The error of a step that was not finite; runs it again to find the layer."""
        layer, cause = "", ""
        for part in parts or ():

            def loss_of(part: Part = part) -> Tensor:
                self._seed()
                return self.criterion.total(self.net.forward(laid_out(part.images, self.layout)), part.labels)

            if not self.sharded:
                layer, cause = find_culprit(self.net, loss_of)
            if layer:
                break
        return not_finite(what, value, layer, cause, self.done + 1)

    def _update(self) -> None:
        """Move the weights, with the rate of the schedule times that of the warm-up."""
        kept = [group["lr"] for group in self.optimizer.param_groups]
        warm = self.recipe.warmup * self.steps
        factor = min(1.0, (self.done + 1) / warm) if warm else 1.0
        for group, rate in zip(self.optimizer.param_groups, kept):
            group["lr"] = rate * factor
        self.rate = self._rate()
        if self.scaler is None:
            self.optimizer.step()
        else:
            self.scaler.step(self.optimizer)
            self.scaler.update()
        for group, rate in zip(self.optimizer.param_groups, kept):
            group["lr"] = rate
        if self.scheduler is not None and self.recipe.scheduler is not None and self.recipe.scheduler.steps_on == STEP:
            self.scheduler.step()
        if self.average is not None:
            self.average.update(self.net)

    # --- numbers ---

    @property
    def looks(self) -> bool:
        """Whether this is a step after which reading numbers costs no waiting worth mentioning."""
        return self.device.type == "cpu" or self.step % _PAUSE == 0 or self.step == self.steps

    def gather(self) -> tuple[float, float]:
        """Mean loss and accuracy of the epoch so far over all processes; rank 0 then holds the sums of all."""
        if self.group.world > 1:
            self.group.sum(self.sums)
            loss, right = self.sums.tolist()
            if not self.group.leads:
                self.sums.zero_()
        else:
            loss, right = self.sums.tolist()
        return loss / max(self.divided, 1e-12), right / max(self.seen, 1)

    def check_finite(self) -> None:
        """For devices that are looked at now and then: raise NonFiniteLoss where the loss of the epoch is not finite."""
        if self.device.type != "cpu" and not math.isfinite(loss := float(self.sums[0])):
            parts, _ = next(self.feed.batches(self.epoch, self.step - 1))
            raise self._explain("loss", loss, parts)

    def test(self) -> tuple[float, Tensor] | None:
        """Loss and confusion matrix on the test images, of the averaged weights where there are; None without images."""
        half = self.tests
        if half is None or not len(half):
            return None
        if not self.sharded:
            self.group.broadcast_buffers(self.net)
        mine = self.group.share(len(half))
        order = torch.arange(mine.start, mine.stop)
        with self.averaged():
            # A sharded net is run by all processes in step, and so each looks at all images.
            if self.sharded:
                order = torch.arange(len(half))
            size = max(1, self.recipe.batch // self.recipe.accumulate)
            net = self.wrapped if self.sharded else self.net
            return measure(
                net, half.batches(order, size) if len(order) else (), self.prepare, self.criterion, classes=self.classes,
                device=self.device, group=distributed.Group() if self.sharded else self.group, layout=self.layout,
                precision=self.recipe.precision,
            )  # fmt: skip

    @contextlib.contextmanager
    def averaged(self) -> Iterator[None]:
        """The net with the averaged weights inside, where the recipe asks for them."""
        if self.average is None:
            yield
            return
        self.average.swap(self.net)
        try:
            yield
        finally:
            self.average.swap(self.net)

    def next_epoch(self, loss: float) -> None:
        """Close the epoch: the schedule moves, the sums begin anew."""
        chosen = self.recipe.scheduler
        if self.scheduler is not None and chosen is not None and chosen.steps_on != STEP:
            if chosen.steps_on == METRIC:
                self.scheduler.step(loss)
            else:
                self.scheduler.step()
        self.epoch, self.step = self.epoch + 1, 0
        self.sums.zero_()
        self.seen, self.divided = 0, 0.0

    # --- state ---

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
        if self.group.leads:
            self.sums.copy_(torch.tensor(sums, dtype=torch.float64))

    def _lay_out_anew(self) -> None:
        """Bring the new schedule to where the run is, as if it had been in force from the start."""
        assert self.scheduler is not None
        assert self.recipe.scheduler is not None
        for group, rate in zip(self.optimizer.param_groups, self.scheduler.base_lrs):
            group["lr"] = rate
        with warnings.catch_warnings():
            # torch warns of schedules that move before the optimizer does.
            warnings.simplefilter("ignore")
            for _ in range(self.done if self.recipe.scheduler.steps_on == STEP else self.epoch):
                self.scheduler.step()

    @property
    def guesses(self) -> bool:
        """Whether ln(classes) is the loss of guessing."""
        return self.criterion.weighted_mean and self.criterion.mean

    @property
    def schedule_spans(self) -> bool:
        return self.recipe.scheduler is not None and self.recipe.scheduler.spans_run
