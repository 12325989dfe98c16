"""Tables of pictures, pictures with masks, and sounds in folders: read, trained on, and what is wrong with them."""

from __future__ import annotations

from pathlib import Path

import numpy
import pytest
import torch
from PIL import Image

import cnnspec
from cnnspec.recipe.datasets import Csv, Masks, Wav
from cnnspec.training.data.load import DataError, load_data
from cnnspec.training.data.splits import Split, Stream
from cnnspec.training.evaluate import evaluate

torch.set_num_threads(1)


def write_pictures(folder: Path, count: int) -> list[str]:
    """Grey squares, the lighter the later."""
    folder.mkdir(parents=True, exist_ok=True)
    names = [f"{index:02}.png" for index in range(count)]
    for index, name in enumerate(names):
        values = numpy.full((8, 8), index * 255 // count, numpy.uint8)
        Image.fromarray(values).save(folder / name)
    return names


def table(folder: Path, header: str, lines: list[str]) -> Csv:
    (folder / "table.csv").write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return Csv(str(folder / "table.csv"), channels=1)


def test_a_table_of_classes(tmp_path: Path):
    names = write_pictures(tmp_path / "in", 20)
    declared = table(tmp_path, "file,kind", [f"in/{n},{'dark' if i < 10 else 'light'}" for i, n in enumerate(names)])
    data = load_data(declared)
    assert (data.classes, data.targets, data.shape) == (["dark", "light"], "a class", (1, 8, 8))
    assert (len(data.train), len(data.test or ())) == (16, 4)
    assert isinstance(data.train, Split)
    assert torch.equal(data.train.labels, (data.train.images[:, 0, 0, 0] >= 127).long())
    again = load_data(declared)
    assert again.train.fingerprint() == data.train.fingerprint()
    streamed = load_data(declared, memory=0, workers=0)
    assert isinstance(streamed.train, Stream)
    assert (streamed.classes, streamed.targets) == (data.classes, data.targets)


def test_a_table_of_numbers_with_its_own_splits(tmp_path: Path):
    names = write_pictures(tmp_path, 12)
    parts = ["train"] * 6 + ["val"] * 3 + ["test"] * 3
    lines = [f"{name};{index / 12:.3f};{index};{parts[index]}" for index, name in enumerate(names)]
    data = load_data(table(tmp_path, "file;grey;age;split", lines))
    assert [len(split) for split in data.splits] == [6, 3, 3]
    assert (data.classes, data.targets) == (["grey", "age"], "numbers")
    assert data.test.targets[0].tolist() == pytest.approx([0.75, 9])  # type: ignore[union-attr]
    assert load_data(table(tmp_path, "file;grey;age;split", lines), memory=0, workers=0).targets == "numbers"
    spec = cnnspec.loads("model M { input [1, 8, 8]; Flatten; Linear(2) }")
    run = cnnspec.train(spec, {"data": "Csv", "loss": "MSELoss", "epochs": 1}, data, device="cpu", out=tmp_path / "run")
    assert "r2" in evaluate(run, data).metrics


@pytest.mark.parametrize(
    ("header", "lines", "message"),
    [
        ("file", ["00.png", "01.png"], "has one column"),
        ("file,kind", ["00.png,a"], "at least two lines"),
        ("file,kind", ["00.png,a", "01.png"], "line 3 of .* has 1 columns, the first one 2"),
        ("file,x,y", ["00.png,1.5,2", "01.png,one,2"], "'one' is no number"),
        ("file,kind", ["00.png,a", "none.png,b", "01.png,a"], "can't read .*none.png"),
    ],
)
def test_tables_that_are_wrong(tmp_path: Path, header: str, lines: list[str], message: str):
    write_pictures(tmp_path, 2)
    with pytest.raises(DataError, match=message):
        load_data(table(tmp_path, header, lines))


def write_masks(folder: Path, count: int, high: int) -> None:
    """Pictures of which the left part is white, and masks of it."""
    for part in ("images", "masks"):
        (folder / part).mkdir(parents=True)
    for index in range(count):
        mask = numpy.zeros((8, 10), numpy.uint8)
        mask[:, : 2 + index % 6] = high
        Image.fromarray(((mask > 0) * 255).astype(numpy.uint8)).save(folder / "images" / f"{index}.jpg", quality=95)
        Image.fromarray(mask).save(folder / "masks" / f"{index}.png")


@pytest.mark.parametrize(("high", "classes"), [(255, 2), (1, 2), (3, 4)])
def test_pictures_with_masks(tmp_path: Path, high: int, classes: int):
    write_masks(tmp_path / "train", 10, high)
    write_masks(tmp_path / "test", 4, high)
    data = load_data(Masks(str(tmp_path), channels=1))
    assert (len(data.classes), data.targets, len(data.train), len(data.test or ())) == (classes, "a mask", 10, 4)
    assert isinstance(data.train, Split)
    value = 1 if high == 255 else high
    agree = (data.train.images[:, 0] > 127) == (data.train.labels == value)
    assert agree.float().mean() > 0.99
    small = load_data(Masks(str(tmp_path), channels=1, size=4), memory=0, workers=0)
    assert (small.shape, small.targets, len(small.classes)) == ((1, 4, 4), "a mask", classes)
    spec = cnnspec.loads(f"model M {{ input [1, 8, 10]; Conv2d({classes}, 1) }}")
    recipe = {"data": "Masks", "epochs": 12, "batch": 5, "optimizer": "Adam(lr=0.1)"}
    run = cnnspec.train(spec, recipe, data, device="cpu")
    assert run.history[-1].test_metrics["accuracy"] > 0.9


def test_masks_that_are_wrong(tmp_path: Path):
    with pytest.raises(DataError, match="has no folder images"):
        load_data(Masks(str(tmp_path)))
    write_masks(tmp_path, 6, 1)
    (tmp_path / "masks" / "3.png").unlink()
    with pytest.raises(DataError, match=r"3\.jpg has no mask of its name"):
        load_data(Masks(str(tmp_path)))
    Image.new("RGB", (10, 8)).save(tmp_path / "masks" / "3.png")
    with pytest.raises(DataError, match="it has colours"):
        load_data(Masks(str(tmp_path)))
    Image.new("L", (9, 8)).save(tmp_path / "masks" / "3.png")
    with pytest.raises(DataError, match="is 8 x 9, its picture 8 x 10"):
        load_data(Masks(str(tmp_path)))


TONES = "model M { input [1, 1150]; Conv1d(8, 31, stride=4); ReLU; AdaptiveAvgPool1d(1); Flatten; Linear(2) }"


def write_sounds(folder: Path, rate: int = 8000) -> None:
    soundfile = pytest.importorskip("soundfile")
    time = numpy.arange(1200) / 8000
    for name, pitch in (("low", 200), ("high", 1500)):
        (folder / name).mkdir(parents=True)
        for index in range(8):
            tone = numpy.sin(2 * numpy.pi * pitch * time[: 1200 - 10 * index] + index)
            both = numpy.stack((tone, tone), 1) if index == 1 else tone
            soundfile.write(folder / name / f"{index}.wav", both * 0.5, rate)


def test_sounds_in_folders(tmp_path: Path):
    write_sounds(tmp_path)
    data = load_data(Wav(str(tmp_path), samples=1150))
    assert (data.classes, data.shape, data.dtypes) == (["high", "low"], (1, 1150), ("float32",))
    assert isinstance(data.train, Split)
    assert 0.45 < float(data.train.images.abs().max()) <= 0.5
    spec = cnnspec.loads(TONES)
    recipe = {"data": "Wav", "epochs": 12, "batch": 4, "optimizer": "Adam(lr=0.02)"}
    run = cnnspec.train(spec, recipe, data, device="cpu")
    assert run.history[-1].test_metrics["accuracy"] == 1
    (tmp_path / "low" / "3.wav").write_bytes(b"RIFF nothing")
    with pytest.raises(DataError, match=r"3\.wav is damaged, or no sound"):
        load_data(Wav(str(tmp_path)))
    write_sounds(tmp_path.parent / f"{tmp_path.name}-other", rate=16000)
    other = tmp_path.parent / f"{tmp_path.name}-other"
    (other / "low" / "3.wav").write_bytes((tmp_path / "low" / "2.wav").read_bytes())
    with pytest.raises(DataError, match="has 8,000 samples a second, not 16,000"):
        load_data(Wav(str(other)))
