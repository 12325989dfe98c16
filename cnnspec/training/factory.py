"""From the names of a recipe to torch: the net with its first weights, the optimizer, the schedule, the loss.

A torch class is found by the name of the class that declares it, which a closed table has found before; no name from a
text is looked up in torch.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import init
from torch.optim import lr_scheduler

from cnnspec.errors import TrainError
from cnnspec.graph.nodes import Graph

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from cnnspec.recipe.choices import Init, Loss, Optimizer, Scheduler

_INITIALISED = (
    nn.Linear, nn.Bilinear, nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d,
)  # fmt: skip


def build(graph: Graph, first: Init | None, seed: int) -> nn.Sequential:
    """The net on the CPU with the weights of a seed. Raises TrainError where the graph has mistakes.

    `first` sets the weights of linear and convolutional layers; biases and everything else stay as torch makes them.
    Leaves torch's random state as it is.
    """
    from cnnspec.backends.torch_module import build as build_module

    if not graph.complete:
        raise TrainError(f"model {graph.name} has mistakes: check it first")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = build_module(graph)
        if first is not None:
            initialise(net, first)
    return net


def initialise(net: nn.Module, first: Init) -> None:
    """Draw the weights of linear and convolutional layers anew."""
    draw = getattr(init, f"{first.name}_")
    for module in net.modules():
        if isinstance(module, _INITIALISED):
            draw(module.weight, **first.arguments())


def make_optimizer(chosen: Optimizer, net: nn.Module) -> torch.optim.Optimizer:
    """The optimizer over all parameters of a net. Raises TrainError where the net has none or torch refuses."""
    parameters = list(net.parameters())
    if not parameters:
        raise TrainError("the model has no parameters: there is nothing to train")
    arguments: dict[str, Any] = chosen.arguments()
    try:
        made: torch.optim.Optimizer = getattr(torch.optim, chosen.name)(parameters, **arguments)
    except ValueError as error:
        raise TrainError(f"{chosen.name}: {error}") from None
    return made


def make_scheduler(chosen: Scheduler | None, optimizer: torch.optim.Optimizer, *, epochs: int, steps: int) -> Any:
    """The schedule over `epochs` of `steps` steps, or None. Raises TrainError where torch refuses."""
    if chosen is None:
        return None
    try:
        return getattr(lr_scheduler, chosen.name)(optimizer, **chosen.arguments_for(epochs, steps))
    except ValueError as error:
        raise TrainError(f"{chosen.name}: {error}") from None


class Criterion:
    """A loss of torch as a sum over images and what that sum is divided by, so that parts of a batch add up exactly.

    `total(scores, labels)` for scores [n, classes] and labels [n] is the sum; `divisor(labels)` what torch's own mean over
    these labels divides by: 1 for `reduction="sum"`.
    """

    def __init__(self, chosen: Loss, classes: int, device: torch.device) -> None:
        self.name = chosen.name
        self.classes = classes
        arguments: dict[str, Any] = chosen.arguments()
        for key in ("weight", "pos_weight"):
            if arguments.get(key) is not None:
                arguments[key] = torch.tensor(arguments[key], dtype=torch.float32, device=device)
        self.mean = arguments.pop("reduction") == "mean"
        self.weighted_mean = chosen.weighted_mean
        self.weight = arguments.get("weight") if chosen.weighted_mean else None
        self.ignored = arguments.get("ignore_index", -100)
        self.takes_classes = chosen.takes_classes
        _check_weights(chosen, classes)
        self.module: nn.Module = getattr(nn, chosen.name)(**arguments, reduction="sum").to(device)

    def total(self, scores: Tensor, labels: Tensor) -> Tensor:
        if self.takes_classes:
            result: Tensor = self.module(scores, labels)
            return result
        rows = nn.functional.one_hot(labels, self.classes)
        summed: Tensor = self.module(scores, rows.to(scores.dtype))
        return summed

    def divisor(self, labels: Tensor) -> float:
        if not self.mean:
            return 1.0
        if not self.weighted_mean:
            return float(len(labels) * (1 if self.takes_classes else self.classes))
        if self.weight is None and not 0 <= self.ignored < self.classes:
            return float(len(labels))
        kept = labels[labels != self.ignored]
        return float(len(kept) if self.weight is None else self.weight[kept].sum())


def _check_weights(chosen: Loss, classes: int) -> None:
    for key in ("weight", "pos_weight"):
        given = getattr(chosen, key, None)
        if given is not None and len(given) not in chosen.weight_counts(classes):
            raise TrainError(f"{chosen.name}: {key} has {len(given)} values, the data set has {classes} classes")


class Average:
    """A running average of the weights of a net (EMA), batch-norm statistics included.

    The decay rises with the steps, min(decay, (1 + t) / (10 + t)), so that the first weights are forgotten soon.
    """

    def __init__(self, net: nn.Module, decay: float) -> None:
        self.decay = decay
        self.steps = 0
        self.values = {key: value.detach().clone() for key, value in net.state_dict().items()}

    @torch.no_grad()
    def update(self, net: nn.Module) -> None:
        """Move towards the weights of the net as they are after a step."""
        self.steps += 1
        share = 1 - min(self.decay, (1 + self.steps) / (10 + self.steps))
        for key, value in net.state_dict().items():
            if value.is_floating_point():
                self.values[key].lerp_(value, share)
            else:
                self.values[key].copy_(value)

    @torch.no_grad()
    def swap(self, net: nn.Module) -> None:
        """Exchange the average with the weights of the net."""
        for key, value in net.state_dict().items():
            kept = value.clone()
            value.copy_(self.values[key])
            self.values[key] = kept

    def state(self) -> dict[str, Any]:
        return {"steps": self.steps, "values": self.values}

    @torch.no_grad()
    def load(self, state: dict[str, Any]) -> None:
        self.steps = int(state["steps"])
        for key, value in state["values"].items():
            self.values[key].copy_(value)
