"""Numbers that are wrong far from where it shows: what they are for, and what has run, says which of them was not meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.reports import offered
from cnnspec.diagnostics import Sink
from cnnspec.diagnostics.edits import apply
from cnnspec.pipeline import check
from cnnspec.source import Source

UNIT = "block Unit(channels, k = 3, stride = 1) { Conv2d(channels, k, stride=stride, padding=k // 2); ReLU }\n"

# What is wrong, what was meant, and the spec around it.
MEANT = {
    "a window under another name": (
        "Conv(16, 4)", "Conv(16, 3)",
        UNIT + "let Conv = Unit(stride=1)\nmodel M { input [3, 32, 32]; WRONG -> [_, 32, 32] }",
    ),
    "a window that a block hands on": (
        "Outer(16, 4)", "Outer(16, 3)",
        UNIT + "block Outer(c, size) { Unit(c, size) }\nmodel M { input [3, 32, 32]; WRONG -> [_, 32, 32] }",
    ),
    "a column of a table of the file": (
        "(32, 4)", "(32, 3)",
        UNIT + "let rows = [(16, 3), WRONG]\n"
        "model M { input [3, 32, 32]; for (c, k) in rows { Unit(c, k) } -> [32, 32, 32] }",
    ),
    "half of a window": (
        "k // 4", "k // 2",
        "block Unit(c, k) { Conv2d(c, k, padding=WRONG) }\nmodel M { input [3, 32, 32]; Unit(8, 5) -> [8, 32, 32] }",
    ),
    "in the block that has run, not in those behind": (
        "stride=1", "stride=2",
        "block Stem { Conv2d(64, 7, stride=2, padding=3); MaxPool2d(3, WRONG, padding=1) }\n"
        "block Stage(c) { Conv2d(c, 3, stride=2, padding=1); Conv2d(c, 3, padding=1) }\n"
        "model M { input [3, 224, 224]; Stem -> [64, 56, 56]; Stage(128); Stage(256) -> [256, 14, 14] }",
    ),
    "none of a variant, where all of them have the error": (
        "stride=1", "stride=2",
        "model Net(depth, width) { input [3, 32, 32]; Conv2d(width, 3, WRONG, padding=1) -> [_, 16, 16]\n"
        "repeat depth { Conv2d(width, 3, padding=1) } }\n"
        "model Small = Net(2, 16)\nmodel Large = Net(4, 32)",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MEANT)
def test_what_was_meant_comes_first(name: str):
    wrong, meant, spec = MEANT[name]
    ((_, texts),) = offered(spec.replace("WRONG", wrong), "spec.cnn")
    assert texts[0] == spec.replace("WRONG", meant)


def test_in_a_block_of_a_model_that_variants_of_another_file_are_made_of(tmp_path: Path):
    (tmp_path / "units.cnn").write_text("block Stem { Conv2d(8, 3, stride=1, padding=1) }\n")
    (tmp_path / "net.cnn").write_text(
        'from "units.cnn" import Stem\n'
        "model Net(width) { input [3, 32, 32]; Stem -> [8, 16, 16]; Conv2d(width, 3, padding=1) }\n"
    )
    spec = tmp_path / "variants.cnn"
    text = 'from "net.cnn" import Net\nmodel Small = Net(16)\nmodel Large = Net(32)\n'
    check(Source(str(spec), text), sink := Sink(), fixes=True)
    (found,) = sink.diagnostics
    (edit,) = found.fixes[0].edits
    assert Path(edit.span.source.path).name == "units.cnn"
    assert "stride=2" in apply(edit.span.source.text, found.fixes[0].edits)


RECIPE = "train { data = MNIST; loss = CrossEntropyLoss; optimizer = SGD(lr=0.1); batch = 32; epochs = 1 }"


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [
        ("num_classes = 9", "num_classes = 10"),
        ("input [3, 28, 28]", "input [1, 28, 28]"),
    ],
)
def test_a_model_that_does_not_fit_its_data(wrong: str, meant: str):
    spec = "model M(num_classes = 10) { input [1, 28, 28]; Flatten; Linear(num_classes) }\n" + RECIPE
    text = spec.replace(meant, wrong)
    ((_, texts),) = offered(text, "spec.cnn")
    assert texts[0] == spec


def test_a_flatten_that_a_recipe_misses():
    spec = "model M { input [1, 28, 28]; Conv2d(8, 3); AdaptiveAvgPool2d(1); Flatten; Linear(10) }\n" + RECIPE
    ((_, texts),) = offered(spec.replace("Flatten; ", ""), "spec.cnn")
    assert texts[0] == spec


def test_channels_that_are_normalised_are_put_last():
    spec = "model M { input [3, 32, 32]; Conv2d(64, 3, padding=1); LayerNorm(64); ReLU }"
    ((_, texts),) = offered(spec, "spec.cnn")
    assert "Permute((0, 2, 3, 1)); LayerNorm(64); Permute((0, 3, 1, 2))" in texts[0]


def test_what_is_run_again_may_be_handed_to_by_a_wrong_layer():
    spec = (
        "model M { input [8, 32, 32] as a; Conv2d(8, 3, padding=1) as head; use a\n"
        "Conv2d(9, 1) as b; use b\nagain head }"
    )
    ((_, texts),) = offered(spec, "spec.cnn")
    assert texts[0] == spec.replace("Conv2d(9, 1)", "Conv2d(8, 1)")


def test_a_slice_that_is_too_short():
    loop = "for (c, k, p) in [row[:2] for row in rows] { Conv2d(c, k, padding=p) }"
    spec = "let rows = [[8, 3, 1]]\nmodel M { input [3, 8, 8]; " + loop + " }"
    ((_, texts),) = offered(spec, "spec.cnn")
    assert texts[0] == spec.replace("[:2]", "[:3]")


def test_channels_are_not_tried_for_the_sizes_of_a_concat():
    branches = "branch { Conv2d(64, 1) }; branch { Conv2d(16, 1); Conv2d(32, 7, padding=2) }"
    spec = "model M { input [3, 32, 32]; concat { " + branches + " } }"
    ((_, texts),) = offered(spec, "spec.cnn")
    assert spec.replace("padding=2", "padding=3") in texts
    assert not any("Conv2d(32, 1)" in text for text in texts)


@pytest.mark.parametrize(
    ("wrong", "right"),
    [("H % 2 == 0", "H % 4 == 0"), ("H % 4 == 1", "H % 4 == 0")],
)
def test_a_condition_on_sizes_is_replaced_where_it_says_too_little(wrong: str, right: str):
    body = "Conv2d(8, 3, padding=1) as e; MaxPool2d(4); Upsample(scale_factor=4); concat(e)"
    spec = f"model M {{ input [3, H, W] where {wrong}, W % 4 == 0; {body} }}"
    ((_, texts),) = offered(spec, "spec.cnn")
    assert texts[0] == spec.replace(wrong, right)


def test_an_image_is_square():
    spec = "model M { input [3, 64, 64]; Conv2d(8, 4, stride=4); Flatten(2); Permute((0, 2, 1)) -> [256, 8] }"
    ((_, texts),) = offered(spec.replace("64, 64", "64, 63"), "spec.cnn")
    assert spec in texts


def test_where_the_base_of_variants_is_misspelt_that_is_said_alone():
    spec = "model Net(width) { input [3, 8, 8]; Conv2d(width, 3) }\nmodel Small = Net(8)\nmodel Large = Net(16)"
    findings = offered(spec.replace("Net(width)", "Nett(width)"), "spec.cnn")
    assert {found.code.id for found, _ in findings} == {"E410"}
    assert findings[0][1][0] == spec


def test_a_misspelt_layer_that_a_block_is_given():
    spec = (
        "block Unit(c, norm) { Conv2d(c, 3); norm }\nlet Conv = Unit(norm=BatchNorm2d(eps=0.001))\n"
        "model M { input [3, 8, 8]; Conv(8) }"
    )
    ((_, texts),) = offered(spec.replace("BatchNorm2d", "BatchNormd"), "spec.cnn")
    assert texts == [spec]
