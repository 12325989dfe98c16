"""Numbers as outputs: one or several for every input, or heat maps."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from cnnspec.training.metrics.base import Meter, Prediction, Task, wide


class Regression(Task):
    """Outputs and targets of one shape [n, ...]; `classes` are the names of the numbers."""

    score = "mae"

    def score_sum(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return (outputs - targets.view_as(outputs)).abs().flatten(1).mean(1).sum()

    def meter(self, device: torch.device) -> Meter:
        return _Moments(device)

    def told(self, outputs: Tensor, top: int) -> list[Prediction]:
        rows = outputs.flatten(1).tolist()
        names = (
            self.classes if rows and len(self.classes) == len(rows[0]) else [f"{i + 1}" for i in range(len(rows[0]))]
        )
        return [
            Prediction(", ".join(f"{value:.4g}" for value in row[:8]), math.nan, tuple(zip(names, row)))
            for row in rows
        ]  # fmt: skip


class HeatMaps(Regression):
    """Outputs and targets [n, points, height, width], highest where a point is."""

    score = "mae"

    def meter(self, device: torch.device) -> Meter:
        return _Peaks(device)

    def told(self, outputs: Tensor, top: int) -> list[Prediction]:
        found = []
        for row, heights in zip(peaks(outputs).tolist(), outputs.flatten(2).amax(2).tolist()):
            places = tuple((f"{index + 1}: {x:.0f}, {y:.0f}", h) for index, ((y, x), h) in enumerate(zip(row, heights)))
            found.append(Prediction("; ".join(f"{x:.0f}, {y:.0f}" for y, x in row[:8]), math.nan, places))
        return found


def peaks(maps: Tensor) -> Tensor:
    """Where each map [n, points, height, width] is highest: row and column, [n, points, 2]."""
    place = maps.flatten(2).argmax(2)
    return torch.stack((place // maps.shape[3], place % maps.shape[3]), 2).float()


class _Peaks(Meter):
    """Sums: points, distances of the highest places in pixels, absolute differences as means of a map."""

    def __init__(self, device: torch.device) -> None:
        self.sums = torch.zeros(3, dtype=wide(device), device=device)

    def update(self, outputs: Tensor, targets: Tensor) -> None:
        far = (peaks(outputs) - peaks(targets)).square().sum(2).sqrt()
        differences = (outputs - targets).abs().flatten(2).mean(2)
        self.sums += torch.stack((torch.tensor(float(far.numel()), device=far.device), far.sum(), differences.sum()))

    def tensors(self) -> list[Tensor]:
        return [self.sums]

    def metrics(self) -> dict[str, float]:
        points, far, differences = self.sums.tolist()
        return {"distance": far / max(points, 1), "mae": differences / max(points, 1)}


class _Moments(Meter):
    """Sums of each number: samples, absolute and square differences, targets and their squares."""

    def __init__(self, device: torch.device) -> None:
        self.sums = torch.zeros(5, 1, dtype=wide(device), device=device)

    def update(self, outputs: Tensor, targets: Tensor) -> None:
        found = outputs.flatten(1).to(self.sums.dtype)
        real = targets.reshape(found.shape).to(self.sums.dtype)
        parts = (torch.ones_like(real), (found - real).abs(), (found - real).square(), real, real.square())
        self.sums = self.sums + torch.stack([part.sum(0) for part in parts])

    def tensors(self) -> list[Tensor]:
        return [self.sums]

    def metrics(self) -> dict[str, float]:
        count, absolute, square, total, squares = self.sums.cpu().double()
        count = count.clamp(min=1)
        spread = (squares - total.square() / count).clamp(min=1e-12)
        return {
            "mae": float((absolute / count).mean()),
            "rmse": math.sqrt(float((square / count).mean())),
            "r2": float((1 - square / spread).mean()),
        }
