"""The formatter: canonical text, nothing lost, and the command `fmt`."""

from __future__ import annotations

import io
import random
import stat
import sys
from argparse import Namespace
from pathlib import Path

import pytest

from cnnspec.cli.main import main
from cnnspec.diagnostics import Sink
from cnnspec.format import formatter
from cnnspec.format.formatter import FormatterBug, format_source
from cnnspec.format.layout import comments, words_of
from cnnspec.source import Source
from cnnspec.syntax import tree
from cnnspec.syntax.parser import parse, parse_expression

from .mutation import mutate
from .network_generator import Generator

ROOT = Path(__file__).parent.parent
SPECS = sorted((ROOT / "specs").rglob("*.cnn"))
PASSING = sorted((ROOT / "tests/ui/passing").glob("*.cnn"))
CASES = [
    line
    for line in (ROOT / "tests/format_cases.txt").read_text(encoding="utf-8").split("\n")
    if line and not line.startswith("## ")
]


def formatted(text: str) -> str:
    sink = Sink()
    result = format_source(Source("x.cnn", text), sink)
    assert result is not None, [found.message for found in sink.diagnostics]
    return result


def plain(text: str) -> str:
    return text.replace("\\\\", "\0").replace("\\n", "\n").replace("\\r", "\r").replace("\0", "\\")


def is_file(text: str) -> bool:
    words = text.replace("(", " ").replace("{", " ").split()
    definition = any(line.startswith("block ") for line in text.split("\n"))
    return words[0] in ("model", "block", "train", "from") or definition or text.strip().startswith(("# only", "# one"))


def test_there_are_enough_cases():
    assert len(CASES) >= 300
    assert len(set(CASES)) == len(CASES)


@pytest.mark.parametrize("case", CASES)
def test_case(case: str):
    given, _, expected = case.partition("  =>  ")
    given, expected = plain(given), plain(expected or given)
    if is_file(given):
        assert formatted(given).removesuffix("\n") == expected
        return
    first, *lines, last, end = formatted(f"block B {{\n{given}\n}}\n").split("\n")
    assert (first, last, end) == ("block B {", "}", "")
    assert "\n".join(line.removeprefix("    ") for line in lines) == expected


# --- whole files ---


@pytest.mark.parametrize("path", [*SPECS, *PASSING], ids=lambda path: path.relative_to(ROOT).as_posix())
def test_formatting_keeps_a_spec(path: Path):
    text = path.read_bytes().decode("utf-8-sig")
    result = formatted(text)
    assert formatted(result) == result
    assert comments(result) == comments(text)
    assert tree.same(parse(Source("a", text), Sink()), parse(Source("b", result), Sink()))
    assert "\r" not in result
    assert result == "" or (result.endswith("\n") and not result.endswith("\n\n"))
    assert all(line == line.rstrip() for line in result.split("\n"))


@pytest.mark.parametrize("text", ["", "\n", " \n\n\t\n", ";", "\n;\n"])
def test_empty_file(text: str):
    assert formatted(text) == ""


def test_doc_comments_stay_above_their_definition():
    text = "# About B.\nblock B{ReLU}\n\n\n# Not about C.\n\n# About C.\nblock C{ReLU}"
    assert formatted(text) == "# About B.\nblock B { ReLU }\n\n# Not about C.\n\n# About C.\nblock C { ReLU }\n"


def noisy(text: str, rng: random.Random) -> str:
    """The text with other blanks, line ends, separators and comments between its words."""
    parts, at = [], 0
    for word in (word for word in words_of(text) if word.kind != "COMMENT"):
        parts.append(text[at : word.start])
        parts.append(rng.choice(NOISE) if rng.random() < 0.04 else "")
        parts.append(word.text)
        at = word.end
    return "".join([*parts, text[at:]])


NOISE = [" ", "\t", "\n", "\n\n\n", " # c\n", "\n# own\n", "\r\n", " ; ", "\n  # a\n\n# b\n"]


def random_texts(seed: int, count: int) -> list[str]:
    rng = random.Random(seed)
    specs = [text for path in [*SPECS, *PASSING] if len(text := path.read_text(encoding="utf-8-sig")) < 3000]
    texts = []
    for number in range(count):
        text = Generator(random.Random(seed * 1000 + number)).model()[0] if number % 2 else rng.choice(specs)
        text = rng.choice(text.split("\n\n")) if number % 3 == 0 else text
        texts.append(noisy(text, rng) if number % 5 else mutate(text, rng, 1))
    return texts


@pytest.mark.parametrize("seed", range(8))
def test_random_texts_keep_tree_and_comments(seed: int):
    """`format_source` compares trees, comments and a second run itself: it raises where they differ."""
    done = 0
    for text in random_texts(seed, 60):
        source = Source("x.cnn", text)
        before = parse(source, sink := Sink())
        result = format_source(source, Sink())
        assert (result is None) == sink.has_errors
        if result is None:
            continue
        done += 1
        assert tree.same(before, parse(Source("y.cnn", result), Sink()))
        assert comments(result) == comments(text)
        assert formatted(result) == result
    assert done >= 10


@pytest.mark.parametrize("seed", range(20))
def test_random_networks_stay_under_100_columns(seed: int):
    result = formatted(Generator(random.Random(seed)).model()[0])
    assert max(map(len, result.split("\n"))) <= 100


def test_lines_that_can_be_broken_are_under_100_columns():
    for path in [*SPECS, *PASSING]:
        for line in formatted(path.read_bytes().decode("utf-8-sig")).split("\n"):
            code = line.split("#")[0].rstrip() if '"' not in line else ""
            assert len(code) <= 100 or "((((" in code or "[[[[" in code or "where" in code, (path, line)


