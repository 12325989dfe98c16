"""The Python that the README and the pages of docs/ show runs, and prints what it says."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from cnnspec.cli.main import main
from tests.test_examples import PAGES, ROOT, blocks_of


@pytest.mark.parametrize(
    "text", [text for page in PAGES for language, _, text in blocks_of(page) if language == "python"]
)
def test_python_blocks(text: str, tmp_path: Path):
    (tmp_path / "specs").symlink_to(ROOT / "specs")
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", text], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout or "print" not in text


def test_two_networks_train_against_each_other(tmp_path: Path):
    command = [sys.executable, "-W", "error", str(ROOT / "examples" / "adversarial.py"), "1", "drawn.pgm"]
    run = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert run.returncode == 0, run.stderr
    assert re.match(r"epoch 1: telling 0\.[4-9]\d*, drawing [1-9]\.", run.stdout)
    image = (tmp_path / "drawn.pgm").read_bytes()
    assert image.startswith(b"P5 224 224 255\n")
    assert len(set(image[15:])) > 100


def test_the_tutorial_goes_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.chdir(tmp_path)
    blocks = blocks_of(ROOT / "docs" / "tutorial.md")
    named = {name: text for language, name, text in blocks if language == "cnn"}
    spec = tmp_path / "lenet.cnn"
    spec.write_text(named["lenet.cnn"], encoding="utf-8")
    commands = [
        line
        for language, _, text in blocks
        if language == "sh"
        for line in text.splitlines()
        if line.startswith("cnnspec ")
    ]
    assert len(commands) >= 6
    for command in commands:
        words = shlex.split(command.removeprefix("cnnspec "))
        if words[0] == "train" and "train {" not in spec.read_text(encoding="utf-8"):
            spec.write_text(spec.read_text(encoding="utf-8") + named["recipe"], encoding="utf-8")
        assert main(words + ["--epochs", "1"] * (words[0] == "train")) == 0, command
        if words[0] == "fmt":
            shown = next(text for language, _, text in blocks if language == "text")
            for line in shown.splitlines()[:-1]:
                assert line in spec.read_text(encoding="utf-8").splitlines()
    assert {"lenet.svg", "report.html", "runs"} <= {path.name for path in tmp_path.iterdir()}
