"""Checkpoints: files that are whole or absent, read without running anything from them.

`save` writes beside the file, waits for the disk and renames: whenever the process dies, the earlier file or the new one is
there. `load` reads with `weights_only=True`, always, and answers a damaged or foreign file with CheckpointError. `check`
compares a checkpoint with what is to be trained before anything of it is copied.
"""

from __future__ import annotations

import contextlib
import os
import platform
import shutil
import zipfile
from pathlib import Path

import torch

from cnnspec._version import __version__
from cnnspec.diagnostics.render import clean
from cnnspec.errors import CheckpointError, UnreadableCheckpoint
from cnnspec.files import Replacement, open_regular, reason_of, sync_folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import IO, Any

    from torch import Tensor

FORMAT = 2
"""Of the content. 1, of version 0.1, did not say what targets and types of the data are."""
LAST, BEST, SHARED = "last.pt", "best.pt", "model.safetensors"
_NEEDED: dict[str, dict[str, Any]] = {
    "": {
        "format": int, "digest": str, "spec": dict, "recipe": dict, "data": dict, "model": dict, "optimizer": dict,
        "epoch": int, "step": int, "seen": int, "sums": list, "best": dict, "waited": int, "versions": dict,
        "finished": str, "history": list, "told_chance": bool,
    },
    "spec": {"text": str, "path": str, "model": str, "values": dict},
    "data": {
        "classes": list, "shape": list | tuple, "train": str, "targets": list, "names": list, "dtypes": list
    },
    "best": {"epoch": int | None, "loss": float | None},
}  # fmt: skip
"""Keys of a checkpoint, and of tables in it, with the types of their values."""
_OPTIONAL = ("scheduler", "scaler", "average")
"""Keys that have to be there, with None for nothing."""


def versions() -> dict[str, str]:
    """The programs whose results may differ from one version to the next."""
    return {"cnnspec": __version__, "torch": str(torch.__version__), "python": platform.python_version()}


# --- writing ---


def save(folder: Path, names: list[str], state: dict[str, Any]) -> None:
    """Put `state` under each of `names`, written once. Raises CheckpointError where the disk refuses: old files stay."""
    first, *others = names
    try:
        with Replacement(folder / first, durable=True) as file:
            _write(state, file)
        for name in others:
            _again(folder / first, folder / name)
    except OSError as error:
        raise CheckpointError(f"{clean(str(folder))}: the checkpoint was not written: {reason_of(error)}") from None


