"""Checkpoints: whole or absent, read without running anything, resumed to the same bits, refused where they don't fit."""

from __future__ import annotations

import hashlib
import math
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

import cnnspec
from cnnspec.errors import CheckpointError, TrainError
from cnnspec.training import checkpoint
from cnnspec.training.data.load import load_data
from cnnspec.training.evaluate import evaluate, predict
from cnnspec.training.folder import NewFolder, numbered
from cnnspec.training.keeper import Keeper
from cnnspec.training.progress import Progress
from cnnspec.training.restore import recipe_from
from cnnspec.training.start import Options, train
from tests.sampling import amount

torch.set_num_threads(1)
ROOT = Path(__file__).parent.parent.parent
KILLS = amount(10, 100)

SPEC = """
model Small(width = 8) {
    input [1, 8, 8]
    Conv2d(width, 3, padding=1)
    BatchNorm2d
    ReLU
    MaxPool2d(2)
    Dropout(0.2)
    Flatten
    Linear(10)
}
"""
SETTINGS = {
    "data": "Digits", "epochs": "3", "batch": "100", "optimizer": "SGD(lr=0.1, momentum=0.9)", "warmup": "0.5", "ema": "0.9",
    "scheduler": "CosineAnnealingLR(T_max=5)", "augment": "[RandomCrop(8, padding=1)]", "early_stopping": "3",
}  # fmt: skip

# Trains in a process of its own and prints the hash of all that the checkpoint holds of the run.
PROGRAM = """
import sys, hashlib, torch
torch.set_num_threads(1)
sys.path.insert(0, {root!r})
from tests.torch.test_checkpoint import *
class Slow:
    every_step = True
    def on_step(self, event): time.sleep({pause!r})
out, resume = sys.argv[1], len(sys.argv) > 2
run = train(cnnspec.loads(SPEC), recipe_from(SETTINGS), DIGITS(), out=out, resume=resume, device="cpu",
            options=Options(save_steps=3), callbacks=[Slow()] if {pause!r} else [])
print("done", flush=True)
"""


def DIGITS():
    return load_data("Digits")


def recipe(**changes: str):
    return recipe_from(SETTINGS | changes)


def small(**parameters: int) -> cnnspec.Spec:
    return cnnspec.loads(SPEC, **parameters)


def fingerprint(path: Path) -> str:
    """Hash of the weights, the optimizer's state, the average and the measured numbers of a checkpoint."""
    state = checkpoint.load(path)
    found = hashlib.sha256()

    def feed(value: object) -> None:
        if isinstance(value, torch.Tensor):
            found.update(value.contiguous().numpy().tobytes())
        elif isinstance(value, dict):
            for key in sorted(value, key=str):
                if "second" not in str(key):
                    found.update(str(key).encode())
                    feed(value[key])
        elif isinstance(value, list | tuple):
            for item in value:
                feed(item)
        else:
            found.update(repr(value).encode())

    feed({key: state[key] for key in state if key not in ("versions", "spec")})
    return found.hexdigest()


def start(out: Path, *, resume: bool = False, pause: float = 0.0) -> subprocess.Popen[str]:
    code = PROGRAM.format(root=str(ROOT), pause=pause)
    command = [sys.executable, "-c", code, str(out), *(["resume"] if resume else [])]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT)


