"""The command: what it prints, and how it ends."""

from __future__ import annotations

import gc
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from cnnspec import __version__
from cnnspec.cli.command_line import parse
from cnnspec.cli.common import Command
from cnnspec.cli.main import COMMANDS, find_command, main

GOOD = "model Good(n = 3, flag = false) { input [4]; Linear(n); if flag { ReLU } }\n"
BAD = "model Bad { input [4]; Linear(5 -> 3) }\n"
WARNED = "model Warned { input [4]; Linear(3); Linear(2) }\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "good.cnn").write_text(GOOD)
    (tmp_path / "bad.cnn").write_text(BAD)
    (tmp_path / "warned.cnn").write_text(WARNED)
    (tmp_path / "two.cnn").write_text(GOOD + "model Other { input [1]; Linear(1) }\n")
    (tmp_path / "empty.cnn").write_text("")
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "deep.cnn").write_text(GOOD)
    (tmp_path / "nothing").mkdir()
    (tmp_path / "bytes.cnn").write_bytes(b"\xff\xfe\x00model")
    os.mkfifo(tmp_path / "pipe.cnn")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket.cnn")
    return tmp_path


CASES = [
    (["check", "good.cnn"], 0, "good.cnn: Good  4 -> 3  15 parameters\n1 file checked: no problems\n", ""),
    (["check", "-q", "good.cnn"], 0, "", ""),
    (
        ["check", "good.cnn", "-D", "n=2 + 3"],
        0,
        "good.cnn: Good  4 -> 5  25 parameters\n1 file checked: no problems\n",
        "",
    ),
    (["check", "two.cnn:Other"], 0, "two.cnn: Other  1 -> 1  2 parameters\n1 file checked: no problems\n", ""),
    (["check", "two.cnn:Othr"], 1, "did you mean `Other`?", ""),
    (["check", "bad.cnn"], 1, "1 file checked: 1 error\n", ""),
    (["check", "warned.cnn"], 1, "1 file checked: 1 warning\n", ""),
    (["check", "good.cnn", "bad.cnn", "warned.cnn"], 1, "3 files checked: 1 error and 1 warning\n", ""),
    (["check", "empty.cnn"], 1, "there is no model in this file", ""),
    (["check", "bytes.cnn"], 1, "the file is not UTF-8 text", ""),
    (["check", "inner"], 0, "inner/deep.cnn: Good", ""),
    (["check", "nothing"], 2, "", "cnnspec: there is no .cnn file in nothing\n"),
    (["check", "missing.cnn"], 2, "", "cnnspec: can't read missing.cnn: no such file or directory\n"),
    (["check", "good.cnn", "-D", "flg=true"], 1, "did you mean `flag`?", ""),
    (["check", "good.cnn", "-D", "n"], 2, "", "cnnspec: -D takes NAME=VALUE, not 'n'\n"),
    (["check", "good.cnn", "-D", "n=3 +"], 2, "", "-D n: the value can't be read"),
    (["check", "good.cnn", "-D", "n=none"], 1, "out_features of Linear can't be none", ""),
    (["summary", "good.cnn"], 0, "15 parameters in 1 layer", ""),
    (["summary", "bad.cnn"], 1, "", "Linear expects 5 input features but gets 4"),
    (["summary", "missing.cnn"], 2, "", "can't read missing.cnn"),
    (["layers", "Linear"], 0, "in_features is inferred from the input; Linear(in -> out) states it too", ""),
    (["layers", "Linar"], 2, "", "cnnspec: there is no layer 'Linar', did you mean Linear?\n"),
    (["chek", "good.cnn"], 2, "", "cnnspec: there is no command 'chek', did you mean check?\n"),
    (["good.cnn"], 2, "", "cnnspec: there is no command 'good.cnn', did you mean `cnnspec check good.cnn`?\n"),
    (["frobnicate"], 2, "", "cnnspec: there is no command 'frobnicate': there is init, check, summary,"),
    (["check", "--outputformat", "json", "good.cnn"], 2, "", "no option --outputformat, did you mean --output-format?"),
    (["check", "--quite", "good.cnn"], 2, "", "cnnspec: there is no option --quite, did you mean --quiet?\n"),
    (["summary", "good.cnn", "bad.cnn"], 2, "", "cnnspec: 'bad.cnn' is one argument too many\n"),
    (["check", "--output-format", "jsn", "good.cnn"], 2, "", "'jsn'"),
    (["train", "good.cnn", "--nproc", "0"], 2, "", "argument --nproc: '0' is no whole number from 1\n"),
    (["train", "good.cnn", "--nproc", "-2"], 2, "", "--nproc"),
    (
        ["check", "good.cnn", "missing.cnn"],
        2,
        "1 file checked: no problems\n",
        "cnnspec: can't read missing.cnn: no such",
    ),
    (["check", "nothing", "bad.cnn"], 2, "1 file checked: 1 error\n", "cnnspec: there is no .cnn file in nothing\n"),
    (["check", "pipe.cnn"], 2, "", "cnnspec: can't read pipe.cnn: not a regular file\n"),
    (["check", "pipe.cnn", "bad.cnn"], 2, "1 file checked: 1 error\n", "can't read pipe.cnn: not a regular file\n"),
    (["check", "socket.cnn"], 2, "", "cnnspec: can't read socket.cnn: "),
    (["check", "/dev/null"], 2, "", "cnnspec: can't read /dev/null: not a regular file\n"),
    (["check", "."], 1, "7 files checked: 3 errors and 1 warning\n", ""),
    (
        ["fmt", "--check", "pipe.cnn", "good.cnn"],
        2,
        "1 file unchanged\n",
        "can't read pipe.cnn: not a regular file\n",
    ),
    (["summary", "pipe.cnn"], 2, "", "cnnspec: can't read pipe.cnn: not a regular file\n"),
    (["summary", "nothing"], 2, "", "cnnspec: there is no .cnn file in nothing\n"),
    (["explain", "E999"], 2, "", "cnnspec: there is no code E999"),
]


