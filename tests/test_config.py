"""Settings, selections, comments that silence, fixes and watching."""

from __future__ import annotations

import gc
import io
import os
import subprocess
import sys
from pathlib import Path
from time import process_time

import pytest

from cnnspec.cli import fix as cli_fix
from cnnspec.cli import watch
from cnnspec.cli.check import options_of
from cnnspec.cli.common import Command
from cnnspec.cli.config import Config, ConfigError, Selection, check_codes
from cnnspec.cli.main import main
from cnnspec.diagnostics import Diagnostic, Sink, codes
from cnnspec.diagnostics.edits import Edit
from cnnspec.diagnostics.suggestions import NOTE, Suggestion
from cnnspec.lint.suppress import suppress, suppressions
from cnnspec.pipeline import check
from cnnspec.report.findings import Report, Result
from cnnspec.source import Source, Span
from tests.test_formats import BAD, GOOD, WARNED

W202 = "two Linear layers"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CNNSPEC_OUTPUT_FORMAT", raising=False)
    (tmp_path / "specs" / "old").mkdir(parents=True)
    (tmp_path / "specs" / "good.cnn").write_text(GOOD)
    (tmp_path / "specs" / "warned.cnn").write_text(WARNED)
    (tmp_path / "specs" / "old" / "bad.cnn").write_text(BAD, encoding="utf-8")
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(["check", *arguments])
    printed = capsys.readouterr()
    return code, printed.out, printed.err


# --- which codes ---


@pytest.mark.parametrize(
    ("select", "ignore", "shown"),
    [
        ("", "", "E203 W201 W202"),
        ("W", "", "W201 W202"),
        ("W2", "W202", "W201"),
        ("W202", "W2", "W202"),
        ("", "W E2", ""),
        ("E W202", "", "E203 W202"),
        ("W2", "W2", ""),
    ],
)
def test_selection(select: str, ignore: str, shown: str):
    selection = Selection(tuple(select.split()), tuple(ignore.split()))
    assert [code for code in ("E203", "W201", "W202") if selection.shows(code)] == shown.split()


@pytest.mark.parametrize("prefix", ["X", "", "W9", "E2033", "w202"])
def test_prefixes_that_begin_no_code(prefix: str):
    with pytest.raises(ConfigError, match="--select: no code begins with"):
        check_codes((prefix,), "--select")


def test_select_and_ignore(folder: Path, capsys):
    assert run(capsys, "specs/warned.cnn", "--ignore", "W2")[0] == 0
    assert run(capsys, "specs/warned.cnn", "--select", "E,W201")[0] == 0
    code, out, _ = run(capsys, "specs", "--select", "W202", "--select", "E1", "--output-format", "concise")
    assert (code, [line.split("[")[1][:4] for line in out.splitlines()]) == (1, ["W202", "E110"])
    assert run(capsys, "specs", "--select", "W2O2")[::2] == (
        2,
        "cnnspec: --select: no code begins with `W2O2`, did you mean `W202`?\n",
    )


def test_an_ignored_error_makes_no_network(folder: Path, capsys):
    code, out, _ = run(capsys, "specs/old/bad.cnn", "--ignore", "E")
    assert (code, out) == (0, "1 file checked: no problems\n")


# --- settings ---


def test_the_nearest_table_holds(folder: Path, capsys):
    (folder / "pyproject.toml").write_text('[tool.cnnspec]\nignore = ["W202"]\n')
    assert run(capsys, "specs/warned.cnn")[0] == 0
    (folder / "specs" / "pyproject.toml").write_text('[project]\nname = "cnnspec"\n')
    assert run(capsys, "specs/warned.cnn")[0] == 0
    (folder / "specs" / "pyproject.toml").write_text("[tool]\ncnnspec.select = ['W']\n")
    assert run(capsys, "specs/warned.cnn")[0] == 1
    (folder / "specs" / "cnnspec.toml").write_text("ignore = ['W2']")
    assert run(capsys, "specs/warned.cnn")[0] == 0
    (folder / "specs" / "cnnspec.toml").write_text("")
    assert run(capsys, "specs/warned.cnn")[0] == 1
    assert run(capsys, "specs/warned.cnn", "--ignore", "W202")[0] == 0


