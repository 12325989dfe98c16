"""The commands `diff` and `digest`: what changed, whether old weights load; nothing here needs torch."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

import cnnspec
from cnnspec.cli.main import main
from cnnspec.diagnostics import Sink
from cnnspec.diff import BROKEN, LOAD, RENAMED, Comparison, compare
from cnnspec.graph.digest import digest_of
from cnnspec.pipeline import check
from cnnspec.report.comparison import as_json, as_markdown, as_text, verdict_words
from cnnspec.source import Source
from cnnspec.syntax.read import read_source
from tests.test_torch_free import loaded_by

ROOT = Path(__file__).parent.parent
NET = """
block Unit(channels) {
    Conv2d(channels, 3, padding=1)
    BatchNorm2d
    ReLU
}
model Net(num_classes = 10) {
    input [3, 16, 16]
    Unit(8)     as stem
    MaxPool2d(2)
    Unit(16)    as stage
    AdaptiveAvgPool2d(1)
    Flatten
    Linear(num_classes) as head
}
"""


def compared(before: str, after: str) -> Comparison:
    return compare(cnnspec.loads(before).graph, cnnspec.loads(after).graph)


def shown(found: Comparison) -> list[tuple[str, str, tuple[tuple[str, str, str], ...]]]:
    """The changes as kind, key and arguments."""
    return [
        (
            "new" if change.before is None else "gone" if change.after is None else "changed",
            (change.after or change.before).key,  # type: ignore[union-attr]
            change.arguments,
        )
        for change in found.changes
    ]


# --- what changed ---


def test_layout_comments_and_names_of_blocks_are_no_difference():
    other = "# Another comment.\n" + NET.replace("Unit", "Block").replace("    ", "\t").replace(
        "num_classes", "classes"
    )
    found = compared(NET, other)
    assert found.same
    assert found.changes == ()
    assert as_text(found) == "Net: no difference"


def test_an_argument_that_changed_is_told_with_both_values():
    found = compared(NET, NET.replace("MaxPool2d(2)", "MaxPool2d(2, ceil_mode=true)"))
    assert shown(found) == [("changed", "1", (("ceil_mode", "false", "true"),))]
    assert found.verdict.kind == LOAD
    assert not found.same


def test_what_follows_from_a_change_is_counted():
    text = as_text(compared(NET, NET.replace("padding=1", "padding=2")))
    assert "changed  stem.0   Conv2d  padding 1 -> 2, gives 8 x 16 x 16 -> 8 x 18 x 18  +14,688 MACs" in text
    assert "5 further layers with another shape because of these" in text
    assert "receptive field" in text


def test_layers_that_are_new_and_gone():
    found = compared(NET, NET.replace("    MaxPool2d(2)\n", "    Dropout2d(0.1)\n    AvgPool2d(2)\n"))
    assert [row[:2] for row in shown(found)] == [("gone", "1"), ("new", "1"), ("new", "2")]
    assert found.verdict.kind == LOAD


def test_a_block_that_is_new_is_one_row():
    found = compared(NET, NET.replace("    AdaptiveAvgPool2d(1)\n", "    Unit(16) as more\n    AdaptiveAvgPool2d(1)\n"))
    assert "new  more  3 layers  gives 16 x 8 x 8  +2,352 parameters" in as_text(found)
    assert found.verdict.kind == BROKEN
    assert [key for key, _ in found.verdict.new][:2] == ["more.0.weight", "more.0.bias"]


# --- weights ---


def test_other_keys_are_a_map():
    found = compared(NET, NET.replace("as stem", "as first").replace("as head", "as classifier"))
    assert found.verdict.kind == RENAMED
    renamed = dict(found.verdict.renamed)
    assert renamed["stem.0.weight"] == "first.0.weight"
    assert renamed["head.bias"] == "classifier.bias"
    assert not any(key.startswith("stage") for key in renamed)
    assert verdict_words(found.verdict) == "old checkpoints load with 9 keys renamed"
    assert found.changes == ()


def test_tensors_of_another_shape_are_listed():
    found = compared(NET, NET.replace("num_classes = 10", "num_classes = 7"))
    assert found.verdict.kind == BROKEN
    assert found.verdict.changed == (("head.weight", (10, 16), (7, 16)), ("head.bias", (10,), (7,)))
    assert (found.verdict.gone, found.verdict.new, found.verdict.renamed) == ((), (), ())
    assert verdict_words(found.verdict) == "old checkpoints do not load: 2 tensors of another shape"


def test_twins_that_get_other_keys_are_doubtful():
    two = "model M { input [4]; add { branch { Linear(4) } as a branch { Linear(4) } as b } }"
    found = compared(two, two.replace("as a", "as x").replace("as b", "as y"))
    assert found.verdict.kind == BROKEN
    assert {key for key, _ in found.verdict.doubts} == {f"0.{a}.0.{b}" for a in "xy" for b in ("weight", "bias")}


@pytest.mark.parametrize(
    ("change", "fails"),
    [
        (("as stem", "as first"), {"weights"}),
        (("num_classes = 10", "num_classes = 7"), {"weights", "output"}),
        (("num_classes = 10", "num_classes = 11"), {"weights", "output", "budget"}),
        (("padding=1", "padding=2"), {"budget"}),
        (("MaxPool2d(2)", "AvgPool2d(2)"), set()),
    ],
)
def test_what_a_check_in_ci_may_fail_on(
    tmp_path: Path, change: tuple[str, str], fails: set[str], capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "a.cnn").write_text(NET)
    (tmp_path / "b.cnn").write_text(NET.replace(*change))
    for name in ("weights", "output", "budget"):
        code = main(["diff", str(tmp_path / "a.cnn"), str(tmp_path / "b.cnn"), "--fail-on", name])
        assert code == (name in fails), name
    assert capsys.readouterr().out.count("old checkpoints") == 3


# --- forms ---


def test_a_summary_for_a_pull_request():
    text = as_markdown(compared(NET, NET.replace("num_classes = 10", "num_classes = 7")))
    assert text.startswith("### Net\n\n❌ **old checkpoints do not load: 2 tensors of another shape**")
    assert "| output | 10 | **7** |" in text
    assert "| changed | `head` Linear | out_features 10 -> 7, gives 10 -> 7 | -51 | -48 |" in text
    assert "head.weight  [10, 16] -> [7, 16]" in text


def test_a_document_with_the_map_of_keys(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "a.cnn").write_text(NET)
    (tmp_path / "b.cnn").write_text(NET.replace("as stem", "as first"))
    assert main(["diff", str(tmp_path / "a.cnn"), str(tmp_path / "b.cnn"), "--output-format", "json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["version"] == 1
    (model,) = document["models"]
    assert model["weights"]["renamed"]["stem.1.running_mean"] == "first.1.running_mean"
    assert model == json.loads(json.dumps(as_json(compared(NET, NET.replace("as stem", "as first")))))


def test_models_of_files_are_paired_by_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "a.cnn").write_text("model A { input [4]; Linear(2) }\nmodel B { input [4]; Linear(3) }\n")
    (tmp_path / "b.cnn").write_text("model B { input [4]; Linear(3) }\nmodel C { input [4]; Linear(2) }\n")
    assert main(["diff", str(tmp_path / "a.cnn"), str(tmp_path / "b.cnn")]) == 0
    assert capsys.readouterr().out == "B: no difference\n\nC: new\n\nA: gone\n"


def test_wrong_use_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = tmp_path / "a.cnn"
    path.write_text(NET)
    assert main(["diff", str(path)]) == 2
    assert main(["diff", str(path), str(path), "--fail-on", "weight"]) == 2
    assert "--fail-on takes weights, output, budget, not 'weight'" in capsys.readouterr().err
    (tmp_path / "wrong.cnn").write_text("model M { input [4]; Linear(5 -> 3) }")
    assert main(["diff", str(path), str(tmp_path / "wrong.cnn")]) == 1
    assert "E203" in capsys.readouterr().err


def test_torch_is_not_imported():
    assert loaded_by(["diff", "specs/lenet.cnn", "specs/lenet.cnn"], {"torch", "numpy", "pydantic"}) == set()
    assert loaded_by(["digest", "specs/lenet.cnn"], {"torch", "numpy", "pydantic"}) == set()


# --- digest ---


@pytest.mark.parametrize("name", ["lenet", "unet", "siamese", "crnn", "vit"])
def test_the_digest_stays_under_formatting_and_comments(name: str):
    path = ROOT / "specs" / f"{name}.cnn"
    source = read_source(str(path), Sink())
    lines = [f"   {line.strip()}  # a comment" if line.strip() else "" for line in source.text.split("\n")]
    (one,), (other,) = (check(Source(str(path), text), Sink()) for text in (source.text, "\n".join(lines)))
    assert digest_of(one) == digest_of(other)


def test_the_digest_tells_what_matters():
    one = digest_of(cnnspec.loads(NET).graph)
    assert one == digest_of(cnnspec.loads(NET.replace("Unit", "Other").replace("num_classes", "n")).graph)
    assert one != digest_of(cnnspec.loads(NET.replace("padding=1", "padding=2")).graph)
    assert one != digest_of(cnnspec.loads(NET.replace("as stem", "as stam")).graph)


def test_the_command_prints_a_digest_for_each_model(capsys: pytest.CaptureFixture[str]):
    assert main(["digest", str(ROOT / "specs" / "lenet.cnn")]) == 0
    assert capsys.readouterr().out == f"{digest_of(cnnspec.load(ROOT / 'specs' / 'lenet.cnn').graph)}  LeNet\n"


# --- revisions ---


def git(folder: Path, *arguments: str) -> None:
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    who = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main"]
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True, env=environment)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with two commits: a network, whose block another file holds."""
    block, model = NET.split("model", 1)
    (tmp_path / "nets" / "blocks").mkdir(parents=True)
    (tmp_path / "nets" / "blocks" / "unit.cnn").write_text(block)
    (tmp_path / "nets" / "net.cnn").write_text(f'from "blocks/unit.cnn" import Unit\nmodel{model}')
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "one")
    (tmp_path / "nets" / "blocks" / "unit.cnn").write_text(block.replace("padding=1", "padding=1, bias=false"))
    git(tmp_path, "commit", "-qam", "two")
    return tmp_path


