"""What the check of PyTorch source says of operations and layers, beside what torch makes of the same lines."""

from __future__ import annotations

import inspect
import textwrap

import pytest
import torch
from torch import nn

from cnnspec.diagnostics import Sink
from cnnspec.layers import Layer
from cnnspec.source import Source
from cnnspec.torch_source.check import Options, check_python
from cnnspec.torch_source.layers import torch_order
from cnnspec.torch_source.outcome import Outcome
from cnnspec.torch_source.values import BATCH, Record, Tensor

SAMPLES = 5
HEAD = "import math\nimport torch\nimport torch.nn as nn\nimport torch.nn.functional as F\n"

# `x` is [N, 8, 6, 6].
EXPRESSIONS = """
x.view(-1, 288)
x.view(x.size(0), -1)
x.view(x.shape[0], 8, 36)
x.view(-1, 7)
x.view(-1, 8, -1)
x.reshape(x.size(0), 2, 4, 6, 6).transpose(1, 2).reshape(x.size(0), -1, 6, 6)
x.flatten(1)
torch.flatten(x, 2)
x.flatten(2, 1)
x.flatten(5)
x.unflatten(1, (2, -1))
x.unflatten(1, (3, -1))
x.permute(0, 2, 3, 1)
x.permute(0, 2, 3)
x.permute(0, 0, 2, 3)
x.transpose(1, 3)
x.transpose(1, 4)
x.squeeze(1)
x.mean(1, keepdim=True).squeeze(1)
x.mean(1, keepdim=True).squeeze()
x.unsqueeze(1)
x.unsqueeze(-1)
x.unsqueeze(6)
x.mean()
x.mean((2, 3))
x.mean([2, 3], keepdim=True)
x.mean(dim=(-2, -1))
x.mean(4)
x.sum(1)
x.sum(dim=1, keepdim=True)
x.std(dim=2)
x.max(dim=1)[0]
x.max(1).values
x.max()
torch.max(x, 1)[1]
torch.max(x, x)
x.argmax(1)
x.argmax(dim=-1, keepdim=True)
x.topk(3, dim=1)[0]
x.topk(9, dim=1)[0]
x.norm(dim=1)
x.norm(p=2, dim=1, keepdim=True)
x.chunk(2, dim=1)[1]
x.chunk(3, 1)[2]
x.split(3, dim=1)[2]
x.split([2, 6], dim=1)[1]
x.split([2, 5], dim=1)[1]
x.unbind(1)[0]
torch.cat([x, x], 1)
torch.cat((x, x[:, :2]), dim=1)
torch.cat([x, x[:, :, :2]], dim=1)
torch.cat([x, x.flatten(1)], dim=1)
torch.stack([x, x], dim=1)
torch.stack([x, x[:, :2]])
x + x
x + x[:, :1]
x + x[:, :2]
x * x.mean((2, 3), keepdim=True)
x * 2 + 1
x / x.size(1)
x + x.flatten(1)
1 - x
-x
x ** 2
x > 0
x @ x
x @ x.transpose(2, 3)
x.flatten(1) @ x.flatten(1)
torch.matmul(x, x)
torch.matmul(x[:, :, :2], x)
torch.matmul(x[:, :, :, :2], x)
torch.bmm(x.flatten(2), x.flatten(2).transpose(1, 2))
torch.bmm(x.flatten(2), x.flatten(2))
torch.bmm(x, x)
torch.einsum('bchw,bdhw->bcd', x, x)
torch.einsum('bchw,bc->bhw', x, x.mean((2, 3)))
torch.einsum('bchw,bh->bc', x, x.mean((2, 3)))
x[:, 0]
x[:, -1]
x[:, 8]
x[:, :, ::2]
x[..., 0]
x[:, None]
x[:, :, 1:-1, 1:-1]
x[:, 0, 0, 0, 0]
x[:, [0, 2]]
x.narrow(1, 2, 3)
x.select(1, 0)
x.expand(-1, -1, 6, 6)
x.mean(1, keepdim=True).expand(-1, 4, -1, -1)
x.expand(-1, 4, -1, -1)
x.mean(1, keepdim=True).expand_as(x)
x.repeat(1, 2, 1, 1)
x.repeat(2, 1)
x.repeat_interleave(2, dim=1)
x.flip(1)
x.roll(1, 2)
x.clamp(0, 1)
x.softmax(1)
x.softmax(4)
x.cumsum(1)
torch.where(x > 0, x, torch.zeros_like(x))
torch.zeros(x.size(0), 3)
torch.randn_like(x)
torch.ones(3, 4).to(x)
torch.arange(4).float()
torch.linspace(0, 1, 7)
x.new_zeros(2, 3)
x.type_as(x).contiguous().detach()
x.unfold(2, 3, 1)
x.diagonal(0, 2, 3)
x.movedim(1, 3)
F.relu(x)
F.softmax(x, dim=1)
F.max_pool2d(x, 2)
F.max_pool2d(x, 2, 1, 1)
F.max_pool2d(x, 7)
F.max_pool2d(x, kernel_size=3, stride=2, padding=1)
F.avg_pool2d(x, x.size()[2:])
F.avg_pool2d(x, 4).view(x.size(0), -1)
F.adaptive_avg_pool2d(x, 1)
F.adaptive_avg_pool2d(x, (1, None))
F.interpolate(x, scale_factor=2)
F.interpolate(x, size=(9, 11), mode='bilinear', align_corners=True)
F.interpolate(x, scale_factor=1.5, mode='bilinear')
F.interpolate(x.flatten(1), scale_factor=2)
F.pad(x, (1, 2))
F.pad(x, (1, 1, 2, 2))
F.pad(x, (0, 0, 0, 0, 2, 3))
F.pad(x, (7, 7, 7, 7), mode='reflect')
F.pad(x, (-7, 0))
F.dropout(x, 0.5, training=self.training)
F.pixel_shuffle(x, 2)
F.pixel_shuffle(x, 3)
F.unfold(x, 3, padding=1)
F.layer_norm(x, x.shape[1:])
F.layer_norm(x, (5,))
F.normalize(x, dim=1)
F.one_hot(x.argmax(1), 8)
F.glu(x, 1)
F.glu(x[:, :3], 1)
F.linear(x, torch.zeros(4, 6))
F.linear(x, torch.zeros(4, 5))
F.conv2d(x, torch.zeros(4, 8, 3, 3), padding=1)
F.conv2d(x, torch.zeros(4, 7, 3, 3))
F.conv2d(x, torch.zeros(8, 1, 3, 3), groups=8)
F.conv_transpose2d(x, torch.zeros(8, 4, 2, 2), stride=2)
F.cosine_similarity(x, x)
F.log_softmax(x.flatten(1), dim=1)
F.cross_entropy(x, x.argmax(1))
F.scaled_dot_product_attention(x, x, x)
nn.LSTM(36, 7, batch_first=True)(x.flatten(2))[0]
nn.LSTM(36, 7, 2, bidirectional=True)(x.flatten(2).permute(1, 0, 2))[1][0]
nn.GRU(36, 7, batch_first=True)(x.flatten(2))[1]
nn.LSTM(35, 7)(x.flatten(2))[0]
nn.LSTMCell(288, 7)(x.flatten(1))[0]
nn.MultiheadAttention(36, 4, batch_first=True)(x.flatten(2), x.flatten(2), x.flatten(2))[0]
nn.MultiheadAttention(36, 4, batch_first=True)(x.flatten(2), x.flatten(2), x.flatten(2))[1]
nn.TransformerEncoderLayer(36, 4, batch_first=True)(x.flatten(2))
nn.Embedding(10, 3)(x.argmax(1))
nn.Bilinear(6, 6, 4)(x, x)
nn.Flatten()(x)
nn.Flatten(0)(x[0])
nn.Unflatten(1, (2, 4))(x)
nn.Softmax(dim=1)(x)
nn.PReLU(8)(x)
nn.PReLU(7)(x)
nn.GroupNorm(2, 8)(x)
nn.GroupNorm(2, 6)(x)
nn.LayerNorm([8, 6, 6])(x)
nn.LayerNorm(5)(x)
nn.BatchNorm2d(8)(x)
nn.BatchNorm2d(9)(x)
nn.BatchNorm1d(8)(x)
nn.BatchNorm1d(8)(x.flatten(2))
nn.InstanceNorm2d(8)(x)
nn.Conv2d(8, 4, 3, padding='same')(x)
nn.Conv2d(8, 4, (3, 1), (2, 1), (1, 0))(x)
nn.Conv2d(8, 4, 7)(x)
nn.Conv1d(8, 4, 3)(x.flatten(2))
nn.Conv1d(8, 4, 3)(x)
nn.ConvTranspose2d(8, 4, 3, 2, 1, 1)(x)
nn.Linear(6, 2)(x)
nn.Linear(8, 2)(x)
nn.AdaptiveAvgPool2d((2, 3))(x)
nn.MaxPool2d(2, return_indices=True)(x)[0]
nn.MaxPool2d(3, 2, 1, 1, False, True)(x)
nn.AvgPool2d(3, 2, 1, True, False)(x)
nn.Upsample(scale_factor=2, mode='bilinear', align_corners=True)(x)
nn.Upsample((4, 5))(x)
nn.ZeroPad2d((1, 2, 0, 1))(x)
nn.ReflectionPad2d(6)(x)
nn.PixelShuffle(2)(x)
nn.ChannelShuffle(4)(x)
nn.Dropout2d(0.1)(x)
nn.Identity()(x)
nn.LazyConv2d(4, 3)(x)
nn.LazyLinear(3)(x)
nn.Sequential(nn.Conv2d(8, 4, 3), nn.ReLU(True), nn.Flatten(), nn.Linear(64, 2))(x)
nn.Sequential(nn.Conv2d(8, 4, 3), nn.Linear(64, 2))(x)
nn.Bilinear(6, 5, 4)(x, x[..., :5])
nn.CosineSimilarity(dim=1)(x, x)
nn.PairwiseDistance()(x.flatten(1), x.flatten(1))
nn.CrossEntropyLoss()(x, x.argmax(1))
"""
LINES = [line for line in EXPRESSIONS.strip().split("\n") if line]


