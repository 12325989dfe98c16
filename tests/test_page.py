"""The page of a network, in a browser: one selection, keys, table, maps; and that it needs nothing but itself."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from cnnspec.backends.page.data import data_of
from cnnspec.backends.page.page import page
from cnnspec.cli.main import main
from cnnspec.diagnostics import Sink
from cnnspec.pipeline import check
from cnnspec.report.pages import shown_of
from cnnspec.source import Source
from cnnspec.syntax.read import read_source
from tests.browser import ask, needs_browser
from tests.sampling import amount

ROOT = Path(__file__).parent.parent
WRONG = """model Wrong {
    input [1, 28, 28]
    Conv2d(6, kernel_size=5, padding=2)
    BatchNorm2d(16)
    RelU
    AvgPool2d(2)
}
"""
CATCH = (
    "<script>const errors = []; addEventListener('error', e => errors.push(e.message)); console.error = t => errors.push(t);\
addEventListener('securitypolicyviolation', e => errors.push(e.blockedURI));</script>"
)


def page_of(path: str, model: str | None = None) -> str:
    sink = Sink()
    graph = check(read_source(str(ROOT / path), sink), sink, model=model)[0]
    return page(graph, sink.diagnostics)


def wrong_page() -> str:
    sink = Sink()
    graph = check(Source("wrong.cnn", WRONG), sink, fixes=True)[0]
    return page(graph, sink.diagnostics, explained=shown_of(sink.diagnostics))


def visit(text: str, script: str, folder: Path, **options: Any) -> Any:
    text = text.replace("<style>", f"{CATCH}<style>", 1)
    return ask(text.replace("</body>", f"<pre id=answer></pre><script>{script}</script></body>"), folder, **options)


@needs_browser
def test_one_selection_ties_source_picture_and_table(tmp_path: Path):
    script = (ROOT / "tests/page.js").read_text(encoding="utf-8")
    found = visit(page_of("specs/lenet.cnn"), script, tmp_path)
    assert found["start"] == {"line": [6], "row": ["0"], "boxes": ["0"], "hash": "#0"}
    assert found["line"] == {"line": [9], "row": ["3"], "boxes": ["3"], "hash": "#3"}
    assert found["heading"] == "3  Conv2d(16, 5×5)  6×14×14 → 16×10×10"
    assert found["sums"] == [
        "height ⌊(14 + 2·0 − 5) / 1⌋ + 1 = 10",
        "width the same = 10",
        "parameters 16 · (6·5·5 + 1) = 2,416",
        "multiplications 10·10 places · 16·6·5·5 = 240,000",
    ]
    assert found["seen"] == "sees 14×14 of the 28×28 of the input; neighbours are 2 apart"
    # A rider selects the box that it rides on.
    assert found["rider"] == {"line": [10], "row": ["4"], "boxes": ["3"], "hash": "#4"}
    assert found["back"] == {"line": [8], "row": ["2"], "boxes": ["2"], "hash": "#2"}
    assert found["box"]["line"] == [13]
    assert found["row"]["boxes"] == ["3"]
    assert found["enter"]["row"] == ["9"]
    assert found["moved"]
    assert found["unit"] == [5, 4]
    assert [found["style"], found["stack"]] == [[False, True], [True, False]]
    assert found["headline"].startswith("LeNet 1×28×28 → 10 61,706 parameters 416,520 multiplications")
    assert [found["sorted"], found["sort"], found["ascending"]] == [["7", "9", "3"], "descending", "ascending"]
    assert found["total"] == ["total", "12", "layers", "61,706", "416,520"]
    assert found["csv"] == [
        "key,layer,arguments,output,parameters,macs,field",
        '0,Conv2d,"6, 5×5, pad 2",6×28×28,156,117600,5×5',
    ]
    assert found["buttons"]
    assert (found["errors"], found["requests"], found["wide"]) == ([], 0, False)


@needs_browser
def test_mistakes_stand_under_their_lines(tmp_path: Path):
    script = """document.getElementById('answer').textContent = JSON.stringify({errors,
      messages: $$('.msg').map(one => one.innerText), marked: $$('.src u').map(one => one.textContent),
      unknown: $$('.src .to').map(one => one.textContent), hidden: $('#blocks').hidden, head: $('header').innerText,
      means: $$('.msg details').map(one => { one.open = true; return one.innerText.split('\\n').slice(0, 4); }),
      chosen: location.hash, wide: document.documentElement.scrollWidth > innerWidth})"""
    found = visit(wrong_page(), script, tmp_path, width=500, dark=True)
    assert found["errors"] == []
    assert len(found["messages"]) == 2
    assert found["messages"][0].startswith("E203 BatchNorm2d expects 16 channels but gets 6\n")
    assert "change the out channels on line 3 from 6 to 16" in found["messages"][0]
    means = found["means"]
    assert means[0][:2] == ["what E203 means", "error[E203]: wrong width"]
    assert means[1][0] == "what E110 means"
    assert found["marked"] == ["16", "RelU"]
    assert "→ ?" in found["unknown"]
    assert found["hidden"]
    assert "2 errors" in found["head"]
    assert found["chosen"] == "#1"
    assert not found["wide"]


@needs_browser
def test_a_large_network_is_folded_and_every_layer_finds_its_box(tmp_path: Path):
    script = (ROOT / "tests/large_page.js").read_text(encoding="utf-8")
    found = visit(page_of("specs/resnet.cnn", "ResNet18"), script, tmp_path)
    assert found["start"] < found["open"] < found["all"]
    assert found["lost"] == []
    assert "layer1.0.0.body.0.0" in found["copy"]
    assert found["sliders"] == 2
    assert found["errors"] == []


@needs_browser
def test_nothing_is_cut_in_print_and_the_table_has_its_heads(tmp_path: Path):
    script = """{
    const every = selector => [...document.querySelectorAll(selector)];
    const cut = one => one.scrollWidth > one.clientWidth + 1, seen = one => one.offsetHeight > 0;
    document.getElementById('answer').textContent = JSON.stringify({
      cut: every('.src, .scroll, .pic:not([hidden]), pre').filter(cut).map(one => one.className),
      heads: every('thead button').filter(seen).map(one => one.textContent),
      buttons: every('.bar button, .fold').filter(seen).length,
      sees: every('tbody td:last-child').map(one => one.textContent),
    });}"""
    for path in ("specs/retinanet.cnn", "specs/resnet_small.cnn"):
        text = page_of(path).replace("@media print{", "@media all{")
        found = visit(text, script, tmp_path, width=760)
        assert found["cut"] == []
    assert found["sees"][0] == "3"
    assert found["sees"][-1] == "all"
    assert found["heads"] == ["key", "layer", "output", "parameters", "multiplications", "sees"]
    assert found["buttons"] == 0


def test_a_page_is_one_small_file_that_asks_for_nothing():
    models = [
        ("specs/lenet.cnn", None),
        ("specs/hrnet.cnn", None),
        ("specs/siamese.cnn", None),
        ("specs/yolo.cnn", None),
    ]
    for path, model in models[: amount(2, 4)]:
        text = page_of(path, model)
        assert len(text.encode()) < 300_000, path
        assert not re.search(r'(?:src|href)="(?!#|data:)', text)
        assert "http://" not in text.replace("http://www.w3.org/", "")


def test_the_data_of_a_page_are_those_of_the_network():
    graph = check(read_source(str(ROOT / "specs/lenet.cnn"), Sink()), Sink())[0]
    data = data_of(graph, "1")
    rows = [dict(zip(data["columns"], row)) for row in data["rows"]]
    assert [row["key"] for row in rows] == [str(number) for number in range(12)]
    assert sum(row["parameters"] for row in rows) == data["parameters"] == 61_706
    assert sum(row["macs"] for row in rows) == data["macs"] == 416_520
    assert data["shapes"][rows[3]["output"]] == [16, 10, 10]
    assert data["fields"][rows[3]["field"]] == [[2, [[-2, 11]]], [2, [[-2, 11]]]]
    assert data["kinds"][rows[3]["kind"]] == ["Conv2d", "16, 5×5"]
    text = page_of("specs/lenet.cnn")
    assert "        super().__init__(\n            nn.Conv2d(1, 6, 5, padding=2),  # [6, 28, 28]\n" in text
    embedded = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert embedded
    assert json.loads(embedded[1])["rows"] == json.loads(json.dumps(data["rows"]))


def test_text_of_a_spec_can_not_leave_its_place():
    text = '# </script><img src=x onerror=alert(1)>\nmodel A { input [1, 8, 8]; Upsample(scale_factor=2, mode="bilinear") }\n'
    sink = Sink()
    made = page(check(Source("</title><b>.cnn", text), sink)[0], sink.diagnostics)
    assert "<img" not in made
    assert "</title><b>" not in made
    assert made.count("</script>") == 2


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    out = tmp_path / "report.html"
    assert main(["report", str(ROOT / "specs/lenet.cnn"), "-o", str(out)]) == 0
    assert out.read_text(encoding="utf-8").startswith("<!doctype html>")
    (tmp_path / "wrong.cnn").write_text(WRONG, encoding="utf-8")
    assert main(["report", str(tmp_path / "wrong.cnn"), "-o", str(out)]) == 1
    assert "error[E203]" in capsys.readouterr().err
    assert "✗ E203 expects 16, gets 6" in out.read_text(encoding="utf-8")
