"""What a run was made of, in its folder: `run.json` and the spec itself.

`run.json` is enough to do the run again: versions, seed, git revision, digest of the architecture, every setting. Its form
is `Snapshot`, a strict pydantic model.
"""

from __future__ import annotations

import contextlib
import re
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from cnnspec.files import write_atomic
from cnnspec.training import spec_files
from cnnspec.training.checkpoint import versions
from cnnspec.training.events import Callback, End, Start

if TYPE_CHECKING:
    from cnnspec.spec import Spec
    from cnnspec.training.data.load import Data


_REFERENCE = re.compile(r"refs/[\w./+@-]{1,200}")
_HASH = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_LARGEST = 16 << 20
"""Bytes that are read of a file of a repository."""


class Snapshot(BaseModel):
    """The record of a run. Readers of a later release accept every field of an earlier one."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", allow_inf_nan=False)

    format_version: int = 1
    model: str
    spec: str = Field(description="path of the spec as it was given")
    values: dict[str, str] = Field(description="the model's parameters, as a spec writes them")
    digest: str = Field(description="hash of the architecture")
    parameters: int = Field(ge=0, description="number of learnable values")
    recipe: dict[str, str] = Field(description="every setting, as a recipe writes it")
    seed: int
    task: str = Field(default="classification", description="classification, segmentation, ...")
    classes: list[str] = Field(default=[], description="names of the classes, by label")
    data: str = Field(description="where the data was read from")
    train_images: int
    validation_images: int = 0
    test_images: int
    skipped: list[str] = Field(default=[], description="files that were left out because they could not be read")
    judged_by: str = Field(default="loss", description="what decides which epoch is the best")
    judged_on: str = Field(default="test", description="the split that decides it")
    device: str
    processes: int = Field(ge=1)
    threads: int | None = Field(default=None, description="of torch, in each process")
    versions: dict[str, str]
    git_revision: str | None = Field(
        description="commit checked out in the spec's folder, None outside of a repository"
    )
    command: list[str]


class SnapshotFile(Callback):
    """Writes `run.json` and `spec.cnn` when a run begins, and where the spec imports others the folder `spec` with all.

    `run.json` is written again at the end, with the files that were skipped on the way.
    """

    def __init__(self, spec: Spec, data: Data) -> None:
        self.spec = spec
        self.data = data
        self.started: Start | None = None

    def on_start(self, event: Start) -> None:
        if event.folder is None:
            return
        self.started = event
        folder = Path(event.folder)
        self._write(event)
        source = self.spec.graph.source
        write_atomic(folder / "spec.cnn", source.text)
        files = spec_files.collect(source)
        if len(files) > 1:
            (folder / "spec").mkdir(exist_ok=True)
            spec_files.write(folder / "spec", files)

    def on_end(self, event: End) -> None:
        if self.started is not None and tuple(self.data.skipped) != self.started.skipped:
            self._write(self.started)

    def _write(self, event: Start) -> None:
        text = self._snapshot(event).model_dump_json(indent=2) + "\n"
        with contextlib.suppress(FileNotFoundError):
            write_atomic(Path(event.folder or "") / "run.json", text)

    def _snapshot(self, event: Start) -> Snapshot:
        from cnnspec.declare import spell

        graph = self.spec.graph
        return Snapshot(
            model=event.model,
            spec=graph.source.path,
            values={name: spell(value) for name, value in graph.values.items()},
            digest=event.digest,
            parameters=event.parameters,
            recipe=event.recipe,
            seed=event.seed,
            data=self.data.origin,
            task=event.task,
            classes=list(event.classes),
            train_images=event.train_images,
            validation_images=event.validation_images,
            test_images=event.test_images,
            skipped=list(self.data.skipped),
            judged_by=event.judged_by,
            judged_on=event.judged_on,
            device=event.device,
            processes=event.processes,
            threads=event.threads,
            versions=versions(),
            git_revision=git_revision(Path(graph.source.path).parent),
            command=list(sys.argv),
        )


def git_revision(folder: Path) -> str | None:
    """The commit that is checked out in the repository of a folder; None outside of one.

    Read from the files of the repository: git itself would run what the folder's configuration names (fsmonitor, hooks).
    """
    above = folder.absolute()
    for place in (above, *above.parents):
        git = _git_folder(place / ".git")
        if git is not None:
            return _resolved(git, _read(git / "HEAD"))
    return None


def _git_folder(path: Path) -> Path | None:
    """Where a repository keeps its files: `.git`, or what the file `.git` of a work tree names."""
    if path.is_dir():
        return path
    text = _read(path)
    return path.parent / text.removeprefix("gitdir:").strip() if text.startswith("gitdir:") else None


def _resolved(git: Path, head: str) -> str | None:
    name = head.removeprefix("ref:").strip()
    if head.startswith("ref:"):
        if not _REFERENCE.fullmatch(name) or ".." in name:
            return None
        common = _read(git / "commondir").strip()
        homes = [git, git / common] if common else [git]
        found = [_read(home / name).strip() for home in homes]
        packed = [line.split(" ", 1) for home in homes for line in _read(home / "packed-refs").splitlines()]
        found += [entry[0] for entry in packed if len(entry) == 2 and entry[1] == name]
        name = next(filter(None, found), "")
    return name if _HASH.fullmatch(name) else None


def _read(path: Path) -> str:
    """The text of a small regular file, "" for anything else."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return ""
        with open(path, "rb") as file:
            return file.read(_LARGEST).decode("utf-8", "replace")
    except (OSError, ValueError):
        return ""
