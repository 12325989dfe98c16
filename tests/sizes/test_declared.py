"""Sizes by name: what a check of all sizes says is what checks of each one of them say."""

from __future__ import annotations

import random

import pytest

import cnnspec
from cnnspec.diagnostics import Sink
from cnnspec.pipeline import check
from cnnspec.source import Source
from tests.sampling import amount

# Bodies that hold for some sizes: each is checked without a condition, with the one that is proposed, and size by size.
BODIES = {
    "one level": "Conv2d(4, 3, padding=1) as a; MaxPool2d(2); ConvTranspose2d(4, 2, stride=2); concat(a)",
    "two levels": """
        Conv2d(4, 3, padding=1) as a; MaxPool2d(2); Conv2d(4, 3, padding=1) as b; MaxPool2d(3, stride=2, padding=1)
        ConvTranspose2d(4, 2, stride=2); add(b); Upsample(scale_factor=2); add(a)""",
    "cropped": "Conv2d(4, 5) as a; MaxPool2d(2); Upsample(scale_factor=2.0); multiply(a)",
    "strided": "residual { Conv2d(3, 3, stride=2, padding=1); Conv2d(12, 1); PixelShuffle(2) }",
    "windows": "PixelUnshuffle(3); Conv2d(9, 1); PixelShuffle(3); AvgPool2d(4, ceil_mode=true, padding=1)",
    "annotated": "MaxPool2d(2) -> [3, H // 2, W // 2]; Conv2d(4, 3, stride=3) -> [4, (H - 2) // 6, _]",
    "asserted": "Conv2d(4, 7); assert in_height % 3 != 1; assert in_width >= 20 or in_width == 5",
    "chosen": "Upsample((max(H, 30), W // 3)); MaxPool2d(4) -> [3, max(H, 30) // 4, W // 12]",
    "cut": "Slice(3, 17, dim=2); Chunk(3, dim=3) as (a, b, c); use c; add(a); concat(b)",
    "padded": "ReflectionPad2d(4); Conv2d(3, 9, stride=2); ZeroPad2d((0, W % 2, 0, H % 2))",
    "normed": 'Conv2d(4, 3, stride=4); InstanceNorm2d; Conv2d(4, 3, padding=4, padding_mode="circular")',
}


def errors(text: str, **sizes: int) -> list[str]:
    sink = Sink()
    check(Source("<text>", text), sink, parameters=sizes)
    return [found.code.id for found in sink.diagnostics if found.severity == "error"]


def model(body: str, where: str = "") -> str:
    return f"model M {{ input [3, H, W] {where}\n {body} }}"


def proposed(text: str) -> str | None:
    """The text with the condition that is proposed; None where there is none."""
    from cnnspec.diagnostics.edits import apply

    sink = Sink()
    check(Source("<text>", text), sink)
    fixes = [fix for found in sink.diagnostics for fix in found.fixes if fix.kind.id == "narrow"]
    return apply(text, fixes[0].edits) if fixes else None


@pytest.mark.parametrize("name", BODIES)
def test_what_is_proposed_admits_exactly_the_sizes_that_work(name: str):
    text = model(BODIES[name])
    narrowed = proposed(text)
    assert narrowed is not None
    assert errors(text)
    assert not errors(narrowed), narrowed
    draw = random.Random(name)
    for _ in range(amount(60, 1500)):
        sizes = {"H": draw.randint(1, 70), "W": draw.randint(1, 70)}
        works = not errors(text, **sizes)
        admitted = "E417" not in errors(narrowed, **sizes)
        assert works == admitted, (sizes, narrowed)


def test_the_smallest_size_that_fails_is_named():
    sink = Sink()
    check(Source("<text>", model(BODIES["one level"], "where H >= 16, W >= 16")), sink)
    (found,) = sink.diagnostics
    assert found.code.id == "E209"
    assert any("H = 16, W = 17" in label.text for label in found.labels)
    assert found.facts["first"] == (4, 16, 16)
    assert found.facts["second"] == (4, 16, 17)


def test_shapes_have_the_names():
    spec = cnnspec.loads(model("MaxPool2d(2); Conv2d(8, 3, padding=1)", "where H >= 20, W % 4 == 0"))
    assert repr(spec) == "<Spec M: (3, H, W) -> (8, H // 2, W // 2), 224 parameters>"
    assert spec.input == (3, 20, 4)
    assert spec.output == (8, 10, 2)
    assert "M with H = 20, W = 4, the smallest size" in spec.summary()
    assert cnnspec.loads(model("MaxPool2d(2)"), H=9, W=8).output == (3, 4, 4)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        # Two inputs that share names are equally large.
        ("input [3, H, W] as a where H >= 8, W >= 8\n input [3, H, W] as b\n use a; concat(b) -> [6, H, W]", ""),
        ("input [3, H, W] as a\n input [3, S, W] as b\n use a; concat(b)", "E222"),
        ("input [3, S, S] as a; Permute((0, 1, 3, 2)); add(a)", ""),
        ("input [3, S, S]; Flatten(2) -> [3, S * S]; Permute((0, 2, 1)); Linear(8) -> [S * S, 8]", ""),
        ("input [L] where L >= 3; Embedding(100, 8); Permute((0, 2, 1)); Conv1d(4, 3) -> [4, L - 2]", ""),
        ("input [3, H, W] where H % 2 == 0 and (W == 4 or W >= 9); Conv2d(8, (1, 4))", ""),
        ("input [3, H, W] where H % 2 == 0 and (W == 4 or W >= 9); Conv2d(8, (1, 5))", "E204"),
        ("input [3, H, W] where H >= 8; if H > 7 { Conv2d(8, 3, padding=1) } else { nothing }", ""),
        ("input [3, H, W] where H >= 8; if H > 8 { Conv2d(8, 3, padding=1) }", "E219"),
        ("input [3, H, W] where H >= 8; for i in range(H) { Conv2d(8, 1) }", "E219"),
        ("input [3, H, W]; LayerNorm", "E220"),
        ("input [3, H, W]; Conv2d(8, 3, padding=H)", "E219"),
        ("input [3, H, W] as x where H >= 2, W >= 2; MaxPool2d(2); Conv2d(8, 1); Upsample(size(x)) -> [8, H, W]", ""),
        ("input [3, H, W] where H >= 100000; Conv2d(8, 1)", "E222"),
        ("input [3, H, W]; Upsample(scale_factor=0.29)", "E222"),
    ],
)
def test_verdicts(text: str, code: str):
    assert errors(f"model M {{ {text} }}") == ([code] if code else [])


def test_a_model_that_is_used_as_a_block_takes_what_arrives():
    body = "model Body { input [3, H, W] where H % 4 == 0, W >= 4; AvgPool2d(4) -> [3, H // 4, _] }\n"
    assert not errors(body + "model M { input [3, 64, 64]; Body }")
    assert not errors(body + "model M { input [3, A, B] where A % 8 == 0, B >= 4; Body -> [3, A // 4, B // 4] }")
    assert errors(body + "model M { input [3, A, B] where B >= 4; Body }") == ["E417"]


def test_a_block_is_expanded_for_each_size_that_it_is_used_with():
    half = "block Half { AvgPool2d(2) }\n"
    assert not errors(half + model("Half; Half; Half -> [3, H // 8, W // 8]", "where H >= 8, W >= 8"))
