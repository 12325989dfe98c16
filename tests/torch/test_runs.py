"""Runs as people carry them out: interrupted, moved, resumed, with broken files, several at once, from Python."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

import cnnspec
from cnnspec.cli.main import main
from cnnspec.errors import TrainError
from cnnspec.recipe.datasets import ImageFolder
from cnnspec.training import checkpoint
from cnnspec.training.data.load import DataError, load_data
from cnnspec.training.evaluate import evaluate, predict
from cnnspec.training.report.run_record import Snapshot, git_revision

ROOT = Path(__file__).parent.parent.parent
torch.set_num_threads(1)
SPEC = (
    "model Small { input [1, 8, 8]; Conv2d(4, 3, padding=1); ReLU; Flatten; Linear(10) }\n"
    "train { data = Digits; epochs = 3 }\n"
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.cnn").write_text(SPEC)
    return tmp_path


def pictures(root: Path, classes: tuple[str, ...] = ("cat", "dog"), count: int = 12) -> Path:
    """Pictures in class folders, dark ones and bright ones."""
    image = pytest.importorskip("PIL.Image")
    for label, name in enumerate(classes):
        (root / name).mkdir(parents=True)
        for index in range(count):
            image.new("L", (8, 8), 40 + 150 * label + index).save(root / name / f"{index}.png")
    return root


# --- resuming and moving ---


def test_a_run_goes_on_with_its_own_recipe_and_options_on_top(folder: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["train", "small.cnn", "--epochs", "1", "--optimizer.lr", "0.01", "--scheduler", "none"]) == 0
    assert main(["train", "small.cnn", "--resume"]) == 0
    assert "the run is finished" in capsys.readouterr().out
    assert main(["train", "small.cnn", "--resume", "--epochs", "2"]) == 0
    state = checkpoint.load(folder / "runs" / "Small-1" / "last.pt")
    assert (state["epoch"], state["recipe"]["optimizer"]) == (2, "AdamW(lr=0.01)")
    assert main(["train", "--resume", "runs/Small-1", "--epochs", "3"]) == 0
    assert main(["train", "small.cnn", "--resume", "runs/Small-1", "--out", "other"]) == 2
    assert "leave out --out" in capsys.readouterr().err


def test_a_run_of_a_variant_of_an_imported_model_moves_alone(folder: Path):
    (folder / "base.cnn").write_text(
        "model Net(width) { input [1, 8, 8]; Conv2d(width, 3); ReLU; Flatten; Linear(10) }\n"
    )
    recipe = SPEC.partition("\n")[2]
    (folder / "small.cnn").write_text(f'from "base.cnn" import Net\nmodel Small = Net(4)\n{recipe}')
    assert main(["train", "small.cnn", "--epochs", "1", "--out", "run"]) == 0
    for name in ("base.cnn", "small.cnn"):
        (folder / name).unlink()
    assert main(["evaluate", "run"]) == 0
    assert main(["train", "--resume", "run", "--epochs", "2"]) == 0


def test_a_run_of_a_spec_with_imports_moves_alone(folder: Path, monkeypatch: pytest.MonkeyPatch):
    (folder / "specs" / "nets").mkdir(parents=True)
    (folder / "specs" / "cnnspec.toml").touch()
    (folder / "specs" / "blocks.cnn").write_text("block Unit(c) { Conv2d(c, 3, padding=1); ReLU }\n")
    text = 'from "../blocks.cnn" import Unit\nmodel M { input [1, 8, 8]; Unit(4); Flatten; Linear(10) }\n'
    (folder / "specs" / "nets" / "m.cnn").write_text(text)
    assert main(["train", "specs/nets/m.cnn", "--data", "Digits", "--epochs", "1", "--out", "run"]) == 0
    found = evaluate("run")
    elsewhere = folder / "elsewhere"
    shutil.move("run", elsewhere)
    shutil.rmtree(folder / "specs")
    monkeypatch.chdir("/")
    assert evaluate(elsewhere).loss == found.loss
    assert cnnspec.load(elsewhere / "spec" / "nets" / "m.cnn").output == (10,)
    state = checkpoint.load(elsewhere / "last.pt")
    state["spec"]["files"] = {"../../stolen.cnn": "", "b.cnn": ""}
    torch.save(state, elsewhere / "best.pt")
    with pytest.raises(TrainError, match="a name that is none of a spec"):
        evaluate(elsewhere)
    assert not (folder / "stolen.cnn").exists()


# --- safety ---


def test_nothing_is_run_that_the_folder_of_a_spec_names(folder: Path):
    """git itself would start the program that core.fsmonitor names."""
    git = folder / ".git"
    (git / "refs" / "heads").mkdir(parents=True)
    (git / "hooks").mkdir()
    (git / "HEAD").write_text("ref: refs/heads/main\n")
    (git / "refs" / "heads" / "main").write_text("a" * 40 + "\n")
    stolen = folder / "stolen"
    (git / "config").write_text(
        f"[core]\n\trepositoryformatversion = 0\n\tfsmonitor = touch {stolen}; false\n\tpager = x\n"
    )
    assert main(["train", "small.cnn", "--epochs", "1", "--out", "run"]) == 0
    assert not stolen.exists()
    assert json.loads((folder / "run" / "run.json").read_text())["git_revision"] == "a" * 40


@pytest.mark.parametrize(
    ("head", "packed", "found"),
    [
        ("b" * 40, "", "b" * 40),
        ("ref: refs/heads/x", f"# pack-refs\n{'c' * 40} refs/heads/x\n^{'d' * 40}\n", "c" * 40),
        ("ref: refs/heads/none", "", None),
        ("ref: ../../../etc/passwd", "", None),
        ("ref: refs/heads/../../../x", "", None),
        ("hello", "", None),
    ],
)
def test_the_revision_is_read_from_files(tmp_path: Path, head: str, packed: str, found: str | None):
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "HEAD").write_text(head)
    (tmp_path / ".git" / "packed-refs").write_text(packed)
    assert git_revision(tmp_path / "below" / "it") == found


def test_the_revision_of_a_pipe_and_of_a_work_tree(tmp_path: Path):
    (tmp_path / "main" / ".git" / "worktrees" / "w").mkdir(parents=True)
    (tmp_path / "main" / ".git" / "packed-refs").write_text(f"{'e' * 40} refs/heads/w\n")
    (tmp_path / "main" / ".git" / "worktrees" / "w" / "HEAD").write_text("ref: refs/heads/w\n")
    (tmp_path / "main" / ".git" / "worktrees" / "w" / "commondir").write_text("../..\n")
    (tmp_path / "w").mkdir()
    (tmp_path / "w" / ".git").write_text(f"gitdir: {tmp_path / 'main' / '.git' / 'worktrees' / 'w'}\n")
    assert git_revision(tmp_path / "w") == "e" * 40
    (tmp_path / "p" / ".git").mkdir(parents=True)
    os.mkfifo(tmp_path / "p" / ".git" / "HEAD")
    assert git_revision(tmp_path / "p") is None


# --- data ---


def test_what_was_left_out_is_named_counted_and_remembered(folder: Path, capsys: pytest.CaptureFixture[str]):
    root = pictures(folder / "pets")
    (root / "cat" / "3.png").write_bytes(b"no picture")
    text = "model P { input [1, 8, 8]; Flatten; Linear(2) }\ntrain { data = ImageFolder(channels=1); epochs = 1 }\n"
    (folder / "p.cnn").write_text(text)
    assert main(["train", "p.cnn", "--data", "pets", "--out", "run"]) != 0
    assert main(["train", "p.cnn", "--data", "pets", "--out", "run", "--skip-broken"]) == 0
    assert "left out, 1 in all: pets/cat/3.png is no picture" in capsys.readouterr().out
    snapshot = Snapshot.model_validate_json((folder / "run" / "run.json").read_text())
    assert "3.png" in snapshot.skipped[0]
    assert main(["evaluate", "run"]) == 0
    assert main(["train", "p.cnn", "--resume", "run", "--epochs", "2"]) == 0


def test_other_data_that_is_not_divided_is_evaluated_whole(folder: Path, capsys: pytest.CaptureFixture[str]):
    text = "model P { input [1, 8, 8]; Flatten; Linear(2) }\ntrain { data = ImageFolder(channels=1); epochs = 1 }\n"
    (folder / "p.cnn").write_text(text)
    pictures(folder / "pets")
    assert main(["train", "p.cnn", "--data", "pets", "--out", "run"]) == 0
    pictures(folder / "more", ("dog",), 7)
    assert main(["evaluate", "run", "--data", "more"]) == 0
    assert "7 images of ImageFolder from more" in capsys.readouterr().out
    pictures(folder / "birds", ("bird",), 3)
    assert main(["evaluate", "run", "--data", "birds"]) == 1
    assert "a class that the model does not know: bird" in capsys.readouterr().err


def test_a_bad_picture_keeps_the_others(folder: Path, capsys: pytest.CaptureFixture[str]):
    text = "model P { input [1, 8, 8]; Flatten; Linear(2) }\ntrain { data = ImageFolder(channels=1); epochs = 1 }\n"
    (folder / "p.cnn").write_text(text)
    root = pictures(folder / "pets")
    assert main(["train", "p.cnn", "--data", "pets", "--out", "run"]) == 0
    (folder / "bad.png").write_bytes(b"x")
    capsys.readouterr()
    good = str(root / "cat" / "0.png")
    assert main(["predict", "run", good, "bad.png", str(root / "dog" / "1.png"), "--sheet", "s.svg"]) == 1
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 2
    assert "bad.png is no picture" in err
    assert "1 of 3 images can't be read" in err
    assert main(["predict", "run", good, "bad.png", "--skip-broken", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["label"] in ("cat", "dog")
    assert main(["predict", "run", good, "none.png", "--format", "csv"]) == 2
    assert capsys.readouterr().out.startswith("file,label,probability\n")
    assert [item.label for item in predict("run", good)] == [predict("run", [good, good])[1].label]


def test_masks_and_images_are_written(folder: Path, capsys: pytest.CaptureFixture[str]):
    image = pytest.importorskip("PIL.Image")
    text = (
        "model A { input [1, 8, 8]; Conv2d(1, kernel_size=3, padding=1) }\n"
        "train { data = ImageFolder(channels=1); loss = MSELoss; epochs = 1 }\n"
    )
    (folder / "a.cnn").write_text(text)
    root = pictures(folder / "pets")
    assert main(["train", "a.cnn", "--data", "pets", "--out", "run"]) == 0
    assert "image to image" in capsys.readouterr().out
    assert main(["predict", "run", str(root / "cat"), "--out", "made"]) == 0
    assert len(list((folder / "made").iterdir())) == 12
    assert image.open(folder / "made" / "3.png").size == (8, 8)


def test_replaced_pictures_of_a_stream_are_other_data(folder: Path):
    root = pictures(folder / "pets")
    before = load_data(ImageFolder(channels=1), path=root, memory=0, workers=0).train.fingerprint()
    assert load_data(ImageFolder(channels=1), path=root, memory=0, workers=0).train.fingerprint() == before
    for path in (root / "cat").iterdir():
        path.write_bytes(path.read_bytes() + b" ")
    assert load_data(ImageFolder(channels=1), path=root, memory=0, workers=0).train.fingerprint() != before


def test_a_label_that_is_far_out_of_range(tmp_path: Path):
    numpy = pytest.importorskip("numpy")
    numpy.savez(tmp_path / "a.npz", x=numpy.zeros((4, 8, 8), "u1"), y=numpy.array([0, 1, 10**9, 1]))
    with pytest.raises(DataError, match="has a label 1,000,000,000 here"):
        load_data("Npz", path=tmp_path / "a.npz")


@pytest.mark.parametrize("kind", [">i8", ">u2", "u8", "<i4", "?"])
def test_labels_of_any_whole_type(tmp_path: Path, kind: str):
    numpy = pytest.importorskip("numpy")
    labels = numpy.array([0, 1] * 10).astype(kind)
    numpy.savez(tmp_path / "a.npz", x=numpy.zeros((20, 8, 8), "u1"), y=labels)
    data = load_data("Npz", path=tmp_path / "a.npz")
    assert data.train.targets.bincount().tolist() == [8, 8]  # type: ignore[union-attr]


def test_a_rest_of_one_image_with_batch_norm_is_told_before(folder: Path, capsys: pytest.CaptureFixture[str]):
    text = "model B { input [1, 8, 8]; Flatten; Linear(4); BatchNorm1d; Linear(10) }\ntrain { data = Digits; epochs = 1 }\n"
    (folder / "b.cnn").write_text(text)
    assert main(["train", "b.cnn", "--batch", "716", "--out", "run"]) == 1
    assert "drop_last = true, helps" in capsys.readouterr().err
    assert main(["train", "b.cnn", "--batch", "716", "--drop_last", "true", "--out", "run"]) == 0


def test_a_run_that_is_not_finite_says_so_once(folder: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["train", "small.cnn", "--optimizer", "SGD(lr=1e30)", "--out", "run"]) == 1
    out, err = capsys.readouterr()
    assert err.count("became") == 1
    assert "became" not in out
    assert "checkpoints are in" not in out


# --- several processes and signals ---


def command(*words: str) -> subprocess.Popen[str]:
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, "-m", "cnnspec", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=environment,
    )  # fmt: skip


def wait_for(path: Path, process: subprocess.Popen[str]) -> None:
    until = time.monotonic() + 120
    while not path.exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until
        time.sleep(0.05)


def children_of(pid: int) -> list[int]:
    """Processes whose parent is `pid`."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except (OSError, IndexError):
            continue
        if entry.name.isdecimal() and fields[1] == str(pid):
            found.append(int(entry.name))
    return found


