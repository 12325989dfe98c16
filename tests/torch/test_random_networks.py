"""Networks made at random: the compiled module runs, and every child gives the shape that the graph holds for it."""

from __future__ import annotations

import random

import pytest
import torch

import cnnspec
from cnnspec.graph.walk import walk
from tests.network_generator import Generator


def shapes_of(net: torch.nn.Module, x: torch.Tensor) -> dict[str, tuple[int, ...]]:
    """The shape that every submodule gives for the input `x`, by its dotted name."""
    found: dict[str, tuple[int, ...]] = {}
    for name, module in net.named_modules():
        module.register_forward_hook(lambda _m, _i, out, name=name: found.__setitem__(name, tuple(out.shape)))
    with torch.no_grad():
        net(x)
    return found


@pytest.mark.parametrize("seed", range(300))
def test_random_network(seed: int):
    text, edits = Generator(random.Random(seed)).model()
    if seed % 10 < 3:
        rng = random.Random(seed)
        line, broken = rng.choice(edits)
        lines = text.split("\n")
        lines[line - 1] = broken
        with pytest.raises(cnnspec.SpecError) as caught:
            cnnspec.loads("\n".join(lines))
        first = caught.value.diagnostics[0]
        assert first.span.line == line, f"{caught.value}\nedited line {line}"
        return
    spec = cnnspec.loads(text)
    net = spec.compile()
    batch = 3
    found = shapes_of(net, torch.zeros(batch, *spec.input))
    expected = {path: (batch, *node.output) for path, node in walk(spec.graph.root)}
    assert {name: shape for name, shape in found.items() if name in expected} == expected, text
    assert sum(parameter.numel() for parameter in net.parameters()) == spec.parameters