def finish(process: subprocess.Popen[str]) -> str:
    out, error = process.communicate(timeout=300)
    assert process.returncode == 0, error
    return out


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The fingerprint of a run that nothing interrupted."""
    out = tmp_path_factory.mktemp("whole")
    train(small(), recipe(), DIGITS(), out=out, device="cpu")
    return fingerprint(out / "last.pt")


class StopAfter:
    """Interrupts a run after a number of steps, in the way of Ctrl-C."""

    every_step = True

    def __init__(self, steps: int) -> None:
        self.left = steps

    def on_step(self, event: object) -> None:
        self.left -= 1
        if self.left == 0:
            signal.raise_signal(signal.SIGINT)


@pytest.fixture(params=[False, True], ids=["at once", "by a thread"])
def writing(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """On an accelerator, a thread writes."""
    monkeypatch.setattr(Keeper, "in_background", request.param)


@pytest.mark.usefixtures("writing")
@pytest.mark.parametrize("steps", [1, 7, 15, 16, 30])
def test_an_interrupted_run_goes_on_to_the_same_bits(tmp_path: Path, whole: str, steps: int):
    stopped = train(small(), recipe(), DIGITS(), out=tmp_path, device="cpu", callbacks=[StopAfter(steps)])
    assert stopped.reason == "interrupted"
    assert "--resume" in stopped.text
    run = train(small(), recipe(), DIGITS(), out=tmp_path, device="cpu", resume=True)
    assert (run.reason, len(run.history)) == ("finished", 3)
    assert fingerprint(tmp_path / "last.pt") == whole


def test_killed_at_any_moment_a_run_goes_on_to_the_same_bits(tmp_path: Path, whole: str):
    """`kill -9` at random moments. Every resumption may be killed again."""
    chance = random.Random(KILLS)
    kills, runs = 0, 0
    while kills < KILLS:
        out = tmp_path / str(runs)
        runs += 1
        while True:
            saved = (out / "last.pt").exists()
            process = start(out, resume=saved, pause=0.02)
            # From the moment at which something is saved: before it there is nothing to lose.
            while process.poll() is None and not (out / "last.pt").exists():
                time.sleep(0.002)
            try:
                process.wait(timeout=chance.uniform(0.0, 0.9) + (2.0 if saved else 0.0))
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
                kills += 1
                checkpoint.load(out / "last.pt")
                if kills < KILLS:
                    continue
                finish(start(out, resume=True))
            else:
                finish(process)
            break
        assert fingerprint(out / "last.pt") == whole
        assert not list(out.glob(".*.tmp.*"))


def test_sigterm_finishes_the_step_and_saves(tmp_path: Path, whole: str):
    process = start(tmp_path, pause=0.05)
    while not (tmp_path / "last.pt").exists():
        assert process.poll() is None
        time.sleep(0.01)
    process.terminate()
    finish(process)
    assert checkpoint.load(tmp_path / "last.pt")["finished"] == ""
    train(small(), recipe(), DIGITS(), out=tmp_path, device="cpu", resume=True)
    assert fingerprint(tmp_path / "last.pt") == whole


class Payload:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("touch stolen",)


@pytest.mark.parametrize("value", [Payload(), {"model": Payload()}, os.system], ids=["payload", "inside", "function"])
def test_a_malicious_pickle_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: object):
    monkeypatch.chdir(tmp_path)
    torch.save(value, "last.pt")
    with pytest.raises(CheckpointError, match="more than tensors"):
        train(small(), recipe(), DIGITS(), out=".", resume=True)
    with pytest.raises(CheckpointError, match="more than tensors"):
        evaluate(tmp_path / "last.pt")
    assert not Path("stolen").exists()


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("saved")
    train(small(), recipe(), DIGITS(), out=out, device="cpu")
    return out


def copy_of(saved: Path, tmp_path: Path) -> Path:
    for name in ("last.pt", "best.pt"):
        (tmp_path / name).write_bytes((saved / name).read_bytes())
    return tmp_path / "last.pt"


def test_a_damaged_file_is_refused(saved: Path, tmp_path: Path):
    path = copy_of(saved, tmp_path)
    content = path.read_bytes()
    damaged = [content[:size] for size in (0, 1, 100, len(content) // 2, len(content) - 1)]
    chance = random.Random(1)
    for _ in range(25):
        flipped = bytearray(content)
        flipped[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
        damaged.append(bytes(flipped))
    refused = 0
    for broken in damaged:
        path.write_bytes(broken)
        refused += is_refused(tmp_path)
    # Headers and padding of the zip are in no checksum: what changes there has no consequence.
    assert refused >= 20


def is_refused(folder: Path) -> bool:
    """Whether a run can't be resumed."""
    try:
        train(small(), recipe(), DIGITS(), out=folder, device="cpu", resume=True)
    except CheckpointError as error:
        return "\n" not in str(error)
    return False


@pytest.mark.parametrize(
    "content",
    [{}, [], 3, {"format": 99}, {"format": 2, "digest": 5}, torch.zeros(3), {"a": torch.zeros(3)}],
    ids=repr,
)
def test_a_foreign_file_is_refused(tmp_path: Path, content: object):
    torch.save(content, tmp_path / "last.pt")
    with pytest.raises(CheckpointError, match="no checkpoint of cnnspec"):
        train(small(), recipe(), DIGITS(), out=tmp_path, resume=True)


def test_a_checkpoint_of_an_earlier_version_says_so(saved: Path, tmp_path: Path):
    state = torch.load(saved / "last.pt", weights_only=True)
    torch.save(state | {"format": 1}, tmp_path / "last.pt")
    with pytest.raises(
        CheckpointError, match="its format is 1, this version reads 2: train anew, or go on with the version"
    ):
        checkpoint.load(tmp_path / "last.pt")


