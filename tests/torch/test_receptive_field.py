"""Receptive fields measured: the places of a long input that have a gradient, with weights and inputs above 0."""

from __future__ import annotations

import random

import pytest
import torch
from torch import nn

import cnnspec
from cnnspec.analysis.receptive_field import ReceptiveFields
from tests.sampling import FULL

LENGTH = 384
SAME_SIZE = (
    "Conv1d(2, 3, padding=1)", "Conv1d(2, 5, padding=4, dilation=2)", "Identity", "Conv1d(2, 1)",
    'Conv1d(2, 4, padding="same")', "ConstantPad1d((2, 0), 0); AvgPool1d(3, stride=1)",
)  # fmt: skip


def window(rng: random.Random, kernels: tuple[int, ...], *, dilation: bool = True) -> str:
    kernel = rng.choice(kernels)
    spread = rng.choice((1, 1, 2, 3)) if dilation else 1
    return f"{kernel}, padding={rng.randint(0, kernel // 2)}" + (f", dilation={spread}" if spread > 1 else "")


def layer(rng: random.Random) -> str:
    """A layer of 2 channels along a sequence."""
    return rng.choice(
        [
            f"Conv1d(2, {window(rng, (1, 2, 3, 4, 5))})",
            f"Conv1d(2, {window(rng, (3, 5))}, stride=2)",
            f'Conv1d(2, {rng.choice((2, 3, 4))}, padding="same")',
            f"AvgPool1d({window(rng, (2, 3), dilation=False)}, stride={rng.choice((1, 2, 3))})",
            f"ConvTranspose1d(2, {rng.choice((2, 3, 4))}, stride={rng.choice((1, 2, 3))}, padding={rng.choice((0, 1))})",
            f'Upsample(scale_factor={rng.choice((2, 3))}, mode="{rng.choice(("nearest", "linear", "nearest-exact"))}")',
            f"ConstantPad1d(({rng.choice((0, 2))}, {rng.choice((0, 3))}), 0)",
            "Slice(3, dim=2)",
            "Sigmoid",
            "BatchNorm1d",
        ]
    )


def network(rng: random.Random) -> str:
    lines = []
    for number in range(rng.randint(2, 7)):
        kind = rng.random()
        if kind < 0.6:
            lines.append(layer(rng))
        elif kind < 0.8:
            lines.append(f"residual {{ Conv1d(2, 3, padding=2, dilation=2); Tanh; {layer_of_same_size(rng)} }}")
        else:
            lines.append(f"concat {{ branch {{ {layer_of_same_size(rng)} }} branch {{ {layer_of_same_size(rng)} }} }}")
            lines.append(f"Conv1d(2, 1) as v{number}")
    return f"model M {{ input [2, {LENGTH}]\n" + "\n".join(lines) + "\n}"


def layer_of_same_size(rng: random.Random) -> str:
    return rng.choice(SAME_SIZE)


def smoothed(net: nn.Module) -> nn.Module:
    """Weights above 0, so that no gradient cancels out or is lost."""
    for parameter in net.parameters():
        nn.init.constant_(parameter, 0.1)
    return net.eval().double()


@pytest.mark.parametrize("seed", range(600 if FULL else 80))
def test_measured_by_gradients(seed: int):
    text = network(random.Random(seed))
    spec = cnnspec.loads(text)
    (field,) = ReceptiveFields(spec.graph).output
    net = smoothed(spec.compile())
    x = torch.full((1, 2, LENGTH), 0.5, dtype=torch.float64, requires_grad=True)
    y = net(x)[0].sum(0)
    # In the middle, where no edge is near.
    middle = round(LENGTH / 2 / float(field.stride))
    for place in range(middle, middle + len(field.spans)):
        (gradient,) = torch.autograd.grad(y[place], x, retain_graph=True)
        read = gradient.abs().sum((0, 1)).nonzero().flatten()
        measured = (int(read[0]), int(read[-1])) if len(read) else None
        assert field.at(place) == measured, f"place {place} of\n{text}"
