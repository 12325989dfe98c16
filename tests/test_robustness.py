"""Any text is answered, without a traceback, in bounded time and memory."""

from __future__ import annotations

import io
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from cnnspec.cli.main import main
from cnnspec.diagnostics import Sink
from cnnspec.diagnostics.edits import apply
from cnnspec.diagnostics.render import render_all
from cnnspec.pipeline import check
from cnnspec.source import Source
from cnnspec.syntax.read import decode
from tests.mutation import WORDS, mutate
from tests.sampling import FULL, amount

SPECS = Path(__file__).parent.parent / "specs"
# Short specs, each with another part of the language: the networks, and the near misses of every code.
FILES = [*sorted(SPECS.rglob("*.cnn")), *sorted((Path(__file__).parent / "ui" / "passing").glob("*.cnn"))]
SEEDS = [text for path in FILES if len(text := path.read_text(encoding="utf-8", errors="replace")) < 520]


def answer(source: Source, sink: Sink) -> None:
    """Check and render, as the command does."""
    check(source, sink, fixes=True)
    text = render_all(sink.diagnostics)
    assert "\x1b" not in text
    assert "\u202e" not in text
    for found in sink.diagnostics:
        assert 0 <= found.span.start <= found.span.end <= len(found.span.source.text)


@pytest.mark.parametrize("seed", range(amount(3, 10)))
def test_mutated_specs_are_answered(seed: int):
    rng = random.Random(seed)
    wrong = 0
    count = amount(150, 2700)
    for _ in range(count):
        text = mutate(rng.choice(SEEDS), rng, rng.randint(1, 4))
        sink = Sink()
        try:
            answer(Source(str(SPECS / "fuzz.cnn"), text), sink)
        except Exception as error:
            raise AssertionError(f"{error!r} for this text:\n{text}") from error
        wrong += sink.has_errors
    assert 0.55 * count < wrong < count, "the mutations have to break most specs, and not all"


