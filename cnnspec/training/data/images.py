"""Picture files (PNG, JPEG and others, through Pillow) to tensors, and folders of them to lists with labels.

`read_picture` and `find_pictures` raise `DataError` that names the file or the folder. A picture that claims to be huge is
refused by its header, before it is unpacked.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import torch

from cnnspec.files import open_regular
from cnnspec.training.data.archives import DataError, UnreadableData, shown, unreadable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeAlias

    from torch import Tensor

    Files: TypeAlias = dict[str, list[str]]
    """Paths of pictures, by the name of their class."""

FORMATS = ("PNG", "JPEG", "BMP", "GIF", "PPM", "TIFF", "WEBP")
SUFFIXES = frozenset(
    {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".ppm", ".pgm", ".pbm", ".pnm", ".tif", ".tiff", ".webp"}
)
LARGEST = 100_000_000
"""Pixels that one picture may have."""
TRAIN, VALIDATION, TEST = ("train", "training"), ("val", "valid", "validation"), ("test", "testing")
"""Names of the folders of the splits, in large or small letters, and with words in front: `seg_train`."""


def pillow() -> Any:
    """The module PIL.Image, or DataError where Pillow isn't installed."""
    try:
        from PIL import Image
    except ImportError as error:
        raise DataError(f"reading pictures needs Pillow ({error})", "pip install 'cnnspec[images]'") from None
    return Image


def read_picture(path: str | os.PathLike[str], channels: int, size: tuple[int, int] | None = None) -> Tensor:
    """A picture file as uint8, [channels, height, width], upright as its camera says.

    With `size` (height, width) it is scaled to cover that, and its middle is cut out.
    """
    Image = pillow()
    try:
        with open_regular(path) as file, Image.open(file, formats=FORMATS) as picture:
            if picture.width * picture.height > LARGEST:
                raise DataError(f"{shown(path)} has {picture.width} x {picture.height} pixels, more than {LARGEST:,}")
            if size is not None:
                picture.draft(None, (2 * size[1], 2 * size[0]))
            return to_tensor(picture, channels, size)
    except (DataError, MemoryError):
        raise
    except Exception as error:  # Pillow's decoders raise whatever their formats lead them to.
        raise _broken(path, error) from None


def _broken(path: str | os.PathLike[str], error: Exception) -> DataError:
    if isinstance(error, OSError) and error.errno is not None:
        return unreadable(path, error)
    if type(error).__name__ == "UnidentifiedImageError":
        return DataError(f"{shown(path)} is no picture that can be read", "formats: " + ", ".join(FORMATS))
    return DataError(f"{shown(path)} is damaged: {shown(str(error)) or type(error).__name__}")


def to_tensor(picture: Any, channels: int, size: tuple[int, int] | None) -> Tensor:
    """A picture of Pillow as uint8, [channels, height, width]."""
    from PIL import ImageOps

    picture = ImageOps.exif_transpose(picture)
    if picture.mode.startswith("F"):
        raise ValueError("floating-point pixels")
    if picture.mode.startswith("I"):
        # Grey values of 16 bits, which Pillow would cut off at 255.
        picture = picture.convert("I").point(lambda value: value * (1 / 256))
    picture = picture.convert("L" if channels == 1 else "RGB")
    if size is not None and (picture.height, picture.width) != size:
        picture = ImageOps.fit(picture, size[::-1], method=pillow().Resampling.BILINEAR)
    values = torch.frombuffer(bytearray(picture.tobytes()), dtype=torch.uint8)
    return values.view(picture.height, picture.width, channels).permute(2, 0, 1).contiguous()


def read_mask(path: str | os.PathLike[str], size: tuple[int, int] | None) -> Tensor:
    """A mask of class numbers, uint8 [height, width], as its file has them; with `size` scaled and cut as its picture is."""
    Image = pillow()
    try:
        with open_regular(path) as file, Image.open(file, formats=FORMATS) as picture:
            if picture.width * picture.height > LARGEST:
                raise DataError(f"{shown(path)} has {picture.width} x {picture.height} pixels, more than {LARGEST:,}")
            if picture.mode not in ("1", "L", "P"):
                raise DataError(f"{shown(path)} is no mask: it has colours, not a number for each pixel")
            plain = picture.convert("L") if picture.mode == "1" else picture
            if size is not None and (plain.height, plain.width) != size:
                from PIL import ImageOps

                plain = ImageOps.fit(plain, size[::-1], method=Image.Resampling.NEAREST)
            values = torch.frombuffer(bytearray(plain.tobytes()), dtype=torch.uint8)
            return values.view(plain.height, plain.width)
    except (DataError, MemoryError):
        raise
    except Exception as error:  # Pillow's decoders raise whatever their formats lead them to.
        raise _broken(path, error) from None


