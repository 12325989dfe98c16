"""A sheet of samples of a data set: as they are, and as augmentation makes them in training."""

from __future__ import annotations

import torch

from cnnspec.errors import UsageError
from cnnspec.record import replace
from cnnspec.training.augment.prepare import prepare
from cnnspec.training.data.several import parts_of
from cnnspec.training.report.task_pictures import draw_rows, picture_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cnnspec.recipe.recipe import Recipe
    from cnnspec.training.data.load import Data

SHOWN, TIMES = 8, 4
"""Samples on a sheet, and how often each is shown."""


def draw_samples(data: Data, recipe: Recipe) -> str:
    """Samples of the training set, each with what augmentation makes of it."""
    if data.dtypes != ("uint8",) or len(data.shape) != 3 or data.shape[0] not in (1, 3):
        raise UsageError("--sheet draws images of 1 or 3 channels, and these are none")
    prepared = prepare(replace(recipe, normalize=False), data.shape, None)
    order = torch.arange(0, len(data.train), max(1, len(data.train) // SHOWN))[:SHOWN]
    inputs, targets = next(iter(data.train.batches(order, SHOWN)))
    images, first = parts_of(inputs)[0], parts_of(targets)[0]
    changed = [parts_of(prepared.inputs(images, torch.Generator().manual_seed(time)))[0] for time in range(TIMES - 1)]
    groups = []
    for index in range(len(images)):
        pictures = [picture_of(images[index]), *(picture_of(one[index]) for one in changed)]
        groups.append((pictures, data.classes[int(first[index])] if first.dim() == 1 and data.classes else ""))
    return draw_rows(
        f"{data.name}: samples", "from left to right: as it is, then as augmented for training", groups, TIMES
    )
