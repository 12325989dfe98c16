"""Networks as pictures: what is shown, and that every picture of `specs/` can be read."""

from __future__ import annotations

import random
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import pytest

import cnnspec
from cnnspec.backends.draw.canvas import PALETTE
from cnnspec.backends.draw.errors import errors_of
from cnnspec.backends.draw.picture import STYLES, draw
from cnnspec.cli.main import main
from cnnspec.diagnostics import Sink
from cnnspec.errors import UsageError
from cnnspec.graph.nodes import Graph
from cnnspec.pipeline import check
from cnnspec.source import Source
from cnnspec.syntax.read import read_source
from tests.browser import ask, needs_browser, pictures_page
from tests.network_generator import Generator
from tests.sampling import FULL, amount
from tools.make_pictures import FOLDER, run_pictures
from tools.make_pictures import pictures as made_pictures

SPECS = Path(__file__).parent.parent / "specs"
SVG = "{http://www.w3.org/2000/svg}"

WRONG = """model Wrong {
    input [1, 28, 28]
    Conv2d(6, kernel_size=5, padding=2)
    BatchNorm2d(16)
    AvgPool2d(2)
    Flatten
    Linear(10)
}
"""


def models() -> Iterator[Graph]:
    """A model of every file; all of them in a full run."""
    for path in sorted(SPECS.rglob("*.cnn")):
        source = read_source(str(path), Sink())
        name = re.search(r"^model (\w+)", source.text, re.MULTILINE)
        if name:
            yield from check(source, Sink(), model=None if FULL else name[1])


def generated() -> Iterator[tuple[str, Graph, dict[str, str]]]:
    """Random networks, every second one with a mistake, and what is wrong with their modules."""
    for seed in range(amount(12, 300)):
        rng = random.Random(seed)
        text, edits = Generator(rng, values=seed % 2 == 1, several=seed % 4 == 3).model()
        lines = text.split("\n")
        if seed % 3 and edits:
            line, broken = rng.choice(edits)
            lines[line - 1] = broken
        for graph in check(Source("random.cnn", "\n".join(lines)), sink := Sink()):
            yield f"random {seed} {graph.name}", graph, errors_of(graph, sink.diagnostics)


@pytest.fixture(scope="module")
def graphs() -> list[Graph]:
    return list(models())


@pytest.fixture(scope="module")
def pictures(graphs: list[Graph]) -> dict[str, str]:
    return {f"{one.name} {one.source.path} {style}": str(draw(one, style=style)) for one in graphs for style in STYLES}


def graph_of(text: str) -> Graph:
    return cnnspec.loads(text).graph


def load(name: str) -> Graph:
    return cnnspec.load(SPECS / name).declared


def texts_of(picture: str | bytes) -> list[str]:
    return ["".join(text.itertext()) for text in ET.fromstring(picture).iter(f"{SVG}text")]


# --- every picture ---


