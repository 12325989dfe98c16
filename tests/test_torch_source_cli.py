"""Python files on the command line: folders, settings, options of scripts, fixes, formats."""

from __future__ import annotations

import json
from contextlib import chdir
from pathlib import Path

import pytest

from cnnspec.cli.main import main

SOUND = "import torch.nn as nn\n# cnnspec: input 4\nnet = nn.Sequential(nn.Linear(4, 2))\n"
WRONG = "import torch.nn as nn\n# cnnspec: input 4\nnet = nn.Sequential(nn.Linear(5, 2))\n"
SCRIPT = """import argparse; import torch.nn as nn

parser = argparse.ArgumentParser()
parser.add_argument("--width", type=int, default=8)
parser.add_argument("--data", required=True)
opt = parser.parse_args()


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(opt.width, 4 if opt.data == "few" else 10)

    def forward(self, x):  # cnnspec: input 8
        return self.fc(x)
"""


def check(folder: Path, *arguments: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    with chdir(folder):
        code = main(["check", *arguments])
    return code, capsys.readouterr().out


def test_folders_are_searched_for_python_where_that_is_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "net.py").write_text(WRONG)
    (tmp_path / "other.py").write_text(WRONG)
    (tmp_path / "spec.cnn").write_text("model M { input [4]; Linear(2) }\n")
    assert check(tmp_path, ".", capsys=capsys)[0] == 0
    code, out = check(tmp_path, ".", "--python", capsys=capsys)
    assert code == 1
    assert "3 files checked: 2 errors" in out
    (tmp_path / "cnnspec.toml").write_text('python = ["models/"]\n')
    code, out = check(tmp_path, ".", capsys=capsys)
    assert code == 1
    assert "2 files checked: 1 error" in out
    assert "models/net.py:3:31" in out


def test_options_of_a_script(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "model.py").write_text(SCRIPT)
    code, out = check(tmp_path, "model.py", capsys=capsys)
    assert code == 0
    assert "the option `--data`, which has no default: give it with -D NAME.data=VALUE" in out
    code, out = check(tmp_path, "model.py", "-D", "opt.data='few'", capsys=capsys)
    assert (code, out.splitlines()[0]) == (0, "model.py: Net  [8] -> [4]  36 parameters")
    code, out = check(tmp_path, "model.py", "-D", "opt.data='x'", "-D", "opt.width=9", capsys=capsys)
    assert code == 1
    assert "Linear expects 9 input features but gets 8" in out


def test_fixes_are_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = tmp_path / "model.py"
    path.write_text(WRONG)
    assert check(tmp_path, "model.py", "--unsafe-fixes", capsys=capsys)[0] == 0
    assert path.read_text() == SOUND


def test_warnings_are_silenced_by_comments(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = tmp_path / "model.py"
    text = "import torch.nn as nn\n# cnnspec: input 3x8x8\nnet = nn.Sequential(nn.BatchNorm2d(3, 0.8))"
    path.write_text(text)
    assert "W302" in check(tmp_path, "model.py", capsys=capsys)[1]
    path.write_text(f"{text}  # cnnspec: ignore[W302]\n")
    assert check(tmp_path, "model.py", capsys=capsys)[0] == 0


def test_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "model.py").write_text(WRONG)
    code, out = check(tmp_path, "model.py", "--output-format", "json", capsys=capsys)
    assert code == 1
    assert "E203" in json.dumps(json.loads(out))


def test_a_wrong_shape_is_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "model.py").write_text(SOUND)
    with chdir(tmp_path):
        assert main(["check", "model.py", "--input", "3xx2"]) == 2
    assert "--input takes sizes without the batch" in capsys.readouterr().err


def test_summary(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "model.py").write_text(SCRIPT)
    with chdir(tmp_path):
        assert main(["summary", "model.py:Net", "-D", "opt.data='few'"]) == 0
        shown = capsys.readouterr().out
        assert main(["summary", "model.py:Net"]) == 1
    assert shown.splitlines()[0] == "Net"
    assert "fc  Linear(4)  4               36" in shown
    assert "36 parameters in 1 layer, 0.00 MB as float32" in shown
    assert "E711" in capsys.readouterr().err
