"""The data sets that a recipe may name: what their images and classes are, and where their files come from.

A closed table, `DATA_SETS`, maps the names that users write to classes with declared arguments. Nothing here reads a file or
imports torch: `check` compares shapes and classes with the model, `cnnspec.training.data.load` loads.
"""

from cnnspec.recipe.augmentations import Image
from cnnspec.recipe.datasets.base import DataSet, Download
from cnnspec.recipe.datasets.own_files import Csv, ImageFolder, Masks, Npz, Wav
from cnnspec.recipe.datasets.published import (
    CIFAR10,
    CIFAR100,
    EMNIST,
    EMNIST_CLASSES,
    IDX_FILES,
    KMNIST,
    MNIST,
    Digits,
    FashionMini,
    FashionMNIST,
)
from cnnspec.recipe.datasets.torchvision import TORCHVISION, Entry, Torchvision

DATA_SETS = DataSet.table()
"""The data sets by the names that users write."""

__all__ = [
    "CIFAR10",
    "CIFAR100",
    "DATA_SETS",
    "EMNIST",
    "EMNIST_CLASSES",
    "IDX_FILES",
    "KMNIST",
    "MNIST",
    "TORCHVISION",
    "Csv",
    "DataSet",
    "Digits",
    "Download",
    "Entry",
    "FashionMNIST",
    "FashionMini",
    "Image",
    "ImageFolder",
    "Masks",
    "Npz",
    "Torchvision",
    "Wav",
]  # fmt: skip
