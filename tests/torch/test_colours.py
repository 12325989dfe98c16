"""Augmentations of colours that change some images and leave the others: by their definitions."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from cnnspec.recipe import augmentations as declared
from cnnspec.training.augment.pipeline import Pipeline

IMAGES = torch.randint(256, (200, 3, 4, 5), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)


def gray(images: Tensor) -> Tensor:
    red, green, blue = images.double().unbind(1)
    return (0.2989 * red + 0.587 * green + 0.114 * blue + 1e-6).floor()[:, None].expand_as(images)


@pytest.mark.parametrize(
    ("step", "changed"),
    [
        (declared.RandomGrayscale(0.3), gray(IMAGES)),
        (declared.RandomInvert(0.3), 255.0 - IMAGES),
        (declared.RandomSolarize(128, 0.3), torch.where(IMAGES >= 128, 255.0 - IMAGES, IMAGES.float())),
        (declared.RandomPosterize(3, 0.3), (IMAGES // 32 * 32).float()),
        (declared.RandomPosterize(0, 0.3), torch.zeros(IMAGES.shape)),
    ],
)
def test_some_images_are_changed_and_others_not(step: declared.Augmentation, changed: Tensor):
    pipeline = Pipeline([step], (3, 4, 5))
    assert torch.equal(pipeline(IMAGES), IMAGES.float() / 255)
    found = pipeline(IMAGES, torch.Generator().manual_seed(1)) * 255
    same = (found - IMAGES.float()).abs().amax((1, 2, 3)) < 0.01
    moved = (found - changed.float()).abs().amax((1, 2, 3)) < 0.01
    assert bool((same | moved).all())
    assert 0.2 < float(moved.float().mean()) < 0.42
