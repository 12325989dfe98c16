"""Shapes of traced tensors as the graph has them: without the batch, wherever it stands."""

from __future__ import annotations

from cnnspec.layers.base import Parts
from cnnspec.torch_source.values import BATCH, Record, Shape, Tensor, depends_on_batch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


def batch_axis(shape: Shape) -> int | None:
    """The only dimension that depends on the batch, where it is the batch itself; None otherwise."""
    found = [axis for axis, size in enumerate(shape) if depends_on_batch(size)]
    return found[0] if len(found) == 1 and shape[found[0]] == BATCH else None


def sample(shape: Shape) -> Shape:
    """A shape without its batch. Where several samples share a dimension, what one has of it stays."""
    sizes: list[int] = []
    for size in shape:
        if not depends_on_batch(size):
            sizes.append(size)
            continue
        factor, rest = divmod(size, BATCH)
        if not rest and 1 < factor < 2**40:
            sizes.append(factor)
    return tuple(sizes)


def learned(shape: Shape) -> Shape:
    """The shape of a parameter as a weight of a body has it, which is stretched over the batch."""
    return shape[1:] if len(shape) > 1 and shape[0] == 1 else shape


def shapes_of(value: object) -> Shape | Parts:
    """The shapes of a value, or of the tensors in it."""
    if isinstance(value, Tensor):
        return (
            sample(value.shape) if batch_axis(value.shape) is not None or not value.parameter else learned(value.shape)
        )
    return Parts(shapes_of(part) for part in parts_of(value) if any(tensors_in(part)))


def parts_of(value: object) -> list[object]:
    """The items of a value that holds others."""
    if isinstance(value, (list, tuple)):
        return list(value)
    if isinstance(value, Record):
        return list(value.values.values())
    return list(value.values()) if isinstance(value, dict) else []


def tensors_in(value: object) -> Iterator[Tensor]:
    """The tensors of a value, in order."""
    if isinstance(value, Tensor):
        yield value
        return
    for part in parts_of(value):
        yield from tensors_in(part)
