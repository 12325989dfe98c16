"""Readers of files of one's own: folders by class, tables, images with masks, sounds.

A file is read when its sample is asked for; what is wrong with it is a `DataError` that names it.
"""

from __future__ import annotations

import csv
import math
import os
from pathlib import Path

import torch

from cnnspec.declare import sizes
from cnnspec.recipe import datasets as catalogue
from cnnspec.recipe.datasets.base import CLASS, MASK, NUMBERS
from cnnspec.training.data.archives import DataError, shown, unreadable
from cnnspec.training.data.images import (
    SUFFIXES,
    divide_pictures,
    find_pictures,
    pictures_below,
    read_mask,
    read_picture,
    split_folders,
)
from cnnspec.training.data.request import Request, Splits, own_path
from cnnspec.training.data.splits import load_split

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from torch import Tensor

    from cnnspec.recipe.datasets import DataSet, Image
    from cnnspec.training.data.splits import Samples

SOUNDS = frozenset({".wav", ".flac", ".ogg", ".aiff", ".aif"})
LOOKED_AT = 200
"""Masks that are looked at to tell how many classes there are."""


class PictureFiles:
    """Picture files as a source. `shape` is what all of them have to have where no size is wanted."""

    threads = min(8, os.cpu_count() or 1)
    dtype = torch.uint8

    def __init__(
        self, files: list[tuple[str, Any]], channels: int, size: tuple[int, int] | None, shape: tuple[int, ...]
    ) -> None:
        self.files, self.channels, self.size, self.shape = files, channels, size, shape

    def __len__(self) -> int:
        return len(self.files)

    def read(self, index: int) -> tuple[Tensor, Any]:
        path, label = self.files[index]
        image = read_picture(path, self.channels, self.size)
        if image.shape != self.shape:
            found, wanted = (" x ".join(map(str, shape[1:])) for shape in (image.shape, self.shape))
            raise DataError(f"{shown(path)} is {found}, but the first picture {wanted}", "give the data set a size")
        return image, self.target(label)

    def target(self, label: Any) -> Any:
        return torch.tensor(label) if isinstance(label, tuple) else label

    def fingerprint(self) -> str:
        """Names below the folder that they share, and sizes."""
        root = os.path.commonpath([os.path.dirname(path) for path, _ in self.files]) if self.files else ""
        lines = [f"{os.path.relpath(path, root)} {label} {_size(path)}" for path, label in self.files]
        return "\n".join(lines)


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return -1


def read_folder(data: DataSet, request: Request) -> Splits:
    assert isinstance(data, catalogue.ImageFolder)
    root = own_path(data, request)
    splits, names = _by_class(root, request, data.test, SUFFIXES)
    return _pictures(data, splits, request, root, names)


def _by_class(
    root: Path, request: Request, share: float, suffixes: frozenset[str]
) -> tuple[list[list[tuple[str, Any]]], tuple[str, ...]]:
    """Files with their labels for training, for testing and, where there is one, for validation; the names of the classes."""
    train, validation, test = find_pictures(root, suffixes)
    if not test:
        train, test = (train, train) if request.whole else divide_pictures(train, root, share)
    strange = sorted(train.keys() - set(request.classes or train))
    if strange:
        raise DataError(f"{shown(root)} has a class that the model does not know: {shown(strange[0])}")
    names = request.classes or tuple(train)
    labels = {name: label for label, name in enumerate(names)}
    found = (train, test, validation) if validation else (train, test)
    return [[(path, labels[name]) for name, paths in split.items() for path in paths] for split in found], names


def _pictures(
    data: catalogue.ImageFolder | catalogue.Csv, splits: list[list[tuple[str, Any]]], request: Request, root: Path,
    names: tuple[str, ...], kind: str = "",
) -> Splits:  # fmt: skip
    _demand_files(splits, root)
    size = None if data.size is None else (sizes(data.size, 2)[0], sizes(data.size, 2)[1])
    shape = data.shape or _first_shape(splits[0], data.channels, skip_broken=request.skip_broken)
    return _loaded([PictureFiles(split, data.channels, size, shape) for split in splits], request, root, names, kind)


def _demand_files(splits: list[list[tuple[str, Any]]], root: Path) -> None:
    for split, what in zip(splits, ("train", "test")):
        if not split:
            raise DataError(f"{shown(root)} has too few files: none is left to {what}")


def _loaded(sources: Sequence[Samples], request: Request, root: Path, names: tuple[str, ...], kind: str = "") -> Splits:
    made = [load_split(one, request.memory, request.workers, skip_broken=request.skip_broken) for one in sources]
    return Splits(made[0], made[1], str(root), names, made[2] if len(made) > 2 else None, kind)


