"""Networks made at random: the compiled module runs, and every child gives the shape that the graph holds for it."""

from __future__ import annotations

import copy
import random

import pytest
import torch

import cnnspec
from cnnspec.graph.nodes import Node
from cnnspec.graph.walk import walk
from cnnspec.layers.base import Parts
from tests.network_generator import Generator
from tests.sampling import FULL


def shape_of(value: torch.Tensor | tuple[torch.Tensor, ...]) -> tuple:
    return tuple(value.shape) if isinstance(value, torch.Tensor) else tuple(map(shape_of, value))


def batched(shape: tuple, batch: int) -> tuple:
    return tuple(batched(part, batch) for part in shape) if isinstance(shape, Parts) else (batch, *shape)


def own_shape(shape: tuple, node: Node) -> tuple:
    """What a module gives itself, where it gives values for others besides."""
    return shape[0] if getattr(node, "taps", ()) else shape


def shapes_of(net: torch.nn.Module, *inputs: torch.Tensor) -> dict[str, tuple[int, ...]]:
    """The shape that every submodule gives for the inputs, by its dotted name."""
    found: dict[str, tuple[int, ...]] = {}
    hooks = [
        module.register_forward_hook(lambda _m, _i, out, name=name: found.__setitem__(name, shape_of(out)))
        for name, module in net.named_modules()
    ]
    with torch.no_grad():
        net(*inputs)
    for hook in hooks:
        hook.remove()
    return found


@pytest.mark.parametrize("seed", range(800 if FULL else 200))
def test_random_network(seed: int):
    text, edits = Generator(random.Random(seed), values=seed >= 60, several=seed >= 100).model()
    if seed % 10 < 3:
        rng = random.Random(seed)
        line, broken = rng.choice(edits)
        lines = text.split("\n")
        lines[line - 1] = broken
        with pytest.raises(cnnspec.SpecError) as caught:
            cnnspec.loads("\n".join(lines), "Net")
        first = caught.value.diagnostics[0]
        assert first.span.line == line, f"{caught.value}\nedited line {line}"
        return
    spec = cnnspec.loads(text, "Net")
    net = spec.compile()
    batch = 3
    inputs = [torch.randn(batch, *entry.shape) for entry in spec.graph.inputs]
    found = shapes_of(net, *inputs)
    nodes = dict(walk(spec.graph.root))
    expected = {path: batched(node.output, batch) for path, node in nodes.items()}
    assert {name: own_shape(shape, nodes[name]) for name, shape in found.items() if name in nodes} == expected, text
    assert sum(parameter.numel() for parameter in net.parameters()) == spec.parameters
    if FULL or seed % 20 == 15:
        survives(net.eval(), inputs)


def survives(net: torch.nn.Module, inputs: list[torch.Tensor]) -> None:
    """A copy and what torch's tracers make of it compute the same."""
    with torch.no_grad():
        expected = net(*inputs)
        for made in (copy.deepcopy(net), torch.jit.trace(net, tuple(inputs)), torch.fx.symbolic_trace(net)):
            torch.testing.assert_close(made(*inputs), expected)
