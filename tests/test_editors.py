"""What other tools take from the repository: completion, the Pygments lexer, hooks, the action, the schema."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from cnnspec import __version__, layers
from cnnspec.cli.main import main
from cnnspec.syntax._tables import KEYWORDS
from tools import make_editors

ROOT = Path(__file__).parent.parent
EXTENSION = ROOT / "editors" / "vscode"
CHECKS = {"bash": ["bash", "-n"], "zsh": ["zsh", "-n"], "fish": ["fish", "-n"], "tcsh": None}


@pytest.mark.parametrize("shell", CHECKS)
def test_completion(shell: str, capsys, tmp_path: Path):
    pytest.importorskip("shtab")
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert (" -l output-format " if shell == "fish" else "--output-format") in script
    for word in ("check", "summary", "train", "sarif"):
        assert word in script
    command = CHECKS[shell]
    if command and shutil.which(command[0]):
        (tmp_path / "script").write_text(script)
        assert subprocess.run([*command, tmp_path / "script"], check=False).returncode == 0


def test_completion_without_shtab(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "shtab", None)
    assert main(["completion", "bash"]) == 2
    assert capsys.readouterr().err == "cnnspec: completion needs shtab: pip install 'cnnspec[completion]'\n"


def lexed(text: str) -> list[tuple[str, str]]:
    pytest.importorskip("pygments")
    from cnnspec.editor.pygments_lexer import CnnLexer

    return [(str(kind).removeprefix("Token."), value) for kind, value in CnnLexer().get_tokens(text)]


def test_lexer_knows_every_word():
    for word in KEYWORDS:
        (kind, _), *_ = lexed(word)
        assert kind.startswith(("Keyword", "Operator.Word")), word
    for name in layers.names():
        assert lexed(name)[0] == ("Name.Builtin", name)


def test_lexer():
    found = [
        pair for pair in lexed('model Net(n = 3) { Conv2d(6, bias=false) -> [1.5, "x"] }  # why') if pair[1].strip()
    ]
    assert found[:6] == [
        ("Keyword.Declaration", "model"), ("Name.Class", "Net"), ("Punctuation", "("), ("Name.Attribute", "n"),
        ("Operator", "="), ("Literal.Number.Integer", "3"),
    ]  # fmt: skip
    for pair in [
        ("Keyword.Constant", "false"),
        ("Operator", "->"),
        ("Literal.String.Double", '"x"'),
        ("Comment.Single", "# why"),
    ]:
        assert pair in found


@pytest.mark.parametrize("path", sorted((ROOT / "specs").rglob("*.cnn")), ids=lambda path: path.stem)
def test_lexer_reads_the_specs(path: Path):
    text = path.read_text(encoding="utf-8")
    found = lexed(text)
    assert not [value for kind, value in found if kind == "Error"]
    assert "".join(value for _, value in found).strip() == text.strip()


def test_lexer_is_an_entry_point():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    module, _, name = project["entry-points"]["pygments.lexers"]["cnnspec"].partition(":")
    assert (module, name) == ("cnnspec.editor.pygments_lexer", "CnnLexer")


def test_the_extension_knows_the_words_of_the_language():
    for path, text in make_editors.files().items():
        assert path.read_text(encoding="utf-8") == text, "python -m tools.make_editors"


def test_the_extension_does_what_it_offers():
    package = json.loads((EXTENSION / "package.json").read_text())
    script = (EXTENSION / "extension.js").read_text()
    for command in package["contributes"]["commands"]:
        assert f'registerCommand("{command["command"]}"' in script
    for name in package["contributes"]["configuration"]["properties"]:
        assert f'get("{name.partition(".")[2]}")' in script
    assert package["version"] == __version__


@pytest.mark.skipif(not (EXTENSION / "node_modules").is_dir(), reason="needs `npm install` in editors/vscode")
def test_the_extension_is_built_and_its_grammar_colours(tmp_path: Path):
    subprocess.run(["npm", "test"], cwd=EXTENSION, check=True, capture_output=True)
    built = ["npm", "run", "package", "--", "--out", str(tmp_path / "cnnspec.vsix")]
    subprocess.run(built, cwd=EXTENSION, check=True, capture_output=True)
    with zipfile.ZipFile(tmp_path / "cnnspec.vsix") as file:
        names = set(file.namelist())
    assert {"extension/package.json", "extension/dist/extension.js", "extension/syntaxes/cnn.tmLanguage.json"} <= names
    assert not [name for name in names if "node_modules" in name or name.endswith("test.js")]


def test_hooks():
    yaml = pytest.importorskip("yaml")
    (hook,) = [
        one for one in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text()) if one["id"] == "cnnspec-check"
    ]
    assert (hook["language"], hook["files"]) == ("python", r"\.cnn$")
    command, *arguments = hook["entry"].split()
    assert command in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert main([*arguments, str(ROOT / "specs" / "lenet.cnn")]) == 0


def steps():
    yaml = pytest.importorskip("yaml")
    return yaml.safe_load((ROOT / "action.yml").read_text())


def test_action_reads_no_input_as_shell():
    action = steps()
    assert action["runs"]["using"] == "composite"
    assert not [step["run"] for step in action["runs"]["steps"] if "${{" in step.get("run", "")]


@pytest.mark.skipif(
    not shutil.which("bash") or not shutil.which("git"), reason="the action runs in bash, and reads git"
)
def test_action_writes_what_changed_into_the_summary(tmp_path: Path):
    script = next(step["run"] for step in steps()["runs"]["steps"] if step.get("name") == "Changes")
    (tmp_path / "bin").mkdir()
    command = tmp_path / "bin" / "cnnspec"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m cnnspec "$@"\n')
    command.chmod(0o755)
    nets = tmp_path / "nets"
    nets.mkdir()
    (nets / "a b.cnn").write_text("model M { input [4]; Linear(3) }")
    (nets / "net.py").write_text("import torch.nn as nn\n# cnnspec: input 4\nnet = nn.Sequential(nn.Linear(4, 2))\n")
    environment = {
        "PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin",
        "PYTHONPATH": str(ROOT),
        "GIT_CONFIG_GLOBAL": os.devnull,
    }
    commit = ["git", "-c", "user.name=n", "-c", "user.email=e", "commit", "-q", "-m", "m"]
    for line in (["git", "init", "-q"], ["git", "add", "."], commit):
        subprocess.run(line, cwd=nets, check=True, env=environment)
    (nets / "a b.cnn").write_text("model M { input [4]; Linear(5) }")
    environment |= {"INPUT_DIFF": "a b.cnn\n\nnet.py:net\n", "INPUT_AGAINST": "HEAD", "INPUT_FAIL_ON": "weights"}
    environment |= {"GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md")}
    run = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", script],
        cwd=nets,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    told = (tmp_path / "summary.md").read_text()
    assert (run.returncode, run.stderr) == (1, "")
    assert "### M" in told
    assert "old checkpoints do not load" in told
    assert "### net" in told


@pytest.mark.skipif(not shutil.which("bash"), reason="the action runs in bash")
def test_action_checks(tmp_path: Path):
    script = steps()["runs"]["steps"][-1]["run"]
    (tmp_path / "a b.cnn").write_text("model M { input [4]; Linear(5 -> 3) }")
    command = tmp_path / "cnnspec"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m cnnspec "$@"\n')
    command.chmod(0o755)
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "CNNSPEC_OUTPUT_FORMAT": "github", "INPUT_OUTPUT_FILE": ""}
    environment |= {"INPUT_PATHS": "a b.cnn\n", "INPUT_ARGUMENTS": "--select=E\n-q"}
    run = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", script],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1, run.stderr
    assert run.stdout.startswith("::error title=cnnspec E203,file=a b.cnn,line=1,")
