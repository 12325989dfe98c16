"""How inputs become what a net takes, and targets what a loss takes: augmentation, normalisation, and what goes along."""

from __future__ import annotations

import torch

from cnnspec.errors import TrainError
from cnnspec.recipe.augmentations import Normalize
from cnnspec.recipe.datasets.base import HEAT_MAPS, IMAGE, MASK
from cnnspec.training.augment.pipeline import Pipeline, Standardize

TYPE_CHECKING = False
if TYPE_CHECKING:
    from torch import Generator, Tensor

    from cnnspec.recipe.augmentations import Augmentation
    from cnnspec.recipe.recipe import Recipe

    Statistics = tuple[tuple[float, ...], tuple[float, ...]]

_RANDOM = (
    "RandomHorizontalFlip", "RandomVerticalFlip", "RandomRotation", "RandomCrop", "RandomResizedCrop", "ColorJitter",
    "RandomErasing",
)  # fmt: skip
INPUT = "the input itself"
"""The role of targets that are the images themselves, as for an autoencoder."""


class Preparation:
    """The pipeline of a recipe, and whether it draws for training.

    `statistics` are mean and deviation of each channel of the training inputs; None where they are not used. `role` says how
    targets follow: masks, images and heat maps are moved as their inputs are, INPUT makes them of the inputs, as they are
    before they are erased and normalised, where white is 1; "" leaves targets as they are.
    """

    def __init__(
        self, pipeline: Pipeline | Standardize, statistics: Statistics | None, role: str, *, draws: bool
    ) -> None:
        self.pipeline, self.statistics, self.role, self.draws = pipeline, statistics, role, draws

    def __call__(self, inputs: Tensor, targets: Tensor, generator: Generator | None) -> tuple[Tensor, Tensor]:
        """Inputs and targets as net and loss take them, in training with a generator, otherwise without chance."""
        if not self.role:
            ready = targets.float() if targets.is_floating_point() else targets
            return self.pipeline(inputs, generator), ready
        if self.role == INPUT:
            ready, clean = self.pipeline.with_clean(inputs, generator)
            return ready, clean
        flat = targets[:, None] if self.role == MASK else targets
        ready, moved = self.pipeline.alike(inputs, flat, generator, nearest=self.role == MASK)
        if self.role == MASK:
            return ready, moved[:, 0].long()
        return ready, moved.float() / 255 if moved.dtype is torch.uint8 else moved.float()

    def inputs(self, inputs: Tensor) -> Tensor:
        """Inputs alone, without chance."""
        return self.pipeline(inputs)


def steps_of(recipe: Recipe) -> tuple[Augmentation, ...]:
    """The augmentations of a recipe; where it normalises and names no Normalize, one stands behind them, in front of
    RandomErasing."""
    steps = recipe.augment
    if not recipe.normalize or any(isinstance(step, Normalize) for step in steps):
        return steps
    names = [type(step).__name__ for step in steps]
    at = names.index("RandomErasing") if "RandomErasing" in names else len(steps)
    return (*steps[:at], Normalize(), *steps[at:])


def needs_statistics(recipe: Recipe) -> bool:
    """Whether mean and deviation of the training images are used."""
    return any(isinstance(step, Normalize) and step.mean is None and step.std is None for step in steps_of(recipe))


def prepare(
    recipe: Recipe, shape: tuple[int, ...], statistics: Statistics | None, role: str = "", *, dtype: str = "uint8"
) -> Preparation:
    """The preparation of inputs of a shape, for images [channels, height, width].

    Raises TrainError where the augmentations can't stand so.
    """
    if role not in ("", INPUT, MASK, IMAGE, HEAT_MAPS):
        raise ValueError(role)
    steps = steps_of(recipe)
    if dtype != "uint8" or len(shape) != 3:
        wrong = next((step for step in steps if not isinstance(step, Normalize)), None)
        if wrong is not None:
            raise TrainError(
                f"augment: {type(wrong).__name__} changes images, and the inputs are {dtype} {list(shape)}"
            )
        return Preparation(Standardize(statistics), statistics, role, draws=False)
    try:
        pipeline = Pipeline(steps, shape, statistics)
    except ValueError as error:
        raise TrainError(f"augment: {error}") from None
    draws = any(type(step).__name__ in _RANDOM for step in steps)
    return Preparation(pipeline, statistics, role, draws=draws)