class _File:
    """A file that remembers why it could not be written: torch's zip writer answers a full disk with a RuntimeError."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self.error: OSError | None = None

    def write(self, data: bytes) -> int:
        try:
            return self.file.write(data)
        except OSError as error:
            self.error = error
            raise

    def flush(self) -> None:
        self.file.flush()


def _write(state: dict[str, Any], file: IO[bytes]) -> None:
    watched = _File(file)
    try:
        torch.save(state, watched)  # type: ignore[arg-type]
    except RuntimeError as error:
        raise watched.error or OSError(str(error).splitlines()[0]) from None


def _again(path: Path, other: Path) -> None:
    """The same file under another name; a copy where the file system has no links."""
    temporary = other.with_name(f".{other.name}.tmp.{os.urandom(8).hex()}.{os.getpid()}")
    try:
        os.link(path, temporary)
    except OSError:
        with Replacement(other, durable=True) as file, open(path, "rb") as source:
            shutil.copyfileobj(source, file)
        return
    os.replace(temporary, other)
    sync_folder(other.parent)


def sweep(folder: Path) -> list[str]:
    """Remove the temporary files of processes that are no more; their names."""
    removed = []
    for path in folder.glob(".*.tmp.*"):
        pid = path.name.rpartition(".")[2]
        if pid.isdecimal() and (int(pid) == os.getpid() or not _lives(int(pid))):
            with contextlib.suppress(OSError):
                path.unlink()
                removed.append(path.name)
    return removed


def _lives(pid: int) -> bool:
    if os.name == "nt":
        # There, signal 0 would end the process.
        return True
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def share(folder: Path, weights: Mapping[str, Tensor], about: dict[str, str]) -> Path:
    """Write the weights for others: safetensors where it is installed, otherwise a state dict; the path.

    `about` is the file's metadata: the spec's text, the classes.
    """
    plain = {key: value.detach().cpu().contiguous().clone() for key, value in weights.items()}
    try:
        from safetensors.torch import save as encode
    except ImportError:
        save(folder, [name := "model.pt"], plain)
        return folder / name
    from cnnspec.files import write_atomic

    try:
        write_atomic(folder / SHARED, encode(plain, about), durable=True)
    except OSError as error:
        raise CheckpointError(f"{SHARED} was not written: {error.strerror or error}") from None
    return folder / SHARED


# --- reading ---


def find(path: str | os.PathLike[str], name: str = LAST) -> Path:
    """The checkpoint of a run folder, or the file itself. Raises UnreadableCheckpoint where there is none."""
    shown = clean(os.fspath(path))
    found = Path(path, name) if os.path.isdir(path) else Path(path)
    try:
        open_regular(found).close()
    except FileNotFoundError:
        where = f"the folder {shown} holds no {name}" if os.path.isdir(path) else f"there is no file or folder {shown}"
        raise UnreadableCheckpoint(where) from None
    except (OSError, ValueError) as error:
        raise UnreadableCheckpoint(f"can't read {clean(str(found))}: {reason_of(error)}") from None
    return found


def load(path: Path) -> dict[str, Any]:
    """The content of a checkpoint on the CPU. Raises CheckpointError for a file that is missing, damaged or foreign.

    Nothing in the file is run: what is neither tensor, number, text nor a container of these is refused.
    """
    shown = clean(str(path))
    try:
        # torch does not compare the checksums of its own file.
        with zipfile.ZipFile(path) as file:
            damaged = file.testzip()
        if damaged is not None:
            raise CheckpointError(f"{shown} is damaged: a checksum is wrong")
        state = torch.load(path, map_location="cpu", weights_only=True)
    except CheckpointError:
        raise
    except OSError as error:
        raise UnreadableCheckpoint(f"can't read {shown}: {reason_of(error)}") from None
    except Exception as error:
        if type(error).__name__ == "UnpicklingError" and "weights" in str(error).lower():
            raise CheckpointError(f"{shown} is refused: it holds more than tensors, numbers and texts") from None
        raise CheckpointError(f"{shown} is damaged or cut off, or no checkpoint at all") from None
    wrong = _wrong(state)
    if wrong:
        raise CheckpointError(f"{shown} is no checkpoint of cnnspec: {wrong}")
    return dict(state)


def _wrong(state: object) -> str:
    """What a loaded file lacks to be a checkpoint, "" for nothing."""
    if not isinstance(state, dict):
        return "it holds no table"
    if "format" in state and state["format"] != FORMAT:
        theirs = clean(str(state["format"]))[:40]
        return (
            f"its format is {theirs}, this version reads {FORMAT}: train anew, or go on with the version that wrote it"
        )
    for table, needed in _NEEDED.items():
        for key, kind in needed.items():
            found = state[table] if table else state
            if key not in found or not isinstance(found[key], kind):
                return f"its {table and f'{table}.'}{key} is missing or of the wrong kind"
    missing = [key for key in _OPTIONAL if key not in state]
    missing += [] if "statistics" in state["data"] else ["data.statistics"]
    if missing:
        return f"its {missing[0]} is missing"
    if min(state["epoch"], state["step"], state["seen"], state["waited"]) < 0 or len(state["sums"]) != 3:
        return "its counters are out of range"
    if not all(isinstance(value, int | float) for value in state["sums"]):
        return "its sums are no numbers"
    if not all(isinstance(key, str) and isinstance(value, torch.Tensor) for key, value in state["model"].items()):
        return "its 'model' holds something else than weights"
    return ""


# --- comparing ---


def check_weights(found: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> None:
    """Raise CheckpointError where names, shapes or types of weights differ; names the first that does."""
    for key in wanted.keys() | found.keys():
        if key not in found:
            raise CheckpointError(f"the checkpoint has no weights {key!r}")
        if key not in wanted:
            raise CheckpointError(f"the checkpoint has weights {clean(key)[:80]!r} that the model lacks")
    for key, value in wanted.items():
        if found[key].shape != value.shape or found[key].dtype != value.dtype:
            theirs, ours = map(_described, (found[key], value))
            raise CheckpointError(f"weights {key!r} are {theirs} in the checkpoint, those of the model are {ours}")


def _described(tensor: Tensor) -> str:
    return f"{str(tensor.dtype).removeprefix('torch.')} {list(tensor.shape)}"


def check(state: dict[str, Any], digest: str, recipe: dict[str, str]) -> list[str]:
    """Raise CheckpointError unless the checkpoint is of this architecture and recipe; the message shows the difference.

    More epochs and another patience are allowed; gives the names of these settings where they have changed.
    """
    if state["digest"] != digest:
        raise CheckpointError(
            f"the checkpoint is of another architecture ({clean(state['digest'])[:12]}, this one is {digest[:12]}): "
            "train it in a new folder"
        )
    before = {str(key): str(value) for key, value in state["recipe"].items()}
    differing = [key for key in {**before, **recipe} if before.get(key) != recipe.get(key)]
    fewer = "epochs" in differing and not _more(before.get("epochs"), recipe.get("epochs"))
    if set(differing) <= {"epochs", "early_stopping"} and not fewer:
        return differing
    changes = [f"{key}: {clean(before.get(key, '(none)'))} -> {recipe.get(key, '(none)')}" for key in differing]
    why = " (epochs may only rise)" if fewer else ""
    raise CheckpointError(f"the recipe has changed since the checkpoint: {'; '.join(changes)}{why}")


def _more(before: str | None, now: str | None) -> bool:
    return bool(before and now and before.isdecimal() and now.isdecimal() and int(now) > int(before))
