"""How images become what a net takes: the augmentations of a recipe with its normalisation, for training and for testing."""

from __future__ import annotations

from cnnspec.errors import TrainError
from cnnspec.recipe.augmentations import Normalize
from cnnspec.training.augment.pipeline import Pipeline

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


class Preparation:
    """The pipeline of a recipe, and whether it draws for training.

    `statistics` are mean and deviation of each channel of the training inputs; None where they are not used.
    """

    def __init__(self, pipeline: Pipeline, statistics: Statistics | None, *, draws: bool) -> None:
        self.pipeline, self.statistics, self.draws = pipeline, statistics, draws

    def __call__(self, inputs: Tensor, targets: Tensor, generator: Generator | None) -> tuple[Tensor, Tensor]:
        """Inputs and targets as net and loss take them, in training with a generator, otherwise without chance."""
        return self.pipeline(inputs, generator), targets

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


def prepare(recipe: Recipe, shape: tuple[int, ...], statistics: Statistics | None) -> Preparation:
    """The preparation of images [channels, height, width]. Raises TrainError where the augmentations can't stand so."""
    steps = steps_of(recipe)
    try:
        pipeline = Pipeline(steps, shape, statistics)
    except ValueError as error:
        raise TrainError(f"augment: {error}") from None
    return Preparation(pipeline, statistics, draws=any(type(step).__name__ in _RANDOM for step in steps))