def _first_shape(files: list[tuple[str, Any]], channels: int, *, skip_broken: bool) -> Image:
    """Shape of the first picture that can be read."""
    for path, _ in files:
        try:
            _, height, width = read_picture(path, channels).shape
        except DataError:
            if not skip_broken:
                raise
            continue
        return (channels, height, width)
    raise DataError("none of the pictures can be read", shown(os.path.dirname(files[0][0])))


# --- a table ---


def read_csv(data: DataSet, request: Request) -> Splits:
    assert isinstance(data, catalogue.Csv)
    path = own_path(data, request)
    if path.is_dir():
        raise DataError(f"{shown(path)} is a folder: Csv reads a table with a line for each picture")
    header, rows = _table(path)
    image = _column(header, data.path_column, path) if data.path_column else 0
    named = (data.target_columns,) if isinstance(data.target_columns, str) else data.target_columns
    split = next((index for index, name in enumerate(header) if name.lower() == "split"), None)
    columns = [_column(header, name, path) for name in named or ()]
    columns = columns or [index for index in range(len(header)) if index not in (image, split)]
    if not columns:
        raise DataError(f"{shown(path)} has one column: it needs one of paths and one of classes or numbers")
    texts = [tuple(row[index] for index in columns) for row in rows]
    numbers = data.numbers or len(columns) > 1 or any(_is_fraction(text) for text, *_ in texts)
    names: tuple[str, ...] = tuple(header[index] for index in columns)
    if numbers:
        targets: list[Any] = [tuple(_number(text, path) for text in line) for line in texts]
    else:
        names = request.classes or tuple(sorted({text for text, *_ in texts}, key=_by_number))
        unknown = next((text for text, *_ in texts if text not in names), None)
        if unknown is not None:
            raise DataError(f"{shown(path)} has a class that the model does not know: {shown(unknown)}")
        targets = [names.index(text) for text, *_ in texts]
    files = [(os.path.join(path.parent, row[image]), target) for row, target in zip(rows, targets)]
    parts = [row[split].lower() if split is not None else "" for row in rows]
    kind = NUMBERS if numbers else CLASS
    return _pictures(data, _divided(files, parts, data.test, request), request, path, names, kind)


def _table(path: Path) -> tuple[list[str], list[list[str]]]:
    """The header and the lines of a table, which all have to be as long."""
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            sample = file.read(1 << 16)
            file.seek(0)
            comma = max(",;\t", key=sample.partition("\n")[0].count)
            lines = [line for line in csv.reader(file, delimiter=comma) if line]
    except UnicodeDecodeError:
        raise DataError(f"{shown(path)} is no text in UTF-8") from None
    except csv.Error as error:
        raise DataError(f"{shown(path)} is no table: {error}") from None
    except OSError as error:
        raise unreadable(path, error) from None
    if len(lines) < 3:
        raise DataError(f"{shown(path)} needs a line of names and at least two lines of files")
    header, *rows = lines
    for number, row in enumerate(rows, 2):
        if len(row) != len(header):
            raise DataError(f"line {number} of {shown(path)} has {len(row)} columns, the first one {len(header)}")
    return header, rows


def _column(header: list[str], name: str, path: Path) -> int:
    if name not in header:
        raise DataError(f"{shown(path)} has no column {shown(name)!r}", f"its columns are {shown(', '.join(header))}")
    return header.index(name)


def _is_fraction(text: str) -> bool:
    """Whether a text is a number that no class is called by, such as 0.25."""
    try:
        return not float(text).is_integer() or "." in text
    except (ValueError, OverflowError):
        return False


def _number(text: str, path: Path) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise DataError(f"{shown(path)}: {shown(text)!r} is no number")
    return value


def _by_number(text: str) -> tuple[int, int, str]:
    return (0, int(text), text) if text.isdecimal() else (1, 0, text)


def _divided(files: list[Any], parts: list[str], share: float, request: Request) -> list[list[Any]]:
    """Files for training, for testing and for validation, by a column of the table or, always the same, by share."""
    by_part = {
        name: [file for file, part in zip(files, parts) if part.startswith(name)] for name in ("train", "val", "test")
    }
    if by_part["train"] and (by_part["val"] or by_part["test"]):
        rest = [by_part["test"], by_part["val"]] if by_part["test"] else [by_part["val"]]
        return [by_part["train"], *(part for part in rest if part)]
    if request.whole:
        return [files, files]
    order = torch.randperm(len(files), generator=torch.Generator().manual_seed(0)).tolist()
    kept = min(max(1, round(share * len(files))), len(files) - 1)
    return [[files[index] for index in sorted(order[kept:])], [files[index] for index in sorted(order[:kept])]]


# --- images with masks ---


