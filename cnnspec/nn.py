"""The torch modules that networks of cnnspec need and torch.nn lacks.

What branches and merges again (`Residual`, `Add`, `Multiply`, `Concat`), what keeps values for later (`Stack`), and the
layers of our own (`Slice`, `Permute`, `LayerScale`, `StochasticDepth`). All of them are plain modules: they can be
copied, pickled, compiled, exported and traced, and nothing in here depends on the rest of cnnspec.

A module with `takes_values = True` is called as `module(x, values)`, where `values` holds the named values that are
visible to it. `Stack` fills it; the modules that branch hand it down.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, overload

import torch
from torch import Tensor, nn
from torch.nn import functional as F

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["Add", "Concat", "LayerScale", "Multiply", "Permute", "Residual", "Slice", "Stack", "StochasticDepth"]


def _takes_values(modules: Iterable[nn.Module]) -> bool:
    return any(getattr(module, "takes_values", False) for module in modules)


def _run(module: nn.Module, x: Tensor, values: Mapping[str, Tensor] | None) -> Tensor:
    result: Tensor = module(x, values) if getattr(module, "takes_values", False) else module(x)
    return result


class Stack(nn.Sequential):
    """Runs its children one after another and keeps the values of some for those that merge with them.

    Takes and gives whatever its first and last child do. `keep` names the children whose results are kept; with
    `input_name` the input is kept as well, under that name. Children see the kept values of the stacks around them,
    too. Raises ValueError for a name in `keep` that no child has.

    >>> skip = Stack({"a": nn.Conv2d(3, 4, 1), "b": nn.ReLU(), "c": Concat(sources=("a",))}, keep=("a",))
    >>> skip(torch.zeros(2, 3, 8, 8)).shape
    torch.Size([2, 8, 8, 8])
    """

    def __init__(
        self, modules: Mapping[str, nn.Module], keep: Iterable[str] = (), input_name: str | None = None
    ) -> None:
        super().__init__()
        for name, module in modules.items():
            self.add_module(name, module)
        self.keep = tuple(keep)
        self.input_name = input_name
        self.takes_values = _takes_values(self)
        if missing := [name for name in self.keep if name not in self._modules]:
            raise ValueError(f"there is no child {missing[0]!r} to keep the value of")

    def forward(self, input: Tensor, values: Mapping[str, Tensor] | None = None) -> Tensor:
        # As the root of a symbolic trace `values` is a proxy for None.
        visible = dict(values) if isinstance(values, dict) else {}
        x = input
        if self.input_name is not None:
            visible[self.input_name] = x
        for name, module in self._modules.items():
            assert module is not None
            x = _run(module, x, visible)
            if name in self.keep:
                visible[name] = x
        return x

    @overload
    def __getitem__(self, index: slice) -> Stack: ...
    @overload
    def __getitem__(self, index: int) -> nn.Module: ...
    def __getitem__(self, index: slice | int) -> nn.Module:
        """The child at an index, or a stack of some that keeps what they kept."""
        if isinstance(index, int):
            return super().__getitem__(index)
        part = dict(list(self._modules.items())[index])
        return Stack(part, [name for name in self.keep if name in part], self.input_name)

    def extra_repr(self) -> str:
        parts = [f"keep={self.keep!r}"] if self.keep else []
        return ", ".join(parts + ([f"input_name={self.input_name!r}"] if self.input_name is not None else []))


class Residual(nn.Module):
    """Adds what a body and a shortcut make of the same input: body(x) + shortcut(x).

    Without `shortcut` it is the identity. Both have to give shapes that add up; torch raises RuntimeError otherwise.
    He et al. 2015, https://arxiv.org/abs/1512.03385.

    >>> unit = Residual(nn.Conv2d(4, 4, 3, padding=1))
    >>> unit(torch.zeros(2, 4, 8, 8)).shape
    torch.Size([2, 4, 8, 8])
    """

    def __init__(self, body: nn.Module, shortcut: nn.Module | None = None) -> None:
        super().__init__()
        self.body = body
        self.shortcut = nn.Identity() if shortcut is None else shortcut
        self.takes_values = _takes_values((self.body, self.shortcut))

    def forward(self, x: Tensor, values: Mapping[str, Tensor] | None = None) -> Tensor:
        return _run(self.body, x, values) + _run(self.shortcut, x, values)


class _Merge(nn.Module):
    """Merges what its branches make of the input, or the input with named values."""

    def __init__(self, *branches: nn.Module, sources: Iterable[str] = ()) -> None:
        super().__init__()
        for number, branch in enumerate(branches):
            self.add_module(str(number), branch)
        self.sources = tuple(sources)
        if bool(branches) == bool(self.sources):
            raise ValueError(f"{type(self).__name__} takes branches or sources, and at least one")
        self.takes_values = bool(self.sources) or _takes_values(branches)

    def forward(self, x: Tensor, values: Mapping[str, Tensor] | None = None) -> Tensor:
        if not self.sources:
            return self.merge([_run(branch, x, values) for branch in self._modules.values() if branch is not None])
        visible = values if isinstance(values, dict) else {}
        if missing := [name for name in self.sources if name not in visible]:
            raise KeyError(f"there is no value {missing[0]!r}: a Stack around {type(self).__name__} has to keep it")
        return self.merge([x, *(visible[name] for name in self.sources)])

    def merge(self, parts: list[Tensor]) -> Tensor:
        raise NotImplementedError

    def extra_repr(self) -> str:
        return f"sources={self.sources!r}" if self.sources else ""


class Add(_Merge):
    """Adds what its branches make of the same input, or the input and the values that `sources` names.

    The shapes have to be equal. Raises ValueError without branches and sources, or with both.

    >>> Add(nn.Identity(), nn.Identity())(torch.ones(1, 2))
    tensor([[2., 2.]])
    """

    def merge(self, parts: list[Tensor]) -> Tensor:
        total = parts[0]
        for part in parts[1:]:
            total = total + part
        return total


class Multiply(_Merge):
    """Multiplies what its branches make of the same input, or the input and the values that `sources` names.

    Shapes are broadcast as torch does, so that one branch may hold a factor for each channel: squeeze and excitation,
    Hu et al. 2017, https://arxiv.org/abs/1709.01507. Raises ValueError without branches and sources, or with both.

    >>> excite = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(4, 4, 1), nn.Sigmoid())
    >>> Multiply(nn.Identity(), excite)(torch.zeros(2, 4, 8, 8)).shape
    torch.Size([2, 4, 8, 8])
    """

    def merge(self, parts: list[Tensor]) -> Tensor:
        product = parts[0]
        for part in parts[1:]:
            product = product * part
        return product


class Concat(_Merge):
    """Joins what its branches make of the same input, or the input and the values that `sources` names, along `dim`.

    `dim` counts the batch as 0; all other dimensions have to agree. Raises ValueError without branches and sources,
    or with both. Szegedy et al. 2014, https://arxiv.org/abs/1409.4842.

    >>> Concat(nn.Conv2d(3, 4, 1), nn.Conv2d(3, 2, 1))(torch.zeros(2, 3, 8, 8)).shape
    torch.Size([2, 6, 8, 8])
    """

    def __init__(self, *branches: nn.Module, dim: int = 1, sources: Iterable[str] = ()) -> None:
        super().__init__(*branches, sources=sources)
        self.dim = dim

    def merge(self, parts: list[Tensor]) -> Tensor:
        return torch.cat(parts, self.dim)

    def extra_repr(self) -> str:
        return ", ".join(part for part in (super().extra_repr(), f"dim={self.dim}") if part)


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
