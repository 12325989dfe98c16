"""The commands `train`, `evaluate` and `predict`: what they print and leave, and how they end."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import cnnspec
from cnnspec.analysis.memory import training_step
from cnnspec.backends.summary_text import size
from cnnspec.cli.main import main
from cnnspec.files import write_atomic
from cnnspec.training.report.contact_sheet import Picture, png
from cnnspec.training.report.run_record import Snapshot

SPEC = """model Small {
    input [1, 8, 8]
    Conv2d(8, 3, padding=1)
    ReLU
    Flatten
    Linear(10)
}

train {
    data   = Digits
    epochs = 2
}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.cnn").write_text(SPEC)
    return tmp_path


def test_train_evaluate_predict(folder: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["train", "small.cnn", "--device", "cpu", "--epochs", "3", "--optimizer.lr=0.01", "--seed", "4"]) == 0
    out = capsys.readouterr().out
    assert "Small: 5,210 parameters, classification, on cpu" in out
    assert "1/3" in out
    assert "3/3" in out
    run = folder / "runs" / "Small-1"
    names = {path.name for path in run.iterdir()}
    assert {"last.pt", "best.pt", "metrics.jsonl", "metrics.csv", "curves.svg", "run.json", "spec.cnn"} <= names
    assert len((run / "metrics.jsonl").read_text().splitlines()) == 3
    snapshot = Snapshot.model_validate_json((run / "run.json").read_text())
    assert snapshot.recipe["optimizer"] == "AdamW(lr=0.01)"
    assert snapshot.seed == 4
    assert (run / "spec.cnn").read_text() == SPEC

    assert main(["evaluate", str(run), "--device", "cpu"]) == 0
    out = capsys.readouterr().out
    assert "images of Digits from cnnspec: loss" in out
    assert (run / "evaluation.svg").exists()

    write_atomic(folder / "digit.png", png(Picture(bytes(64), 8, 8, 1)))
    assert main(["predict", str(run), "digit.png", "--top", "2", "--sheet", "sheet.svg", "--device", "cpu"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("digit.png  ")
    assert (folder / "sheet.svg").exists()


def test_resume(folder: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["train", "small.cnn", "--out", "run", "--epochs", "1"]) == 0
    assert main(["train", "small.cnn", "--out", "run", "--epochs", "1"]) == 2
    assert "run holds a run already: --resume run goes on with it" in capsys.readouterr().err
    assert main(["train", "small.cnn", "--resume", "run", "--optimizer.lr", "0.5"]) == 1
    assert "optimizer" in capsys.readouterr().err
    assert main(["train", "small.cnn", "--resume", "nothing"]) != 0
    assert main(["train", "small.cnn", "--resume"]) == 2
    assert "there is no run of Small in runs/ to go on with" in capsys.readouterr().err


WRONG = [
    (["train", "small.cnn", "--epoch", "3"], 2, "there is no option or setting --epoch, did you mean --epochs?"),
    (["train", "small.cnn", "--epochs", "0"], 1, "`epochs` can't be 0"),
    (["train", "small.cnn", "--optimizer", "Adamm"], 1, "did you mean `Adam`?"),
    (["train", "small.cnn", "--optimizer.lrr", "1"], 1, "did you mean `lr`?"),
    (["train", "small.cnn", "--set", "batch"], 2, "--set takes NAME=VALUE"),
    (["train", "small.cnn", "--set", "batch=3 +"], 2, "--batch: the value can't be read"),
    (["train", "small.cnn", "--epochs"], 2, "--epochs needs a value"),
    (["train", "small.cnn", "extra"], 2, "'extra' can't stand here"),
    (["train", "small.cnn", "--recipe", "d3l"], 2, "there is no recipe 'd3l', did you mean `d2l`?"),
    (["train", "small.cnn", "--data", "FashionMini"], 1, "the images of FashionMini are 1 x 28 x 28"),
    (["train", "small.cnn", "--device", "cuda"], 2, "cuda"),
    (["train", "missing.cnn"], 2, "can't read missing.cnn"),
    (
        ["train", "small.cnn", "--data", 'ImageFolder(path="nowhere", size=9)'],
        1,
        "the images of ImageFolder are 3 x 9 x 9",
    ),
    (["train", "small.cnn", "--data", "MNIST"], 1, "the images of MNIST are 1 x 28 x 28"),
    (["evaluate", "nowhere"], 2, "there is no file or folder nowhere"),
    (["predict", "nowhere", "x.png"], 2, "nowhere"),
]


@pytest.mark.parametrize(("arguments", "code", "error"), WRONG, ids=[" ".join(case[0]) for case in WRONG])
def test_mistakes(folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, error: str):
    assert main(arguments) == code
    assert error in capsys.readouterr().err


def test_missing_data_says_where_it_looked(folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch):
    monkeypatch.setenv("CNNSPEC_DATA", str(folder / "empty"))
    (folder / "mnist.cnn").write_text(SPEC.replace("[1, 8, 8]", "[1, 28, 28]").replace("Digits", "MNIST"))
    assert main(["train", "mnist.cnn"]) == 2
    error = capsys.readouterr().err
    assert "MNIST" in error
    assert str(folder / "empty") in error
    assert "--download" in error


def test_dry_run_tells_what_to_expect(folder: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["train", "small.cnn", "--dry-run", "--device", "cpu"]) == 0
    out = capsys.readouterr().out
    assert "epoch" in out
    assert "MB" in out
    assert "kB of them are tensors of a step of" in out
    assert not (folder / "runs").exists()


def test_overfit_one_batch(folder: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["train", "small.cnn", "--overfit-one-batch", "--epochs", "40", "--device", "cpu"]) == 0
    assert not (folder / "runs").exists()


def test_training_needs_torch(folder: Path):
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "import importlib.util as u; real = u.find_spec\n"
        "u.find_spec = lambda name, *a: None if name == 'torch' else real(name, *a)\n"
        "from cnnspec.cli.main import main; sys.exit(main(['train', 'small.cnn']))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 2
    assert run.stderr == "cnnspec: training needs PyTorch: pip install 'cnnspec[torch]'\n"


def test_two_processes(folder: Path):
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "cnnspec", "train", "small.cnn", "--device", "cpu", "--nproc", "2", "--out", "two"]
    run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=240, env=environment)
    assert run.returncode == 0, run.stderr[-2000:]
    assert run.stdout.count("2/2") == 1, "one process talks"
    assert json.loads((folder / "two" / "run.json").read_text())["processes"] == 2


