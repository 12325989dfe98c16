"""A running average of the weights (EMA), kept beside a net and exchanged with its weights to test and to save.

torch's `AveragedModel` would keep a second module: this average also serves nets that are compiled or sharded in place.
"""

from __future__ import annotations

import torch

from cnnspec.training import distributed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from torch import Tensor, nn


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
        # Of a sharded net, buffers are tensors of another kind than weights, and the two are not mixed.
        moving: dict[type, tuple[list[Tensor], list[Tensor]]] = {}
        for key, value in net.state_dict().items():
            if value.is_floating_point():
                averages, values = moving.setdefault(type(value), ([], []))
                averages.append(self.values[key])
                values.append(value)
            else:
                self.values[key].copy_(value)
        for averages, values in moving.values():
            torch._foreach_lerp_(averages, values, share)

    @torch.no_grad()
    def swap(self, net: nn.Module) -> None:
        """Exchange the average with the weights of the net."""
        for key, value in net.state_dict().items():
            kept = value.clone()
            value.copy_(self.values[key])
            self.values[key] = kept

    def state(self) -> dict[str, Any]:
        """Steps and values, whole where they are sharded: then all processes have to call it."""
        return {"steps": self.steps, "values": {key: distributed.whole(value) for key, value in self.values.items()}}

    @torch.no_grad()
    def load(self, state: dict[str, Any]) -> None:
        self.steps = int(state["steps"])
        for key, value in state["values"].items():
            distributed.copy_whole(self.values[key], value)


def averaged_or_last(state: dict[str, Any]) -> dict[str, Tensor]:
    """The weights of a checkpoint that are evaluated and shared: the average where there is one."""
    kept = state["average"]
    weights: dict[str, Tensor] = kept["values"] if kept else state["model"]
    return weights
