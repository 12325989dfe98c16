"""`Several`: tensors that belong together sample by sample, such as the two images of a pair, or a class and a box."""

from __future__ import annotations

import torch
from torch import Tensor

from cnnspec.training.device import laid_out

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any, TypeAlias

    Values: TypeAlias = "Tensor | Several"
    Shapes: TypeAlias = tuple[int, ...] | tuple[tuple[int, ...], ...]


class Several:
    """Tensors of as many samples each, picked, cut and moved as one tensor would be."""

    def __init__(self, parts: Iterable[Tensor]) -> None:
        self.parts = tuple(parts)

    def __len__(self) -> int:
        """The number of samples."""
        return len(self.parts[0])

    def __getitem__(self, chosen: Any) -> Several:
        return Several(part[chosen] for part in self.parts)

    def index_select(self, dim: int, chosen: Tensor) -> Several:
        return Several(part.index_select(dim, chosen) for part in self.parts)

    def to(self, device: torch.device | str, *, non_blocking: bool = False) -> Several:
        return Several(part.to(device, non_blocking=non_blocking) for part in self.parts)

    def pin_memory(self) -> Several:
        return Several(part.pin_memory() for part in self.parts)

    def split(self, size: int) -> list[Several]:
        """Parts of `size` samples, the last of what is left."""
        return [self[start : start + size] for start in range(0, len(self), size)]

    def cpu(self) -> Several:
        return Several(part.cpu() for part in self.parts)

    @property
    def device(self) -> torch.device:
        return self.parts[0].device


def parts_of(values: Values) -> tuple[Tensor, ...]:
    """The tensors of values, one or several."""
    return values.parts if isinstance(values, Several) else (values,)


def like(values: Values, parts: Sequence[Tensor]) -> Values:
    """Parts as what they were made of: one tensor for one, otherwise several."""
    return Several(parts) if isinstance(values, Several) else parts[0]


def shape_of(values: Values) -> Shapes:
    """The shape of one sample, or of each of its parts."""
    shapes = tuple(tuple(part.shape[1:]) for part in parts_of(values))
    return shapes if isinstance(values, Several) else shapes[0]


def shapes_of(shape: Shapes) -> list[tuple[int, ...]]:
    """The shape of each part, of what `shape_of` gives."""
    nested: Any = shape
    return [tuple(one) for one in nested] if nested and isinstance(nested[0], tuple | list) else [tuple(nested)]


def join(values: Sequence[Values]) -> Values:
    """Samples behind one another."""
    parts = [torch.cat(same) for same in zip(*map(parts_of, values))]
    return like(values[0], parts)


def stack(values: Sequence[Any]) -> Values:
    """Single samples (tensors, numbers, or tuples of them) as a batch."""
    if isinstance(values[0], tuple):
        return Several(torch.stack([torch.as_tensor(one) for one in same]) for same in zip(*values))
    return torch.stack([torch.as_tensor(one) for one in values])


def arranged(values: Values, layout: torch.memory_format) -> Values:
    """Values with their images in a layout."""
    return like(values, [laid_out(part, layout) for part in parts_of(values)])


def detached(values: Values) -> Values:
    """The same numbers, of which no gradient is wanted."""
    return like(values, [part.detach() for part in parts_of(values)])


def run(net: Callable[..., Any], inputs: Values) -> Values:
    """What a net gives for inputs: one tensor, or several where its output is a tuple, nested or not."""
    return _flat(net(*parts_of(inputs)))


def _flat(outputs: Any) -> Values:
    if isinstance(outputs, Tensor):
        return outputs
    return Several(part for each in outputs for part in parts_of(_flat(each)))
