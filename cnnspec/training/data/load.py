"""Data sets: `load_data` takes what a recipe names and gives the two halves of a `Data`.

Images are uint8, [n, channels, height, width], labels int64. A set that fits stays in memory as one tensor, on any device;
a larger folder of pictures is read by worker processes, a few batches ahead of the loop. Both are iterated alike. All that
can be wrong with a user's files is raised as `DataError`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from cnnspec.declare import Reject
from cnnspec.diagnostics.suggest import did_you_mean
from cnnspec.recipe.datasets import DATA_SETS
from cnnspec.training.data import locations as places
from cnnspec.training.data.archives import DataError, MissingData, shown
from cnnspec.training.data.readers import READERS, Request
from cnnspec.training.data.splits import Split, Stream

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os

    from cnnspec.recipe.datasets import DataSet, Image
    from cnnspec.training.data.locations import Report
    from cnnspec.training.data.readers import Halves

__all__ = ["Data", "DataError", "MissingData", "Split", "Stream", "load_data"]

MEMORY = 2 << 30
"""Bytes of images up to which one half of a set is kept in memory."""


@dataclass(frozen=True, eq=False)
class Data:
    """A data set: its two halves, the names of its classes by label, and the shape [channels, height, width]."""

    name: str
    train: Split | Stream
    test: Split | Stream
    classes: list[str]
    shape: Image
    origin: str
    """Where it was read from, for the record of a run."""

    def to(self, device: torch.device | str) -> Data:
        """The same data on another device; streamed batches are sent there one by one."""
        return replace(self, train=self.train.to(device), test=self.test.to(device))

    @property
    def skipped(self) -> tuple[str, ...]:
        """What was left out so far because it could not be read: a message for each file."""
        return self.train.skipped + self.test.skipped


def load_data(
    data: str | DataSet,
    *,
    path: str | os.PathLike[str] | None = None,
    download: bool = False,
    skip_broken: bool = False,
    memory: int = MEMORY,
    workers: int | None = None,
    report: Report | None = None,
) -> Data:
    """Load a data set, by name or as the catalogue declares it. Raises DataError.

    `path` is the file or folder to read, in place of those that are searched (see `places`). With `download`, files that are
    missing are fetched where the publisher offers them; `report` is told how far that is. With `skip_broken`, pictures that
    can't be read are left out and named in `skipped`. Pictures of more than `memory` bytes are streamed by `workers`
    processes, by default one for each processor up to four.

    >>> from cnnspec.training.data.load import load_data
    >>> load_data("FashionMini").train.images.shape
    torch.Size([5000, 1, 28, 28])
    """
    declared = _declared(data)
    request = Request(path, download, skip_broken, memory, workers)
    read = READERS[declared.layout]
    try:
        halves = read(declared, request)
    except MissingData:
        if not download:
            raise
        places.download(declared, path, report)
        halves = read(declared, request)
    return _checked(declared, halves)


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


def _checked(declared: DataSet, halves: Halves) -> Data:
    """The data, where shapes and labels are those that the catalogue promises and both halves agree."""
    name = type(declared).__name__
    shapes = [_shape(half) for half in (halves.train, halves.test)]
    expected = declared.shape or shapes[0]
    for shape, what in zip(shapes, ("training", "test")):
        if shape != expected:
            found = f"images of {name} are {list(expected)}, but those for {what} here {list(shape)}"
            raise DataError(found, f"read from {shown(halves.origin)}")
    classes = list(halves.classes or declared.class_names)
    highest = max(_highest_label(half, name) for half in (halves.train, halves.test))
    known = len(classes) or declared.num_classes
    if known is not None and highest >= known:
        raise DataError(
            f"{name} has {known} classes, but here is a label {highest}", f"read from {shown(halves.origin)}"
        )
    names = classes or [str(label) for label in range(known or highest + 1)]
    return Data(name, halves.train, halves.test, names, expected, halves.origin)


def _shape(half: Split | Stream) -> Image:
    if isinstance(half, Stream):
        return half.source.shape
    channels, height, width = half.images.shape[1:]
    return channels, height, width


def _highest_label(half: Split | Stream, name: str) -> int:
    """The highest label of a half in memory; the sources of a stream check theirs as they are read."""
    if isinstance(half, Stream):
        return -1
    if not len(half):
        raise DataError(f"{name} has no images here")
    if int(half.labels.min()) < 0:
        raise DataError(f"labels are counted from 0, but {name} has a label {int(half.labels.min())} here")
    return int(half.labels.max())
