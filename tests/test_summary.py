"""The commands `summary` and `memory`: their tables, formats and options. What the numbers are is tested beside torch."""

from __future__ import annotations

import csv
import io
import json
from contextlib import chdir
from pathlib import Path

import pytest

import cnnspec
from cnnspec.analysis.cost import Costs
from cnnspec.analysis.memory import training_step
from cnnspec.backends.memory_text import largest_batch
from cnnspec.backends.summary import Account, rows
from cnnspec.backends.summary_text import Options, size, summarize
from cnnspec.cli.main import main
from cnnspec.cli.memory import parse_bytes

SPECS = Path(__file__).parent.parent / "specs"
NET = """\
block Unit { Conv2d(3, 3, padding=1); ReLU }
model Net {
    input [3, 8, 8] as image
    residual { Unit }
    concat(image)
    Flatten as flat
    Linear(10, bias=false)
}
"""
TABLE = """\
Net
         Layer                    Output     Parameters   MACs         Activations  Field  Stride  Padding
----------------------------------------------------------------------------------------------------------
image    input                    3 x 8 x 8           -
0        residual                 3 x 8 x 8          84  5,184               768 B      3       1        1
  body   body                     3 x 8 x 8          84  5,184               768 B      3       1        1
    0    Unit                     3 x 8 x 8          84  5,184               768 B      3       1        1
      0  Conv2d(3, 3, padding=1)  3 x 8 x 8          84  5,184  ████▋        768 B      3       1        1
      1  ReLU                     3 x 8 x 8           -      -               768 B      3       1        1
1        concat(image)            6 x 8 x 8           -      -             1.54 kB      3       1        1
flat     Flatten                  384                 -      -             1.54 kB    all
3        Linear(10, bias=false)   10              3,840  3,840  ███▍          40 B    all
----------------------------------------------------------------------------------------------------------
3,924 parameters in 5 layers, 0.02 MB as float32
9,024 multiply-accumulates (MACs), 18,048 FLOPs, and 576 other operations for one sample forward
every output sees all of the 8 x 8 input
"""


@pytest.fixture
def folder(tmp_path: Path):
    (tmp_path / "net.cnn").write_text(NET)
    with chdir(tmp_path):
        yield tmp_path


