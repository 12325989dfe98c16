"""The layers of our own: modules that torch.nn lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F

if TYPE_CHECKING:
    from collections.abc import Iterable


class Slice(nn.Module):
    """Keeps the channels from `start` up to, but without, `stop`, to the last where it is None.

    Takes (N, C, ...); negative numbers count from the end. Raises ValueError where that leaves no channel, or names one
    that the input does not have.

    >>> Slice(1, -1)(torch.zeros(2, 6, 8, 8)).shape
    torch.Size([2, 4, 8, 8])
    """

    def __init__(self, start: int, stop: int | None = None) -> None:
        super().__init__()
        self.start = start
        self.stop = stop

    def forward(self, x: Tensor) -> Tensor:
        # A symbolic trace has a proxy for the number of channels, which can't be compared.
        channels = x.shape[1]
        if isinstance(channels, int):
            self._check(channels)
        return x[:, self.start : self.stop]

    def _check(self, channels: int) -> None:
        stop = channels if self.stop is None else self.stop
        if not -channels <= min(self.start, stop) <= max(self.start, stop) <= channels:
            raise ValueError(f"{self} of {channels} channels: there are not so many")
        if not range(channels)[self.start : stop]:
            raise ValueError(f"{self} of {channels} channels: nothing is left")

    def extra_repr(self) -> str:
        return f"{self.start}, {self.stop}"


class Permute(nn.Module):
    """Reorders the dimensions, counted with the batch as 0, as torch.permute does.

    >>> Permute((0, 2, 3, 1))(torch.zeros(2, 3, 8, 9)).shape
    torch.Size([2, 8, 9, 3])
    """

    def __init__(self, dims: Iterable[int]) -> None:
        super().__init__()
        self.dims = tuple(dims)

    def forward(self, x: Tensor) -> Tensor:
        return x.permute(self.dims)

    def extra_repr(self) -> str:
        return f"{self.dims}"


class LayerScale(nn.Module):
    """Multiplies each channel of (N, C, ...) by a learnt factor, `gamma`, which starts as `init`.

    Touvron et al. 2021, https://arxiv.org/abs/2103.17239. Raises RuntimeError for another number of channels.

    >>> LayerScale(3, init=0.5)(torch.ones(1, 3, 1)).flatten().tolist()
    [0.5, 0.5, 0.5]
    """

    gamma: nn.Parameter

    def __init__(self, num_channels: int, init: float = 1e-5) -> None:
        super().__init__()
        self.init = init
        self.gamma = nn.Parameter(torch.empty(num_channels))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        nn.init.constant_(self.gamma, self.init)

    def forward(self, x: Tensor) -> Tensor:
        # Moving the channels to the end works for any number of dimensions, which a symbolic trace does not know.
        return (x.movedim(1, -1) * self.gamma).movedim(-1, 1)

    def extra_repr(self) -> str:
        return f"{self.gamma.numel()}, init={self.init}"


class StochasticDepth(nn.Module):
    """Sets whole samples to 0 with probability `p` in training and multiplies the others by 1 / (1 - p).

    As the last layer of a residual body it drops that body. Takes (N, ...); passes its input on in evaluation. Raises
    ValueError for a `p` outside of 0 to 1. Huang et al. 2016, https://arxiv.org/abs/1603.09382.

    >>> StochasticDepth(1.0)(torch.ones(2, 3)).sum().item()
    0.0
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError(f"p has to be a probability from 0 to 1, not {p}")
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.p == 0:
            return x
        factor = F.dropout(x.new_ones(x.shape[0]), self.p)
        return (x.movedim(0, -1) * factor).movedim(-1, 0)

    def extra_repr(self) -> str:
        return f"p={self.p}"
