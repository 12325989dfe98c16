"""The data sets and augmentations that recipes name: no torch is needed for any of this."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from cnnspec.declare import Reject
from cnnspec.recipe.augmentations import (
    AUGMENTATIONS,
    Augmentation,
    CenterCrop,
    ColorJitter,
    CutMix,
    GaussianBlur,
    MixUp,
    Normalize,
    RandomAffine,
    RandomCrop,
    RandomErasing,
    RandomHorizontalFlip,
    RandomResizedCrop,
    RandomRotation,
    Refused,
    Resize,
    trace,
)
from cnnspec.recipe.datasets import (
    CIFAR100,
    DATA_SETS,
    EMNIST,
    EMNIST_CLASSES,
    TORCHVISION,
    DataSet,
    Digits,
    ImageFolder,
    Npz,
    Torchvision,
)

ROOT = Path(__file__).parent.parent


def test_the_tables_need_nothing_slow():
    slow = {"torch", "numpy", "typing", "dataclasses", "inspect", "enum", "re"}
    code = f"import sys; sys.path[:0] = [{str(ROOT)!r}]\nimport cnnspec.recipe.datasets\nprint({slow!r} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"


# --- data sets ---

SHAPES = {
    "FashionMini": ((1, 28, 28), 10),
    "Digits": ((1, 8, 8), 10),
    "FashionMNIST": ((1, 28, 28), 10),
    "MNIST": ((1, 28, 28), 10),
    "KMNIST": ((1, 28, 28), 10),
    "CIFAR10": ((3, 32, 32), 10),
    "CIFAR100": ((3, 32, 32), 100),
}


def test_every_data_set_is_in_the_table():
    assert set(DATA_SETS) == {*SHAPES, "EMNIST", "Csv", "ImageFolder", "Masks", "Wav", "Npz", "Torchvision"}
    assert all(kind.__doc__ and kind.layout and issubclass(kind, DataSet) for kind in DATA_SETS.values())


@pytest.mark.parametrize("name", SHAPES)
def test_shape_and_classes(name: str):
    data = DATA_SETS[name]()
    assert (data.shape, data.num_classes) == SHAPES[name]
    assert len(set(data.class_names)) == data.num_classes


@pytest.mark.parametrize(
    ("split", "classes"),
    [("byclass", 62), ("bymerge", 47), ("balanced", 47), ("letters", 26), ("digits", 10), ("mnist", 10)],
)
def test_the_classes_of_emnist_depend_on_its_split(split: str, classes: int):
    assert EMNIST(split).num_classes == classes
    assert list(EMNIST_CLASSES[split]) == sorted(EMNIST_CLASSES[split])


def test_class_names_stand_in_the_order_of_their_labels():
    assert list(CIFAR100().class_names) == sorted(CIFAR100().class_names)
    assert Digits().class_names[7] == "7"


@pytest.mark.parametrize(
    ("data", "shape", "classes"),
    [
        (ImageFolder("a"), None, None),
        (ImageFolder("a", 64), (3, 64, 64), None),
        (ImageFolder("a", (48, 64), 1), (1, 48, 64), None),
        (Npz("a.npz"), None, None),
        (Torchvision("SVHN"), (3, 32, 32), 10),
        (Torchvision("USPS", 28), (1, 28, 28), 10),
        (Torchvision("DTD"), None, 47),
        (Torchvision("DTD", size=(32, 48)), (3, 32, 48), 47),
    ],
)
def test_shape_of_files_of_ones_own(data: DataSet, shape: object, classes: int | None):
    data.validate()
    assert (data.shape, data.num_classes, data.class_names) == (shape, classes, ())


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: EMNIST("all"), 'split of EMNIST has to be "byclass", "bymerge"'),
        (lambda: EMNIST(), "EMNIST needs `split`"),
        (lambda: Torchvision("CocoDetection"), "name of Torchvision has to be"),
        (lambda: Torchvision("__builtins__"), "name of Torchvision has to be"),
        (lambda: ImageFolder("a", 0), "size of ImageFolder has to be a whole number from 1 to 16384"),
        (lambda: ImageFolder("a", (4, 4, 4)), "size of ImageFolder"),
        (lambda: ImageFolder("a", 8, 4), "channels of ImageFolder has to be a whole number from 1 to 3"),
        (lambda: ImageFolder("a", test=0.0), "test of ImageFolder has to be a number from 0.01 to 0.99"),
        (lambda: ImageFolder(3), "path of ImageFolder has to be a string or `none`"),
        (lambda: DATA_SETS["MNIST"]("x"), "MNIST takes 0 arguments"),
    ],
)
def test_wrong_arguments_of_a_data_set(make, words: str):
    with pytest.raises((TypeError, ValueError)) as raised:
        make()
    assert words in str(raised.value)


@pytest.mark.parametrize(
    ("data", "field", "wants"),
    [
        (ImageFolder(""), "path", "the path of a file or folder"),
        (Npz(""), "path", "the path of a file or folder"),
        (ImageFolder("a", channels=2), "channels", "1 (grey) or 3 (colours)"),
        (Torchvision("DTD", channels=2), "channels", "1 (grey) or 3 (colours)"),
    ],
)
def test_arguments_that_a_data_set_rejects(data: DataSet, field: str, wants: str):
    with pytest.raises(Reject) as raised:
        data.validate()
    assert (raised.value.field, raised.value.code.id, raised.value.facts["wants"]) == (field, "E116", wants)


def test_downloads_state_a_checksum():
    for kind in DATA_SETS.values():
        for file in kind.downloads:
            algorithm, _, digest = file.checksum.partition(":")
            assert (algorithm, len(digest)) == ("md5", 32)
            assert all(url.startswith("http") and url.endswith(file.name) for url in file.urls)


def test_every_entry_of_torchvision_can_be_told_apart():
    assert all(entry.num_classes > 1 for entry in TORCHVISION.values())
    assert list(TORCHVISION) == sorted(TORCHVISION)


# --- augmentations ---

# torchvision.transforms.v2, release 0.29, without `inplace`.
SIGNATURES = {
    "RandomHorizontalFlip": "p=0.5",
    "RandomVerticalFlip": "p=0.5",
    "RandomRotation": 'degrees, interpolation="nearest", expand=false, center=none, fill=0',
    "RandomAffine": 'degrees, translate=none, scale=none, shear=none, interpolation="nearest", fill=0, center=none',
    "RandomCrop": 'size, padding=none, pad_if_needed=false, fill=0, padding_mode="constant"',
    "RandomResizedCrop": 'size, scale=(0.08, 1.0), ratio=(0.75, 1.3333333333333333), interpolation="bilinear", antialias=true',
    "Resize": 'size, interpolation="bilinear", max_size=none, antialias=true',
    "CenterCrop": "size",
    "ColorJitter": "brightness=0, contrast=0, saturation=0, hue=0",
    "RandomGrayscale": "p=0.1",
    "RandomInvert": "p=0.5",
    "RandomSolarize": "threshold, p=0.5",
    "RandomPosterize": "bits, p=0.5",
    "MixUp": "alpha=1.0",
    "CutMix": "alpha=1.0",
    "GaussianBlur": "kernel_size, sigma=(0.1, 2.0)",
    "RandomErasing": "p=0.5, scale=(0.02, 0.33), ratio=(0.3, 3.3), value=0",
    "Normalize": "mean=none, std=none",
}


def test_arguments_are_those_of_torchvision():
    assert {name: kind.signature.text for name, kind in AUGMENTATIONS.items()} == SIGNATURES
    assert all(kind.__doc__ for kind in AUGMENTATIONS.values())


@pytest.mark.parametrize(
    ("step", "shape", "behind"),
    [
        (RandomHorizontalFlip(), (3, 32, 32), (3, 32, 32)),
        (RandomRotation(10), (5, 8, 9), (5, 8, 9)),
        (RandomRotation((-5, 10), "bilinear", center=(1, 2), fill=(1, 2, 3)), (3, 8, 9), (3, 8, 9)),
        (RandomAffine((-5, 10), (0.1, 0.2), (0.5, 2), (1, 2, 3, 4), fill=(1, 2, 3)), (3, 8, 9), (3, 8, 9)),
        (MixUp(0.2), (3, 8, 9), (3, 8, 9)),
        (GaussianBlur((3, 5)), (3, 2, 3), (3, 2, 3)),
        (RandomCrop(28, padding=4), (1, 28, 28), (1, 28, 28)),
        (RandomCrop((5, 7)), (3, 5, 7), (3, 5, 7)),
        (RandomCrop(9, (2, 1)), (3, 7, 5), (3, 9, 9)),
        (RandomCrop((5, 6), (1, 2, 0, 3)), (3, 1, 5), (3, 5, 6)),
        (RandomCrop(40, pad_if_needed=True), (3, 32, 28), (3, 40, 40)),
        (RandomCrop(40, 6, padding_mode="reflect"), (3, 32, 28), (3, 40, 40)),
        (RandomCrop(4, 2, padding_mode="symmetric"), (3, 2, 2), (3, 4, 4)),
        (RandomCrop(4, 2, padding_mode="edge"), (3, 1, 1), (3, 4, 4)),
        (CenterCrop(24), (3, 32, 32), (3, 24, 24)),
        (CenterCrop((40, 8)), (3, 32, 32), (3, 40, 8)),
        (RandomResizedCrop((8, 9)), (3, 32, 32), (3, 8, 9)),
        (Resize(16), (3, 32, 48), (3, 16, 24)),
        (Resize(16), (3, 48, 32), (3, 24, 16)),
        (Resize(33), (3, 100, 99), (3, 33, 33)),
        (Resize(16, max_size=20), (3, 32, 48), (3, 13, 20)),
        (Resize((7, 9)), (3, 48, 32), (3, 7, 9)),
        (ColorJitter(0.1, (0.5, 1.5), 0.2, 0.1), (3, 4, 4), (3, 4, 4)),
        (ColorJitter(hue=(-0.1, 0.2)), (1, 4, 4), (1, 4, 4)),
        (RandomErasing(value=(1, 2, 3)), (3, 4, 4), (3, 4, 4)),
        (Normalize((0.5,), (0.5,)), (3, 4, 4), (3, 4, 4)),
        (Normalize((0.5, 0.4, 0.3), (1, 2, 3)), (3, 4, 4), (3, 4, 4)),
    ],
)
def test_shape_behind(step: Augmentation, shape: tuple[int, ...], behind: tuple[int, ...]):
    assert step.output_shape(shape) == behind
    assert trace([step], shape) == behind


@pytest.mark.parametrize(
    ("steps", "shape", "position", "field", "code", "words"),
    [
        ([RandomCrop(33)], (3, 32, 40), 0, "size", "E204", "33 on 32"),
        ([RandomCrop((8, 41), 0)], (3, 32, 40), 0, "size", "E204", "41 on 40"),
        ([RandomCrop(8, 32, padding_mode="reflect")], (3, 32, 40), 0, "padding", "E210", "reflect gives for height 32"),
        ([RandomCrop(8, (9, 3), padding_mode="symmetric")], (3, 4, 8), 0, "padding", "E210", "gives for width 8: at most 8"),
        ([RandomCrop(8, 1, fill=(1, 2, 3), padding_mode="edge")], (3, 8, 8), 0, "fill", "E210", '"constant", not "edge"'),
        ([RandomCrop(8, 1, fill=(1, 2))], (3, 8, 8), 0, "fill", "E116", "one number, or one for each of 3 channels"),
        ([RandomCrop(8, 1, fill=256)], (3, 8, 8), 0, "fill", "E116", "from 0 to 255 in front of Normalize"),
        ([RandomRotation(5, fill=(0, 0, -1))], (3, 8, 8), 0, "fill", "E116", "from 0 to 255"),
        ([RandomRotation(5, expand=True)], (3, 8, 8), 0, "expand", "E210", "a size of its own"),
        ([RandomRotation((10, -10))], (3, 8, 8), 0, "degrees", "E116", "(least, most)"),
        ([RandomAffine((10, -10))], (3, 8, 8), 0, "degrees", "E116", "(least, most)"),
        ([RandomAffine(0, scale=(2, 1))], (3, 8, 8), 0, "scale", "E116", "(least, most)"),
        ([RandomAffine(0, shear=(1, 2, 2, 1))], (3, 8, 8), 0, "shear", "E116", "(least, most)"),
        ([RandomAffine(0, fill=(1, 2))], (3, 8, 8), 0, "fill", "E116", "one for each of 3 channels"),
        ([MixUp(), RandomHorizontalFlip()], (3, 8, 8), 1, "", "E210", "behind MixUp"),
        ([CutMix(), MixUp()], (3, 8, 8), 1, "", "E210", "behind CutMix"),
        ([GaussianBlur(4)], (3, 8, 8), 0, "kernel_size", "E116", "odd"),
        ([GaussianBlur((3, 17))], (3, 8, 8), 0, "kernel_size", "E204", "17 on 8"),
        ([GaussianBlur(3, (2, 1))], (3, 8, 8), 0, "sigma", "E116", "(least, most)"),
        ([RandomHorizontalFlip()], (784,), 0, "", "E201", "[channels, height, width]"),
        ([RandomResizedCrop(8, scale=(0.5, 0.1))], (3, 8, 8), 0, "scale", "E116", "(least, most)"),
        ([RandomResizedCrop(8, ratio=(2, 1))], (3, 8, 8), 0, "ratio", "E116", "(least, most)"),
        ([RandomErasing(scale=(0.5, 0.1))], (3, 8, 8), 0, "scale", "E116", "(least, most)"),
        ([RandomErasing(ratio=(2, 1))], (3, 8, 8), 0, "ratio", "E116", "(least, most)"),
        ([RandomErasing(value=(1, 2))], (1, 8, 8), 0, "value", "E116", "one number"),
        ([RandomErasing(value=-1)], (1, 8, 8), 0, "value", "E116", "from 0 to 255"),
        ([RandomErasing(value="random")], (1, 8, 8), 0, "value", "E210", "before Normalize"),
        ([Resize((8, 8), max_size=9)], (3, 8, 8), 0, "max_size", "E210", "size gives both sides"),
        ([Resize(8, max_size=8)], (3, 8, 8), 0, "max_size", "E116", "larger than size, 8"),
        ([Resize(1000)], (3, 4, 400), 0, "size", "E210", "sides from 1 to 16384"),
        ([Resize(2, max_size=3)], (3, 4, 400), 0, "size", "E210", "sides from 1 to 16384"),
        ([ColorJitter(0.1)], (2, 8, 8), 0, "", "E201", "1 or 3 channels"),
        ([ColorJitter(contrast=(2, 1))], (3, 8, 8), 0, "contrast", "E116", "(least, most)"),
        ([Normalize((0.5,))], (3, 8, 8), 0, "mean", "E210", "given together"),
        ([Normalize(std=(0.5,))], (3, 8, 8), 0, "std", "E210", "given together"),
        ([Normalize((0.5, 0.5), (1,))], (3, 8, 8), 0, "mean", "E116", "one for each of 3 channels"),
        ([Normalize((0.5,), (1, 1))], (3, 8, 8), 0, "std", "E116", "one for each of 3 channels"),
        ([Normalize(), RandomHorizontalFlip(), Normalize()], (3, 8, 8), 2, "", "E210", "normalised already"),
        ([Normalize(), ColorJitter(0.1)], (3, 8, 8), 1, "", "E210", "before Normalize"),
        ([Resize(4), RandomCrop(8)], (3, 8, 8), 1, "size", "E204", "8 on 4"),
    ],
)  # fmt: skip
def test_steps_that_are_refused(
    steps: list[Augmentation], shape: tuple[int, ...], position: int, field: str, code: str, words: str
):
    with pytest.raises(Refused) as raised:
        trace(steps, shape)
    reject = raised.value.reject
    facts = {"layer": type(steps[position]).__name__, **reject.facts}
    text = f"{reject.code.message.format_map(facts)}: {reject.code.label.format_map(facts)}"
    assert (raised.value.position, reject.field, reject.code.id) == (position, field, code)
    assert words in text
    assert "{" not in text


def test_behind_normalize_values_may_be_of_any_size():
    steps = [Normalize(), RandomCrop(8, 1, fill=-2.5), RandomErasing(value="random"), RandomRotation(5, fill=-1)]
    assert trace(steps, (3, 8, 8)) == (3, 8, 8)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: RandomHorizontalFlip(1.5), "p of RandomHorizontalFlip has to be a number from 0 to 1"),
        (lambda: RandomCrop(), "RandomCrop needs `size`"),
        (lambda: RandomCrop(0), "size of RandomCrop has to be a whole number from 1 to 16384"),
        (lambda: RandomCrop(8, -1), "padding of RandomCrop has to be"),
        (lambda: RandomCrop(8, (1, 2, 3)), "padding of RandomCrop has to be"),
        (lambda: RandomCrop(8, padding_mode="zeros"), 'has to be "constant", "edge", "reflect" or "symmetric"'),
        (lambda: RandomCrop(8, fil=1), "RandomCrop has no parameter 'fil'"),
        (lambda: RandomRotation(-5), "degrees of RandomRotation has to be a number from 0 to 360"),
        (lambda: RandomRotation(5, "bicubic"), 'interpolation of RandomRotation has to be "nearest" or "bilinear"'),
        (lambda: RandomRotation(5, center=(1,)), "center of RandomRotation"),
        (lambda: Resize("8"), "size of Resize"),
        (lambda: Resize(8, "lanczos"), 'has to be "nearest", "nearest-exact", "bilinear" or "bicubic"'),
        (lambda: RandomResizedCrop(8, scale=(0.1, 2)), "scale of RandomResizedCrop has to be"),
        (lambda: RandomResizedCrop(8, ratio=(0, 2)), "ratio of RandomResizedCrop has to be"),
        (lambda: ColorJitter(-0.1), "brightness of ColorJitter has to be"),
        (lambda: ColorJitter(hue=0.6), "hue of ColorJitter has to be a number from 0 to 0.5"),
        (lambda: RandomErasing(value="noise"), "value of RandomErasing has to be"),
        (lambda: Normalize((0.5,), (0,)), "std of Normalize has to be"),
    ],
)
def test_wrong_arguments_of_an_augmentation(make, words: str):
    with pytest.raises((TypeError, ValueError)) as raised:
        make()
    assert words in str(raised.value)
