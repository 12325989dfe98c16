"""The augmentations that a recipe may name: torchvision's names, arguments, order of arguments and defaults.

A closed table, `AUGMENTATIONS`, maps the names that users write to classes with declared arguments. Each gives the shape
of the images behind it, so that `check` can compare it with the model. Nothing here imports torch: `training.augment`
carries them out.

Pixels are numbers from 0 to 255 up to `Normalize`, and of any size behind it; `fill` and `value` count in the same way.
"""

from cnnspec.declare import Reject
from cnnspec.layers.base import Shape
from cnnspec.recipe import contradictions
from cnnspec.recipe.augmentations.base import LONGEST_SIDE, Augmentation, Image, check_channels
from cnnspec.recipe.augmentations.geometry import (
    CenterCrop,
    RandomAffine,
    RandomCrop,
    RandomHorizontalFlip,
    RandomResizedCrop,
    RandomRotation,
    RandomVerticalFlip,
    Resize,
)
from cnnspec.recipe.augmentations.values import (
    ColorJitter,
    CutMix,
    GaussianBlur,
    MixUp,
    Normalize,
    RandomErasing,
    RandomGrayscale,
    RandomInvert,
    RandomPosterize,
    RandomSolarize,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "AUGMENTATIONS",
    "LONGEST_SIDE",
    "Augmentation",
    "CenterCrop",
    "ColorJitter",
    "CutMix",
    "GaussianBlur",
    "Image",
    "MixUp",
    "Normalize",
    "RandomAffine",
    "RandomCrop",
    "RandomErasing",
    "RandomGrayscale",
    "RandomHorizontalFlip",
    "RandomInvert",
    "RandomPosterize",
    "RandomResizedCrop",
    "RandomRotation",
    "RandomSolarize",
    "RandomVerticalFlip",
    "Refused",
    "Resize",
    "check_channels",
    "mixing_of",
    "trace",
]

AUGMENTATIONS = Augmentation.table()


def mixing_of(steps: "Iterable[Augmentation]") -> Augmentation | None:
    """What mixes the images of a batch, the last of the steps; None where nothing does."""
    return next((step for step in steps if step.mixes), None)


class Refused(Exception):
    """One of several augmentations is wrong: its `position`, from 0, and the `reject` that it raised."""

    def __init__(self, position: int, reject: Reject) -> None:
        super().__init__(position, reject)
        self.position, self.reject = position, reject


def trace(steps: "Iterable[Augmentation]", shape: Shape) -> Shape:
    """Shape of images of `shape` behind all `steps`. Raises Refused for the first step that is wrong where it stands."""
    normalized, mixing = False, ""
    for position, step in enumerate(steps):
        try:
            if mixing:
                raise Reject("", contradictions.BEHIND_MIXING, mixing=mixing)
            step.validate()
            step.check_place(normalized=normalized)
            shape = step.output_shape(shape)
        except Reject as reject:
            raise Refused(position, reject) from None
        normalized = normalized or step.normalizes
        mixing = type(step).__name__ if step.mixes else mixing
    return shape