def test_settings_are_found_from_elsewhere(folder: Path, capsys, monkeypatch):
    (folder / "pyproject.toml").write_text('[tool.cnnspec]\nignore = ["W202"]\n')
    monkeypatch.chdir("/")
    assert run(capsys, str(folder / "specs" / "warned.cnn"))[0] == 0


def test_exclude(folder: Path, capsys):
    (folder / "cnnspec.toml").write_text("exclude = ['old', 'specs/w*.cnn']")
    assert run(capsys, "specs", "-q")[0] == 0
    assert run(capsys, "specs/old/bad.cnn")[0] == 1
    assert run(capsys, "specs/old")[::2] == (2, "cnnspec: every .cnn file in specs/old is excluded\n")


@pytest.mark.parametrize(
    ("pattern", "excluded"),
    [("old", True), ("old/", True), ("specs/old", True), ("*/bad.cnn", True), ("bad.cnn", True), ("ol", False),
     ("old/bad.cnn", False), ("specs/*.cnn", True), ("*.txt", False)],
)  # fmt: skip
def test_patterns(folder: Path, pattern: str, excluded: bool):
    config = Config(str(folder / "cnnspec.toml"), exclude=(pattern,))
    assert config.excludes(str(folder / "specs" / "old" / "bad.cnn")) == excluded


def test_other_settings(folder: Path, capsys):
    (folder / "cnnspec.toml").write_text("output-format = 'concise'\nerror-on-warning = true\n")
    assert run(capsys, "specs/warned.cnn")[1].startswith("specs/warned.cnn:4:5: error[W202]")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ignroe = []", "cnnspec.toml: there is no setting `ignroe`, did you mean `ignore`?"),
        ("output_format = 'json'", "cnnspec.toml: there is no setting `output_format`, did you mean `output-format`?"),
        ("x = 1", "cnnspec.toml: there is no setting `x`: there is select, ignore,"),
        ("ignore = 'W2'", "cnnspec.toml: ignore has to be a list of strings"),
        ("select = [1]", "cnnspec.toml: select has to be a list of strings"),
        ("exclude = {}", "cnnspec.toml: exclude has to be a list of strings"),
        ("select = ['W2O2']", "cnnspec.toml: select: no code begins with `W2O2`, did you mean `W202`?"),
        ("error-on-warning = 1", "cnnspec.toml: error-on-warning has to be true or false"),
        ("output-format = 1", "cnnspec.toml: output-format has to be a string"),
        ("output-format = 'x'", "there is no output format 'x'"),
        ("select = [", "cnnspec.toml is no TOML: "),
    ],
)
def test_settings_that_can_not_be_used(folder: Path, capsys, text: str, message: str):
    (folder / "cnnspec.toml").write_text(text)
    code, out, err = run(capsys, "specs/good.cnn")
    assert (code, out) == (2, "")
    assert err.startswith("cnnspec: ")
    assert message in err


def test_a_table_that_is_none(folder: Path, capsys):
    (folder / "pyproject.toml").write_text("[tool]\ncnnspec = 3\n")
    assert "cnnspec has to be a table" in run(capsys, "specs/good.cnn")[2]


COLD = """
import sys
from cnnspec.cli.main import main
main(["check", "specs/good.cnn"])
print(*sorted({"tomllib", "json", "difflib", "hashlib", "typing", "xml"} & set(sys.modules)))
"""


@pytest.mark.parametrize(
    ("text", "loaded"), [('[project]\nname = "cnnspec"\n', False), ("[tool.cnnspec]\nignore = []\n", True)]
)
def test_settings_are_parsed_only_where_there_are_some(folder: Path, text: str, loaded: bool):
    (folder / "pyproject.toml").write_text(text)
    code = f"import sys; sys.path[:0] = [{str(Path(__file__).parent.parent)!r}]\n{COLD}"
    run = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True)
    assert ("tomllib" in run.stdout.splitlines()[-1].split()) == loaded
    assert loaded or not run.stdout.splitlines()[-1]