# --- the check of the result ---


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("a + b", "a+b", True),
        ("(3,)", "( 3, )", True),
        ("f(a=1)", "f(a = 1,)", True),
        ("1_000", "1000", True),
        ("(3)", "(3,)", False),
        ("[3]", "(3,)", False),
        ("1", "1.0", False),
        ("1", "true", False),
        ("a - b", "a + b", False),
        ("a - b", "a - b - c", False),
        ("f(a=1)", "f(1)", False),
        ("f(a)", "g(a)", False),
        ('"a"', '"a "', False),
        ("none", "false", False),
    ],
)
def test_same_tree(one: str, other: str, same: bool):
    trees = [parse_expression(Source(name, text), Sink()) for name, text in (("a", one), ("longer", other))]
    assert tree.same(*trees) == same


@pytest.mark.parametrize(
    "wrong", ["block B { Tanh }\n", "block B { ReLU\n", "block B { ReLU }\n", "# c\nblock B{ ReLU }\n"]
)
def test_a_wrong_result_is_a_bug(wrong: str, monkeypatch: pytest.MonkeyPatch):
    """Another tree, no tree, a lost comment, a text that would be formatted again."""
    lay = formatter.layout
    monkeypatch.setattr(formatter, "layout", lambda text: wrong if text.startswith("# c\nblock B{R") else lay(text))
    with pytest.raises(FormatterBug):
        format_source(Source("x.cnn", "# c\nblock B{ReLU}"), Sink())


# --- the command ---


def fmt(*arguments: object) -> int:
    return main(["fmt", *map(str, arguments)])


UNTIDY = b"\xef\xbb\xbfmodel M{input [4]\r\n  Linear( 3 ) # c\r\n}"
TIDY = b"model M {\n    input [4]\n    Linear(3)  # c\n}\n"


def test_rewrites_in_place(tmp_path: Path, capsys):
    file, other = tmp_path / "a.cnn", tmp_path / "b.cnn"
    file.write_bytes(UNTIDY)
    file.chmod(0o640)
    other.write_bytes(TIDY)
    assert fmt(tmp_path) == 0
    assert file.read_bytes() == other.read_bytes() == TIDY
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert capsys.readouterr().out == f"changed {file}\n1 file changed, 1 file unchanged\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.cnn", "b.cnn"]
    assert fmt("--check", tmp_path) == 0


def test_check_writes_nothing(tmp_path: Path, capsys):
    file = tmp_path / "a.cnn"
    file.write_bytes(UNTIDY)
    assert fmt("--check", file) == 1
    assert file.read_bytes() == UNTIDY
    assert capsys.readouterr().out == f"would change {file}\n1 file would change\n"


def test_diff_writes_nothing(tmp_path: Path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("a.cnn").write_text("block B {\n  ReLU}")
    assert fmt("--diff", "a.cnn") == 0
    assert fmt("--diff", "--check", "a.cnn") == 1
    diff = (
        "--- a/a.cnn\n+++ b/a.cnn\n@@ -1,2 +1,3 @@\n block B {\n-  ReLU}\n\\ No newline at end of file\n+    ReLU\n+}\n"
    )
    assert capsys.readouterr().out == diff * 2
    assert Path("a.cnn").read_text() == "block B {\n  ReLU}"


def test_mistakes_leave_a_file_alone(tmp_path: Path, capsys):
    good, bad = tmp_path / "good.cnn", tmp_path / "bad.cnn"
    good.write_bytes(UNTIDY)
    bad.write_text("model M{ input [4]; Linear( }")
    assert fmt(tmp_path) == 1
    assert good.read_bytes() == TIDY
    assert bad.read_text() == "model M{ input [4]; Linear( }"
    out, err = capsys.readouterr()
    assert "error[E102]" in err
    assert out.endswith("1 file changed, 1 file with errors\n")


@pytest.mark.parametrize("arguments", [("gone.cnn",), ("a.cnn:M",), (".",)])
def test_wrong_usage(tmp_path: Path, arguments, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert fmt(*arguments) == 2


def test_a_bug_leaves_the_file_alone(tmp_path: Path, capsys, monkeypatch):
    file = tmp_path / "a.cnn"
    file.write_bytes(UNTIDY)
    monkeypatch.setattr(formatter, "layout", lambda text: "")
    assert fmt(file) == 101
    assert file.read_bytes() == UNTIDY
    assert "bug in cnnspec" in capsys.readouterr().err


def from_stdin(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", Namespace(buffer=io.BytesIO(data)))


def test_stdin(capfdbinary, monkeypatch):
    from_stdin(monkeypatch, UNTIDY)
    assert fmt("-") == 0
    assert capfdbinary.readouterr().out.replace(b"\r\n", b"\n") == TIDY


def test_stdin_with_mistakes(capsys, monkeypatch):
    from_stdin(monkeypatch, b"model {")
    assert fmt("-", "--stdin-filename", "net.cnn") == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "--> net.cnn:1:7" in err


def test_annotate_command(tmp_path: Path, capsys):
    file = tmp_path / "a.cnn"
    file.write_text("model M {\n    input [4]\n    Linear(3)    -> [7]\n    ReLU\n}\n")
    assert fmt(file) == 0
    assert fmt("--annotate", file) == 0
    assert file.read_text() == "model M {\n    input [4]\n    Linear(3)    -> [3]\n    ReLU         -> [3]\n}\n"
    assert fmt("--annotate", "--check", file) == 0
