"""The torch modules that networks of cnnspec need and torch.nn lacks.

What branches and merges again (`graph`), and the layers of our own (`layers`). All of them are plain modules: they can be
copied, pickled, compiled, exported and traced, and nothing in here depends on the rest of cnnspec.
"""

from cnnspec.nn.graph import Add, Concat, Matmul, Multiply, Part, Residual, Stack, Step, Tuple
from cnnspec.nn.layers import LayerScale, Permute, Slice, StochasticDepth

__all__ = [
    "Add", "Concat", "LayerScale", "Matmul", "Multiply", "Part", "Permute", "Residual", "Slice", "Stack", "Step",
    "StochasticDepth", "Tuple",
]  # fmt: skip
