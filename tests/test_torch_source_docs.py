"""docs/torch.md: its files and what the commands print are those that it shows."""

from __future__ import annotations

import re
import shlex
from contextlib import chdir
from pathlib import Path

import pytest

from cnnspec.cli.main import main

TEXT = (Path(__file__).parent.parent / "docs" / "torch.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"^```python (\S+)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL))
COMMANDS = re.findall(r"^```console\n\$ (.*?)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(("command", "shown"), COMMANDS, ids=[command for command, _ in COMMANDS])
def test_commands_print_what_is_shown(command: str, shown: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "cnnspec.toml").touch()
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    with chdir(tmp_path):
        main(shlex.split(command)[1:])
    assert capsys.readouterr().out == shown


def test_there_are_commands():
    assert len(COMMANDS) >= 3
