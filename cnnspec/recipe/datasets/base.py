"""What a data set of a recipe is: its images, its classes, and where its files come from."""

from cnnspec.declare import Named, Number, Reject, Tuple, sizes
from cnnspec.diagnostics.codes import OUT_OF_RANGE
from cnnspec.recipe.augmentations import Image
from cnnspec.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    ImageSize: TypeAlias = int | tuple[int, ...] | None
    Channels: TypeAlias = int
else:
    ImageSize = Number(1, 16384, whole=True) | Tuple(Number(1, 16384, whole=True), 2) | None
    Channels = Number(1, 3, whole=True)


@record
class Download:
    """One file that a data set's publisher offers: its name, addresses in order of preference, checksum and size in MB."""

    name: str
    urls: tuple[str, ...]
    checksum: str
    """`md5:` and the hexadecimal digest that the publisher or torchvision states."""
    megabytes: int


CLASS, LABELS, NUMBERS, MASK, IMAGE, HEAT_MAPS, TEXT = (
    "a class", "labels", "numbers", "a mask", "an image", "heat maps", "a text"
)  # fmt: skip


class DataSet(Named, family=True):
    """Base of the data sets. What only the files can tell is None or empty."""

    image = None  # type: Image | None
    labels = ()  # type: tuple[str, ...]
    targets = CLASS
    """What belongs to each image: a class, several labels, numbers, a class a position, an image, ...; "" where only the
    files tell."""
    layout = ""
    """How its files are read: "packed", "idx", "cifar", "folder", "npz" or "torchvision"."""
    packed = ""
    """The file in the package that holds it."""
    counts = (0, 0)
    """Images for training and for testing; (0, 0) where only the files tell."""
    white = 255
    """The grey value of white in that file."""
    transposed = False
    """Its files hold each image mirrored along its diagonal."""
    files = ((), ())  # type: tuple[tuple[str, ...], tuple[str, ...]]
    """Names of its CIFAR files for training and for testing, without their endings."""
    label_bytes = 1
    """Labels in front of each image in such a file; the last one counts."""
    label_key = ""
    """Where the labels stand in such a file for Python."""
    folders = ()  # type: tuple[str, ...]
    """Names of the folder that holds the files, in any place that is searched."""
    archives = ()  # type: tuple[str, ...]
    """Names of archives that hold all of its files."""
    package = ""
    """The Debian package that installs it."""
    downloads = ()  # type: tuple[Download, ...]

    @property
    def shape(self) -> "tuple[int, ...] | None":
        """Channels, height and width of every image; None where only the files tell."""
        return self.image

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the classes, by label; empty where only the files tell."""
        return self.labels

    @property
    def num_classes(self) -> int | None:
        """Number of classes; None where only the files tell."""
        return len(self.class_names) or None

    @property
    def file_prefix(self) -> str:
        """What the names of its IDX files begin with, in front of train and test; "" for MNIST's own names."""
        return ""

    @property
    def first_label(self) -> int:
        """The label of the first class in its files."""
        return 0

    def validate(self) -> None:
        """Raise Reject where the arguments are wrong together."""


def resized(channels: int, size: "int | tuple[int, ...] | None") -> Image | None:
    if size is None:
        return None
    height, width = sizes(size, 2)
    return (channels, height, width)


def check_channels(channels: int) -> None:
    if channels == 2:
        raise Reject("channels", OUT_OF_RANGE, name="channels", value=channels, wants="1 (grey) or 3 (colours)")
