"""What a run was made of, in its folder: `run.json` and the spec itself.

`run.json` is enough to do the run again: versions, seed, git revision, digest of the architecture, every setting. Its form
is `Snapshot`, a strict pydantic model.
"""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from cnnspec._version import __version__
from cnnspec.files import write_atomic
from cnnspec.training.events import Callback, Start

if TYPE_CHECKING:
    from cnnspec.spec import Spec


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
    data: str = Field(description="where the data was read from")
    train_images: int
    test_images: int
    device: str
    processes: int = Field(ge=1)
    versions: dict[str, str]
    git_revision: str | None = Field(description="of the spec's folder, None outside of a repository")
    command: list[str]


class SnapshotFile(Callback):
    """Writes `run.json` and `spec.cnn` when a run begins."""

    def __init__(self, spec: Spec, data: str) -> None:
        self.spec = spec
        self.data = data

    def on_start(self, event: Start) -> None:
        if event.folder is None:
            return
        folder = Path(event.folder)
        write_atomic(folder / "run.json", self._snapshot(event).model_dump_json(indent=2) + "\n")
        write_atomic(folder / "spec.cnn", self.spec.graph.source.text)

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
            data=self.data,
            train_images=event.train_images,
            test_images=event.test_images,
            device=event.device,
            processes=event.processes,
            versions=_versions(),
            git_revision=_git_revision(Path(graph.source.path).parent),
            command=list(sys.argv),
        )


def _versions() -> dict[str, str]:
    import torch

    return {"cnnspec": __version__, "torch": str(torch.__version__), "python": platform.python_version()}


def _git_revision(folder: Path) -> str | None:
    """The commit that is checked out, with a + where files differ from it."""
    try:
        head = subprocess.run(
            ["git", "-C", folder, "rev-parse", "HEAD"], capture_output=True, text=True, check=True, timeout=5
        ).stdout.strip()
        changes = subprocess.run(
            ["git", "-C", folder, "status", "--porcelain", "-uno"],
            capture_output=True,
            text=True,
            check=True,
            timeout=5,
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    return f"{head}+" if changes else head
