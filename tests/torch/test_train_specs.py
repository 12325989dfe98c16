"""Every network that comes along trains on data of its task: a few in the usual run, all of them in the full one."""

from __future__ import annotations

import math
from pathlib import Path

import numpy
import pytest
import torch
from torch import Tensor

import cnnspec
from cnnspec.diagnostics import Sink
from cnnspec.graph.nodes import Graph, LayerNode
from cnnspec.graph.walk import walk
from cnnspec.pipeline import check
from cnnspec.recipe.datasets import Npz
from cnnspec.recipe.outputs import Output, outputs_of
from cnnspec.source import Source
from cnnspec.training.data.load import load_data
from tests.sampling import FULL

torch.set_num_threads(1)

SPECS = Path(__file__).parents[2] / "specs"
USUAL = ["lenet.cnn:LeNet", "unet.cnn:UNet", "m5_audio.cnn:M5", "crnn.cnn:CRNN", "two_tower.cnn:TwoTower",
         "vae.cnn:VAE", "wavenet.cnn:WaveNet", "textcnn.cnn:TextCNN"]  # fmt: skip
SIDES = {"H": 64, "W": 64, "T": 1200}
"""Sizes for inputs that leave them open, large enough for all."""
SAMPLES, LARGEST = 4, 50_000_000


def names() -> list[str]:
    """All models of all files."""
    found = []
    for path in sorted(SPECS.glob("*.cnn")):
        graphs = check(Source(path, path.read_text(encoding="utf-8")), Sink())
        found += [f"{path.name}:{graph.name}" for graph in graphs]
    return found


def pictures(count: int, shape: tuple[int, ...]) -> Tensor:
    """Clothes at another size, uint8 [n, channels, height, width]."""
    clothes = load_data("FashionMini").train.images[:count].float()  # type: ignore[union-attr]
    sized = torch.nn.functional.interpolate(clothes, size=shape[1:])
    return sized.expand(-1, shape[0], -1, -1).byte()


def inputs_for(shape: tuple[int, ...], generator: torch.Generator, *, tokens: bool) -> Tensor:
    if tokens:
        return torch.randint(100, (SAMPLES, *shape), generator=generator)
    if len(shape) == 3 and shape[0] in (1, 3):
        return pictures(SAMPLES, shape)
    return torch.rand(SAMPLES, *shape, generator=generator)


def target_for(graph: Graph, output: Output, generator: torch.Generator) -> tuple[Tensor, str]:
    """Targets that an output may have, and a loss for them."""
    shape = output.shape
    between = output.bounds is not None and output.bounds[0] >= 0 and output.bounds[1] <= 1
    if shape == (1,):
        return torch.arange(SAMPLES) % 2, "BCELoss" if between else "BCEWithLogitsLoss"
    if graph.name == "CRNN":
        text = torch.randint(1, shape[1], (SAMPLES, 8), generator=generator)
        text[0, 5:] = -1
        return text, "CTCLoss"
    if graph.name in ("WaveNet",):
        return torch.randint(shape[0], (SAMPLES, *shape[1:]), generator=generator), "CrossEntropyLoss"
    if graph.name in ("Encoder", "VAE") and len(shape) == 1:
        return torch.zeros(SAMPLES, *shape), "MSELoss"
    if len(shape) == 1:
        return torch.arange(SAMPLES) * (shape[0] - 1) // (SAMPLES - 1), "CrossEntropyLoss"
    if len(shape) == 3 and shape[0] in (1, 3):
        return pictures(SAMPLES, shape), "MSELoss"
    if len(shape) == 3 and shape[0] in (2, 21):
        classes = torch.randint(shape[0], (SAMPLES, *shape[1:]), generator=generator)
        classes[0, 0, 0] = shape[0] - 1
        return classes, "CrossEntropyLoss(ignore_index=255)"
    return torch.rand(SAMPLES, *shape, generator=generator), "SmoothL1Loss"


@pytest.mark.parametrize("name", names() if FULL else USUAL)
def test_every_network_trains(name: str, tmp_path: Path):
    path, _, model = name.partition(":")
    spec = cnnspec.load(SPECS / path, model)
    if spec.graph.parameters > LARGEST:
        pytest.skip(f"{spec.graph.parameters:,} parameters take too much memory here")
    graph = spec.declared
    if graph.sizes is not None:
        graph = graph.sizes.at({size: SIDES[size] for size in graph.sizes.typical})
    generator = torch.Generator().manual_seed(0)
    tokens = any(
        isinstance(node, LayerNode) and type(node.layer).__name__ == "Embedding" for _, node in walk(graph.root)
    )
    arrays = {}
    for index, entry in enumerate(graph.inputs):
        key = "x_train" if len(graph.inputs) == 1 else f"x_train_{index}"
        arrays[key] = inputs_for(entry.shape or (), generator, tokens=tokens)
    losses = []
    outputs = outputs_of(graph)
    for index, output in enumerate(outputs):
        key = "y_train" if len(outputs) == 1 else f"y_train_{index}"
        arrays[key], loss = target_for(graph, output, generator)
        losses.append(loss)
    arrays |= {key.replace("train", "test"): values for key, values in arrays.items()}
    numpy.savez(tmp_path / "data.npz", **{key: values.numpy() for key, values in arrays.items()})
    recipe = {
        "data": "Npz", "loss": losses[0] if len(losses) == 1 else f"[{', '.join(losses)}]", "batch": 2, "epochs": 1,
        "optimizer": "SGD(lr=0.0001)", "clip_grad_norm": 1,
    }  # fmt: skip
    data = load_data(Npz(str(tmp_path / "data.npz")))
    run = cnnspec.train(spec, recipe, data, device="cpu")
    assert math.isfinite(run.history[0].train_loss)
    assert run.history[0].test_loss is not None
    assert run.history[0].test_metrics