def test_weights_of_another_shape_are_refused(saved: Path, tmp_path: Path):
    path = copy_of(saved, tmp_path)
    state = checkpoint.load(path)
    state["model"]["0.weight"] = torch.zeros(8, 1, 5, 5)
    torch.save(state, path)
    with pytest.raises(CheckpointError, match=r"'0.weight' are float32 \[8, 1, 5, 5\] in the checkpoint"):
        train(small(), recipe(), DIGITS(), out=tmp_path, resume=True)


def test_states_that_do_not_fit_are_refused(saved: Path, tmp_path: Path):
    path = copy_of(saved, tmp_path)
    for key, value in {
        "optimizer": {},
        "scheduler": None,
        "average": {"steps": 1},
        "sums": [],
        "history": [{}],
    }.items():
        state = checkpoint.load(copy_of(saved, tmp_path))
        state[key] = value
        torch.save(state, path)
        with pytest.raises(CheckpointError):
            train(small(), recipe(), DIGITS(), out=tmp_path, resume=True)


def test_another_architecture_is_refused(saved: Path, tmp_path: Path):
    copy_of(saved, tmp_path)
    with pytest.raises(CheckpointError, match="another architecture"):
        train(small(width=9), recipe(), DIGITS(), out=tmp_path, resume=True)
    # Names and comments are no difference.
    same = cnnspec.loads(
        "# Other words.\n" + SPEC.replace("Small(width = 8)", "Tiny(channels = 8)").replace("width", "channels")
    )
    assert train(same, recipe(), DIGITS(), out=tmp_path, resume=True).reason == "finished"


def test_another_recipe_is_refused_with_the_difference(saved: Path, tmp_path: Path):
    copy_of(saved, tmp_path)
    with pytest.raises(CheckpointError, match=r"optimizer: SGD\(lr=0.1, momentum=0.9\) -> SGD\(lr=0.2\); seed: 0 -> 1"):
        train(small(), recipe(optimizer="SGD(lr=0.2)", seed="1"), DIGITS(), out=tmp_path, resume=True)
    with pytest.raises(CheckpointError, match=r"epochs: 3 -> 2 \(epochs may only rise\)"):
        train(small(), recipe(epochs="2"), DIGITS(), out=tmp_path, resume=True)


def test_more_epochs_go_on(tmp_path: Path):
    train(small(), recipe(epochs="1"), DIGITS(), out=tmp_path, device="cpu")
    run = train(small(), recipe(epochs="3"), DIGITS(), out=tmp_path, device="cpu", resume=True)
    assert [epoch.epoch for epoch in run.history] == [1, 2, 3]
    again = train(small(), recipe(epochs="3"), DIGITS(), out=tmp_path, device="cpu", resume=True)
    assert "is finished" in again.text


class Notices(list):  # type: ignore[type-arg]
    def on_notice(self, event: object) -> None:
        self.append(event)


@pytest.mark.parametrize("scheduler", ["CosineAnnealingLR", "OneCycleLR(0.1)"])
def test_a_schedule_over_all_epochs_is_laid_out_anew(tmp_path: Path, scheduler: str):
    settings = {"scheduler": scheduler, "warmup": "0"}
    whole = train(small(), recipe(**settings, epochs="3"), DIGITS(), device="cpu").history
    train(small(), recipe(**settings, epochs="1"), DIGITS(), out=tmp_path, device="cpu")
    notices = Notices()
    run = train(
        small(), recipe(**settings, epochs="3"), DIGITS(), out=tmp_path, device="cpu", resume=True, callbacks=[notices]
    )
    assert "laid out anew, over 3 epochs" in notices[0].text
    rates, expected = ([epoch.learning_rate for epoch in history[1:]] for history in (run.history, whole))
    assert rates == pytest.approx(expected)


def test_a_folder_with_a_run_is_not_overwritten(saved: Path):
    with pytest.raises(TrainError, match="holds a run already"):
        train(small(), recipe(), DIGITS(), out=saved)


def test_resuming_nothing(tmp_path: Path):
    with pytest.raises(CheckpointError, match=r"holds no last.pt"):
        train(small(), recipe(), DIGITS(), out=tmp_path, resume=True)
    with pytest.raises(CheckpointError, match="without a folder"):
        train(small(), recipe(), DIGITS(), resume=True)