def printed(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    assert main(list(arguments)) == code
    captured = capsys.readouterr()
    return captured.err if code == 2 else captured.out


def test_table(folder: Path, capsys: pytest.CaptureFixture[str]):
    assert printed(capsys, "summary", "net.cnn") == TABLE


def test_depth(folder: Path, capsys: pytest.CaptureFixture[str]):
    shown = printed(capsys, "summary", "net.cnn", "--depth", "1")
    assert "Conv2d" not in shown
    assert "0      residual                3 x 8 x 8          84  5,184  ████▋" in shown
    assert "--depth takes" in printed(capsys, "summary", "net.cnn", "--depth", "0", code=2)


def test_batch_tells_the_memory(folder: Path, capsys: pytest.CaptureFixture[str]):
    shown = printed(capsys, "summary", "net.cnn", "--batch", "4", "--optimizer", "Adam")
    step = training_step(cnnspec.load("net.cnn").graph, 4, optimizer="Adam")
    assert f"a training step of 4 samples with Adam takes {size(step.peak)}" in shown
    assert "Kept" in shown
    half = printed(capsys, "summary", "net.cnn", "--batch", "4", "--dtype", "bfloat16")
    assert "0.01 MB as bfloat16" in half
    assert "--batch takes" in printed(capsys, "summary", "net.cnn", "--batch", "0", code=2)


def test_explain(folder: Path, capsys: pytest.CaptureFixture[str]):
    shown = printed(capsys, "summary", str(SPECS / "lenet.cnn"), "--explain")
    for line in (
        "height and width: floor((28 + 2*2 - 5) / 1) + 1 = 28",
        "parameters: (5*5*1 + 1)*6 = 156",
        "MACs: 5*5*1*6 * 28*28 = 117,600",
        "height and width: floor((28 - 2) / 2) + 1 = 14",
        "features: 16*5*5 = 400",
        "parameters: (400 + 1)*120 = 48,120",
    ):
        assert line in shown


@pytest.mark.parametrize("name", sorted(path.name for path in SPECS.glob("*.cnn")))
def test_the_arithmetic_is_right(name: str):
    from cnnspec.diagnostics import Sink
    from cnnspec.graph.nodes import LayerNode
    from cnnspec.graph.walk import walk
    from cnnspec.pipeline import check
    from cnnspec.syntax.read import read_source

    sink = Sink()
    checked = 0
    for graph in [one.numbers for one in check(read_source(str(SPECS / name), sink), sink)[:2]]:
        for _, node in walk(graph.root):
            if isinstance(node, LayerNode) and node.layer is not None:
                for _, text in node.layer.arithmetic(node.input, node.output):
                    left, _, right = text.rpartition(" = ")
                    assert worked_out(left) == int(right.replace(",", "")), text
                    checked += 1
    assert checked


def worked_out(text: str) -> int:
    """The value of a sum as `arithmetic` writes it."""
    import ast
    from math import ceil, floor

    def value(node: ast.AST) -> float:
        match node:
            case ast.Expression():
                return value(node.body)
            case ast.Constant():
                return node.value
            case ast.BinOp():
                left, right = value(node.left), value(node.right)
                return {"Add": left + right, "Sub": left - right, "Mult": left * right}.get(
                    type(node.op).__name__, left / (right or 1)
                )
            case ast.Call():
                return {"floor": floor, "ceil": ceil}[node.func.id](value(node.args[0]))
        raise AssertionError(ast.dump(node))

    return int(value(ast.parse(text, mode="eval")))


def test_columns_of_the_course_notes(capsys: pytest.CaptureFixture[str]):
    shown = printed(capsys, "summary", str(SPECS / "lenet.cnn"), "--style", "d2l", "--batch", "3")
    assert shown.splitlines()[0] == "Conv2d output shape:\t torch.Size([3, 6, 28, 28])"
    assert shown.splitlines()[-1] == "Linear output shape:\t torch.Size([3, 10])"


def test_json(folder: Path, capsys: pytest.CaptureFixture[str]):
    found = json.loads(printed(capsys, "summary", "net.cnn", "--format", "json", "--batch", "2"))
    assert (found["totals"]["parameters"], found["totals"]["macs"]) == (3924, 9024)
    assert found["memory"]["peak_bytes"] == training_step(cnnspec.load("net.cnn").graph, 2).peak
    conv = next(row for row in found["rows"] if row["path"] == "0.body.0.0")
    assert (conv["layer"], conv["output"], conv["receptive_field"]) == ("Conv2d(3, 3, padding=1)", [3, 8, 8], [3, 3])
    assert (
        sum(row["kept_bytes"] for row in found["rows"] if row["path"].count(".") == 0) <= found["memory"]["kept_bytes"]
    )


def test_csv(folder: Path, capsys: pytest.CaptureFixture[str]):
    found = list(csv.DictReader(io.StringIO(printed(capsys, "summary", "net.cnn", "--format", "csv"))))
    assert [row["path"] for row in found][:3] == ["0", "0.body", "0.body.0"]
    assert {row["path"]: row["output"] for row in found}["flat"] == "384"


def test_markdown(folder: Path, capsys: pytest.CaptureFixture[str]):
    lines = printed(capsys, "summary", "net.cnn", "--format", "markdown").splitlines()
    assert lines[0] == "### Net"
    assert {line.count(" | ") for line in lines if line.startswith("|")} == {9}


def test_repeated_modules_have_one_line():
    graph = cnnspec.load(SPECS / "resnet.cnn", "ResNet50").graph
    found = {row.paths: row for row in rows(graph, Costs(graph), depth=2)}
    row = found["layer3.2", "layer3.3", "layer3.4", "layer3.5"]
    assert (row.key, row.cost.macs, row.cost.parameters) == ("2-5", 4 * 218_365_952, 4 * 1_117_184)
    assert sum(row.cost.macs for row in rows(graph, Costs(graph), depth=1)) == Costs(graph).total.macs


def test_a_low_terminal_folds():
    account = Account(cnnspec.load(SPECS / "resnet.cnn", "ResNet152").graph)
    assert len(summarize(account, Options(height=30)).splitlines()) < 40
    narrow = summarize(account, Options(depth=1, width=80)).splitlines()
    assert max(len(line) for line in narrow[1:8]) <= 80
    assert "Padding" not in narrow[1]


def test_shared_weights_count_once_and_their_macs_each_time():
    spec = cnnspec.loads(
        "model M { input [2, 8, 8]; Conv2d(2, 3, padding=1) as one; again one; again one }",
    )
    total = Costs(spec.graph).total
    assert (total.parameters, total.macs) == (38, 3 * 2 * 2 * 9 * 64)


def test_notebook():
    shown = cnnspec.load(SPECS / "lenet.cnn").summary()
    assert repr(shown) == str(shown)
    page = shown._repr_html_()
    assert page.count("<tr>") == 14
    assert "117,600" in page
    told = cnnspec.loads("model M { input [3]; Linear(2) as a }").summary(8, optimizer="Adam")
    assert "a training step of 8 samples with Adam takes" in told


def test_a_model_of_several_outputs_and_inputs():
    for name in ("two_tower.cnn", "retinanet.cnn", "siamese.cnn"):
        assert main(["summary", str(SPECS / name), "--batch", "2"]) == 0


# --- memory ---


def test_memory(capsys: pytest.CaptureFixture[str]):
    shown = printed(capsys, "memory", str(SPECS / "lenet.cnn"), "--batch", "64", "--optimizer", "Adam")
    assert shown.startswith("LeNet: a training step of 64 samples with Adam in float32 takes 4.8 MB")
    assert "|forward" in shown
    assert "|backward" in shown
    assert "parameters                247 kB" in shown
    assert "--limit takes" in printed(capsys, "memory", str(SPECS / "lenet.cnn"), "--limit", "much", code=2)


@pytest.mark.parametrize("limit", [400_000, 552_664, 552_663, 700_000, 5_000_000])
def test_the_largest_batch(limit: int, capsys: pytest.CaptureFixture[str]):
    graph = cnnspec.load(SPECS / "lenet.cnn").graph
    found = largest_batch(lambda batch: training_step(graph, batch).peak, limit)
    assert found is None or training_step(graph, found).peak <= limit
    assert training_step(graph, (found or 0) + 1).peak > limit
    shown = printed(capsys, "memory", str(SPECS / "lenet.cnn"), "--limit", f"{limit}B")
    assert (f"has {found:,} samples" if found else "not even one sample fits") in shown


def test_bytes():
    assert [parse_bytes(text) for text in ("24GiB", "8 GB", "500mb", "12", "1.5k")[:4]] == [
        24 * 2**30, 8 * 10**9, 500 * 10**6, 12,
    ]  # fmt: skip
    assert [size(count) for count in (0, 999, 1000, 123_456, 5 * 10**9, 2 * 10**13)] == [
        "-", "999 B", "1 kB", "123 kB", "5 GB", "20,000 GB",
    ]  # fmt: skip


GROWING = """\
model Growing {
    input [3, H, W] where H % 4 == 0, W % 4 == 0
    Conv2d(8, 3, padding=1)
    MaxPool2d(4)
    Conv2d(8, 3, padding=1)
    assert macs <= 300_000
}
model Fixed { input [3, 16, 16]; Conv2d(8, 3, padding=1); AdaptiveAvgPool2d(1)  -> [8, 1, 1]; Flatten; Linear(2) }
model Narrow { input [3, 16, 16]; Conv2d(8, 3, padding=1)  -> [8, 16, 16]; Flatten; Linear(2048 -> 2) }
model Two { input [4] as a; input [5] as b; use a; concat(b); Linear(2) }
"""


@pytest.fixture
def growing(tmp_path: Path):
    (tmp_path / "grow.cnn").write_text(GROWING)
    with chdir(tmp_path):
        yield tmp_path


def test_numbers_are_for_the_smallest_size_or_the_one_that_is_asked_for_and_say_so(
    growing: Path, capsys: pytest.CaptureFixture[str]
):
    def macs(height: int, width: int) -> int:
        return height * width * 3 * 8 * 9 + (height // 4) * (width // 4) * 8 * 8 * 9

    def first_and_macs(*words: str) -> tuple[str, str]:
        lines = printed(capsys, "summary", "grow.cnn:Growing", *words).splitlines()
        return lines[0], next(line for line in lines if "MACs)" in line).split()[0]

    assert first_and_macs() == (
        "Growing with H = 4, W = 4, the smallest size that it is declared for", f"{macs(4, 4):,}",
    )  # fmt: skip
    for words in (["-D", "H=32", "-D", "W=16"], ["--input", "3x32x16"]):
        assert first_and_macs(*words) == ("Growing with H = 32, W = 16", f"{macs(32, 16):,}")
    head = printed(capsys, "memory", "grow.cnn:Growing", "--input", "3x32x16", "--batch", "2").splitlines()[0]
    assert head.startswith("Growing with H = 32, W = 16: a training step of 2 samples")
    picture = printed(capsys, "draw", "grow.cnn:Growing", "--input", "3x32x16")
    assert "3×32×16" in picture


def test_a_budget_is_held_at_the_smallest_size_or_at_the_one_that_is_asked_for(
    growing: Path, capsys: pytest.CaptureFixture[str]
):
    assert main(["check", "grow.cnn:Growing"]) == 0
    for words in (["-D", "H=40", "-D", "W=40"], ["--input", "3x40x40"]):
        assert main(["check", "grow.cnn:Growing", *words]) == 1
        assert "it is 403,200 against 300,000" in capsys.readouterr().out
    (growing / "small.cnn").write_text(GROWING.replace("300_000", "3_000"))
    assert main(["check", "small.cnn:Growing"]) == 1
    told = capsys.readouterr().out
    assert "with H = 4, W = 4, the smallest size that it is declared for" in told
    assert "it is 4,032 against 3,000" in told


def test_a_budget_that_does_not_hold_keeps_no_costs_back(growing: Path, capsys: pytest.CaptureFixture[str]):
    for command, told in (("summary", "403,200 multiply-accumulates"), ("memory", "a training step of 1 sample")):
        assert main([command, "grow.cnn:Growing", "--input", "3x40x40"]) == 1
        out, err = capsys.readouterr()
        assert told in out
        assert "it is 403,200 against 300,000" in err


def test_input_gives_a_network_of_numbers_other_sizes(growing: Path, capsys: pytest.CaptureFixture[str]):
    told = printed(capsys, "summary", "grow.cnn:Fixed", "--input", "3x24x20")
    assert f"{24 * 20 * 3 * 8 * 9 + 16:,} multiply-accumulates" in told
    printed(capsys, "summary", "grow.cnn:Two", "--input", "4,5")


@pytest.mark.parametrize(
    ("network", "shape", "code", "message"),
    [
        ("Narrow", "3x24x16", 1, "Linear expects 2048 input features but gets 3072"),
        ("Fixed", "16x16", 2, "--input 16x16 is no input of Fixed, which takes 3x16x16"),
        ("Two", "4", 2, "--input 4 is no input of Two, which takes 4,5"),
        ("Growing", "3x30x32", 2, "--input 3x30x32 is not admitted by Growing, which takes 3xHxW"),
        ("Fixed", "big", 2, "--input takes sizes without the batch, such as 3x32x32, not 'big'"),
    ],
)
def test_an_input_that_does_not_fit_is_told(
    growing: Path, capsys: pytest.CaptureFixture[str], network: str, shape: str, code: int, message: str
):
    for command in ("summary", "memory", "sizes", "check"):
        assert main([command, f"grow.cnn:{network}", "--input", shape]) == code
        told = "".join(capsys.readouterr())
        assert message in told
        assert ("with --input 3x24x16" in told) == (code == 1)


def test_check_is_for_the_input_that_is_asked_for(growing: Path, capsys: pytest.CaptureFixture[str]):
    def lines(*words: str) -> list[str]:
        main(["check", *words])
        return capsys.readouterr().out.splitlines()

    assert lines("grow.cnn:Fixed")[0] == "grow.cnn: Fixed  3 x 16 x 16 -> 2  242 parameters"
    assert lines("grow.cnn:Fixed", "--input", "3x24x20")[0] == "grow.cnn: Fixed  3 x 24 x 20 -> 2  242 parameters"
    assert lines("grow.cnn:Growing", "--input", "3x8x8")[0].startswith("grow.cnn: Growing  3 x 8 x 8 -> 8 x 2 x 2")
    # Warnings are those of that input, and what silences them holds there, too.
    text = "model Odd {\n    input [1, 8, 8] # \n    MaxPool2d(2); Conv2d(4, 3, padding=1)\n}\n"
    for silenced in ("", "cnnspec: ignore[W225] meant so"):
        (growing / "odd.cnn").write_text(text.replace("# ", f"# {silenced}"))
        for shape, warned in (("1x8x8", True), ("1x9x8", True), ("1x6x6", False)):
            told = "\n".join(lines("odd.cnn", "--select", "W225", "--input", shape))
            assert ("sees 6 x 6 of the" in told) == (warned and not silenced)
            assert f"{shape[0]} x {shape[2]} x {shape[4]} -> 4" in told
    # Verdicts about another input are not remembered as those of the file.
    assert lines("grow.cnn")[1] == "grow.cnn: Fixed  3 x 16 x 16 -> 2  242 parameters"


def test_fixes_are_not_for_the_input_that_is_asked_for(growing: Path, capsys: pytest.CaptureFixture[str]):
    for option in ("--fix", "--unsafe-fixes", "--diff"):
        assert main(["check", "grow.cnn:Narrow", option, "--input", "3x24x16"]) == 2
        assert "leave out --input" in capsys.readouterr().err
    assert (growing / "grow.cnn").read_text() == GROWING


def test_sizes_are_for_the_input_that_the_network_is_built_for(growing: Path, capsys: pytest.CaptureFixture[str]):
    (growing / "flat.cnn").write_text("model Flat { input [1, 6, 6]; MaxPool2d(2); Flatten; Linear(3) }\n")
    assert "6 <= H <= 7 with 6 <= W <= 7" in printed(capsys, "sizes", "flat.cnn")
    assert "10 <= H <= 11 with 4 <= W <= 5" in printed(capsys, "sizes", "flat.cnn", "--input", "1x10x4")
    assert "any H >= 4; H >= 4 with H % 4 == 0 reads" in printed(
        capsys, "sizes", "grow.cnn:Growing", "--input", "3x8x8"
    )


@pytest.mark.parametrize("name", ["fpn.cnn", "retinanet.cnn", "unetpp.cnn", "wavenet.cnn", "vgg.cnn:VGG16", "vit.cnn"])
def test_a_table_fits_into_eighty_columns(name: str):
    graph = cnnspec.load(SPECS / name).declared.typical
    for memory in (False, True):
        lines = summarize(Account(graph), Options(width=80, height=30, memory=memory)).split("\n")
        rules = [number for number, line in enumerate(lines) if line and set(line) == {"-"}]
        assert max(map(len, lines[1 : rules[-1]])) <= 80
        assert len(lines) > rules[-1] - rules[0] > 2


def test_a_tuple_is_counted_on_a_terminal_and_listed_elsewhere():
    graph = cnnspec.load(SPECS / "fpn.cnn", H=64, W=64).graph
    assert "5 values" in summarize(Account(graph), Options(width=120))
    assert "(256 x 16 x 16, 256 x 8 x 8, 256 x 4 x 4, 256 x 2 x 2, 256 x 1 x 1)" in summarize(Account(graph))
    same = "model M { input [3, 8, 8]; tuple { for i in range(4) { branch { Conv2d(2, 1) } } } }"
    assert "4 x (2 x 8 x 8)" in summarize(Account(cnnspec.loads(same).graph), Options(width=120))
