"""Values of a Keras network on their way to PyTorch: which axis is which, and how large they are.

Keras has the channels last, PyTorch first. An image, a volume or a sequence under a convolution is turned around where it
comes in; what is laid out in Keras' order, for a Flatten or a Dense layer, is turned back there.
"""

from __future__ import annotations

from cnnspec.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    Config = Mapping[str, Any]


class Unread(Exception):
    """What is not read of a layer."""


@record
class Value:
    """An expression, its shape as Keras has it, without the batch, and whether its channels have been put in front."""

    text: str
    shape: tuple[int, ...]
    first: bool = False

    @property
    def sizes(self) -> tuple[int, ...]:
        """The sizes besides the channels."""
        return self.shape[:-1]

    @property
    def channels(self) -> int:
        return self.shape[-1]


def channels_first(value: Value) -> Value:
    """A value with its channels in front."""
    rank = len(value.shape)
    if value.first or rank < 2:
        return Value(value.text, value.shape, first=True)
    return Value(f"{value.text}.permute(0, {rank}, {', '.join(map(str, range(1, rank)))})", value.shape, first=True)


def as_in_keras(value: Value) -> Value:
    """A value with its channels behind."""
    rank = len(value.shape)
    if not value.first or rank < 2:
        return Value(value.text, value.shape)
    return Value(f"{value.text}.permute(0, {', '.join(map(str, range(2, rank + 1)))}, 1)", value.shape)


_ACTIVATIONS = {
    "relu": "F.relu({})", "sigmoid": "torch.sigmoid({})", "tanh": "torch.tanh({})", "elu": "F.elu({})", "selu": "F.selu({})",
    "gelu": "F.gelu({})", "swish": "F.silu({})", "silu": "F.silu({})", "softplus": "F.softplus({})", "relu6": "F.relu6({})",
    "softsign": "F.softsign({})", "mish": "F.mish({})", "exponential": "torch.exp({})", "leaky_relu": "F.leaky_relu({}, 0.2)",
    "hard_swish": "F.hardswish({})", "hard_silu": "F.hardswish({})",
}  # fmt: skip


def activated(value: Value, name: Any) -> Value:
    """A value behind an activation by its name."""
    if isinstance(name, dict):
        name = name.get("config") if isinstance(name.get("config"), str) else name.get("class_name")
    if name in (None, "linear"):
        return value
    if name == "softmax":
        dim = 1 if value.first else len(value.shape)
        return Value(f"F.softmax({value.text}, dim={dim})", value.shape, value.first)
    if name not in _ACTIVATIONS:
        raise Unread(f"the activation {name!r}")
    return Value(_ACTIVATIONS[name].format(value.text), value.shape, value.first)


def per_axis(numbers: tuple[int, ...]) -> str:
    """Numbers of the axes, as one where they are equal."""
    return repr(numbers[0] if len(set(numbers)) == 1 else tuple(numbers))


def numbers(value: Any, rank: int) -> tuple[int, ...]:
    """An argument that has a number for each axis."""
    found = tuple(value) if isinstance(value, (list, tuple)) else (value,) * rank
    if len(found) != rank or not all(isinstance(one, int) and one > 0 for one in found):
        raise Unread(f"the argument {value!r}")
    return found