@pytest.mark.parametrize(
    ("arguments", "code", "out", "err"), CASES, ids=lambda case: " ".join(case) if isinstance(case, list) else ""
)
def test_command(folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, out: str, err: str):
    assert main(arguments) == code
    printed = capsys.readouterr()
    assert out in printed.out
    assert err in printed.err
    assert bool(printed.out) == bool(out)
    assert bool(printed.err) == bool(err)


UNREADABLE = ["missing.cnn", "folder.cnn", "pipe.cnn", "dangling.cnn", "loop.cnn", "a" * 300 + ".cnn", "good.cnn/x.cnn"]
READING = "check|fmt|summary|memory|sizes|draw|digest|report -o r.html|export -o n.py|diff good.cnn|import".split("|")


@pytest.mark.parametrize("path", UNREADABLE, ids=lambda path: path[:12])
@pytest.mark.parametrize("command", READING)
def test_a_path_that_cannot_be_read_is_2(folder: Path, capsys: pytest.CaptureFixture[str], command: str, path: str):
    (folder / "folder.cnn").mkdir()
    (folder / "dangling.cnn").symlink_to("nowhere.cnn")
    (folder / "loop.cnn").symlink_to("loop.cnn")
    assert main([*command.split(), path]) == 2
    printed = capsys.readouterr()
    assert path[:12] in printed.err
    assert "Traceback" not in printed.err


def test_standard_input():
    run = subprocess.run(
        [sys.executable, "-m", "cnnspec", "check", "-"], input=BAD, capture_output=True, text=True, check=False
    )
    assert run.returncode == 1
    assert " --> <stdin>:1:31\n" in run.stdout


