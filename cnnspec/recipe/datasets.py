"""The data sets that a recipe may name: what their images and classes are, and where their files come from.

A closed table, `DATA_SETS`, maps the names that users write to classes with declared arguments. Nothing here reads a file or
imports torch: `check` compares shapes and classes with the model, `cnnspec.training.data.load` loads.
"""

from cnnspec.declare import Choice, Declared, Number, Text, Tuple
from cnnspec.diagnostics.codes import OUT_OF_RANGE
from cnnspec.layers.base import Reject, sizes
from cnnspec.recipe.augmentations import AUGMENTATIONS as AUGMENTATIONS
from cnnspec.recipe.augmentations import Augmentation as Augmentation
from cnnspec.recipe.augmentations import Image as Image
from cnnspec.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    FilePath = str | None
    Letters = str
    SetName = str
    ImageSize = int | tuple[int, ...] | None
    Channels = int
    Share = float

IDX_FILES = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)


@record
class Download:
    """One file that a data set's publisher offers: its name, addresses in order of preference, checksum and size in MB."""

    name: str
    urls: tuple[str, ...]
    checksum: str
    """`md5:` and the hexadecimal digest that the publisher or torchvision states."""
    megabytes: int


class DataSet(Declared):
    """Base of the data sets. What only the files can tell is None or empty."""

    image = None  # type: Image | None
    labels = ()  # type: tuple[str, ...]
    layout = ""
    """How its files are read: "packed", "idx", "cifar", "folder", "npz" or "torchvision"."""
    packed = ""
    """The file in the package that holds it."""
    counts = (0, 0)
    """Images for training and for testing in that file."""
    folders = ()  # type: tuple[str, ...]
    """Names of the folder that holds the files, in any place that is searched."""
    archives = ()  # type: tuple[str, ...]
    """Names of archives that hold all of its files."""
    package = ""
    """The Debian package that installs it."""
    downloads = ()  # type: tuple[Download, ...]

    @property
    def shape(self) -> Image | None:
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

    def validate(self) -> None:
        """Raise Reject where the arguments are wrong together."""


def _files(mirrors: tuple[str, ...], *digests: str) -> tuple[Download, ...]:
    """The four IDX files of a data set that lies in one folder of a server."""
    megabytes = (26, 1, 5, 1)
    return tuple(
        Download(name, tuple(mirror + name for mirror in mirrors), f"md5:{digest}", size)
        for name, digest, size in zip(IDX_FILES, digests, megabytes)
    )


DIGITS = tuple("0123456789")
FASHION = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")


class FashionMini(DataSet):
    """5,000 training and 1,000 test images of Fashion-MNIST, which come with cnnspec: nothing to download.

    The first 500 and 100 of each class. MIT licence, (c) 2017 Zalando SE.
    """

    image = (1, 28, 28)
    labels = FASHION
    layout = "packed"
    packed = "fashion_mini.xz"
    counts = (5000, 1000)


class Digits(DataSet):
    """1,433 training and 364 test images of hand-written digits, 8x8, which come with cnnspec: nothing to download.

    The test half of "Optical Recognition of Handwritten Digits" (E. Alpaydin and C. Kaynak, 1998, UCI, CC BY 4.0), as
    scikit-learn carries it; grey values 0 to 16, here spread over 0 to 255.
    """

    image = (1, 8, 8)
    labels = DIGITS
    layout = "packed"
    packed = "digits.xz"
    counts = (1433, 364)


class FashionMNIST(DataSet):
    """60,000 training and 10,000 test images of clothes, 28x28, in 10 classes (Xiao, Rasul and Vollgraf, 2017)."""

    image = (1, 28, 28)
    labels = FASHION
    layout = "idx"
    folders = ("fashion-mnist", "FashionMNIST", "FashionMNIST/raw")
    package = "dataset-fashion-mnist"
    downloads = _files(
        ("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",),
        "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
        "25c81989df183df01b3e8a0aad5dffbe",
        "bef4ecab320f06d8554ea6380940ec79",
        "bb300cfdad3c16e7a12a480ee83cd310",
    )


class MNIST(DataSet):
    """60,000 training and 10,000 test images of hand-written digits, 28x28 (LeCun, Cortes and Burges, 1998)."""

    image = (1, 28, 28)
    labels = DIGITS
    layout = "idx"
    folders = ("mnist", "MNIST", "MNIST/raw")
    downloads = _files(
        ("https://ossci-datasets.s3.amazonaws.com/mnist/", "http://yann.lecun.com/exdb/mnist/"),
        "f68b3c2dcbeaaa9fbdd348bbdeb94873",
        "d53e105ee54ea40749a09fcbcd1e9432",
        "9fb629c4189551a2d022fa330f9573f3",
        "ec29112dd5afa0611ce80d1b7f02629c",
    )


