"""Notebooks and Markdown texts: their Python is checked, and findings stand in the cell or in the text."""

from __future__ import annotations

import json
from contextlib import chdir
from pathlib import Path

import pytest

from cnnspec.cli.main import main
from cnnspec.torch_source.containers import blank_markdown

WRONG = "# cnnspec: input 8\nnet = nn.Sequential(nn.Linear(8, 4), nn.ReLU(), nn.Linear(5, 2))\n"
CELLS = [
    {"cell_type": "markdown", "source": ["# A net\n"]},
    {"cell_type": "code", "source": ["%matplotlib inline\n", "import torch.nn as nn\n"]},
    {"cell_type": "code", "source": ["%%bash\n", "rm -rf x\n"]},
    {"cell_type": "code", "source": WRONG},
]


def check(folder: Path, name: str, text: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    (folder / "cnnspec.toml").touch()
    (folder / name).write_text(text)
    with chdir(folder):
        code = main(["check", name])
    return code, capsys.readouterr().out


def test_a_notebook_cell_by_cell(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    code, out = check(tmp_path, "net.ipynb", json.dumps({"cells": CELLS}), capsys)
    assert code == 1
    assert "error[E203]: Linear expects 5 input features but gets 4" in out
    assert "--> net.ipynb:cell 4:2:" in out
    assert "help: write `4` instead of `5`" in out


def test_a_file_that_is_no_notebook(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    for text in ("{", "[]", '{"cells": 3}', "[" * 100_000):
        code, out = check(tmp_path, "net.ipynb", text, capsys)
        assert code == 1
        assert "it is no notebook" in out


def test_the_fences_of_a_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    head = "# Title\n\nSome `code`.\n\n```python\nimport torch.nn as nn\n```\n\n```\nnot( python\n```\n\n"
    text = f"{head}```python\n{WRONG}```\n"
    code, out = check(tmp_path, "README.md", text, capsys)
    assert code == 1
    assert "--> README.md:15:59" in out
    assert "help: write `4` instead of `5` on line 15" in out


def test_what_is_no_python_in_a_text_is_blank():
    assert blank_markdown("a\n```python\nx = (\n```\n```python\ny = 1\n```\n").strip() == "y = 1"
