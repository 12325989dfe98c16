"""What the README and the pages of docs/ show is what happens: specs check, commands print what stands under them.

A block ```cnn name.cnn is a file of that name, which the commands of its page read; an unnamed one is checked by itself, and
has no errors. tests/torch/test_examples.py runs the Python. Outputs that have changed for the better:

    python -m tests.test_examples --update
"""

from __future__ import annotations

import io
import re
import shlex
import sys
import tempfile
from contextlib import chdir, redirect_stdout
from pathlib import Path

import pytest

from cnnspec.cli.main import main
from cnnspec.diagnostics import Sink
from cnnspec.diagnostics.render import render_all
from cnnspec.pipeline import check
from cnnspec.source import Source

ROOT = Path(__file__).parent.parent
# docs/errors.md is made of pages that tests/test_explain.py runs, docs/torch.md has tests/test_torch_source_docs.py.
ELSEWHERE = ("errors.md", "torch.md")
PAGES = [ROOT / "README.md", *sorted(path for path in (ROOT / "docs").rglob("*.md") if path.name not in ELSEWHERE)]
BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)

Block = tuple[str, str, str]


def blocks_of(path: Path) -> list[Block]:
    """Language, name and text of the blocks of a page."""
    return BLOCK.findall(path.read_text(encoding="utf-8"))


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def printed(path: Path) -> list[tuple[str, str, str]]:
    """The commands of a page, what stands under them, and what they print in a folder with the page's files and specs/."""
    found = []
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        Path("specs").symlink_to(ROOT / "specs")
        Path("pyproject.toml").write_text("")
        for language, name, text in blocks_of(path):
            if language in ("cnn", "python") and name:
                Path(name).write_text(text, encoding="utf-8")
        for language, _, text in blocks_of(path):
            if language == "console":
                command, _, expected = text.partition("\n")
                assert command.startswith("$ cnnspec ")
                with redirect_stdout(io.StringIO()) as out:
                    main(shlex.split(command.removeprefix("$ cnnspec ")))
                found.append((command, expected, out.getvalue()))
    return found


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_commands_print_what_stands_under_them(path: Path):
    for command, expected, out in printed(path):
        assert out == expected, command


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_unnamed_specs_have_no_errors(path: Path):
    for language, name, text in blocks_of(path):
        if language == "cnn" and not name:
            sink = Sink()
            check(Source(str(ROOT / "specs" / "example.cnn"), text), sink)
            assert not sink.has_errors, render_all(sink.diagnostics)


def test_the_readme_is_a_page_with_the_shipped_spec_and_one_mistake():
    blocks = blocks_of(ROOT / "README.md")
    (shown,) = [text for language, _, text in blocks if language == "cnn"]
    shipped = {line.strip() for line in (ROOT / "specs" / "lenet.cnn").read_text(encoding="utf-8").splitlines()}
    assert [line.strip() for line in shown.splitlines() if line.strip() not in shipped] == ["AvgPool2d(5, stride=2)"]
    assert [language for language, _, _ in blocks] == ["sh", "sh", "cnn", "console", "python", "console"]
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 125


def update() -> None:
    """Write what the commands print now into the pages."""
    for path in PAGES:
        text = path.read_text(encoding="utf-8")
        for command, expected, out in printed(path):
            text = text.replace(f"{command}\n{expected}```", f"{command}\n{out}```")
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1:] != ["--update"]:
        sys.exit("usage: python -m tests.test_examples --update")
    update()
