"""An image for every image: autoencoders, denoising, super-resolution. White is 1 in targets."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from cnnspec.training.metrics.base import Meter, Prediction, Task, wide

WINDOW, SIGMA = 11, 1.5
"""Of the Gaussian of SSIM (Wang et al. 2004)."""


class ImageToImage(Task):
    """Outputs and targets [n, channels, height, width]."""

    score = "mae"

    def score_sum(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return (outputs - targets).abs().flatten(1).mean(1).sum()

    def meter(self, device: torch.device) -> Meter:
        return _Images(device)

    def told(self, outputs: Tensor, top: int) -> list[Prediction]:
        names = ("least", "mean", "most")
        rows = [(float(row.min()), float(row.mean()), float(row.max())) for row in outputs]
        return [Prediction("an image", math.nan, tuple(zip(names, row))) for row in rows]


class _Images(Meter):
    """Sums over the images: count, absolute difference, PSNR, SSIM."""

    def __init__(self, device: torch.device) -> None:
        self.sums = torch.zeros(4, dtype=wide(device), device=device)

    def update(self, outputs: Tensor, targets: Tensor) -> None:
        found, real = outputs.float(), targets.float()
        square = (found - real).square().flatten(1).mean(1).clamp(min=1e-10)
        absolute = (found - real).abs().flatten(1).mean(1)
        sums = (torch.ones_like(square), absolute, -10 * square.log10(), ssim(found, real))
        self.sums += torch.stack([values.sum() for values in sums])

    def tensors(self) -> list[Tensor]:
        return [self.sums]

    def metrics(self) -> dict[str, float]:
        count, absolute, psnr, similar = self.sums.tolist()
        count = max(count, 1.0)
        return {"mae": absolute / count, "psnr": psnr / count, "ssim": similar / count}


def ssim(found: Tensor, real: Tensor) -> Tensor:
    """Structural similarity of each image, [n], for values from 0 to 1 (Wang et al. 2004, equation 13).

    The window is as large as the image allows; positions where it would reach over the edge are left out.
    """
    channels = found.shape[1]
    side = min(WINDOW, *(size if size % 2 else size - 1 for size in found.shape[2:]))
    places = torch.arange(side, device=found.device, dtype=found.dtype) - side // 2
    line = torch.exp(-places.square() / (2 * SIGMA**2))
    line = line / line.sum()
    window = (line[:, None] * line).expand(channels, 1, side, side)

    def mean(values: Tensor) -> Tensor:
        return F.conv2d(values, window, groups=channels)

    first, second = mean(found), mean(real)
    one, two = mean(found.square()) - first.square(), mean(real.square()) - second.square()
    both = mean(found * real) - first * second
    low, high = 0.01**2, 0.03**2
    top = (2 * first * second + low) * (2 * both + high)
    return (top / ((first.square() + second.square() + low) * (one + two + high))).flatten(1).mean(1)