def text_of(expression: str) -> str:
    body = textwrap.indent(f"return {expression}", " " * 8)
    return f"{HEAD}class Net(nn.Module):\n    def forward(self, x):\n{body}\n"


def check(text: str) -> tuple[Outcome, Sink]:
    sink = Sink()
    (outcome,) = check_python(Source("model.py", text), "", sink, Options(inputs=((8, 6, 6),)))
    return outcome, sink


def shapes(value: object) -> object:
    if isinstance(value, Tensor):
        return [size // BATCH * SAMPLES if size % BATCH == 0 else size for size in value.shape]
    if isinstance(value, torch.Tensor):
        return list(value.shape)
    if isinstance(value, Record):
        return [shapes(one) for one in value.values.values()]
    assert isinstance(value, (tuple, list)), value
    return [shapes(one) for one in value]


@pytest.mark.parametrize("line", LINES)
def test_expressions_agree_with_torch(line: str):
    outcome, sink = check(text_of(line))
    names: dict[str, object] = {}
    exec(text_of(line), names)
    net = names["Net"]
    assert isinstance(net, type)
    try:
        with torch.no_grad():
            real = shapes(net().eval()(torch.rand(SAMPLES, 8, 6, 6)))
    except (RuntimeError, ValueError, TypeError, IndexError, AssertionError):
        real = None
    if real is None:
        assert sink.has_errors, outcome.stop or shapes(outcome.output)
        return
    assert not sink.has_errors, [found.message for found in sink.diagnostics]
    assert outcome.stop == ""
    assert shapes(outcome.output) == real


def _classes() -> list[type[Layer]]:
    found = [Layer.find(name) for name in Layer.names()]
    return [
        cls for cls in found if cls is not None and not cls.own and cls.module is None and hasattr(nn, cls.__name__)
    ]


@pytest.mark.parametrize("cls", _classes(), ids=lambda cls: cls.__name__)
def test_arguments_stand_in_torchs_order(cls: type[Layer]):
    real = [name for name in inspect.signature(getattr(nn, cls.__name__)).parameters if name not in ("device", "dtype")]
    ours = torch_order(cls)
    assert [name for name in ours if name in real] == [name for name in real if name in ours]
    assert ours[: len(real)] == [name for name in real if name in ours][: len(ours)]
