"""Modules with arguments that depend on the size of the input that the network runs on."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

__all__ = ["Following", "InputSizes", "Term"]


class Term:
    """`factor` times functions of sizes of the input, plus `extra`.

    `functions` has for each the number of its size n, and either (slope, shift, divisor, times, extra, least), which stands
    for max(least, times * ((slope * n + shift) // divisor) + extra), or (values, period): its values at 1, 2, ..., of which
    each of the last `period` grows from one period to the next by what it has grown in the last one.
    """

    def __init__(self, factor: int, functions: list[tuple[int, tuple[Any, ...]]], extra: int) -> None:
        self.factor, self.functions, self.extra = factor, functions, extra

    def at(self, sizes: tuple[int, ...]) -> int:
        """The number for these sizes of the input."""
        total = self.factor
        for number, function in self.functions:
            total = total * (_looked_up if len(function) == 2 else _worked_out)(sizes[number], *function)
        return total + self.extra


def _worked_out(n: int, slope: int, shift: int, divisor: int, times: int, extra: int, least: int | None) -> int:
    value = times * ((slope * n + shift) // divisor) + extra
    return value if least is None else max(least, value)


def _looked_up(n: int, values: tuple[int, ...], period: int) -> int:
    if n <= len(values):
        return values[n - 1]
    steps = -(-(n - len(values)) // period)
    last = values[n - steps * period - 1]
    return last + steps * (last - values[n - (steps + 1) * period - 1])


class InputSizes:
    """The sizes of the input that a network runs on: as a hook in front of the network it looks them up.

    `places` has for each size the number of an input and one of its dimensions.
    """

    def __init__(self, places: list[tuple[int, int]]) -> None:
        self.places = places
        self.found: tuple[int, ...] = ()

    def __call__(self, module: nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
        self.found = tuple(inputs[number].shape[dim] for number, dim in self.places)


class Following(nn.Module):
    """A module without weights, made anew for every input: `arguments` and `options` may hold Terms.

    >>> sizes = InputSizes(((0, -1),))
    >>> half = Term(1, [(0, (1, 0, 2, 1, 0, None))], 0)
    >>> sizes.found = (9,)
    >>> Following(nn.AdaptiveAvgPool1d, (half,), {}, sizes)(torch.zeros(1, 3, 9)).shape
    torch.Size([1, 3, 4])
    """

    def __init__(
        self, kind: type[nn.Module], arguments: tuple[Any, ...], options: dict[str, Any], sizes: InputSizes
    ) -> None:
        super().__init__()
        self.kind, self.arguments, self.options, self.sizes = kind, arguments, options, sizes

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """What the module gives for the sizes of the network's input."""
        arguments = [self._known(value) for value in self.arguments]
        options = {name: self._known(value) for name, value in self.options.items()}
        given: torch.Tensor = self.kind(*arguments, **options)(x)
        return given

    def _known(self, value: Any) -> Any:
        if isinstance(value, Term):
            return value.at(self.sizes.found)
        return tuple(map(self._known, value)) if isinstance(value, tuple) else value

    def extra_repr(self) -> str:
        return self.kind.__name__
