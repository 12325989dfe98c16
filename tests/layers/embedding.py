"""Cases of cnnspec/layers/embedding.py."""

from __future__ import annotations

import random

from ._draw import Case, edge, flag, some
from ._shapes import any_shape

ACCEPTED = """
Embedding(10, 3)  [5] -> [5, 3]
Embedding(num_embeddings=1, embedding_dim=1)  [2, 3, 4] -> [2, 3, 4, 1]
Embedding(10, 3, 0)  [5] -> [5, 3]
Embedding(10, 3, -10)  [5] -> [5, 3]
Embedding(10, 3, padding_idx=9, max_norm=1, norm_type=1.5, scale_grad_by_freq=true)  [5, 2] -> [5, 2, 3]
"""

REJECTED = """
Embedding  [5]  E112 num_embeddings
Embedding(10)  [5]  E112 embedding_dim
Embedding(0, 3)  [5]  E116 num_embeddings
Embedding(10, 0)  [5]  E116 embedding_dim
Embedding(10, 3, 10)  [5]  E116 padding_idx
Embedding(10, 3, -11)  [5]  E116 padding_idx
Embedding(10, 3, 0.5)  [5]  E115 padding_idx
Embedding(10, 3, max_norm="large")  [5]  E115 max_norm
Embedding(10, 3, norm_type=none)  [5]  E115 norm_type
Embedding(10, 3, sparse=1)  [5]  E115 sparse
Embedding(10, 3, scale_grad_by_freq=true, sparse=true)  [5]  E210 scale_grad_by_freq
"""


def embedding(rng: random.Random) -> Case:
    count = edge(rng, (1, 2, 5), (0, -1), 0.15)
    optional = {
        "padding_idx": rng.choice((None, 0, count - 1, -count, count, -count - 1)),
        "max_norm": rng.choice((None, 1, 0.5)),
        "norm_type": rng.choice((1, 2.0, 1.5)),
        "scale_grad_by_freq": flag(rng),
        "sparse": flag(rng),
    }
    return {"num_embeddings": count, "embedding_dim": edge(rng, (1, 3), (0, -2), 0.15)} | some(
        rng, **optional
    ), any_shape(rng)


GENERATORS = {"Embedding": embedding}
