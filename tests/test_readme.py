"""What the README shows is what happens."""

from __future__ import annotations

import re
from pathlib import Path

from cnnspec.cli.main import main

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


def test_console_blocks(tmp_path: Path, monkeypatch, capsys):
    (tmp_path / "specs").symlink_to(ROOT / "specs")
    monkeypatch.chdir(tmp_path)
    for language, name, text in BLOCKS:
        if language == "cnn" and name:
            (tmp_path / name).write_text(text, encoding="utf-8")
    shown = [text for language, _, text in BLOCKS if language == "console"]
    assert len(shown) >= 3
    for text in shown:
        command, _, expected = text.partition("\n")
        main(command.removeprefix("$ cnnspec ").split())
        assert capsys.readouterr().out == expected, command


def test_first_example_is_the_shipped_spec():
    first = next(text for language, _, text in BLOCKS if language == "cnn")
    shipped = (ROOT / "specs" / "lenet.cnn").read_text(encoding="utf-8")
    code = [line.strip() for line in first.splitlines() if line.strip() and not line.startswith("#")]
    assert [line for line in code if line not in [other.strip() for other in shipped.splitlines()]] == []
