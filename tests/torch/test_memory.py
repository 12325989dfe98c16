"""The memory of a training step is what torch allocates: kept for the way back, in use at once, and asked of the allocator."""

from __future__ import annotations

import random

import pytest
import torch
from torch.utils._pytree import tree_leaves

import cnnspec
from cnnspec.analysis.memory import evaluation, training_step
from cnnspec.layers import Layer
from cnnspec.layers._tape import Tape, Value
from cnnspec.layers.base import Parts, count
from tests.layers import cases
from tests.network_generator import Generator
from tests.sampling import FULL
from tests.torch.live_bytes import Live, Training, kept_bytes
from tests.torch.test_costs import CASES, FOLDER, layer_of, sample

BATCH = 2
ESTIMATED = ("LSTM",)
"""What is kept is oneDNN's affair."""


@pytest.fixture(autouse=True)
def _one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


# --- layers by themselves ---


def with_gradient(value: object) -> object:
    """A sample that is no leaf, so that layers may work in place."""
    if isinstance(value, tuple):
        return tuple(map(with_gradient, value))
    assert isinstance(value, torch.Tensor)
    return value.requires_grad_() * 1 if value.is_floating_point() else value


def batched(shape: tuple) -> tuple:
    return tuple(map(batched, shape)) if isinstance(shape, Parts) else (BATCH, *shape)


def stand_in(tape: Tape, shape: tuple, layer: Layer) -> object:
    if isinstance(shape, Parts):
        return tuple(stand_in(tape, part, layer) for part in shape)
    given = tape.given((BATCH, *shape), BATCH * count(shape) * (8 if layer.integers else 4))
    return given if layer.integers else tape.op([given], given.shape, view=True, weights=[4 * count(given.shape)])


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("case", [case for case in CASES if case.name not in ESTIMATED], ids=lambda case: case.line)
def test_layer_keeps_what_torch_keeps(case: cases.Case):
    layer, module = layer_of(case)
    tape = Tape()
    x = stand_in(tape, case.x, layer)
    assert isinstance(x, (Value, tuple))
    tape.where = "layer"
    layer.run(tape, x, batched(case.y))
    assert tape.kept_by.get("layer", 0) == kept_bytes(module.train(), [with_gradient(sample(case.x, layer.integers))])


# --- networks ---

EXACT = [
    ("lenet.cnn", 64, "Adam"),
    ("resnet_small.cnn", 4, "momentum"),
    ("textcnn.cnn", 2, "AdamW"),
    ("two_tower.cnn", 3, "Adam"),
    ("vae.cnn:VAE", 2, "momentum"),
    ("m5_audio.cnn", 2, "SGD"),
    ("highway.cnn", 2, "SGD"),
    ("gan.cnn:Generator", 2, "AdamW"),
    ("tcn.cnn", 2, "SGD"),
]
MORE = [
    ("nin.cnn", 2, "SGD"),
    ("mobilenet_v3.cnn:MobileNetV3Small", 1, "momentum"),
    ("shufflenet_v2.cnn:ShuffleNetV2x05", 2, "SGD"),
    ("lenet.cnn", 256, "momentum"),
    ("pointnet.cnn", 2, "SGD"),
    ("mlp_mixer.cnn", 2, "Adam"),
    ("mobilenet_v2.cnn", 2, "SGD"),
    ("wavenet.cnn", 2, "SGD"),
    ("yolo.cnn", 1, "SGD"),
    ("unet.cnn", 1, "Adam"),
    ("densenet.cnn:DenseNet121", 1, "AdamW"),
    ("resnet.cnn:ResNet18", 2, "AdamW"),
    ("resnet.cnn:ResNet50", 2, "momentum"),
    ("alexnet.cnn", 4, "Adam"),
    ("siamese.cnn", 2, "SGD"),
    ("convnext.cnn:ConvNeXtT", 1, "SGD"),
    ("attention_unet.cnn", 1, "Adam"),
    ("efficientnet.cnn:EfficientNetB0", 1, "SGD"),
    ("fpn.cnn", 1, "SGD"),
    ("res2net.cnn", 1, "SGD"),
    ("vit.cnn", 1, "SGD"),
]


def inputs_of(spec: cnnspec.Spec, batch: int) -> list[torch.Tensor]:
    return [
        torch.zeros(batch, *entry.shape, dtype=torch.int64 if entry.integers else torch.float32)
        for entry in spec.graph.numbers.inputs
    ]


def compare(spec: cnnspec.Spec, batch: int, optimizer: str) -> None:
    graph = spec.graph.numbers
    step = training_step(graph, batch, optimizer=optimizer, watched=True)
    net, inputs = spec.compile().train(), inputs_of(spec, batch)
    assert step.activations - step.kept.get("loss", 0) == kept_bytes(net, inputs)
    assert step.peak == Training(net, inputs, optimizer).peak()
    # In evaluation.
    with torch.no_grad(), Live() as live:
        live.track(list(net.eval().parameters()), list(net.buffers()), inputs)
        tree_leaves(net(*inputs))
    assert evaluation(graph, batch).peak == live.peak


@pytest.mark.parametrize(("name", "batch", "optimizer"), EXACT + (MORE if FULL else []), ids=str)
def test_spec_takes_the_bytes_that_torch_takes(name: str, batch: int, optimizer: str):
    compare(cnnspec.load(FOLDER / name), batch, optimizer)


@pytest.mark.parametrize("seed", range(200 if FULL else 16))
def test_random_network_takes_the_bytes_that_torch_takes(seed: int):
    text, _ = Generator(random.Random(2000 + seed), values=seed >= 6).model()
    compare(cnnspec.loads(text), 2 + seed % 3, ("SGD", "momentum", "Adam", "AdamW")[seed % 4])