# --- comments ---


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("ReLU # cnnspec: ignore[W202] why", [("W202", 1)]),
        ("ReLU #cnnspec:ignore[W202,W203]", [("W202", 1), ("W203", 1)]),
        ("# cnnspec: ignore[W202]\nReLU", [("W202", 2)]),
        ("\n\n  # cnnspec: ignore[W202]\n  # more\nReLU", [("W202", 5)]),
        ("ReLU # cnnspec: ignore", [("", 1)]),
        ("ReLU # cnnspec: ignore[]", [("", 1)]),
        ("ReLU # cnnspec: ignore[W202", [("W202", 1)]),
        ("ReLU # cnnspec: ignored", []),
        ("ReLU # about cnnspec: ignore[W202]", []),
        ('let a = "# cnnspec: ignore[W202]"', []),
        ("# cnnspec: ignore[W202]", [("W202", 1)]),
        ("ReLU # cnnspec: ignore[W202]\r\nReLU", [("W202", 1)]),
    ],
)
def test_comments(text: str, found: list[tuple[str, int]]):
    assert [(one.code, one.line) for one in suppressions(Source("x.cnn", text))] == found
    assert all(one.span.text == one.code for one in suppressions(Source("x.cnn", text)) if one.code)


def codes_of(text: str, path: str = "x.cnn", **options) -> list[str]:
    sink = Sink()
    check(Source(path, text), sink, **options)
    return [found.code.id for found in sink.diagnostics]


SILENT = WARNED.replace("Linear(2)", "Linear(2)  # cnnspec: ignore[W202]")


def test_the_same_text_again_is_silent_again():
    assert codes_of(SILENT) == codes_of(SILENT) == []


def test_uselessness_is_told_only_where_all_was_seen():
    two = SILENT + "model Other(n = 1) { input [4]; Linear(n) }\n"
    assert codes_of(two) == codes_of(two, model="Other") == []
    assert codes_of(two.replace("Linear(3)", "ReLU")) == ["W001"]
    assert codes_of(two.replace("Linear(3)", "ReLU"), model="Other") == []
    assert codes_of(two.replace("Linear(3)", "ReLU").replace("Linear(n)", "Linear(5 -> n)")) == ["E203"]


def test_comments_of_imported_files_hold(folder: Path):
    lib = "block B {\n    Linear(3)\n    Linear(3)  # cnnspec: ignore[W202]\n    ReLU  # cnnspec: ignore[W203]\n}\n"
    (folder / "lib.cnn").write_text(lib)
    assert codes_of('from "lib.cnn" import B\nmodel M { input [4]; B }', "net.cnn") == []


@pytest.mark.parametrize(
    "text",
    [
        "    ReLU  # cnnspec: ignore[W202]\n" * 2_000 + "}\n",
        "    # cnnspec: ignore[W202]\n" * 2_000 + "    ReLU\n}\n",
        "    ReLU\n}\n# cnnspec: ignore[" + "W202, " * 2_000 + "]\n",
        "    ReLU\n}\n" + "block B { Tanh }  # cnnspec: ignore[W202]\n" * 2_000,
    ],
    ids=["behind", "alone", "in one", "unseen"],
)
def test_suppressions_are_read_in_linear_time(text: str):
    def seconds(times: int) -> float:
        source = Source("x.cnn", "model M {\n    input [4]\n" + text * times)
        before = process_time()
        found = suppressions(source)
        suppress(source, Sink(), unseen=[one.span for one in found], whole=True)
        return process_time() - before

    seconds(1)
    gc.disable()
    try:
        once, four_times = min(seconds(1), seconds(1)), min(seconds(4), seconds(4))
    finally:
        gc.enable()
    assert four_times < 8 * once


def test_errors_can_not_be_silenced():
    assert codes_of(BAD.replace("Linear(5 -> 3)", "Linear(5 -> 3)  # cnnspec: ignore[E203]")) == [
        "E203",
        "W002",
        "E110",
    ]


# --- fixes ---


def finding(source: Source, *fixes: Suggestion) -> Diagnostic:
    return Diagnostic(codes.UNKNOWN_LAYER, {"name": "x"}, Span(source, 0, 1), (), fixes)


def replace(source: Source, start: int, end: int, text: str, *, safe: bool, leads: bool = False) -> Suggestion:
    return Suggestion(NOTE, {"words": f"write {text}"}, (Edit(Span(source, start, end), text),), safe, leads)