class Full:
    """A disk that is full from an epoch on, up to another."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, first: int, last: int = 99) -> None:
        self.monkeypatch, self.first, self.last = monkeypatch, first, last

    def on_epoch(self, event: object) -> None:
        def refuse(descriptor: int) -> None:
            raise OSError(28, "No space left on device")

        epoch: int = event.epoch  # type: ignore[attr-defined]
        if epoch == self.first:
            self.monkeypatch.setattr(os, "fsync", refuse)
        if epoch == self.last:
            self.monkeypatch.undo()


@pytest.mark.usefixtures("writing")
def test_a_full_disk_keeps_the_earlier_checkpoint_and_is_no_success(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    notices = Notices()
    with pytest.raises(CheckpointError, match=r"the weights of this run are not saved: .*no space left on device"):
        train(small(), recipe(), DIGITS(), out=tmp_path, device="cpu", callbacks=[Full(monkeypatch, 2), notices])
    assert any("no space left on device" in notice.text for notice in notices)
    assert checkpoint.load(tmp_path / "last.pt")["epoch"] == 1
    assert not list(tmp_path.glob(".*.tmp.*"))


def test_a_disk_that_has_room_again_gets_the_best_epoch_that_it_missed(
    tmp_path: Path, whole: str, monkeypatch: pytest.MonkeyPatch
):
    run = train(small(), recipe(), DIGITS(), out=tmp_path, device="cpu", callbacks=[Full(monkeypatch, 1, 3)])
    best = max(epoch.epoch for epoch in run.history if epoch.best)
    assert checkpoint.load(tmp_path / "best.pt")["epoch"] == best
    assert fingerprint(tmp_path / "last.pt") == whole


@pytest.mark.usefixtures("writing")
def test_the_best_weights_of_a_full_disk_are_written_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Only the first epoch is the best, and just then the disk is full."""
    settings = {"optimizer": "SGD(lr=0)", "early_stopping": "none", "augment": "[]", "ema": "none"}
    train(small(), recipe(**settings), DIGITS(), out=tmp_path, device="cpu", callbacks=[Full(monkeypatch, 1, 2)])
    assert checkpoint.load(tmp_path / "best.pt")["epoch"] == 1


@pytest.mark.usefixtures("writing")
def test_a_folder_that_is_deleted_meanwhile_is_no_success(tmp_path: Path):
    class Delete:
        def on_epoch(self, event: object) -> None:
            shutil.rmtree(tmp_path / "run", ignore_errors=True)

    with pytest.raises(CheckpointError, match=r"are not saved: .*no such file"):
        train(small(), recipe(), DIGITS(), out=tmp_path / "run", device="cpu", callbacks=[Delete()])


def test_best_and_last_of_one_epoch_are_one_file(tmp_path: Path):
    train(small(), recipe(epochs="1"), DIGITS(), out=tmp_path, device="cpu")
    assert os.path.samefile(tmp_path / "best.pt", tmp_path / "last.pt")


def test_two_runs_never_write_into_one_folder(tmp_path: Path):
    class Second:
        error = ""

        def on_epoch(self, event: object) -> None:
            code = (
                f"import sys; sys.path.insert(0, {str(ROOT)!r})\nfrom tests.torch.test_checkpoint import *\n"
                f"train(small(), recipe(), DIGITS(), out={str(tmp_path)!r}, device='cpu')"
            )
            run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT)
            self.error = self.error or run.stderr

    second = Second()
    train(small(), recipe(epochs="1"), DIGITS(), out=tmp_path, device="cpu", callbacks=[second])
    assert "another run is writing into" in second.error


def test_new_folders_are_numbered_by_making_them(tmp_path: Path):
    for name in ("Small-2", "Small-best", "Small-", "Small-1e3", "Small-\u0663"):
        (tmp_path / name).mkdir()
    made = [NewFolder(tmp_path, "Small").make().name for _ in range(2)]
    assert made == ["Small-3", "Small-4"]
    assert [number for number, _ in numbered(tmp_path, "Small")] == [2, 3, 4]


def test_a_loss_that_is_not_a_number_is_never_the_best():
    progress = Progress()
    assert not progress.judge(math.nan, falling=True)
    assert progress.judge(2.0, falling=True)


def test_strays_are_swept(tmp_path: Path):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    (tmp_path / f".last.pt.tmp.{gone.pid}").write_bytes(b"split")
    (tmp_path / f".last.pt.tmp.{os.getppid()}").write_bytes(b"another run's")
    train(small(), recipe(epochs="1"), DIGITS(), out=tmp_path, device="cpu")
    assert [path.name for path in tmp_path.glob(".*.tmp.*")] == [f".last.pt.tmp.{os.getppid()}"]


