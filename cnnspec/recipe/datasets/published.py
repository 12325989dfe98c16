"""Published data sets by their names: what their images and classes are, and where their files may be had."""

from cnnspec.declare import Choice
from cnnspec.recipe.datasets.base import DataSet, Download

TYPE_CHECKING = False
if TYPE_CHECKING:
    Letters = str

IDX_FILES = (
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
)


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
    white = 16


class FashionMNIST(DataSet):
    """60,000 training and 10,000 test images of clothes, 28x28, in 10 classes (Xiao, Rasul and Vollgraf, 2017)."""

    counts = (60000, 10000)
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

    counts = (60000, 10000)
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

    counts = (60000, 10000)
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

    transposed = True

    @property
    def file_prefix(self) -> str:
        return f"emnist-{self.split}-"

    @property
    def first_label(self) -> int:
        return 1 if self.split == "letters" else 0

    @property
    def class_names(self) -> tuple[str, ...]:
        return EMNIST_CLASSES[self.split]


class CIFAR10(DataSet):
    """50,000 training and 10,000 test photographs, 3x32x32, in 10 classes (Krizhevsky, 2009)."""

    counts = (50000, 10000)
    image = (3, 32, 32)
    labels = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
    layout = "cifar"
    folders = ("cifar10", "CIFAR10", "cifar-10-batches-bin", "cifar-10-batches-py")
    files = ("data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5"), ("test_batch",)
    label_key = "labels"
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

    counts = (50000, 10000)
    image = (3, 32, 32)
    labels = tuple(CIFAR100_CLASSES.split())
    layout = "cifar"
    folders = ("cifar100", "CIFAR100", "cifar-100-binary", "cifar-100-python")
    files = ("train",), ("test",)
    label_bytes = 2
    label_key = "fine_labels"
    archives = ("cifar-100-binary.tar.gz", "cifar-100-python.tar.gz")
    downloads = (
        Download(
            "cifar-100-binary.tar.gz",
            ("https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz",),
            "md5:03b5dce01913d631647c71ecec9e9cb8",
            161,
        ),
    )
