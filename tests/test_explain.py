"""The page of every code: its specs do what it says, and every code is documented, tested and emitted."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cnnspec.cli.main import main
from cnnspec.diagnostics import Diagnostic, Sink, codes
from cnnspec.diagnostics.render import render_all
from cnnspec.lint.catalogue import CODES, RULES
from cnnspec.pipeline import check
from cnnspec.report.pages import Page, document, pages, show
from cnnspec.source import Source
from tests.test_import import INLINE as IMPORT
from tests.test_torch_source_ui import INLINE as PYTHON
from tests.test_ui import INLINE

ROOT = Path(__file__).parent.parent
PAGES = pages()
WITH_SPEC = [page for page in PAGES.values() if page.failing is not None and not page.python]


def found_in(text: str, page: Page, folder: Path) -> list[Diagnostic]:
    """What the check finds in a spec of a page. A warning that is off by default is asked for."""
    (folder / "cnnspec.toml").touch()
    for name, content in page.files.items():
        (folder / name).write_text(content)
    path = folder / "spec.cnn"
    path.write_text(text)
    sink = Sink()
    check(Source(str(path), text), sink, select=[page.code])
    return sink.diagnostics


@pytest.mark.parametrize("page", WITH_SPEC, ids=lambda page: page.code)
def test_the_failing_spec_gives_the_code_alone(page: Page, tmp_path: Path):
    assert page.failing is not None
    found = found_in(page.failing, page, tmp_path)
    assert {diagnostic.code.id for diagnostic in found} == {page.code}, render_all(found)


@pytest.mark.parametrize("page", WITH_SPEC, ids=lambda page: page.code)
def test_the_fixed_spec_gives_nothing(page: Page, tmp_path: Path):
    assert page.fixed is not None
    assert render_all(found_in(page.fixed, page, tmp_path)) == ""


def test_every_code_has_a_page():
    assert list(PAGES) == sorted(CODES)
    assert {code for code, page in PAGES.items() if page.failing is None} <= {*INLINE, *PYTHON, *IMPORT}


@pytest.mark.parametrize("page", PAGES.values(), ids=lambda page: page.code)
def test_pages_give_a_reason(page: Page):
    assert page.title
    assert len(page.text) > 40
    assert ("off by default" in page.title) != CODES[page.code].default


def test_ids_are_unique_and_every_code_is_emitted():
    declared = {name: value for name, value in vars(codes).items() if isinstance(value, codes.Code)}
    assert len({code.id for code in declared.values()} | set(RULES)) == len(declared) + len(RULES) == len(CODES)
    files = [path for path in (ROOT / "cnnspec").rglob("*.py") if path.name != "codes.py"]
    words = {word for path in files for word in re.findall(r"\w+", path.read_text(encoding="utf-8"))}
    assert declared.keys() - words == set()


def test_the_document_is_fresh():
    stored = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    assert document() == stored, "python -m cnnspec.report.pages > docs/errors.md"


def explain(*arguments: str) -> int:
    return main(["explain", *arguments])


def test_explain_shows_a_page(capsys: pytest.CaptureFixture[str]):
    assert explain("e203") == 0
    shown = capsys.readouterr().out
    assert shown == show(PAGES["E203"]) + "\n"
    assert shown.startswith("error[E203]: wrong width\n\n")
    assert "Fails:\n\n    model Net {\n" in shown
    assert explain("W204") == 0
    assert "--select W204" in capsys.readouterr().out


def test_explain_lists_all(capsys: pytest.CaptureFixture[str]):
    for arguments in ([], ["--list"]):
        assert explain(*arguments) == 0
        assert len(capsys.readouterr().out.splitlines()) == len(CODES)


def test_explain_suggests(capsys: pytest.CaptureFixture[str]):
    assert explain("W2013") == 2
    assert capsys.readouterr().err == "cnnspec: there is no code W2013, did you mean W201?\n"
    assert explain("banana") == 2
    assert "--list" in capsys.readouterr().err