def test_changes_take_safe_fixes_and_leave_what_overlaps():
    source = Source("x.cnn", "abcdef")
    found = (
        finding(source, replace(source, 0, 2, "X", safe=True)),
        finding(source, replace(source, 1, 3, "Y", safe=True)),
        finding(source, replace(source, 4, 5, "Z", safe=False), replace(source, 5, 6, "N", safe=False)),
        finding(source),
    )
    report = Report((Result("x.cnn", (), found),))
    assert [(one.text, one.fixes) for one in cli_fix.changes(report, unsafe=False)] == [("Xcdef", 1)]


def test_unsafe_takes_the_first_that_stands_out():
    source = Source("x.cnn", "abcdef")
    found = (finding(source, replace(source, 4, 5, "Z", safe=False), replace(source, 5, 6, "N", safe=True)),)
    report = Report((Result("x.cnn", (), found),))
    assert [one.text for one in cli_fix.changes(report, unsafe=True)] == ["abcdeN"]
    for leads, text in ((True, ["abcdZf"]), (False, [])):
        first = replace(source, 4, 5, "Z", safe=False, leads=leads)
        found = (finding(source, first, replace(source, 5, 6, "N", safe=False)),)
        report = Report((Result("x.cnn", (), found),))
        assert [one.text for one in cli_fix.changes(report, unsafe=True)] == text


MISSPELT = "\ufeffmodel M {\r\n    input [4]\r\n    Lineer(3)\r\n}"


def test_fix_writes_and_reports_what_remains(folder: Path, capsys):
    path = folder / "m.cnn"
    path.write_bytes(MISSPELT.encode())
    path.chmod(0o640)
    assert run(capsys, "m.cnn", "--fix", "-q") == (0, "", "1 finding fixed\n")
    assert path.read_bytes() == MISSPELT.replace("Lineer", "Linear").encode()
    assert path.stat().st_mode & 0o777 == 0o640
    assert sorted(os.listdir(folder)) == ["m.cnn", "specs"]


@pytest.mark.parametrize(
    ("comment", "left"),
    [
        ("    ReLU  # cnnspec: ignore[W202] why\n", "    ReLU\n"),
        ("    ReLU  # cnnspec: ignore[W202, W203] why\n", "    ReLU\n"),
        ("    # cnnspec: ignore[W202] why\n    ReLU\n", "    ReLU\n"),
        ("    ReLU  # cnnspec: ignore[W202]\r\n", "    ReLU\r\n"),
        (
            "    ReLU; Linear(3); Linear(3)  # cnnspec: ignore[W202,W203]\n",
            "    ReLU; Linear(3); Linear(3)  # cnnspec: ignore[W202]\n",
        ),
        (
            "    ReLU; Linear(3); Linear(3)  # cnnspec: ignore[W203, W202]\n",
            "    ReLU; Linear(3); Linear(3)  # cnnspec: ignore[W202]\n",
        ),
    ],
)
def test_useless_comments_are_taken_out(folder: Path, capsys, comment: str, left: str):
    (folder / "m.cnn").write_bytes(f"model M {{\n    input [4]\n{comment}}}\n".encode())
    assert run(capsys, "m.cnn", "--fix", "-q")[0] == 0
    assert (folder / "m.cnn").read_bytes() == f"model M {{\n    input [4]\n{left}}}\n".encode()


def test_a_link_stays_a_link(folder: Path, capsys):
    (folder / "m.cnn").write_text("model M { input [4]; Lineer(3) }\n")
    (folder / "link.cnn").symlink_to("m.cnn")
    run(capsys, "link.cnn", "--fix")
    assert (folder / "link.cnn").is_symlink()
    assert "Linear(3)" in (folder / "m.cnn").read_text()


def test_diff_changes_nothing(folder: Path, capsys):
    (folder / "m.cnn").write_text("model M {\n    input [4]\n    Lineer(3)\n}")
    code, out, err = run(capsys, "m.cnn", "--diff")
    assert (code, err) == (1, "")
    assert out == (
        "--- a/m.cnn\n+++ b/m.cnn\n@@ -1,4 +1,4 @@\n model M {\n     input [4]\n-    Lineer(3)\n+    Linear(3)\n }\n"
        "\\ No newline at end of file\n"
    )
    assert "Lineer" in (folder / "m.cnn").read_text()
    assert run(capsys, "specs/good.cnn", "--diff") == (0, "", "")


