"""Small data sets for every kind of task, made from the images that come with cnnspec.

`python -m tools.make_task_data FOLDER` writes them.

| file | inputs | targets | task |
| --- | --- | --- | --- |
| masks.npz | clothes, uint8 [1, 28, 28] | foreground or background of every pixel | segmentation |
| denoise.npz | clothes with noise | the clean images | image to image |
| ink.npz | digits, uint8 [1, 8, 8] | how much ink, and the middle of it (x, y), from 0 to 1 | regression |
| labels.npz | clothes | for the feet, for the upper body, with long sleeves: yes or no | several labels |
| shoes.npz | clothes | 1 for what is worn on the feet, otherwise 0 | one output, or two classes |
| rows.npz | digits as 8 rows one after the other, float [8, 8] | the digit | classification of sequences |
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy
import torch

from cnnspec.training.data.load import load_data
from cnnspec.training.data.splits import Split

FEET, UPPER, LONG = (5, 7, 9), (0, 2, 3, 4, 6), (2, 4, 6)
"""Classes of Fashion-MNIST: sandal, sneaker, ankle boot; T-shirt, pullover, dress, coat, shirt; pullover, coat, shirt."""


def masks(split: Split) -> tuple[torch.Tensor, torch.Tensor]:
    return split.inputs, (split.inputs[:, 0] > 0).byte()


def denoise(split: Split) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(len(split))
    noise = torch.randn(split.inputs.shape, generator=generator) * 50
    return (split.inputs + noise).round().clamp(0, 255).byte(), split.inputs


def ink(split: Split) -> tuple[torch.Tensor, torch.Tensor]:
    grey = split.inputs[:, 0].float() / 255
    total = grey.sum((1, 2))
    places = torch.linspace(0, 1, grey.shape[1])
    x, y = (grey * places).sum((1, 2)) / total, (grey * places[:, None]).sum((1, 2)) / total
    return split.inputs, torch.stack((total / grey[0].numel(), x, y), 1)


def labels(split: Split) -> tuple[torch.Tensor, torch.Tensor]:
    found = [torch.isin(split.targets, torch.tensor(group)) for group in (FEET, UPPER, LONG)]
    return split.inputs, torch.stack(found, 1).byte()


def shoes(split: Split) -> tuple[torch.Tensor, torch.Tensor]:
    return split.inputs, torch.isin(split.targets, torch.tensor(FEET)).long()


def rows(split: Split) -> tuple[torch.Tensor, torch.Tensor]:
    return split.inputs[:, 0].float() / 255, split.targets


MADE = {
    "masks": ("FashionMini", masks),
    "denoise": ("FashionMini", denoise),
    "ink": ("Digits", ink),
    "labels": ("FashionMini", labels),
    "shoes": ("FashionMini", shoes),
    "rows": ("Digits", rows),
}


def make(folder: Path, name: str) -> Path:
    """Write one of the files; its path."""
    source, change = MADE[name]
    data = load_data(source)
    assert isinstance(data.train, Split)
    assert isinstance(data.test, Split)
    arrays = {}
    for split, part in ((data.train, "train"), (data.test, "test")):
        inputs, targets = change(split)
        arrays |= {f"x_{part}": inputs.numpy(), f"y_{part}": targets.numpy()}
    folder.mkdir(parents=True, exist_ok=True)
    numpy.savez_compressed(folder / f"{name}.npz", **arrays)
    return folder / f"{name}.npz"


if __name__ == "__main__":
    for each in MADE:
        print(make(Path(sys.argv[1] if len(sys.argv) > 1 else "data"), each))