def test_version(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as stopped:
        main(["--version"])
    assert stopped.value.code == 0
    assert capsys.readouterr().out == f"cnnspec {__version__}\n"


def test_wrong_usage_is_2():
    for arguments in (["check"], ["chek", "x"], ["check", "--colour", "x"], []):
        run = subprocess.run([sys.executable, "-m", "cnnspec", *arguments], capture_output=True, check=False)
        assert run.returncode == 2, arguments


@pytest.mark.parametrize(
    ("environment", "option", "colored"),
    [({}, "auto", False), ({"FORCE_COLOR": "1"}, "auto", True), ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, "auto", False),
     ({"NO_COLOR": "1"}, "always", True), ({"FORCE_COLOR": "1"}, "never", False)],
)  # fmt: skip
def test_color(folder, capsys, monkeypatch, environment: dict[str, str], option: str, colored: bool):
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    main(["check", "bad.cnn", "--color", option])
    assert ("\x1b[" in capsys.readouterr().out) == colored


def test_a_bug_of_ours_is_no_traceback_of_theirs(folder: Path, capsys, monkeypatch):
    import cnnspec.pipeline

    def broken(*arguments, **options):
        raise RuntimeError("boom")

    monkeypatch.setattr(cnnspec.pipeline, "check", broken)
    assert main(["check", "good.cnn"]) == 101
    printed = capsys.readouterr().err
    assert printed.startswith("This is a bug in cnnspec, sorry")
    assert "RuntimeError: boom" in printed


def test_a_closed_pipe_is_no_error(folder: Path):
    command = f"{sys.executable} -m cnnspec layers | head -1"
    run = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert run.stderr == ""
    assert run.stdout.count("\n") == 1


def test_a_terminal_without_unicode(folder: Path):
    (folder / "wide.cnn").write_text('model M { input [4]; Linear("漢") }', encoding="utf-8")
    run = subprocess.run(
        [sys.executable, "-m", "cnnspec", "check", "wide.cnn"],
        capture_output=True,
        env={"PYTHONIOENCODING": "ascii", "PATH": ""},
        check=False,
    )
    assert run.returncode == 1
    assert b'Linear("?")' in run.stdout


def test_every_command_has_a_line_and_a_parser(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as stopped:
        main(["--help"])
    assert stopped.value.code == 0
    listed = capsys.readouterr().out
    for name in COMMANDS:
        assert f"    {name}" in listed
        with pytest.raises(SystemExit):
            main([name, "--help"])
        assert capsys.readouterr().out.startswith(f"usage: cnnspec {name}")


def test_garbage_is_collected_where_a_command_runs_long(folder: Path, monkeypatch):
    seen = []

    def noticing(options) -> int:
        seen.append(gc.isenabled())
        return 0

    for long in (True, False):
        command = Command("", lambda parser: None, noticing, runs_long=long)
        monkeypatch.setattr("cnnspec.cli.main.find_command", lambda name, command=command: command)
        assert main(["check"]) == 0
    assert seen == [True, False]
    assert gc.isenabled()


@pytest.mark.parametrize("name", ["train", "evaluate", "predict"])
def test_commands_that_run_long(name: str):
    assert find_command(name).runs_long


def test_an_interrupted_command_is_130(folder: Path, monkeypatch):
    def interrupt(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("cnnspec.pipeline.check", interrupt)
    assert main(["check", "good.cnn"]) == 130


@pytest.mark.parametrize(("name", "words"), [("check", ["a.cnn", "-", "folder"]), ("summary", ["-"])])
def test_a_command_without_options_is_what_the_parser_makes_of_it(name: str, words: list[str]):
    command = find_command(name)
    parsed = vars(parse(name, command, words))
    plain = command.plain(words)
    assert {name: getattr(plain, name) for name in parsed if name != "rest"} == {
        name: value for name, value in parsed.items() if name != "rest"
    }
    assert all(command.plain(words) is None for words in ([], ["--", "a.cnn"], ["-q", "a.cnn"], ["a.cnn", "--fix"]))
