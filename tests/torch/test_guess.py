"""Which data set reads what `--data` names: told by the files that lie there, or one line on what to write."""

from __future__ import annotations

from pathlib import Path

import pytest

from cnnspec.cli.main import main
from cnnspec.training.data.guess import guess

from .data_files import fails, folder, picture

SPEC = """model Small(classes = 3) { input [3, 8, 6]; Flatten; Linear(classes) }
train { epochs = 1; batch = 4 }
"""


def write(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"")
    return root


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["cat/1.png", "dog/1.PNG"], 'ImageFolder("{}", size=(8, 6), channels=1)'),
        (["train/cat/1.png", "val/cat/1.jpg", ".git/config"], 'ImageFolder("{}", size=(8, 6), channels=1)'),
        (["images/1.png", "masks/1.png"], "Masks"),
        (["train/images/1.png", "train/masks/1.png"], "Masks"),
        (["yes/1.wav", "no/1.wav"], 'Wav("{}")'),
        (["table.csv", "pictures.txt"], "Csv"),
        (["set.npz"], 'Npz("{}/set.npz")'),
        (["train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"], "MNIST"),
        (["data_batch_1.bin", "test_batch.bin"], "CIFAR10"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_files_tell(tmp_path: Path, names: list[str], expected: str):
    root = write(tmp_path / "mnist", *names)
    found = guess(str(root), 1, (8, 6))
    assert found.partition("(")[0] == expected.partition("(")[0]
    if "(" in expected:
        assert found == expected.format(root)


def test_files_that_do_not_tell(tmp_path: Path):
    with fails("there is no data set and no file or folder .*/none"):
        guess(str(tmp_path / "none"))
    with fails("empty holds nothing that a data set reads", "folders of pictures or sounds by class"):
        guess(str(write(tmp_path, "empty/.hidden") / "empty"))
    with fails("loose holds 2 pictures and says nothing of their classes", "a folder of its own"):
        guess(str(write(tmp_path, "loose/1.png", "loose/2.png") / "loose"))
    with fails(r"two holds 2 files \.npz: a.npz, b.npz", "name one of them: --data .*two/a.npz"):
        guess(str(write(tmp_path, "two/a.npz", "two/b.npz") / "two"))
    with fails("notes.txt is neither a table"):
        guess(str(write(tmp_path, "notes.txt") / "notes.txt"))
    with fails("clothes holds files as FashionMNIST, MNIST and KMNIST have them", "such as --set data=FashionMNIST"):
        guess(str(write(tmp_path, "clothes/train-images-idx3-ubyte") / "clothes"))


def test_a_recipe_of_other_data_trains_on_the_files_that_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.cnn").write_text(SPEC)
    folder(tmp_path / "photos", each=6, size=(16, 12))
    assert main(["train", "small.cnn", "--data", "photos", "--device", "cpu"]) == 0
    assert capsys.readouterr().err.startswith('photos is read as ImageFolder("photos", size=(8, 6))\n')
    picture(tmp_path / "loose" / "1.png")
    assert main(["train", "small.cnn", "--data", "loose"]) == 1
    assert "says nothing of their classes" in capsys.readouterr().err
    assert main(["train", "small.cnn", "--data", "photos", "-D", "classes=4"]) == 1
    assert capsys.readouterr().err.endswith("needs one output a class: -D classes=3\n")
    assert main(["evaluate", "runs/Small-1", "--data", "photos", "--device", "cpu"]) == 0
    assert main(["train", "small.cnn", "--resume", "--epochs", "2", "--device", "cpu"]) == 0