def test_diff_says_what_is_left(folder: Path, capsys):
    (folder / "m.cnn").write_text("model M {\n    input [4]\n    Linear(5 -> 3)\n    Linear(none)\n}\n")
    code, out, err = run(capsys, "m.cnn", "--diff")
    assert (code, out) == (1, "")
    assert err.startswith("2 findings left")


def test_unsafe_fixes_make_it_check(folder: Path, capsys):
    assert run(capsys, "specs/old/bad.cnn", "--fix")[0] == 1
    code, out, _ = run(capsys, "specs/old/bad.cnn", "--unsafe-fixes", "--ignore", "W")
    assert (code, "no problems" in out) == (0, True)


def test_standard_input_is_corrected(folder: Path, capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"model M { input [4]; Lineer(3); Linear(5 -> 1) }")))
    code, out, err = run(capsys, "-", "--fix")
    assert (code, out) == (1, "model M { input [4]; Linear(3); Linear(5 -> 1) }")
    assert err.startswith("1 finding fixed\n")
    assert "E203" in err


def test_a_file_that_changes_meanwhile_is_left_alone(folder: Path, capsys):
    path = folder / "m.cnn"
    path.write_text("new")
    with pytest.raises(Exception, match="has changed since"):
        cli_fix._write(cli_fix.Change(Source("m.cnn", "old"), "fixed", 1))
    assert path.read_text() == "new"


# --- watching ---


def test_watched_files_are_those_imported_too(folder: Path):
    (folder / "a.cnn").write_text('from "specs/b.cnn" import B\nfrom "/etc/x.cnn" import C\n')
    (folder / "specs" / "b.cnn").write_text('from "good.cnn" import X\nfrom "../a.cnn" import A\n')
    assert set(watch.Watch(pytest.fail).watched(["a.cnn"])) == {"a.cnn", "specs/b.cnn", "specs/good.cnn"}


def test_watch_checks_again_after_a_change(folder: Path, capsys, monkeypatch):
    path = folder / "specs" / "warned.cnn"
    steps = [lambda: None, lambda: path.write_text(GOOD), lambda: None, path.unlink, lambda: path.write_text(WARNED)]

    def pause(seconds: float) -> None:
        if not steps:
            raise KeyboardInterrupt
        steps.pop(0)()

    monkeypatch.setattr(watch, "sleep", pause)
    code, out, err = run(capsys, "specs/warned.cnn", "--watch", "--output-format", "concise")
    assert (code, out.count(W202)) == (0, 2)
    assert err == "cnnspec: can't read specs/warned.cnn: no such file or directory\n"


def test_an_idle_watch_costs_next_to_nothing(folder: Path, monkeypatch):
    from cnnspec.cli.session import Session

    for i in range(40):
        (folder / "specs" / f"n{i}.cnn").write_text(f'from "lib.cnn" import B\n{GOOD}')
    (folder / "specs" / "lib.cnn").write_text("block B { ReLU }")
    found = []
    monkeypatch.setattr("cnnspec.cli.check.COMMANDS", {"check": Command("", options_of, found.append)})
    assert main(["check", "specs"]) is None
    begun = []
    watching = watch.Watch(lambda: begun.append(Session(found[0])) or begun[-1])
    watching.look()
    before = process_time()
    for _ in range(100):
        watching.look()
    assert (process_time() - before) / (100 * watch.PAUSE) < 0.01
    assert len(begun) == 1
    (folder / "cnnspec.toml").write_text("ignore = ['W']")
    watching.look()
    (folder / "specs" / "new.cnn").write_text(GOOD)
    watching.look()
    (folder / "specs" / "lib.cnn").write_text("block B { Tanh }")
    watching.look()
    assert len(begun) == 4


@pytest.mark.parametrize(
    "arguments", [["-", "--watch"], ["x.cnn", "--watch", "--fix"], ["x.cnn", "--watch", "--output-file", "y"]]
)
def test_options_that_do_not_go_together(capsys, arguments: list[str]):
    assert run(capsys, *arguments)[0] == 2
