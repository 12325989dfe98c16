"""Specs in Python: `load`, `loads`, `Spec`, `SpecError`."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

import cnnspec
from cnnspec.compiler import project as imports
from cnnspec.graph.walk import walk

TWO = "model A(n = 3) { input [4]; Linear(n) }\nmodel B { input [2, 8, 8]; Conv2d(5, 3) as first; ReLU }\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "two.cnn"
    file.write_text(TWO, encoding="utf-8")
    return file


def test_load_takes_paths_and_open_files(path: Path):
    assert cnnspec.load(path, "A").output == (3,)
    assert cnnspec.load(str(path), model="B").output == (5, 6, 6)
    assert cnnspec.load(f"{path}:B").name == "B"
    with path.open() as text, path.open("rb") as data:
        assert cnnspec.load(text, "A", n=7).output == (7,)
        assert cnnspec.load(data, "A").parameters == 15
    assert cnnspec.load(io.StringIO("model M { input [4]; Linear(2) }")).output == (2,)


def test_one_of_several_models_has_to_be_chosen(path: Path):
    with pytest.raises(cnnspec.SpecError, match="choose one of `A` and `B`"):
        cnnspec.load(path)
    with pytest.raises(cnnspec.SpecError, match="there is no model `C`"):
        cnnspec.load(path, "C")


def test_parameters():
    text = "model M(widths = [3], act = true) { input [4]; Linear(widths[0]); if act { ReLU } }"
    assert cnnspec.loads(text, widths=[9]).output == (9,)
    assert cnnspec.loads(text, widths=(9, 1), act=False).graph.layers == 1
    with pytest.raises(cnnspec.SpecError, match="model `M` has no parameter `width`"):
        cnnspec.loads(text, width=3)
    with pytest.raises(TypeError, match="act can't be <object object"):
        cnnspec.loads(text, act=object())


def test_what_is_no_text_and_no_file_is_told():
    with pytest.raises(TypeError, match="load takes a path or an open file, not 3; loads takes the text itself"):
        cnnspec.load(3)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="loads takes text, not b'x'; load takes a path or an open file"):
        cnnspec.loads(b"x")  # type: ignore[arg-type]


def test_a_spec_with_mistakes_raises_all_of_them():
    with pytest.raises(cnnspec.SpecError) as caught:
        cnnspec.loads("model M { input [4]; Linear(5 -> 3); Lineer(2) }")
    assert [found.code.id for found in caught.value.diagnostics] == ["E203", "E110"]
    assert "Linear expects 5 input features but gets 4" in str(caught.value)
    assert isinstance(caught.value, ValueError)


def test_warnings_do_not_raise():
    spec = cnnspec.loads("model M { input [4]; Linear(3); Linear(2) }")
    assert [found.code.id for found in spec.warnings] == ["W202"]


def test_a_missing_file_is_an_oserror():
    with pytest.raises(FileNotFoundError):
        cnnspec.load("no/such/file.cnn")


def test_a_file_that_is_checked_twice_is_parsed_once(path: Path, monkeypatch: pytest.MonkeyPatch):
    calls = []
    real = imports.parse
    monkeypatch.setattr(imports, "parse", lambda source, sink, **bound: calls.append(source.path) or real(source, sink))
    first, second = cnnspec.load(path, "A"), cnnspec.load(path, "B")
    assert (first.name, second.name) == ("A", "B")
    assert len(calls) == 1
    path.write_text(TWO.replace("Linear(n)", "Linear(n + 1)"))
    assert cnnspec.load(path, "A").output == (4,)
    assert len(calls) == 2


def test_syntax_errors_are_reported_again_for_a_file_that_is_parsed_once(path: Path):
    path.write_text("model A { input [4]; Linear(3 }")
    for _ in range(2):
        with pytest.raises(cnnspec.SpecError, match="E102"):
            cnnspec.load(path)


def test_graph(path: Path):
    graph = cnnspec.load(path, "B").graph
    assert [(key, node.title, node.output) for key, node in walk(graph.root)] == [
        ("first", "Conv2d", (5, 6, 6)),
        ("1", "ReLU", (5, 6, 6)),
    ]
    assert graph.complete
    assert graph.parameters == 5 * 2 * 9 + 5


def test_text():
    spec = cnnspec.loads("model M { input [4]; Linear(3) }")
    assert repr(spec) == "<Spec M: (4,) -> (3,), 15 parameters>"
    assert "15 parameters in 1 layer" in spec.summary()
    assert sorted(dir(cnnspec)) == [
        "Layer", "Spec", "SpecError", "__version__", "evaluate", "from_torch", "load", "load_weights", "loads", "predict",
        "train",
    ]  # fmt: skip
    with pytest.raises(AttributeError, match="no attribute 'laod'"):
        cnnspec.laod  # noqa: B018
