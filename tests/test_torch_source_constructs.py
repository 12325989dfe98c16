"""Constructs of Python and of libraries that model files use: each is followed, to torch's shape and count."""

from __future__ import annotations

import pytest

from cnnspec.diagnostics import Sink
from cnnspec.source import Source
from cnnspec.torch_source.check import Options, check_python
from cnnspec.torch_source.describe import describe

HEAD = """
import dataclasses
import functools
from collections import defaultdict
import pytorch_lightning as pl
import torch
import torch.nn as nn
from torch.nn.modules.utils import _pair


@dataclasses.dataclass
class Config:
    width: int = 4


class Swish(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * torch.sigmoid(x)


def twice(function):
    @functools.wraps(function)
    def inner(*args, **kwargs):
        return function(function(*args, **kwargs))
    return inner


@twice
def halved(x):
    return x[:, : x.shape[1] // 2]
"""
CASES = {
    "defaultdict": ("d = defaultdict(int)\nd['a'] += 8\nself.a = nn.Conv2d(3, d['a'], 3)", "x = self.a(x)"),
    "sort": ("w = [16, 8]\nw.sort(reverse=True)\nself.a = nn.Conv2d(3, w[1], 3)", "x = self.a(x)"),
    "pair": ("self.a = nn.Conv2d(3, 8, _pair(3))", "x = self.a(x)"),
    "replace": ("self.a = nn.Conv2d(3, dataclasses.replace(Config(), width=8).width, 3)", "x = self.a(x)"),
    "autograd.Function": ("self.a = nn.Conv2d(3, 8, 3)", "x = Swish.apply(self.a(x))"),
    "decorator": ("self.a = nn.Conv2d(3, 32, 3)", "x = halved(self.a(x))"),
    "einsum": (
        "self.a = nn.Conv2d(3, 8, 3)\nself.w = nn.Parameter(torch.zeros(8, 8))",
        'x = torch.einsum("oc,...chw->...ohw", self.w, self.a(x))',
    ),
    "instance norm": ("self.a = nn.Conv2d(3, 8, 3)\nself.n = nn.InstanceNorm2d(5)", "x = self.n(self.a(x))"),
    "training": ("self.a = nn.Conv2d(3, 8, 3)\nself.training = True", "x = (x if self.training else self.a(x))"),
}  # fmt: skip
LIGHTNING = """
class Net(pl.LightningModule):
    def __init__(self, width=8, **more):
        super().__init__()
        self.save_hyperparameters(ignore=["more"])
        self.a = nn.Conv2d(3, self.hparams.width, 3)

    def forward(self, x):
        return self.a(x)

    def training_step(self, batch, index):
        return self.loss(batch)
"""


def checked(text: str) -> str:
    sink = Sink()
    (outcome,) = check_python(Source("model.py", HEAD + text), "", sink, Options("Net", ((3, 32, 32),)))
    assert [found.message for found in sink.diagnostics if found.severity == "error"] == []
    return describe(outcome, "model.py")


@pytest.mark.parametrize("name", CASES)
def test_what_is_followed(name: str):
    init, forward = CASES[name]
    lines = ["class Net(nn.Module):", "    def __init__(self):", "        super().__init__()"]
    lines += [f"        {line}" for line in init.split("\n")]
    text = "\n".join([*lines, "    def forward(self, x):", f"        {forward}", "        return x", ""])
    assert "-> [8, 30, 30]" in checked(text)


@pytest.mark.parametrize("init", ["w = [4]\nw.sort(key=len)", "t = (1, 2)\nt.__len__()"])
def test_what_is_not_followed_is_no_error(init: str):
    lines = ["class Net(nn.Module):", "    def __init__(self):", "        super().__init__()"]
    lines += [f"        {line}" for line in init.split("\n")]
    assert "not followed" in checked("\n".join([*lines, "    def forward(self, x):", "        return x", ""]))


def test_lightning_modules():
    assert checked(LIGHTNING) == "model.py: Net  [3, 32, 32] -> [8, 30, 30]  224 parameters"
