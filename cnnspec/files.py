"""Files: only regular ones are read, and none is ever seen half written."""

from __future__ import annotations

import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO

    Path = str | os.PathLike[str]


def read_regular(path: Path, limit: int = -1) -> bytes:
    """The bytes of a file, at most `limit` of them. Raises as `open_regular` does."""
    with open_regular(path) as file:
        return file.read(limit)


def open_regular(path: Path) -> IO[bytes]:
    """A file to read from.

    Raises OSError, also for what is no regular file: a pipe without a writer would wait for ever, a device may have no
    end. ValueError for a path that no file can have.
    """
    # Opening a pipe or a device may already wait or do something: without O_NONBLOCK, the look at its kind comes too late.
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    mode = os.fstat(handle).st_mode
    if not stat.S_ISREG(mode):
        os.close(handle)
        raise IsADirectoryError(21, "Is a directory") if stat.S_ISDIR(mode) else OSError(22, "Not a regular file")
    return open(handle, "rb")


def reason_of(error: OSError | ValueError) -> str:
    """Why a file can't be read or written, as the end of a sentence."""
    return (getattr(error, "strerror", None) or str(error)).lower()


def write_atomic(path: Path, data: str | bytes, *, durable: bool = False) -> None:
    """Put `data` (text as UTF-8) at `path` in one step. Raises OSError, and then the old file is as it was."""
    with Replacement(path, durable=durable) as file:
        file.write(data.encode() if isinstance(data, str) else data)


class Replacement:
    """A file that is written beside `path` and takes its place at the end: readers see the old file or the new one.

    Its name, `.NAME.tmp.RANDOM.PID`, is a fresh one that nobody can guess, so that no link can wait there. `durable` waits
    until file and rename are on the disk. After an exception the old file is as it was.
    """

    def __init__(self, path: Path, *, durable: bool = False) -> None:
        self.path = os.fspath(path)
        self.durable = durable

    def __enter__(self) -> IO[bytes]:
        folder, name = os.path.split(self.path)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
        self._temporary = os.path.join(folder, f".{name[:200]}.tmp.{os.urandom(8).hex()}.{os.getpid()}")
        self._file = open(os.open(self._temporary, flags, 0o666), "wb")
        return self._file

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            with self._file:
                if kind is None and self.durable:
                    self._file.flush()
                    os.fsync(self._file.fileno())
            if kind is None:
                os.replace(self._temporary, self.path)
        except BaseException:
            _remove(self._temporary)
            raise
        if kind is not None:
            _remove(self._temporary)
        elif self.durable:
            sync_folder(os.path.dirname(self.path) or ".")


def _remove(path: str) -> None:
    try:  # noqa: SIM105 (contextlib takes longer to import than this file)
        os.unlink(path)
    except OSError:
        # What went wrong before is the news.
        pass


def rewrite(path: Path, data: bytes) -> None:
    """Replace the content of a file that is there: through links, with the rights that it had. Raises OSError."""
    target = os.path.realpath(path)
    if not os.access(target, os.W_OK):
        os.stat(target)
        raise PermissionError(13, "Permission denied")
    mode = os.stat(target).st_mode & 0o7777
    write_atomic(target, data)
    os.chmod(target, mode)


def sync_folder(folder: Path) -> None:
    """Wait until the names in a folder are on the disk. Windows can't, and needs not."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def files_below(folder: Path, suffix: str) -> Iterator[str]:
    """The files below a folder whose names end so, in order; no hidden folders, links to folders, pipes or devices."""
    for parent, names in _walk(folder):
        for name in names:
            if name.endswith(suffix) and _may_be_read(path := os.path.join(parent, name)):
                yield path


def folders_below(folder: Path) -> Iterator[str]:
    """A folder and those below it, none of them hidden; nothing where there is no such folder."""
    return (parent for parent, _ in _walk(folder))


def _walk(folder: Path) -> Iterator[tuple[str, list[str]]]:
    for parent, folders, names in os.walk(os.fspath(folder)):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield parent, sorted(names)


def _may_be_read(path: str) -> bool:
    """False for pipes, sockets and devices. A link that leads nowhere is kept: who reads it learns of it."""
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return True
    return stat.S_ISREG(mode)


_MARKS = ("pyproject.toml", ".git", "cnnspec.toml")


def project_of(path: str) -> str:
    """The folder that a file's imports may not leave."""
    folder = os.path.dirname(os.path.realpath(path))
    above = folder
    while True:
        if any(os.path.exists(os.path.join(above, mark)) for mark in _MARKS):
            return above
        parent = os.path.dirname(above)
        if parent == above:
            return folder
        above = parent


PYTHON = (".py", ".ipynb", ".md")
"""Endings of the files that hold Python with torch."""


def split_model(path: str) -> tuple[str, str | None]:
    """`file.cnn:Name` as the path and the model's name; `file.py:Net(10)` as the path and what makes the module."""
    for ending in PYTHON:
        head, separator, tail = path.partition(f"{ending}:")
        if separator and tail and not os.path.exists(path):
            return head + ending, tail
    head, separator, tail = path.rpartition(":")
    if separator and tail.isidentifier() and not os.path.exists(path):
        return head, tail
    return path, None
