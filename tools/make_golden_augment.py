"""Make `tests/torch/golden_augment.npz`: what torchvision makes of given images with given numbers, image by image.

    pip install torch==2.14.1 torchvision==0.29.1    # in an environment of its own
    python tools/make_golden_augment.py

`images` [n, 3, height, width] and `gray` [n, 1, ...] are the inputs; every other array is named after a function of
`training.augment.pixels` and the case, and `tests/torch/test_augment.py` gives the same numbers to that function. Arrays
called `drawn_...` hold quantiles of the numbers that torchvision's transforms draw.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as F

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
from tests.torch import golden_cases as cases  # noqa: E402


def images(channels: int) -> torch.Tensor:
    """Smooth pictures with edges, some noise, and pixels that are black, white, grey and fully coloured."""
    generator = torch.Generator().manual_seed(channels)
    coarse = torch.rand(cases.COUNT, channels, 4, 4, generator=generator)
    smooth = torch.nn.functional.interpolate(coarse, (cases.HEIGHT, cases.WIDTH), mode="bicubic") * 255
    noisy = smooth + torch.randn(smooth.shape, generator=generator) * 2
    result = noisy.round().clamp(0, 255).to(torch.uint8)
    result[0, :, :3] = 0
    result[0, :, 3:5] = 255
    result[1, :, :, :4] = 128
    result[2, 0, 5:] = 255
    return result


def each(function, batch: torch.Tensor, *columns) -> np.ndarray:
    """Apply a function to each image with its own numbers."""
    results = [function(image, *(column[index] for column in columns)) for index, image in enumerate(batch)]
    return torch.stack(results).numpy()


def whole(images: torch.Tensor) -> torch.Tensor:
    """Scaled images as uint8. For uint8 itself, torch 2.14 scales in whole numbers on some processors, one or two off."""
    return images.round().clamp(0, 255).to(torch.uint8)


def geometry(color: torch.Tensor) -> dict[str, np.ndarray]:
    found = {}
    for name, (mode, center, fill) in cases.ROTATIONS.items():
        found[f"rotate_{name}"] = each(lambda x, a: F.rotate(x, a, mode, False, center, fill), color, cases.DEGREES)  # noqa: B023
    scaled = color[:2].float() / 255 - 0.5
    found["rotate_float"] = each(lambda x, a: F.rotate(x, a, "bilinear", fill=[0.25]), scaled, cases.DEGREES)
    for name, (mode, center, fill) in cases.AFFINES.items():
        move = lambda x, a: F.affine(x, a[0], list(a[1]), a[2], list(a[3]), mode, fill, center)  # noqa: B023, E731
        found[f"affine_{name}"] = each(move, color, cases.AFFINE)
    for name, size in cases.BLURS.items():
        blur = lambda x, s: F.gaussian_blur(x, [size[1], size[0]], [s, s])  # noqa: B023, E731
        found[f"gaussian_blur_{name}"] = each(blur, color, cases.SIGMAS)
    for name, (borders, mode, fill) in cases.PADS.items():
        found[f"pad_{name}"] = F.pad(color, list(borders), fill, mode).numpy()
    found["crop"] = each(lambda x, i, j: F.crop(x, i, j, 5, 7), color, cases.TOPS, cases.LEFTS)
    found["flip_3"] = each(lambda x, f: F.horizontal_flip(x) if f else x, color, cases.CHOSEN)
    found["flip_2"] = each(lambda x, f: F.vertical_flip(x) if f else x, color, cases.CHOSEN)
    for name, size in cases.CENTERS.items():
        found[f"center_crop_{name}"] = F.center_crop(color, list(size)).numpy()
    for name, (size, mode, antialias) in cases.RESIZES.items():
        found[f"resize_{name}"] = whole(F.resize(color.float(), list(size), mode, antialias=antialias)).numpy()
    for name, (size, mode, antialias) in cases.RESIZED_CROPS.items():
        cut = lambda x, b: whole(F.resized_crop(x.float(), *b, list(size), mode, antialias))  # noqa: B023, E731
        found[f"resized_crop_{name}"] = each(cut, color, cases.BOXES)
    found["erase"] = each(
        lambda x, b: F.erase(x, b[0], b[1], b[2], b[3], torch.tensor(cases.COLOR)), color, cases.BOXES
    )
    return found


def colors(color: torch.Tensor, gray: torch.Tensor) -> dict[str, np.ndarray]:
    found = {}
    for name, factors in cases.FACTORS.items():
        function = getattr(F, f"adjust_{name}")
        found[f"adjust_{name}"] = each(function, color, factors)
        found[f"adjust_{name}_gray"] = each(function, gray, factors)
    found["normalize"] = F.normalize(F.to_dtype(color[:2], torch.float32, scale=True), cases.MEAN, cases.STD).numpy()
    return found


def draws() -> dict[str, np.ndarray]:
    """Quantiles of top, left, height and width over many draws, and the share of draws that fitted."""
    torch.manual_seed(0)
    found = {}
    picture = [torch.zeros(3, *cases.DRAWN_ON)]
    for name, (kind, options) in cases.DRAWS.items():
        transform = getattr(v2, kind)(**options)
        rows = []
        for _ in range(20_000):
            drawn = transform.make_params(picture)
            if kind == "RandomResizedCrop":
                rows.append([drawn["top"], drawn["left"], drawn["height"], drawn["width"]])
            elif drawn["v"] is not None:
                rows.append([drawn["i"], drawn["j"], drawn["h"], drawn["w"]])
        table = np.array(rows, dtype=np.float64)
        found[f"drawn_{name}"] = np.concatenate([table.mean(0), table.std(0), [len(rows) / 20_000]])
    return found


def main() -> None:
    color, gray = images(3), images(1)
    found = {"images": color.numpy(), "gray": gray.numpy()}
    found |= geometry(color) | colors(color, gray) | draws()
    target = ROOT / "tests" / "torch" / "golden_augment.npz"
    np.savez_compressed(target, **found)
    print(f"{target.name}: {len(found)} arrays, {target.stat().st_size:,} bytes, torchvision's {v2.__name__}")


if __name__ == "__main__":
    main()
