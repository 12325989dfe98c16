"""Fixes: what is offered for the mistakes that people make, and that nothing is offered that does not check."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.repair import SPECS, edited, mutants
from cnnspec.diagnostics import Diagnostic, Edit, Sink, Suggestion
from cnnspec.diagnostics.edits import apply
from cnnspec.diagnostics.render import render
from cnnspec.pipeline import check
from cnnspec.source import Source, Span
from cnnspec.syntax.read import read_source

LENET = """\
model LeNet(num_classes = 10) {
    input [1, 28, 28]

    Conv2d(6, kernel_size=5, padding=2)
    Sigmoid
    AvgPool2d(2, stride=2)
    Conv2d(16, kernel_size=5); Sigmoid
    AvgPool2d(5, stride=2)

    Flatten

    Linear(16*5*5 -> 120)
    Sigmoid
    Linear(84)
    Sigmoid
    Linear(num_classes)
}
"""


def errors(text: str, path: str = "spec.cnn") -> list[Diagnostic]:
    sink = Sink()
    check(Source(path, text), sink, fixes=True)
    return [found for found in sink.diagnostics if found.severity == "error"]


def repaired(text: str) -> list[str]:
    """The texts that the fixes of the only error give."""
    (found,) = errors(text)
    return [apply(text, fix.edits) for fix in found.fixes]


def body(text: str) -> str:
    return "model M {\n    " + "\n    ".join(text.split("; ")) + "\n}\n"


WORDS = {
    "a string": ("Conv2d(8, 3, padding=same)", 'Conv2d(8, 3, padding="same")'),
    "a division": ("Conv2d(in_channels / 2, 3)", "Conv2d(in_channels // 2, 3)"),
    "a tuple": ("Permute(0, 2, 1, 3)", "Permute((0, 2, 1, 3))"),
    "another one": ("Mean(2, 3)", "Mean((2, 3))"),
}


@pytest.mark.parametrize("name", WORDS)
def test_what_is_written_in_other_words_is_one_error_with_its_fix(name: str):
    written, meant = WORDS[name]
    assert repaired(body(f"input [3, 8, 8]; {written}"))[0] == body(f"input [3, 8, 8]; {meant}")


def test_in_a_loop_the_pass_that_fails_counts():
    text = body("input [3, 32, 32]; repeat 6 { Conv2d(16, 3); MaxPool2d(2) }")
    (found,) = errors(text)
    assert any(fix.message.startswith("leave out `MaxPool2d(2)`") for fix in found.fixes)


def test_the_example_of_the_issue():
    (found,) = errors(LENET, "lenet.cnn")
    shown = render(found).split("\n")
    assert shown[0] == "error[E203]: Linear expects 400 input features but gets 144"
    helps = [line.strip() for line in shown if "help" in line][:2]
    assert helps == [
        "= help: change the kernel size on line 8 from 5 to 2: `AvgPool2d(2, stride=2)` gives 16 x 5 x 5",
        "= help: or declare what arrives: `Linear(16*3*3 -> 120)`",
    ]
    assert len(found.fixes) <= 3
    assert not any(fix.sure for fix in found.fixes)


# The mistakes of the course notes: the text, and the change that is meant.
NOTES = {
    "pool": (
        "input [16, 10, 10]; AvgPool2d(5, stride=2); Flatten; Linear(16*5*5 -> 120)",
        ("AvgPool2d(5", "AvgPool2d(2"),
    ),
    "channels": (
        "input [32, 8, 8]; Conv2d(32 -> 63, 3); BatchNorm2d(64); Conv2d(64 -> 64, 3)",
        ("-> 63", "-> 64"),
    ),
    "width": ("input [16, 14, 14]; Flatten; Linear(1*14*14 -> 10)", ("1*14*14", "16*14*14")),
    "residual": (
        "input [3, 8, 8]; Conv2d(3 -> 16, 3, padding=1); BatchNorm2d(16); ReLU; Conv2d(3 -> 16, 3, padding=1)",
        ("ReLU\n    Conv2d(3 ->", "ReLU\n    Conv2d(16 ->"),
    ),
    "kernel size": ("input [3, 8, 8]; Conv2d(8)", ("Conv2d(8)", "Conv2d(8, kernel_size=3)")),
    "kernal_size": ("input [3, 8, 8]; Conv2d(8, kernal_size=3)", ("kernal", "kernel")),
    "RelU": ("input [3, 8, 8]; RelU", ("RelU", "ReLU")),
    "BatchNorm2s": ("input [3, 8, 8]; BatchNorm2s", ("2s", "2d")),
    "Flatten": ("input [16, 5, 5]; Linear(400 -> 10)", ("    Linear", "    Flatten\n    Linear")),
    "shortcut": (
        "input [3, 8, 8]; residual { Conv2d(8, 3, padding=1) }",
        ("}\n}", "} shortcut { Conv2d(8, 1) }\n}"),
    ),
}


@pytest.mark.parametrize("name", NOTES)
def test_the_mistakes_of_the_notes(name: str):
    text, (wrong, right) = NOTES[name]
    spec = body(text)
    assert wrong in spec
    assert spec.replace(wrong, right, 1) in repaired(spec)[:2]


def test_a_residual_block_whose_second_convolution_takes_the_first_ones_input():
    text = """\