class KMNIST(DataSet):
    """60,000 training and 10,000 test images of cursive Japanese characters, 28x28, in 10 classes (Clanuwat et al., 2018)."""

    image = (1, 28, 28)
    labels = ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo")
    layout = "idx"
    folders = ("kmnist", "KMNIST", "KMNIST/raw")
    downloads = _files(
        ("http://codh.rois.ac.jp/kmnist/dataset/kmnist/",),
        "bdb82020997e1d708af4cf47b453dcf7",
        "e144d726b3acfaa3e44228e80efcd344",
        "5c965bf0a639b31b8f53240b1b52f4d7",
        "7320c461ea6c1c855c0b718fb2a4b134",
    )


UPPER, LOWER = tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ"), tuple("abcdefghijklmnopqrstuvwxyz")
MERGED = (*DIGITS, *UPPER, *"abdefghnqrt")
"""Classes where capitals and small letters of the same form count as one."""

EMNIST_CLASSES = {
    "byclass": (*DIGITS, *UPPER, *LOWER),
    "bymerge": MERGED,
    "balanced": MERGED,
    "letters": LOWER,
    "digits": DIGITS,
    "mnist": DIGITS,
}

if not TYPE_CHECKING:
    Letters = Choice(*EMNIST_CLASSES)
    FilePath = Text() | None
    ImageSize = Number(1, 16384, whole=True) | Tuple(Number(1, 16384, whole=True), 2) | None
    Channels = Number(1, 3, whole=True)
    Share = Number(0.01, 0.99)


class EMNIST(DataSet):
    """Up to 814,255 images of hand-written letters and digits, 28x28 (Cohen et al., 2017).

    Images stand upright, where the files and torchvision have them transposed, and labels of `letters` start at 0.
    """

    split: Letters

    image = (1, 28, 28)
    layout = "idx"
    folders = ("emnist", "EMNIST", "EMNIST/raw", "EMNIST/raw/gzip", "gzip")
    archives = ("gzip.zip",)
    downloads = (
        Download(
            "gzip.zip",
            ("https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip",),
            "md5:58c8d27c78d21e728a6bc7b3cc06412e",
            536,
        ),
    )

    @property
    def class_names(self) -> tuple[str, ...]:
        return EMNIST_CLASSES[self.split]


class CIFAR10(DataSet):
    """50,000 training and 10,000 test photographs, 3x32x32, in 10 classes (Krizhevsky, 2009)."""

    image = (3, 32, 32)
    labels = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
    layout = "cifar"
    folders = ("cifar10", "CIFAR10", "cifar-10-batches-bin", "cifar-10-batches-py")
    archives = ("cifar-10-binary.tar.gz", "cifar-10-python.tar.gz")
    downloads = (
        Download(
            "cifar-10-binary.tar.gz",
            ("https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",),
            "md5:c32a1d4ab5d03f1284b67883e8d87530",
            162,
        ),
    )


CIFAR100_CLASSES = """
apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can castle
caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin elephant flatfish
forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster man maple_tree motorcycle
mountain mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree plain plate poppy porcupine
possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk skyscraper snail snake spider squirrel streetcar
sunflower sweet_pepper table tank telephone television tiger tractor train trout tulip turtle wardrobe whale willow_tree
wolf woman worm
"""


class CIFAR100(DataSet):
    """50,000 training and 10,000 test photographs, 3x32x32, in 100 classes (Krizhevsky, 2009)."""

    image = (3, 32, 32)
    labels = tuple(CIFAR100_CLASSES.split())
    layout = "cifar"
    folders = ("cifar100", "CIFAR100", "cifar-100-binary", "cifar-100-python")
    archives = ("cifar-100-binary.tar.gz", "cifar-100-python.tar.gz")
    downloads = (
        Download(
            "cifar-100-binary.tar.gz",
            ("https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz",),
            "md5:03b5dce01913d631647c71ecec9e9cb8",
            161,
        ),
    )


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
        return _resized(self.channels, self.size)

    def validate(self) -> None:
        super().validate()
        _check_channels(self.channels)


class Npz(_FromPath):
    """Arrays of an `.npz` file: `x_train`, `y_train`, `x_test` and `y_test`, or `train_images`, `train_labels` and so on.

    Images are uint8, as [n, height, width], [n, height, width, channels] or [n, channels, height, width]; labels are
    whole numbers from 0. Without a second half, a fifth of each class is kept for testing, always the same images.
    """

    layout = "npz"


def _resized(channels: int, size: "int | tuple[int, ...] | None") -> Image | None:
    if size is None:
        return None
    height, width = sizes(size, 2)
    return (channels, height, width)


def _check_channels(channels: int) -> None:
    if channels == 2:
        raise Reject("channels", OUT_OF_RANGE, name="channels", value=channels, wants="1 (grey) or 3 (colours)")


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
        return _resized(image[0] if image else self.channels, self.size) or image

    @property
    def num_classes(self) -> int | None:
        return TORCHVISION[self.name].num_classes

    def validate(self) -> None:
        _check_channels(self.channels)


_ALL = (FashionMini, Digits, FashionMNIST, MNIST, KMNIST, EMNIST, CIFAR10, CIFAR100, ImageFolder, Npz, Torchvision)
DATA_SETS = {kind.__name__: kind for kind in _ALL}  # type: dict[str, type[DataSet]]
"""The data sets by the names that users write."""
