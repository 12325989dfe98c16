"""The classes that written Python brings along where torch has none: copied from this file, so that they are plain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

if TYPE_CHECKING:
    pass


class Residual(nn.Module):
    """Adds what a body makes of a value, and the value or what a shortcut makes of it."""

    def __init__(self, body: nn.Module, shortcut: nn.Module | None = None) -> None:
        super().__init__()
        self.body = body
        self.shortcut = nn.Identity() if shortcut is None else shortcut

    def forward(self, x: Tensor) -> Tensor:
        total: Tensor = self.body(x) + self.shortcut(x)
        return total


class Add(nn.Sequential):
    """Adds what its branches make of the same input."""

    def forward(self, x: Any) -> Tensor:
        first, *rest = [branch(x) for branch in self]
        total: Tensor = first
        for part in rest:
            total = total + part
        return total


class Multiply(nn.Sequential):
    """Multiplies what its branches make of the same input."""

    def forward(self, x: Any) -> Tensor:
        first, *rest = [branch(x) for branch in self]
        product: Tensor = first
        for part in rest:
            product = product * part
        return product


class Concat(nn.Sequential):
    """Joins what its branches make of the same input, by default along the channels."""

    def __init__(self, *branches: nn.Module, dim: int = 1) -> None:
        super().__init__(*branches)
        self.dim = dim

    def forward(self, x: Any) -> Tensor:
        return torch.cat([branch(x) for branch in self], dim=self.dim)


class Matmul(nn.Sequential):
    """The matrix product of what its two branches make of the same input."""

    def forward(self, x: Any) -> Tensor:
        first, second = [branch(x) for branch in self]
        return torch.matmul(first, second)


class Tuple(nn.Sequential):
    """Keeps apart what its branches make of the same input."""

    def forward(self, x: Any) -> tuple[Any, ...]:
        return tuple(branch(x) for branch in self)


class LSTM(nn.LSTM):
    """nn.LSTM on (N, T, features): the outputs; with `state` also (h, c), batch first."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        state: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(input_size, hidden_size, batch_first=True, **options)
        self.state = state

    def forward(self, x: Tensor) -> Any:  # type: ignore[override]
        y, (h, c) = super().forward(x)
        state = (h.transpose(0, 1), c.transpose(0, 1))
        return (y, state) if self.state else y


class GRU(nn.GRU):
    """nn.GRU on (N, T, features): the outputs; with `state` also h, batch first."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        state: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(input_size, hidden_size, batch_first=True, **options)
        self.state = state

    def forward(self, x: Tensor) -> Any:  # type: ignore[override]
        y, h = super().forward(x)
        return (y, h.transpose(0, 1)) if self.state else y


class RNN(nn.RNN):
    """nn.RNN on (N, T, features): the outputs; with `state` also h, batch first."""

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        state: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(input_size, hidden_size, batch_first=True, **options)
        self.state = state

    def forward(self, x: Tensor) -> Any:  # type: ignore[override]
        y, h = super().forward(x)
        return (y, h.transpose(0, 1)) if self.state else y


class MultiheadAttention(nn.MultiheadAttention):
    """nn.MultiheadAttention on (query, key, value), each (N, T, features): the outputs."""

    def __init__(self, embed_dim: int, num_heads: int, **options: Any) -> None:
        super().__init__(embed_dim, num_heads, batch_first=True, **options)

    def forward(self, values: tuple[Tensor, Tensor, Tensor]) -> Tensor:  # type: ignore[override]
        # The function and not super().forward, whose fast path in evaluation rounds differently.
        query, key, value = [part.transpose(0, 1) for part in values]
        y, _ = F.multi_head_attention_forward(
            query,
            key,
            value,
            self.embed_dim,
            self.num_heads,
            self.in_proj_weight,
            self.in_proj_bias,
            self.bias_k,
            self.bias_v,
            self.add_zero_attn,
            self.dropout,
            self.out_proj.weight,
            self.out_proj.bias,
            training=self.training,
            need_weights=False,
            use_separate_proj_weight=not self._qkv_same_embed_dim,
            q_proj_weight=self.q_proj_weight,
            k_proj_weight=self.k_proj_weight,
            v_proj_weight=self.v_proj_weight,
        )
        return y.transpose(0, 1)


class SelfAttention(MultiheadAttention):
    """Attention of a sequence (N, T, features) to itself."""

    def forward(self, x: Tensor) -> Tensor:  # type: ignore[override]
        return super().forward((x, x, x))
