"""The folder of a run: a new number for every run, and a lock, so that two runs never write into one."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from cnnspec.diagnostics.render import clean
from cnnspec.errors import CheckpointError
from cnnspec.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

LOCK = ".lock"


@record
class NewFolder:
    """A folder that is still to be made: `ROOT/NAME-N` with the next number that is free."""

    root: Path
    name: str

    def make(self) -> Path:
        """Make it: whoever makes a folder has it, and nobody else. Raises OSError."""
        number = max((n for n, _ in numbered(self.root, self.name)), default=0)
        self.root.mkdir(parents=True, exist_ok=True)
        while True:
            number += 1
            with contextlib.suppress(FileExistsError):
                (folder := self.root / f"{self.name}-{number}").mkdir()
                return folder


def numbered(root: Path, name: str) -> list[tuple[int, Path]]:
    """The folders `NAME-N` below `root` by their numbers, the last one last. Others, as `NAME-best`, are none of them."""
    found = []
    for path in root.glob(f"{name}-*"):
        text = path.name.removeprefix(f"{name}-")
        if text.isascii() and text.isdecimal() and len(text) < 10 and path.is_dir():
            found.append((int(text), path))
    return sorted(found)


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """The folder for this process alone. Raises CheckpointError where another run has it.

    The system gives the lock back when a process ends, in whatever way.
    """
    shown = clean(str(folder))
    try:
        handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise CheckpointError(f"{shown} can't be written: {(error.strerror or str(error)).lower()}") from None
    try:
        if not _take(handle):
            raise CheckpointError(f"another run is writing into {shown}: wait for it, or take another folder")
        yield
    finally:
        os.close(handle)


def _take(handle: int) -> bool:
    try:
        import fcntl
    except ImportError:
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        # Some network file systems have no locks.
        return True
    return True