def test_the_page_on_training_has_every_setting():
    from tools.make_settings_table import PAGE, page_with_table, table

    page = PAGE.read_text(encoding="utf-8")
    assert page == page_with_table(page), "python -m tools.make_settings_table"
    assert table() in page


UNREADABLE = ["missing", "pipe", "dangling", "loop", "a" * 300, "small.cnn/x", os.devnull]
READING = {
    "evaluate": ["evaluate", "PATH"],
    "predict": ["predict", "PATH", "x.png"],
    "predict a picture": ["predict", "run", "PATH"],
    "weights": ["weights", "small.cnn", "PATH"],
    "resume": ["train", "--resume", "PATH"],
    "weights of a recipe": ["train", "small.cnn", "--weights", "PATH"],
    "folder": ["train", "small.cnn", "--data", "PATH", "--set", "data=ImageFolder"],
    "npz": ["train", "small.cnn", "--data", "PATH", "--set", "data=Npz"],
    "idx": ["train", "small.cnn", "--data", "PATH", "--set", "data=KMNIST"],
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    (folder / "small.cnn").write_text(SPEC.replace("[1, 8, 8]", "[1, 28, 28]").replace("Digits", "FashionMini"))
    with contextlib.chdir(folder):
        assert main(["train", "small.cnn", "--epochs", "1", "--out", "run", "--device", "cpu"]) == 0
    os.mkfifo(folder / "pipe")
    (folder / "dangling").symlink_to("nowhere")
    (folder / "loop").symlink_to("loop")
    return folder


@pytest.mark.parametrize("path", UNREADABLE, ids=lambda path: path[:12])
@pytest.mark.parametrize("command", READING)
def test_a_path_that_cannot_be_read_is_2(
    trained: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: str, path: str
):
    monkeypatch.chdir(trained)
    assert main([path if word == "PATH" else word for word in READING[command]]) == 2
    printed = capsys.readouterr().err
    assert "Traceback" not in printed
    assert path[:12] in printed or "is not on this machine" in printed


def test_a_string_is_an_option_as_it_is(folder: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["train", "small.cnn", "--epochs=1", "--out=run", "--best=accuracy", "--precision", "bfloat16"]) == 0
    assert main(["train", "small.cnn", "--epochs=1", "--out=more", "--weights", "run/model.safetensors"]) == 0
    assert "starts from 4 weights" in capsys.readouterr().out
    assert main(["train", "small.cnn", "--validation", "0.2", "--dry-run"]) == 0
    assert main(["train", "small.cnn", "--precision", "halt", "--dry-run"]) == 1
    assert '`precision` can\'t be "halt"' in capsys.readouterr().err


def test_a_network_for_many_sizes_is_trained_at_that_of_the_data(folder: Path, capsys: pytest.CaptureFixture[str]):
    sized = SPEC.replace("[1, 8, 8]", "[1, H, W] where H % {0} == 0, W % {0} == 0").replace(
        "Flatten", "AdaptiveAvgPool2d(4)\n    Flatten"
    )
    (folder / "sized.cnn").write_text(sized.replace("{0}", "4"))
    for augment, side in (("[]", 8), ("[Resize(16)]", 16)):
        assert main(["train", "sized.cnn", "--dry-run", "--device", "cpu", "--augment", augment]) == 0
        graph = cnnspec.load("sized.cnn", H=side, W=side).graph
        assert f"{size(training_step(graph, 32, optimizer='AdamW').peak)} of them" in capsys.readouterr().out
    assert main(["train", "sized.cnn", "--out", "run", "--epochs", "1", "--device", "cpu"]) == 0
    assert main(["evaluate", "run", "--device", "cpu"]) == 0
    (folder / "sized.cnn").write_text(sized.replace("{0}", "5"))
    assert main(["train", "sized.cnn", "--dry-run"]) == 1
    assert "the images of Digits are 1 x 8 x 8, but Small takes 1 x H x W" in capsys.readouterr().err
