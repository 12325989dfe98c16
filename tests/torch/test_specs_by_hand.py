"""Specs with named values, shared weights, several inputs or sequences against modules written by hand: with the same
weights and statistics in the same order they compute the same."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

import cnnspec

FOLDER = Path(__file__).parent.parent.parent / "specs"


class Highway(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(784, 50)
        self.layers = nn.ModuleList(nn.Linear(50, 50) for _ in range(14))
        self.last = nn.Linear(50, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.first(x.flatten(1)))
        for gate, work in zip(self.layers[::2], self.layers[1::2]):
            t = torch.sigmoid(gate(x))
            x = t * F.relu(work(x)) + (1 - t) * x
        return self.last(x)


class TextCNN(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(50, 300)
        self.windows = nn.ModuleList(nn.Conv1d(300, 100, size) for size in (3, 4, 5))
        self.last = nn.Linear(300, 2)

    def forward(self, x: Tensor) -> Tensor:
        x = self.words(x).transpose(1, 2)
        return self.last(torch.cat([F.relu(window(x)).amax(2) for window in self.windows], 1))


class CRNN(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        widths = [1, 64, 128, 256, 256, 512, 512, 512]
        parts: list[nn.Module] = []
        for number, (a, b) in enumerate(pairwise(widths)):
            parts += [nn.Conv2d(a, b, 2 if number == 6 else 3, padding=0 if number == 6 else 1)]
            parts += [nn.BatchNorm2d(b)] if number in (4, 5) else []
            parts += [nn.ReLU()]
            parts += [nn.MaxPool2d(2)] if number < 2 else []
            parts += [nn.MaxPool2d(2, (2, 1), (0, 1))] if number in (3, 5) else []
        self.convolutions = nn.Sequential(*parts)
        self.read = nn.LSTM(512, 256, bidirectional=True, batch_first=True)
        self.between = nn.Linear(512, 256)
        self.again = nn.LSTM(256, 256, bidirectional=True, batch_first=True)
        self.last = nn.Linear(512, 37)

    def forward(self, x: Tensor) -> Tensor:
        x = self.convolutions(x)[:, :, 0].transpose(1, 2)
        return self.last(self.again(self.between(self.read(x)[0]))[0])


class Siamese(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        parts: list[nn.Module] = []
        for a, b, size in [(1, 64, 10), (64, 128, 7), (128, 128, 4)]:
            parts += [nn.Conv2d(a, b, size), nn.ReLU(), nn.MaxPool2d(2)]
        self.tower = nn.Sequential(
            *parts, nn.Conv2d(128, 256, 4), nn.ReLU(), nn.Flatten(), nn.Linear(9216, 32), nn.Sigmoid()
        )
        self.last = nn.Linear(32, 1)

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        return torch.sigmoid(self.last((self.tower(left) - self.tower(right)).abs()))


class VAE(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.down = nn.Sequential(
            nn.Conv2d(1, 32, 4, 2, 1), nn.ReLU(), nn.Conv2d(32, 64, 4, 2, 1), nn.ReLU(), nn.Flatten()
        )
        self.mean, self.log_variance = nn.Linear(3136, 20), nn.Linear(3136, 20)
        self.wide = nn.Linear(20, 3136)
        self.up = nn.Sequential(
            nn.ConvTranspose2d(64, 32, 4, 2, 1), nn.ReLU(), nn.ConvTranspose2d(32, 1, 4, 2, 1), nn.Sigmoid()
        )

    def forward(self, image: Tensor, noise: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x = self.down(image)
        mean, log_variance = self.mean(x), self.log_variance(x)
        z = mean + (log_variance / 2).exp() * noise
        return self.up(F.relu(self.wide(z)).unflatten(1, (64, 7, 7))), mean, log_variance


class ViT(nn.Module):
    """The weights of the spec stand in front, as parameters do in a state dict."""

    def __init__(self) -> None:
        super().__init__()
        self.token = nn.Parameter(torch.zeros(1, 1, 32))
        self.position = nn.Parameter(torch.randn(1, 197, 32))
        self.patches = nn.Conv2d(3, 32, 16, 16)
        self.layers = nn.ModuleList(
            nn.ModuleList(
                [
                    nn.LayerNorm(32, 1e-6),
                    nn.MultiheadAttention(32, 4, batch_first=True),
                    nn.LayerNorm(32, 1e-6),
                    nn.Linear(32, 128),
                    nn.Linear(128, 32),
                ]
            )
            for _ in range(2)
        )
        self.norm, self.last = nn.LayerNorm(32, 1e-6), nn.Linear(32, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(len(x), -1, -1), x], 1) + self.position
        for norm1, attention, norm2, wide, narrow in self.layers:
            y = norm1(x)
            x = x + attention(y, y, y, need_weights=False)[0]
            x = x + narrow(F.gelu(wide(norm2(x))))
        return self.last(self.norm(x)[:, 0])


def images(*shape: int) -> Tensor:
    return torch.rand(2, *shape)


CASES: list[tuple[str, dict[str, Any], Callable[[], nn.Module], Callable[[], list[Tensor]]]] = [
    ("highway.cnn", {}, Highway, lambda: [images(1, 28, 28)]),
    ("textcnn.cnn", {"vocabulary": 50}, TextCNN, lambda: [torch.randint(50, (2, 64))]),
    ("crnn.cnn", {}, CRNN, lambda: [images(1, 32, 100)]),
    ("siamese.cnn", {"features": 32}, Siamese, lambda: [images(1, 105, 105), images(1, 105, 105)]),
    ("vae.cnn:VAE", {}, VAE, lambda: [images(1, 28, 28), torch.randn(2, 20)]),
    ("vit.cnn", {"width": 32, "heads": 4, "depth": 2, "num_classes": 10}, ViT, lambda: [images(3, 224, 224)]),
]


@pytest.mark.parametrize(("name", "given", "module", "inputs"), CASES, ids=[case[0] for case in CASES])
def test_computes_what_a_module_written_by_hand_does(
    name: str, given: dict[str, Any], module: Callable[[], nn.Module], inputs: Callable[[], list[Tensor]]
):
    torch.manual_seed(0)
    by_hand, net = module().eval(), cnnspec.load(FOLDER / name, **given).compile().eval()
    theirs = by_hand.state_dict()
    for key, value in theirs.items():
        if key.endswith(("running_mean", "running_var")):
            value.uniform_(0.5, 1.5)
    assert [value.shape for value in net.state_dict().values()] == [value.shape for value in theirs.values()]
    net.load_state_dict(dict(zip(net.state_dict(), theirs.values())))
    values = inputs()
    with torch.no_grad():
        expected, found = by_hand(*values), net(*values)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
