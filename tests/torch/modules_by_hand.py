"""Networks as one writes them in torch, for the specs that no library has; their parts stand in the order of the specs."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def conv_bn_relu(inputs: int, outputs: int, kernel_size: int = 3, stride: int = 1) -> nn.Sequential:
    convolution = nn.Conv2d(inputs, outputs, kernel_size, stride, kernel_size // 2, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs), nn.ReLU())


def double_conv(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(conv_bn_relu(inputs, outputs), conv_bn_relu(outputs, outputs))


class UNet(nn.Module):
    def __init__(self, num_classes: int, width: int) -> None:
        super().__init__()
        widths = [width * 2**level for level in range(5)]
        self.down = nn.ModuleList(double_conv(a, b) for a, b in pairwise([3, *widths]))
        self.up = nn.ModuleList()
        for wide, narrow in pairwise(widths[::-1]):
            self.up.append(nn.ModuleList([nn.ConvTranspose2d(wide, narrow, 2, 2), double_conv(wide, narrow)]))
        self.head = nn.Conv2d(width, num_classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        skips = []
        for level, unit in enumerate(self.down):
            x = unit(F.max_pool2d(x, 2) if level else x)
            skips.append(x)
        skips.pop()
        for enlarge, unit in self.up:
            x = unit(torch.cat([enlarge(x), skips.pop()], 1))
        return self.head(x)


class AttentionGate(nn.Module):
    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.of_signal = nn.Sequential(nn.Conv2d(channels, hidden, 1), nn.BatchNorm2d(hidden))
        self.of_skip = nn.Sequential(nn.Conv2d(channels, hidden, 1), nn.BatchNorm2d(hidden))
        self.psi = nn.Sequential(nn.Conv2d(hidden, 1, 1), nn.BatchNorm2d(1))

    def forward(self, signal: Tensor, skip: Tensor) -> Tensor:
        alpha = torch.sigmoid(self.psi(F.relu(self.of_signal(signal) + self.of_skip(skip))))
        return torch.cat([alpha * skip, signal], 1)


class AttentionUNet(nn.Module):
    def __init__(self, num_classes: int = 2, width: int = 8) -> None:
        super().__init__()
        widths = [width * 2**level for level in range(5)]
        self.down = nn.ModuleList(double_conv(a, b) for a, b in pairwise([1, *widths]))
        self.up = nn.ModuleList()
        for wide, narrow in pairwise(widths[::-1]):
            enlarge, gate = nn.ConvTranspose2d(wide, narrow, 2, 2), AttentionGate(narrow, narrow // 2)
            self.up.append(nn.ModuleList([enlarge, gate, double_conv(wide, narrow)]))
        self.head = nn.Conv2d(width, num_classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        skips = []
        for level, unit in enumerate(self.down):
            x = unit(F.max_pool2d(x, 2) if level else x)
            skips.append(x)
        skips.pop()
        for enlarge, gate, unit in self.up:
            x = unit(gate(enlarge(x), skips.pop()))
        return self.head(x)


class UNetPlusPlus(nn.Module):
    """Node (i, j) stands in row i and column j, as in figure 1a of the paper."""

    def __init__(self, num_classes: int = 2, width: int = 4) -> None:
        super().__init__()
        widths = [width * 2**level for level in range(5)]
        self.parts = nn.ModuleDict()
        self.order = [(total - j, j) for total in range(5) for j in range(total + 1)]
        for i, j in self.order:
            if j:
                self.parts[f"up{i}{j}"] = nn.ConvTranspose2d(widths[i + 1], widths[i], 2, 2)
            inputs = (j + 1) * widths[i] if j else [3, *widths][i]
            self.parts[f"node{i}{j}"] = double_conv(inputs, widths[i])
        self.heads = nn.ModuleList(nn.Conv2d(width, num_classes, 1) for _ in range(4))

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        values: dict[tuple[int, int], Tensor] = {}
        for i, j in self.order:
            if j:
                row = [values[i, k] for k in range(j)]
                arriving = torch.cat([self.parts[f"up{i}{j}"](values[i + 1, j - 1]), *row], 1)
            else:
                arriving = F.max_pool2d(values[i - 1, 0], 2) if i else x
            values[i, j] = self.parts[f"node{i}{j}"](arriving)
        return tuple(head(values[0, j]) for j, head in enumerate(self.heads, 1))


class C3D(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        widths = [3, 64, 128, 256, 256, 512, 512, 512, 512]
        self.convolutions = nn.ModuleList(nn.Conv3d(a, b, 3, padding=1) for a, b in pairwise(widths))
        self.dense = nn.ModuleList([nn.Linear(8192, 4096), nn.Linear(4096, 4096), nn.Linear(4096, 101)])

    def forward(self, x: Tensor) -> Tensor:
        for number, convolution in enumerate(self.convolutions):
            x = F.relu(convolution(x))
            if number == 0:
                x = F.max_pool3d(x, (1, 2, 2))
            elif number in (1, 3, 5):
                x = F.max_pool3d(x, 2)
        x = F.max_pool3d(x, 2, padding=(0, 1, 1)).flatten(1)
        first, second, last = self.dense
        return last(F.relu(second(F.relu(first(x)))))


class CBAMUnit(nn.Module):
    def __init__(self, inputs: int, channels: int, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(inputs, channels, 3, stride, 1, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 3, 1, 1, bias=False),
            nn.BatchNorm2d(channels),
        )
        hidden = channels // 16
        self.judge = nn.Sequential(nn.Conv2d(channels, hidden, 1), nn.ReLU(), nn.Conv2d(hidden, channels, 1))
        self.window = nn.Sequential(nn.Conv2d(2, 1, 7, padding=3, bias=False), nn.BatchNorm2d(1))
        same = stride == 1 and inputs == channels
        shorter = nn.Sequential(nn.Conv2d(inputs, channels, 1, stride, bias=False), nn.BatchNorm2d(channels))
        self.shortcut = nn.Identity() if same else shorter

    def forward(self, x: Tensor) -> Tensor:
        y = self.body(x)
        highest, mean = y.amax((2, 3), keepdim=True), y.mean((2, 3), keepdim=True)
        y = y * torch.sigmoid(self.judge(highest) + self.judge(mean))
        # The spec joins the maxima with the means behind them.
        places = torch.cat([y.amax(1, keepdim=True), y.mean(1, keepdim=True)], 1)
        return F.relu(y * torch.sigmoid(self.window(places)) + self.shortcut(x))


class CBAMResNet18(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = conv_bn_relu(3, 64, 7, 2)
        widths = [64, 64, 128, 256, 512]
        self.units = nn.Sequential()
        for stage, (a, b) in enumerate(pairwise(widths)):
            self.units.append(CBAMUnit(a, b, 2 if stage else 1)).append(CBAMUnit(b, b, 1))
        self.last = nn.Linear(512, 1000)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.units(F.max_pool2d(self.stem(x), 3, 2, 1)).mean((2, 3)))


class EDSR(nn.Module):
    def __init__(self, width: int, depth: int, weight: float) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, width, 3, padding=1)
        self.units = nn.ModuleList(
            nn.ModuleList([nn.Conv2d(width, width, 3, padding=1) for _ in range(2)]) for _ in range(depth)
        )
        self.between = nn.Conv2d(width, width, 3, padding=1)
        self.enlarge = nn.Conv2d(width, 4 * width, 3, padding=1)
        self.last = nn.Conv2d(width, 3, 3, padding=1)
        self.weight = weight

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        y = x
        for one, two in self.units:
            y = y + self.weight * two(F.relu(one(y)))
        return self.last(F.pixel_shuffle(self.enlarge(x + self.between(y)), 2))


class ResNetSmall(nn.Module):
    def __init__(self, width: int = 16) -> None:
        super().__init__()
        self.first = conv_bn_relu(1, width)
        self.units = nn.ModuleList()
        for a, b in [(width, width), (width, 2 * width), (2 * width, 4 * width)]:
            stride = 1 if a == b else 2
            body = [conv_bn_relu(a, b, 3, stride), nn.Conv2d(b, b, 3, padding=1, bias=False), nn.BatchNorm2d(b)]
            shorter = nn.Sequential(nn.Conv2d(a, b, 1, stride, bias=False), nn.BatchNorm2d(b))
            self.units.append(nn.ModuleList([nn.Sequential(*body), nn.Identity() if a == b else shorter]))
        self.last = nn.Linear(4 * width, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        for body, shortcut in self.units:
            x = F.relu(body(x) + shortcut(x))
        return self.last(x.mean((2, 3)))


class Inception(nn.Module):
    def __init__(self, inputs: int, c1: int, c2: tuple[int, int], c3: tuple[int, int], c4: int) -> None:
        super().__init__()
        self.one = nn.Conv2d(inputs, c1, 1)
        self.thin3, self.wide3 = nn.Conv2d(inputs, c2[0], 1), nn.Conv2d(c2[0], c2[1], 3, padding=1)
        self.thin5, self.wide5 = nn.Conv2d(inputs, c3[0], 1), nn.Conv2d(c3[0], c3[1], 5, padding=2)
        self.pooled = nn.Conv2d(inputs, c4, 1)

    def forward(self, x: Tensor) -> Tensor:
        parts = [self.one(x), self.wide3(F.relu(self.thin3(x))), self.wide5(F.relu(self.thin5(x)))]
        return F.relu(torch.cat([*parts, self.pooled(F.max_pool2d(x, 3, 1, 1))], 1))


class GoogLeNet(nn.Module):
    """As published in 2014, without local response normalisation."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.ModuleList([nn.Conv2d(3, 64, 7, 2, 3), nn.Conv2d(64, 64, 1), nn.Conv2d(64, 192, 3, padding=1)])
        self.units = nn.ModuleList(
            [
                Inception(192, 64, (96, 128), (16, 32), 32),
                Inception(256, 128, (128, 192), (32, 96), 64),
                Inception(480, 192, (96, 208), (16, 48), 64),
                Inception(512, 160, (112, 224), (24, 64), 64),
                Inception(512, 128, (128, 256), (24, 64), 64),
                Inception(512, 112, (144, 288), (32, 64), 64),
                Inception(528, 256, (160, 320), (32, 128), 128),
                Inception(832, 256, (160, 320), (32, 128), 128),
                Inception(832, 384, (192, 384), (48, 128), 128),
            ]
        )
        self.last = nn.Linear(1024, 1000)
        self.auxiliary = nn.ModuleList(
            nn.ModuleList([nn.Conv2d(inputs, 128, 1), nn.Linear(2048, 1024), nn.Linear(1024, 1000)])
            for inputs in (512, 528)
        )

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        first, second, third = self.stem
        x = F.max_pool2d(F.relu(first(x)), 3, 2, ceil_mode=True)
        x = F.max_pool2d(F.relu(third(F.relu(second(x)))), 3, 2, ceil_mode=True)
        on_the_way = []
        for number, unit in enumerate(self.units):
            x = unit(F.max_pool2d(x, 3, 2, ceil_mode=True) if number in (2, 7) else x)
            if number in (2, 5):
                convolution, dense, last = self.auxiliary[len(on_the_way)]
                y = F.relu(convolution(F.avg_pool2d(x, 5, 3))).flatten(1)
                on_the_way.append(last(F.relu(dense(y))))
        return (self.last(x.mean((2, 3))), *on_the_way)


