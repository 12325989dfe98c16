"""What makes a graph of modules: bodies whose values go elsewhere than to the next module, and what merges values.

A module that needs values from outside takes them behind its input: `module(x, *values)`. `Stack` hands them over; what
merges branches hands each of them on to the branches that need it. So nothing is looked up by a name while a network runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, overload

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


class Part(NamedTuple):
    """A value inside of the tuple that stands in a register: the items to take, one after the other."""

    register: int
    path: tuple[int, ...]


Feed: TypeAlias = "int | str | Part | tuple[Feed, ...]"
"""A register, a weight by its name, a part of a tuple, or a tuple of these."""


class Step(NamedTuple):
    """One run of a module: the key of a child, or the number of a shared module, and what it is given.

    `drop` lists the registers that no later step needs.
    """

    module: str | int
    feed: Feed
    values: tuple[Feed, ...] = ()
    drop: tuple[int, ...] = ()


class Stack(nn.Sequential):
    """Runs its children as `steps` says, each on a value that an earlier one gave.

    Takes `input`, then the `takes` values that it needs from outside; with `inputs` above 1 it is called with as many
    inputs, which it takes as a tuple. Register 0 holds the input, 1 to `takes` the values from outside, and every step puts
    its value into the next one. Gives `result`, or the tuple of it and of `taps` where there are some. `shared` holds
    modules of other bodies that are run here again; they are no children. `weights` are parameters of shape [1, ...],
    stretched over the batch where they are used. Raises ValueError for a step that names no child.

    >>> skip = Stack({"a": nn.Conv2d(3, 4, 1), "b": nn.ReLU(), "c": Concat(operands=(None,))}, [
    ...     Step("a", 0), Step("b", 1), Step("c", 2, (1,))], result=3)
    >>> skip(torch.zeros(2, 3, 8, 8)).shape
    torch.Size([2, 8, 8, 8])
    """

    def __init__(
        self,
        modules: Mapping[str, nn.Module],
        steps: Iterable[Step],
        result: Feed,
        *,
        takes: int = 0,
        taps: Iterable[Feed] = (),
        shared: Iterable[nn.Module] = (),
        weights: Mapping[str, nn.Parameter] | None = None,
        inputs: int = 1,
    ) -> None:
        super().__init__()
        for name, module in modules.items():
            self.add_module(name, module)
        for name, weight in (weights or {}).items():
            self.register_parameter(name, weight)
        self.steps = tuple(steps)
        self.result = result
        self.takes = takes
        self.taps = tuple(taps)
        # In a tuple, so that they are not registered here as well.
        self.shared = tuple(shared)
        self.inputs = inputs
        for step in self.steps:
            if isinstance(step.module, str) and step.module not in self._modules:
                raise ValueError(f"there is no child {step.module!r} to run")

    def forward(self, input: Any, *values: Any) -> Any:
        # In a symbolic trace of this module `values` is a proxy of unknown length: it is indexed, never iterated over.
        registers: list[Any]
        if self.inputs > 1:
            registers = [(input, *[values[number] for number in range(self.inputs - 1)])]
        else:
            registers = [input, *[values[number] for number in range(self.takes)]]
        batch = _batch(input) if self._parameters else None
        for step in self.steps:
            key = step.module
            module: Any = self._modules[key] if isinstance(key, str) else self.shared[key]
            value = self._fetch(step.feed, registers, batch)
            if step.values:
                value = module(value, *[self._fetch(feed, registers, batch) for feed in step.values])
            else:
                value = module(value)
            if isinstance(key, int) and getattr(module, "taps", None):
                value = value[0]
            registers.append(value)
            for register in step.drop:
                registers[register] = None
        result = self._fetch(self.result, registers, batch)
        if not self.taps:
            return result
        return (result, *[self._fetch(tap, registers, batch) for tap in self.taps])

    def _fetch(self, feed: Feed, registers: list[Any], batch: int | None) -> Any:
        if isinstance(feed, int):
            return registers[feed]
        if isinstance(feed, str):
            # By its name, so that a symbolic trace sees where it is taken.
            weight: Any = getattr(self, feed)
            stored = self._parameters[feed]
            assert stored is not None
            return weight.expand(batch, *[-1] * (stored.dim() - 1))
        if isinstance(feed, Part):
            value = registers[feed.register]
            for index in feed.path:
                value = value[index]
            return value
        return tuple(self._fetch(part, registers, batch) for part in feed)

    @overload
    def __getitem__(self, index: slice) -> nn.Sequential: ...
    @overload
    def __getitem__(self, index: int) -> nn.Module: ...
    def __getitem__(self, index: slice | int) -> nn.Module:
        """The child at an index. A slice is refused with TypeError: its values may go to children outside of it."""
        if isinstance(index, slice):
            raise TypeError("a stack whose values have several uses can't be sliced: take its children one by one")
        return super().__getitem__(index)

    def extra_repr(self) -> str:
        shapes = [f"({name}): Parameter{tuple(weight.shape)}" for name, weight in self.named_parameters(recurse=False)]
        return "\n".join(shapes)


def _batch(value: Any) -> int:
    while isinstance(value, tuple):
        value = value[0]
    size: int = value.shape[0]
    return size


def _run(module: nn.Module, x: Any, values: Sequence[Any], given: Sequence[int]) -> Any:
    return module(x, *[values[index] for index in given]) if given else module(x)


class _Merge(nn.Module):
    """Merges what its branches make of the input, or the input with further values and numbers.

    With branches, `given` has for each of them the numbers of the values that it takes, and `names` their keys where these
    are not 0, 1, 2. Without, `operands` lists what is merged with the input: numbers, and None for the next value. `taps`
    lists what is given besides: (branch, None) for the value of a branch, (branch, number) for one of those that the
    branch gives besides its own.
    """

    def __init__(
        self,
        *branches: nn.Module,
        operands: Iterable[float | None] = (),
        given: Iterable[Sequence[int]] = (),
        names: Iterable[str] = (),
        taps: Iterable[tuple[int, int | None]] = (),
    ) -> None:
        super().__init__()
        keys = tuple(names) or tuple(map(str, range(len(branches))))
        for key, branch in zip(keys, branches, strict=True):
            self.add_module(key, branch)
        self.operands = tuple(operands)
        if bool(branches) == bool(self.operands):
            raise ValueError(f"{type(self).__name__} takes branches or operands, and at least one")
        self.given = tuple(map(tuple, given)) or ((),) * len(branches)
        self.taps = tuple(taps)

    def forward(self, x: Any, *values: Any) -> Any:
        if self.operands:
            waiting = iter(values)
            return self.merge([x, *[next(waiting) if part is None else part for part in self.operands]])
        parts: list[Any] = []
        for branch, given in zip(self._modules.values(), self.given):
            assert branch is not None
            parts.append(_run(branch, x, values, given))
        return _with_taps(self, parts, self.merge)

    def merge(self, parts: list[Any]) -> Any:
        raise NotImplementedError

    def extra_repr(self) -> str:
        return f"operands={self.operands!r}" if self.operands else ""


def _with_taps(owner: Residual | _Merge, parts: list[Any], merge: Any) -> Any:
    """What branches gave, merged; with the values that are named from outside, where there are some."""
    if not owner.taps:
        return merge(parts)
    branches = list(owner._modules.values())
    gives_more = [bool(getattr(branch, "taps", ())) for branch in branches]
    own = [part[0] if more else part for part, more in zip(parts, gives_more)]
    taps = [own[branch] if tap is None else parts[branch][tap + 1] for branch, tap in owner.taps]
    return (merge(own), *taps)


class Residual(nn.Module):
    """Adds what a body and a shortcut make of the same input: body(x) + shortcut(x).

    Without `shortcut` it is the identity. Both have to give shapes that add up; torch raises RuntimeError otherwise.
    `given` and `taps` are those of the merges, for the body, 0, and the shortcut, 1.
    He et al. 2015, https://arxiv.org/abs/1512.03385.

    >>> unit = Residual(nn.Conv2d(4, 4, 3, padding=1))
    >>> unit(torch.zeros(2, 4, 8, 8)).shape
    torch.Size([2, 4, 8, 8])
    """

    def __init__(
        self,
        body: nn.Module,
        shortcut: nn.Module | None = None,
        *,
        given: Iterable[Sequence[int]] = (),
        taps: Iterable[tuple[int, int | None]] = (),
    ) -> None:
        super().__init__()
        self.body = body
        self.shortcut = nn.Identity() if shortcut is None else shortcut
        self.given = (*map(tuple, given), (), ())[:2]
        self.taps = tuple(taps)

    def forward(self, x: Tensor, *values: Any) -> Any:
        body, shortcut = self.given
        parts = [_run(self.body, x, values, body), _run(self.shortcut, x, values, shortcut)]
        return _with_taps(self, parts, _add)


def _add(parts: list[Any]) -> Any:
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


class Add(_Merge):
    """Adds what its branches make of the same input, or the input and its operands.

    The shapes have to be equal. Raises ValueError without branches and operands, or with both.

    >>> Add(nn.Identity(), nn.Identity())(torch.ones(1, 2))
    tensor([[2., 2.]])
    """

    def merge(self, parts: list[Any]) -> Any:
        return _add(parts)


class Multiply(_Merge):
    """Multiplies what its branches make of the same input, or the input and its operands.

    Shapes are broadcast as torch does, so that one branch may hold a factor for each channel: squeeze and excitation,
    Hu et al. 2017, https://arxiv.org/abs/1709.01507. Raises ValueError without branches and operands, or with both.

    >>> excite = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(4, 4, 1), nn.Sigmoid())
    >>> Multiply(nn.Identity(), excite)(torch.zeros(2, 4, 8, 8)).shape
    torch.Size([2, 4, 8, 8])
    """

    def merge(self, parts: list[Any]) -> Any:
        product = parts[0]
        for part in parts[1:]:
            product = product * part
        return product


class Concat(_Merge):
    """Joins what its branches make of the same input, or the input and its operands, along `dim`.

    `dim` counts the batch as 0; all other dimensions have to agree. Raises ValueError without branches and operands, or
    with both. Szegedy et al. 2014, https://arxiv.org/abs/1409.4842.

    >>> Concat(nn.Conv2d(3, 4, 1), nn.Conv2d(3, 2, 1))(torch.zeros(2, 3, 8, 8)).shape
    torch.Size([2, 6, 8, 8])
    """

    def __init__(self, *branches: nn.Module, dim: int = 1, **options: Any) -> None:
        super().__init__(*branches, **options)
        self.dim = dim

    def merge(self, parts: list[Any]) -> Any:
        return torch.cat(parts, self.dim)

    def extra_repr(self) -> str:
        return ", ".join(part for part in (super().extra_repr(), f"dim={self.dim}") if part)


class Matmul(_Merge):
    """The matrix product of two values over their last two dimensions, as torch.matmul has it.

    >>> Matmul(nn.Identity(), nn.Identity())(torch.ones(1, 2, 2))[0].tolist()
    [[2.0, 2.0], [2.0, 2.0]]
    """

    def merge(self, parts: list[Any]) -> Any:
        first, second = parts
        return torch.matmul(first, second)


class Tuple(_Merge):
    """Keeps apart what its branches make of the same input: a tuple of as many values.

    >>> len(Tuple(nn.Identity(), nn.Flatten())(torch.zeros(2, 3, 4)))
    2
    """

    def merge(self, parts: list[Any]) -> Any:
        return tuple(parts)
