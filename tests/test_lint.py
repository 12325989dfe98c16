"""Warnings: which are asked for, and what they cost."""

from __future__ import annotations

import cProfile
from collections.abc import Callable
from pathlib import Path

import pytest

from cnnspec.compiler.project import read_definitions
from cnnspec.diagnostics import Sink
from cnnspec.lint import enabled, lint, lint_file
from cnnspec.lint._index import INDEX
from cnnspec.lint.catalogue import CODES
from cnnspec.pipeline import check
from cnnspec.source import Source
from cnnspec.syntax.parser import parse_expression
from cnnspec.syntax.read import read_source
from tools.make_index import rules

SPECS = sorted((Path(__file__).parent.parent / "specs").rglob("*.cnn"))
OFF = {"W204", "W208", "W212", "W225", "W301"}


def codes_of(text: str, *select: str) -> list[str]:
    sink = Sink()
    check(Source("spec.cnn", text), sink, select=select)
    return [found.code.id for found in sink.diagnostics]


def test_which_warnings_are_off():
    warnings = [code for code in CODES.values() if code.severity == "warning"]
    assert {code.id for code in warnings if not code.default} == OFF
    assert {code.id for code in warnings if enabled(code.id, default=code.default)} == {
        code.id for code in warnings
    } - OFF
    assert all(code.default for code in CODES.values() if code.severity == "error")


@pytest.mark.parametrize(
    ("select", "expected"),
    [((), []), (("W204",), ["W204"]), (("W2",), ["W204"]), (("ALL",), ["W204"]), (("W205",), [])],
)
def test_select(select: tuple[str, ...], expected: list[str]):
    assert codes_of("model M { input [3, 8, 8]; Conv2d(8, 9, padding=4); BatchNorm2d }", *select) == expected


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.name)
def test_networks_that_are_known_to_be_good_have_no_warning(path: Path):
    sink = Sink()
    check(read_source(str(path), sink), sink)
    assert [(found.span.line, found.code.id) for found in sink.diagnostics] == []


def calls_of(work: Callable[[], object]) -> int:
    """How many functions are called: the same on every machine."""
    profile = cProfile.Profile()
    profile.runcall(work)
    return sum(entry.callcount for entry in profile.getstats())


def test_warnings_cost_next_to_nothing():
    unit = "Conv2d(16, 3, padding=1)\nBatchNorm2d\nReLU(inplace=true)\nresidual { Conv2d(16, 1) }\n"
    source = Source("spec.cnn", f"model M {{\ninput [16, 32, 32]\n{unit * 250}}}\n")
    sink = Sink()
    (graph,) = check(source, sink)
    file = read_definitions(source, sink)
    warnings = calls_of(lambda: (lint(graph, sink), lint_file(file, sink)))
    assert 0 < warnings < 0.45 * calls_of(lambda: check(source, Sink())), "0.37 when this was written"


def test_a_part_with_a_mistake_of_another_model_is_passed_over():
    unit = "block Unit(width) { Conv2d(width, 3, paddin=1); BatchNorm2d; ReLU }\n"
    assert codes_of(unit + "".join(f"model M{i} {{ input [{i}, 8, 8]; Unit(8) }}\n" for i in (1, 2))) == ["E111"]


def test_a_block_that_only_a_given_value_names_is_used(tmp_path: Path):
    (tmp_path / "lib.cnn").write_text("block Base { ReLU }")
    path = tmp_path / "m.cnn"
    path.write_text(
        'from "lib.cnn" import Base\nblock Plain { Tanh }\nblock Other { Tanh }\n'
        "model M(unit = Plain) { input [4]; unit }\n"
    )
    sink = Sink()
    check(read_source(str(path), sink), sink, parameters={"unit": parse_expression(Source("-D unit", "Base"), sink)})
    assert [found.facts["name"] for found in sink.diagnostics] == ["Other"]
    assert [found.code.id for found in sink.diagnostics] == ["W210"]


def test_the_index_is_that_of_the_rules():
    assert rules() == INDEX, "python -m tools.make_index"
