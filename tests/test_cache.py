"""Verdicts that are remembered: never another one than a check gives, and never in the way."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import cnnspec.cli.cache
from cnnspec.cli.cache import Cache, recall
from cnnspec.cli.main import main

GOOD = "model Net {\n    input [3]\n    Linear(2)\n}\n"
PRINTED = "net.cnn: Net  3 -> 2  8 parameters\n1 file checked: no problems\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "pyproject.toml").write_text("")
    (folder / "net.cnn").write_text(GOOD)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("CNNSPEC_CACHE_DIR", str(tmp_path / "cache"))
    return folder


def entries(folder: Path) -> list[Path]:
    return sorted((folder.parent / "cache").rglob("*.checked"))


def known(*paths: str) -> bool:
    return recall(["check", *paths]) is not None


def test_an_unchanged_file_is_not_looked_at(folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch):
    assert main(["check", "net.cnn"]) == 0
    assert capsys.readouterr().out == PRINTED
    assert known("net.cnn")
    monkeypatch.setattr("cnnspec.cli.main._run", lambda words: pytest.fail("looked at"))
    assert main(["check", "net.cnn"]) == 0
    assert capsys.readouterr().out == PRINTED
    assert main(["check", "-q", "net.cnn"]) == 0
    assert capsys.readouterr().out == ""


def test_one_changed_file_among_others(folder: Path, capsys: pytest.CaptureFixture[str]):
    (folder / "other.cnn").write_text(GOOD.replace("Net", "Other"))
    main(["check", "."])
    first = capsys.readouterr().out
    assert known(".")
    main(["check", "."])
    assert capsys.readouterr().out == first
    (folder / "other.cnn").write_text(GOOD.replace("Net", "Another"))
    main(["check", "."])
    assert capsys.readouterr().out == first.replace("Other", "Another")


def test_what_has_findings_is_looked_at_every_time(folder: Path, capsys: pytest.CaptureFixture[str]):
    (folder / "net.cnn").write_text(GOOD.replace("Linear(2)", "Linear(4 -> 2)"))
    assert main(["check", "net.cnn"]) == 1
    first = capsys.readouterr().out
    assert not entries(folder)
    assert main(["check", "net.cnn"]) == 1
    assert capsys.readouterr().out == first


def test_what_a_verdict_depends_on(folder: Path, monkeypatch: pytest.MonkeyPatch):
    (folder / "lib.cnn").write_text("block Body { Linear(2) }\n")
    (folder / "net.cnn").write_text('from "lib.cnn" import Body\nmodel Net { input [3]; Body }\n')
    changes = [
        lambda: (folder / "net.cnn").write_text(GOOD),
        lambda: (folder / "lib.cnn").write_text("block Body { Linear(3) }\n"),
        lambda: (folder / "lib.cnn").unlink(),
        lambda: (folder / "cnnspec.toml").write_text('select = ["W204"]\n'),
        lambda: (folder / "pyproject.toml").write_text("[tool.cnnspec]\n"),
        lambda: (folder.parent / "pyproject.toml").write_text("\n"),
        lambda: monkeypatch.setattr("cnnspec._version.__version__", "another"),
        lambda: monkeypatch.setenv("CNNSPEC_OUTPUT_FORMAT", "json"),
    ]
    texts = {path: path.read_text() for path in folder.iterdir()}
    for change in changes:
        for path in folder.iterdir():
            path.unlink()
        for path, text in texts.items():
            path.write_text(text)
        assert main(["check", "net.cnn"]) == 0
        assert known("net.cnn")
        change()
        assert not known("net.cnn")
        monkeypatch.setattr("cnnspec._version.__version__", cnnspec.__version__)
        monkeypatch.delenv("CNNSPEC_OUTPUT_FORMAT", raising=False)


@pytest.mark.parametrize(
    "words",
    [
        ["--no-cache"], ["--select", "W204"], ["--statistics"], ["-D", "n=2"], ["--output-format", "concise"],
        ["--no-cache", "-q"],
    ],
)  # fmt: skip
def test_other_questions_are_not_remembered(folder: Path, words: list[str]):
    (folder / "net.cnn").write_text("model Net(n = 2) {\n    input [3]\n    Linear(n)\n}\n")
    assert main(["check", *words, "net.cnn"]) == 0
    assert not entries(folder)
    assert main(["check", "net.cnn"]) == 0
    assert not known(*words, "net.cnn")


def test_settings_that_leave_files_out_hold(folder: Path, capsys: pytest.CaptureFixture[str]):
    main(["check", "."])
    (folder / "cnnspec.toml").write_text('exclude = ["net.cnn"]\n')
    (folder / "other.cnn").write_text(GOOD.replace("Net", "Other"))
    for _ in range(2):
        capsys.readouterr()
        main(["check", "."])
        assert capsys.readouterr().out.startswith("other.cnn")


def test_any_damage_to_an_entry_makes_it_none(folder: Path, capsys: pytest.CaptureFixture[str]):
    main(["check", "net.cnn"])
    (entry,) = entries(folder)
    whole = entry.read_bytes()
    for at in range(len(whole)):
        for changed in (whole[:at], whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :], whole[:at] + b"\xff"):
            entry.write_bytes(changed)
            assert recall(["check", "net.cnn"]) in (None, PRINTED)
    entry.unlink()
    entry.mkdir()
    capsys.readouterr()
    assert main(["check", "net.cnn"]) == 0
    assert capsys.readouterr().out == PRINTED


def test_a_cache_that_can_t_be_written_is_none(folder: Path, capsys: pytest.CaptureFixture[str]):
    (folder.parent / "cache").write_text("a file")
    for _ in range(2):
        assert main(["check", "net.cnn"]) == 0
        assert capsys.readouterr().out == PRINTED


def test_where_it_lies(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CNNSPEC_CACHE_DIR", "")
    assert Cache.find() is None
    monkeypatch.delenv("CNNSPEC_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", os.path.abspath("/x"))
    monkeypatch.setattr(cnnspec.cli.cache.sys, "platform", "linux")
    found = Cache.find()
    assert found is not None
    assert found.folder == os.path.join(os.path.abspath("/x"), "cnnspec")


FORKING = """
import os
import sys

from cnnspec.cli.main import main

assert "threading" not in sys.modules
os.sched_getaffinity = lambda process: {0, 1, 2}
fork, children = os.fork, []
os.fork = lambda: children.append(fork()) or children[-1]
code = main(["check", "."])
print(code, len(children), file=sys.stderr)
"""


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="divides files among processes that are forked")
def test_many_files_are_divided_among_processes(folder: Path, capsys: pytest.CaptureFixture[str]):
    for number in range(70):
        wrong = number % 30 == 7
        (folder / f"n{number:02}.cnn").write_text(GOOD.replace("Linear(2)", "Linear(4 -> 2)") if wrong else GOOD)
    run = subprocess.run([sys.executable, "-c", FORKING], capture_output=True, text=True, check=True, env=_here())
    assert run.stderr.split() == ["1", "3"]
    assert len(entries(folder)) == 71 - 3
    assert main(["check", "--no-cache", "."]) == 1
    assert capsys.readouterr().out == run.stdout


def _here() -> dict[str, str]:
    root = str(Path(__file__).parent.parent)
    return os.environ | {"PYTHONPATH": root}
