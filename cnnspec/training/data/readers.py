"""One reader for each layout of the catalogue: from a declared data set and a path to its two splits.

A reader raises `MissingData` where it finds nothing and `DataError` where it finds something wrong.
"""

from __future__ import annotations

from pathlib import Path

import torch

from cnnspec.declare import sizes
from cnnspec.recipe import datasets as catalogue
from cnnspec.training.data import formats, locations
from cnnspec.training.data.archives import DataError, collect, shown
from cnnspec.training.data.images import to_tensor
from cnnspec.training.data.own_files import read_csv, read_folder, read_masks, read_sounds
from cnnspec.training.data.request import Request, Splits, own_path
from cnnspec.training.data.several import Several, parts_of
from cnnspec.training.data.splits import Split, load_split

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from torch import Tensor

    from cnnspec.recipe.datasets import DataSet

FILE_BYTES = 1 << 30
"""What one file of IDX or CIFAR may hold, packed or not."""


def read_packed(data: DataSet, request: Request) -> Splits:
    name = type(data).__name__
    if request.path is not None:
        raise DataError(f"{name} comes with cnnspec and is read from no other place: leave out --data")
    assert data.image is not None
    images, labels = formats.read_packed(data.packed, sum(data.counts), data.image)
    if data.white != 255:
        images = (images.int() * 255 // data.white).to(torch.uint8)
    train = data.counts[0]
    return Splits(Split(images[:train], labels[:train]), Split(images[train:], labels[train:]), "cnnspec")


# --- IDX ---


def read_idx(data: DataSet, request: Request) -> Splits:
    prefix = data.file_prefix
    test = "test" if prefix else "t10k"
    seen = []
    for place in locations.candidates(data, request.path):
        splits = [_idx_split(data, place, f"{prefix}{split}") for split in ("train", test)]
        if splits[0] is not None and splits[1] is not None:
            return Splits(splits[0], splits[1], str(place))
        if splits[0] is not None or splits[1] is not None:
            seen.append(f"{shown(place)} has only one half of it")
    raise locations.missing(data, request.path, seen)


def _idx_split(data: DataSet, place: Path, split: str) -> Split | None:
    """Images and labels of one split, or None where a place has not both files."""
    images = _find(place, f"{split}-images-idx3-ubyte")
    labels = _find(place, f"{split}-labels-idx1-ubyte") if images else None
    if images is None or labels is None:
        return None
    pixels = formats.read_idx(images[1], images[0], 3)[:, None]
    numbers = formats.read_idx(labels[1], labels[0], 1).long()
    if len(pixels) != len(numbers):
        raise DataError(f"{images[0]} holds {len(pixels):,} images, but {labels[0]} {len(numbers):,} labels")
    if data.transposed:
        pixels = pixels.transpose(2, 3).contiguous()
    return Split(pixels, numbers - data.first_label)


def _find(place: Path, name: str) -> tuple[str, bytearray] | None:
    """The file of that name, packed or not, as it is called on the publisher's server or on Kaggle's."""
    for spelling in (name, f"{name}.gz", name.replace("-idx", ".idx"), name.replace("-idx", ".idx") + ".gz"):
        if content := collect(place, {spelling: FILE_BYTES}).get(spelling):
            return shown(place / spelling), content
    return None


# --- CIFAR ---


def read_cifar(data: DataSet, request: Request) -> Splits:
    names = [name for part in data.files for name in part]
    seen = []
    for place in locations.candidates(data, request.path):
        found = collect(place, {name + suffix: FILE_BYTES for name in names for suffix in (".bin", "")})
        for suffix in (".bin", ""):
            lacking = [name + suffix for name in names if name + suffix not in found]
            if not lacking:
                train, test = (_cifar_split(data, place, found, [n + suffix for n in part]) for part in data.files)
                return Splits(train, test, str(place))
            if len(lacking) < len(names):
                seen.append(f"{shown(place)} lacks {', '.join(lacking)}")
    raise locations.missing(data, request.path, seen)


def _cifar_split(data: DataSet, place: Path, found: dict[str, bytearray], names: list[str]) -> Split:
    images, labels = [], []
    for name in names:
        path = shown(place / name)
        if name.endswith(".bin"):
            pixels, numbers = formats.read_cifar_binary(found.pop(name), path, data.label_bytes)
        else:
            pixels, numbers = formats.read_cifar_pickle(found.pop(name), path, data.label_key)
        images.append(pixels)
        labels.append(numbers)
    return Split(torch.cat(images), torch.cat(labels))


# --- files of one's own ---

_NPZ_KEYS = (
    ("x_train", "y_train", "x_test", "y_test"),
    ("train_images", "train_labels", "test_images", "test_labels"),
    ("x_train", "y_train", "x_val", "y_val"),
    ("train_images", "train_labels", "val_images", "val_labels"),
    ("images", "labels"),
    ("x", "y"),
)


def read_npz(data: DataSet, request: Request) -> Splits:
    path = own_path(data, request)
    file = formats.Npz(path)
    for keys in _NPZ_KEYS:
        if all(_named(file, key) for key in keys):
            splits = [_npz_split(file, *keys[at : at + 2]) for at in range(0, len(keys), 2)]
            if len(splits) == 1:
                splits = [splits[0], splits[0]] if request.whole else [*divide(splits[0], 0.2)]
            train, test = splits
            return Splits(train, test, str(path))
    known = "; ".join(", ".join(keys) for keys in _NPZ_KEYS)
    raise DataError(f"{shown(path)} has none of the arrays that are known", f"looked for {known}", _names(file))


def _names(file: formats.Npz) -> str:
    return "found " + shown(", ".join(file.names[:20]) or "nothing")


_SPLITS = ("train", "test", "val")


def _npz_split(file: formats.Npz, inputs_key: str, targets_key: str) -> Split:
    where = f"in {shown(file.path)}"
    inputs, targets = ({name: file.read(name) for name in _named(file, key)} for key in (inputs_key, targets_key))
    counts = {len(values) if values.dim() else -1 for values in (*inputs.values(), *targets.values())}
    if len(counts) > 1 or -1 in counts:
        found = ", ".join(f"{name} {list(values.shape)}" for name, values in (targets | inputs).items())
        raise DataError(f"there has to be one label for each image {where}: {found}")
    ready = [_ready(values, f"{name} {where}") for name, values in inputs.items()]
    wanted = [_targets(values, f"{name} {where}") for name, values in targets.items()]
    return Split(
        ready[0] if inputs_key in inputs else Several(ready), wanted[0] if targets_key in targets else Several(wanted)
    )


def _named(file: formats.Npz, key: str) -> list[str]:
    """The array of a name, or in their order those whose names are it with more behind: `x_train_left`, `x_train_right`."""
    if key in file.names:
        return [key]
    longer = [name for name in file.names if name.startswith(f"{key}_")]
    return [name for name in longer if name.split("_")[1] not in _SPLITS or "_" in key]


def _ready(inputs: Tensor, name: str) -> Tensor:
    images = inputs.dtype is torch.uint8 and inputs.dim() in (3, 4)
    return _channels_first(inputs, name) if images else inputs


def _targets(values: Tensor, name: str) -> Tensor:
    """Class numbers [n], numbers, labels (0 or 1) or rows of classes [n, k], masks [n, height, width], or images."""
    if values.dim() > 1 and values.shape[1:].numel() == 1:
        values = values.reshape(-1)
    if values.is_floating_point():
        return values[:, None] if values.dim() == 1 else values
    if values.dim() == 1:
        return values.long()
    if values.dim() == 2:
        return values.float() if bool(((values == 0) | (values == 1)).all()) else values.long()
    return _channels_first(values, name) if values.dim() == 4 else values


def _channels_first(images: Tensor, name: str) -> Tensor:
    """Images as [n, channels, height, width]; which axis holds the channels, its size has to tell."""
    if images.dim() == 3:
        return images[:, None]
    first, last = (images.dim() == 4 and images.shape[axis] in (1, 3) for axis in (1, -1))
    if first == last:
        wants = "[n, height, width], or four axes of which either the second or the last is 1 or 3"
        raise DataError(f"{name} has the shape {list(images.shape)}: it has to be {wants}")
    return images if first else images.permute(0, 3, 1, 2).contiguous()


def divide(split: Split, share: float) -> tuple[Split, Split]:
    """Keep a share for testing, of each class where there are classes, the same samples each time."""
    generator = torch.Generator().manual_seed(0)
    tested = torch.zeros(len(split), dtype=torch.bool)
    first = parts_of(split.targets)[0]
    by_class = first.dim() == 1
    for label in torch.unique(first) if by_class else (None,):
        indices = torch.arange(len(split)) if label is None else (first == label).nonzero().flatten()
        kept = min(max(1, round(share * len(indices))), len(indices) - 1)
        tested[indices[torch.randperm(len(indices), generator=generator)[:kept]]] = True
    return split.part(~tested), split.part(tested)


# --- torchvision ---


class TorchvisionItems:
    """A data set of torchvision as a source, or the part of it that `indices` names."""

    threads = 1
    dtype = torch.uint8

    def __init__(
        self, items: Any, indices: list[int], shape: tuple[int, ...], size: tuple[int, int] | None, classes: int
    ) -> None:
        self.items, self.indices, self.shape, self.size, self.classes = items, indices, shape, size, classes

    def __len__(self) -> int:
        return len(self.indices)

    def read(self, index: int) -> tuple[Tensor, int]:
        number = self.indices[index]
        try:
            picture, label = self.items[number]
            image = to_tensor(picture, self.shape[0], self.size)
        except Exception as error:
            raise DataError(f"torchvision can't read image {number}: {error}") from None
        if image.shape != self.shape or not 0 <= int(label) < self.classes:
            found = f"has the shape {list(image.shape)} and the label {label}"
            raise DataError(f"image {number} {found}", f"expected {list(self.shape)} and labels below {self.classes}")
        return image, int(label)

    def fingerprint(self) -> str:
        return f"{type(self.items).__name__} {len(self.items)} {len(self.indices)} {sum(self.indices)}"


def read_torchvision(data: DataSet, request: Request) -> Splits:
    assert isinstance(data, catalogue.Torchvision)
    entry = catalogue.TORCHVISION[data.name]
    root = locations.roots(request.path)[0][0]
    train = _torchvision_split(data.name, entry.train, root, download=request.download)
    order = list(range(len(train)))
    if entry.train == entry.test:
        shuffled = torch.randperm(len(train), generator=torch.Generator().manual_seed(0)).tolist()
        cut = len(train) // 5
        splits = [(train, sorted(shuffled[cut:])), (train, sorted(shuffled[:cut]))]
    else:
        test = _torchvision_split(data.name, entry.test, root, download=request.download)
        splits = [(train, order), (test, list(range(len(test))))]
    size = None if data.size is None else (sizes(data.size, 2)[0], sizes(data.size, 2)[1])
    shape = data.shape or (data.channels, *to_tensor(train[0][0], data.channels, None).shape[1:])
    sources = [TorchvisionItems(items, indices, shape, size, entry.num_classes) for items, indices in splits]
    made = [load_split(s, request.memory, request.workers, skip_broken=request.skip_broken) for s in sources]
    return Splits(made[0], made[1], f"torchvision, {root}", _class_names(train, entry.num_classes))


def _torchvision_split(name: str, split: tuple[str, object] | None, root: Path, *, download: bool) -> Any:
    arguments: dict[str, object] = {} if split is None else {split[0]: split[1]}
    if download:
        arguments["download"] = True
    try:
        return _torchvision()[name](root=str(root), **arguments)
    except DataError:
        raise
    except Exception as error:
        raise DataError(f"torchvision can't load {name}: {shown(str(error))}", f"looked in {shown(root)}") from None


def _torchvision() -> dict[str, Callable[..., Any]]:
    """The classes of torchvision.datasets that the catalogue admits."""
    from importlib import import_module

    try:
        module = import_module("torchvision.datasets")
    except ImportError as error:
        raise DataError(f"this data set needs torchvision ({error})", "pip install 'cnnspec[vision]'") from None
    except Exception as error:  # One built for another torch fails with RuntimeError: "operator torchvision::nms ..."
        message = f"torchvision is installed, but can't be imported: {shown(str(error))}"
        raise DataError(message, f"it has to be the release made for torch {torch.__version__}") from None
    return {name: getattr(module, name) for name in catalogue.TORCHVISION if hasattr(module, name)}


def _class_names(items: Any, count: int) -> tuple[str, ...]:
    names = getattr(items, "classes", None)
    return tuple(map(str, names)) if isinstance(names, (list, tuple)) and len(names) == count else ()


READERS = {
    "packed": read_packed,
    "idx": read_idx,
    "cifar": read_cifar,
    "npz": read_npz,
    "folder": read_folder,
    "csv": read_csv,
    "masks": read_masks,
    "sounds": read_sounds,
    "torchvision": read_torchvision,
}
"""The readers, by the layout that a data set declares."""
