"""What a network costs is what torch counts: FlopCounterMode on the CPU, over every layer, every spec and random networks."""

from __future__ import annotations

import random
from contextlib import ExitStack
from math import prod

import pytest
import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

import cnnspec
from cnnspec.analysis.cost import Costs
from cnnspec.analysis.memory import training_step
from cnnspec.backends.torch_module import _called, _classes
from cnnspec.layers import Layer
from cnnspec.layers.base import Parts, Shape, count
from tests.layers import cases
from tests.network_generator import Generator
from tests.sampling import FULL
from tests.torch.test_specs import FOLDER, all_models, inputs_of

BATCH = 2
CASES = [case for case in cases.accepted() if case.y is not None and max(count(case.x), count(case.y)) < 10**6]


def counted(net: nn.Module, inputs: list, *, step: bool = False) -> int:
    """MACs that torch counts, forward or of a `step` forward and backward.

    oneDNN's recurrent layers and the fused attention of the CPU are not in its table.
    """
    recurrent = any(isinstance(module, nn.RNNBase) for module in net.modules())
    net.requires_grad_(step)
    switches = (torch.backends.mkldnn.flags(enabled=False),) if recurrent else ()
    with ExitStack() as stack:
        for switch in (*switches, sdpa_kernel(SDPBackend.MATH)):
            stack.enter_context(switch)
        mapping = {torch.ops.aten.convolution_backward: convolution_backward}
        counter = stack.enter_context(FlopCounterMode(display=False, custom_mapping=mapping))
        outputs = tree_leaves(net(*inputs))
        if step:
            sum(output.sum() for output in outputs).backward()
    flops, odd = divmod(counter.get_total_flops(), 2)
    assert not odd
    return flops


def convolution_backward(
    grad: Shape, x: Shape, weight: Shape, _bias: object, _stride: object, _padding: object, _dilation: object,
    transposed: bool, _output_padding: object, _groups: int, mask: list[bool], out_shape: object = None,
) -> int:  # fmt: skip
    """FLOPs of the two gradients. torch 2.13 counts those of grouped weights without their groups."""
    return 2 * prod(weight) * prod((x if transposed else grad)[2:]) * x[0] * sum(map(bool, mask[:2]))


def sample(shape: Shape, integers: bool) -> object:
    """A batch of a shape."""
    if isinstance(shape, Parts):
        return tuple(sample(part, integers) for part in shape)
    return torch.zeros(BATCH, *shape, dtype=torch.int64) if integers else torch.rand(BATCH, *shape)


def layer_of(case: cases.Case) -> tuple[Layer, nn.Module]:
    layer = cases.answer(case.name, case.arguments, case.x).layer
    assert layer is not None
    torch.manual_seed(0)
    return layer, _called(layer.call(case.x), _classes())


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.line)
def test_layer_counts_what_torch_counts(case: cases.Case):
    layer, module = layer_of(case)
    buffers = list(module.buffers())
    floats = sum(buffer.numel() for buffer in buffers if buffer.is_floating_point())
    assert layer.buffers(case.x) == (floats, sum(buffer.numel() for buffer in buffers) - floats)
    assert BATCH * layer.macs(case.x, case.y) == counted(module.train(), [sample(case.x, layer.integers)])
    assert layer.operations(case.x, case.y) >= 0
    if layer.macs(case.x, case.y):
        for wanted in (True, False):
            x = sample(case.x, layer.integers)
            for part in tree_leaves(x) if wanted else ():
                part.requires_grad_()
            step = layer.macs(case.x, case.y) + layer.backward_macs(case.x, case.y, wanted=wanted)
            assert BATCH * step == counted(module, [x], step=True)


DEEP = (
    "deeplab_v3 densenet efficientnet efficientnet_v2 gmlp googlenet hrnet inception_v3 lraspp mlp_mixer mnasnet mobilenet_v3 "
    "regnet res2net retinanet se_resnet shufflenet_v2 unetpp wavenet yolo cbam fcn fpn convnext"
).split()
"""Specs of hundreds of layers, which a full run tries."""


def models() -> list[str]:
    """Those of test_specs; where the run is short, of each file the first, and none of hundreds of layers."""
    names = all_models()
    if FULL:
        return names
    first = {name.partition(".cnn")[0]: name for name in reversed(names)}
    return [name for file, name in first.items() if file not in DEEP]


@pytest.mark.parametrize("name", models())
def test_spec_counts_what_torch_counts(name: str):
    spec = cnnspec.load(FOLDER / name)
    net = spec.compile(device="meta")
    cost = Costs(spec.graph.numbers).total
    assert 2 * cost.macs == counted(net, inputs_of(spec, "meta"))
    buffers = [buffer.numel() for buffer in net.buffers()]
    assert cost.buffers + cost.counters == sum(buffers)
    if spec.parameters:
        assert 2 * training_step(spec.graph).macs == counted(net.train(), inputs_of(spec, "meta"), step=True)


@pytest.mark.parametrize("seed", range(200 if FULL else 40))
def test_random_network_counts_what_torch_counts(seed: int):
    text, _ = Generator(random.Random(1000 + seed), values=seed >= 10).model()
    spec = cnnspec.loads(text)
    net = spec.compile()
    assert Costs(spec.graph.numbers).total.macs * 2 == counted(net, [torch.zeros(2, *spec.input)]), text
    assert training_step(spec.graph).macs * 2 == counted(net, [torch.zeros(2, *spec.input)], step=True), text
