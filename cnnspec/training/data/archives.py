"""Files of a data set, out of a folder, a tar archive or a zip archive, into memory.

Nothing is ever unpacked to the disk, no name in an archive is used as a path, and no file may be larger than its caller
allows. What is wrong with a user's file is raised as `DataError`.
"""

from __future__ import annotations

import os
import tarfile
import zipfile
import zlib
from pathlib import Path

from cnnspec.diagnostics.render import clean
from cnnspec.errors import TrainError, Unreadable
from cnnspec.files import open_regular, reason_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import IO

CHUNK = 1 << 20
ARCHIVE_BYTES = 8 << 30
"""What an archive may hold unpacked, with the files that nobody asked for."""


class DataError(TrainError):
    """Data that is missing, damaged or of the wrong form. The first line says what; the others where, and what to do."""

    def __init__(self, message: str, *more: str) -> None:
        super().__init__("\n".join([message, *(f"  {line}" for line in more)]))


class UnreadableData(DataError, Unreadable):
    """A path under which there is no file or folder to read."""


class MissingData(DataError):
    """Nothing was found of a data set that has to be fetched first."""

    exit_code = 2


def unreadable(path: str | os.PathLike[str], error: OSError | ValueError) -> UnreadableData:
    return UnreadableData(f"can't read {shown(path)}: {reason_of(error)}")


def shown(path: str | os.PathLike[str]) -> str:
    """A path as it may be printed."""
    return clean(os.fspath(path))


def read_at_most(stream: IO[bytes], limit: int, name: str) -> bytearray:
    """All that is left of a stream, or DataError where that is more than `limit` bytes."""
    content = bytearray()
    while chunk := stream.read(CHUNK):
        content += chunk
        if len(content) > limit:
            raise too_large(name, limit)
    return content


def too_large(name: str, limit: int) -> DataError:
    return DataError(f"{name} is larger than {limit:,} bytes, the most that is read")


def damaged(name: str, reason: object) -> DataError:
    return DataError(f"{name} is damaged: {clean(str(reason)) or type(reason).__name__}")


def collect(path: Path, wanted: Mapping[str, int]) -> dict[str, bytearray]:
    """Those files of `wanted` (name: largest size in bytes) that `path` has: a folder, a tar archive or a zip archive.

    In archives the names count without folders. Raises DataError.
    """
    try:
        if os.path.isdir(path):
            return _from_folder(path, wanted)
        open_regular(path).close()
        if zipfile.is_zipfile(path):
            return _from_zip(path, wanted)
        return _from_tar(path, wanted)
    except tarfile.ReadError as error:
        raise DataError(f"{shown(path)} is neither a folder nor a readable archive: {error}") from None
    except (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise damaged(shown(path), error) from None
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from None


def _from_folder(path: Path, wanted: Mapping[str, int]) -> dict[str, bytearray]:
    found = {}
    for name, limit in wanted.items():
        file = path / name
        if file.is_file():
            with open(file, "rb") as stream:
                found[name] = read_at_most(stream, limit, shown(file))
    return found


def _from_zip(path: Path, wanted: Mapping[str, int]) -> dict[str, bytearray]:
    found = {}
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            name = member.filename.rpartition("/")[2]
            if name in wanted and not member.is_dir():
                with archive.open(member) as stream:
                    found[name] = read_at_most(stream, wanted[name], f"{name} in {shown(path)}")
    return found


def _from_tar(path: Path, wanted: Mapping[str, int]) -> dict[str, bytearray]:
    """One pass from start to end: going back in a compressed archive means to unpack it anew."""
    found, total = {}, 0
    with tarfile.open(path, "r|*") as archive:
        for member in archive:
            name = member.name.rpartition("/")[2]
            total += member.size + tarfile.BLOCKSIZE
            if total > ARCHIVE_BYTES:
                raise too_large(shown(path), ARCHIVE_BYTES)
            stream = archive.extractfile(member) if name in wanted and member.isfile() else None
            if stream is not None:
                found[name] = read_at_most(stream, wanted[name], f"{name} in {shown(path)}")
    return found
