"""Syntax errors that can mean one thing only: what `check --fix` writes, and that the rest of the file is read on."""

from __future__ import annotations

from pathlib import Path

import pytest

from cnnspec.cli.main import main
from cnnspec.diagnostics import Sink
from cnnspec.diagnostics.edits import apply
from cnnspec.pipeline import check
from cnnspec.source import Source
from cnnspec.syntax import tree
from cnnspec.syntax.parser import parse

# What stands in a body, and what it becomes; `\n` is a line end.
STATEMENTS = """
nn.ReLU()                                    => ReLU()
nn.ReLU(),                                   => ReLU()
torch.nn.Conv2d(6, 5)                        => Conv2d(6, 5)
self.conv1 = nn.Conv2d(6, kernel_size=5)     => Conv2d(6, kernel_size=5) as conv1
self.conv1 = nn.Conv2d(6, 5),  # why         => Conv2d(6, 5) as conv1  # why
x = nn.MaxPool2d(2)                          => MaxPool2d(2)
stem = Conv2d(6, 5)                          => Conv2d(6, 5) as stem
nn.Conv2d(6, 5, padding='same')              => Conv2d(6, 5, padding="same")
nn.Unit(8, activation=nn.ReLU())             => Unit(8, activation=ReLU())
x = F.relu(x)                                => ReLU
x = F.max_pool2d(x, 2)                       => MaxPool2d(2)
x = F.log_softmax(x, dim=1)                  => LogSoftmax(dim=1)
x = torch.sigmoid(x)                         => Sigmoid
self.relu()                                  => ReLU
x = F.gelu(x); x = F.silu(x)                 => GELU; SiLU
self.net = nn.Sequential(nn.Flatten(), nn.Linear(10))         => Flatten(); Linear(10)
nn.Sequential(\\n    nn.Flatten(),\\n    nn.Linear(10),\\n)   => Flatten()\\n    Linear(10)
nn.Linear(120), nn.Sigmoid(),                => Linear(120); Sigmoid()
return F.log_softmax(x, dim=1)               => LogSoftmax(dim=1)
Linear(120), Sigmoid(), Linear(84)           => Linear(120); Sigmoid(); Linear(84)
Conv2d(6, 5, padding='same')                 => Conv2d(6, 5, padding="same")
Linear(10),                                  => Linear(10)
Linear(10) as "fc"                           => Linear(10) as fc
input (3, 32, 32)                            => input [3, 32, 32]
input 3, H, W                                => input [3, H, W]
input = [784]                                => input [784]
Linear(10) -> 10                             => Linear(10) -> [10]
Conv2d(6, 5) [6, 8, 8]                       => Conv2d(6, 5) -> [6, 8, 8]
Conv2d(6, 5) [6, _, _] as x                  => Conv2d(6, 5) -> [6, _, _] as x
Conv2d(6, 5) => [6, 8, 8]                    => Conv2d(6, 5) -> [6, 8, 8]
BatchNorm2d -> ReLU                          => BatchNorm2d\\n    ReLU
ReLU; BatchNorm2d -> ReLU                    => ReLU; BatchNorm2d; ReLU
repeat 2x { ReLU }                           => repeat 2 { ReLU }
repeat 2 times { ReLU }                      => repeat 2 { ReLU }
if a { ReLU } elif b { Tanh }                => if a { ReLU } else if b { Tanh }
repeat 2\\n    { ReLU }                      => repeat 2 { ReLU }
n = 3                                        => let n = 3
widths = [1, 2]                              => let widths = [1, 2]
Conv2d(6, 5]                                 => Conv2d(6, 5)
input [3, 8, 8)                              => input [3, 8, 8]
ReLU  // why                                 => ReLU  # why
// why                                       => # why
""".strip().splitlines()


def fixed(text: str) -> tuple[tree.Tree, str]:
    """The tree of a text, and the text after all sure fixes."""
    parsed = parse(Source("x.cnn", text), sink := Sink())
    assert sink.diagnostics
    fixes = [found.fixes[0] for found in sink.diagnostics]
    assert all(fix.sure for fix in fixes)
    return parsed, apply(text, [edit for fix in fixes for edit in fix.edits])


@pytest.mark.parametrize("case", STATEMENTS)
def test_statement(case: str):
    given, expected = (part.strip().replace("\\n", "\n") for part in case.rsplit("  =>" if "  =>" in case else "=>", 1))
    text = f"block B {{\n    Identity\n    {given}\n    Last\n}}\n"
    parsed, result = fixed(text)
    assert result == f"block B {{\n    Identity\n    {expected}\n    Last\n}}\n"
    parse(Source("x.cnn", result), again := Sink())
    assert not again.diagnostics
    (block,) = parsed.items
    assert isinstance(block, tree.Block)
    assert [block.body.statements[number].span.text for number in (0, -1)] == ["Identity", "Last"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("model { input [3] }", "model Net { input [3] }"),
        ("model (n = 3) { input [3] }", "model Net (n = 3) { input [3] }"),
        ('model "Net" { input [3] }', "model Net { input [3] }"),
        ("model A { input [3] }\nblock { ReLU }", "model A { input [3] }\nblock Unit { ReLU }"),
        ("from 'a.cnn' import A", 'from "a.cnn" import A'),
        ("model A\n{\n    input [3]\n}", "model A {\n    input [3]\n}"),
    ],
)
def test_definition(given: str, expected: str):
    _, result = fixed(given)
    assert result == expected


