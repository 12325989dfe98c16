"""`cnnspec data`: counts, repeats and broken files as they are, and a sheet of samples."""

from __future__ import annotations

from pathlib import Path

import numpy
import pytest
import torch
from PIL import Image

from cnnspec.cli.main import main

torch.set_num_threads(1)


def folder(root: Path) -> Path:
    """Two classes in two splits; one test picture is a training picture, one file is broken."""
    generator = numpy.random.default_rng(0)
    for split, count in (("train", 5), ("test", 3)):
        for name in ("cat", "dog"):
            (root / split / name).mkdir(parents=True)
            for index in range(count):
                values = generator.integers(0, 255, (6, 6, 3), numpy.uint8)
                Image.fromarray(values).save(root / split / name / f"{index}.png")
    (root / "test" / "cat" / "2.png").write_bytes((root / "train" / "cat" / "1.png").read_bytes())
    (root / "train" / "dog" / "4.png").write_bytes(b"no picture")
    return root


def test_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["data", str(folder(tmp_path))]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"ImageFolder from {tmp_path}: uint8 3 x 6 x 6, a class each"
    assert [line.split() for line in lines[1:5]] == [
        ["train", "test"], ["cat", "5", "3"], ["dog", "4", "3"], ["samples", "9", "6"]
    ]  # fmt: skip
    assert lines[5].startswith("mean 0.")
    assert "1 of test are in train as well" in lines
    assert lines[-1].startswith("1 files can't be read, the first: ")
    assert "4.png" in lines[-1]


def test_numbers_and_a_sheet(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    values = numpy.arange(20 * 8 * 8, dtype=numpy.uint8).reshape(20, 8, 8)
    numpy.savez(tmp_path / "own.npz", x=values, y=numpy.random.default_rng(0).random((20, 2)))
    sheet = tmp_path / "sheet.svg"
    augment = "[RandomHorizontalFlip(1.0)]"
    assert main(["data", str(tmp_path / "own.npz"), "--augment", augment, "--sheet", str(sheet)]) == 0
    out = capsys.readouterr().out
    assert "uint8 1 x 8 x 8, numbers each" in out
    assert "samples          16           4" in out
    assert sheet.read_text().count("<image") == 8 * 4


@pytest.mark.parametrize(("arguments", "message"), [
    (["nothing"], "there is no `nothing`"),
    (["Digits", "--augment", "[Foo]"], "there is no `Foo`"),
    (["Digits", "--augment", "[RandomCrop("], "--augment"),
])  # fmt: skip
def test_what_is_no_data(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]):
    assert main(["data", *arguments]) == 2
    assert message in capsys.readouterr().err
