"""From the names of a recipe to torch: the net with its first weights, the optimizer, the schedule, the loss.

A torch class is found by the name of the class that declares it, which a closed table has found before; no name from a
text is looked up in torch.
"""

from __future__ import annotations

import inspect

import torch
from torch import nn
from torch.nn import init
from torch.optim import lr_scheduler

from cnnspec.errors import TrainError
from cnnspec.graph.nodes import Graph
from cnnspec.training.finetune import groups_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
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


def make_optimizer(chosen: Optimizer, net: nn.Module, rates: Sequence[tuple[str, float]] = ()) -> torch.optim.Optimizer:
    """The optimizer over all parameters of a net, with factors of its rate by the keys of modules.

    Raises TrainError where the net has none or torch refuses.
    """
    if not any(True for _ in net.parameters()):
        raise TrainError("the model has no parameters: there is nothing to train")
    arguments: dict[str, Any] = chosen.arguments()
    made_of = getattr(torch.optim, chosen.name)
    device = next(net.parameters()).device
    if device.type == "cuda" and "fused" in inspect.signature(made_of).parameters:
        # One kernel for all weights in place of several for each.
        arguments["fused"] = True
    groups = [{"params": own, "lr": arguments["lr"] * factor} for factor, own in groups_of(net, rates)]
    try:
        made: torch.optim.Optimizer = made_of(groups, **arguments)
    except ValueError as error:
        raise TrainError(f"{chosen.name}: {error}") from None
    return made


def make_scheduler(
    chosen: Scheduler | None, optimizer: torch.optim.Optimizer, rate: float, *, epochs: int, steps: int
) -> Any:
    """The schedule over `epochs` of `steps` steps, or None; `rate` is that of the recipe.

    Raises TrainError where torch refuses.
    """
    if chosen is None:
        return None
    arguments = chosen.arguments_for(epochs, steps)
    if "max_lr" in arguments and rate:
        factors = [group["lr"] / rate for group in optimizer.param_groups]
        arguments["max_lr"] = [float(arguments["max_lr"]) * factor for factor in factors]  # type: ignore[arg-type]
    try:
        return getattr(lr_scheduler, chosen.name)(optimizer, **arguments)
    except ValueError as error:
        raise TrainError(f"{chosen.name}: {error}") from None


def make_loss(chosen: Loss, arguments: dict[str, Any]) -> nn.Module:
    """The module of a loss that sums over its samples."""
    made: nn.Module = getattr(nn, chosen.name)(**arguments, reduction="sum")
    return made