def test_a_revision_is_compared_with_the_file_as_it_is(repository: Path, capsys: pytest.CaptureFixture[str]):
    path = str(repository / "nets" / "net.cnn")
    assert main(["diff", path, "--against", "HEAD"]) == 0
    assert capsys.readouterr().out == "Net: no difference\n"
    assert main(["diff", path, "--against", "HEAD~1", "--fail-on", "weights"]) == 1
    assert "bias true -> false" in capsys.readouterr().out
    assert main(["diff", f"{path}:Net", "--against", "main~1"]) == 0


@pytest.mark.parametrize("revision", ["nothing", "--all", "HEAD:nets", "", "HEAD\nHEAD"])
def test_what_is_no_revision_is_told(repository: Path, revision: str, capsys: pytest.CaptureFixture[str]):
    assert main(["diff", str(repository / "nets" / "net.cnn"), f"--against={revision}"]) == 2
    assert "revision" in capsys.readouterr().err


def test_a_file_that_is_new_or_in_no_repository(
    repository: Path, tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
):
    (repository / "new.cnn").write_text(NET)
    assert main(["diff", str(repository / "new.cnn"), "--against", "HEAD"]) == 2
    assert "there is no new.cnn in HEAD" in capsys.readouterr().err
    outside = tmp_path_factory.mktemp("outside") / "net.cnn"
    outside.write_text(NET)
    assert main(["diff", str(outside), "--against", "HEAD"]) == 2
    assert "is in no git repository" in capsys.readouterr().err


