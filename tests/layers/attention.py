"""Cases of cnnspec/layers/attention.py."""

from __future__ import annotations

import random

from cnnspec.layers.base import Parts

from ._draw import Case, edge, flag, some
from ._shapes import any_shape

ACCEPTED = """
SelfAttention(1)  [5, 3] -> [5, 3]
SelfAttention(num_heads=4, dropout=0.1, bias=false)  [20, 8] -> [20, 8]
SelfAttention(2, embed_dim=4)  [1, 4] -> [1, 4]
MultiheadAttention(2)  [[5, 4], [7, 4], [7, 4]] -> [5, 4]
MultiheadAttention(2, embed_dim=4)  [[5, 4], [7, 6], [7, 3]] -> [5, 4]
MultiheadAttention(1, dropout=0.5, bias=false)  [[5, 4], [1, 4], [1, 4]] -> [5, 4]
MultiheadAttention(4, add_bias_kv=true, add_zero_attn=true)  [[5, 4], [7, 4], [7, 8]] -> [5, 4]
MultiheadAttention(1, kdim=6, vdim=3)  [[5, 4], [7, 6], [7, 3]] -> [5, 4]
TransformerEncoderLayer(2)  [5, 4] -> [5, 4]
TransformerEncoderLayer(4, dim_feedforward=3, dropout=0, activation="gelu", norm_first=true)  [1, 8] -> [1, 8]
TransformerEncoderLayer(nhead=1, bias=false, layer_norm_eps=0.1, d_model=3, dim_feedforward=2)  [5, 3] -> [5, 3]
"""

REJECTED = """
SelfAttention  [5, 3]  E112 num_heads
SelfAttention(0)  [5, 3]  E116 num_heads
SelfAttention(2)  [5, 3]  E205 num_heads
SelfAttention(1)  [3]  E201 -
SelfAttention(1)  [3, 4, 5]  E201 -
SelfAttention(1, dropout=2)  [5, 3]  E116 dropout
SelfAttention(1, embed_dim=4)  [5, 3]  E203 embed_dim
MultiheadAttention  [[5, 4], [7, 4], [7, 4]]  E112 num_heads
MultiheadAttention(4, 2)  [[5, 4], [7, 4], [7, 4]]  E127 -
MultiheadAttention(3)  [[5, 4], [7, 4], [7, 4]]  E205 num_heads
MultiheadAttention(-2)  [[5, 4], [7, 4], [7, 4]]  E116 num_heads
MultiheadAttention(2)  [[5, 4], [7, 4], [6, 4]]  E210 -
MultiheadAttention(2)  [[5, 4], [4], [4]]  E201 -
MultiheadAttention(2)  [[5, 4], [7, 4]]  E133 -
MultiheadAttention(2)  [5, 4]  E133 -
MultiheadAttention(2, embed_dim=6)  [[5, 4], [7, 4], [7, 4]]  E203 embed_dim
MultiheadAttention(2, kdim=3)  [[5, 4], [7, 4], [7, 4]]  E203 kdim
MultiheadAttention(2, vdim=3)  [[5, 4], [7, 4], [7, 4]]  E203 vdim
MultiheadAttention(2, kdim=0)  [[5, 4], [7, 4], [7, 4]]  E116 kdim
MultiheadAttention(2, dropout=-0.5)  [[5, 4], [7, 4], [7, 4]]  E116 dropout
MultiheadAttention(2, bias=none)  [[5, 4], [7, 4], [7, 4]]  E115 bias
TransformerEncoderLayer  [5, 4]  E112 nhead
TransformerEncoderLayer(3)  [5, 4]  E205 nhead
TransformerEncoderLayer(0)  [5, 4]  E116 nhead
TransformerEncoderLayer(2)  [4]  E201 -
TransformerEncoderLayer(2, d_model=8)  [5, 4]  E203 d_model
TransformerEncoderLayer(4, 2)  [5, 4]  E127 -
TransformerEncoderLayer(2, dim_feedforward=0)  [5, 4]  E116 dim_feedforward
TransformerEncoderLayer(2, dropout=1.1)  [5, 4]  E116 dropout
TransformerEncoderLayer(2, activation="tanh")  [5, 4]  E116 activation
TransformerEncoderLayer(2, layer_norm_eps="small")  [5, 4]  E115 layer_norm_eps
"""


def heads(rng: random.Random, width: int) -> int:
    """Heads that mostly divide a width."""
    fitting = [count for count in range(1, width + 1) if width % count == 0]
    return rng.choice(fitting) if rng.random() < 0.8 else rng.randint(0, 5)


def sequence(rng: random.Random) -> tuple[int, ...]:
    return any_shape(rng, 2, 2) if rng.random() < 0.92 else any_shape(rng, 1, 3)


def self_attention(rng: random.Random) -> Case:
    x = sequence(rng)
    dropout = edge(rng, (0.0, 0, 0.5, 1), (-0.1, 1.1), 0.15)
    return {"num_heads": heads(rng, x[-1])} | some(rng, dropout=dropout, bias=flag(rng)), x


def multihead(rng: random.Random) -> Case:
    arguments, query = self_attention(rng)
    key, value = sequence(rng), sequence(rng)
    if rng.random() < 0.9:
        value = (key[0], *value[1:])
    if flag(rng):
        key, value = (*key[:-1], query[-1]), (*value[:-1], query[-1])
    flags = some(rng, add_bias_kv=flag(rng), add_zero_attn=flag(rng))
    if flag(rng):
        flags |= some(rng, kdim=edge(rng, (key[-1],), (key[-1] + 1, 0), 0.1), vdim=edge(rng, (value[-1],), (9,), 0.1))
    return arguments | flags, Parts((query, key, value))


def encoder(rng: random.Random) -> Case:
    x = sequence(rng)
    optional = {
        "dropout": edge(rng, (0.0, 0, 0.5, 1), (-0.1, 1.1), 0.1),
        "activation": edge(rng, ("relu", "gelu"), ("tanh",), 0.1),
        "layer_norm_eps": rng.choice((1e-5, 1, 0.1)),
        "norm_first": flag(rng),
        "bias": flag(rng),
    }
    required = {"nhead": heads(rng, x[-1]), "dim_feedforward": edge(rng, (1, 2, 5), (0, -1))}
    return required | some(rng, **optional), x


GENERATORS = {"SelfAttention": self_attention, "MultiheadAttention": multihead, "TransformerEncoderLayer": encoder}
