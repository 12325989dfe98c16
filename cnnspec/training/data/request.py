"""What is asked of a reader of data sets, and what it gives."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from cnnspec.files import open_regular
from cnnspec.training.data.archives import DataError, unreadable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cnnspec.recipe.datasets import DataSet
    from cnnspec.training.data.splits import Split, Stream


@dataclass(frozen=True)
class Request:
    """What the caller of `load_data` wants, apart from the data set."""

    path: str | os.PathLike[str] | None = None
    download: bool = False
    skip_broken: bool = False
    memory: int = 2 << 30
    workers: int | None = None
    whole: bool = False
    """Files that are not divided are the test split as they are."""
    classes: tuple[str, ...] = ()
    """Names that the classes have to have; empty for any."""


@dataclass(frozen=True)
class Splits:
    """What a reader gives. `classes` is empty where the files don't name them."""

    train: Split | Stream
    test: Split | Stream
    origin: str
    classes: tuple[str, ...] = ()
    validation: Split | Stream | None = None
    kind: str = ""
    """What the targets are, where only the files tell and a stream can't be asked."""


def own_path(data: DataSet, request: Request) -> Path:
    path = request.path if request.path is not None else getattr(data, "path", None)
    if path is None:
        raise DataError(f"{type(data).__name__} has no path: write it in the recipe or give --data PATH")
    found = os.path.expanduser(path)
    try:
        if not os.path.isdir(found):
            open_regular(found).close()
    except (OSError, ValueError) as error:
        raise unreadable(found, error) from None
    return Path(found)
