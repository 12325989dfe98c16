"""Layers over sequences and layers in layers: values, keys and gradients are those of the torch module written by hand."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm, weight_norm

import cnnspec

Forward = Callable[[nn.Module, Any], Any]


def outputs(module: nn.Module, x: Tensor) -> Tensor:
    return module(x)[0]  # type: ignore[no-any-return]


def with_state(module: nn.Module, x: Tensor) -> Any:
    y, state = module(x)
    parts = state if isinstance(state, tuple) else (state,)
    moved = tuple(part.transpose(0, 1) for part in parts)
    return y, moved if isinstance(state, tuple) else moved[0]


def over_itself(module: nn.Module, x: Tensor) -> Tensor:
    return module(x, x, x, need_weights=False)[0]  # type: ignore[no-any-return]


def plain(module: nn.Module, x: Tensor) -> Tensor:
    return module(x)  # type: ignore[no-any-return]


LAYERS: list[tuple[str, Callable[[], nn.Module], Forward]] = [
    ("LSTM(5)", lambda: nn.LSTM(6, 5, batch_first=True), outputs),
    (
        "LSTM(5, num_layers=3, dropout=0.4, bidirectional=true)",
        lambda: nn.LSTM(6, 5, 3, batch_first=True, dropout=0.4, bidirectional=True),
        outputs,
    ),
    (
        "LSTM(5, num_layers=2, bidirectional=true, proj_size=2, state=true)",
        lambda: nn.LSTM(6, 5, 2, batch_first=True, bidirectional=True, proj_size=2),
        with_state,
    ),
    ("LSTM(5, bias=false, state=true)", lambda: nn.LSTM(6, 5, bias=False, batch_first=True), with_state),
    (
        "GRU(5, num_layers=2, dropout=0.4, bidirectional=true)",
        lambda: nn.GRU(6, 5, 2, batch_first=True, dropout=0.4, bidirectional=True),
        outputs,
    ),
    ("GRU(5, num_layers=2, state=true)", lambda: nn.GRU(6, 5, 2, batch_first=True), with_state),
    (
        'RNN(5, nonlinearity="relu", num_layers=2, dropout=0.4)',
        lambda: nn.RNN(6, 5, 2, nonlinearity="relu", batch_first=True, dropout=0.4),
        outputs,
    ),
    ("RNN(5, bidirectional=true, state=true)", lambda: nn.RNN(6, 5, bidirectional=True, batch_first=True), with_state),
    ("SelfAttention(3)", lambda: nn.MultiheadAttention(6, 3, batch_first=True), over_itself),
    (
        "SelfAttention(2, dropout=0.3, bias=false)",
        lambda: nn.MultiheadAttention(6, 2, dropout=0.3, bias=False, batch_first=True),
        over_itself,
    ),
    (
        "TransformerEncoderLayer(2, dim_feedforward=8)",
        lambda: nn.TransformerEncoderLayer(6, 2, 8, batch_first=True),
        plain,
    ),
    ("weight_norm(Linear(4))", lambda: weight_norm(nn.Linear(6, 4)), plain),
    ("weight_norm(Conv1d(4, 3), dim=none)", lambda: weight_norm(nn.Conv1d(7, 4, 3), dim=None), plain),  # type: ignore[arg-type]
    (
        "spectral_norm(Linear(4), n_power_iterations=2)",
        lambda: spectral_norm(nn.Linear(6, 4), n_power_iterations=2),
        plain,
    ),
]
EVERY = pytest.mark.parametrize(("statement", "by_hand", "forward"), LAYERS, ids=[line for line, _, _ in LAYERS])


def net_of(statement: str) -> nn.Sequential:
    return cnnspec.loads(f"model M {{ input [7, 6]; {statement} }}").compile()


def flat(y: Any) -> list[Tensor]:
    return [y] if isinstance(y, Tensor) else [part for value in y for part in flat(value)]


def seeded(make: Callable[[], Any]) -> Any:
    torch.manual_seed(0)
    return make()


@EVERY
def test_the_same_as_by_hand(statement: str, by_hand: Callable[[], nn.Module], forward: Forward):
    net = seeded(lambda: net_of(statement))
    expected = seeded(by_hand)
    assert list(net[0].state_dict()) == list(expected.state_dict())
    net[0].load_state_dict(expected.state_dict())
    for training in (True, False):
        x = torch.randn(3, 7, 6, requires_grad=True)
        x_by_hand = x.detach().clone().requires_grad_()
        y = seeded(lambda: net.train(training)(x))  # noqa: B023
        y_by_hand = seeded(lambda: forward(expected.train(training), x_by_hand))  # noqa: B023
        for part, wanted in zip(flat(y), flat(y_by_hand), strict=True):
            torch.testing.assert_close(part, wanted, rtol=1e-5, atol=1e-6)
        sum(part.square().sum() for part in flat(y)).backward()
        sum(part.square().sum() for part in flat(y_by_hand)).backward()
        torch.testing.assert_close(x.grad, x_by_hand.grad, rtol=1e-4, atol=1e-6)
    for name, parameter in net[0].named_parameters():
        torch.testing.assert_close(parameter.grad, expected.get_parameter(name).grad, rtol=1e-4, atol=1e-5)


def test_attention_of_three_values():
    text = (
        "model M { input [5, 6] as q; Linear(4) as m; use (q, m, m); MultiheadAttention(3, dropout=0.2) as attention }"
    )
    net = seeded(lambda: cnnspec.loads(text).compile())
    expected = nn.MultiheadAttention(6, 3, dropout=0.2, kdim=4, vdim=4, batch_first=True)
    expected.load_state_dict(net.attention.state_dict())  # type: ignore[union-attr]
    x = torch.randn(2, 5, 6)
    memory = net.m(x)  # type: ignore[operator]
    y = seeded(lambda: net(x))
    wanted = seeded(lambda: expected(x, memory, memory, need_weights=False)[0])
    torch.testing.assert_close(y, wanted)


@EVERY
def test_copied_pickled_traced_and_exported(statement: str, by_hand: Callable[[], nn.Module], forward: Forward):
    net = net_of(statement).eval()
    x = torch.randn(2, 7, 6)
    wanted = flat(net(x))
    others = [copy.deepcopy(net), torch.jit.trace(net, x, check_trace=False)]
    if "norm(" not in statement:
        # torch 2.13 does not pickle parametrized modules.
        others.append(pickle.loads(pickle.dumps(net)))
        others.append(torch.fx.symbolic_trace(net))
    if "spectral" not in statement:
        others.append(torch.export.export(net, (x,)).module())
    for other in others:
        for part, expected in zip(flat(other(x)), wanted, strict=True):
            torch.testing.assert_close(part, expected)


def test_a_value_of_other_features_is_refused():
    with pytest.raises(RuntimeError, match="a value of 4 features for a layer that reads 6"):
        net_of("LSTM(5)")(torch.zeros(1, 7, 4))


def test_embedding_reads_integers():
    spec = cnnspec.loads("model M { input [20] as tokens; Embedding(1000, 32, padding_idx=0); Mean(1); Linear(2) }")
    net = spec.compile()
    assert net(torch.randint(0, 1000, (3, 20))).shape == (3, 2)
    assert list(net.state_dict()) == ["0.weight", "2.weight", "2.bias"]
    assert spec.parameters == 32_000 + 66
