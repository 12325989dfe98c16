"""What a user of PyTorch sees: Python files with mistakes, and the exact text that `cnnspec check` gives for each.

tests/ui_python/<name>.py     a file; a guilty line says which codes are expected there: `#~ E203`
tests/ui_python/<name>.txt    the findings as they are shown, and what is said of each module
tests/ui_python/passing/      files that have to pass, under their codes

python -m tests.test_torch_source_ui --update
"""

from __future__ import annotations

import re
import sys
from contextlib import chdir
from pathlib import Path

import pytest

from cnnspec.cli.main import main
from cnnspec.diagnostics import Diagnostic, Sink
from cnnspec.diagnostics.render import render, render_all
from cnnspec.lint.catalogue import CODES
from cnnspec.report.pages import Page, pages
from cnnspec.source import Source
from cnnspec.torch_source.check import Options, check_python
from cnnspec.torch_source.describe import describe
from cnnspec.torch_source.outcome import Outcome

UI = Path(__file__).parent / "ui_python"
FAILING = sorted(path.relative_to(UI) for path in UI.glob("*.py"))
PASSING = sorted(path.relative_to(UI) for path in (UI / "passing").glob("*.py"))
MARK = re.compile(r"#~((?: [EW]\d{3})+)")
INLINE = {
    "E709": "test_a_class_that_is_not_there",
    "E711": "test_a_stop_is_told_where_a_whole_graph_is_needed",
    "W301": "test_strict_makes_a_stop_a_finding",
}
PAGES = [page for page in pages().values() if page.python]


def found_in(text: str, name: str = "model.py") -> tuple[list[Diagnostic], list[Outcome]]:
    sink = Sink()
    outcomes = check_python(Source(name, text), "", sink, Options(), fixes=True)
    return sink.diagnostics, outcomes


def text_of(path: Path) -> str:
    found, outcomes = found_in((UI / path).read_text(encoding="utf-8"), path.name)
    lines = [describe(one, path.name) for one in outcomes if one.stop != "?"]
    return "\n".join([render_all(found), *lines]).strip() + "\n"


@pytest.mark.parametrize("path", FAILING, ids=str)
def test_codes_are_the_marked_ones(path: Path):
    text = (UI / path).read_text(encoding="utf-8")
    marked = {
        (number, code)
        for number, line in enumerate(text.split("\n"), 1)
        for mark in MARK.finditer(line)
        for code in mark[1].split()
    }
    found, _ = found_in(text)
    assert {(one.span.line, one.code.id) for one in found} == marked, render_all(found)


@pytest.mark.parametrize("path", FAILING, ids=str)
def test_text_is_the_stored_one(path: Path):
    assert text_of(path) == (UI / path).with_suffix(".txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", PASSING, ids=str)
def test_near_misses_pass(path: Path):
    found, outcomes = found_in((UI / path).read_text(encoding="utf-8"))
    assert render_all(found) == ""
    assert outcomes
    assert [one.stop for one in outcomes] == [""] * len(outcomes)


@pytest.mark.parametrize("path", FAILING, ids=str)
def test_manners(path: Path):
    found, _ = found_in((UI / path).read_text(encoding="utf-8"))
    for one in found:
        assert not one.message.endswith((".", "!", " ")), one.message
        assert len(one.message) < 160, one.message
        assert "^" in render(one)
        for sentence in (one.message, one.label, *one.notes, *one.all_helps):
            assert not re.search(r"\{[a-z_]+[:!}]|UNKNOWN|object at|<class|Traceback|\d{19}", sentence), sentence


@pytest.mark.parametrize("page", [page for page in PAGES if page.code != "W301"], ids=lambda page: page.code)
def test_pages_do_what_they_say(page: Page):
    assert page.failing is not None
    assert page.fixed is not None
    assert {one.code.id for one in found_in(page.failing)[0]} == {page.code}
    found, outcomes = found_in(page.fixed)
    assert render_all(found) == ""
    assert [one.stop for one in outcomes] == [""]


def test_every_code_has_a_failing_file_and_a_near_miss():
    # W202 has its page among those about networks.
    own = {code for code in CODES if code.startswith(("E7", "W3"))} - set(INLINE)
    marked = {code for path in FAILING for mark in MARK.finditer((UI / path).read_text()) for code in mark[1].split()}
    assert own - marked == set()
    assert own - {path.stem for path in PASSING} == set()
    assert set(INLINE.values()) <= set(globals())


def checked(folder: Path, text: str, *arguments: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    (folder / "model.py").write_text(text)
    with chdir(folder):
        code = main(["check", *arguments])
    return code, capsys.readouterr().out


NET = "import torch.nn as nn\nclass Net(nn.Module):\n  def forward(self, x):\n    return x\n"


def test_a_class_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    code, out = checked(tmp_path, NET, "model.py:Nett", capsys=capsys)
    assert code == 1
    assert "error[E709]: there is no `Nett` to check in this file" in out
    assert "the file has `Net`" in out


def test_strict_makes_a_stop_a_finding(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (page,) = [page for page in PAGES if page.code == "W301"]
    assert page.failing is not None
    assert page.fixed is not None
    code, out = checked(tmp_path, page.failing, "model.py", capsys=capsys)
    assert code == 0
    assert (
        "not followed: can't follow `scipy.ndimage.gaussian_filter`, which is not in the project (model.py:11)" in out
    )
    assert out.splitlines()[-1] == "1 file checked: nothing in what was followed, 1 module not followed to the end"
    code, out = checked(tmp_path, page.failing, "model.py", "--strict", capsys=capsys)
    assert code == 1
    assert "warning[W301]: `Net` was not followed to its end" in out
    assert checked(tmp_path, page.fixed, "model.py", "--strict", capsys=capsys)[0] == 0


def test_the_last_line_says_what_was_checked(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    text = "import torch.nn as nn\nnet = nn.Sequential(nn.Linear(4, 2))\n"
    code, out = checked(tmp_path, text, "model.py", "--input", "4", capsys=capsys)
    assert code == 0
    assert out == "model.py: net  [4] -> [2]  10 parameters\n1 file checked: no problems\n"


def update() -> None:
    for path in FAILING:
        (UI / path).with_suffix(".txt").write_text(text_of(path), encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1:] != ["--update"]:
        sys.exit(__doc__)
    update()


def test_a_stop_is_told_where_a_whole_graph_is_needed(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    text = f"from spam import spam\n{NET}".replace("return x", "return spam(x)")
    (tmp_path / "model.py").write_text(text)
    with chdir(tmp_path):
        assert main(["summary", "model.py", "--input", "4"]) == 1
    assert "error[E711]: `Net` was not followed to its end: can't follow" in capsys.readouterr().err
