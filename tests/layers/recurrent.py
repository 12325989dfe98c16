"""Cases of cnnspec/layers/recurrent.py."""

from __future__ import annotations

import random

from ._draw import Case, edge, flag, some
from ._shapes import any_shape

ACCEPTED = """
LSTM(32)  [20, 12] -> [20, 32]
LSTM(32, bidirectional=true)  [20, 12] -> [20, 64]
LSTM(hidden_size=3, num_layers=4, bias=false, dropout=0.5)  [1, 1] -> [1, 3]
LSTM(8, num_layers=2, bidirectional=true, proj_size=3)  [5, 4] -> [5, 6]
LSTM(8, state=true)  [5, 4] -> [[5, 8], [[1, 8], [1, 8]]]
LSTM(8, num_layers=2, bidirectional=true, proj_size=3, state=true)  [5, 4] -> [[5, 6], [[4, 3], [4, 8]]]
LSTM(2, input_size=3)  [5, 3] -> [5, 2]
GRU(32)  [20, 12] -> [20, 32]
GRU(4, num_layers=2, bias=false, bidirectional=true)  [20, 12] -> [20, 8]
GRU(4, num_layers=3, state=true)  [20, 12] -> [[20, 4], [3, 4]]
GRU(4, dropout=1)  [20, 12] -> [20, 4]
RNN(32)  [20, 12] -> [20, 32]
RNN(4, nonlinearity="relu", num_layers=2, bidirectional=true)  [20, 12] -> [20, 8]
RNN(4, bias=false, state=true, bidirectional=true)  [20, 12] -> [[20, 8], [2, 4]]
"""

REJECTED = """
LSTM  [20, 12]  E112 hidden_size
LSTM(0)  [20, 12]  E116 hidden_size
LSTM(32)  [12]  E201 -
LSTM(32)  [3, 20, 12]  E201 -
LSTM(12, 32)  [20, 12]  E127 -
LSTM(32, num_layers=0)  [20, 12]  E116 num_layers
LSTM(32, dropout=1.5)  [20, 12]  E116 dropout
LSTM(32, dropout=true)  [20, 12]  E115 dropout
LSTM(32, bidirectional=1)  [20, 12]  E115 bidirectional
LSTM(32, bias=0)  [20, 12]  E115 bias
LSTM(32, proj_size=-1)  [20, 12]  E116 proj_size
LSTM(32, proj_size=32)  [20, 12]  E210 proj_size
LSTM(32, proj_size=33)  [20, 12]  E210 proj_size
LSTM(32, input_size=11)  [20, 12]  E203 input_size
LSTM(32, state="h")  [20, 12]  E115 state
LSTM(32, batch_first=true)  [20, 12]  E111 batch_first
GRU  [20, 12]  E112 hidden_size
GRU(-1)  [20, 12]  E116 hidden_size
GRU(4)  [20]  E201 -
GRU(4, proj_size=2)  [20, 12]  E111 proj_size
GRU(4, num_layers=-1)  [20, 12]  E116 num_layers
GRU(4, dropout=-0.1)  [20, 12]  E116 dropout
RNN  [20, 12]  E112 hidden_size
RNN(4)  [2, 20, 12]  E201 -
RNN(0)  [20, 12]  E116 hidden_size
RNN(4, num_layers=0)  [20, 12]  E116 num_layers
RNN(4, dropout=2)  [20, 12]  E116 dropout
RNN(4, nonlinearity="sigmoid")  [20, 12]  E116 nonlinearity
RNN(4, nonlinearity=none)  [20, 12]  E115 nonlinearity
"""


def recurrent(rng: random.Random) -> Case:
    x = any_shape(rng, 2, 2) if rng.random() < 0.9 else any_shape(rng, 1, 3)
    optional = {
        "num_layers": edge(rng, (1, 2, 3), (0, -1), 0.1),
        "bias": flag(rng),
        "dropout": edge(rng, (0.0, 0, 0.5, 1), (-0.1, 1.1), 0.15),
        "bidirectional": flag(rng),
        "state": flag(rng),
    }
    return {"hidden_size": edge(rng, (1, 2, 3, 5), (0, -1), 0.1)} | some(rng, **optional), x


def lstm(rng: random.Random) -> Case:
    arguments, x = recurrent(rng)
    return arguments | some(rng, proj_size=rng.choice((0, 0, 1, 1, 2, 3, -1))), x


def rnn(rng: random.Random) -> Case:
    arguments, x = recurrent(rng)
    return arguments | some(rng, nonlinearity=edge(rng, ("tanh", "relu"), ("gelu",), 0.2)), x


GENERATORS = {"LSTM": lstm, "GRU": recurrent, "RNN": rnn}
