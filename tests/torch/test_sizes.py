"""Sizes by name and the sizes that work, beside torch."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path

import pytest
import torch

import cnnspec
from tests.sizes.oracle import Oracle, sizes_found

SPECS = Path(__file__).parent.parent.parent / "specs"
FOLLOWING = """
model M {
    input [3, H, W] as x where H >= 12, W >= 32, W % 8 == 0
    MaxPool2d(2)
    Conv2d(8, 3, padding=1) as small
    Upsample(size(x))                           -> [8, H, W]
    Upsample((max(H, 20), in_width // 4 * 2))   -> [8, max(H, 20), W // 2]
    AdaptiveAvgPool2d((4, W // 8))              -> [8, 4, W // 8]
    Slice(0, W // 8 - 2, dim=3)
    Upsample(size(small))                       -> [8, H // 2, W // 2]
    add(small)
}
"""


def runs(net: torch.nn.Module, *shape: int) -> tuple[int, ...] | None:
    try:
        with torch.no_grad():
            return tuple(net(torch.zeros(1, *shape)).shape[1:])
    except RuntimeError:
        return None


def test_one_network_takes_all_sizes():
    net = pickle.loads(pickle.dumps(copy.deepcopy(cnnspec.loads(FOLLOWING).compile().eval())))
    for height, width in [(12, 32), (13, 40), (37, 64), (150, 200)]:
        assert runs(net, 3, height, width) == cnnspec.loads(FOLLOWING, H=height, W=width).output


@pytest.mark.parametrize("name", ["lenet", "squeezenet", "tcn"])
def test_sizes_that_work_are_those_that_torch_takes(name: str):
    path = SPECS / f"{name}.cnn"
    oracle = Oracle(path.read_text(), str(path))
    holding = oracle.holding()
    works = sizes_found(holding)
    torch.manual_seed(0)
    net = cnnspec.load(path, model=oracle.graph.name).compile().eval()
    channels = oracle.graph.inputs[0].shape[0]
    several = {28, 31, 27, 32, 108, 12, 15, 16, 17, 21, 40}
    for sizes in [(a, b) for a in several for b in (28, 12, 111, 30, 16)]:
        shape = (channels, *sizes) if len(holding.grid.names) == 2 and len(oracle.graph.inputs[0].shape) == 3 else sizes
        assert works(sizes) == (runs(net, *shape) is not None), shape
