"""torch bears out what the warnings say of `inplace=true`."""

from __future__ import annotations

import pytest
import torch

from cnnspec.backends.torch_module import build
from cnnspec.diagnostics import Sink
from cnnspec.pipeline import check
from cnnspec.source import Source
from tests.test_lint import codes_of


@pytest.mark.parametrize(
    ("first", "second", "warned"),
    [
        ("ReLU", "Dropout(0.5, true)", True),
        ("Sigmoid", "ReLU(true)", True),
        ("Tanh", "Hardswish(true)", True),
        ("Softmax(1)", "ReLU(true)", True),
        ("ELU(1.0, true)", "ReLU(true)", True),
        ("ELU", "ReLU(true)", False),
        ("GELU", "Dropout(0.5, true)", False),
        ("BatchNorm1d", "ReLU(true)", False),
        ("Dropout", "ReLU(true)", False),
        ("PReLU", "ReLU(true)", False),
        ("Identity", "LeakyReLU(-0.1, true)", True),
        ("Identity", "ELU(-1.0, true)", True),
        ("Identity", "CELU(-1.0, true)", True),
        ("Identity", "RReLU(-0.5, 0.1, true)", False),
    ],
)
def test_torch_fails_where_the_warning_says_so(first: str, second: str, warned: bool):
    text = f"model M {{ input [4]; Linear(4); {first}; {second} }}"
    assert ("W219" in codes_of(text)) == warned
    (graph,) = check(Source("spec.cnn", text), Sink())
    result = build(graph).train()(torch.randn(3, 4)).sum()
    if warned:
        with pytest.raises(RuntimeError, match=r"(?i)in-?place"):
            result.backward()
    else:
        result.backward()


def test_torch_sums_what_was_overwritten():
    x = torch.tensor([[-1.0, 2.0]])
    for argument, expected in (("", [[-1.0, 4.0]]), ("(inplace=true)", [[0.0, 4.0]])):
        text = f"model M {{ input [2]; residual {{ ReLU{argument} }} }}"
        assert codes_of(text) == (["W218"] if argument else [])
        (graph,) = check(Source("spec.cnn", text), Sink())
        assert build(graph)(x.clone()).tolist() == expected
