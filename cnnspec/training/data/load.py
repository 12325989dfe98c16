"""Data sets: `load_data` takes what a recipe names and gives the two splits of a `Data`.

Images are uint8, [n, channels, height, width], labels int64. A set that fits stays in memory as one tensor, on any device;
a larger folder of pictures is read by worker processes, a few batches ahead of the loop. Both are iterated alike. All that
can be wrong with a user's files is raised as `DataError`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace

import torch

from cnnspec.declare import Reject
from cnnspec.diagnostics import did_you_mean
from cnnspec.recipe.datasets import DATA_SETS
from cnnspec.recipe.datasets.base import CLASS, IMAGE, LABELS, MASK, NUMBERS
from cnnspec.training.data import locations
from cnnspec.training.data.archives import DataError, MissingData, shown
from cnnspec.training.data.readers import READERS, Request
from cnnspec.training.data.splits import Split, Stream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from cnnspec.recipe.datasets import DataSet
    from cnnspec.training.data.locations import Report
    from cnnspec.training.data.readers import Splits

__all__ = ["Data", "DataError", "MissingData", "Split", "Stream", "load_data"]

MEMORY = 2 << 30
"""Bytes of images up to which one split of a set is kept in memory."""


IGNORED = 255
"""In masks: no class."""
MOST_CLASSES = 100_000
"""Classes that a set may have whose files do not say how many there are."""


@dataclass(frozen=True, eq=False)
class Data:
    """A data set: its splits, the names of its classes by label, and the shape of an input: [channels, height, width]."""

    name: str
    train: Split | Stream
    test: Split | Stream | None
    classes: list[str]
    shape: tuple[int, ...]
    origin: str
    """Where it was read from, for the record of a run."""
    validation: Split | Stream | None = None
    """Decides which epoch is the best, where it is there; then the test set is looked at once."""
    path: str | None = None
    """The path that was given for it, in place of those that are searched."""
    kind: str = ""
    """What the targets are; "" for what their type and shape say."""

    def to(self, device: torch.device | str) -> Data:
        """The same data on another device; streamed batches are sent there one by one."""
        moved = [None if split is None else split.to(device) for split in (self.test, self.validation)]
        return replace(self, train=self.train.to(device), test=moved[0], validation=moved[1])

    @property
    def splits(self) -> tuple[Split | Stream, ...]:
        """Those that are there: training, validation, test."""
        return tuple(split for split in (self.train, self.validation, self.test) if split is not None)

    @property
    def targets(self) -> str:
        """What belongs to each input, as data sets of the catalogue say it: a class, labels, numbers, a mask, an image."""
        return self.kind or kind_of(self.train)

    @property
    def dtype(self) -> str:
        """The type of the inputs: uint8 for images."""
        return str(self.train.dtype).removeprefix("torch.")

    @property
    def skipped(self) -> tuple[str, ...]:
        """What was left out so far because it could not be read: a message for each file."""
        return tuple(message for split in self.splits for message in split.skipped)


def load_data(
    data: str | DataSet,
    *,
    path: str | os.PathLike[str] | None = None,
    download: bool = False,
    skip_broken: bool = False,
    memory: int = MEMORY,
    workers: int | None = None,
    report: Report | None = None,
    whole: bool = False,
    classes: Sequence[str] = (),
) -> Data:
    """Load a data set, by name or as the catalogue declares it. Raises DataError.

    `path` is the file or folder to read, in place of those that are searched (see `places`). With `download`, files that are
    missing are fetched where the publisher offers them; `report` is told how far that is. With `skip_broken`, pictures that
    can't be read are left out and named in `skipped`. Pictures of more than `memory` bytes are streamed by `workers`
    processes, by default one for each processor up to four. With `whole`, files of one's own that are not divided are the
    test split as they are, instead of a part of them. `classes` are names that have to be those of the files, or more.

    >>> from cnnspec.training.data.load import load_data
    >>> load_data("FashionMini").train.images.shape
    torch.Size([5000, 1, 28, 28])
    """
    declared = _declared(data)
    request = Request(path, download, skip_broken, memory, workers, whole, tuple(classes))
    read = READERS[declared.layout]
    try:
        splits = read(declared, request)
    except MissingData:
        if not download:
            raise
        locations.download(declared, path, report)
        splits = read(declared, request)
    found = _checked(declared, splits)
    return found if path is None else replace(found, path=os.fspath(path))


def kind_of(split: Split | Stream) -> str:
    """What targets are, by their type and shape; a stream has classes."""
    if isinstance(split, Stream):
        return CLASS
    targets = split.targets
    whole = not targets.is_floating_point()
    if targets.dim() == 1:
        return CLASS if whole else NUMBERS
    if targets.dim() == 2:
        return LABELS if whole or bool(((targets == 0) | (targets == 1)).all()) else NUMBERS
    return MASK if whole and targets.dim() == 3 else IMAGE


def _declared(data: str | DataSet) -> DataSet:
    if isinstance(data, str):
        kind = DATA_SETS.get(data)
        if kind is None:
            raise DataError(f"there is no data set `{shown(data)}`", *map(str, did_you_mean(data, DATA_SETS)))
        missing = [field.name for field in kind.fields.values() if field.required]
        if missing:
            raise DataError(
                f"{data} needs {missing[0]}: {data}(...) in a recipe, or an instance of the catalogue's class"
            )
        data = kind()
    try:
        data.validate()
    except Reject as reject:
        facts = {"layer": type(data).__name__, **reject.facts}
        raise DataError(reject.code.message.format_map(facts), reject.code.label.format_map(facts)) from None
    return data


def _checked(declared: DataSet, splits: Splits) -> Data:
    """The data, where shapes and labels are those that the catalogue promises and both splits agree."""
    name = type(declared).__name__
    shapes = [split.shape for split in (splits.train, splits.test)]
    expected = declared.shape or shapes[0]
    for shape, what in zip(shapes, ("training", "test")):
        if shape != expected:
            found = f"images of {name} are {list(expected)}, but those for {what} here {list(shape)}"
            raise DataError(found, f"read from {shown(splits.origin)}")
    classes = list(splits.classes or declared.class_names)
    kind = declared.targets or kind_of(splits.train)
    if kind not in (CLASS, MASK):
        numbers = _names_of_numbers(splits.train, kind, classes)
        return Data(name, splits.train, splits.test, numbers, expected, splits.origin, kind=kind)
    highest = max(_highest_label(split, name) for split in (splits.train, splits.test))
    known = len(classes) or declared.num_classes
    if known is None and highest >= MOST_CLASSES:
        raise DataError(f"{name} has a label {highest:,} here, and at most {MOST_CLASSES:,} classes are counted from 0")
    if known is not None and highest >= known:
        raise DataError(
            f"{name} has {known} classes, but here is a label {highest}", f"read from {shown(splits.origin)}"
        )
    names = classes or [str(label) for label in range(known or highest + 1)]
    return Data(
        name, splits.train, splits.test, names, expected, splits.origin, validation=splits.validation, kind=kind
    )  # fmt: skip


def _names_of_numbers(split: Split | Stream, kind: str, classes: list[str]) -> list[str]:
    """Names of labels or numbers, by their places; none for images."""
    if kind == IMAGE or isinstance(split, Stream):
        return classes if kind != IMAGE else []
    count = split.targets.shape[1] if split.targets.dim() > 1 else 1
    return classes if len(classes) == count else [str(index) for index in range(count)]


def _highest_label(split: Split | Stream, name: str) -> int:
    """The highest label of a split in memory; the sources of a stream check theirs as they are read."""
    if isinstance(split, Stream):
        return -1
    if not len(split):
        raise DataError(f"{name} has no images here")
    if int(split.targets.min()) < 0:
        raise DataError(f"labels are counted from 0, but {name} has a label {int(split.targets.min())} here")
    # 255 is how masks say "ignore".
    known = split.targets[split.targets != IGNORED] if split.targets.dim() > 1 else split.targets
    return int(known.max()) if len(known) else 0
