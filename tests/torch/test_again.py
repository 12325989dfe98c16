"""`again` runs what is labelled: layers, blocks, merges, and loops and conditions that a label makes modules."""

from __future__ import annotations

import pytest
import torch

import cnnspec


@pytest.mark.parametrize(
    "statement",
    [
        "Linear(4)",
        "Unit",
        "residual { Linear(4) }",
        "add { branch { Linear(4) } branch { } }",
        "repeat 2 { Linear(4); ReLU }",
        "for i in range(2) { Linear(4) }",
        "if true { Linear(4); ReLU }",
    ],
)
def test_a_labelled_module_runs_twice_with_the_same_weights(statement: str):
    text = f"block Unit {{ Linear(4) }} model M {{ input [4] as a; {statement} as x; use a; again x; add(x) }}"
    net = cnnspec.loads(text.replace("} model", "}\nmodel")).compile()
    values = torch.randn(3, 4)
    assert torch.equal(net(values), 2 * net.x(values))
    assert all(key.startswith("x.") for key in net.state_dict())
