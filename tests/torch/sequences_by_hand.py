"""Networks for sequences, points and pairs, and those that draw images, as one writes them in torch."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import parametrizations


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


class TwoTower(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.numbers = nn.Sequential(nn.BatchNorm1d(8), nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 64))
        self.image = nn.Sequential()
        for a, b in pairwise([3, 16, 32, 64]):
            self.image.extend([nn.Conv2d(a, b, 3, 2, 1, bias=False), nn.BatchNorm2d(b), nn.ReLU()])
        self.features = nn.Linear(64, 64)
        self.both = nn.Sequential(nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 1))

    def forward(self, image: Tensor, numbers: Tensor) -> Tensor:
        seen = self.features(self.image(image).mean((2, 3)))
        return self.both(F.relu(torch.cat([seen, self.numbers(numbers)], 1)))


class Encoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.down = nn.Sequential(
            nn.Conv2d(1, 32, 4, 2, 1), nn.ReLU(), nn.Conv2d(32, 64, 4, 2, 1), nn.ReLU(), nn.Flatten()
        )
        self.mean, self.log_variance = nn.Linear(3136, 20), nn.Linear(3136, 20)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        x = self.down(image)
        return self.mean(x), self.log_variance(x)


class Decoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.wide = nn.Linear(20, 3136)
        self.up = nn.Sequential(
            nn.ConvTranspose2d(64, 32, 4, 2, 1), nn.ReLU(), nn.ConvTranspose2d(32, 1, 4, 2, 1), nn.Sigmoid()
        )

    def forward(self, z: Tensor) -> Tensor:
        return self.up(F.relu(self.wide(z)).unflatten(1, (64, 7, 7)))


class VAE(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.decoder = Encoder(), Decoder()

    def forward(self, image: Tensor, noise: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        mean, log_variance = self.encoder(image)
        return self.decoder(mean + (log_variance / 2).exp() * noise), mean, log_variance


class Generator(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.parts = nn.Sequential()
        for number, (a, b) in enumerate(pairwise([100, 512, 256, 128, 64])):
            stride, padding = (2, 1) if number else (1, 0)
            up = nn.ConvTranspose2d(a, b, 4, stride, padding, bias=False)
            self.parts.extend([up, nn.BatchNorm2d(b), nn.ReLU()])
        self.last = nn.ConvTranspose2d(64, 3, 4, 2, 1, bias=False)

    def forward(self, noise: Tensor) -> Tensor:
        return torch.tanh(self.last(self.parts(noise)))


class Discriminator(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 64, 4, 2, 1, bias=False)
        self.convolutions = nn.ModuleList()
        for a, b in pairwise([64, 128, 256, 512]):
            self.convolutions.append(nn.Sequential(nn.Conv2d(a, b, 4, 2, 1, bias=False), nn.BatchNorm2d(b)))
        self.last = nn.Conv2d(512, 1, 4, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        x = F.leaky_relu(self.first(x), 0.2)
        for convolution in self.convolutions:
            x = F.leaky_relu(convolution(x), 0.2)
        return self.last(x).flatten(1)


class NiN(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.units = nn.ModuleList()
        for a, b, kernel_size, stride, padding in [
            (1, 96, 11, 4, 0),
            (96, 256, 5, 1, 2),
            (256, 384, 3, 1, 1),
            (384, 10, 3, 1, 1),
        ]:
            first, rest = nn.Conv2d(a, b, kernel_size, stride, padding), [nn.Conv2d(b, b, 1) for _ in range(2)]
            self.units.append(nn.ModuleList([first, *rest]))

    def forward(self, x: Tensor) -> Tensor:
        for number, unit in enumerate(self.units):
            x = F.max_pool2d(x, 3, 2) if number else x
            for convolution in unit:
                x = F.relu(convolution(x))
        return x.mean((2, 3))


class M5(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.units = nn.ModuleList()
        for a, b, kernel_size, stride, padding in [
            (1, 128, 80, 4, 0),
            (128, 128, 3, 1, 1),
            (128, 256, 3, 1, 1),
            (256, 512, 3, 1, 1),
        ]:
            self.units.append(nn.Sequential(nn.Conv1d(a, b, kernel_size, stride, padding), nn.BatchNorm1d(b)))
        self.last = nn.Linear(512, 10)

    def forward(self, x: Tensor) -> Tensor:
        for unit in self.units:
            x = F.max_pool1d(F.relu(unit(x)), 4)
        return self.last(x.mean(2))


class PointNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.turn3, self.first = Turn(3), each_point(3, 64, 64)
        self.turn64, self.second = Turn(64), each_point(64, 64, 128, 1024)
        self.dense = dense(1024, 512, 256)
        self.last = nn.Linear(256, 40)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(self.turn3(x))
        x = self.second(self.turn64(x)).amax(2)
        return self.last(self.dense(x))


class Turn(nn.Module):
    def __init__(self, k: int) -> None:
        super().__init__()
        self.points, self.dense, self.last = each_point(k, 64, 128, 1024), dense(1024, 512, 256), nn.Linear(256, k * k)

    def forward(self, x: Tensor) -> Tensor:
        k = x.shape[1]
        return self.last(self.dense(self.points(x).amax(2))).view(-1, k, k) @ x


def each_point(*widths: int) -> nn.Sequential:
    parts: list[nn.Module] = []
    for a, b in pairwise(widths):
        parts += [nn.Conv1d(a, b, 1), nn.BatchNorm1d(b), nn.ReLU()]
    return nn.Sequential(*parts)


def dense(*widths: int) -> nn.Sequential:
    parts: list[nn.Module] = []
    for a, b in pairwise(widths):
        parts += [nn.Linear(a, b), nn.BatchNorm1d(b), nn.ReLU()]
    return nn.Sequential(*parts)


class TCN(nn.Module):
    def __init__(self, width: int = 25, kernel_size: int = 7, depth: int = 8) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.units = nn.ModuleList()
        for level in range(depth):
            pair = [
                parametrizations.weight_norm(nn.Conv1d(channels, width, kernel_size, dilation=2**level))
                for channels in (width if level else 1, width)
            ]
            self.units.append(nn.ModuleList([*pair, nn.Identity() if level else nn.Conv1d(1, width, 1)]))
        self.last = nn.Linear(width, 10)

    def forward(self, x: Tensor) -> Tensor:
        for level, (one, two, shortcut) in enumerate(self.units):
            y, behind = x, ((self.kernel_size - 1) * 2**level, 0)
            for convolution in (one, two):
                y = F.relu(convolution(F.pad(y, behind)))
            x = F.relu(y + shortcut(x))
        return self.last(x[:, :, -1])


class WaveNet(nn.Module):
    def __init__(self, classes: int = 256, width: int = 32, skip: int = 64) -> None:
        super().__init__()
        self.first, self.first_skip = nn.Conv1d(classes, width, 2), nn.Conv1d(width, skip, 1)
        self.layers = nn.ModuleList()
        for number in range(20):
            dilated = [nn.Conv1d(width, width, 2, dilation=2 ** (number % 10)) for _ in range(2)]
            self.layers.append(nn.ModuleList([*dilated, nn.Conv1d(width, width, 1), nn.Conv1d(width, skip, 1)]))
        self.head = nn.Sequential(nn.ReLU(), nn.Conv1d(skip, skip, 1), nn.ReLU(), nn.Conv1d(skip, classes, 1))

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(F.pad(x, (1, 0)))
        total = self.first_skip(x)
        for number, (signal, gate, on, out) in enumerate(self.layers):
            y = F.pad(x, (2 ** (number % 10), 0))
            y = torch.tanh(signal(y)) * torch.sigmoid(gate(y))
            x, total = x + on(y), total + out(y)
        return self.head(total)
