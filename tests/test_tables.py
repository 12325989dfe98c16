"""The parser's tables and the grammar: who makes them, when, and who notices that they differ."""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
import sys
import types
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CHECK = """
import sys
from cnnspec.syntax.parser import parse
from cnnspec.source import Source
from cnnspec.diagnostics import Sink
sink = Sink()
parse(Source("x.cnn", "block B { ReLU }\\nbrick C { ReLU }"), sink)
print(len(sink.diagnostics), "lark" in sys.modules)
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what the parser needs of a checkout, with fresh tables."""
    for folder in ("cnnspec", "grammars", "tools"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    dated(tmp_path, grammar=1_000, tables=2_000)
    return tmp_path


def dated(root: Path, *, grammar: int, tables: int) -> None:
    os.utime(root / "grammars/cnn.lark", (grammar, grammar))
    os.utime(root / "cnnspec/syntax/_tables.py", (tables, tables))


def said(root: Path) -> str:
    """The number of mistakes in a text with another word for `block`, and whether lark was imported."""
    command = [sys.executable, "-c", CHECK]
    return subprocess.run(
        command, cwd=root, env={**os.environ, "PYTHONPATH": str(root)}, check=True, capture_output=True, text=True
    ).stdout.strip()


def test_nothing_is_made_where_nothing_changed(checkout: Path):
    assert said(checkout) == "1 False"
    dated(checkout, grammar=3_000, tables=2_000)
    assert said(checkout) == "1 False"
    assert (checkout / "cnnspec/syntax/_tables.py").stat().st_mtime > 3_000


def test_a_changed_grammar_is_noticed(checkout: Path):
    grammar = checkout / "grammars/cnn.lark"
    grammar.write_text(grammar.read_text().replace('block: "block" NAME', 'block: ("block" | "brick") NAME'))
    dated(checkout, grammar=3_000, tables=2_000)
    assert said(checkout) == "0 True"
    assert said(checkout) == "0 False"


def test_an_installed_package_looks_at_no_grammar_beside_it(checkout: Path):
    shutil.rmtree(checkout / "tools")
    grammar = checkout / "grammars/cnn.lark"
    grammar.write_text("no grammar")
    dated(checkout, grammar=3_000, tables=2_000)
    assert said(checkout) == "1 False"


def test_a_build_fails_with_other_tables(checkout: Path, monkeypatch: pytest.MonkeyPatch):
    name = "hatchling.builders.hooks.plugin.interface"
    stub = types.ModuleType(name)
    stub.BuildHookInterface = object  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, name, stub)
    hook = importlib.import_module("tools.build_hook").TablesHook()
    hook.root = str(checkout)
    hook.initialize("standard", {})
    grammar = checkout / "grammars/cnn.lark"
    grammar.write_text(grammar.read_text() + "\n")
    with pytest.raises(ValueError, match="make_tables"):
        hook.initialize("standard", {})
