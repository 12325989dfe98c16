"""Layers over sequences [batch, time, features]: recurrent ones and attention, with the keys of torch's own.

Each takes one argument, a tensor or a tuple of tensors, and gives what a network goes on with. torch's modules hold the
parameters; what they compute is called as one function, so that a symbolic trace sees one step.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, fx, nn
from torch.nn import functional as F

if TYPE_CHECKING:
    from collections.abc import Callable

    State = Tensor | tuple[Tensor, Tensor]
    Mixin = nn.RNNBase
else:
    Mixin = object


def _recurrent(x: Tensor, weights: list[Tensor], mode: str, options: tuple[Any, ...]) -> tuple[Tensor, State]:
    """The outputs of a recurrent layer and its last state, with the batch in front."""
    has_bias, layers, dropout, training, bidirectional, hidden_size, proj_size = options
    # torch 2.13 reads behind the end of a weight that does not fit, without a check.
    if x.shape[-1] != weights[0].shape[1]:
        raise RuntimeError(f"a value of {x.shape[-1]} features for a layer that reads {weights[0].shape[1]}")
    count = layers * (2 if bidirectional else 1)
    h = x.new_zeros(count, x.shape[0], proj_size or hidden_size)
    rest = (weights, has_bias, layers, dropout, training, bidirectional, True)
    if mode == "LSTM":
        y, h, c = torch.lstm(x, (h, x.new_zeros(count, x.shape[0], hidden_size)), *rest)
        return y, (h.transpose(0, 1), c.transpose(0, 1))
    run: Callable[..., tuple[Tensor, Tensor]] = {
        "GRU": torch.gru,
        "RNN_TANH": torch.rnn_tanh,
        "RNN_RELU": torch.rnn_relu,
    }[mode]
    y, h = run(x, h, *rest)
    return y, h.transpose(0, 1)


fx.wrap("_recurrent")


class _Recurrent(Mixin):
    """A recurrent module of torch, whose forward gives the outputs, and with `state` the last state too."""

    state: bool

    def run(self, x: Tensor) -> Tensor | tuple[Tensor, State]:
        weights = [getattr(self, name) for name in self._flat_weights_names]
        options = (
            self.bias,
            self.num_layers,
            self.dropout,
            self.training,
            self.bidirectional,
            self.hidden_size,
            self.proj_size,
        )
        result = _recurrent(x, weights, self.mode, options)
        return (result[0], result[1]) if self.state else result[0]

    def extra_repr(self) -> str:
        return super().extra_repr().replace(", batch_first=True", "") + (", state=True" if self.state else "")


class LSTM(_Recurrent, nn.LSTM):
    """torch.nn.LSTM on (N, T, features): the outputs, or with `state=True` the tuple (outputs, (h, c)).

    The state is that behind the last step, (N, layers and directions, hidden). Hochreiter and Schmidhuber 1997.

    >>> LSTM(8, 16, bidirectional=True)(torch.zeros(2, 5, 8)).shape
    torch.Size([2, 5, 32])
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        state: bool = False,
    ) -> None:
        super().__init__(input_size, hidden_size, num_layers, bias, True, dropout, bidirectional, proj_size)
        self.state = state

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, State]:  # type: ignore[override]
        return self.run(x)


class GRU(_Recurrent, nn.GRU):
    """torch.nn.GRU on (N, T, features): the outputs, or with `state=True` the tuple (outputs, h).

    The state is that behind the last step, (N, layers and directions, hidden). Cho et al. 2014.

    >>> GRU(8, 16)(torch.zeros(2, 5, 8)).shape
    torch.Size([2, 5, 16])
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        dropout: float = 0.0,
        bidirectional: bool = False,
        state: bool = False,
    ) -> None:
        super().__init__(input_size, hidden_size, num_layers, bias, True, dropout, bidirectional)
        self.state = state

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, State]:  # type: ignore[override]
        return self.run(x)


class RNN(_Recurrent, nn.RNN):
    """torch.nn.RNN on (N, T, features): the outputs, or with `state=True` the tuple (outputs, h).

    The state is that behind the last step, (N, layers and directions, hidden). Elman 1990.

    >>> RNN(8, 16)(torch.zeros(2, 5, 8)).shape
    torch.Size([2, 5, 16])
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        dropout: float = 0.0,
        bidirectional: bool = False,
        state: bool = False,
    ) -> None:
        super().__init__(input_size, hidden_size, num_layers, nonlinearity, bias, True, dropout, bidirectional)
        self.state = state

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, State]:  # type: ignore[override]
        return self.run(x)


def _attend(query: Tensor, key: Tensor, value: Tensor, arguments: dict[str, Any]) -> Tensor:
    """Attention of torch, with the batch in front."""
    q, k, v = query.transpose(0, 1), key.transpose(0, 1), value.transpose(0, 1)
    y: Tensor = F.multi_head_attention_forward(q, k, v, **arguments)[0]
    return y.transpose(0, 1)


fx.wrap("_attend")


class _Attention(nn.MultiheadAttention):
    def attend(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        arguments = {
            "embed_dim_to_check": self.embed_dim,
            "num_heads": self.num_heads,
            "in_proj_weight": self.in_proj_weight,
            "in_proj_bias": self.in_proj_bias,
            "bias_k": self.bias_k,
            "bias_v": self.bias_v,
            "add_zero_attn": self.add_zero_attn,
            "dropout_p": self.dropout,
            "out_proj_weight": self.out_proj.weight,
            "out_proj_bias": self.out_proj.bias,
            "training": self.training,
            "need_weights": False,
            "use_separate_proj_weight": not self._qkv_same_embed_dim,
            "q_proj_weight": self.q_proj_weight,
            "k_proj_weight": self.k_proj_weight,
            "v_proj_weight": self.v_proj_weight,
        }
        return _attend(query, key, value, arguments)


class MultiheadAttention(_Attention):
    """torch.nn.MultiheadAttention on a tuple (query, key, value), each (N, T, features): the outputs.

    Vaswani et al. 2017, https://arxiv.org/abs/1706.03762.

    >>> query, memory = torch.zeros(2, 5, 8), torch.zeros(2, 7, 8)
    >>> MultiheadAttention(8, 2)((query, memory, memory)).shape
    torch.Size([2, 5, 8])
    """

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
    ) -> None:
        super().__init__(embed_dim, num_heads, dropout, bias, add_bias_kv, add_zero_attn, kdim, vdim, True)

    def forward(self, values: tuple[Tensor, Tensor, Tensor]) -> Tensor:  # type: ignore[override]
        return self.attend(values[0], values[1], values[2])


class SelfAttention(_Attention):
    """torch.nn.MultiheadAttention of (N, T, features) over itself, with its keys.

    Vaswani et al. 2017, https://arxiv.org/abs/1706.03762.

    >>> SelfAttention(8, 2)(torch.zeros(2, 5, 8)).shape
    torch.Size([2, 5, 8])
    """

    def __init__(self, embed_dim: int, num_heads: int, dropout: float = 0.0, bias: bool = True) -> None:
        super().__init__(embed_dim, num_heads, dropout, bias, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:  # type: ignore[override]
        return self.attend(x, x, x)
