"""Cases of cnnspec/layers/wrap.py."""

from __future__ import annotations

import random

from cnnspec import layers
from cnnspec.layers import Layer

from ._draw import Case, edge, some

ACCEPTED = """
weight_norm(Conv2d(8, 3))  [3, 8, 8] -> [8, 6, 6]
weight_norm(Linear(4, bias=false), dim=1)  [3] -> [4]
weight_norm(ConvTranspose1d(4, 3), dim=none)  [2, 8] -> [4, 10]
weight_norm(layer=Conv1d(4, 3, groups=2), dim=-1)  [2, 8] -> [4, 6]
weight_norm(Conv3d(2, 1), name="weight", dim=2)  [2, 8, 8, 8] -> [2, 8, 8, 8]
spectral_norm(Conv2d(8, 3, padding=1))  [3, 8, 8] -> [8, 8, 8]
spectral_norm(Linear(4), n_power_iterations=3, eps=0.001, dim=1)  [3] -> [4]
spectral_norm(ConvTranspose2d(4, 2))  [3, 2, 2] -> [4, 3, 3]
"""

REJECTED = """
weight_norm  [3]  E112 layer
weight_norm(3)  [3]  E115 layer
weight_norm(ReLU)  [3]  E210 layer
weight_norm(Linear(4), dim=2)  [3]  E211 dim
weight_norm(Linear(4), dim=-3)  [3]  E211 dim
weight_norm(Linear(4), dim=0.5)  [3]  E115 dim
weight_norm(Linear(4), name="bias")  [3]  E116 name
weight_norm(Linear(4, in_features=5))  [3]  E203 layer
weight_norm(Conv2d(4, 9))  [3, 8, 8]  E204 kernel_size
spectral_norm  [3]  E112 layer
spectral_norm(true)  [3]  E115 layer
spectral_norm(Flatten)  [3]  E210 layer
spectral_norm(Linear(4), n_power_iterations=0)  [3]  E116 n_power_iterations
spectral_norm(Linear(4), dim=2)  [3]  E211 dim
spectral_norm(Linear(4), name=none)  [3]  E115 name
spectral_norm(Linear(4), eps="small")  [3]  E115 eps
"""


def inner(rng: random.Random) -> tuple[Layer, tuple[int, ...], int]:
    """A layer, an input for it, and the number of dimensions of its weight; now and then a layer without any."""
    kind, out, bias = rng.choice(("Linear", "Conv", "ConvTranspose", "Identity")), rng.randint(1, 4), rng.random() < 0.5
    if kind == "Identity" or kind == "Linear":
        layer = layers.find(kind)
        assert layer is not None
        made = layer(out, bias=bias) if kind == "Linear" else layer()
        return made, tuple(rng.randint(1, 4) for _ in range(rng.randint(1, 3))), 2
    rank = rng.randint(1, 3)
    layer = layers.find(f"{kind}{rank}d")
    assert layer is not None
    return layer(out, rng.randint(1, 3), bias=bias), (rng.randint(1, 4), *[rng.randint(2, 5)] * rank), rank + 2


def weight(rng: random.Random) -> Case:
    layer, x, dims = inner(rng)
    dim = rng.choice((None, 0, 1, -1, -2, dims - 1, dims))
    return {"layer": layer} | some(rng, name=edge(rng, ("weight",), ("bias",)), dim=dim), x


def spectral(rng: random.Random) -> Case:
    arguments, x = weight(rng)
    return arguments | some(rng, n_power_iterations=rng.choice((1, 2, 0)), eps=rng.choice((1e-12, 0.1))), x


GENERATORS = {"weight_norm": weight, "spectral_norm": spectral}
