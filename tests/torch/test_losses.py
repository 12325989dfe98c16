"""What is said of a loss and the last layer is borne out by training: where an error stands, torch stops or diverges."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from cnnspec.backends.torch_module import build
from cnnspec.diagnostics import Sink
from cnnspec.pipeline import check
from cnnspec.source import Source

CASES = [
    ("Linear(4)", "BCELoss", "E506"),
    ("Linear(4); Tanh", "BCELoss", "E506"),
    ("Linear(4); ReLU", "BCELoss", "E506"),
    ("Linear(4); Sigmoid; Dropout(0.5)", "BCELoss", "E506"),
    ("Linear(4); add { branch { Sigmoid }; branch { Sigmoid } }", "BCELoss", "E506"),
    ("Linear(4); Sigmoid", "BCELoss", ""),
    ("Linear(4); Softmax(1); Identity", "BCELoss", ""),
    ("Linear(8); Sigmoid; Unflatten(1, (4, 2)); AvgPool1d(2); Flatten", "BCELoss", ""),
    ("Linear(4)", "NLLLoss", "E506"),
    ("Linear(4); ReLU", "NLLLoss", "E506"),
    ("Linear(4); LogSoftmax(1)", "NLLLoss", ""),
    ("Linear(4); Softmax(1)", "NLLLoss", "W201"),
    ("Linear(4); Sigmoid", "NLLLoss", "W201"),
    ("Linear(4); Sigmoid", "CrossEntropyLoss", "W201"),
    ("Linear(4); ReLU", "CrossEntropyLoss", "W201"),
    ("Linear(4); Sigmoid", "BCEWithLogitsLoss", "W201"),
    ("Linear(4); LeakyReLU", "CrossEntropyLoss", ""),
    ("Linear(4)", "BCEWithLogitsLoss", ""),
    ("Linear(4)", "MultiMarginLoss", ""),
    ("Linear(4); ReLU", "MSELoss", ""),
]


def trained(body: str, loss: str) -> float:
    """The loss after 300 steps; raises RuntimeError where torch stops."""
    (graph,) = check(Source("spec.cnn", f"model M {{ input [6]; {body} }}"), Sink())
    torch.manual_seed(0)
    net = build(graph).train()
    criterion: nn.Module = getattr(nn, loss)()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.5)
    inputs, labels = torch.randn(64, 6), torch.randint(4, (64,))
    takes_classes = loss in ("CrossEntropyLoss", "NLLLoss", "MultiMarginLoss")
    targets = labels if takes_classes else nn.functional.one_hot(labels, 4).float()
    value = torch.zeros(())
    for _ in range(300):
        value = criterion(net(inputs), targets)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
    return value.item()


@pytest.mark.parametrize(("body", "loss", "code"), CASES)
def test_errors_are_where_training_fails(body: str, loss: str, code: str):
    sink = Sink()
    check(Source("spec.cnn", f"model M {{ input [6]; {body} }}\ntrain {{ loss = {loss} }}"), sink)
    assert [found.code.id for found in sink.diagnostics] == [code] * bool(code)
    if code != "E506":
        assert -1.001 <= trained(body, loss) < 3
    elif loss == "BCELoss":
        with pytest.raises(RuntimeError, match="between 0 and 1"):
            trained(body, loss)
    else:
        assert trained(body, loss) < -10