class Bottleneck(nn.Module):
    """Two convolutions with SiLU, around which the value goes where `around` says so."""

    def __init__(self, channels: int, around: bool) -> None:
        super().__init__()
        self.one, self.two, self.around = silu(channels, channels, 3), silu(channels, channels, 3), around

    def forward(self, x: Tensor) -> Tensor:
        y = self.two(self.one(x))
        return x + y if self.around else y


def silu(inputs: int, outputs: int, kernel_size: int = 1, stride: int = 1) -> nn.Sequential:
    convolution = nn.Conv2d(inputs, outputs, kernel_size, stride, kernel_size // 2, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs, 1e-3, 0.03), nn.SiLU())


class C2f(nn.Module):
    def __init__(self, inputs: int, channels: int, depth: int, around: bool) -> None:
        super().__init__()
        half = channels // 2
        self.first = silu(inputs, channels)
        self.units = nn.ModuleList(Bottleneck(half, around) for _ in range(depth))
        self.last = silu((2 + depth) * half, channels)

    def forward(self, x: Tensor) -> Tensor:
        parts = list(self.first(x).chunk(2, 1))
        for unit in self.units:
            parts.append(unit(parts[-1]))
        return self.last(torch.cat(parts, 1))


class YOLOv8n(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(silu(3, 16, 3, 2), silu(16, 32, 3, 2), C2f(32, 32, 1, True))
        self.to3 = nn.Sequential(silu(32, 64, 3, 2), C2f(64, 64, 2, True))
        self.to4 = nn.Sequential(silu(64, 128, 3, 2), C2f(128, 128, 2, True))
        self.to5 = nn.Sequential(silu(128, 256, 3, 2), C2f(256, 256, 1, True))
        self.narrow, self.wide = silu(256, 128), silu(512, 256)
        self.up4, self.up3 = C2f(384, 128, 1, False), C2f(192, 64, 1, False)
        self.down4, self.out4 = silu(64, 64, 3, 2), C2f(192, 128, 1, False)
        self.down5, self.out5 = silu(128, 128, 3, 2), C2f(384, 256, 1, False)
        self.heads = nn.ModuleList(
            nn.ModuleList(
                nn.Sequential(silu(channels, hidden, 3), silu(hidden, hidden, 3), nn.Conv2d(hidden, outputs, 1))
                for hidden, outputs in [(64, 64), (80, 80)]
            )
            for channels in (64, 128, 256)
        )

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        b3 = self.to3(self.stem(x))
        b4 = self.to4(b3)
        pools = [self.narrow(self.to5(b4))]
        for _ in range(3):
            pools.append(F.max_pool2d(pools[-1], 5, 1, 2))
        b5 = self.wide(torch.cat(pools, 1))
        n4 = self.up4(torch.cat([F.interpolate(b5, scale_factor=2), b4], 1))
        p3 = self.up3(torch.cat([F.interpolate(n4, scale_factor=2), b3], 1))
        p4 = self.out4(torch.cat([self.down4(p3), n4], 1))
        p5 = self.out5(torch.cat([self.down5(p4), b5], 1))
        return tuple(torch.cat([head(p) for head in heads], 1) for heads, p in zip(self.heads, (p3, p4, p5)))
