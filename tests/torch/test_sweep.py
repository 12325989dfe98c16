"""Sweeps, the search for a learning rate, and profiles: what they print and leave, and how they go on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cnnspec.cli.main import main
from cnnspec.errors import UsageError
from cnnspec.training.sweep import Choices, Range, count_of, space_of

SPEC = """model Small(width = 4) {
    input [1, 8, 8]
    Conv2d(width, 3, padding=1)
    ReLU
    Flatten
    Linear(10)
}

train {
    data      = Digits
    optimizer = SGD(lr=0.1)
    epochs    = 2
}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.cnn").write_text(SPEC)
    return tmp_path


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0.1,0.01", Choices(("0.1", "0.01"))),
        ("SGD(lr=0.1, momentum=0.9),Adam", Choices(("SGD(lr=0.1, momentum=0.9)", "Adam"))),
        ('"a,b","c"', Choices(('"a,b"', '"c"'))),
        ("1e-4..0.1", Range(1e-4, 0.1)),
        ("8..64", Range(8, 64)),
        ("0.1", None),
        ("[RandomCrop(8, padding=1)]", None),
    ],
)
def test_what_is_tried(text: str, expected: object):
    assert space_of(text) == expected


@pytest.mark.parametrize("text", ["a..b", "2..1", "1..", "1..1"])
def test_ranges_that_are_none(text: str):
    with pytest.raises(UsageError, match="is no range"):
        space_of(text)


def test_ranges_are_logarithmic_where_they_are_wide():
    assert (Range(1e-4, 0.1).log, Range(0.1, 0.5).log, Range(0, 1).log) == (True, False, False)
    assert (Range(8, 64).whole, Range(0.5, 8).whole) == (True, False)
    assert count_of({"a": Choices(("1", "2")), "b": Choices(("1", "2", "3"))}) == 6
    assert count_of({"a": Choices(("1", "2")), "b": Range(0, 1)}) is None


def test_a_sweep_of_choices_runs_all_of_them(folder: Path, capsys: pytest.CaptureFixture[str]):
    pytest.importorskip("optuna", reason="a sweep needs optuna")
    assert main(["sweep", "small.cnn", "--optimizer.lr", "0.5,0.001", "--batch", "32,64", "--seed", "3"]) == 0
    printed = capsys.readouterr().out
    rows = printed.split("\n\n")[1].splitlines()
    assert rows[0].split() == ["trial", "batch", "optimizer.lr", "loss", "epochs"]
    assert {tuple(row.split()[1:3]) for row in rows[1:]} == {(b, r) for b in ("32", "64") for r in ("0.5", "0.001")}
    assert float(rows[1].split()[3]) == min(float(row.split()[3]) for row in rows[1:])
    assert rows[1].split()[2] == "0.5"
    assert (
        f"the best: --batch {rows[1].split()[1]} --optimizer.lr 0.5; its run is in runs/Small-sweep/trial-" in printed
    )
    sweep = folder / "runs" / "Small-sweep"
    assert (sweep / "sweep.svg").read_text().startswith("<svg")
    assert (sweep / "trial-0" / "best.pt").exists()
    # All is done: going on runs nothing, and a second sweep does not write over it.
    assert (
        main(["sweep", "small.cnn", "--optimizer.lr", "0.5,0.001", "--batch", "32,64", "--seed", "3", "--resume"]) == 0
    )
    assert "trial 4" not in capsys.readouterr().out
    assert main(["sweep", "small.cnn", "--optimizer.lr", "0.5,0.001"]) == 2
    assert "holds a sweep already" in capsys.readouterr().err


def test_a_sweep_of_a_range_goes_on(folder: Path, capsys: pytest.CaptureFixture[str]):
    pytest.importorskip("optuna", reason="a sweep needs optuna")
    words = ["sweep", "small.cnn", "--optimizer", "SGD,Adam", "--optimizer.lr", "1e-3..0.5", "--best", "accuracy"]
    assert main([*words, "--trials", "2", "--epochs", "1", "--out", "s"]) == 0
    first = capsys.readouterr().out
    assert main([*words, "--trials", "3", "--epochs", "1", "--out", "s", "--resume"]) == 0
    printed = capsys.readouterr().out
    assert "trial 0:" in first
    assert "trial 0:" not in printed
    assert "trial 2: accuracy" in printed
    rates = {
        line.split("optimizer.lr=")[1].split()[0] for line in (first + printed).splitlines() if "optimizer.lr=" in line
    }
    assert len(rates) == 3


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--batch", "32"], 2, "say what is to be tried"),
        (["--batch", "0,32"], 1, "`batch` can't be 0"),
        (["--optimizer", "SGD,Foo"], 1, "there is no `Foo`"),
        (["--optimizer.lr", "3..x"], 2, "is no range"),
        (["--batch", "32,64", "--out", "none", "--resume"], 2, "there is no sweep in none"),
    ],
)
def test_sweeps_that_make_no_sense(
    folder: Path, capsys: pytest.CaptureFixture[str], words: list[str], code: int, said: str
):
    pytest.importorskip("optuna", reason="a sweep needs optuna")
    assert main(["sweep", "small.cnn", *words]) == code
    assert said in capsys.readouterr().err
    assert not (folder / "runs").exists()


def test_the_search_for_a_learning_rate(folder: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["train", "small.cnn", "--find-lr", "--device", "cpu", "--threads", "1"]) == 0
    printed = capsys.readouterr().out
    rate = float(printed.split("optimizer.lr = ")[1].split()[0])
    # Far below it hardly learns, far above it does not: see the rates that the sweeps above compare.
    assert 0.01 < rate < 0.5
    assert (folder / "runs" / "Small-rates.svg").read_text().startswith("<svg")
    (folder / "stuck.cnn").write_text(SPEC.replace("Linear(10)", "Linear(10)\n    Threshold(1000, 0)"))
    assert main(["train", "stuck.cnn", "--find-lr", "--device", "cpu", "--threads", "1"]) == 1
    assert "the loss falls at no learning rate" in capsys.readouterr().err


def test_a_profile_tells_where_a_step_goes(folder: Path, capfd: pytest.CaptureFixture[str]):
    assert main(["train", "small.cnn", "--profile", "--device", "cpu", "--threads", "1"]) == 0
    printed = capfd.readouterr()
    assert "Profiler" not in printed.err
    shares = {}
    for line in printed.out.splitlines()[1:-1]:
        name, _, rest = line.strip().rpartition(" ms ")
        shares[name[:-10].strip()] = float(rest.split("%")[0])
    stages = ["data and augmentation", "forward", "backward", "optimizer", "the rest: the loss, checks, waiting"]
    assert set(stages) < set(shares)
    assert {"0 Conv2d", "1 ReLU", "2 Flatten", "3 Linear"} < set(shares)
    assert sum(shares[stage] for stage in stages) == pytest.approx(100, abs=1)
    assert min(shares["forward"], shares["backward"], shares["optimizer"]) > 0
    trace = json.loads((folder / "runs" / "Small-trace.json").read_text())
    assert any(event.get("name") == "cnnspec: forward 0" for event in trace["traceEvents"])