@pytest.mark.skipif(not Path("/proc").exists(), reason="looks at processes in /proc")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_reaches_every_process(folder: Path, number: int):
    process = command("train", "small.cnn", "--epochs", "500", "--nproc", "2", "--out", "run", "--device", "cpu")
    wait_for(folder / "run" / "last.pt", process)
    workers = children_of(process.pid)
    assert len(workers) == 2
    process.send_signal(number)
    _, error = process.communicate(timeout=100)
    assert process.returncode == 130
    assert "Traceback" not in error
    assert not any(Path(f"/proc/{pid}").exists() for pid in workers)
    assert checkpoint.load(folder / "run" / "last.pt")["finished"] == ""


@pytest.mark.skipif(not Path("/proc").exists(), reason="looks at processes in /proc")
def test_a_process_that_is_killed_ends_the_others_in_a_line(folder: Path):
    process = command("train", "small.cnn", "--epochs", "500", "--nproc", "2", "--out", "run", "--device", "cpu")
    wait_for(folder / "run" / "last.pt", process)
    workers = children_of(process.pid)
    os.kill(max(workers), signal.SIGKILL)
    _, error = process.communicate(timeout=100)
    assert process.returncode == 1
    assert "Traceback" not in error
    assert "was ended by signal 9; the others were stopped" in error
    assert not any(Path(f"/proc/{pid}").exists() for pid in workers)


