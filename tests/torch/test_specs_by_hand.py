"""The specs that no library has, against modules written by hand: with the same weights and statistics in the same order
they compute the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import cnnspec
from tests.sampling import FULL
from tests.torch import modules_by_hand as vision
from tests.torch import sequences_by_hand as others
from tests.torch.reference_values import entries, fill, flat, noise

FOLDER = Path(__file__).parent.parent.parent / "specs"


def mlp() -> nn.Module:
    parts: list[nn.Module] = [nn.Flatten(), nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU()]
    return nn.Sequential(*parts, nn.Linear(256, 10))


# The spec with parameters, the module, and the shapes of its inputs.
CASES: list[tuple[str, dict[str, Any], Callable[[], nn.Module], list[tuple[int, ...]]]] = [
    ("attention_unet.cnn", {"width": 8}, vision.AttentionUNet, [(1, 32, 32)]),
    ("crnn.cnn", {}, others.CRNN, [(1, 32, 40)]),
    ("edsr.cnn:EDSRBaseline", {}, lambda: vision.EDSR(64, 16, 1.0), [(3, 8, 8)]),
    ("gan.cnn:Discriminator", {}, others.Discriminator, [(3, 64, 64)]),
    ("gan.cnn:Generator", {}, others.Generator, [(100, 1, 1)]),
    ("highway.cnn", {}, others.Highway, [(1, 28, 28)]),
    ("m5_audio.cnn", {}, others.M5, [(1, 2000)]),
    ("mlp.cnn", {}, mlp, [(1, 28, 28)]),
    ("nin.cnn", {}, others.NiN, [(1, 96, 96)]),
    ("pointnet.cnn", {}, others.PointNet, [(3, 16)]),
    ("resnet_small.cnn", {}, vision.ResNetSmall, [(1, 28, 28)]),
    ("siamese.cnn", {"features": 32}, others.Siamese, [(1, 105, 105), (1, 105, 105)]),
    ("tcn.cnn", {}, others.TCN, [(1, 100)]),
    ("textcnn.cnn", {"vocabulary": 50}, others.TextCNN, [(64,)]),
    ("two_tower.cnn", {}, others.TwoTower, [(3, 64, 64), (8,)]),
    ("unet.cnn", {"width": 8}, lambda: vision.UNet(2, 8), [(3, 32, 32)]),
    ("unetpp.cnn", {"width": 4}, vision.UNetPlusPlus, [(3, 32, 32)]),
    ("vae.cnn:Decoder", {}, others.Decoder, [(20,)]),
    ("vae.cnn:Encoder", {}, others.Encoder, [(1, 28, 28)]),
    ("vae.cnn:VAE", {}, others.VAE, [(1, 28, 28), (20,)]),
    ("wavenet.cnn", {}, others.WaveNet, [(256, 100)]),
    ("yolo.cnn", {}, vision.YOLOv8n, [(3, 64, 64)]),
]
LARGE: list[tuple[str, dict[str, Any], Callable[[], nn.Module], list[tuple[int, ...]]]] = [
    ("c3d.cnn", {}, vision.C3D, [(3, 16, 112, 112)]),
    ("cbam.cnn", {}, vision.CBAMResNet18, [(3, 64, 64)]),
    ("googlenet.cnn:GoogLeNet", {}, vision.GoogLeNet, [(3, 224, 224)]),
    ("edsr.cnn:EDSRLarge", {}, lambda: vision.EDSR(256, 32, 0.1), [(3, 8, 8)]),
]


@pytest.fixture(autouse=True)
def _one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.parametrize(
    ("name", "given", "module", "shapes"), CASES + LARGE * FULL, ids=[case[0] for case in CASES + LARGE * FULL]
)
def test_computes_what_a_module_written_by_hand_does(
    name: str, given: dict[str, Any], module: Callable[[], nn.Module], shapes: list[tuple[int, ...]]
):
    by_hand, net = module().double().eval(), cnnspec.load(FOLDER / name, **given).compile().double().eval()
    theirs, ours = entries(by_hand), entries(net)
    assert [value.shape for _, value in ours] == [value.shape for _, value in theirs]
    fill(theirs)
    with torch.no_grad():
        for (_, value), (_, other) in zip(ours, theirs):
            value.copy_(other)
        values: list[Tensor] = [noise((2, *shape), seed) for seed, shape in enumerate(shapes)]
        if name == "textcnn.cnn":
            values = [values[0].abs().mul(50).long()]
        expected, found = flat(by_hand(*values)), flat(net(*values))
    torch.testing.assert_close(found, expected, atol=1e-9, rtol=1e-9)
    assert all((value[0] - value[1]).norm() > 1e-7 * value.norm() > 0 for value in expected)
