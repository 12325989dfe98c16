"""A value of the network is let go as soon as no later statement needs it."""

from __future__ import annotations

import weakref
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

import cnnspec
from tests.torch.modules_by_hand import UNet, UNetPlusPlus


class Watch(TorchDispatchMode):
    """Notes at every operation of torch how many bytes its earlier ones still hold; parameters don't count."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.own = {value.untyped_storage().data_ptr() for value in net.state_dict().values()}
        self.made: list[weakref.ref[torch.Tensor]] = []
        self.bytes: list[int] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        found = func(*args, **(kwargs or {}))
        self.made += [weakref.ref(value) for value in tree_leaves(found) if isinstance(value, torch.Tensor)]
        alive = [value.untyped_storage() for one in self.made if (value := one()) is not None]
        sizes = {storage.data_ptr(): storage.nbytes() for storage in alive}
        self.bytes.append(sum(size for pointer, size in sizes.items() if pointer not in self.own))
        return found


def held(net: nn.Module, *inputs: torch.Tensor) -> list[int]:
    with torch.no_grad(), Watch(net.eval()) as watch:
        net(*inputs)
    return watch.bytes


# Every value has the same size, so that held values can be counted: the most at once, that just made among them. The
# caller of a module holds what it gives it until the module is done, as everywhere in torch.
COUNTS = {
    "a line": ("repeat 6 { Tanh }", 2),
    "names that nobody uses": ("Tanh as a; Tanh as b; Tanh as c; Tanh as d; Tanh as e", 2),
    "a name, until it is used": ("Tanh as a; Tanh; add(a); Tanh; Tanh; Tanh", 3),
    "names, each until it is used": ("for i in range(4) { residual { Tanh; Tanh } }", 3),
    "a tuple, until its parts are used": ("Two as (a, b); use a; add(b); Tanh; Tanh", 3),
    "the one of two parts that goes on": ("Two as (_, b); use b; Tanh; Tanh; Tanh", 3),
    "an argument of a block": ("Tanh as a; Tanh; Gate(a); Tanh; Tanh", 4),
    "a value inside of a module": ("Body as body; Tanh; add(body.deep); Tanh; Tanh", 4),
    "a module that runs again": ("Tanh as a; Tanh; again a; Tanh; again a", 2),
}  # fmt: skip
BLOCKS = """
block Gate(skip) { multiply(skip); Tanh }
block Body { Tanh as deep; Tanh; Tanh }
block Two { tuple { branch { Tanh } branch { Sigmoid } } }
"""


@pytest.mark.parametrize("name", COUNTS)
def test_values_are_let_go(name: str):
    statements, expected = COUNTS[name]
    net = cnnspec.loads(f"{BLOCKS}model M {{ input [256] as x; Tanh as first; {statements} }}", "M").compile()
    found = held(net, torch.randn(1, 256))
    assert max(found) == expected * 256 * 4
    # At the end there is the result, and what the last operation was given.
    assert found[-1] <= 3 * 256 * 4


@pytest.mark.parametrize(
    ("spec", "given", "module"),
    [("unet.cnn", {"width": 4}, lambda: UNet(2, 4)), ("unetpp.cnn", {"width": 4}, UNetPlusPlus)],
)
def test_no_more_is_held_than_by_a_module_written_by_hand(spec: str, given: dict[str, Any], module: Any):
    image = torch.randn(1, 3, 32, 32)
    assert max(held(cnnspec.load(f"specs/{spec}", **given).compile(), image)) <= max(held(module(), image))
