"""LeNet, ResNet-50, U-Net and HRNet-W18 as one writes them in torch, for `benchmarks/forward.py`."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn


def lenet() -> nn.Module:
    convolutions = [nn.Conv2d(1, 6, 5, padding=2), nn.Sigmoid(), nn.AvgPool2d(2)]
    convolutions += [nn.Conv2d(6, 16, 5), nn.Sigmoid(), nn.AvgPool2d(2), nn.Flatten()]
    dense = [nn.Linear(400, 120), nn.Sigmoid(), nn.Linear(120, 84), nn.Sigmoid(), nn.Linear(84, 10)]
    return nn.Sequential(*convolutions, *dense)


class ConvBN(nn.Module):
    def __init__(self, inputs: int, outputs: int, kernel_size: int, stride: int = 1, relu: bool = True) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel_size, stride, kernel_size // 2, bias=False)
        self.bn = nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU() if relu else None

    def forward(self, x: Tensor) -> Tensor:
        x = self.bn(self.conv(x))
        return x if self.relu is None else self.relu(x)


class Unit(nn.Module):
    """The unit of ResNet-18, or with `expansion` 4 that of ResNet-50."""

    def __init__(self, inputs: int, width: int, stride: int = 1, expansion: int = 1) -> None:
        super().__init__()
        outputs = width * expansion
        self.conv1 = ConvBN(inputs, width, 3 if expansion == 1 else 1, stride if expansion == 1 else 1)
        self.conv2 = ConvBN(width, width, 3, 1 if expansion == 1 else stride, relu=expansion != 1)
        self.conv3 = ConvBN(width, outputs, 1, relu=False) if expansion != 1 else None
        same = stride == 1 and inputs == outputs
        self.downsample = None if same else ConvBN(inputs, outputs, 1, stride, relu=False)
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv2(self.conv1(x))
        if self.conv3 is not None:
            y = self.conv3(y)
        return self.relu(y + (x if self.downsample is None else self.downsample(x)))


class ResNet50(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem, self.pool = ConvBN(3, 64, 7, 2), nn.MaxPool2d(3, 2, 1)
        stages, channels = [], 64
        for width, depth, stride in [(64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)]:
            units = [Unit(channels, width, stride, 4), *[Unit(4 * width, width, 1, 4) for _ in range(depth - 1)]]
            stages.append(nn.Sequential(*units))
            channels = 4 * width
        self.stages = nn.Sequential(*stages)
        self.mean, self.fc = nn.AdaptiveAvgPool2d(1), nn.Linear(2048, 1000)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stages(self.pool(self.stem(x)))
        return self.fc(self.mean(x).flatten(1))


class Exchange(nn.Module):
    """All streams, worked on, and the sum of what each tells the others."""

    def __init__(self, widths: list[int]) -> None:
        super().__init__()
        self.branches = nn.ModuleList(nn.Sequential(*[Unit(width, width) for _ in range(4)]) for width in widths)
        self.terms = nn.ModuleList(
            nn.ModuleList(self.term(widths, i, j) for j in range(len(widths))) for i in range(len(widths))
        )
        self.relu = nn.ReLU()

    @staticmethod
    def term(widths: list[int], i: int, j: int) -> nn.Module:
        if j == i:
            return nn.Identity()
        if j > i:
            return nn.Sequential(ConvBN(widths[j], widths[i], 1, relu=False), nn.Upsample(scale_factor=2 ** (j - i)))
        steps = [ConvBN(widths[j], widths[j], 3, 2) for _ in range(i - j - 1)]
        return nn.Sequential(*steps, ConvBN(widths[j], widths[i], 3, 2, relu=False))

    def forward(self, streams: list[Tensor]) -> list[Tensor]:
        worked = [branch(x) for branch, x in zip(self.branches, streams)]
        found = []
        for terms in self.terms:
            total = terms[0](worked[0])
            for term, x in zip(terms[1:], worked[1:]):
                total = total + term(x)
            found.append(self.relu(total))
        return found


class HRNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        widths = [18, 36, 72, 144]
        self.stem = nn.Sequential(ConvBN(3, 64, 3, 2), ConvBN(64, 64, 3, 2))
        self.layer1 = nn.Sequential(Unit(64, 64, 1, 4), *[Unit(256, 64, 1, 4) for _ in range(3)])
        self.first = nn.ModuleList([ConvBN(256, 18, 3), ConvBN(256, 36, 3, 2)])
        self.stage2 = Exchange(widths[:2])
        self.third = ConvBN(36, 72, 3, 2)
        self.stage3 = nn.Sequential(*[Exchange(widths[:3]) for _ in range(4)])
        self.fourth = ConvBN(72, 144, 3, 2)
        self.stage4 = nn.Sequential(*[Exchange(widths) for _ in range(3)])
        self.widen = nn.ModuleList(Unit(width, hidden, 1, 4) for width, hidden in zip(widths, (32, 64, 128, 256)))
        self.down = nn.ModuleList(
            nn.Sequential(nn.Conv2d(a, b, 3, 2, 1), nn.BatchNorm2d(b), nn.ReLU())
            for a, b in pairwise([128, 256, 512, 1024])
        )
        self.final = nn.Sequential(nn.Conv2d(1024, 2048, 1), nn.BatchNorm2d(2048), nn.ReLU())
        self.mean, self.classifier = nn.AdaptiveAvgPool2d(1), nn.Linear(2048, 1000)

    def forward(self, x: Tensor) -> Tensor:
        x = self.layer1(self.stem(x))
        streams = self.stage2([first(x) for first in self.first])
        streams = self.stage3([*streams, self.third(streams[-1])])
        streams = self.stage4([*streams, self.fourth(streams[-1])])
        y = self.widen[0](streams[0])
        for widen, down, stream in zip(self.widen[1:], self.down, streams[1:]):
            y = down(y) + widen(stream)
        return self.classifier(torch.flatten(self.mean(self.final(y)), 1))


class DoubleConv(nn.Module):
    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv1, self.conv2 = ConvBN(inputs, outputs, 3), ConvBN(outputs, outputs, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv2(self.conv1(x))


class UNet(nn.Module):
    def __init__(self, width: int = 16) -> None:
        super().__init__()
        widths = [width * 2**level for level in range(5)]
        self.down = nn.ModuleList(DoubleConv(a, b) for a, b in pairwise([3, *widths]))
        self.up = nn.ModuleList(nn.ConvTranspose2d(a, b, 2, 2) for a, b in pairwise(widths[::-1]))
        self.merge = nn.ModuleList(DoubleConv(a, b) for a, b in pairwise(widths[::-1]))
        self.pool, self.head = nn.MaxPool2d(2), nn.Conv2d(width, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        skips = [self.down[0](x)]
        for unit in self.down[1:]:
            skips.append(unit(self.pool(skips[-1])))
        x = skips.pop()
        for up, merge in zip(self.up, self.merge):
            x = merge(torch.cat([up(x), skips.pop()], 1))
        return self.head(x)