block Unit(ch_in, ch_out) {
    residual {
        Conv2d(ch_in -> ch_out, 3, padding=1)
        ReLU
        Conv2d(ch_in -> ch_out, 3, padding=1)
    } shortcut { Conv2d(ch_out, 1) }
}
model M { input [3, 8, 8]; Unit(3, 16) }
"""
    (found,) = errors(text)
    assert found.span.line == 5
    assert found.fixes


def test_a_fix_inside_of_a_block():
    text = """\
block Down(channels) {
    Conv2d(channels, 3, padding=2)
    MaxPool2d(2)
}
model M {
    input [3, 32, 32]
    Down(8)
    Down(16)     -> [16, 8, 8]
}
"""
    assert text.replace("padding=2", "padding=1") in repaired(text)


def test_a_fix_in_a_table():
    text = """\
model M {
    input [3, 32, 32]
    for (channels, stride) in [(8, 2), (16, 4), (32, 2)] {
        Conv2d(channels, 3, stride=stride, padding=1)
    }
    Flatten
    Linear(32*4*4 -> 10)
}
"""
    (found,) = errors(text)
    assert text.replace("(16, 4)", "(16, 2)") in repaired(text)
    assert any(fix.message.startswith("change `stride` on line 3 from 4 to 2") for fix in found.fixes)


def test_a_fix_in_an_imported_file(tmp_path: Path):
    library = "block Down(channels) {\n    Conv2d(channels, 3, padding=2)\n    MaxPool2d(2)\n}\n"
    (tmp_path / "lib.cnn").write_text(library)
    text = 'from "lib.cnn" import Down\nmodel M {\n    input [3, 32, 32]\n    Down(8)\n    Down(16) -> [16, 8, 8]\n}\n'
    (found,) = errors(text, str(tmp_path / "spec.cnn"))
    inside = [fix for fix in found.fixes if fix.edits[0].span.source.path == str(tmp_path / "lib.cnn")]
    assert library.replace("padding=2", "padding=1") in [apply(library, fix.edits) for fix in inside]
    assert any("lib.cnn" in fix.message for fix in inside)


def test_a_fix_removes_its_own_error_of_several():
    two = LENET.replace("Linear(84)", "Linear(84); Linear(85 -> 84)")
    first, second = errors(two)
    assert first.fixes
    assert second.fixes
    for found in (first, second):
        for fix in found.fixes:
            assert [left.code.id for left in errors(apply(two, fix.edits))] == ["E203"]


def test_warnings_and_text_errors_have_no_computed_fixes():
    assert [found.fixes for found in errors("model M { input [3, 8, 8] Conv2d(( }")] == [()]


# --- properties ---


def test_every_fix_checks():
    """Over a sample of mutants: a fix that is offered for the only error leaves none, and in no case one more."""
    paths = [SPECS / name for name in ("lenet.cnn", "alexnet.cnn", "notes/residual.cnn", "notes/four_convs.cnn")]
    every = [mutant for path in paths for mutant in mutants(path)]
    tried = 0
    for mutant in random.Random(5).sample(every, 60):
        before = errors(mutant.text, str(mutant.path))
        for found in before:
            for fix in found.fixes:
                path, text = edited(fix.edits)
                assert path == mutant.path
                after = errors(text, str(path))
                assert len(after) < len(before), (mutant.line, fix.message)
                tried += 1
    assert tried > 30


def test_without_asking_there_are_none():
    sink = Sink()
    check(Source("spec.cnn", LENET), sink)
    assert [found.fixes for found in sink.diagnostics] == [()]


def test_specs_of_the_package_need_no_fixes():
    sink = Sink()
    check(read_source(str(SPECS / "lenet.cnn"), sink), sink, fixes=True)
    assert not sink.has_errors


# --- misspellings ---


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("model M { input [3, 8, 8]; RelU }", "model M { input [3, 8, 8]; ReLU }"),
        (
            "model M { input [3, 8, 8]; MaxPool2d(kernal_size=2) }",
            "model M { input [3, 8, 8]; MaxPool2d(kernel_size=2) }",
        ),
        ("model M { input [3]; let width = 3; Linear(widht) }", "model M { input [3]; let width = 3; Linear(width) }"),
        ("model M { input [3]; ReLU as start; add(strat) }", "model M { input [3]; ReLU as start; add(start) }"),
        (
            'model M { input [3, 8, 8]; Conv2d(3, 3, padding_mode="reflct", padding=1) }',
            'model M { input [3, 8, 8]; Conv2d(3, 3, padding_mode="reflect", padding=1) }',
        ),
        ("model M { input [3]; ReLU }\ntrain { epoch = 3 }", "model M { input [3]; ReLU }\ntrain { epochs = 3 }"),
    ],
    ids=["E110", "E111", "E117", "E123", "E116", "E501"],
)
def test_a_misspelling_has_a_safe_fix(wrong: str, right: str):
    (found,) = errors(wrong)
    (fix,) = found.fixes
    assert fix.sure
    assert apply(wrong, fix.edits) == right
    assert fix.message in found.all_helps
    assert found.all_helps.count(fix.message) == 1


def test_a_misspelt_definition_may_be_renamed_instead():
    text = "block Featurs { ReLU }\nmodel M { input [3, 8, 8]; Features }"
    assert text.replace("Featurs", "Features") in repaired(text)
    (found,) = errors(text)
    assert not any(fix.sure for fix in found.fixes)


def test_nothing_slow_is_imported_for_fixes(tmp_path: Path):
    (tmp_path / "lenet.cnn").write_text(LENET)
    code = (
        "import sys; from cnnspec.diagnostics import Sink; from cnnspec.pipeline import check\n"
        "from cnnspec.syntax.read import read_source\n"
        f"sink = Sink(); check(read_source({str(tmp_path / 'lenet.cnn')!r}, sink), sink, fixes=True)\n"
        "print(len(sink.diagnostics[0].fixes) > 0, *{'torch', 'dataclasses', 'typing', 'json'} & set(sys.modules))"
    )
    root = Path(__file__).parent.parent
    code = f"import sys; sys.path.insert(0, {str(root)!r})\n{code}"
    run = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=False)
    assert run.stdout.split() == ["True"], run.stderr


def test_a_name_between_two_is_not_safe_unless_only_one_checks():
    (found,) = errors("model M { input [3, 8, 8]; BatchNormd }")
    assert [(fix.message, fix.sure) for fix in found.fixes] == [("did you mean `BatchNorm2d`?", True)]


# --- edits ---


def edit(start: int, end: int, text: str) -> Edit:
    return Edit(Span(Source("", ""), start, end), text)


def test_apply():
    assert apply("abcdef", []) == "abcdef"
    assert apply("abcdef", [edit(4, 6, "X"), edit(0, 1, ""), edit(2, 2, "__")]) == "b__cdX"
    assert apply("abc", [edit(0, 1, "x"), edit(1, 2, "y")]) == "xyc"


@pytest.mark.parametrize(
    "edits",
    [
        [edit(0, 3, "x"), edit(2, 4, "y")],
        [edit(1, 1, "x"), edit(1, 1, "y")],
        [edit(0, 1, "x"), edit(0, 1, "x")],
        [edit(0, 9, "x")],
        [edit(2, 1, "x")],
        [edit(-1, 1, "x")],
    ],
)
def test_apply_refuses_what_overlaps_or_lies_outside(edits: list[Edit]):
    with pytest.raises(ValueError, match="overlaps"):
        apply("abcdef", edits)


def test_the_first_fix_has_no_or():
    (found,) = errors(LENET)
    assert isinstance(found.fixes[0], Suggestion)
    assert not found.all_helps[0].startswith("or ")
    assert all(text.startswith("or ") for text in found.all_helps[1 : len(found.fixes)])


# --- faults of earlier days ---


@pytest.mark.parametrize("dim", [0, 4, -5, 9])
def test_a_wrong_dimension_of_branches(dim: int):
    """The edit stands outside of what the statement's head was."""
    text = f"model M {{ input [3, 8, 8]\n    concat(dim={dim}) {{ branch {{ ReLU }}; branch {{ Tanh }} }} }}"
    (found,) = errors(text)
    assert found.code.id == "E211"
    assert found.all_helps == [fix for fix in found.all_helps if fix]


