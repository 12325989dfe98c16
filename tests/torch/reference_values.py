"""Numbers that are the same in every version of torch: weights and images from a formula, and what is kept of an output."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

MASK = 0xFFFFFFFF
KEPT = 6


def noise(shape: tuple[int, ...], seed: int) -> Tensor:
    """Numbers from -1 to 1 without a pattern, in double precision: whole numbers, multiplied and mixed."""
    count = 1
    for size in shape:
        count *= size
    x = torch.arange(count, dtype=torch.int64).mul_(0x9E3779B1).add_((seed + 1) * 0x85EBCA6B).bitwise_and_(MASK)
    for factor in (0x045D9F3B, 0x119DE1F3):
        x.bitwise_xor_(x >> 16).mul_(factor).bitwise_and_(MASK)
    return x.bitwise_xor_(x >> 16).double().div_(2**31).sub_(1).reshape(shape)


def start(key: str, shape: tuple[int, ...], seed: int) -> Tensor:
    """The value of a parameter or buffer: such that numbers neither vanish nor explode on their way through a network."""
    name, values = key.rpartition(".")[2], noise(shape, seed)
    if "weight" in name and len(shape) > 1:
        return values.mul_(2 * (shape[0] / values.numel()) ** 0.5)
    if "weight" in name or name == "running_var":
        return 1 + 0.3 * values
    if "bias" in name or name == "running_mean":
        return 0.2 * values
    return 0.5 * values


def fill(state: list[tuple[str, Tensor]]) -> None:
    """Gives every parameter and buffer of a state dict a value that depends on its place in the list alone."""
    with torch.no_grad():
        for seed, (key, value) in enumerate(state):
            value.copy_(start(key, tuple(value.shape), seed))


def entries(net: nn.Module) -> list[tuple[str, Tensor]]:
    """The parameters and buffers of a network, without counters."""
    return [(key, value) for key, value in net.state_dict().items() if not key.endswith("num_batches_tracked")]


def flat(value: Any) -> list[Tensor]:
    """The outputs of a network in a row."""
    return [value] if isinstance(value, Tensor) else [one for part in value for one in flat(part)]


def kept(output: Tensor) -> list[float]:
    """The norm of an output and a few of its numbers."""
    values = output.double().flatten()
    places = torch.arange(KEPT) * (len(values) - 1) // (KEPT - 1)
    return [values.norm().item(), *values[places].tolist()]


SETTINGS = {
    "BatchNorm": ("eps", "momentum"),
    "LayerNorm": ("eps",),
    "Dropout": ("p",),
    "StochasticDepth": ("p",),
    "DropPath": ("drop_prob",),
}


def outputs_and_settings(net: nn.Module, run: Callable[[], Any]) -> tuple[list[Tensor], dict[str, int]]:
    """The outputs of a run in evaluation, and what training needs besides the shapes: the settings of the norms and
    dropouts that ran, and how often."""
    found: dict[str, int] = {}

    def note(module: nn.Module, *_: object) -> None:
        for kind, names in SETTINGS.items():
            # Classes that go on from torch's have other names in other libraries.
            if not any(kind in base.__name__ for base in type(module).__mro__):
                continue
            values = [round(float(getattr(module, name)), 6) for name in names]
            if values[0]:
                text = f"{kind.replace('DropPath', 'StochasticDepth')} {' '.join(map(str, values))}"
                found[text] = found.get(text, 0) + 1
            return

    hooks = [module.register_forward_hook(note) for module in net.eval().modules()]
    with torch.no_grad():
        outputs = flat(run())
    for hook in hooks:
        hook.remove()
    return outputs, dict(sorted(found.items()))
