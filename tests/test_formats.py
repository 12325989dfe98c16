"""What `check` prints for machines: valid, complete, the same on every run, and harmless whatever a spec holds."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from cnnspec.cli.main import main
from cnnspec.report import names
from cnnspec.report.documents import DOCUMENTS, CheckReport
from cnnspec.resources import resource
from tests.test_ui import UI
from tools.make_schemas import schema_of

GOOD = "model Good { input [4]; Linear(3) }\n"
BAD = "model Bad {\n    input [4]\n    # größer 漢\n    Linear(5 -> 3)\n    Lineer(3)\n}\n"
WARNED = "model Warned {\n    input [4]\n    Linear(3)\n    Linear(2)\n}\n"
HOSTILE = 'model M {\n    input [4]\n    Linear("]]>&<\x1b[31m\u202e::error::%0A\x7f\x9b1m\uffff")\n}\n'
MACHINE = [name for name in names() if name != "full"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CNNSPEC_OUTPUT_FORMAT", raising=False)
    for name, text in (("good", GOOD), ("bad", BAD), ("warned", WARNED), ("hostile", HOSTILE)):
        (tmp_path / f"{name}.cnn").write_text(text, encoding="utf-8")
    return tmp_path


def check(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    code = main(["check", *arguments])
    printed = capsys.readouterr()
    assert printed.err == ""
    return code, printed.out


def as_json(capsys: pytest.CaptureFixture[str], *arguments: str):
    return json.loads(check(capsys, *arguments, "--output-format", "json")[1])


def validate(content) -> None:
    import jsonschema

    schema = json.loads(resource("schemas", "check.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(content, schema, cls=jsonschema.Draft202012Validator)


# --- json ---


@pytest.mark.parametrize("name", DOCUMENTS)
def test_schemas_are_those_of_the_models(name: str):
    stored = resource("schemas", f"{name}.schema.json").read_text(encoding="utf-8")
    assert schema_of(DOCUMENTS[name]) == stored, "python -m tools.make_schemas"


def test_every_schema_has_a_model():
    files = sorted(path.name for path in resource("schemas").iterdir())
    assert files == [f"{name}.schema.json" for name in sorted([*DOCUMENTS, "graph"])]


@pytest.mark.parametrize(
    ("field", "value"), [("valid", "yes"), ("files", 0), ("extra", 1), ("format_version", "2.0"), ("models", None)]
)
def test_a_document_that_is_none(folder: Path, capsys, field: str, value: object):
    from pydantic import ValidationError

    content = as_json(capsys, "good.cnn", "bad.cnn")
    assert CheckReport.model_validate_json(json.dumps(content)).files == 2
    with pytest.raises(ValidationError):
        CheckReport.model_validate_json(json.dumps(content | {field: value}))


def test_json_of_what_is_no_unicode(folder: Path, capsys):
    content = as_json(capsys, "good.cnn", "-D", 'x="\udcff"')
    validate(content)


def test_json_of_a_good_file(folder: Path, capsys):
    content = as_json(capsys, "good.cnn")
    assert content == {
        "format_version": "1.1",
        "valid": True,
        "error_count": 0,
        "warning_count": 0,
        "files": 1,
        "models": [{"file": "good.cnn", "name": "Good", "input": [4], "output": [3], "parameters": 15}],
        "diagnostics": [],
    }


def test_json_positions(folder: Path, capsys):
    content = as_json(capsys, "bad.cnn", "warned.cnn", "--statistics")
    validate(content)
    assert (content["valid"], content["error_count"], content["warning_count"]) == (False, 2, 1)
    assert content["statistics"] == {"E110": 1, "E203": 1, "W202": 1}
    first = content["diagnostics"][0]
    place = first["range"]
    assert first["code"] == "E203"
    assert place["start"]["line"] == place["end"]["line"] == 4
    data = BAD.encode()
    marked = data[place["start"]["byte"] : place["end"]["byte"]].decode()
    assert (
        marked
        == BAD.split("\n")[3][place["start"]["column"] - 1 : place["end"]["column"] - 1]
        == "5 -> 3"[: len(marked)]
    )


def test_json_holds_the_fixes(folder: Path, capsys):
    for found in as_json(capsys, "bad.cnn")["diagnostics"]:
        for fix in found["fixes"]:
            data = BAD.encode()
            for edit in reversed(fix["edits"]):
                start, end = edit["range"]["start"]["byte"], edit["range"]["end"]["byte"]
                data = data[:start] + edit["text"].encode() + data[end:]
            assert data != BAD.encode()


def test_json_of_every_spec_of_the_ui_tests_is_valid(monkeypatch, capsys):
    monkeypatch.chdir(UI)
    names = [str(path.relative_to(UI)) for path in sorted(UI.rglob("*.cnn"))][::8]
    validate(as_json(capsys, *names))


def test_a_finding_in_an_imported_file_is_told_once(folder: Path, capsys):
    (folder / "lib.cnn").write_text("block B { Lineer(3) }\n")
    for name in ("one", "two"):
        (folder / f"{name}.cnn").write_text(f'from "lib.cnn" import B\nmodel {name} {{ input [4]; B }}\n')
    content = as_json(capsys, "one.cnn", "two.cnn")
    assert [found["file"] for found in content["diagnostics"]] == ["lib.cnn"]
    assert content["error_count"] == 1


# --- the others ---


def test_concise(folder: Path, capsys):
    assert check(capsys, "warned.cnn", "good.cnn", "--output-format", "concise") == (
        1,
        "warned.cnn:4:5: warning[W202] two Linear layers with nothing nonlinear between them\n",
    )


def test_github(folder: Path, capsys):
    (folder / "a,b:c%.cnn").write_text(WARNED)
    _, out = check(capsys, "a,b:c%.cnn", "--output-format", "github")
    assert out.startswith(
        "::warning title=cnnspec W202,file=a%2Cb%3Ac%25.cnn,line=4,endLine=4,col=5,endColumn=13::two Linear "
    )
    assert "%0Anote: together" in out
    assert out.count("\n") == 1


def test_gitlab(folder: Path, capsys):
    content = json.loads(check(capsys, "bad.cnn", "warned.cnn", "--output-format", "gitlab")[1])
    assert [(one["check_name"], one["severity"]) for one in content] == [
        ("E203", "major"),
        ("E110", "major"),
        ("W202", "minor"),
    ]
    assert len({one["fingerprint"] for one in content}) == 3
    assert content[2]["location"] == {
        "path": "warned.cnn",
        "positions": {"begin": {"line": 4, "column": 5}, "end": {"line": 4, "column": 14}},
    }


def test_junit(folder: Path, capsys):
    root = ElementTree.fromstring(check(capsys, "good.cnn", "bad.cnn", "warned.cnn", "--output-format", "junit")[1])
    cases = root.findall("testsuite/testcase")
    assert (root.get("tests"), root.get("failures")) == ("3", "2")
    assert [case.get("name") for case in cases] == ["good.cnn", "bad.cnn", "warned.cnn"]
    assert [[failure.get("type") for failure in case] for case in cases] == [[], ["error"], ["warning"]]


def sarif(capsys, *arguments: str):
    return json.loads(check(capsys, *arguments, "--output-format", "sarif")[1])["runs"][0]


def test_sarif(folder: Path, capsys):
    run = sarif(capsys, "bad.cnn", "warned.cnn")
    assert run["columnKind"] == "unicodeCodePoints"
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["E110", "E203", "W202"]
    titles = [rule["shortDescription"]["text"] for rule in run["tool"]["driver"]["rules"]]
    assert titles == ["Unknown layer or block", "Wrong width", "Nothing nonlinear between"]
    for result in run["results"]:
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uriBaseId"] == "SRCROOT"
    assert run["results"][2]["locations"][0]["physicalLocation"]["region"] == {
        "startLine": 4, "startColumn": 5, "endLine": 4, "endColumn": 14,
    }  # fmt: skip


def test_sarif_paths_are_relative_and_escaped(folder: Path, capsys):
    (folder / "a b").mkdir()
    (folder / "a b" / "ü#?.cnn").write_text(WARNED)
    for named in ("a b/ü#?.cnn", str(folder / "a b" / "ü#?.cnn")):
        result = sarif(capsys, named)["results"][0]
        uri = result["locations"][0]["physicalLocation"]["artifactLocation"]
        assert uri == {"uri": "a%20b/%C3%BC%23%3F.cnn", "uriBaseId": "SRCROOT"}


def test_fingerprints_are_stable(folder: Path, capsys):
    def names(text: str) -> list[str]:
        (folder / "warned.cnn").write_text(text)
        return [result["partialFingerprints"]["cnnspec/v1"] for result in sarif(capsys, "warned.cnn")["results"]]

    twice = WARNED.replace("Linear(2)", "Linear(2)\n    Linear(2)")
    before = names(twice)
    assert len(set(before)) == 2
    assert names("# a comment\n\n" + twice.replace("    ", "  ")) == before
    assert names(twice.replace("(2)", "(7)")) != before


def test_sarif_tools_read_it(folder: Path, capsys):
    pytest.importorskip("sarif")
    from sarif.loader import load_sarif_file

    check(capsys, "bad.cnn", "warned.cnn", "--output-format", "sarif", "--output-file", "out.sarif")
    found = load_sarif_file("out.sarif")
    records = [(record["Location"], record["Line"], record["Severity"]) for record in found.get_records()]
    assert sorted(records) == [("bad.cnn", 4, "error"), ("bad.cnn", 5, "error"), ("warned.cnn", 4, "warning")]
    run = subprocess.run(
        [sys.executable, "-m", "sarif", "--check", "error", "summary", "out.sarif"], capture_output=True, check=False
    )
    assert b"2 due to issues at or above error severity" in run.stderr


# --- what is hostile ---


@pytest.mark.parametrize("name", names())
def test_nothing_acts_on_a_terminal(folder: Path, capsys, name: str):
    (folder / "ev\x1b[31m\nil\u202e.cnn").write_text(WARNED)
    _, out = check(capsys, "hostile.cnn", "ev\x1b[31m\nil\u202e.cnn", "--output-format", name)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", out)
    if name in ("json", "gitlab", "sarif"):
        json.loads(out)
        assert out.isascii()
    if name == "junit":
        ElementTree.fromstring(out)
    if name in ("github", "concise"):
        count = len(as_json(capsys, "hostile.cnn", "ev\x1b[31m\nil\u202e.cnn")["diagnostics"])
        assert out.count("\n") == count


@pytest.mark.skipif(os.name == "nt" or sys.platform == "darwin", reason="file names are Unicode there")
@pytest.mark.parametrize("name", names())
def test_a_path_that_is_no_text(folder: Path, name: str):
    path = os.fsencode(folder) + b"/\xff.cnn"
    Path(os.fsdecode(path)).write_text(WARNED)
    run = subprocess.run(
        [sys.executable, "-m", "cnnspec", "check", b"\xff.cnn", "--output-format", name],
        capture_output=True, check=False, cwd=folder,
    )  # fmt: skip
    assert (run.returncode, run.stderr) == (1, b"")
    run.stdout.decode("utf-8")
    if name == "sarif":
        assert b'"uri": "%FF.cnn"' in run.stdout


# --- options ---


@pytest.mark.parametrize("name", MACHINE)
def test_machine_formats_say_nothing_of_good_files(folder: Path, capsys, name: str):
    code, out = check(capsys, "good.cnn", "--output-format", name)
    assert code == 0
    assert "files checked" not in out
    if name in ("concise", "github"):
        assert out == ""


def test_output_file(folder: Path, capsys):
    assert check(capsys, "bad.cnn", "--output-format", "json", "--output-file", "out.json") == (1, "")
    validate(json.loads((folder / "out.json").read_text()))
    assert main(["check", "bad.cnn", "--output-file", "no/out.json"]) == 2
    assert "can't write no/out.json: no such file" in capsys.readouterr().err


def test_format_of_the_environment(folder: Path, capsys, monkeypatch):
    monkeypatch.setenv("CNNSPEC_OUTPUT_FORMAT", "concise")
    assert check(capsys, "warned.cnn")[1].startswith("warned.cnn:4:5: ")
    assert check(capsys, "warned.cnn", "--output-format", "full")[1].startswith("warning[W202]")
    monkeypatch.setenv("CNNSPEC_OUTPUT_FORMAT", "xml")
    assert main(["check", "good.cnn"]) == 2
    assert "there is no output format 'xml'" in capsys.readouterr().err


def test_statistics(folder: Path, capsys):
    (folder / "more.cnn").write_text(WARNED.replace("Linear(2)", "Linear(2)\n    Linear(2)"))
    _, out = check(capsys, "bad.cnn", "warned.cnn", "more.cnn", "--statistics")
    assert out.splitlines()[0] == "3  W202  two Linear layers with nothing nonlinear between them"
    assert len(out.splitlines()) == 3
    assert main(["check", "bad.cnn", "--statistics", "--output-format", "sarif"]) == 2
    assert "--statistics goes with" in capsys.readouterr().err


def test_warnings_as_errors(folder: Path, capsys):
    code, out = check(capsys, "warned.cnn", "--error-on-warning")
    assert code == 1
    assert out.startswith("error[W202]: two Linear")
    assert out.endswith("1 file checked: 1 error\n")
    content = as_json(capsys, "warned.cnn", "--error-on-warning")
    assert (content["valid"], content["diagnostics"][0]["severity"]) == (False, "error")


def test_exit_zero(folder: Path, capsys):
    assert check(capsys, "bad.cnn", "--exit-zero")[0] == 0
    assert main(["check", "missing.cnn", "--exit-zero"]) == 2


def test_standard_input_under_a_name(folder: Path, capsys, monkeypatch):
    (folder / "sub").mkdir()
    (folder / "sub" / "lib.cnn").write_text("block B { Linear(3) }\n")
    (folder / "sub" / "cnnspec.toml").write_text('output-format = "concise"\n')
    text = 'from "lib.cnn" import B\nmodel M { input [4]; B; Linear(2) }\n'
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    _, out = check(capsys, "-", "--stdin-filename", "sub/net.cnn")
    assert out.startswith("sub/net.cnn:2:25: warning[W202]")


def test_json_has_the_names_of_sizes(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = tmp_path / "sized.cnn"
    path.write_text(
        "model M { input [3, H, W] where H % 2 == 0, W % 2 == 0; Conv2d(4, 1); MaxPool2d(2) }\n"
        "model N { input [3]; Linear(2) }\n"
    )
    main(["check", str(path), "--output-format", "json"])
    sized, fixed = json.loads(capsys.readouterr().out)["models"]
    assert (sized["input"], sized["output"]) == ([3, 2, 2], [4, 1, 1])
    assert sized["declared"] == {"sizes": ["H", "W"], "input": [3, "H", "W"], "output": [4, "H // 2", "W // 2"]}
    assert "declared" not in fixed
