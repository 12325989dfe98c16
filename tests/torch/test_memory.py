"""The memory of a training step is what torch allocates: kept for the way back, in use at once, and asked of the allocator."""

from __future__ import annotations

import random

import pytest
import torch
from torch.utils._pytree import tree_leaves

import cnnspec
from cnnspec.analysis.memory import evaluation, mixed_peak, training_step
from cnnspec.graph.nodes import Graph
from cnnspec.layers import Layer
from cnnspec.layers._tape import Tape, Value
from cnnspec.layers.base import Parts, count
from cnnspec.recipe.losses import Loss
from cnnspec.sizes.sets import nearest
from tests.layers import cases
from tests.network_generator import Generator
from tests.sampling import FULL
from tests.torch.live_bytes import Live, Training, kept_bytes
from tests.torch.test_costs import CASES, FOLDER, layer_of, models, sample

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
    ("yolo.cnn", 2, "SGD"),
    ("unet.cnn", 2, "Adam"),
    ("densenet.cnn:DenseNet121", 1, "AdamW"),
    ("resnet.cnn:ResNet18", 2, "AdamW"),
    ("resnet.cnn:ResNet50", 2, "momentum"),
    ("alexnet.cnn", 4, "Adam"),
    ("siamese.cnn", 2, "SGD"),
    ("convnext.cnn:ConvNeXtT", 1, "SGD"),
    ("attention_unet.cnn", 2, "Adam"),
    ("efficientnet.cnn:EfficientNetB0", 1, "SGD"),
    ("fpn.cnn", 2, "SGD"),
    ("res2net.cnn", 1, "SGD"),
    ("vit.cnn", 2, "SGD"),
]


MODERATE = 64
"""Sizes by name are the nearest to it: at the smallest ones some maps are single pixels, which norms refuse."""


def graph_of(spec: cnnspec.Spec) -> Graph:
    sizes = spec.declared.sizes
    if sizes is None:
        return spec.graph
    return sizes.at(dict(zip(sizes.names, nearest(sizes.boxes, (MODERATE,) * len(sizes.names)))))


def zeros_of(graph: Graph, batch: int, device: str = "cpu") -> list[torch.Tensor]:
    return [
        torch.zeros(batch, *(entry.shape or ()), dtype=torch.int64 if entry.integers else torch.float32, device=device)
        for entry in graph.inputs
    ]


def compare(spec: cnnspec.Spec, batch: int, optimizer: str) -> None:
    graph = graph_of(spec)
    step = training_step(graph, batch, optimizer=optimizer, watched=True)
    net, inputs = spec.compile().train(), zeros_of(graph, batch)
    assert step.activations - step.kept.get("loss", 0) == kept_bytes(net, inputs)
    # The gradient of the bias of the map to queries, keys and values is freed later than elsewhere.
    assert step.peak == pytest.approx(Training(net, inputs, optimizer).peak(), rel=1e-4 if attends(net) else 0)
    # In evaluation.
    with torch.no_grad(), Live() as live:
        live.track(list(net.eval().parameters()), list(net.buffers()), inputs)
        tree_leaves(net(*inputs))
    assert evaluation(graph, batch).peak == live.peak


def attends(net: torch.nn.Module) -> bool:
    return any(isinstance(module, torch.nn.MultiheadAttention) for module in net.modules())


@pytest.mark.parametrize(("name", "batch", "optimizer"), EXACT + (MORE if FULL else []), ids=str)
def test_spec_takes_the_bytes_that_torch_takes(name: str, batch: int, optimizer: str):
    compare(cnnspec.load(FOLDER / name), batch, optimizer)


def test_a_part_of_a_gradient_is_copied_for_a_group_norm():
    branches = "branch { Conv2d(6, 3, padding=1); GroupNorm(6) } branch { Conv2d(2, 1) }"
    text = f"model M {{ input [3, 16, 16]; concat {{ {branches} }}; AvgPool2d(4); Flatten; Linear(2) }}"
    compare(cnnspec.loads(text), 3, "SGD")


