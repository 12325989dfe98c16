"""The check needs no torch, and a check of a file imports none of the modules that cost more than it does."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SLOW = {
    "torch", "numpy", "lark", "pydantic", "rich", "dataclasses", "inspect", "typing", "logging", "asyncio", "tempfile",
    "json", "importlib.metadata", "importlib.resources",
}  # fmt: skip

RUN = """
import sys
from cnnspec.cli.main import main
code = main({arguments!r})
print("loaded", *sorted({slow!r} & set(sys.modules)))
sys.exit(code)
"""


def loaded_by(arguments: list[str], slow: set[str] = SLOW) -> set[str]:
    """The slow modules that a command has imported. `-I -S`: none that the interpreter's own start brings in."""
    packages = [str(ROOT), *(path for path in sys.path if path.endswith("site-packages"))]
    code = f"import sys; sys.path[:0] = {packages!r}\n" + RUN.format(arguments=arguments, slow=slow)
    run = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert run.returncode in (0, 1), run.stderr
    return set(run.stdout.splitlines()[-1].split()[1:])


@pytest.mark.parametrize(
    "arguments",
    [
        ["check", "specs/lenet.cnn"],
        ["check", "specs"],
        ["summary", "specs/lenet.cnn"],
        ["draw", "specs/lenet.cnn"],
        ["layers"],
        ["layers", "Conv2d"],
    ],
    ids=" ".join,
)
def test_nothing_slow_is_imported(arguments: list[str]):
    assert loaded_by(arguments) == set()


def test_pictures_and_pages_need_no_torch(tmp_path: Path):
    for command, name in (("draw", "net.svg"), ("report", "net.html")):
        out = str(tmp_path / name)
        assert loaded_by([command, "specs/siamese.cnn", "-o", out], {"torch", "numpy", "pydantic", "lark"}) == set()


def test_a_plain_check_imports_what_it_needs():
    """No parser of arguments, no expressions, no reading of Python: each costs as much as the check itself."""
    slow = {"argparse", "shutil", "gettext", "locale", "pathlib", "bz2", "re", "ast", "enum", "contextlib", "functools"}
    ours = {
        "cnnspec.torch_source",
        "cnnspec.repair",
        "cnnspec.report.formats.json",
        "cnnspec.diagnostics.similar_names",
    }
    assert loaded_by(["check", "specs/lenet.cnn"], slow | ours) == set()


def test_errors_import_nothing_slow_either(tmp_path: Path):
    path = tmp_path / "wrong.cnn"
    path.write_text("model M { input [4]; Linear(5 -> 3); Lineer(3); let x = $ }")
    assert loaded_by(["check", str(path)]) == set()


@pytest.mark.parametrize("name", ["full", "concise", "github", "junit"])
def test_pydantic_serves_the_json_documents_alone(tmp_path: Path, name: str):
    (tmp_path / "wrong.cnn").write_text("model M { input [4]; Linear(5 -> 3) }")
    (tmp_path / "pyproject.toml").write_text("[tool.cnnspec]\nignore = ['W203']\n")
    arguments = ["check", str(tmp_path), "specs/lenet.cnn", "--output-format", name]
    assert loaded_by(arguments, {"pydantic", "lark"}) == set()


def test_pydantic_writes_json():
    assert loaded_by(["check", "specs/lenet.cnn", "--output-format", "json"], {"pydantic"}) == {"pydantic"}


def test_the_test_can_fail():
    code = f"import sys, json\nprint('loaded', *sorted({SLOW!r} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True)
    assert "json" in run.stdout


def test_importing_the_package_imports_nothing_of_it():
    code = "import sys, cnnspec; print(sorted(m for m in sys.modules if m.startswith('cnnspec')))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert run.stdout.strip() == "['cnnspec', 'cnnspec._version']"


# --- the tests themselves ---

OUTSIDE = {"torch", "ui_python", "data"}
"""Folders of tests that need torch, and of files that are read and not run."""
TESTS = sorted(path for path in (ROOT / "tests").rglob("*.py") if not OUTSIDE & set(path.relative_to(ROOT).parts[1:-1]))
ASKS = re.compile(
    r"(?:import|from) (?:torch|cnnspec\.nn|cnnspec\.backends\.torch_module)\b|\w+\.importorskip\(.torch\b"
)


def asks_for_torch(text: str) -> bool:
    """Whether a statement imports torch; what stands in a string is read and not run."""
    parts = (node for node in ast.walk(ast.parse(text)) if isinstance(node, (ast.Import, ast.ImportFrom, ast.Call)))
    return any(ASKS.match(ast.unparse(node)) for node in parts)


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.relative_to(ROOT / "tests").as_posix())
def test_no_test_outside_its_folder_asks_for_torch(path: Path):
    if path != Path(__file__):
        assert not asks_for_torch(path.read_text(encoding="utf-8"))


def test_torch_is_missing_for_the_tests_of_this_folder():
    """tests/conftest.py sees to it, also where another test of this process has imported torch."""
    with pytest.raises(ImportError):
        import_module("torch")


@pytest.mark.parametrize(
    "text",
    [
        "import torch",
        "def f():\n    from torch import nn",
        "import torch.nn as nn",
        'torch = pytest.importorskip("torch")',
    ],
)
def test_the_words_that_ask_for_torch_are_known(text: str):
    assert asks_for_torch(f"import re\n{text}\n")
