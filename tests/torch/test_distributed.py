"""Two processes under torchrun give the numbers of one, save once, and go on after a kill to the same bits."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

import cnnspec
from cnnspec.errors import DeviceError, TrainError
from cnnspec.training import checkpoint
from cnnspec.training.data.load import load_data
from cnnspec.training.device import choose_device
from cnnspec.training.distributed import Group, blocks_of, join
from cnnspec.training.evaluate import evaluate
from cnnspec.training.restore import recipe_from
from cnnspec.training.start import Options, train
from tests.sampling import FULL

torch.set_num_threads(1)
ROOT = Path(__file__).parent.parent.parent
SPEC = "model Small { input [1, 8, 8]; Conv2d(8, 3, padding=1); Sigmoid; Conv2d(8, 3); ReLU; Flatten; Linear(10) }"
# 1,433 images in batches of 101 shared by two, in three parts: no size is even.
SETTINGS = {
    "data": "Digits", "epochs": "2", "batch": "101", "accumulate": "3", "optimizer": "SGD(lr=0.05)",
    "augment": "[RandomCrop(8, padding=1)]", "clip_grad_norm": "1.0", "loss": "CrossEntropyLoss(label_smoothing=0.1)",
}  # fmt: skip

PROGRAM = """
import json, sys
sys.path.insert(0, {root!r})
from tests.torch.test_distributed import *

out, mode = sys.argv[1:]
Path(out, "pid" + os.environ["RANK"]).write_text(str(os.getpid()))
class Slow:
    every_step = True
    def on_step(self, event): time.sleep(0.05)
class Count(list):
    def on_epoch(self, event): self.append(event)
told = Count()
if mode == "compile":  # With the backend that needs no compiler.
    whole = torch.nn.Module.compile
    torch.nn.Module.compile = lambda self: whole(self, backend="eager")
run = train(cnnspec.loads(SPEC), recipe_from(SETTINGS), load_data("Digits"), out=out, device="cpu",
            options=Options(shard=mode == "shard", compile=mode == "compile", processes=2, save_steps=2),
            resume=mode == "resume", callbacks=[told] + ([Slow()] if mode == "slow" else []))
rank = os.environ["RANK"]
with open(out + "/told" + rank, "w") as file:
    json.dump([[epoch.train_loss, epoch.test_loss, epoch.test_accuracy] for epoch in told], file)
os._exit(0)  # As the command does: a net that is sharded holds on to the group's threads.
"""


def torchrun(out: Path, mode: str, processes: int = 2) -> subprocess.Popen[str]:
    out.mkdir(exist_ok=True)
    program = out / "program.py"
    program.write_text(PROGRAM.format(root=str(ROOT)))
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [*command, str(program), str(out), mode],
        cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip


def finish(process: subprocess.Popen[str]) -> str:
    _, error = process.communicate(timeout=200)
    assert process.returncode == 0, error
    return error


@pytest.fixture(scope="module")
def single(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, torch.Tensor], list[list[float]]]:
    """Weights and losses of one process."""
    recipe = recipe_from(SETTINGS)
    run = train(cnnspec.loads(SPEC), recipe, load_data("Digits"), out=tmp_path_factory.mktemp("single"), device="cpu")
    losses = [[epoch.train_loss, epoch.test_loss or 0.0, epoch.test_accuracy or 0.0] for epoch in run.history]
    return run.net.state_dict(), losses


def check_same(out: Path, single: tuple[dict[str, torch.Tensor], list[list[float]]]) -> None:
    weights, losses = single
    found = checkpoint.load(out / "last.pt")["model"]
    for key, value in weights.items():
        torch.testing.assert_close(found[key], value, atol=2e-6, rtol=1e-5)
    told = json.loads((out / "told0").read_text())
    assert len(told) == len(losses)
    for one, other in zip(told, losses):
        assert one == pytest.approx(other, rel=1e-5)
    assert json.loads((out / "told1").read_text()) == []


@pytest.fixture(scope="module")
def double(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("double")
    finish(torchrun(out, "whole"))
    return out


def test_two_processes_train_like_one(double: Path, single: tuple[dict[str, torch.Tensor], list[list[float]]]):
    check_same(double, single)


def test_two_processes_go_on_after_a_kill(tmp_path: Path, double: Path):
    process = torchrun(tmp_path, "slow")
    while not (tmp_path / "last.pt").exists():
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.01)
    time.sleep(0.3)
    # torchrun gives each process a session of its own.
    for pid in (process.pid, *(int((tmp_path / f"pid{rank}").read_text()) for rank in range(2))):
        os.kill(pid, signal.SIGKILL)
    process.communicate()
    state = checkpoint.load(tmp_path / "last.pt")
    assert state["epoch"] < 2
    finish(torchrun(tmp_path, "resume"))
    whole, resumed = (checkpoint.load(out / "last.pt")["model"] for out in (double, tmp_path))
    assert all(torch.equal(whole[key], resumed[key]) for key in whole)


ELASTIC = """model Net { input [1, 8, 8]; Conv2d(4, 3); BatchNorm2d; ReLU; Flatten; Linear(10) }
train { data = Digits; epochs = 30; batch = 32; augment = [RandomCrop(8, padding=1)] }
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="finds processes in /proc")
def test_torchrun_starts_a_lost_process_again_and_the_run_goes_on(tmp_path: Path):
    (tmp_path / "net.cnn").write_text(ELASTIC)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "--max-restarts=2"]
    command += ["-m", "cnnspec", "train", "net.cnn", "--device=cpu", "--threads=1", "--save-every=5"]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}

    def started(out: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*command, "--out", out],
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    process = started("lost")
    while not (tmp_path / "lost" / "last.pt").exists():
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.01)
    workers = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    os.kill(int(workers[-1]), signal.SIGKILL)
    output, error = process.communicate(timeout=200)
    assert process.returncode == 0, error
    assert "goes on" in output
    lost = checkpoint.load(tmp_path / "lost" / "last.pt")
    assert lost["epoch"] == 30
    if FULL:
        finish(started("whole"))
        whole = checkpoint.load(tmp_path / "whole" / "last.pt")
        assert all(torch.equal(whole["model"][key], lost["model"][key]) for key in whole["model"])


