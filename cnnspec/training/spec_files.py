"""A spec with all that it imports, as texts: what a run keeps, so that it can be read on any machine, from any folder."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path, PurePosixPath

from cnnspec.diagnostics import Sink
from cnnspec.errors import CheckpointError
from cnnspec.limits import LIMITS
from cnnspec.source import Source
from cnnspec.syntax import tree
from cnnspec.syntax.parser import parse
from cnnspec.syntax.read import read_source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from cnnspec.spec import Spec


def collect(source: Source) -> dict[str, str]:
    """The texts of a spec and of the files that it imports, by their paths below the folder that holds them all.

    The spec itself is the first. Files that can't be read are left out: the check of the spec reports them.
    """
    found: dict[str, str] = {}
    waiting = [(os.path.realpath(source.path), source.text)]
    while waiting:
        path, text = waiting.pop(0)
        if path in found or len(found) > LIMITS.imported_files:
            continue
        found[path] = text
        waiting += _imported(Source(path, text))
    root = os.path.commonpath([os.path.dirname(path) for path in found])
    return {Path(path).relative_to(root).as_posix(): text for path, text in found.items()}


def _imported(source: Source) -> list[tuple[str, str]]:
    texts = []
    for item in parse(source, Sink()).items:
        if isinstance(item, tree.Import) and isinstance(item.path, tree.Literal) and isinstance(item.path.value, str):
            path = os.path.realpath(os.path.join(os.path.dirname(source.path), item.path.value))
            if os.path.isfile(path):
                texts.append((path, read_source(path, Sink()).text))
    return texts


def read(text: str, path: str, files: Mapping[str, str], model: str, values: Mapping[str, object]) -> Spec:
    """The spec of a text, with the `files` that `collect` gave: these alone are read where there are several.

    Raises SpecError for a spec with mistakes, CheckpointError for files whose names are not those of a spec's.
    """
    from cnnspec.spec import load, loads

    if len(files) <= 1:
        return loads(text, model, **values)
    with tempfile.TemporaryDirectory(prefix="cnnspec-") as folder:
        write(Path(folder), files)
        return load(os.path.join(folder, next(iter(files))), model, **values)


def write(folder: Path, files: Mapping[str, str]) -> None:
    """Put the files below a folder, which becomes a project of its own: imports don't leave it."""
    for name in files:
        parts = PurePosixPath(name).parts
        plain = all(part not in ("..", "/") and not part.startswith(".") for part in parts) and "\\" not in name
        if not plain or not parts or not name.endswith(".cnn") or ":" in name or "\0" in name:
            raise CheckpointError("the spec in the checkpoint has a file with a name that is none of a spec")
    (folder / "cnnspec.toml").touch()
    for name, text in files.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8", newline="")