def test_every_picture_is_small_and_holds_nothing_but_shapes_and_text(pictures: dict[str, str]):
    allowed = "svg title desc style defs marker rect path circle line text tspan g".split()
    for name, picture in pictures.items():
        root = ET.fromstring(picture)
        assert {element.tag.removeprefix(SVG) for element in root.iter()} <= set(allowed), name
        assert root.get("role") == "img"
        assert root.find(f"{SVG}title") is not None
        assert root.find(f"{SVG}desc") is not None
        assert len(picture.encode()) < 50_000, name
        assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)|@import|url\((?!#a)|data:", picture), name


@needs_browser
def test_no_text_of_any_picture_collides_or_is_cut(pictures: dict[str, str], tmp_path: Path):
    every = pictures | run_pictures()
    for name, graph, errors in generated():
        every |= {f"{name} {style}": str(draw(graph, style=style, errors=errors)) for style in STYLES}
        assert draw(graph, "txt", errors=errors)
        assert draw(graph, "mmd", errors=errors)
    wrong = dict(zip(every, ask(pictures_page(list(every.values())), tmp_path)))
    assert len(wrong) == len(every)
    assert {name: found for name, found in wrong.items() if found} == {}


@needs_browser
def test_the_measure_sees_what_is_wrong(tmp_path: Path):
    picture = (
        '<svg xmlns="http://www.w3.org/2000/svg" width="200" height="100" viewBox="0 0 200 100" font-size="12">'
        '<rect width="200" height="100"/><rect x="10" y="10" width="50" height="20" fill="#eee"/>'
        '<path d="M0 40h80v20h-80z" fill="#eee"/><text x="12" y="25">Hello there</text><text x="50" y="25">again</text>'
        '<text x="190" y="90">cut off</text><text x="5" y="55">lies</text>'
        '<path d="M100 70H180" fill="none" stroke="#000"/><text x="110" y="74">struck</text></svg>'
    )
    found = " ".join(ask(pictures_page([picture]), tmp_path)[0])
    for mistake in (
        '"Hello there" touches "again"',
        '"Hello there" crosses',
        '"lies" lies on',
        '"cut off" is cut',
        'a line runs through "struck"',
    ):
        assert mistake in found


def test_pictures_follow_the_viewer_or_the_scheme_that_is_asked_for():
    graph = load("lenet.cnn")
    assert "prefers-color-scheme:dark" in str(draw(graph))
    dark, light = str(draw(graph, scheme="dark")), str(draw(graph, scheme="light"))
    assert "prefers-color-scheme" not in dark + light
    assert 'fill="#0d1117"' in dark
    assert 'fill="#ffffff"' in light


def luminance(color: str) -> float:
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first: str, second: str) -> float:
    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("mode", [0, 1], ids=["light", "dark"])
def test_text_stands_out_from_every_box(mode: int):
    boxes = [name for name in PALETTE if name.endswith("-box")] + ["paper", "panel"]
    for box in boxes:
        for text in ("ink", "soft"):
            assert contrast(PALETTE[text][mode], PALETTE[box][mode]) >= 4.5, (text, box)
    assert contrast(PALETTE["error"][mode], PALETTE["paper"][mode]) >= 4.5


# --- what is shown ---


def test_riders_and_repeats():
    texts = texts_of(draw(load("vgg.cnn:VGG16")))
    assert texts.count("Conv2d ×2") == 2
    assert texts.count("Conv2d ×3") == 3
    assert "ReLU" in texts
    stack = texts_of(draw(load("vgg.cnn:VGG16"), style="stack"))
    assert "channels 3 → 64" in stack
    assert "×3" in stack


def test_a_block_with_branches_is_drawn_once_beside_the_chain():
    texts = texts_of(draw(load("resnet.cnn:ResNet18")))
    assert texts.count("BasicBlock ×2") == 4
    heads = [text for text in texts if text.startswith("BasicBlock") and "→" in text]
    assert heads == ["BasicBlock64×56×56 → 64×56×56", "BasicBlock64×56×56 → 128×28×28"]


def test_a_u_net_has_a_row_for_each_resolution_and_straight_skips():
    picture = str(draw(load("unet.cnn")))
    dashed = re.findall(r'<path d="M[\d.]+ [\d.]+H[\d.]+" [^>]*stroke-dasharray="6 4"', picture)
    # Four skips, and the line of the legend.
    assert len(dashed) == 4
    assert "concat(down1)" in texts_of(picture)


def test_streams_of_several_resolutions_are_columns():
    texts = texts_of(draw(load("hrnet.cnn")))
    assert texts.count("144×7×7") == 2
    assert {"Module ×4", "Module ×3"} <= set(texts)


def test_shared_weights_are_marked():
    for style in STYLES:
        assert any("↻" in text for text in texts_of(draw(load("siamese.cnn"), style=style)))


def test_a_value_inside_of_a_block_is_led_out_of_it():
    graph = load("fcn.cnn")
    boxes = {element.get("data-node") for element in ET.fromstring(draw(graph)).iter(f"{SVG}g")}
    assert "backbone.layer3" in boxes
    assert {"scores", "auxiliary"} & set(texts_of(draw(graph)))


def test_text_is_escaped():
    graph = graph_of('model A { input [1, 8, 8]; Upsample(scale_factor=2, mode="bilinear") }')
    assert "mode=&quot;bilinear&quot;" in str(draw(graph, style="stack"))


def test_a_picture_does_not_grow_with_the_depth_of_a_network():
    text = "model A { input [8, 16, 16]; repeat 300 { Conv2d(8, 3, padding=1); ReLU } }"
    assert all(len(draw(graph_of(text), style=style)) < 8_000 for style in STYLES)


def test_a_long_chain_of_different_layers_is_drawn_in_rows():
    layers = "; ".join(f"Conv2d({8 + i}, 3, padding=1)" for i in range(60))
    picture = ET.fromstring(draw(graph_of(f"model A {{ input [3, 16, 16]; {layers} }}")))
    assert float(picture.attrib["width"]) < 1000


# --- mistakes ---


@pytest.mark.parametrize("style", ["", "blocks"])
def test_mistakes_are_marked_and_what_is_unknown_has_a_question_mark(style: str):
    graph = check(Source("wrong.cnn", WRONG), sink := Sink())[0]
    picture = draw(graph, style=style, errors=errors_of(graph, sink.diagnostics))
    texts = texts_of(picture)
    assert "✗ E203 expects 16, gets 6" in texts
    assert "?" in texts
    assert 'stroke-dasharray="4 3"' in str(picture)


ODD = {
    "nothing": "model Net {\n}\n",
    "a block of nothing": "block Nothing { }\nmodel Net { input [4]; Nothing; Linear(3) }\n",
    "nothing in a tuple": "block A {\n    input as ((a, b), c)\n    use a\n}\nmodel Net {\n    input [4]\n"
    "    tuple { branch { tuple { branch { } branch { Tanh } } } branch { ReLU } }\n    A\n}\n",
}
UI = sorted((Path(__file__).parent / "ui").rglob("*.cnn"))[:: amount(15, 1)]


@pytest.mark.parametrize("text", [*ODD.values(), *(file.read_text(encoding="utf-8", errors="replace") for file in UI)])
def test_whatever_a_text_makes_is_drawn(text: str):
    sink = Sink()
    for graph in check(Source("net.cnn", text), sink):
        for form, style in (("svg", "blocks"), ("svg", "stack"), ("txt", None), ("mmd", None)):
            if graph.layers < 2000:
                assert draw(graph.typical, form, style=style)
                assert draw(graph.typical, form, style=style, errors=errors_of(graph, sink.diagnostics))


def test_a_mistake_in_a_block_is_shown_where_it_strikes():
    text = "block B(c) { Conv2d(c, 3); BatchNorm2d(8) }\nmodel A { input [3, 9, 9]; B(8); B(4) }"
    graph = check(Source("blocks.cnn", text), sink := Sink())[0]
    assert errors_of(graph, sink.diagnostics) == {"1.1": "E203 expects 8, gets 4"}


# --- the command ---


def test_without_a_file_text_is_printed(capsys: pytest.CaptureFixture[str]):
    assert main(["draw", str(SPECS / "lenet.cnn")]) == 0
    assert capsys.readouterr().out == (
        "LeNet  1×28×28 → 10  61,706 parameters\n\n"
        " ┌ input                            1×28×28          ████████████████████████\n"
        " ├ Conv2d 6, 5×5, pad 2 → Sigmoid   6×28×28     156  ████████████████████████\n"
        " ├ AvgPool2d 2×2                    6×14×14          ████████████\n"
        " ├ Conv2d 16, 5×5 → Sigmoid        16×10×10   2,416  █████████\n"
        " ├ AvgPool2d 2×2                     16×5×5          ████\n"
        " ├ Flatten                              400          ▪▪▪▪▪▪▪▪▪▪\n"
        " ├ Linear 120 → Sigmoid                 120  48,120  ▪▪▪▪▪▪▪▪▪▪\n"
        " ├ Linear 84 → Sigmoid                   84  10,164  ▪▪▪▪▪▪▪\n"
        " └ Linear 10                             10     850  ▪\n"
    )


def test_terminal_lines_fit_into_eighty_columns(graphs: list[Graph]):
    for graph in graphs:
        lines = str(draw(graph, "txt")).split("\n")[1:]
        assert max(map(len, lines)) <= 88, graph.name


def test_one_module_alone_and_blocks_that_are_opened(tmp_path: Path):
    out = tmp_path / "part.svg"
    assert main(["draw", str(SPECS / "resnet.cnn:ResNet50"), "--only", "layer2.0", "-o", str(out)]) == 0
    assert "ResNet50: layer2.0" in out.read_text(encoding="utf-8")
    graph = load("resnet.cnn:ResNet50")
    closed, opened = draw(graph, style="stack"), draw(graph, style="stack", wanted=["layer3.0"])
    assert 'data-node="layer3.0.0.body.0' not in str(closed)
    assert 'data-node="layer3.0.0.body.0' in str(opened)
    assert len(draw(graph, style="stack", depth=0)) < len(draw(graph, style="stack", depth=2))


def test_a_mermaid_chart(tmp_path: Path):
    out = tmp_path / "net.mmd"
    assert main(["draw", str(SPECS / "resnet_small.cnn"), "-o", str(out)]) == 0
    chart = out.read_text(encoding="utf-8")
    assert chart.startswith("---\ntitle: ResNetSmall\n---\nflowchart TB\n")
    assert chart.count("subgraph") == len(re.findall(r"^ *end$", chart, re.MULTILINE))
    assert '(["+ ReLU<br>' in chart


@needs_browser
def test_a_png(tmp_path: Path):
    out = tmp_path / "lenet.png"
    assert main(["draw", str(SPECS / "lenet.cnn"), "-o", str(out)]) == 0
    data = out.read_bytes()
    assert data.startswith(b"\x89PNG")
    assert int.from_bytes(data[16:20], "big") > 1000


def test_a_png_needs_a_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["draw", str(SPECS / "lenet.cnn"), "-o", str(tmp_path / "x.png")]) == 2
    assert "a PNG is drawn by resvg, rsvg-convert or Chromium" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["-o", "net.gif"], "a picture's name ends in .svg, .png, .mmd or .txt"),
        (["--only", "layer9"], "no module has the key layer9"),
        (["--open", "13"], "no module has the key 13"),
        (["-o", "no/such/folder/x.svg"], "can't write no/such/folder/x.svg"),
    ],
)
def test_what_can_not_be_done_is_said(words: list[str], message: str, capsys: pytest.CaptureFixture[str]):
    assert main(["draw", str(SPECS / "lenet.cnn"), *words]) == 2
    assert message in capsys.readouterr().err