class MaskedPictures(PictureFiles):
    """Pictures with a mask each. With `binary` every pixel of a mask above 0 is class 1."""

    binary = False

    def target(self, label: Any) -> Tensor:
        mask = read_mask(label, self.size)
        if mask.shape != self.shape[1:]:
            found, wanted = (" x ".join(map(str, shape)) for shape in (mask.shape, self.shape[1:]))
            raise DataError(f"the mask {shown(label)} is {found}, its picture {wanted}")
        return (mask > 0).to(torch.uint8) if self.binary else mask


def read_masks(data: DataSet, request: Request) -> Splits:
    assert isinstance(data, catalogue.Masks)
    root = own_path(data, request)
    train, validation, test = split_folders(root)
    folders = [folder for folder in (train or root, test, validation) if folder is not None]
    splits = [_pairs(folder, data) for folder in (folders if train is not None else [root])]
    if len(splits) == 1:
        splits = _divided(splits[0], [""] * len(splits[0]), data.test, request)
    _demand_files(splits, root)
    size = None if data.size is None else (sizes(data.size, 2)[0], sizes(data.size, 2)[1])
    shape = data.shape or _first_shape(splits[0], data.channels, skip_broken=request.skip_broken)
    seen = sorted(
        {value for _, mask in splits[0][:LOOKED_AT] for value in set(read_mask(mask, None).flatten().tolist())}
    )
    sources = [MaskedPictures(split, data.channels, size, shape) for split in splits]
    for source in sources:
        source.binary = set(seen) <= {0, 255} and data.classes is None
    highest = 1 if sources[0].binary else max((value for value in seen if value != 255), default=0)
    count = len(request.classes) or data.classes or highest + 1
    return _loaded(sources, request, root, request.classes or tuple(map(str, range(count))), MASK)


def _pairs(folder: Path, data: catalogue.Masks) -> list[tuple[str, Any]]:
    """Pictures and their masks, by the names of their files without endings."""
    for name in (data.images, data.masks):
        if not (folder / name).is_dir():
            raise DataError(f"{shown(folder)} has no folder {shown(name)}", "Masks(images=..., masks=...) names others")
    masks = {Path(path).stem: path for path in pictures_below(folder / data.masks)}
    pictures = pictures_below(folder / data.images)
    lacking = next((path for path in pictures if Path(path).stem not in masks), None)
    if lacking is not None:
        raise DataError(f"{shown(lacking)} has no mask of its name in {shown(folder / data.masks)}")
    return [(path, masks[Path(path).stem]) for path in pictures]


# --- sounds ---


class SoundFiles:
    """Sounds as a source: float32 [1, samples], the mean of their channels, cut or filled up with silence."""

    threads = 1
    dtype = torch.float32

    def __init__(self, files: list[tuple[str, Any]], rate: int, samples: int) -> None:
        self.files, self.rate = files, rate
        self.shape: tuple[int, ...] = (1, samples)

    def __len__(self) -> int:
        return len(self.files)

    def read(self, index: int) -> tuple[Tensor, int]:
        path, label = self.files[index]
        values, rate = read_sound(path, self.shape[1])
        if rate != self.rate:
            raise DataError(f"{shown(path)} has {rate:,} samples a second, not {self.rate:,}", "bring all to one rate")
        return torch.nn.functional.pad(values, (0, self.shape[1] - len(values)))[None], label

    def fingerprint(self) -> str:
        return "\n".join(f"{os.path.basename(path)} {label} {_size(path)}" for path, label in self.files)


def read_sound(path: str, most: int = -1) -> tuple[Tensor, int]:
    """The first `most` samples of a sound as float32 [samples] from -1 to 1, and samples a second."""
    try:
        import soundfile  # type: ignore[import-untyped]
    except ImportError as error:
        raise DataError(f"reading sounds needs soundfile ({error})", "pip install 'cnnspec[audio]'") from None
    try:
        values, rate = soundfile.read(path, frames=most, dtype="float32", always_2d=True)
    except (OSError, RuntimeError) as error:
        raise DataError(f"{shown(path)} is damaged, or no sound: {shown(str(error))}") from None
    if not len(values):
        raise DataError(f"{shown(path)} is empty")
    return torch.from_numpy(values).mean(1), int(rate)


def read_sounds(data: DataSet, request: Request) -> Splits:
    assert isinstance(data, catalogue.Wav)
    root = own_path(data, request)
    splits, names = _by_class(root, request, data.test, SOUNDS)
    _demand_files(splits, root)
    values, rate = read_sound(splits[0][0][0])
    samples = data.samples or len(values)
    return _loaded([SoundFiles(split, data.rate or rate, samples) for split in splits], request, root, names)
