"""In notebooks: cells with specs, what specs, runs and evaluations show, curves that grow; the notebook of examples/."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import cnnspec
from cnnspec.editor.magic import define
from cnnspec.errors import TrainError, UsageError
from cnnspec.training.report.live import Live, telling

ROOT = Path(__file__).parent.parent.parent
TINY = "model Tiny(classes = 10) { input [1, 8, 8]; Flatten; Linear(classes) }\n"
WRONG = "model Tiny {\n    input [1, 8, 8]\n    Flatten\n    Linear(100 -> 10)\n}\n"


def test_a_cell_defines_its_models(capsys: pytest.CaptureFixture[str]):
    names: dict[str, Any] = {}
    define("net", TINY, names)
    assert names["net"].output == (10,)
    define("net classes=3", TINY, names)
    assert names["net"].output == (3,)
    define("", TINY + TINY.replace("Tiny", "Other"), names)
    assert {"net", "Tiny", "Other"} == set(names)
    assert capsys.readouterr().out == ""


def test_a_cell_with_mistakes_shows_them_and_leaves_no_name(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("NO_COLOR", "1")
    names: dict[str, Any] = {"net": 1, "Tiny": 2, "kept": 3}
    assert define("net", WRONG, names) == []
    said = capsys.readouterr().out
    assert said.startswith("error[E203]: Linear expects 100 input features but gets 64\n --> <net>:4:12\n")
    assert "= help:" in said
    define("", WRONG, names)
    assert names == {"kept": 3}
    define("", "# nothing\n", names)
    assert "error[E413]" in capsys.readouterr().out.split("\n\n")[-1]
    define("net", TINY + TINY.replace("Tiny", "Other"), names)
    assert "choose one of" in capsys.readouterr().out


@pytest.mark.parametrize("line", ["a b", "3net", "net classes=", "net =3", "net classes=$", "net 1x=3", '"'])
def test_a_line_that_means_nothing_is_refused(line: str):
    with pytest.raises(UsageError):
        define(line, TINY, {})


def test_mistakes_are_shown_without_traceback(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("NO_COLOR", "1")
    with pytest.raises(cnnspec.SpecError) as caught:
        cnnspec.loads(WRONG)
    (shown,) = caught.value._render_traceback_()
    assert shown.startswith("error[E203]")
    assert TrainError("no data")._render_traceback_() == ["cnnspec: no data"]


class Handle:
    """An output of a notebook, with all that it has shown."""

    def __init__(self, shown: Any) -> None:
        self.shown = [shown]

    def update(self, shown: Any) -> None:
        self.shown.append(shown)


def test_a_run_is_shown_while_it_goes_on():
    handles: list[Handle] = []

    def display(shown: Any, *, display_id: bool) -> Handle:
        assert display_id
        handles.append(Handle(shown))
        return handles[-1]

    spec = cnnspec.loads(TINY)
    run = cnnspec.train(spec, {"data": "Digits", "epochs": 3}, device="cpu", callbacks=[Live(display)])
    above, below = handles
    pictures = [one._repr_html_() for one in above.shown]
    assert "650 parameters" in pictures[0]
    assert [text[:4] for text in pictures[1:]] == ["<svg"] * 3
    assert repr(above.shown[-1]) == "Tiny: 3 of 3 epochs"
    assert "finished after epoch 3" in below.shown[-1]._repr_html_()
    bundle = run._repr_mimebundle_()
    assert bundle["text/html"].startswith("<svg")
    assert bundle["text/plain"] == repr(run)
    assert bundle["text/html"] == pictures[-1]


def test_an_evaluation_shows_its_matrix_and_the_worst_images():
    pytest.importorskip("PIL")
    run = cnnspec.train(cnnspec.loads(TINY), {"data": "Digits", "epochs": 1}, device="cpu", progress=False)
    found = cnnspec.evaluate(run, device="cpu")
    html = found._repr_mimebundle_()["text/html"]
    assert html.count("<svg") == 2
    assert "Confusion matrix of Tiny" in html
    assert "mistakes, surest first" in html
    assert "data:image/png;base64," in html
    run.net.eval()


def test_outside_of_notebooks_nothing_is_told_unasked(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    assert telling(None) == []
    assert len(telling(True)) == 1
    shell = SimpleNamespace(kernel=None)
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))  # type: ignore[arg-type]
    assert telling(None) == []


def outputs(cell: Any) -> str:
    return json.dumps(cell.get("outputs", []))


def test_the_notebook_of_the_examples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name in ("nbclient", "nbformat", "ipykernel"):
        pytest.importorskip(name)
    pytest.importorskip("PIL")
    import nbclient
    import nbformat

    # Processes that share few cores wait for each other's threads.
    monkeypatch.setenv("OMP_NUM_THREADS", "1")

    notebook = nbformat.read(ROOT / "examples" / "course.ipynb", as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells)
    for cell in notebook.cells:
        cell.source = cell.source.replace('"epochs": 5', '"epochs": 1')
    client = nbclient.NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}})
    client.execute()
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    shown = {cell.source.split("\n")[0]: outputs(cell) for cell in code}
    assert "61,706 parameters" in shown["%%cnn lenet"]
    assert "<svg" in shown["%%cnn lenet"]
    assert "error[E203]" in shown["%%cnn wrong"].replace("\\u001b[1;31m", "").replace("\\u001b[0m", "")
    assert "Traceback" not in "".join(shown.values())
    assert "[19., 25.]" in shown["import torch"]
    assert "[37., 43.]" in shown["import torch"]
    assert "finished after epoch 1" in shown["run = cnnspec.train("]
    assert "Confusion matrix of LeNet" in shown['cnnspec.evaluate(run, device="cpu")']