def test_a_wrong_network_is_drawn_and_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "wrong.cnn").write_text(WRONG, encoding="utf-8")
    out = tmp_path / "wrong.svg"
    assert main(["draw", str(tmp_path / "wrong.cnn"), "-o", str(out)]) == 1
    assert "error[E203]" in capsys.readouterr().err
    assert "✗ E203 expects 16, gets 6" in out.read_text(encoding="utf-8")


# --- in Python ---


def test_a_spec_draws_itself(tmp_path: Path):
    spec = cnnspec.load(SPECS / "resnet.cnn", model="ResNet18")
    assert spec._repr_mimebundle_()["image/svg+xml"] == spec.draw() == draw(spec.graph)
    spec.draw(tmp_path / "net.mmd")
    assert (tmp_path / "net.mmd").read_text(encoding="utf-8").startswith("---\ntitle: ResNet18")
    assert spec.draw(style="stack", open=["layer3.0"]) == draw(spec.graph, style="stack", wanted=["layer3.0"])
    with pytest.raises(UsageError, match=r"ends in \.svg"):
        spec.draw(tmp_path / "net.gif")


def test_sizes_by_name_are_typical_ones_and_the_head_says_which():
    spec = cnnspec.loads(
        "model A { input [3, H, W] where H % 4 == 0, W % 4 == 0; Conv2d(8, 3, padding=1); MaxPool2d(2) }"
    )
    (head,) = [text for text in texts_of(spec.draw()) if text.startswith("A")]
    size = int(head.split("×")[1])
    assert size >= 64
    assert f"H = {size}" in head
    assert f"8×{size // 2}×{size // 2}" in texts_of(spec.draw())


def test_a_notebook_shows_picture_and_table():
    shown = cnnspec.load(SPECS / "lenet.cnn")._repr_mimebundle_()["text/html"]
    assert shown.startswith("<svg")
    assert '<td style="text-align:right">16×10×10</td>' in shown
    assert "61,706 parameters, 416,520 multiply-accumulates" in shown
    large = cnnspec.load(SPECS / "resnet.cnn", model="ResNet152")._repr_mimebundle_()["text/html"]
    assert large.count("<tr>") < 12


# --- the pictures of the documentation ---


def test_the_pictures_of_the_documentation_are_those_that_are_drawn_now():
    for name, picture in made_pictures().items():
        stored = (FOLDER / name).read_text(encoding="utf-8")
        assert picture == stored, f"{name} is not as `python -m tools.make_pictures` makes it"
