"""The check needs no torch, and a check of a file imports none of the modules that cost more than it does."""

from __future__ import annotations

import subprocess
import sys
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


def loaded_by(arguments: list[str]) -> set[str]:
    """The slow modules that a command has imported. `-I -S`: none that the interpreter's own start brings in."""
    code = f"import sys; sys.path[:0] = [{str(ROOT)!r}]\n" + RUN.format(arguments=arguments, slow=SLOW)
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
        ["layers"],
        ["layers", "Conv2d"],
    ],
    ids=" ".join,
)
def test_nothing_slow_is_imported(arguments: list[str]):
    assert loaded_by(arguments) == set()


def test_errors_import_nothing_slow_either(tmp_path: Path):
    path = tmp_path / "wrong.cnn"
    path.write_text("model M { input [4]; Linear(5 -> 3); Lineer(3); let x = $ }")
    assert loaded_by(["check", str(path)]) == set()


def test_the_test_can_fail():
    code = f"import sys, json\nprint('loaded', *sorted({SLOW!r} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True)
    assert "json" in run.stdout


def test_importing_the_package_imports_nothing_of_it():
    code = "import sys, cnnspec; print(sorted(m for m in sys.modules if m.startswith('cnnspec')))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert run.stdout.strip() == "['cnnspec', 'cnnspec._version']"