@pytest.mark.skipif(os.name == "nt", reason="the traps are shell scripts")
def test_nothing_that_a_repository_configures_is_run(repository: Path, monkeypatch: pytest.MonkeyPatch):
    trap, sprung = repository / "trap.sh", repository / "sprung"
    trap.write_text(f"#!/bin/sh\ntouch {sprung}\ncat\n")
    trap.chmod(0o755)
    for name in ("core.fsmonitor", "core.sshCommand", "core.pager", "core.editor", "diff.external", "core.gitProxy",
                 "filter.trap.smudge", "filter.trap.clean", "filter.trap.process", "diff.trap.textconv",
                 "credential.helper", "core.alternateRefsCommand", "uploadpack.packObjectsHook"):  # fmt: skip
        git(repository, "config", name, str(trap))
    for name in ("cat-file", "rev-parse", "ls-tree"):
        git(repository, "config", f"alias.{name}", f"!{trap}")
    (repository / ".gitattributes").write_text("*.cnn filter=trap diff=trap\n")
    for hook in ("post-checkout", "fsmonitor-watchman", "post-index-change", "reference-transaction"):
        target = repository / ".git" / "hooks" / hook
        target.parent.mkdir(exist_ok=True)
        target.write_text(trap.read_text())
        target.chmod(0o755)
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", str(trap))
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    sprung.unlink(missing_ok=True)
    assert main(["diff", str(repository / "nets" / "net.cnn"), "--against", "HEAD~1"]) == 0
    assert not sprung.exists()
    # The trap works: what shows a difference springs it.
    monkeypatch.delenv("GIT_DIR")
    subprocess.run(["git", "status"], cwd=repository, check=True, capture_output=True)
    assert sprung.exists()
