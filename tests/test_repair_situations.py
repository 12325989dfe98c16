"""What people who learn get wrong, each with what they are told first."""

from __future__ import annotations

import pytest

from benchmarks.reports import offered
from cnnspec.diagnostics import Sink
from cnnspec.pipeline import check
from cnnspec.source import Source

RES = """block Res(c, stride = 1) {
    residual {
        Conv2d(c, 3, stride=stride, padding=1)
        BatchNorm2d
        Conv2d(c, 3, padding=1)
    }SHORTCUT
}
model R {
    input [16, 32, 32]
    Res(16)
    Res(32, stride=2)
    Res(64, stride=2)
}
"""
CIFAR = """model M {
    input [1, 28, 28]
    Conv2d(6, 5, padding=2); AvgPool2d(2)
    Conv2d(16, 5); AvgPool2d(2)
    Flatten
    Linear(400 -> 120); ReLU; Linear(10)
}
train { data = CIFAR10; loss = CrossEntropyLoss; optimizer = SGD(lr=0.1); batch = 32; epochs = 1 }
"""

# A spec, and what stands in it in place of what after the first fix.
FIRST = {
    "channels last, as in Keras": (
        "model M { input [28, 28, 1]; Conv2d(32, 3); MaxPool2d(2); Flatten; Linear(10) }",
        {"[28, 28, 1]": "[1, 28, 28]"},
    ),
    "a residual block without a shortcut, in several shapes": (
        RES.replace("SHORTCUT", ""),
        {"    }\n}\nmodel": "    } shortcut { if stride != 1 or in_channels != c { Conv2d(c, 1, stride=stride) } }\n}\nmodel"},
    ),
    "a map read by an LSTM": (
        "model M { input [1, 32, 128]; Conv2d(64, 3, padding=1); LSTM(256) }",
        {"LSTM": "Flatten(1, 2); Permute((0, 2, 1)); LSTM"},
    ),
    "a generator of a flat vector": (
        "model G { input [100]; ConvTranspose2d(512, 4); ReLU; ConvTranspose2d(3, 4, stride=2, padding=1) }",
        {"ConvTranspose2d(512": "Unflatten(1, (100, 1, 1)); ConvTranspose2d(512"},
    ),
    "a decoder without one of its upsamplings": (
        "model U { input [1, 64, 64]; Conv2d(8, 3, padding=1) as e; MaxPool2d(2); Conv2d(16, 3, padding=1); concat(e) }",
        {"concat(e)": "Upsample(scale_factor=2); concat(e)"},
    ),
    "scores of pixels at a quarter of the size": (
        "model S { input [3, 64, 64]; Conv2d(8, 3, stride=2, padding=1); Conv2d(8, 3, stride=2, padding=1); "
        "Conv2d(21, 1) -> [21, 64, 64] }",
        {"Conv2d(21, 1)": "Conv2d(21, 1); Upsample(scale_factor=4)"},
    ),
    "an autoencoder whose strides round": (
        "model A { input [1, 28, 28]; Conv2d(8, 3, stride=2, padding=1); Conv2d(8, 3, stride=2, padding=1); "
        "ConvTranspose2d(8, 3, stride=2, padding=1); ConvTranspose2d(1, 3, stride=2, padding=1) -> [1, 28, 28] }",
        {
            "ConvTranspose2d(8, 3, stride=2, padding=1": "ConvTranspose2d(8, 3, stride=2, padding=1, output_padding=1",
            "ConvTranspose2d(1, 3, stride=2, padding=1": "ConvTranspose2d(1, 3, stride=2, padding=1, output_padding=1",
        },
    ),
    "other images, and the width that follows": (CIFAR, {"[1, 28, 28]": "[3, 32, 32]", "400": "576"}),
    "attention of a value to itself": (
        "model T { input [196, 96] as x; MultiheadAttention(8); LayerNorm(96) }",
        {"MultiheadAttention": "use (x, x, x); MultiheadAttention"},
    ),
    "a Flatten in front of the last layer that takes maps": (
        "model M { input [3, 32, 32]; Conv2d(8, 3)\nFlatten\nAdaptiveAvgPool2d(1)\nLinear(10) -> [10] }",
        {"Flatten\nAdaptiveAvgPool2d(1)": "AdaptiveAvgPool2d(1)\nFlatten"},
    ),
    "a Flatten in front of the pool, and a dropout behind": (
        "model M { input [3, 32, 32]; Conv2d(8, 3)\nFlatten\nAdaptiveAvgPool2d(1)\nDropout\nLinear(10) -> [10] }",
        {"Flatten\nAdaptiveAvgPool2d(1)": "AdaptiveAvgPool2d(1)\nFlatten"},
    ),
    "no Flatten in front of a perceptron's loop": (
        "model M { input [1, 28, 28]; for w in [256, 128] { Linear(w); ReLU }; Linear(10) -> [10] }",
        {"for w": "Flatten; for w"},
    ),
    "no Flatten in front of a head that is a block": (
        "block Head(n) { Dropout; Linear(128 -> 64); ReLU; Linear(n) }\n"
        "model M { input [3, 32, 32]; Conv2d(8, 3, padding=1); AdaptiveAvgPool2d(4); Head(10) }",
        {"Head(10)": "Flatten; Head(10)"},
    ),
    "no Flatten in one of two towers": (
        "block Image { Conv2d(8, 3); AdaptiveAvgPool2d(1); Linear(16) }\nblock Facts { BatchNorm1d; Linear(16) }\n"
        "model M { input [3, 32, 32] as image; input [4] as facts\n"
        "use facts; Facts as known; use image; Image; concat(known) }",
        {"Linear(16) }\nblock": "Flatten; Linear(16) }\nblock"},
    ),
    "sizes stated as kept, and no padding": (
        "model M { input [1, 28, 28]\nConv2d(8, 3) -> [8, 28, 28]; MaxPool2d(2) -> [8, 14, 14] }",
        {"Conv2d(8, 3)": "Conv2d(8, 3, padding=1)"},
    ),
    "a dropout in percent": ("model M { input [8, 4, 4]; Dropout(50) }", {"50": "0.5"}),
    "squeeze and excitation without its two dimensions": (
        "model M { input [64, 16, 16] as x; AdaptiveAvgPool2d(1); Flatten; Linear(64); Sigmoid; multiply(x) }",
        {"multiply": "Unflatten(1, (64, 1, 1)); multiply"},
    ),
    "words in front of a convolution": (
        "model T { input [100]; Embedding(5000, 64); Conv1d(64 -> 128, 3); ReLU }",
        {"Conv1d": "Permute((0, 2, 1)); Conv1d"},
    ),
    "channels that groups do not divide": (
        "model G { input [3, 32, 32]; Conv2d(30, 3, padding=1); Conv2d(64, 3, padding=1, groups=4) }",
        {"Conv2d(30": "Conv2d(32"},
    ),
    "a decoder that gives too few values to lay out": (
        "model D { input [20]; Linear(256); ReLU; Unflatten(1, (32, 7, 7)); Conv2d(1, 3) }",
        {"Linear(256)": "Linear(32*7*7)"},
    ),
    "channels in PyTorch's order, and no window": (
        "model M { input [3, 32, 32]; Conv2d(3, 32); ReLU; MaxPool2d(2) }",
        {"Conv2d(3, 32)": "Conv2d(32, 3)"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FIRST)
def test_the_first_fix(name: str):
    spec, changes = FIRST[name]
    meant = spec
    for old, new in changes.items():
        meant = meant.replace(old, new)
    ((_, texts),) = offered(spec, "spec.cnn")
    assert "".join(texts[0].split()) == "".join(meant.split())


@pytest.mark.parametrize("name", FIRST)
def test_every_fix_leaves_fewer_errors(name: str):
    before = len(errors_of(FIRST[name][0]))
    for _, texts in offered(FIRST[name][0], "spec.cnn"):
        assert not errors_of(texts[0])
        for text in texts:
            assert len(errors_of(text)) < before


def errors_of(text: str) -> list[object]:
    check(Source("spec.cnn", text), sink := Sink())
    return [found for found in sink.diagnostics if found.severity == "error"]


def test_a_loop_that_uses_up_the_map_may_have_fewer_passes():
    spec = "model V { input [3, 32, 32]; for c in [64, 128, 256, 512, 512, 512] { Conv2d(c, 3, padding=1); MaxPool2d(2) } }"
    ((_, texts),) = offered(spec, "spec.cnn")
    assert spec.replace("512, 512, 512", "512, 512") in texts


def test_the_one_parameter_that_is_left_is_meant_by_a_short_name():
    spec = "block B(c1, cc2 = 4) { Conv2d(c1, 1); Conv2d(cc2, 1) }\nmodel M { input [8, 8, 8]; B(3, c2=5) }"
    ((found, texts),) = offered(spec, "spec.cnn")
    assert texts == [spec.replace("c2=5", "cc2=5")]
    assert not found.fixes[0].sure


def test_no_batch_is_suspected_where_other_channels_are_stated():
    ((found, texts),) = offered("model M { input [3, 8, 8, 8]; Conv2d(5 -> 4, 3) }", "spec.cnn")
    assert not texts
    assert not found.suggestions


def test_labels_show_the_sizes_of_the_message_behind_a_doubted_annotation():
    spec = "model M { input [1, 28, 28]; Conv2d(6, 5) -> [6, 28, 28]; residual { Conv2d(9, 1) } }"
    _, (found, _) = offered(spec, "spec.cnn")
    assert "9 x 24 x 24 and 6 x 24 x 24" in found.message
    assert {label.text for label in found.labels} == {
        "the shortcut passes on 6 x 24 x 24",
        "the body gives 9 x 24 x 24",
    }


def test_cross_entropy_of_one_number_is_wrong():
    text = (
        "model B { input [3, 64, 64]; AdaptiveAvgPool2d(1); Flatten; Linear(1) }\n"
        'train { data = ImageFolder("cats"); loss = CrossEntropyLoss; optimizer = Adam(lr=0.001); batch = 32; epochs = 3 }'
    )
    ((found, _),) = offered(text, "spec.cnn")
    assert found.code.id == "E505"
    assert not errors_of(text.replace("CrossEntropyLoss", "BCEWithLogitsLoss"))
    assert not errors_of(text.replace("Linear(1)", "Linear(2)"))


def test_each_convolution_whose_size_is_stated_as_kept_gets_its_padding():
    body = "Conv2d(8, 3) -> [8, 28, 28]\nMaxPool2d(2) -> [8, 14, 14]\nConv2d(16, 5) -> [16, 14, 14]"
    findings = offered("model M { input [1, 28, 28]\n" + body + " }", "spec.cnn")
    assert ["padding=1" in texts[0] for _, texts in findings] == [True, False]
    assert "Conv2d(16, 5, padding=2)" in findings[1][1][0]


def test_a_block_and_its_neighbour_may_have_changed_places():
    spec = "block Norm { LayerNorm(64) }\nmodel M { input [10, 64]; Linear(256)\nNorm\nLinear(8) }"
    ((_, texts),) = offered(spec, "spec.cnn")
    assert spec.replace("Linear(256)\nNorm", "Norm\nLinear(256)") in texts