def test_two_runs_at_once_take_two_folders(folder: Path):
    words = ("train", "small.cnn", "--epochs", "1", "--device", "cpu")
    processes = [command(*words), command(*words)]
    for process in processes:
        _, error = process.communicate(timeout=150)
        assert process.returncode == 0, error
    assert sorted(path.name for path in (folder / "runs").iterdir()) == ["Small-1", "Small-2"]
    for path in (folder / "runs").iterdir():
        assert len((path / "metrics.jsonl").read_text().splitlines()) == 1


# --- from Python ---


def test_what_runs_give_prints_short():
    run = cnnspec.train(cnnspec.loads(SPEC), {"epochs": 1}, device="cpu")
    assert repr(run).startswith("<Run finished: 1 epoch, loss ")
    found = cnnspec.evaluate(run)
    assert repr(found).startswith("<Evaluation of 364 samples: loss ")
    assert max(map(len, map(repr, (run, found, run.model)))) < 200


CLIENT = """
import cnnspec

run = cnnspec.train("lenet.cnn", {"epochs": 3}, out="run", device="cpu")
loss: float = run.history[-1].train_loss
found = cnnspec.evaluate("run")
labels: list[str] = [item.label for item in cnnspec.predict(run, "x.png")]
accuracy: float = found.metrics["accuracy"]

cnnspec.train("lenet.cnn", epoch=3)
wrong: str = run.history[-1].train_loss
"""