@pytest.mark.parametrize(
    "text",
    [
        "model M { input [8, 8, 8]; ReLU as skip1; ReLU as skipp2; Tanh; add(skip2) }",
        "model M { input [8, 8, 8]; let width1 = 8; let width22 = 16; Conv2d(width2, 3); Conv2d(width1 + width22, 1) }",
        "block B(c1, cc2 = 4) { Conv2d(c1, 1); Conv2d(cc2, 1) }\nmodel M { input [8, 8, 8]; B(3, c2=5) }",
        "model M { input [8, 8, 8]; let width1 = 8; Conv2d(width2, 3) }",
    ],
    ids=["value", "number", "parameter", "digit"],
)
def test_a_name_between_two_or_of_another_number_is_never_sure(text: str):
    (found,) = errors(text)
    assert not any(fix.sure for fix in found.fixes)


def test_fixes_do_not_vanish_with_depth():
    for count in (20, 400, 1200):
        layers = "    Conv2d(8, 3, padding=1)\n    ReLU\n" * (count // 2)
        text = f"model M {{\n    input [3, 8, 8]\n{layers}    Flatten\n    Linear(256 -> 10)\n}}\n"
        (found,) = errors(text)
        assert "declare what arrives: `Linear(512 -> 10)`" in [fix.message for fix in found.fixes]


def test_fixes_do_not_vanish_with_another_error_in_the_statement():
    first, second = errors("model M { input [3, 8, 8]; Conv2d(8, 3, kernal=3, padding=true) }")
    assert {first.code.id, second.code.id} == {"E111", "E115"}
    assert first.fixes or second.fixes


def test_the_same_text_every_time():
    text = LENET.replace("Linear(84)", "Lineer(84); Linear(85 -> 84)")
    shown = {"\n".join(render(found) for found in errors(text)) for _ in range(8)}
    assert len(shown) == 1


@pytest.mark.parametrize("form", ["json", "sarif"])
def test_documents_are_the_same_in_every_run(tmp_path: Path, form: str):
    """Nothing hangs on a clock, or on the order of a set."""
    text = LENET.replace("Linear(84)", "Lineer(84); Linear(85 -> 84); BatchNormd; add(skip)")
    (tmp_path / "lenet.cnn").write_text("block Unt { ReLU }\n" + text)
    root = str(Path(__file__).parent.parent)
    windows = Path(__file__).parent / "ui" / "shapes" / "window_too_large.cnn"
    command = [sys.executable, "-m", "cnnspec", "check", "lenet.cnn", str(windows), f"--output-format={form}"]
    found = set()
    for seed in range(100 if os.environ.get("CNNSPEC_FULL") else 4):
        known = {"PYTHONPATH": root, "PYTHONHASHSEED": str(seed), "PATH": os.environ.get("PATH", "")}
        run = subprocess.run(command, cwd=tmp_path, env=known, capture_output=True, check=False)
        assert run.returncode == 1, run.stderr
        found.add(run.stdout)
    assert len(found) == 1


FORGOTTEN = {
    "behind the last pool": (
        "input [3, 8, 8]; Conv2d(8, 3); AdaptiveAvgPool2d(1); Dropout; Linear(10) -> [10]",
        "input [3, 8, 8]; Conv2d(8, 3); AdaptiveAvgPool2d(1); Flatten; Dropout; Linear(10) -> [10]",
    ),
    "in front of patches": (
        "input [3, 32, 32]; Conv2d(64, 8, stride=8); Permute((0, 2, 1)) -> [16, 64]",
        "input [3, 32, 32]; Conv2d(64, 8, stride=8); Flatten(2); Permute((0, 2, 1)) -> [16, 64]",
    ),
}


@pytest.mark.parametrize("name", FORGOTTEN)
def test_a_forgotten_flatten_is_put_where_it_belongs(name: str):
    written, meant = FORGOTTEN[name]
    assert repaired(body(written))[0] == body(meant)


ONE = {
    "two uses of a block": (
        "block B(c) {\n    residual {\n        Conv2d(c, 3)\n    }\n}\n"
        "model M {\n    input [3, 32, 32]\n    B(3)\n    MaxPool2d(2)\n    B(3)\n}\n"
    ),
    "a misspelt argument of a block": (
        "block B(c, padding = 0) {\n    Conv2d(c, 3, padding=padding)\n}\n"
        "model M {\n    input [3, 8, 8]\n    B(4, paddng=1)    -> [4, 8, 8]\n}\n"
    ),
}


@pytest.mark.parametrize("name", ONE)
def test_one_mistake_is_one_finding(name: str):
    (found,) = errors(ONE[name])
    assert found.fixes


def test_models_for_all_sizes_are_tried_at_the_size_that_fails():
    text = "model M { input [3, H, W] where H % 4 == 0, W % 4 == 0; Conv2d(8, 3, padding=1); MaxPool2d(2, padding=2) }"
    (found,) = errors(text)
    assert apply(text, found.fixes[0].edits) == text.replace("padding=2", "padding=0")