@pytest.mark.parametrize(
    "text",
    ["x = self.conv1(x)", "Linear(3 4)", "x = y", "x = f(3)", "Linear(10) -> 10, 3", "repeat 2y { ReLU }"],
)
def test_what_is_not_sure_is_left(text: str):
    parse(Source("x.cnn", f"block B {{ {text} }}"), sink := Sink())
    assert sink.diagnostics
    assert not any(found.fixes for found in sink.diagnostics)


PASTED = """\
model LeNet {
    input [1, 28, 28]
    nn.Conv2d(1, 6, kernel_size=5, padding='same'),
    nn.Sigmoid(),
    nn.AvgPool2d(kernel_size=2, stride=2),
    self.conv2 = nn.Conv2d(6, 16, kernel_size=5, bias=True)
    x = F.relu(x)
    nn.AvgPool2d(kernel_size=2, stride=2),
    nn.Flatten(),
    nn.Linear(16 * 5 * 5, 120), nn.Sigmoid(),
    nn.Linear(120, 84), nn.Sigmoid(),
    nn.Linear(84, 10)
}
"""
MEANT = """\
model LeNet {
    input [1, 28, 28]
    Conv2d(1 -> 6, kernel_size=5, padding="same")
    Sigmoid()
    AvgPool2d(kernel_size=2, stride=2)
    Conv2d(6 -> 16, kernel_size=5, bias=true) as conv2
    ReLU
    AvgPool2d(kernel_size=2, stride=2)
    Flatten()
    Linear(16 * 5 * 5 -> 120); Sigmoid()
    Linear(120 -> 84); Sigmoid()
    Linear(84 -> 10)
}
"""


def test_a_network_in_the_words_of_torch_becomes_a_spec(tmp_path: Path):
    file = tmp_path / "net.cnn"
    file.write_text(PASTED)
    assert main(["check", "--fix", str(file)]) == 0
    assert file.read_text() == MEANT


# Statements of forward, too, and arguments that our order would read in another way.
FORWARD = """\
model LeNet {
    input [1, 28, 28]
    self.conv1 = nn.Conv2d(1, 6, 5, padding='same')
    x = F.relu(x)
    x = F.max_pool2d(x, 2)
    self.conv2 = nn.Conv2d(6, 16, 5), nn.ReLU(inplace=True),
    x = F.max_pool2d(x, (2, 2))
    x = torch.flatten(x, 1)
    self.fc1 = nn.Linear(16 * 5 * 5, 120)
    x = F.relu(x)
    self.drop = nn.Dropout(p=0.5, inplace=False)
    self.fc2 = nn.Linear(120, 10, bias=True)
    return F.log_softmax(x, dim=1)
}
"""


def test_a_network_with_its_forward_becomes_a_spec(tmp_path: Path):
    file = tmp_path / "net.cnn"
    for text in (FORWARD.replace(", nn.ReLU(inplace=True),", ""), FORWARD.replace("self.conv2 = ", "")):
        file.write_text(text)
        assert main(["check", "--fix", str(file)]) == 0
        (graph,) = check(Source("net.cnn", file.read_text()), Sink())
        assert graph.output == (10,)


def test_a_corrected_statement_is_read():
    text = "block B { self.conv = nn.Conv2d(6, 5, padding='same'),; Linear(2) -> 2; ReLU as \"a\" }"
    (block,) = parse(Source("x.cnn", text), Sink()).items
    assert isinstance(block, tree.Block)
    conv, linear, relu = block.body.statements
    assert isinstance(conv, tree.Layer)
    assert isinstance(conv.tail.label, tree.Name)
    assert (conv.name.id, conv.tail.label.id, conv.arguments[2].value.span.text) == ("Conv2d", "conv", "'same'")
    assert isinstance(linear, tree.Layer)
    assert linear.tail.annotation is not None
    assert isinstance(relu, tree.Layer)
    assert isinstance(relu.tail.label, tree.Name)
    assert relu.tail.label.id == "a"


@pytest.mark.parametrize(
    ("text", "word", "label", "names"),
    [
        ("Linear(3 4) as head", "Linear", "head", ["head"]),
        ("let a = 3 4", "let", None, ["a"]),
        ("input 3, 4 as x", "input", "x", ["x"]),
        ("if { let a = 3; ReLU as b } as c", "if", "c", ["a", "b", "c"]),
        ("3 + 4", "", None, []),
    ],
)
def test_what_is_known_of_a_broken_statement(text: str, word: str, label: str | None, names: list[str]):
    (block,) = parse(Source("x.cnn", f"block B {{\n{text}\n}}"), Sink()).items
    assert isinstance(block, tree.Block)
    invalid = block.body.statements[0]
    assert isinstance(invalid, tree.Invalid)
    assert invalid.word == word
    assert (invalid.label and invalid.label.id) == label
    assert list(invalid.names) == names


def test_what_is_known_of_a_broken_definition():
    text = 'from "a.cnn" import A B as C\nblock D( { ReLU }\nlet e = 3 4\nmodel F {}'
    items = parse(Source("x.cnn", text), Sink()).items
    assert [list(item.names) for item in items if isinstance(item, tree.Invalid)] == [
        ["A", "C"],
        ["D"],
        ["e"],
    ]
