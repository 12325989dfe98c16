"""What makes a graph of modules: what branches and merges again, and what keeps values for later.

A module with `takes_values = True` is called as `module(x, values)`, where `values` holds the named values that are
visible to it. `Stack` fills it; the modules that branch hand it down.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, overload

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


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
