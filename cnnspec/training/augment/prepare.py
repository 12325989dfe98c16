"""How inputs become what a net takes, and targets what a loss takes: augmentation, normalisation, and what goes along."""

from __future__ import annotations

import torch

from cnnspec.errors import TrainError
from cnnspec.recipe.augmentations import Normalize, mixing_of
from cnnspec.recipe.datasets.base import MASK
from cnnspec.training.augment.pipeline import Pipeline, Standardize
from cnnspec.training.data.several import like, parts_of, shapes_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Generator, Tensor

    from cnnspec.recipe.augmentations import Augmentation
    from cnnspec.recipe.recipe import Recipe
    from cnnspec.training.data.several import Shapes, Values

    Statistics = tuple[tuple[float, ...], tuple[float, ...]]

ROW = "a row of classes"
INPUT = "the input itself"
"""The role of targets that are the images themselves, as for an autoencoder."""


class Preparation:
    """The pipeline of each input of a recipe, and whether one draws for training.

    `statistics` are, of each input, mean and deviation of each channel of the training inputs; None where they are not used.
    `roles` say how each target follows the first input: masks, images and heat maps are moved as it is, INPUT makes them of
    the input itself, as it is before it is erased and normalised, where white is 1; ROW is a class for each place of a
    sequence; "" leaves targets as they are.
    """

    def __init__(
        self, pipelines: Sequence[Pipeline | Standardize], statistics: Sequence[Statistics] | None,
        roles: Sequence[str], *, draws: bool, mixing: Augmentation | None = None,
    ) -> None:  # fmt: skip
        self.pipelines, self.statistics, self.roles, self.draws = tuple(pipelines), statistics, tuple(roles), draws
        self.mixing = mixing
        """What mixes the images of a batch once they are ready, in training."""

    def __call__(self, inputs: Values, targets: Values, generator: Generator | None) -> tuple[Values, Values]:
        """Inputs and targets as net and loss take them, in training with a generator, otherwise without chance."""
        ready, wanted = None, []
        for role, target in zip(self.roles, parts_of(targets)):
            if role == ROW:
                wanted.append(target.long())
                continue
            if not role:
                wanted.append(target.float() if target.is_floating_point() else target)
                continue
            # The same draws for each: from a generator that is where this one is.
            again = None if generator is None else generator.clone_state()
            ready, moved = self._together(role, parts_of(inputs)[0], target, again)
            wanted.append(moved)
        if ready is None:
            return self.inputs(inputs, generator), like(targets, wanted)
        others = [pipeline(part, generator) for pipeline, part in zip(self.pipelines[1:], parts_of(inputs)[1:])]
        return like(inputs, [ready, *others]), like(targets, wanted)

    def _together(
        self, role: str, inputs: Tensor, target: Tensor, generator: Generator | None
    ) -> tuple[Tensor, Tensor]:
        pipeline = self.pipelines[0]
        if role == INPUT:
            return pipeline.with_clean(inputs, generator)
        flat = target[:, None] if role == MASK else target
        ready, moved = pipeline.alike(inputs, flat, generator, nearest=role == MASK)
        if role == MASK:
            return ready, moved[:, 0].long()
        return ready, moved.float() / 255 if moved.dtype is torch.uint8 else moved.float()

    def inputs(self, inputs: Values, generator: Generator | None = None) -> Values:
        """Inputs alone, without a generator without chance."""
        parts = [pipeline(part, generator) for pipeline, part in zip(self.pipelines, parts_of(inputs))]
        return like(inputs, parts)


def steps_of(recipe: Recipe) -> tuple[Augmentation, ...]:
    """The augmentations of a recipe; where it normalises and names no Normalize, one stands behind them, in front of
    RandomErasing."""
    steps = tuple(step for step in recipe.augment if not step.mixes)
    if not recipe.normalize or any(isinstance(step, Normalize) for step in steps):
        return steps
    names = [type(step).__name__ for step in steps]
    at = names.index("RandomErasing") if "RandomErasing" in names else len(steps)
    return (*steps[:at], Normalize(), *steps[at:])


def needs_statistics(recipe: Recipe) -> bool:
    """Whether mean and deviation of the training images are used."""
    return any(isinstance(step, Normalize) and step.mean is None and step.std is None for step in steps_of(recipe))


def prepare(
    recipe: Recipe, shape: Shapes, statistics: Sequence[Statistics] | None, roles: Sequence[str] = ("",), *,
    dtypes: Sequence[str] = ("uint8",),
) -> Preparation:  # fmt: skip
    """The preparation of inputs of a shape, for images [channels, height, width]; with several inputs `shape` has one of each.

    Raises TrainError where the augmentations can't stand so.
    """
    shapes = shapes_of(shape)
    of_each = statistics if statistics is not None else [None] * len(shapes)
    pipelines = [_pipeline(recipe, one, found, dtype) for one, found, dtype in zip(shapes, of_each, dtypes)]
    if not any(isinstance(pipeline, Pipeline) for pipeline in pipelines):
        wrong = next((step for step in steps_of(recipe) if not isinstance(step, Normalize)), None)
        if wrong is not None:
            found = f"{dtypes[0]} {list(shapes[0])}"
            raise TrainError(f"augment: {type(wrong).__name__} changes images, and the inputs are {found}")
    draws = any(isinstance(pipeline, Pipeline) for pipeline in pipelines)
    draws = draws and any(step.random for step in recipe.augment)
    return Preparation(pipelines, statistics, roles, draws=draws, mixing=mixing_of(recipe.augment))


def _pipeline(
    recipe: Recipe, shape: tuple[int, ...], statistics: Statistics | None, dtype: str
) -> Pipeline | Standardize:
    if dtype != "uint8" or len(shape) != 3:
        # Whole numbers that are no pixels are tokens of an Embedding.
        return Standardize(None if dtype == "int64" else statistics)
    try:
        return Pipeline(steps_of(recipe), shape, statistics)
    except ValueError as error:
        raise TrainError(f"augment: {error}") from None
