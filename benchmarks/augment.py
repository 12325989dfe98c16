"""Images a second through the augmentation pipeline on one core, beside the same operations image by image.

    python benchmarks/augment.py

The peer is a loop over single images that crops, flips, converts and normalises as a per-image pipeline does; with torchvision
installed, its transforms.v2 are called image by image as well. Rounds alternate in one process; printed are the best rate of
each in CPU time and the median of the ratios of neighbouring rounds.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable

import torch
from torch.nn import functional as F

from cnnspec.recipe.augmentations import (
    ColorJitter,
    Normalize,
    RandomCrop,
    RandomErasing,
    RandomHorizontalFlip,
    RandomResizedCrop,
    RandomRotation,
)
from cnnspec.training.augment.pipeline import Pipeline

ROUNDS = 9
BATCH = 256
SHAPE = (3, 32, 32)
MEAN, STD = (0.49, 0.48, 0.45), (0.25, 0.24, 0.26)
GOAL = 10_000
NORMALIZE = Normalize(MEAN, STD)

PIPELINES = {
    "crop, flip, normalise": [RandomCrop(32, padding=4), RandomHorizontalFlip(), NORMALIZE],
    "the same, padded by reflection": [
        RandomCrop(32, padding=4, padding_mode="reflect"),
        RandomHorizontalFlip(),
        NORMALIZE,
    ],
    "rotation (nearest), normalise": [RandomRotation(10), NORMALIZE],
    "rotation (bilinear), normalise": [RandomRotation(10, "bilinear"), NORMALIZE],
    "resized crop, normalise": [RandomResizedCrop(32), NORMALIZE],
    "four colour changes, normalise": [ColorJitter(0.2, 0.2, 0.2, 0.1), NORMALIZE],
    "normalise, erasing": [NORMALIZE, RandomErasing()],
}


def image_by_image(images: torch.Tensor) -> torch.Tensor:
    """Crop, flip and normalise, one image after the other."""
    mean, std = torch.tensor(MEAN).view(3, 1, 1), torch.tensor(STD).view(3, 1, 1)
    done = []
    for image in images:
        padded = F.pad(image, (4, 4, 4, 4))
        top, left = random.randrange(9), random.randrange(9)
        cut = padded[:, top : top + 32, left : left + 32]
        if random.random() < 0.5:
            cut = cut.flip(2)
        done.append(cut.float().div_(255).sub_(mean).div_(std))
    return torch.stack(done)


def torchvision_by_image() -> Callable[[torch.Tensor], torch.Tensor] | None:
    """torchvision's transforms of the same names, where it can be imported."""
    try:
        from torchvision.transforms import v2
    except Exception:  # ImportError, or RuntimeError where it was built for another torch
        return None
    steps = [v2.RandomCrop(32, padding=4), v2.RandomHorizontalFlip()]
    transform = v2.Compose([*steps, v2.ToDtype(torch.float32, scale=True), v2.Normalize(MEAN, STD)])
    return lambda images: torch.stack([transform(image) for image in images])


def seconds(run: Callable[[], object]) -> float:
    start = time.process_time()
    run()
    return time.process_time() - start


def compare(name: str, ours: Callable[[], object], peer: Callable[[], object]) -> None:
    """Alternate both; print the ratio of the peer's time to ours."""
    ours(), peer()
    pairs = [(seconds(ours), seconds(peer)) for _ in range(ROUNDS)]
    ratio = statistics.median(theirs / own for own, theirs in pairs)
    print(
        f"{name:44s} {BATCH / min(theirs for _, theirs in pairs):12,.0f} images/s   ours is {ratio:.1f} times as fast"
    )


def main() -> None:
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (BATCH, *SHAPE), generator=generator, dtype=torch.uint8)
    print(f"torch {torch.__version__}, one thread, batches of {BATCH} x {SHAPE}, goal {GOAL:,} images/s")
    for name, steps in PIPELINES.items():
        pipeline = Pipeline(steps, SHAPE)
        best = min(seconds(lambda: pipeline(images, generator)) for _ in range(ROUNDS))  # noqa: B023
        print(f"{name:44s} {BATCH / best:12,.0f} images/s")
    pipeline = Pipeline(PIPELINES["crop, flip, normalise"], SHAPE)
    compare("crop, flip, normalise image by image", lambda: pipeline(images, generator), lambda: image_by_image(images))
    if (peer := torchvision_by_image()) is not None:
        compare("the same by torchvision, image by image", lambda: pipeline(images, generator), lambda: peer(images))


if __name__ == "__main__":
    main()