def test_the_command_answers_mutated_specs_and_every_fix_applies(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    """Specs of any length, with fixes and warnings on; exit code 101 would be a fault of ours."""
    monkeypatch.chdir(SPECS)
    rng = random.Random(9)
    specs = [path.read_text() for path in sorted(SPECS.rglob("*.cnn"))]
    fixes = 0
    for _ in range(amount(25, 3000)):
        text = mutate(rng.choice(specs), rng, rng.randint(1, 2))
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
        assert main(["check", "--color=never", "--stdin-filename=fuzz.cnn", "-"]) in (0, 1), text
        sink = Sink()
        check(Source("fuzz.cnn", text), sink, fixes=True)
        for fix in (fix for found in sink.diagnostics for fix in found.fixes):
            fixes += 1
            for source in {edit.span.source.path: edit.span.source for edit in fix.edits}.values():
                edits = [edit for edit in fix.edits if edit.span.source is source]
                assert apply(source.text, edits) != source.text, (fix.message, text)
    capsys.readouterr()
    assert fixes > amount(4, 500)


def test_words_in_any_order_are_answered():
    rng = random.Random(7)
    for _ in range(amount(300, 2500)):
        text = " ".join(rng.choice(WORDS) for _ in range(rng.randint(1, 40)))
        answer(Source("soup.cnn", text if rng.random() < 0.5 else f"model M {{ input [1, 8, 8]\n{text}\n}}"), Sink())


def test_any_bytes_are_answered():
    rng = random.Random(8)
    for _ in range(amount(300, 1000)):
        sink = Sink()
        answer(decode(rng.randbytes(rng.randint(0, 200)), "bytes.cnn", sink), sink)


def nested_blocks(body: str) -> str:
    blocks = [f"block A{i} {{ {f'A{i - 1}; ' * 10} }}" for i in range(1, 10)]
    return "\n".join([f"block A0 {{ {body} }}", *blocks, "model M { input [3]; A9 }"])


def nested_blocks_with_arguments() -> str:
    blocks = [f"block A{i} {{ for i in range(10) {{ A{i - 1} }} }}" for i in range(1, 10)]
    return "\n".join(["block A0 { Linear(in_features + 1) }", *blocks, "model M { input [3]; A9 }"])


def doubled_lists() -> str:
    return "\n".join(
        ["model M { input [3]; let a0 = [1]", *(f"let a{i} = [a{i - 1}, a{i - 1}]" for i in range(1, 80)), "}"]
    )


BOMBS = {
    "a billion layers": (nested_blocks("ReLU"), "E005"),
    "a billion different layers": (nested_blocks_with_arguments(), "E006"),
    "repeat": ("model M { input [3]; repeat 1_000_000_000 { ReLU } }", "E005"),
    "nested loops": (
        "model M { input [3]; for i in range(99999) { for j in range(99999) { let x = i * j } } }",
        "E006",
    ),
    "empty loops": ("model M { input [3]; repeat 10**9 { repeat 10**9 { } } }", "E005"),
    "tower of powers": ("model M { input [3]; let x = 10**10**10 }", "E007"),
    "power": ("model M { input [3]; let x = (2**62)**(2**62) }", "E007"),
    "digits": (f"model M {{ input [3]; let x = {'9' * 100_000} }}", "E007"),
    "long list": ("model M { input [3]; let x = [0] * 10**12 }", "E008"),
    "long range": ("model M { input [3]; let x = range(10**18) }", "E008"),
    "long string": ('model M { input [3]; let x = "a" * 10**15 }', "E008"),
    "doubled lists": (doubled_lists(), "E004"),
    "sums": ("model M { input [3]; let a = range(99_999)\n" + "let x = sum(a) + sum(a)\n" * 9000 + "}", "E006"),
    "open brackets": ("model M { input " + "[" * 100_000, "E004"),
    "open parentheses": ("model M { input [3]; let x = " + "(" * 100_000, "E004"),
    "open braces": ("model M { input [3]; " + "repeat 2 { " * 36_000, "E004"),
    "closed brackets": ("]" * 100_000, "E101"),
    "minus signs": ("model M { input [3]; let x = " + "-" * 100_000 + "1 }", "E004"),
    "not": ("model M { input [3]; let x = " + "not " * 100_000 + "1 }", "E004"),
    "powers in a row": ("model M { input [3]; let x = " + "2 ** " * 50_000 + "1 }", "E004"),
    "sums in a row": ("model M { input [3]; let x = " + "1 + " * 70_000 + "$ }", "E103"),
    "indices": ("model M { input [3]; let x = [1]" + "[0]" * 45_000 + " }", "E301"),
    "nothing but errors": ("model M {\n" + "$ % &\n" * 30_000 + "}", "E103"),
    "unclosed brackets in many lines": ("model M { input [3]\n" + "Linear(\n" * 45_000 + "}", "E004"),
    "else if": ("model M { input [3]; if false { } " + "else if false { } " * 20_000 + "\n $ }", "E103"),
    "block that uses itself": ("block A { A }\nmodel M { input [3]; A }", "E404"),
    "blocks that use each other": ("block A(b) { b(b) }\nmodel M { input [3]; A(A) }", "E404"),
    "one long line": ("model M { input [3]; " + "ReLU; " * 100_001 + "}", "E003"),
    "many layers written out": ("model M { input [3]; " + "ReLU; " * 40_000 + "repeat 70_000 { ReLU } }", "E005"),
    "long name": (f"model M {{ input [3]; {'a' * 1_000_000} }}", "E110"),
    "huge sizes": ("model M { input [2**62, 2**62]; Flatten }", "E215"),
    "huge layer": ("model M { input [2**40]; Linear(2**40) }", "E215"),
}

ROOT = Path(__file__).parent.parent
RUN = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (700 << 20, 700 << 20))
from cnnspec.cli.main import main
from tests.pace import work