def split_folders(root: Path) -> list[Path | None]:
    """The folders for training, for validation and for testing; None for those that are missing."""
    return [_split(root, names) for names in (TRAIN, VALIDATION, TEST)]


def find_pictures(root: Path, suffixes: frozenset[str] = SUFFIXES) -> tuple[Files, Files, Files]:
    """The files of some endings below a folder by class, for training, validation and testing; what is missing is empty.

    Raises DataError for a folder that is named as a split and can't be one.
    """
    if not os.path.isdir(root):
        raise UnreadableData(f"{shown(root)} is no folder")
    try:
        train, *others = split_folders(root)
        if train is None:
            _refuse_splits(root)
            return _classes(root, suffixes), {}, {}
        found = _classes(train, suffixes)
        validation, test = ({} if folder is None else _classes(folder, suffixes) for folder in others)
    except OSError as error:
        raise unreadable(root, error) from None
    for folder, classes in zip(others, (validation, test)):
        strange = sorted(classes.keys() - found.keys())
        if strange:
            raise DataError(f"{shown(folder or root)} has a class that {shown(train)} lacks: {shown(strange[0])}")
    return (found, validation, test) if test else (found, {}, validation)


def _split(root: Path, names: tuple[str, ...]) -> Path | None:
    """The folder of a split; where it holds nothing but a folder of its own name, that one."""
    for entry in sorted(root.iterdir()):
        if entry.is_dir() and entry.name.lower().rpartition("_")[2] in names:
            inside = entry / entry.name
            return inside if inside.is_dir() else entry
    return None


def _refuse_splits(root: Path) -> None:
    """A folder of classes among which one is named as a split would be read as one class too many."""
    known = (*TRAIN, *VALIDATION, *TEST)
    strange = next(
        (entry.name for entry in sorted(root.iterdir()) if entry.is_dir() and entry.name.lower() in known), None
    )
    if strange is not None:
        raise DataError(
            f"{shown(root)} holds a folder {shown(strange)} beside classes, and none for training",
            f"put the classes into a folder train/ beside {shown(strange)}/",
        )


def _classes(root: Path, suffixes: frozenset[str]) -> Files:
    folders = sorted(entry.name for entry in os.scandir(root) if entry.is_dir() and not entry.name.startswith("."))
    found = {name: pictures_below(root / name, suffixes) for name in folders}
    if not found:
        raise DataError(f"{shown(root)} has no folders: each class needs one of its own")
    for name, pictures in found.items():
        if not pictures:
            what = "pictures" if suffixes is SUFFIXES else "sounds"
            raise DataError(f"{shown(root / name)} holds no {what}", "looked for " + ", ".join(sorted(suffixes)))
    return found


def pictures_below(folder: Path, suffixes: frozenset[str] = SUFFIXES) -> list[str]:
    """Paths as strings: a million of them as objects would take hundreds of megabytes, in each worker process."""
    found = []
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        named = [name for name in files if os.path.splitext(name)[1].lower() in suffixes and not name.startswith(".")]
        found += [os.path.join(parent, name) for name in named]
    return sorted(found)


def divide_pictures(pictures: Files, root: Path, share: float) -> tuple[Files, Files]:
    """Keep a share of each class for testing. What is kept follows from the names alone, on every machine."""

    def place(path: str) -> bytes:
        return hashlib.sha256(
            path.removeprefix(str(root)).replace(os.sep, "/").encode(errors="surrogateescape")
        ).digest()

    train, test = {}, {}
    for name, paths in pictures.items():
        ordered = sorted(paths, key=place)
        kept = min(max(1, round(share * len(paths))), len(paths) - 1)
        test[name], train[name] = sorted(ordered[:kept]), sorted(ordered[kept:])
    return train, test
