"""Shapes that are written behind statements: they hold, also for other values of the parameters."""

from __future__ import annotations

from pathlib import Path

import pytest

from cnnspec import annotate
from cnnspec.annotate import size_in_terms_of
from cnnspec.diagnostics import Sink
from cnnspec.pipeline import check
from cnnspec.source import Source
from tests.sampling import FULL
from tests.test_formatter import formatted

ROOT = Path(__file__).parent.parent
SPECS = sorted((ROOT / "specs").glob("*.cnn"))


@pytest.mark.parametrize(
    ("size", "value", "others", "text"),
    [
        (16, 16, [(17, {17}), (32, {32})], "width"),
        (48, 16, [(17, {51}), (32, {96})], "3 * width"),
        (4, 16, [(17, {4}), (32, {8})], "width // 4"),
        (4, 16, [(17, {5}), (32, {8})], "_"),
        (48, 16, [(17, {51}), (32, {95})], "_"),
        (48, 16, [(17, {51, 52}), (32, {96})], "_"),
        (7, 16, [(17, {8})], "_"),
        (0, 16, [(17, {0})], "_"),
        (16, 0, [(1, {17})], "_"),
        (1, True, [(False, {2})], "_"),
        (3, [3, 4], [([4, 5], {4})], "_"),
    ],
)
def test_a_size_in_terms_of_a_parameter(size: int, value: object, others: list, text: str):
    assert size_in_terms_of(size, "width", value, others) == text


def annotated(text: str, path: str = "x.cnn") -> str | None:
    source = annotate.annotated(Source(path, text), Sink())
    return source and formatted(source.text)


def body(*lines: str) -> str:
    return "\n".join(["model M(n = 10, s = 16) {", "    input [3, s, 16]", *(f"    {line}" for line in lines), "}", ""])


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("Conv2d(6, 3, padding=1)", "Conv2d(6, 3, padding=1)    -> [6, s, 16]"),
        ("MaxPool2d(2)", "MaxPool2d(2)    -> [3, s // 2, 8]"),
        ("Conv2d(6, 3)", "Conv2d(6, 3)    -> [6, _, 14]"),
        ("Conv2d(2 * n, 1)", "Conv2d(2 * n, 1)    -> [2 * n, s, 16]"),
        ("Conv2d(6, 3, padding=1) as x", "Conv2d(6, 3, padding=1)    as x  -> [6, s, 16]"),
        ("ReLU -> [9, 9, 9] as x", "ReLU    as x  -> [3, s, 16]"),
        ("ReLU -> [3, 16, 16]", "ReLU    -> [3, 16, 16]"),
        ("ReLU -> [_, s, 4*4]", "ReLU    -> [_, s, 4*4]"),
        ("ReLU # c", "ReLU    -> [3, s, 16]  # c"),
        ("residual { ReLU }", "residual { ReLU -> [3, s, 16] }    -> [3, s, 16]"),
        ("repeat 2 { ReLU }", "repeat 2 { ReLU -> [3, s, 16] }"),
        ("repeat 2 { MaxPool2d(2) }", "repeat 2 { MaxPool2d(2) }"),
        ("for n in [1, 10] { Conv2d(n, 1) }", "for n in [1, 10] { Conv2d(n, 1) }"),
        ("for n in [10, 10] { Conv2d(n, 1) }", "for n in [10, 10] { Conv2d(n, 1) -> [10, s, 16] }"),
        ("if n == 3 { ReLU } else { Tanh }", "if n == 3 { ReLU } else { Tanh -> [3, s, 16] }"),
        ("AdaptiveAvgPool2d(s)", "AdaptiveAvgPool2d(s)    -> [3, s, s]"),
        ("let k = n", "let k = n"),
    ],
)
def test_annotations(given: str, expected: str):
    result = annotated(body(given, "Identity -> [_, _, _]"))
    assert " ".join(result.split("\n")[2].split()) == " ".join(expected.split())


def test_annotations_of_opened_bodies():
    text = "model M {\n input [3, 8, 8]\n concat {\n branch { Conv2d(5, 1) }\n branch {\n}\n}\n}"
    assert annotated(text) == (
        "model M {\n    input [3, 8, 8]\n    concat {\n        branch { Conv2d(5, 1) -> [5, 8, 8] }\n"
        "        branch {\n        }\n    } -> [8, 8, 8]\n}\n"
    )


def test_blocks_get_no_annotations_but_theirs_are_kept_true():
    text = "block B { ReLU; ReLU -> [1] }\nblock C { ReLU -> [2, 2] }\nmodel M { input [4]; B; Linear(5); B; C }"
    assert annotated(text) == (
        "block B { ReLU; ReLU -> [_] }\nblock C { ReLU -> [5] }\n"
        "model M { input [4]; B -> [4]; Linear(5) -> [5]; B -> [5]; C -> [5] }\n"
    )


@pytest.mark.parametrize("text", ["model M { input [4]; Linear(3 -> 5) }", "model M { input [4]; ReLU -> [_, 4] }"])
def test_networks_with_mistakes_are_not_annotated(text: str):
    sink = Sink()
    assert annotate.annotated(Source("x.cnn", text), sink) is None
    assert sink.has_errors


@pytest.mark.parametrize("path", SPECS if FULL else SPECS[::13], ids=lambda path: path.stem)
def test_annotated_specs_check(path: Path):
    text = path.read_text(encoding="utf-8")
    result = annotated(text, str(path))
    assert annotated(result, str(path)) == result
    check(Source(str(path), result), sink := Sink())
    assert not sink.has_errors


def test_a_text_that_was_checked_before_gets_its_shapes():
    text = "model Twice { input [1, 9, 9]; Conv2d(3, 3) }\n"
    check(Source("twice.cnn", text), Sink())
    assert "-> [3, 7, 7]" in (annotated(text, "twice.cnn") or "")