def test_a_client_script_passes_a_strict_type_checker(tmp_path: Path):
    """The types of our own functions; those of other packages are not read, which takes mypy half a minute."""
    pytest.importorskip("mypy")
    (tmp_path / "client.py").write_text(CLIENT)
    others = ("torch", "numpy", "pydantic", "lark", "rich", "PIL", "safetensors")
    skipped = "".join(f"[mypy-{name}.*]\nfollow_imports = skip\nfollow_imports_for_stubs = true\n" for name in others)
    (tmp_path / "mypy.ini").write_text(f"[mypy]\nstrict = true\nfollow_imports = silent\n{skipped}")
    run = subprocess.run(
        [sys.executable, "-m", "mypy", "--cache-dir", os.devnull, "client.py"],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"MYPYPATH": str(ROOT)},
        cwd=tmp_path,
    )
    errors = [line.rpartition("  ")[2] for line in run.stdout.splitlines() if ": error: " in line]
    assert errors == ["[call-arg]", "[assignment]"], run.stdout


# --- splits by the names of folders ---


@pytest.mark.parametrize(
    ("train", "test"),
    [("Training", "Testing"), ("Train", "Test"), ("seg_train/seg_train", "seg_test/seg_test"), ("train", "val")],
)  # fmt: skip
def test_splits_as_people_name_them(tmp_path: Path, train: str, test: str):
    pictures(tmp_path / train, count=6)
    pictures(tmp_path / test, count=2)
    data = load_data(ImageFolder(channels=1), path=tmp_path)
    assert (len(data.train), len(data.test or ()), data.validation, data.classes) == (12, 4, None, ["cat", "dog"])


def test_a_validation_folder_beside_a_test_folder(tmp_path: Path):
    for name, count in (("train", 6), ("val", 3), ("test", 2)):
        pictures(tmp_path / name, count=count)
    data = load_data(ImageFolder(channels=1), path=tmp_path)
    assert [len(split) for split in data.splits] == [12, 6, 4]


def test_a_split_that_would_be_read_as_a_class_is_refused(tmp_path: Path):
    pictures(tmp_path, ("cat", "dog", "Test"), 3)
    with pytest.raises(DataError, match="holds a folder Test beside classes, and none for training"):
        load_data(ImageFolder(channels=1), path=tmp_path)
