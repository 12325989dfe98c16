"""Data sets of the user's own files."""

from cnnspec.declare import Number, Reject, Text
from cnnspec.diagnostics.codes import OUT_OF_RANGE
from cnnspec.recipe.augmentations import Image
from cnnspec.recipe.component import Keys
from cnnspec.recipe.datasets.base import MASK, Channels, DataSet, ImageSize, check_channels, resized

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    FilePath: TypeAlias = str | None
    Share: TypeAlias = float
    Name: TypeAlias = str | None
    Names: TypeAlias = str | tuple[str, ...]
    Folder: TypeAlias = str
    Classes: TypeAlias = int | None
    Samples: TypeAlias = int | None
else:
    FilePath = Text() | None
    Share = Number(0.01, 0.99)
    Name = Text() | None
    Names = Text() | Keys()
    Folder = Text()
    Classes = Number(2, 255, whole=True) | None
    Samples = Number(1, whole=True) | None


class _FromPath(DataSet):
    """Files of one's own, at `path` or where `--data` says."""

    path: FilePath = None

    def validate(self) -> None:
        if self.path == "":
            raise Reject("path", OUT_OF_RANGE, name="path", value='""', wants="the path of a file or folder")


class ImageFolder(_FromPath):
    """Image files in one folder per class, below `train/` and `val/` (or `test/`), or without these two.

    Without a second half, the share `test` of each class is kept for testing, always the same images. With `size`, each
    image is scaled to cover it and its middle is cut out; without, all images have to be of one size.
    """

    size: ImageSize = None
    channels: Channels = 3
    test: Share = 0.2

    layout = "folder"

    @property
    def shape(self) -> Image | None:
        return resized(self.channels, self.size)

    def validate(self) -> None:
        super().validate()
        check_channels(self.channels)


class Csv(ImageFolder):
    """A table with a line for each picture: a column of paths, seen from the table's folder, and what belongs to each.

    The first column has the paths, all others the targets, unless `path_column` and `target_columns` name them. One column of
    names or whole numbers are classes; fractions, several columns or `numbers=true` are numbers. A column `split` with train,
    val and test divides the lines; without one the share `test` is kept, always the same lines.
    """

    path_column: Name = None
    target_columns: Names = ()
    numbers: bool = False

    layout = "csv"
    targets = ""


class Masks(ImageFolder):
    """Pictures in `images/` and masks of the same names in `masks/`, below `train/` and `test/` or without these.

    A mask is a grey or palette image with the number of a class in each pixel, 255 for none. Masks of 0 and 255 alone have
    two classes.
    """

    images: Folder = "images"
    masks: Folder = "masks"
    classes: Classes = None

    layout = "masks"
    targets = MASK

    @property
    def num_classes(self) -> int | None:
        return self.classes


class Wav(_FromPath):
    """Sounds in one folder a class, divided as those of `ImageFolder`: float32 [1, samples], cut or filled up with silence.

    Without `samples` all are as long as the first; `rate` is that of the first, where it is left out.
    """

    samples: Samples = None
    rate: Samples = None
    test: Share = 0.2

    layout = "sounds"

    @property
    def shape(self) -> tuple[int, ...] | None:
        return None if self.samples is None else (1, self.samples)


class Npz(_FromPath):
    """Arrays of an `.npz` file: `x_train`, `y_train`, `x_test` and `y_test`, or `train_images`, `train_labels` and so on.

    Images are uint8, as [n, height, width], [n, height, width, channels] or [n, channels, height, width]; labels are
    whole numbers from 0. Without a second half, a fifth of each class is kept for testing, always the same images.
    """

    layout = "npz"
    targets = ""
