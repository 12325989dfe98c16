"""PyTorch source as graphs: the shapes, keys and wires of specs that say the same, and what specs can't say."""

from __future__ import annotations

import pytest

from cnnspec.diagnostics import Sink
from cnnspec.graph.nodes import Graph, LayerNode, MergeNode, StackNode
from cnnspec.graph.walk import runs, walk
from cnnspec.source import Source
from cnnspec.torch_source.check import Options, check_python
from cnnspec.torch_source.lower.foreign import Foreign
from cnnspec.torch_source.lower.graphs import graph_of

HEAD = "import torch\nimport torch.nn as nn\nimport torch.nn.functional as F\n\n"


def graph(text: str, *shapes: tuple[int, ...], entry: str = "") -> Graph:
    sink = Sink()
    (outcome,) = check_python(Source("model.py", HEAD + text), "", sink, Options(entry, shapes))
    assert not sink.has_errors, [found.message for found in sink.diagnostics]
    assert not outcome.stop
    made = graph_of(outcome)
    assert made is not None
    return made


def module(init: str, forward: str) -> str:
    lines = ["class Net(nn.Module):", "    def __init__(self):", "        super().__init__()"]
    lines += [f"        {line}" for line in init.splitlines()]
    return "\n".join([*lines, "    def forward(self, x):", *(f"        {line}" for line in forward.splitlines())])


def layers(made: Graph) -> list[str]:
    """Layers and merges in the order in which they run, as one would write them in a spec."""
    found = []
    for _, node in runs(made.root):
        if isinstance(node, LayerNode):
            found.append(f"{node.layer!r}" if not isinstance(node.layer, Foreign) else f"? {node.title}")
        elif isinstance(node, MergeNode):
            found.append(node.kind)
    return found


@pytest.mark.parametrize(
    ("forward", "wanted"),
    [
        ("return F.relu(x)", ["ReLU"]),
        ("return F.leaky_relu(x, 0.2)", ["LeakyReLU(negative_slope=0.2)"]),
        ("return x.flatten(1)", ["Flatten"]),
        ("return x.view(x.size(0), -1)", ["Flatten"]),
        ("return x.view(x.size(0), 2, 2, 8, 8)", ["Unflatten(dim=1, unflattened_size=(2, 2))"]),
        ("return x.flatten(2).transpose(1, 2)", ["Flatten(start_dim=2)", "Permute(dims=(0, 2, 1))"]),
        ("return x.permute(2, 0, 1, 3).permute(1, 2, 0, 3)", ["Permute(dims=(0, 2, 1, 3))", "Permute(dims=(0, 2, 1, 3))"]),
        ("return F.max_pool2d(x, 2)", ["MaxPool2d(kernel_size=2)"]),
        ("return F.adaptive_avg_pool2d(x, 1)", ["AdaptiveAvgPool2d(output_size=1)"]),
        ("return F.interpolate(x, scale_factor=2)", ["Upsample(scale_factor=2)"]),
        ("return F.pad(x, (1, 2, 3, 4))", ["ZeroPad2d(padding=(1, 2, 3, 4))"]),
        ("return F.pad(x, (0, 0, 0, 0, 2, 2))", ["PadChannels(padding=(2, 2))"]),
        ("return x.mean([2, 3])", ["Mean(dim=(2, 3))"]),
        ("return torch.cat([x, x * 2], 1)", ["multiply", "concat"]),
        ("return x - F.relu(x)", ["ReLU", "multiply", "add"]),
        ("return 1 - x", ["multiply", "add"]),
        ("return x ** 2", ["multiply"]),
        ("a, b = x.chunk(2, 1)\nreturn a + b", ["Chunk(chunks=2)", "add"]),
        ("return x[:, 1:3]", ["Slice(start=1, stop=3)"]),
        ("return x[:, :, 0]", ["Select(index=0, dim=2)"]),
        ("return torch.stack([x, x], 1)", ["Unflatten(dim=1, unflattened_size=(1, 4))"] * 2 + ["concat"]),
        ("return F.dropout(x, 0.3, training=self.training)", ["Dropout(p=0.3)"]),
        ("return torch.matmul(x, x.transpose(2, 3))", ["Permute(dims=(0, 1, 3, 2))", "matmul"]),
        ("return F.softmax(x, dim=1)", ["Softmax(dim=1)"]),
        ("return x.clamp(0, 6)", ["ReLU6"]),
        ("return x.contiguous()", []),
        ("return F.dropout(x, 0.3)", ["? dropout"]),
        ("return torch.flip(x, [2])", ["? flip"]),
        ("return x / x.sum()", ["? sum", "? /"]),
        ("return x.view(-1, 8)", ["? view"]),
    ],
)  # fmt: skip
def test_operations(forward: str, wanted: list[str]):
    made = graph(module("pass", forward), (4, 8, 8))
    assert layers(made) == wanted