def test_a_run_goes_on_with_the_threads_that_it_began_with(saved: Path, tmp_path: Path):
    path = copy_of(saved, tmp_path)
    torch.save(checkpoint.load(path) | {"threads": 2}, path)

    class Seen:
        threads = 0

        def on_start(self, event: object) -> None:
            self.threads = event.threads  # type: ignore[attr-defined]

    seen = Seen()
    train(small(), recipe(epochs="4"), DIGITS(), out=tmp_path, resume=True, callbacks=[seen])
    assert (seen.threads, torch.get_num_threads()) == (2, 1)
    notices = Notices()
    torch.save(checkpoint.load(copy_of(saved, tmp_path)) | {"threads": 2}, path)
    train(small(), recipe(), DIGITS(), out=tmp_path, resume=True, callbacks=[notices], options=Options(threads=1))
    assert "threads 2 -> 1" in notices[0].text


@pytest.mark.parametrize(
    ("key", "value"),
    [("epoch", -5), ("step", -1), ("seen", None), ("history", None), ("told_chance", None), ("average", ...),
     ("scaler", ...), ("best", {}), ("spec", {"text": ""}), ("data", {}), ("sums", [1, 2, "x"]), ("waited", "1")],
)  # fmt: skip
def test_a_checkpoint_that_lacks_a_key_or_counts_below_0_is_refused(
    saved: Path, tmp_path: Path, key: str, value: object
):
    path = copy_of(saved, tmp_path)
    state = checkpoint.load(path) | {key: value}
    if value is ...:
        del state[key]
    torch.save(state, path)
    for use in (checkpoint.load, lambda path: evaluate(path)):
        with pytest.raises(CheckpointError, match="is no checkpoint of cnnspec"):
            use(path)


@pytest.mark.parametrize(
    "scheduler",
    [
        "StepLR(1)", "MultiStepLR([1, 2])", "ConstantLR", "LinearLR", "ExponentialLR(0.9)", "PolynomialLR",
        "CosineAnnealingLR", "CosineAnnealingWarmRestarts(2)", "OneCycleLR(0.2)", "ReduceLROnPlateau(patience=0)",
    ],
)  # fmt: skip
def test_every_schedule_can_be_resumed(tmp_path: Path, scheduler: str):
    chosen = recipe(scheduler=scheduler, augment="[]", epochs="2")
    train(small(), chosen, DIGITS(), out=tmp_path / "whole", device="cpu")
    train(small(), chosen, DIGITS(), out=tmp_path / "parts", device="cpu", callbacks=[StopAfter(20)])
    train(small(), chosen, DIGITS(), out=tmp_path / "parts", device="cpu", resume=True)
    assert fingerprint(tmp_path / "parts" / "last.pt") == fingerprint(tmp_path / "whole" / "last.pt")


@pytest.mark.parametrize(
    "optimizer",
    ["SGD(lr=0.1)", "Adam", "AdamW", "NAdam", "RAdam", "Adamax", "Adagrad", "Adadelta", "RMSprop(centered=true)"],
)
def test_every_optimizer_can_be_resumed(tmp_path: Path, optimizer: str):
    chosen = recipe(optimizer=optimizer, scheduler="none", augment="[]", epochs="1")
    train(small(), chosen, DIGITS(), out=tmp_path / "whole", device="cpu")
    train(small(), chosen, DIGITS(), out=tmp_path / "parts", device="cpu", callbacks=[StopAfter(5)])
    train(small(), chosen, DIGITS(), out=tmp_path / "parts", device="cpu", resume=True)
    assert fingerprint(tmp_path / "parts" / "last.pt") == fingerprint(tmp_path / "whole" / "last.pt")


def test_the_folder_is_enough_to_evaluate_and_predict(saved: Path):
    found = evaluate(saved)
    assert found.loss == pytest.approx(checkpoint.load(saved / "best.pt")["best"]["loss"], abs=1e-6)
    images = DIGITS().test.images[:5]
    told = predict(saved, images, top=3)
    assert [len(item.top) for item in told] == [3] * 5
    assert all(item.top[0] == (item.label, item.probability) for item in told)
    with pytest.raises(TrainError, match="uint8"):
        predict(saved, images.float())
    with pytest.raises(TrainError, match="was trained on"):
        predict(saved, torch.zeros(2, 1, 9, 9, dtype=torch.uint8))


def test_weights_to_share(saved: Path):
    safetensors = pytest.importorskip("safetensors")
    with safetensors.safe_open(saved / "model.safetensors", "pt") as file:
        assert file.metadata()["spec"] == SPEC
        assert set(file.keys()) == set(small().compile().state_dict())
        best = checkpoint.load(saved / "best.pt")["average"]["values"]
        assert all(torch.equal(file.get_tensor(key), value) for key, value in best.items())
