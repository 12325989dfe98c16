"""Files of data sets as tests write them, and what a wrong one has to raise."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import pytest
import torch

from cnnspec.training.data import locations
from cnnspec.training.data.load import DataError


@pytest.fixture(autouse=True)
def nothing_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No data set of this machine is found unless a test puts it there. Modules that import this name use it."""
    monkeypatch.setattr(locations, "SYSTEM", tmp_path / "system")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("CNNSPEC_DATA", raising=False)


def fails(*words: str):
    """A DataError whose text has all these words."""
    return pytest.raises(DataError, match="(?s)" + "".join(f"(?=.*{word})" for word in words))


def idx(values: torch.Tensor) -> bytes:
    header = bytes([0, 0, 8, values.dim()]) + b"".join(struct.pack(">I", size) for size in values.shape)
    return header + bytes(values.to(torch.uint8).flatten().tolist())


def images(n: int, *shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randint(0, 256, (n, *shape), generator=torch.Generator().manual_seed(seed), dtype=torch.uint8)


def write_idx(
    folder: Path, *, n: int = 12, pack=gzip.compress, end: str = ".gz", prefix: str = "", test: str = "t10k"
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for seed, half in enumerate(("train", test)):
        (folder / f"{prefix}{half}-images-idx3-ubyte{end}").write_bytes(pack(idx(images(n, 28, 28, seed=seed))))
        (folder / f"{prefix}{half}-labels-idx1-ubyte{end}").write_bytes(pack(idx(torch.arange(n) % 10)))


def picture(
    path: Path, size: tuple[int, int] = (8, 6), mode: str = "RGB", color: object = None, **options: object
) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = pytest.importorskip("PIL.Image", reason="needs Pillow")
    made = image.new(mode, size, color if color is not None else (200, 100, 50) if mode == "RGB" else 0)
    made.save(path, **options)
    return path


def folder(root: Path, splits: tuple[str, ...] = ("",), each: int = 4, size: tuple[int, int] = (8, 6)) -> Path:
    for half in splits:
        for number, name in enumerate(("cat", "dog", "eel")):
            for index in range(each):
                picture(root / half / name / f"{index}.png", size, color=(number, index, 7))
    return root


def broken_folder(tmp_path: Path) -> Path:
    root = folder(tmp_path, ("train", "test"))
    (root / "train" / "cat" / "1.png").write_bytes(b"")
    cut = root / "train" / "dog" / "2.png"
    cut.write_bytes(cut.read_bytes()[:50])
    return root
