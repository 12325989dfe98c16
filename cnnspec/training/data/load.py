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
from cnnspec.recipe.datasets.base import CLASS, IMAGE, LABELS, MASK, NUMBERS, TEXT
from cnnspec.training.data import locations
from cnnspec.training.data.archives import DataError, MissingData, shown
from cnnspec.training.data.readers import READERS
from cnnspec.training.data.request import Request
from cnnspec.training.data.several import parts_of
from cnnspec.training.data.splits import Split, Stream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from cnnspec.recipe.datasets import DataSet
    from cnnspec.training.data.locations import Report
    from cnnspec.training.data.request import Splits
    from cnnspec.training.data.several import Shapes

__all__ = ["Data", "DataError", "MissingData", "Split", "Stream", "load_data"]

MEMORY = 2 << 30
"""Bytes of images up to which one split of a set is kept in memory."""


IGNORED = 255
"""In masks: no class."""
MOST_CLASSES = 100_000
"""Classes that a set may have whose files do not say how many there are."""


@dataclass(frozen=True)
class Target:
    """What belongs to each input, and the names of its classes or numbers."""

    kind: str
    classes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Data:
    """A data set: its splits, the names of its classes by label, and the shape of an input: [channels, height, width].

    With several inputs `shape` has the shape of each.
    """

    name: str
    train: Split | Stream
    test: Split | Stream | None
    classes: list[str]
    shape: Shapes
    origin: str
    """Where it was read from, for the record of a run."""
    validation: Split | Stream | None = None
    """Decides which epoch is the best, where it is there; then the test set is looked at once."""
    path: str | None = None
    """The path that was given for it, in place of those that are searched."""
    kind: str = ""
    """What the targets are; "" for what their type and shape say."""
    more: tuple[Target, ...] = ()
    """Of data with several targets a sample, those behind the first."""

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
        return self.kind or _first_kind(self.train)

    @property
    def all_targets(self) -> tuple[Target, ...]:
        """What belongs to each input, one or several."""
        return (Target(self.targets, tuple(self.classes)), *self.more)

    @property
    def dtypes(self) -> tuple[str, ...]:
        """The type of each input: uint8 for images."""
        return tuple(str(dtype).removeprefix("torch.") for dtype in self.train.dtypes)

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


def _first_kind(split: Split | Stream) -> str:
    """What the first targets of a split are; a stream has classes."""
    return CLASS if isinstance(split, Stream) else kind_of(parts_of(split.targets)[0])


def kind_of(targets: Tensor) -> str:
    """What targets are, by their type and shape."""
    whole = not targets.is_floating_point()
    if targets.dim() == 1:
        return CLASS if whole else NUMBERS
    if targets.dim() == 2:
        return TEXT if whole else LABELS if bool(((targets == 0) | (targets == 1)).all()) else NUMBERS
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
    train, test = (_target_parts(split) for split in (splits.train, splits.test))
    classes = list(splits.classes or declared.class_names)
    first = _target(declared, splits, classes, splits.kind or declared.targets, train[0], test[0])
    more = [_target(declared, splits, [], "", *pair) for pair in zip(train[1:], test[1:])]
    return Data(
        name, splits.train, splits.test, list(first.classes), expected, splits.origin, validation=splits.validation,
        kind=first.kind, more=tuple(more),
    )  # fmt: skip


def _target_parts(split: Split | Stream) -> tuple[Tensor | None, ...]:
    """The targets of a split in memory, one or several; those of a stream are checked as they are read."""
    return (None,) if isinstance(split, Stream) else parts_of(split.targets)


def _target(
    declared: DataSet, splits: Splits, classes: list[str], kind: str, train: Tensor | None, test: Tensor | None
) -> Target:
    """What targets are, with names for all of their classes or numbers."""
    name = type(declared).__name__
    kind = kind or (CLASS if train is None else kind_of(train))
    if kind not in (CLASS, MASK):
        return Target(kind, tuple(_names_of_numbers(train, kind, classes)))
    highest = max(_highest_label(targets, name) for targets in (train, test))
    known = len(classes) or declared.num_classes
    if known is None and highest >= MOST_CLASSES:
        raise DataError(f"{name} has a label {highest:,} here, and at most {MOST_CLASSES:,} classes are counted from 0")
    if known is not None and highest >= known:
        raise DataError(
            f"{name} has {known} classes, but here is a label {highest}", f"read from {shown(splits.origin)}"
        )
    return Target(kind, tuple(classes or [str(label) for label in range(known or highest + 1)]))


def _names_of_numbers(targets: Tensor | None, kind: str, classes: list[str]) -> list[str]:
    """Names of labels or numbers, by their places; none for images."""
    if kind == IMAGE or targets is None:
        return classes if kind != IMAGE else []
    count = targets.shape[1] if targets.dim() > 1 else 1
    return classes if len(classes) == count else [str(index) for index in range(count)]


def _highest_label(targets: Tensor | None, name: str) -> int:
    """The highest label in memory; the sources of a stream check theirs as they are read."""
    if targets is None:
        return -1
    if not len(targets):
        raise DataError(f"{name} has no images here")
    if int(targets.min()) < 0:
        raise DataError(f"labels are counted from 0, but {name} has a label {int(targets.min())} here")
    # 255 is how masks say "ignore".
    known = targets[targets != IGNORED] if targets.dim() > 1 else targets
    return int(known.max()) if len(known) else 0
