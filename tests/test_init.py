"""The command `init`: a spec that comes along, copied with what it imports."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cnnspec.cli.main import main

SPECS = Path(__file__).parent.parent / "specs"


@pytest.mark.parametrize("path", sorted(SPECS.glob("*.cnn")), ids=lambda path: path.stem)
def test_a_copy_checks_by_itself(path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["init", path.stem, "-o", str(tmp_path)]) == 0
    assert (tmp_path / path.name).read_bytes() == path.read_bytes()
    assert main(["check", "--no-cache", str(tmp_path / path.name)]) == 0
    assert "no problems" in capsys.readouterr().out


def test_a_list_of_all_fits_on_a_screen(capsys: pytest.CaptureFixture[str]):
    assert main(["init"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == [path.stem for path in sorted(SPECS.glob("*.cnn"))]
    assert all(len(line.split(maxsplit=1)) == 2 and len(line) <= 120 for line in lines)


def test_nothing_is_lost(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    spec = tmp_path / "lenet.cnn"
    spec.write_text("mine")
    assert main(["init", "lenet", "-o", str(tmp_path)]) == 2
    assert "is there already" in capsys.readouterr().err
    assert spec.read_text() == "mine"
    assert main(["init", "lenet", "-o", str(tmp_path), "--force"]) == 0
    assert spec.read_bytes() == (SPECS / "lenet.cnn").read_bytes()
    # What is there already as it should be does no harm.
    assert main(["init", "lenet", "-o", str(tmp_path)]) == 0


def test_a_pipe_in_the_way_is_not_waited_for(tmp_path: Path):
    os.mkfifo(tmp_path / "lenet.cnn")
    assert main(["init", "lenet", "-o", str(tmp_path)]) == 2


def test_a_misspelt_name_gets_a_suggestion(capsys: pytest.CaptureFixture[str]):
    assert main(["init", "resnt"]) == 2
    assert "did you mean resnet?" in capsys.readouterr().err
