"""The layers of our own: modules that torch.nn lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional as F

if TYPE_CHECKING:
    from collections.abc import Iterable


class Slice(nn.Module):
    """Keeps the places from `start` up to, but without, `stop` of a dimension, to the last where it is None.

    `dim` counts the batch as 0 and 1 are the channels; negative numbers count from the end. Raises ValueError where that
    leaves nothing, or names a place that the input does not have.

    >>> Slice(1, -1)(torch.zeros(2, 6, 8, 8)).shape
    torch.Size([2, 4, 8, 8])
    """

    def __init__(self, start: int, stop: int | None = None, dim: int = 1) -> None:
        super().__init__()
        self.start = start
        self.stop = stop
        self.dim = dim

    def forward(self, x: Tensor) -> Tensor:
        # A symbolic trace has a proxy for the size, which can't be compared.
        size = x.shape[self.dim]
        if isinstance(size, int):
            self._check(size)
        part, every = slice(self.start, self.stop), slice(None)
        if self.dim < 0:
            return x[(..., part, *[every] * (-1 - self.dim))]
        return x[(*[every] * self.dim, part)]

    def _check(self, size: int) -> None:
        stop = size if self.stop is None else self.stop
        if not -size <= min(self.start, stop) <= max(self.start, stop) <= size:
            raise ValueError(f"{self} of {size} places: there are not so many")
        if not range(size)[self.start : stop]:
            raise ValueError(f"{self} of {size} places: nothing is left")

    def extra_repr(self) -> str:
        return f"{self.start}, {self.stop}" + (f", dim={self.dim}" if self.dim != 1 else "")


class Chunk(nn.Module):
    """Cuts a dimension, by default the channels, into equal parts: a tuple.

    `dim` counts the batch as 0. Raises ValueError where the parts would not be equal.

    >>> [part.shape for part in Chunk(2)(torch.zeros(2, 6, 8))]
    [torch.Size([2, 3, 8]), torch.Size([2, 3, 8])]
    """

    def __init__(self, chunks: int, dim: int = 1) -> None:
        super().__init__()
        self.chunks = chunks
        self.dim = dim

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        size = x.shape[self.dim]
        if isinstance(size, int) and size % self.chunks:
            raise ValueError(f"{size} places don't make {self.chunks} equal parts")
        parts = x.chunk(self.chunks, self.dim)
        # A symbolic trace can't be iterated over, but indexed.
        return tuple(parts[index] for index in range(self.chunks))

    def extra_repr(self) -> str:
        return f"{self.chunks}, dim={self.dim}"


class Split(nn.Module):
    """Cuts a dimension, by default the channels, into parts of given sizes: a tuple.

    `dim` counts the batch as 0. torch raises RuntimeError where the sizes don't add up to that of the dimension.

    >>> [part.shape for part in Split((1, 5))(torch.zeros(2, 6, 8))]
    [torch.Size([2, 1, 8]), torch.Size([2, 5, 8])]
    """

    def __init__(self, sizes: Iterable[int], dim: int = 1) -> None:
        super().__init__()
        self.sizes = tuple(sizes)
        self.dim = dim

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        parts = torch.split(x, list(self.sizes), self.dim)
        return tuple(parts[index] for index in range(len(self.sizes)))

    def extra_repr(self) -> str:
        return f"{self.sizes}, dim={self.dim}"


class Select(nn.Module):
    """Takes one place of a dimension, by default a channel, and drops the dimension; -1 is the last.

    `dim` counts the batch as 0. torch raises IndexError for a place that is not there.

    >>> Select(-1)(torch.zeros(2, 6, 8)).shape
    torch.Size([2, 8])
    """

    def __init__(self, index: int, dim: int = 1) -> None:
        super().__init__()
        self.index = index
        self.dim = dim

    def forward(self, x: Tensor) -> Tensor:
        return x.select(self.dim, self.index)

    def extra_repr(self) -> str:
        return f"{self.index}, dim={self.dim}"


class PadChannels(nn.Module):
    """Adds channels of zeros: as many in front and behind, or a pair of numbers.

    He et al. 2015, https://arxiv.org/abs/1512.03385, shortcuts of option A.

    >>> PadChannels((0, 3))(torch.zeros(2, 6, 8)).shape
    torch.Size([2, 9, 8])
    """

    def __init__(self, padding: int | Iterable[int]) -> None:
        super().__init__()
        before, after = (padding, padding) if isinstance(padding, int) else padding
        self.padding = (before, after)

    def forward(self, x: Tensor) -> Tensor:
        # Padding counts from the last dimension, of which a symbolic trace does not know the number.
        moved: Tensor = F.pad(x.movedim(1, -1), self.padding)
        return moved.movedim(-1, 1)

    def extra_repr(self) -> str:
        return f"{self.padding}"


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


class _Reduce(nn.Module):
    """Brings a dimension, or several, down to one number. `dim` counts the batch as 0."""

    def __init__(self, dim: int | Iterable[int], keepdim: bool = False) -> None:
        super().__init__()
        self.dim = dim if isinstance(dim, int) else tuple(dim)
        self.keepdim = keepdim

    def extra_repr(self) -> str:
        return f"{self.dim}, keepdim={self.keepdim}"


class Mean(_Reduce):
    """Takes the mean over a dimension, or several.

    >>> Mean((2, 3))(torch.zeros(2, 6, 8, 8)).shape
    torch.Size([2, 6])
    """

    def forward(self, x: Tensor) -> Tensor:
        return x.mean(self.dim, keepdim=self.keepdim)


class Max(_Reduce):
    """Takes the largest value over a dimension, or several, as torch.amax does.

    >>> Max(1)(torch.tensor([[1.0, 3.0]]))
    tensor([3.])
    """

    def forward(self, x: Tensor) -> Tensor:
        return x.amax(self.dim, keepdim=self.keepdim)


class Sum(_Reduce):
    """Takes the sum over a dimension, or several.

    >>> Sum(1)(torch.tensor([[1.0, 3.0]]))
    tensor([4.])
    """

    def forward(self, x: Tensor) -> Tensor:
        return x.sum(self.dim, keepdim=self.keepdim)


class Std(_Reduce):
    """Takes the standard deviation over a dimension, or several, with n - 1 below, as torch.std does.

    >>> Std(1)(torch.tensor([[1.0, 2.0, 3.0]]))
    tensor([1.])
    """

    def forward(self, x: Tensor) -> Tensor:
        return x.std(self.dim, keepdim=self.keepdim)


class Exp(nn.Module):
    """Takes e to the power of each value.

    >>> Exp()(torch.zeros(1))
    tensor([1.])
    """

    def forward(self, x: Tensor) -> Tensor:
        return x.exp()


class Log(nn.Module):
    """Takes the natural logarithm of each value: NaN below 0.

    >>> Log()(torch.ones(1))
    tensor([0.])
    """

    def forward(self, x: Tensor) -> Tensor:
        return x.log()


class Sqrt(nn.Module):
    """Takes the square root of each value: NaN below 0.

    >>> Sqrt()(torch.ones(1))
    tensor([1.])
    """

    def forward(self, x: Tensor) -> Tensor:
        return x.sqrt()


class Abs(nn.Module):
    """Takes the absolute value of each value.

    >>> Abs()(-torch.ones(1))
    tensor([1.])
    """

    def forward(self, x: Tensor) -> Tensor:
        return x.abs()
