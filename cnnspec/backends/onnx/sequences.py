"""Recurrent layers and attention as ONNX nodes."""

from __future__ import annotations

import numpy as np

from cnnspec.backends.onnx.emit import emit, limits
from cnnspec.backends.onnx.writer import Place, Unwritable
from cnnspec.layers.attention import MultiheadAttention, SelfAttention, TransformerEncoderLayer
from cnnspec.layers.recurrent import GRU, LSTM, RNN, _Recurrent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

# The gates of torch in the order of ONNX: input, output, forget, cell; update, reset, hidden.
GATES: dict[type, tuple[int, ...]] = {LSTM: (0, 3, 1, 2), GRU: (1, 0, 2), RNN: (0,)}


def _gates(layer: _Recurrent, values: Any) -> Any:
    """Rows of torch's gates in the order of ONNX."""
    parts = np.split(values, len(GATES[type(layer)]))
    return np.concatenate([parts[index] for index in GATES[type(layer)]])


@limits.register(_Recurrent)
def _recurrent_limits(layer: _Recurrent, x: Any) -> None:
    if layer.proj_size:
        raise Unwritable("proj_size is not written")


@emit.register(_Recurrent)
def _recurrent(layer: _Recurrent, at: Place) -> Any:
    x = at.op("Transpose", at.given, perm=[1, 0, 2])
    states: list[list[str]] = []
    for number in range(layer.num_layers):
        x, *state = _one(layer, at, number, x)
        states.append(state)
    y = at.op("Transpose", x, perm=[1, 0, 2])
    if not layer.state:
        return y
    kept = []
    for each in zip(*states):
        whole = each[0] if len(each) == 1 else at.op("Concat", *each, axis=0)
        kept.append(at.op("Transpose", whole, perm=[1, 0, 2]))
    return y, (tuple(kept) if len(kept) > 1 else kept[0])


def _one(layer: _Recurrent, at: Place, number: int, x: str) -> list[str]:
    """One layer of several, both directions of it: its outputs with the steps in front, and its states."""
    endings = ["", "_reverse"][: layer.directions]

    def stacked(name: str) -> Any:
        return np.stack([_gates(layer, at.tensor(f"{name}_l{number}{ending}")) for ending in endings])

    weights = [at.constant(stacked("weight_ih")), at.constant(stacked("weight_hh"))]
    if layer.bias:
        weights.append(at.constant(np.concatenate([stacked("bias_ih"), stacked("bias_hh")], axis=1)))
    options: dict[str, Any] = {
        "hidden_size": layer.hidden_size,
        "direction": "bidirectional" if layer.bidirectional else "forward",
    }
    if isinstance(layer, GRU):
        options["linear_before_reset"] = 1
    if isinstance(layer, RNN):
        options["activations"] = [layer.nonlinearity.capitalize()] * layer.directions
    kind = type(layer).__name__
    y, *state = at.op(kind, x, *weights, outputs=3 if kind == "LSTM" else 2, **options)
    # Steps, directions, batch, features.
    moved = at.op("Transpose", y, perm=[0, 2, 1, 3])
    return [at.op("Reshape", moved, at.sizes(0, 0, layer.directions * layer.hidden_size)), *state]


# --- attention ---


@emit.register(SelfAttention)
def _self_attention(layer: SelfAttention, at: Place) -> str:
    return _attention(at, "", (at.given,) * 3, layer.num_heads, (at.x,) * 3)


@emit.register(MultiheadAttention)
def _multihead(layer: MultiheadAttention, at: Place) -> str:
    return _attention(at, "", at.given, layer.num_heads, at.x)


@limits.register(MultiheadAttention)
def _multihead_limits(layer: MultiheadAttention, x: Any) -> None:
    if layer.add_bias_kv or layer.add_zero_attn:
        raise Unwritable("add_bias_kv and add_zero_attn are not written")


def _attention(at: Place, prefix: str, given: Sequence[str], heads: int, shapes: Any) -> str:
    """Scaled dot products of queries and keys, as weights of the values."""
    width = shapes[0][-1]
    each = width // heads
    steps = [shape[0] for shape in shapes]
    parts = []
    for number, (name, x) in enumerate(zip("qkv", given)):
        y = at.op("MatMul", x, at.constant(_projection(at, prefix, number, name).T))
        if at.has(f"{prefix}in_proj_bias"):
            bias = at.tensor(f"{prefix}in_proj_bias")[number * width : (number + 1) * width]
            y = at.op("Add", y, at.constant(bias))
        cut = at.op("Reshape", y, at.sizes(-1, steps[number], heads, each))
        parts.append(at.op("Transpose", cut, perm=[0, 2, 3, 1] if name == "k" else [0, 2, 1, 3]))
    query, key, value = parts
    scores = at.op("MatMul", at.op("Mul", query, at.constant(each**-0.5)), key)
    mixed = at.op("MatMul", at.op("Softmax", scores, axis=-1), value)
    joined = at.op("Reshape", at.op("Transpose", mixed, perm=[0, 2, 1, 3]), at.sizes(-1, steps[0], width))
    y = at.op("MatMul", joined, at.constant(at.tensor(f"{prefix}out_proj.weight").T))
    return str(at.op("Add", y, at.weight(f"{prefix}out_proj.bias")) if at.has(f"{prefix}out_proj.bias") else y)


def _projection(at: Place, prefix: str, number: int, name: str) -> Any:
    """The matrix of queries, keys or values."""
    if at.has(f"{prefix}in_proj_weight"):
        return np.split(at.tensor(f"{prefix}in_proj_weight"), 3)[number]
    return at.tensor(f"{prefix}{name}_proj_weight")


@emit.register(TransformerEncoderLayer)
def _encoder(layer: TransformerEncoderLayer, at: Place) -> str:
    def norm(number: int, x: str) -> str:
        bias = [at.weight(f"norm{number}.bias")] if layer.bias else []
        weight = at.weight(f"norm{number}.weight")
        return str(at.op("LayerNormalization", x, weight, *bias, axis=-1, epsilon=float(layer.layer_norm_eps)))

    def linear(name: str, x: str) -> str:
        y = at.op("MatMul", x, at.constant(at.tensor(f"{name}.weight").T))
        return str(at.op("Add", y, at.weight(f"{name}.bias")) if layer.bias else y)

    def attend(x: str) -> str:
        return _attention(at, "self_attn.", (x,) * 3, layer.nhead, (at.x,) * 3)

    def feed(x: str) -> str:
        return linear("linear2", at.op("Relu" if layer.activation == "relu" else "Gelu", linear("linear1", x)))

    if layer.norm_first:
        x = at.op("Add", at.given, attend(norm(1, at.given)))
        return str(at.op("Add", x, feed(norm(2, x))))
    x = norm(1, at.op("Add", at.given, attend(at.given)))
    return norm(2, at.op("Add", x, feed(x)))
