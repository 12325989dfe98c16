"""What a user sees: specs with mistakes, and the exact diagnostics that `cnnspec check` gives for each.

    tests/ui/<area>/<name>.cnn    a spec; a guilty line says which codes are expected there: `#~ E203`, `#~ E203 E110`
    tests/ui/<area>/<name>.txt    the diagnostics as they are shown
    tests/ui/passing/<code>.cnn   a near miss of each code, which has to pass

A warning that is off by default is asked for with `#~ select W204`.
A line that can't carry a comment is named by another one: `#~ E104 @5`. The codes found have to be the marked ones exactly:
one mistake, one diagnostic. Files in a folder `lib` are imported by others and checked with them.

After a change of words, look at what changes and store it:

    python -m tests.test_ui --update
    git diff tests/ui
"""

from __future__ import annotations

import os
import re
import sys
from contextlib import chdir
from pathlib import Path
from typing import Any

import pytest

from cnnspec.diagnostics import Diagnostic, Sink
from cnnspec.diagnostics.render import render, render_all
from cnnspec.limits import LIMITS, Limits
from cnnspec.lint.catalogue import CODES
from cnnspec.pipeline import check
from cnnspec.source import Source
from cnnspec.syntax.read import decode, read_source

UI = Path(__file__).parent / "ui"
EVERY = [path.relative_to(UI) for path in sorted(UI.rglob("*.cnn")) if "lib" not in path.parts]
FAILING = [path for path in EVERY if path.parts[0] != "passing"]
PASSING = [path for path in EVERY if path.parts[0] == "passing"]

MARK = re.compile(r"#~((?: [EW]\d{3})+)(?: @(\d+))?")
SELECT = re.compile(r"^#~ select (.+)$", re.MULTILINE)
IMPORT = re.compile(r'^from "([^"\n]+)"', re.MULTILINE)

# Codes that no .cnn file alone leads to, each with the test below that does; the check itself gives none of those without.
INLINE = {
    "E001": "test_bytes_that_are_no_text",
    "E002": "test_file_too_large",
    "E003": "test_too_many_tokens",
    "E009": "test_too_many_mistakes",
    "E409": "test_too_many_imports",
    "E410": "test_unknown_model",
    "E411": "test_unknown_parameter",
    "E418": "test_several_models",
    "E421": "test_parameter_that_a_variant_fixes",
}

PYTHON = ("E7", "E82", "W3")
"""The codes about Python source: tests/test_torch_source_ui.py."""

Place = tuple[str, int, str]


def diagnostics_of(path: Path) -> list[Diagnostic]:
    """What the check finds in a file of tests/ui, which is named relative to it."""
    sink = Sink()
    with chdir(UI):
        source = read_source(str(path), sink)
        check(
            source, sink, select=[code for codes in SELECT.findall(source.text) for code in codes.split()], fixes=True
        )
    return sink.diagnostics


def marked_in(path: Path, seen: frozenset[Path] = frozenset()) -> set[Place]:
    """The places and codes that a file and those that it imports are marked with."""
    text = (UI / path).read_bytes().decode("utf-8-sig", "replace")
    marks: set[Place] = set()
    for number, line in enumerate(text.split("\n"), 1):
        for mark in MARK.finditer(line):
            marks |= {(str(path), int(mark[2] or number), code) for code in mark[1].split()}
    for imported in IMPORT.findall(text):
        target = Path(os.path.normpath(path.parent / imported))
        if target not in seen and (UI / target).is_file() and not target.is_absolute() and ".." not in target.parts:
            marks |= marked_in(target, seen | {path})
    return marks


# --- the tree ---


@pytest.mark.parametrize("path", FAILING, ids=str)
def test_findings(path: Path):
    findings = diagnostics_of(path)
    marked = marked_in(path)
    assert marked, "nothing is marked in this file"
    assert {(found.span.source.path, found.span.line, found.code.id) for found in findings} == marked
    for found in findings:
        check_manners(found)
    stored = (UI / path).with_suffix(".txt").read_text(encoding="utf-8")
    assert render_all(findings) + "\n" == stored, "see the head of tests/test_ui.py"


def check_manners(found: Diagnostic) -> None:
    """Headlines are short, start in lower case or with a name, have no full stop; every finding marks something."""
    assert not found.message.endswith((".", "!", " ")), found.message
    assert "\n" not in found.message
    assert len(found.message) < 160, found.message
    if found.span.source.text:
        assert "^" in render(found)
    for sentence in (found.message, found.label, *found.notes, *found.all_helps):
        machinery = re.search(r"\{[a-z_]+[:!}]|\bNone\b|UNKNOWN|object at|<class|Traceback", plain(sentence))
        assert not machinery, sentence


@pytest.mark.parametrize("path", PASSING, ids=str)
def test_near_misses_pass(path: Path):
    assert render_all(diagnostics_of(path)) == ""


def test_every_code_has_a_failing_spec_and_a_near_miss():
    failing = {code for path in FAILING for _, _, code in marked_in(path)}
    reachable = {code for code in set(CODES) - set(INLINE) if not code.startswith(PYTHON)}
    assert reachable - failing == set()
    assert reachable - {path.stem for path in PASSING} == set()
    assert {name for name in INLINE.values() if name} <= set(globals())


def test_no_stored_text_is_left_over():
    specs = {path.with_suffix("") for path in FAILING}
    assert {path.relative_to(UI).with_suffix("") for path in UI.rglob("*.txt")} <= specs