pace = work()
code = main(["check", "--color=never", "-"])
pace = (pace + work()) / 2
usage = resource.getrusage(resource.RUSAGE_SELF)
# Not ru_maxrss: Linux hands it down from the process that started this one.
peak = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(code, (usage.ru_utime + usage.ru_stime - 2 * pace) * 0.06 / pace, peak, file=sys.stderr)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads the peak of memory from /proc")
@pytest.mark.parametrize("name", list(BOMBS) if FULL else list(BOMBS)[::4])
def test_bombs_are_answered_in_time(name: str):
    text, code = BOMBS[name]
    run = subprocess.run(
        [sys.executable, "-c", RUN], input=text.encode(), capture_output=True, timeout=60, check=False, cwd=ROOT
    )
    exit_code, seconds, kilobytes = run.stderr.split()
    assert int(exit_code) == 1, run.stderr
    assert f"[{code}]" in run.stdout.decode()
    assert float(seconds) < 2
    assert int(kilobytes) < 200 * 1024


def test_imports_stay_in_the_project(tmp_path: Path):
    project, outside = tmp_path / "project", tmp_path / "outside"
    (project / "inner").mkdir(parents=True)
    outside.mkdir()
    (project / "pyproject.toml").write_text("")
    secret = "block Secret { ReLU }\n"
    (outside / "secret.cnn").write_text(secret)
    (project / "own.cnn").write_text(secret)
    os.symlink(outside / "secret.cnn", project / "link.cnn")
    os.symlink(outside, project / "folder")
    os.symlink("/dev/zero", project / "zero.cnn")
    os.symlink(project / "own.cnn", project / "alias.cnn")
    os.mkfifo(project / "pipe.cnn")
    cases = {
        "../../outside/secret.cnn": "E406",
        "../link.cnn": "E406",
        "../folder/secret.cnn": "E406",
        "../zero.cnn": "E406",
        "../pipe.cnn": "E405",
        str(outside / "secret.cnn"): "E406",
        "..\\\\own.cnn": "E406",
        "../own.txt": "E406",
        "../inner.cnn": "E405",
        ".cnn": "E405",
        "../alias.cnn": None,
        "../own.cnn": None,
    }
    for path, code in cases.items():
        source = Source(
            str(project / "inner" / "main.cnn"),
            f'from "{path}" import Secret\nmodel M {{ input [3]; Secret }}\n',
        )
        sink = Sink()
        check(source, sink)
        assert [found.code.id for found in sink.diagnostics] == ([code] if code else []), path


def test_imports_in_a_circle(tmp_path: Path):
    (tmp_path / "a.cnn").write_text('from "b.cnn" import B\nblock A { B }\nmodel M { input [3]; A }\n')
    (tmp_path / "b.cnn").write_text('from "a.cnn" import A\nblock B { A }\n')
    sink = Sink()
    source = Source(str(tmp_path / "a.cnn"), (tmp_path / "a.cnn").read_text())
    check(source, sink)
    (found,) = sink.diagnostics
    assert found.code.id == "E407"
    assert found.notes == ["a.cnn imports b.cnn imports a.cnn"]


def test_a_project_is_bounded_as_one_file_is(tmp_path: Path):
    for i in range(8):
        (tmp_path / f"b{i}.cnn").write_text(f"block B{i} {{\n" + "ReLU\n" * 30_000 + "}\n")
    text = "".join(f'from "b{i}.cnn" import B{i}\n' for i in range(8))
    text += "model M { input [3]; " + "; ".join(f"B{i}" for i in range(8)) + " }\n"
    sink = Sink()
    check(Source(str(tmp_path / "main.cnn"), text), sink)
    assert [(found.code.id, found.span.source.path[-6:]) for found in sink.diagnostics] == [("E003", "b2.cnn")]


def test_chains_of_imports_end(tmp_path: Path):
    for i in range(40):
        (tmp_path / f"f{i}.cnn").write_text(f'from "f{i + 1}.cnn" import B{i + 1}\nblock B{i} {{ B{i + 1} }}\n')
    source = Source(str(tmp_path / "main.cnn"), 'from "f0.cnn" import B0\nmodel M { input [3]; B0 }\n')
    sink = Sink()
    check(source, sink)
    assert [found.code.id for found in sink.diagnostics] == ["E409"]


def test_memory_limit_of_the_bombs_is_real():
    """The limit that the tests above set is one that a process can hit."""
    code = "import resource; resource.setrlimit(resource.RLIMIT_AS, (700 << 20,) * 2); bytearray(800 << 20)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert b"MemoryError" in run.stderr
