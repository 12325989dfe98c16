"""Data sets of the user's own files."""

from cnnspec.declare import Number, Reject, Text
from cnnspec.diagnostics.codes import OUT_OF_RANGE
from cnnspec.recipe.augmentations import Image
from cnnspec.recipe.datasets.base import Channels, DataSet, ImageSize, check_channels, resized

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    FilePath: TypeAlias = str | None
    Share: TypeAlias = float
else:
    FilePath = Text() | None
    Share = Number(0.01, 0.99)


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


class Npz(_FromPath):
    """Arrays of an `.npz` file: `x_train`, `y_train`, `x_test` and `y_test`, or `train_images`, `train_labels` and so on.

    Images are uint8, as [n, height, width], [n, height, width, channels] or [n, channels, height, width]; labels are
    whole numbers from 0. Without a second half, a fifth of each class is kept for testing, always the same images.
    """

    layout = "npz"
    targets = ""