def test_sharded_weights_train_alike(tmp_path: Path, single: tuple[dict[str, torch.Tensor], list[list[float]]]):
    finish(torchrun(tmp_path, "shard"))
    check_same(tmp_path, single)


def test_compiled_processes_train_alike(tmp_path: Path, single: tuple[dict[str, torch.Tensor], list[list[float]]]):
    finish(torchrun(tmp_path, "compile"))
    check_same(tmp_path, single)


def test_blocks_are_what_is_worth_a_gathering():
    net = cnnspec.loads(
        "block B { Linear(64); ReLU; Linear(64) }\nmodel M { input [64]; B as a; Linear(1); B as b; Linear(3) }"
    ).compile()
    assert blocks_of(net) == [net.a, net.b]


def test_a_sharded_average_is_saved_whole(tmp_path: Path):
    """With a validation split too: the best weights come back into the shards for the one look at the test set."""
    spec = (
        SPEC.replace("Sigmoid", "BatchNorm2d") + "\ntrain { data = Digits; epochs = 1; ema = 0.9; validation = 0.2 }\n"
    )
    (tmp_path / "s.cnn").write_text(spec)
    words = ["train", "s.cnn", "--nproc", "2", "--shard", "--device", "cpu", "--out", "run"]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    run = subprocess.run(
        [sys.executable, "-m", "cnnspec", *words],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    found = evaluate(tmp_path / "run")
    assert f"its weights on the test images: loss {found.loss:.4f}" in run.stdout


def test_a_number_of_processes_that_is_not_met():
    with pytest.raises(DeviceError, match="3 processes were asked for and 1 are running"):
        join(choose_device("cpu").device, 3)


def test_processes_that_do_not_meet(monkeypatch: pytest.MonkeyPatch):
    for name, value in {"RANK": "0", "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "29517"}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(DeviceError, match="the 2 processes did not meet"):
        join(torch.device("cpu"), timeout=1)


def test_a_broken_environment(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("RANK", "first")
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(DeviceError, match="whole numbers"):
        join(torch.device("cpu"))


@pytest.mark.parametrize("count", [0, 1, 5, 8])
def test_shares_cover_everything_once(count: int):
    found = [index for rank in range(3) for index in range(count)[Group(rank, 3).share(count)]]
    assert found == list(range(count))


def test_sharding_one_process_is_an_error():
    with pytest.raises(TrainError, match="divides a net among processes"):
        train(cnnspec.loads(SPEC), recipe_from(SETTINGS), load_data("Digits"), options=Options(shard=True))
