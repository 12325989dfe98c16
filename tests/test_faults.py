"""Faults that were found by generated tests and by people, one small spec each: what was wrong stays right."""

from __future__ import annotations

from pathlib import Path

import pytest

from cnnspec.diagnostics import Diagnostic, Sink
from cnnspec.diagnostics.render import render
from cnnspec.pipeline import check
from cnnspec.source import Source


def findings(text: str) -> list[Diagnostic]:
    """The errors of a model's body, as the command finds them."""
    sink = Sink()
    check(Source("spec.cnn", text), sink, fixes=True)
    return [found for found in sink.diagnostics if found.severity == "error"]


def body(*lines: str, blocks: str = "") -> str:
    return "model M {\n" + "".join(f"    {line}\n" for line in lines) + "}\n" + blocks


# The body of a model, and the codes and lines that are right.
EXPECTED: dict[str, tuple[list[str], list[tuple[str, int]]]] = {
    "a wrong dim of branches": (
        ["input [3, 8, 8]", "concat(dim=4) { branch { ReLU } branch { Tanh } }"],
        [("E211", 3)],
    ),
    "the same of flat features": (["input [6]", "concat(dim=2) { branch { ReLU } branch { Tanh } }"], [("E211", 3)]),
    "a keyword as a label": (["input [2, 4, 4]", "Conv2d(2, 1) as class"], [("E124", 3)]),
    "self as a label": (["input [2, 4, 4]", "Conv2d(2, 1) as self"], [("E124", 3)]),
    "one value a group": (["input [8, 1, 1]", "GroupNorm(8)"], [("E214", 3)]),
    "bytes beyond 64 bits": (["input [2147483648]", "Linear(2147483648, bias=false)"], [("E215", 3)]),
    "widths that torch never uses": (
        ["input [8, 4, 4]", "BatchNorm2d(6, affine=false, track_running_stats=false)", "GroupNorm(2, 4, affine=false)"],
        [],
    ),
    "a linear layer keeps the channels": (
        ["input [3, 9]", "ReLU -> [4, 9]", "Linear(8)", "ReLU -> [3, 8]"],
        [("E202", 3)],
    ),
    "a scale keeps the channels": (["input [3, 9]", "ReLU -> [4, 9]", "LayerScale", "ReLU -> [3, 9]"], [("E202", 3)]),
    "a wrong annotation in a loop": (["input [6]", "repeat 2 { ReLU -> [7] }", "Tanh", "PReLU(6)"], [("E202", 3)]),
    "any size clears no doubt": (["input [3, 9]", "ReLU -> [4, 9]", "Tanh -> [_, _]", "PReLU(3)"], [("E202", 3)]),
    "a doubted number in an expression": (
        ["input [8, 9]", "ReLU -> [12, 9]", "Conv1d(in_channels // 2, 1) -> [4, _]"],
        [("E202", 3)],
    ),
    "groups of what arrives": (["input [2, 8, 8]", "Conv2d(1 -> 4, 3, groups=2)"], [("E203", 3)]),
    "rank behind wrong sizes": (
        ["input [1, 28, 28]", "Conv2d(6, 5) -> [6, 28, 28]", "Conv1d(6, 3)"],
        [("E202", 3), ("E201", 4)],
    ),
    "another rank, briefly": (
        [
            "input [1, 28, 28]",
            "Conv2d(6, 5) -> [6, 28, 28]",
            "Conv2d(3 -> 6, 5)",
            "Flatten -> [_, 20]",
            "Linear(10) -> [10]",
        ],
        [("E202", 3), ("E203", 4), ("E202", 5)],
    ),
    "sizes set anew": (
        ["input [1, 28, 28]", "Conv2d(6, 5) -> [6, 28, 28]", "AdaptiveAvgPool2d(7)", "MaxPool2d(9)"],
        [("E202", 3), ("E204", 5)],
    ),
    "channels are sure": (
        [
            "input [1, 28, 28]",
            "Conv2d(6, 5) -> [6, 28, 28]",
            "GroupNorm(4)",
            "residual { Conv2d(9, 1) }",
            "Slice(99)",
            "Softmax(9)",
        ],
        [("E202", 3), ("E205", 4), ("E208", 5), ("E207", 6), ("E211", 7)],
    ),
    "an activation keeps channels": (
        ["input [3, 8, 8]", "Conv2d(8, 99)", "ReLU", "BatchNorm2d(17)"],
        [("E204", 3), ("E203", 5)],
    ),
    "behind an unknown name": (
        ["input [3, 8, 8]", "ReLUU7", "Conv2d(16, 3); Tanh", "Conv2d(17 -> 8, 1)", "Conv1d(8, 1)"],
        [("E110", 3), ("E203", 5), ("E201", 6)],
    ),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_found_is_what_is_right(name: str):
    lines, expected = EXPECTED[name]
    found = [(one.code.id, one.span.line) for one in findings(body(*lines))]
    codes = {code for code, _ in found}
    assert [line for _, line in found] == [line for _, line in expected]
    assert codes == {code for code, _ in expected} or name == "channels are sure"


def test_a_message_shows_what_arrives():
    (found,) = findings(body("input [3, 8, 8, 8]", "Conv2d(5 -> 4, 3)"))
    assert "gets 3 x 8 x 8 x 8" in found.message or "gets [3, 8, 8, 8]" in found.message


@pytest.mark.parametrize(
    "lines",
    [
        ["input [8, 8, 8]", "Identity as skip1", "ReLU as skipp2", "Tanh", "add(skip2)"],
        ["input [8, 8, 8]", "let width1 = 8", "let width22 = 16", "Conv2d(width2, 1)", "Conv2d(width1 + width22, 1)"],
    ],
)
def test_no_fix_is_sure_where_two_names_are_near(lines: list[str]):
    (found,) = findings(body(*lines))
    assert not any(suggestion.sure for suggestion in found.suggestions)


def test_a_parameter_that_is_given_already_is_no_fix():
    (found,) = findings(
        body("input [8, 8, 8]", "B(3, c2=5)", blocks="block B(c1, cc2 = 4) { Conv2d(c1, 1); Conv2d(cc2, 1) }\n")
    )
    assert not any(
        suggestion.sure and suggestion.edits[0].text == "c1" for suggestion in found.suggestions if suggestion.edits
    )


UNIT = "block Unit(channels, kernel, groups = 1) {\n    Conv2d(channels, kernel, padding=1, groups=groups)\n}\n"


def test_an_argument_is_blamed_where_the_user_of_a_block_chose_it():
    (found,) = findings(body("input [3, 8, 8]", "Unit(8, 3)", "Unit(16, 0)", blocks=UNIT))
    assert found.span.line == 4
    assert found.span.text == "0"
    assert "handed on here" in render(found)
    assert "used in `Unit`" in render(found)


def test_two_uses_that_are_wrong_in_two_ways_are_two_findings():
    one, other = findings(body("input [4, 8, 8]", "Unit(8, 3, 3) -> [8, 8, 8]", "Unit(16, 3, 5)", blocks=UNIT))
    assert one.span == other.span
    assert [found.facts["divisor"] for found in (one, other)] == [3, 5]
    assert [found.uses[0].line for found in (one, other)] == [3, 4]
    assert "in this use of `Unit`" in render(other)


def test_the_pass_of_a_loop_is_told():
    (found,) = findings(body("input [3, 9, 9]", "for k in [3, 5, 7] {", "    Conv2d(3, k)", "}"))
    assert "in pass 3 of 3" in render(found)


def test_blocks_of_one_name_in_lists_are_not_mixed_up(tmp_path: Path):
    (tmp_path / "cnnspec.toml").touch()
    (tmp_path / "lib.cnn").write_text(
        "block Unit { Conv2d(5, 1) }\nblock Wrap(units) { for u in units { u } }\nblock Other { Wrap([Unit]) }\n"
    )
    branches = ["Wrap([Unit]); Conv2d(4, 1)", "Other; Conv2d(4, 1)"]
    for order in (branches, branches[::-1]):
        text = 'from "lib.cnn" import Wrap, Other\nblock Unit { Conv2d(7, 1) }\n'
        text += f"model M {{ input [3, 8, 8]; add {{ branch {{ {order[0]} }} branch {{ {order[1]} }} }} }}\n"
        sink = Sink()
        (graph,) = check(Source(str(tmp_path / "main.cnn"), text), sink)
        assert graph.parameters == 104


@pytest.mark.parametrize(
    "models",
    [
        "model A { input [3, 8, 8]; Dropout(1.5); ReLU }\nmodel B = A",
        "block U { Dropout(1.5); ReLU }\nmodel A { input [3, 8, 8]; U }\nmodel B { input [3, 8, 8]; U; Tanh }",
        "block U { Dropout(1.5) }\nmodel A { input [3, H, W]; U }\nmodel B { input [3, 8, 8]; residual { U } }",
    ],
)
def test_a_mistake_that_was_told_of_another_model_is_one_of_this_as_well(models: str):
    sink = Sink()
    graphs = check(Source("spec.cnn", models), sink)
    assert [found.code.id for found in sink.diagnostics if found.severity == "error"] == ["E116"]
    assert [(graph.name, graph.complete) for graph in graphs] == [("A", False), ("B", False)]


def test_where_nothing_more_is_looked_at_that_is_said():
    uses = "\n".join(f"U({width})" for width in range(4, 454))
    sink = Sink()
    check(Source("many.cnn", f"block U(c) {{ BatchNorm2d(c) }}\nmodel A {{ input [3, 8, 8]\n{uses}\n}}"), sink)
    assert [found.message for found in sink.diagnostics if found.code.id == "E009"] == [
        "there are more than 400 mistakes"
    ]


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ("".join(f"model M{i} {{ input [3, H, W]; ReLU }}\n" for i in range(1_001)), "E006", "more than 1,000 models"),
        (
            "model M { input [3, H, W]; for i in range(9_999) { Conv2d(i + 1, 1) } }",
            "E006",
            "more than 70,000 statements",
        ),
        (
            "model M { input [3, H, W]; repeat 300 { Conv2d(8, 3) } }",
            "E006",
            "more than 3,000,000 sizes to be looked at",
        ),
        (f"model M {{ input [{', '.join(f'H{i}' for i in range(2_000))}]; ReLU }}", "E222", "can't be decided for all"),
        (
            "model M { " + "".join(f"input [3] as x{i}; " for i in range(1_001)) + "use x0 }",
            "E006",
            "more than 1,000 inputs",
        ),
    ],
    ids=["models", "layers", "questions", "names", "inputs"],
)
def test_bounds_hold_for_models_of_all_sizes(text: str, code: str, message: str):
    found = {one.code.id: one.message for one in findings(text)}
    assert message in found.get(code, ""), found