def test_keys_are_those_of_the_state_dict():
    text = """
class Block(nn.Module):
    def __init__(self, wide):
        super().__init__()
        self.conv = nn.Conv2d(wide, wide, 3, padding=1)
        self.more = nn.ModuleList([nn.Conv2d(wide, wide, 1) for _ in range(2)])

    def forward(self, x):
        y = F.relu(self.conv(x))
        for layer in self.more:
            y = layer(y)
        return x + y


net = nn.Sequential(Block(4), nn.Sequential(Block(4), nn.Flatten()), nn.Linear(4 * 64, 2))
"""
    made = graph(text, (4, 8, 8), entry="net")
    keys = [path for path, node in walk(made.root) if isinstance(node, LayerNode) and node.parameters]
    inner = ("conv", "more.0", "more.1")
    assert keys == [*(f"0.{key}" for key in inner), *(f"1.0.{key}" for key in inner), "2"]
    assert made.parameters == 2 * (4 * 4 * 9 + 4 + 2 * (4 * 4 + 4)) + 256 * 2 + 2


def test_a_module_that_runs_twice_is_one_child():
    made = graph(
        module("self.conv = nn.Conv2d(4, 4, 3, padding=1)", "return self.conv(F.relu(self.conv(x)))"), (4, 8, 8)
    )
    assert [step.again is not None for step in made.root.steps] == [False, False, True]
    assert made.parameters == 148


def test_several_values_and_inputs():
    text = """
class Up(nn.Module):
    def forward(self, x, skip):
        return torch.cat([x, skip], 1), skip


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.up = Up()
    def forward(self, image, mask):
        joined, same = self.up(image, mask)
        return joined, {"mask": same}
"""
    made = graph(text, (4, 8, 8), (2, 8, 8))
    assert [(entry.name, entry.shape) for entry in made.inputs] == [("image", (4, 8, 8)), ("mask", (2, 8, 8))]
    assert made.output == ((6, 8, 8), ((2, 8, 8),))
    (up,) = made.root.children
    assert isinstance(up, StackNode)
    assert len(up.takes) == 1


IN_PLACE = """
class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.ReLU(inplace=True), nn.Conv2d(4, 4, 1))
    def forward(self, x):
        return self.body(x) + x


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.block = Block()
        self.keep = nn.Conv2d(4, 4, 1)
    def forward(self, x):
        return self.block(self.keep(x))
"""


def test_what_is_written_over_is_what_others_see():
    """The shortcut adds what the ReLU has left, not what came in: the run of the body becomes part of the block's."""
    block = graph(IN_PLACE, (4, 8, 8)).root.children[1]
    assert isinstance(block, StackNode)
    _, conv, add = block.steps
    assert add.feed.index == 1  # type: ignore[union-attr]
    assert add.values[0].index == 0  # type: ignore[union-attr]
    assert conv.feed.index == 0  # type: ignore[union-attr]
    assert [key for key, _ in walk(block)] == ["body.0", "body.1", "2"]


def test_weights_and_recurrent_layers():
    text = module(
        "self.token = nn.Parameter(torch.zeros(1, 1, 4))\nself.lstm = nn.LSTM(4, 3, batch_first=True)",
        "x = torch.cat([self.token.expand(x.size(0), -1, -1), x], 1)\n_, (h, c) = self.lstm(x)\nreturn h[-1]",
    )
    made = graph(text, (5, 4))
    assert [(weight.label, weight.shape) for weight in made.root.weights] == [("token", (1, 4))]
    assert layers(made) == ["concat", "LSTM(hidden_size=3, state=true)", "Select(index=-1)"]
    assert made.output == (3,)
    assert made.parameters == 4 + 4 * 3 * (4 + 3) + 2 * 12


def test_a_stretched_value_is_one_where_no_merge_undoes_it():
    block = "class Wide(nn.Module):\n    def forward(self, x):\n        return x.mean([2, 3], keepdim=True).expand_as(x)\n\n\n"
    made = graph(block + module("self.wide = Wide()", "return x + self.wide(x)"), (4, 8, 8), entry="Net")
    assert layers(made) == ["Mean(dim=(2, 3), keepdim=true)", "? expand", "add"]
    alone = module("self.conv = nn.Conv2d(4, 4, 1)", "return x * self.conv(x.mean([2, 3], keepdim=True)).expand_as(x)")
    assert "? expand" not in layers(graph(alone, (4, 8, 8)))