def plain(sentence: str) -> str:
    """A sentence without what it quotes from the spec."""
    return re.sub(r"`[^`]*`|\"[^\"]*\"|\{ \.\.\. \}", "", sentence)


# --- what a file alone does not lead to ---


def check_text(text: str, **options: Any) -> list[Diagnostic]:
    sink = Sink()
    check(Source("spec.cnn", text), sink, **options)
    return sink.diagnostics


def only(found: list[Diagnostic], code: str) -> str:
    assert [diagnostic.code.id for diagnostic in found] == [code]
    return render(found[0])


ONE = "model One(width = 10) { input [784]; Linear(width) }\n"
TWO = ONE + "model Two(depth = 1) { input [784]; repeat depth { Linear(10); ReLU } }\n"


def test_bytes_that_are_no_text():
    sink = Sink()
    check(decode(b"model Net {\n    input [784]  # gr\xfc\xdfe\n}\n", "spec.cnn", sink), sink)
    shown = only(sink.diagnostics, "E001")
    assert shown == (
        "error[E001]: the file is not UTF-8 text\n"
        " --> spec.cnn:1:1\n"
        "  = note: byte 0xfc in line 2, 33 bytes into the file"
    )
    near = Sink()
    check(decode("# grüße\n".encode() + ONE.encode(), "spec.cnn", near), near)
    assert not near.diagnostics


def test_file_too_large():
    sink, near = Sink(), Sink()
    check(decode(b" " * (LIMITS.file_bytes + 1), "spec.cnn", sink), sink)
    assert "larger than 4,194,304 bytes" in only(sink.diagnostics, "E002")
    check(decode(ONE.encode().ljust(LIMITS.file_bytes), "spec.cnn", near), near)
    assert not near.diagnostics


def test_too_many_tokens(monkeypatch: pytest.MonkeyPatch):
    text = "model Net {\n  input [784]\n  ReLU\n}\n"
    monkeypatch.setattr("cnnspec.compiler.project.LIMITS", Limits(tokens=13))
    assert not check_text(text)
    for user in ("compiler.project", "syntax.lexer"):
        monkeypatch.setattr(f"cnnspec.{user}.LIMITS", Limits(tokens=9))
    assert "more than 9 words and signs" in only(check_text(text + "\n"), "E003")


def test_too_many_mistakes(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("cnnspec.pipeline.LIMITS", Limits(errors=3))
    text = "model Net {{ input [784]\n{}}}\nmodel Other {{ input [784]; Linear(0) }}\n"
    found = check_text(text.format("  Linear(0)\n" * 2))
    assert [one.code.id for one in found] == ["E116"] * 3
    found = check_text(text.format("  Linear(0)\n" * 5))
    assert [one.code.id for one in found] == ["E116"] * 3 + ["E009"]
    assert "more than 3 mistakes" in found[3].message


def test_unknown_model():
    shown = only(check_text(TWO, model="Tow"), "E410")
    assert "there is no model `Tow`" in shown
    assert "did you mean `Two`?" in shown
    assert "the file has `One` and `Two`" in shown
    assert not check_text(TWO, model="Two")


def test_unknown_parameter():
    shown = only(check_text(ONE, parameters={"widht": 3}), "E411")
    assert "model `One` has no parameter `widht`" in shown
    assert "did you mean `width`?" in shown
    assert not check_text(ONE, parameters={"width": 3})


def test_parameter_that_a_variant_fixes():
    text = ONE + "model Wide = One(100)\n"
    shown = only(check_text(text, model="Wide", parameters={"width": 5}), "E421")
    assert "`width` of model `Wide` is given already" in shown
    assert not check_text(text, model="Wide")


def test_wrong_value_of_a_parameter():
    assert 'out_features of Linear can\'t be "ten"' in only(check_text(ONE, parameters={"width": "ten"}), "E115")


def test_no_default_is_no_mistake_where_a_value_is_given():
    text = "model Net(classes) { input [784]; Linear(classes) }"
    assert "has no default" in only(check_text(text), "E412")
    assert not check_text(text, parameters={"classes": 10})


def test_several_models():
    from cnnspec import SpecError, loads

    with pytest.raises(SpecError) as raised:
        loads(TWO)
    assert "choose one of `One` and `Two`" in only(raised.value.diagnostics, "E418")
    assert loads(TWO, "Two").name == "Two"


def test_too_many_imports(tmp_path: Path):
    for number in range(LIMITS.imported_files + 1):
        (tmp_path / f"b{number}.cnn").write_text(f"block B{number} {{ ReLU }}\n")
    lines = [f'from "b{number}.cnn" import B{number}\n' for number in range(LIMITS.imported_files + 1)]
    (tmp_path / "cnnspec.toml").touch()

    def checked(count: int) -> list[Diagnostic]:
        sink = Sink()
        check(Source(str(tmp_path / "net.cnn"), "".join(lines[:count]) + ONE), sink)
        return [found for found in sink.diagnostics if found.severity == "error"]

    assert f"more than {LIMITS.imported_files} imports" in only(checked(LIMITS.imported_files + 1), "E409")
    assert not checked(LIMITS.imported_files - 1)


def update() -> None:
    """Write the stored texts anew."""
    for path in FAILING:
        (UI / path).with_suffix(".txt").write_text(render_all(diagnostics_of(path)) + "\n", encoding="utf-8")
    for path in UI.rglob("*.txt"):
        if not path.with_suffix(".cnn").exists():
            path.unlink()


if __name__ == "__main__":
    if sys.argv[1:] != ["--update"]:
        sys.exit(__doc__)
    update()
