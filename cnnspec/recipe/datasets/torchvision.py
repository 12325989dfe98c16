"""Data sets that torchvision reads."""

from cnnspec.declare import Choice
from cnnspec.recipe.augmentations import Image
from cnnspec.recipe.datasets.base import Channels, DataSet, ImageSize, check_channels, resized
from cnnspec.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    SetName = str


@record
class Entry:
    """A data set of torchvision: the shape and the number of classes where fixed, the arguments for its two halves.

    `test` is None where it has only one half.
    """

    image: Image | None
    num_classes: int
    train: tuple[str, object] | None
    test: tuple[str, object] | None


_FLAG = (("train", True), ("train", False))
_SPLIT = (("split", "train"), ("split", "test"))
_NONE = (None, None)

TORCHVISION = {
    "CIFAR10": Entry((3, 32, 32), 10, *_FLAG),
    "CIFAR100": Entry((3, 32, 32), 100, *_FLAG),
    "Caltech101": Entry(None, 101, *_NONE),
    "Caltech256": Entry(None, 257, *_NONE),
    "Country211": Entry(None, 211, *_SPLIT),
    "DTD": Entry(None, 47, *_SPLIT),
    "EuroSAT": Entry((3, 64, 64), 10, *_NONE),
    "FGVCAircraft": Entry(None, 100, ("split", "trainval"), ("split", "test")),
    "FashionMNIST": Entry((1, 28, 28), 10, *_FLAG),
    "Flowers102": Entry(None, 102, *_SPLIT),
    "Food101": Entry(None, 101, *_SPLIT),
    "GTSRB": Entry(None, 43, *_SPLIT),
    "ImageNet": Entry(None, 1000, ("split", "train"), ("split", "val")),
    "Imagenette": Entry(None, 10, ("split", "train"), ("split", "val")),
    "KMNIST": Entry((1, 28, 28), 10, *_FLAG),
    "MNIST": Entry((1, 28, 28), 10, *_FLAG),
    "OxfordIIITPet": Entry(None, 37, ("split", "trainval"), ("split", "test")),
    "PCAM": Entry((3, 96, 96), 2, *_SPLIT),
    "QMNIST": Entry((1, 28, 28), 10, *_FLAG),
    "RenderedSST2": Entry(None, 2, *_SPLIT),
    "SEMEION": Entry((1, 16, 16), 10, *_NONE),
    "STL10": Entry((3, 96, 96), 10, *_SPLIT),
    "SUN397": Entry(None, 397, *_NONE),
    "SVHN": Entry((3, 32, 32), 10, *_SPLIT),
    "StanfordCars": Entry(None, 196, *_SPLIT),
    "USPS": Entry((1, 16, 16), 10, *_FLAG),
}
"""What may be named of torchvision.datasets: those for classification whose halves are told apart by one argument."""

if not TYPE_CHECKING:
    SetName = Choice(*TORCHVISION)


class Torchvision(DataSet):
    """A data set of torchvision.datasets, read by torchvision (the extra `cnnspec[vision]`).

    With `size`, each image is scaled to cover it and its middle is cut out.
    """

    name: SetName
    size: ImageSize = None
    channels: Channels = 3

    layout = "torchvision"

    @property
    def shape(self) -> Image | None:
        image = TORCHVISION[self.name].image
        return resized(image[0] if image else self.channels, self.size) or image

    @property
    def num_classes(self) -> int | None:
        return TORCHVISION[self.name].num_classes

    def validate(self) -> None:
        check_channels(self.channels)