@pytest.mark.parametrize("name", models() if FULL else models()[::4])
def test_spec_of_full_size_takes_the_bytes_that_torch_takes(name: str):
    """On the device `meta`, where nothing is worked out; its attention and its recurrent layers are others than the CPU's."""
    spec = cnnspec.load(FOLDER / name)
    graph, net = graph_of(spec), spec.compile(device="meta").train()
    if not graph.parameters or attends(net) or any(isinstance(module, torch.nn.RNNBase) for module in net.modules()):
        pytest.skip("nothing to compare")
    inputs = zeros_of(graph, 2, "meta")
    step = training_step(graph, 2, watched=True)
    assert step.activations - step.kept.get("loss", 0) == kept_bytes(net, inputs)
    assert step.peak == Training(net, inputs, "SGD").peak()


# --- losses and precision of a recipe ---

LOSSES = (
    "CrossEntropyLoss NLLLoss MSELoss L1Loss SmoothL1Loss HuberLoss BCELoss BCEWithLogitsLoss MultiLabelSoftMarginLoss "
    "SoftMarginLoss KLDivLoss PoissonNLLLoss"
).split()


@pytest.mark.parametrize("name", LOSSES)
def test_a_step_with_the_loss_of_a_recipe(name: str):
    spec = cnnspec.loads("model M { input [3, 32, 32]; Conv2d(8, 1); Sigmoid }")
    kind = Loss.find(name)
    assert kind is not None
    loss = kind()
    step = training_step(spec.graph, 2, watched=True, losses=[loss.compared])
    training = Training(spec.compile(), zeros_of(spec.graph, 2), "SGD")
    training.loss = getattr(torch.nn, name)(reduction="sum")
    if not loss.takes_classes:
        training.targets = [torch.rand(2, 8, 32, 32)]
    # A number or two beside it.
    assert step.peak == pytest.approx(training.peak(), abs=8)


MIXED = [("lenet.cnn", 256, "SGD"), ("resnet_small.cnn", 64, "momentum")]
MORE_MIXED = [
    ("resnet.cnn:ResNet18", 4, "momentum"),
    ("mobilenet_v2.cnn", 4, "SGD"),
    ("unet.cnn", 4, "Adam"),
    ("densenet.cnn:DenseNet121", 2, "SGD"),
    ("convnext.cnn:ConvNeXtT", 2, "AdamW"),
]


@pytest.mark.parametrize(("name", "batch", "optimizer"), MIXED + (MORE_MIXED if FULL else []))
def test_a_step_in_another_precision_is_told_within_five_percent(name: str, batch: int, optimizer: str):
    spec = cnnspec.load(FOLDER / name)
    graph = graph_of(spec)
    training = Training(spec.compile(), zeros_of(graph, batch), optimizer)
    training.precision = torch.bfloat16
    assert mixed_peak(graph, batch, optimizer=optimizer) == pytest.approx(training.peak(), rel=0.05)


LARGE = ["mobilenet_v2.cnn", "alexnet.cnn", "unet.cnn", "densenet.cnn:DenseNet121", "resnet.cnn:ResNet18"]


@pytest.mark.parametrize("batch", [2, 4] if FULL else [2])
@pytest.mark.parametrize("name", LARGE if FULL else LARGE[:1])
def test_peak_is_that_of_the_allocator(name: str, batch: int):
    """What kernels ask for of their own is in it, too, and in small networks more than a trifle."""
    spec = cnnspec.load(FOLDER / name)
    graph = graph_of(spec)
    training = Training(spec.compile(), zeros_of(graph, batch), "Adam")
    step = training_step(graph, batch, optimizer="Adam")
    before = step.parameters + step.buffers + step.optimizer + step.inputs
    assert step.peak == pytest.approx(before + training.allocated(), rel=0.015)


@pytest.mark.parametrize("seed", range(200 if FULL else 16))
def test_random_network_takes_the_bytes_that_torch_takes(seed: int):
    text, _ = Generator(random.Random(2000 + seed), values=seed >= 6).model()
    compare(cnnspec.loads(text), 2 + seed % 3, ("SGD", "momentum", "Adam", "AdamW")[seed % 4])
