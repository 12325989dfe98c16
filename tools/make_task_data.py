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
| tokens.npz | digits as 64 words, the greys from 0 to 16, int64 [64] | the digit | classification of texts |
| tones.npz | tones of ten pitches in noise, float [1, 2000] | the pitch | classification of sounds |
| numbers.npz | up to three digits in a row, uint8 [1, 32, 100] | the digits plus 1, then -1 | sequences of classes |
| ends.npz | digits | where the ink begins and ends, as maps, float [2, 8, 8] | heat maps |
| pairs.npz | two digits: `x_left`, `x_right` | 1 where they are the same | one output of two inputs |
| both.npz | digits | the digit, and ink and its middle: `y_digit`, `y_ink` | two outputs |
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
    return split.images, (split.images[:, 0] > 0).byte()


def denoise(split: Split) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(len(split))
    noise = torch.randn(split.images.shape, generator=generator) * 50
    return (split.images + noise).round().clamp(0, 255).byte(), split.images


def ink(split: Split) -> tuple[torch.Tensor, torch.Tensor]:
    grey = split.images[:, 0].float() / 255
    total = grey.sum((1, 2))
    places = torch.linspace(0, 1, grey.shape[1])
    x, y = (grey * places).sum((1, 2)) / total, (grey * places[:, None]).sum((1, 2)) / total
    return split.images, torch.stack((total / grey[0].numel(), x, y), 1)


def labels(split: Split) -> tuple[torch.Tensor, torch.Tensor]:
    found = [torch.isin(split.labels, torch.tensor(group)) for group in (FEET, UPPER, LONG)]
    return split.images, torch.stack(found, 1).byte()


def shoes(split: Split) -> tuple[torch.Tensor, torch.Tensor]:
    return split.images, torch.isin(split.labels, torch.tensor(FEET)).long()


def rows(split: Split) -> tuple[torch.Tensor, torch.Tensor]:
    return split.images[:, 0].float() / 255, split.labels


def tokens(split: Split) -> tuple[torch.Tensor, torch.Tensor]:
    return (split.images.long() * 16 + 127).div(255, rounding_mode="floor").flatten(1), split.labels


def tones(split: Split) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(len(split))
    time, phase = torch.arange(2000), torch.rand(len(split), 1, generator=generator) * 6.3
    pitch = 0.02 * 1.2 ** split.labels[:, None].float()
    clean = (time * 2 * torch.pi * pitch + phase).sin()
    return (clean + torch.randn(clean.shape, generator=generator))[:, None].half().float(), split.labels


def numbers(split: Split) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(len(split))
    chosen = torch.randint(len(split), (len(split), 3), generator=generator)
    kept = torch.arange(3) < torch.randint(1, 4, (len(split), 1), generator=generator)
    large = split.images.repeat_interleave(4, 2).repeat_interleave(4, 3)[:, 0]
    rows = (large[chosen] * kept[:, :, None, None]).permute(0, 2, 1, 3).flatten(2)
    images = torch.nn.functional.pad(rows, (2, 2))[:, None]
    return images, torch.where(kept, split.labels[chosen] + 1, -1)


def ends(split: Split) -> tuple[torch.Tensor, torch.Tensor]:
    inked = (split.images[:, 0] > 60).flatten(1).int()
    first, last = inked.argmax(1), 63 - inked.flip(1).argmax(1)
    places = torch.stack((first, last), 1)
    y, x = torch.arange(8)[:, None], torch.arange(8)
    far = (y - (places // 8)[:, :, None, None]) ** 2 + (x - (places % 8)[:, :, None, None]) ** 2
    return split.images, (-far / 2).exp()


def pairs(split: Split) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
    generator = torch.Generator().manual_seed(len(split))
    order = torch.randperm(len(split), generator=generator)
    # Half of the pairs are made of neighbours in the order of the classes.
    by_class = split.labels.argsort(stable=True)
    other = order.clone()
    other[by_class[:-1]] = torch.where(torch.arange(len(split) - 1) % 2 == 0, by_class[1:], order[by_class[:-1]])
    same = (split.labels == split.labels[other]).long()
    return {"left": split.images, "right": split.images[other]}, same


def both(split: Split) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    return split.images, {"digit": split.labels, "ink": ink(split)[1]}


MADE = {
    "masks": ("FashionMini", masks),
    "denoise": ("FashionMini", denoise),
    "ink": ("Digits", ink),
    "labels": ("FashionMini", labels),
    "shoes": ("FashionMini", shoes),
    "rows": ("Digits", rows),
    "tokens": ("Digits", tokens),
    "tones": ("Digits", tones),
    "numbers": ("Digits", numbers),
    "ends": ("Digits", ends),
    "pairs": ("Digits", pairs),
    "both": ("Digits", both),
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
        for key, values in (("x", inputs), ("y", targets)):
            parts = values if isinstance(values, dict) else {"": values}
            arrays |= {f"{key}_{part}" + (f"_{name}" if name else ""): one.numpy() for name, one in parts.items()}
    folder.mkdir(parents=True, exist_ok=True)
    numpy.savez_compressed(folder / f"{name}.npz", **arrays)
    return folder / f"{name}.npz"


if __name__ == "__main__":
    for each in MADE:
        print(make(Path(sys.argv[1] if len(sys.argv) > 1 else "data"), each))
