"""The torch modules that networks of cnnspec need and torch.nn lacks.

What branches and merges again (`graph`), the layers of our own (`layers`) and those over sequences (`sequence`). All of
them are plain modules: they can be copied, pickled, compiled, exported and traced, and nothing in here depends on the
rest of cnnspec.
"""

from torch.nn.utils.parametrizations import spectral_norm, weight_norm

from cnnspec.nn.following import Following, InputSizes, Term
from cnnspec.nn.graph import Add, Concat, Matmul, Multiply, Part, Residual, Stack, Step, Tuple
from cnnspec.nn.layers import (
    Abs,
    Chunk,
    Exp,
    LayerScale,
    Log,
    Max,
    Mean,
    PadChannels,
    Permute,
    Select,
    Slice,
    Split,
    Sqrt,
    Std,
    StochasticDepth,
    Sum,
)  # fmt: skip
from cnnspec.nn.sequence import GRU, LSTM, RNN, MultiheadAttention, SelfAttention

SIDE_BY_SIDE = (Add, Concat, Matmul, Multiply, Residual, Tuple)
"""What runs its children side by side, each on the value that arrives."""

__all__ = [
    "GRU", "LSTM", "RNN", "SIDE_BY_SIDE", "Abs", "Add", "Chunk", "Concat", "Exp", "Following", "InputSizes",
    "LayerScale", "Log", "Matmul", "Max", "Mean",
    "MultiheadAttention", "Multiply", "PadChannels", "Part", "Permute", "Residual", "Select", "SelfAttention", "Slice",
    "Split", "Sqrt", "Stack", "Std", "Step", "StochasticDepth", "Sum", "Term", "Tuple", "spectral_norm", "weight_norm",
]  # fmt: skip
