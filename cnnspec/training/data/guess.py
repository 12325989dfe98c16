"""Which data set reads a path, told by the files that lie there."""

from __future__ import annotations

import os
from itertools import islice
from pathlib import Path

from cnnspec.declare import spell
from cnnspec.recipe.augmentations import Refused, trace
from cnnspec.recipe.datasets import DATA_SETS, Csv, ImageFolder, Masks, Npz, Wav
from cnnspec.training.data.archives import DataError, UnreadableData, shown
from cnnspec.training.data.images import SUFFIXES
from cnnspec.training.data.own_files import SOUNDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cnnspec.graph.nodes import Graph
    from cnnspec.recipe.augmentations import Augmentation
    from cnnspec.recipe.datasets import DataSet

TABLES = (".csv", ".tsv")
_LOOKED_AT = 10_000
"""Files of a folder that are looked at."""


def guess(path: str, channels: int | None = None, size: tuple[int, int] | None = None) -> str:
    """The data set that reads what lies at `path`, as a recipe writes it; pictures with `channels` and `size`.

    Raises DataError, with what to write, where the files do not tell.
    """
    kind, where = _kind(os.path.expanduser(path))
    if not issubclass(kind, _OWN):
        return kind.__name__
    arguments = [spell(where)]
    if issubclass(kind, ImageFolder):
        arguments += [] if size is None else [f"size={spell(size)}"]
        arguments += [] if channels in (None, 3) else [f"channels={channels}"]
    return f"{kind.__name__}({', '.join(arguments)})"


_OWN = (ImageFolder, Npz, Wav)


def picture_of(graph: Graph, augment: Sequence[Augmentation]) -> tuple[int | None, tuple[int, int] | None]:
    """Channels and size of the pictures that a net takes; None where it takes none or any, or augmentations change them."""
    taken = graph.input or ()
    if len(graph.inputs) != 1 or len(taken) != 3 or taken[0] not in (1, 3):
        return None, None
    if graph.sizes is not None:
        return taken[0], None
    try:
        same = trace(augment, taken) == taken
    except Refused:
        same = False
    return taken[0], (taken[1], taken[2]) if same else None


def _kind(path: str) -> tuple[type[DataSet], str]:
    """The class of the data set, and the path that it takes."""
    if os.path.isfile(path):
        if path.lower().endswith(TABLES):
            return Csv, path
        if path.lower().endswith(".npz"):
            return Npz, path
        raise DataError(
            f"{shown(path)} is neither a table (.csv, .tsv) nor arrays (.npz)", "--set data=... names a data set for it"
        )
    if not os.path.isdir(path):
        raise UnreadableData(f"there is no data set and no file or folder {shown(path)}")
    published = _published(Path(path))
    if len(published) == 1:
        return published[0], path
    if published:
        names = [kind.__name__ for kind in published]
        raise DataError(
            f"{shown(path)} holds files as {', '.join(names[:-1])} and {names[-1]} have them",
            "say which it is, such as --set data=" + names[0],
        )
    return _of_folder(path)


def _published(root: Path) -> list[type[DataSet]]:
    """The published data sets whose files lie in a folder; the one that the folder is named after, where one is."""
    lies = {name.removesuffix(".gz").removesuffix(".bin") for name in os.listdir(root) if (root / name).is_file()}
    found = []
    for kind in DATA_SETS.values():
        names = {download.name.removesuffix(".gz") for download in kind.downloads} | set(kind.files[0])
        if names & lies and not any(field.required for field in kind.fields.values()):
            found.append(kind)
    called = [kind for kind in found if root.resolve().name.lower() in [name.lower() for name in kind.folders]]
    return called or found


def _of_folder(path: str) -> tuple[type[DataSet], str]:
    """What a folder of one's own files is read by."""
    parts = [name for name in os.listdir(path) if os.path.isdir(os.path.join(path, name))]
    for folder in (path, *(os.path.join(path, name) for name in parts)):
        if all(os.path.isdir(os.path.join(folder, name)) for name in ("images", "masks")):
            return Masks, path
    files = list(islice(_below(path), _LOOKED_AT))
    ends = [os.path.splitext(name)[1].lower() for name in files]
    inside = [end for name, end in zip(files, ends) if os.sep in name]
    if any(end in SUFFIXES for end in inside):
        return ImageFolder, path
    if any(end in SOUNDS for end in inside):
        return Wav, path
    return _loose(path, files, ends)


def _loose(path: str, files: list[str], ends: list[str]) -> tuple[type[DataSet], str]:
    """What is read of a folder without folders of classes."""
    for kind, known in ((Csv, TABLES), (Npz, (".npz",))):
        one = [name for name, end in zip(files, ends) if end in known and os.sep not in name]
        if len(one) == 1:
            return kind, os.path.join(path, one[0])
        if one:
            several = f"{shown(path)} holds {len(one)} files {known[0]}: {shown(', '.join(sorted(one)[:5]))}"
            raise DataError(several, f"name one of them: --data {shown(os.path.join(path, sorted(one)[0]))}")
    pictures = sum(end in SUFFIXES for end in ends)
    if pictures:
        raise DataError(
            f"{shown(path)} holds {pictures:,} picture{'s' * (pictures > 1)} and says nothing of their classes",
            "put each class into a folder of its own, or name them in a table: path,class",
        )
    raise DataError(
        f"{shown(path)} holds nothing that a data set reads",
        "looked for folders of pictures or sounds by class, images/ with masks/, a table (.csv), arrays (.npz)",
    )


def _below(root: str) -> Iterator[str]:
    """Names of the files below a folder, seen from it, without hidden ones."""
    for parent, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith("."):
                yield os.path.relpath(os.path.join(parent, name), root)
