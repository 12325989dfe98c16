"""Networks of people who asked in public: the first fix is what they were told. The costs of fixes are guarded here."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from benchmarks.reports import REPORTS, offered, place_of
from cnnspec.diagnostics import Sink
from cnnspec.diagnostics.edits import apply
from cnnspec.pipeline import check
from cnnspec.repair.costs import COSTS
from cnnspec.repair.search import OFFERED
from cnnspec.source import Source

FILES = sorted(REPORTS.glob("*.cnn")) + sorted(REPORTS.glob("threads/*.cnn"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_answer_comes_first(path: Path):
    assert place_of(path.read_text(encoding="utf-8"), path.name) == 0


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_fix_is_offered_twice(path: Path):
    text = path.read_text(encoding="utf-8")
    for found, fixes in offered(text, path.name):
        assert len(found.fixes) <= OFFERED
        assert len({fix.replace(" ", "") for fix in fixes}) == len(fixes)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_what_stands_out_keeps_the_classes(path: Path):
    """What `--unsafe-fixes` writes: the network checks, and gives as many values as it did."""
    text = path.read_text(encoding="utf-8")
    found = [one for one, _ in offered(text, path.name) if one.fixes and (one.fixes[0].leads or one.fixes[0].sure)]
    if len(found) != 1:
        pytest.skip("there is not one error whose fix stands out")
    fixed = apply(text, found[0].fixes[0].edits)
    (before, *_), (after, *_) = check(Source("a.cnn", text), Sink()), check(Source("b.cnn", fixed), sink := Sink())
    assert not sink.has_errors
    if before.output is not None and len(before.output) == len(after.output) and before.output[0] is not None:
        assert after.output[0] == before.output[0]


def test_three_rows_and_a_square_are_an_image():
    text = "model M { input [3, 32, 32]; Conv1d(16, 3) }"
    assert offered(text, "spec.cnn")[0][1][0] == text.replace("Conv1d", "Conv2d")


# Short specs, each with the number, word or statement that was meant, for the costs that the reports say nothing of.
MEANT = {
    "a default": "model M(c = 7) { input [3, 8, 8]; Conv2d(c, 3); BatchNorm2d(8) }",
    "a let": "model M { input [3, 8, 8]; let c = 7; Conv2d(c, 3); BatchNorm2d(8) }",
    "a table": "model M { input [3, 8, 8]; for c in [7, 8] { Conv2d(c, 3) }; BatchNorm2d(9) }",
    "a stated width": "model M { input [3, 8, 8]; Conv2d(63, 3); BatchNorm2d(64) }",
    "a wrong annotation": "model M { input [3, 9, 9]; Conv2d(8, 3) -> [8, 6, 6]; Conv2d(4, 3) }",
    "both axes": "model M { input [3, 32, 32]; Conv2d(8, 3, stride=1, padding=1) -> [8, 16, 16] }",
    "an input": "model M { input [3, 64, 32]; Conv2d(8, 3, stride=2, padding=1) -> [8, 16, 16] }",
    "a kernel": "model M { input [3, 32, 32]; Conv2d(8, 4, padding=1) -> [8, 32, 32] }",
    "a pool": "model M { input [8, 8, 8]; MaxPool2d(5, stride=2); Flatten; Linear(128 -> 4) }",
    "padding": "model M { input [3, 8, 8]; residual { Conv2d(3, 3) } }",
    "a shortcut": "model M { input [3, 8, 8]; residual { Conv2d(8, 3, padding=1) } }",
    "an argument": "model M { input [3, 8, 8]; Conv2d(8) }",
    "one too many": "model M { input [3, 8, 8]; ReLU(true, 3) }",
    "a group": "model M { input [3, 8, 8]; Conv2d(20, 3); Conv2d(20, 3, groups=3) }",
    "swapped": "model M { input [3, 8, 8]; Conv2d(8, 3); BatchNorm2d(16); Conv2d(16, 3); ReLU; Conv2d(8, 1) }",
    "a flatten too early": "model M { input [3, 8, 8]; Flatten; Conv2d(8, 3); ReLU; Flatten; Linear(288 -> 4) }",
    "a flatten": "model M { input [3, 8, 8]; Conv2d(8, 3); ReLU; Linear(288 -> 4) }",
    "a stride": "model M { input [3, 32, 32]; Conv2d(8, 3, padding=1); Conv2d(8, 3, padding=1) -> [8, 16, 16] }",
    "a count": "model M { input [3, 20, 20]; repeat 4 { Conv2d(8, 3) } -> [8, 14, 14] }",
    "a block": "block B(c) { Conv2d(c, 3) }\nmodel M { input [3, 8, 8]; B(7); BatchNorm2d(8) }",
    "in a block": "block B { Conv2d(8, 3, padding=2) }\nmodel M { input [3, 8, 8]; B -> [8, 8, 8] }",
    "a condition": "model M { input [3, 8, 8]; if 1 > 2 { Conv2d(8, 3) }; BatchNorm2d(8) }",
    "a product": "model M { input [3, 8, 8]; Conv2d(8 * 2, 3); BatchNorm2d(8) }",
    "a negative count": "model M { input [3, 8, 8]; let n = 2; repeat n - 3 { Conv2d(8, 3, padding=1) }; ReLU }",
    "patches": "model M { input [3, 32, 32]; Conv2d(8, 4, stride=5) -> [8, 8, 8]; Conv2d(4, 1) }",
    "two channels": "model M { input [2, 8, 8]; Conv2d(3 -> 8, 3); ReLU }",
    "a shuffle": "model M { input [3, 16, 16]; Conv2d(63, 3, padding=1); PixelShuffle(4) }",
    "a named size": "model M(n = 9) { input [3, 8, 8]; Conv2d(8, 4) -> [8, n, 6]; Conv2d(4, 1) }",
    "a flatten in front of features": "model M { input [3, 8, 8]; Conv2d(8, 3); Linear(10) -> [10] }",
    "a name": "model M(n = 10) { input [3, 8, 8]; Flatten; Linear(8) -> [n] }",
}


FULL = bool(os.environ.get("CNNSPEC_FULL"))
GUARDED = sorted(COSTS) if FULL else random.Random(7).sample(sorted(COSTS), 8)


@pytest.fixture(scope="module")
def before() -> dict[str, list[list[str]]]:
    return {name: [fixes for _, fixes in offered(text, "spec.cnn")] for name, text in MEANT.items()}


@pytest.mark.parametrize("name", GUARDED)
def test_every_cost_decides_something(name: str, before: dict[str, list[list[str]]], monkeypatch: pytest.MonkeyPatch):
    """A cost that can be made larger and smaller without a change of any list of fixes says nothing."""
    cost = COSTS[name]
    for change in (2.0, -2.0):
        monkeypatch.setitem(COSTS, name, cost + change)
        if any([fixes for _, fixes in offered(text, "spec.cnn")] != before[spec] for spec, text in MEANT.items()):
            return
    pytest.fail(f"{name} decides nothing")
