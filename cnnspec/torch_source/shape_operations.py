"""Operations that lay out the values of a tensor anew: view, permute, squeeze, expand, and those that take it apart."""

from __future__ import annotations

import math

from cnnspec.diagnostics import codes
from cnnspec.torch_source.operations import Op, operation
from cnnspec.torch_source.stops import Refusal, Stop
from cnnspec.torch_source.values import (
    BATCH,
    Opaque,
    Shape,
    Size,
    Tensor,
    Unknown,
    depends_on_batch,
    of_batch,
    show_shape,
)


def reshape(op: Op, x: Tensor, wanted: Shape) -> Tensor:
    """`x` in another shape of as many values; one size may be -1."""
    total = math.prod(x.shape)
    if wanted.count(-1) > 1 or any(size < -1 for size in wanted):
        raise op.refuse(f"can't work out {show_shape(wanted)}", "one -1 at most")
    known = math.prod(size for size in wanted if size != -1)
    if -1 in wanted:
        if known == 0 or total % known:
            raise _disagree(op, x, wanted)
        wanted = tuple(total // known if size == -1 else size for size in wanted)
    if math.prod(wanted) != total:
        raise _disagree(op, x, wanted)
    return op.result(wanted, x)


def _disagree(op: Op, x: Tensor, wanted: Shape) -> Refusal:
    value: object = Unknown("a view that does not fit", reported=True)
    fixed = math.prod(size for size in wanted if size != -1 and not depends_on_batch(size))
    per_sample, rest = divmod(math.prod(x.shape), BATCH)
    if wanted and fixed > 0 and all(not depends_on_batch(size) for size in wanted[1:]) and -1 not in wanted[1:]:
        value = Tensor((BATCH, *wanted[1:]), x.kind, made=op.place)
    facts: dict[str, object] = {
        "operation": f"`{op.name}`",
        "found": show_shape(x.shape),
        "wanted": show_shape(wanted),
        "values": f"{per_sample:,} values a sample" if not rest and per_sample else "another number of values",
        "fixed": f"{fixed:,}",
    }
    return Refusal(codes.VIEW_DIFFERS, facts, value, field="shape")


@operation("view", "reshape")
def view(op: Op, input: Tensor, *shape: object) -> object:
    if len(shape) == 1 and isinstance(shape[0], Opaque):
        return op.result(input.shape, input)
    return reshape(op, op.tensor(input), op.integers(shape))


@operation("view_as", "reshape_as")
def view_as(op: Op, input: Tensor, other: Tensor) -> object:
    return reshape(op, input, op.tensor(other).shape)


@operation("flatten")
def flatten(op: Op, input: Tensor, start_dim: object = 0, end_dim: object = -1) -> object:
    shape = op.tensor(input).shape
    start, end = op.dim(start_dim, shape), op.dim(end_dim, shape)
    if start > end:
        raise op.refuse(f"starts at dimension {start}, behind its end {end}", "ends before it starts")
    if not shape:
        return op.result((1,), input)
    return op.result((*shape[:start], math.prod(shape[start : end + 1]), *shape[end + 1 :]), input)


@operation("ravel")
def ravel(op: Op, input: Tensor) -> object:
    return op.result((math.prod(input.shape),), input)


@operation("unflatten")
def unflatten(op: Op, input: Tensor, dim: object, sizes: object) -> object:
    axis = op.dim(dim, input.shape)
    parts = op.integers([sizes])
    known = math.prod(size for size in parts if size != -1)
    size = input.shape[axis]
    if known == 0 or size % known or (-1 not in parts and known != size) or parts.count(-1) > 1:
        raise op.refuse(f"can't split {show_shape((size,))[1:-1]} into {show_shape(parts)}", "has to multiply up")
    filled = tuple(size // known if part == -1 else part for part in parts)
    return op.result((*input.shape[:axis], *filled, *input.shape[axis + 1 :]), input)


@operation("permute")
def permute(op: Op, input: Tensor, *dims: object) -> object:
    order = op.dims(op.integers(dims), input.shape)
    if sorted(order) != list(range(len(input.shape))):
        facts = f"needs each of the {len(input.shape)} dimensions of {show_shape(input.shape)} once"
        raise op.refuse(facts, f"names {len(order)}")
    return op.result([input.shape[dim] for dim in order], input)


@operation("transpose", "swapaxes", "swapdims", "transpose_")
def transpose(op: Op, input: Tensor, dim0: object, dim1: object) -> object:
    shape = list(input.shape)
    first, second = op.dim(dim0, input.shape), op.dim(dim1, input.shape)
    shape[first], shape[second] = shape[second], shape[first]
    return op.result(shape, input)


@operation("t", "adjoint")
def t(op: Op, input: Tensor) -> object:
    return op.result((*input.shape[:-2], *input.shape[-2:][::-1]), input)


@operation("movedim", "moveaxis")
def movedim(op: Op, input: Tensor, source: object, destination: object) -> object:
    sources, targets = op.dims(source, input.shape), op.dims(destination, input.shape)
    rest = [dim for dim in range(len(input.shape)) if dim not in sources]
    for target, moved in sorted(zip(targets, sources)):
        rest.insert(target, moved)
    return op.result([input.shape[dim] for dim in rest], input)


@operation("squeeze", "squeeze_")
def squeeze(op: Op, input: Tensor, dim: object = None) -> object:
    if dim is None:
        return op.result([size for size in input.shape if size != 1], input)
    dims = op.dims(dim, input.shape)
    return op.result([size for axis, size in enumerate(input.shape) if axis not in dims or size != 1], input)


@operation("unsqueeze", "unsqueeze_")
def unsqueeze(op: Op, input: Tensor, dim: object) -> object:
    shape = list(op.tensor(input).shape)
    shape.insert(op.dim(dim, input.shape, extra=1), 1)
    return op.result(shape, input)


@operation("expand", "broadcast_to")
def expand(op: Op, input: Tensor, *size: object) -> object:
    wanted = op.integers(size)
    if len(wanted) < len(input.shape):
        raise op.refuse(f"can't make {show_shape(wanted)} of {show_shape(input.shape)}", "too few dimensions")
    have = (1,) * (len(wanted) - len(input.shape)) + input.shape
    shape = []
    for new, old in zip(wanted, have):
        if new != -1 and old not in (1, new):
            raise op.refuse(
                f"can't make {show_shape(wanted)} of {show_shape(input.shape)}", "only a size of 1 stretches"
            )
        shape.append(old if new == -1 else new)
    return op.result(shape, input)


@operation("expand_as")
def expand_as(op: Op, input: Tensor, other: Tensor) -> object:
    return expand(op, input, op.tensor(other).shape)


@operation("repeat", "tile")
def repeat(op: Op, input: Tensor, *repeats: object) -> object:
    times = op.integers(repeats)
    if op.name == "tile":
        times = (1,) * (len(input.shape) - len(times)) + times
    if len(times) < len(input.shape):
        raise op.refuse(f"needs a number for each dimension of {show_shape(input.shape)}", f"gives {len(times)}")
    have = (1,) * (len(times) - len(input.shape)) + input.shape
    return op.result([size * count for size, count in zip(have, times)], input)


@operation("repeat_interleave")
def repeat_interleave(op: Op, input: Tensor, repeats: object, dim: object = None) -> object:
    count = op.integer(repeats)
    if dim is None:
        return op.result((math.prod(input.shape) * count,), input)
    shape = list(input.shape)
    shape[op.dim(dim, input.shape)] *= count
    return op.result(shape, input)


@operation("chunk", "tensor_split")
def chunk(op: Op, input: Tensor, chunks: object, dim: object = 0) -> object:
    axis = op.dim(dim, input.shape)
    count, size = op.integer(chunks), input.shape[axis]
    if count < 1:
        raise op.refuse(f"can't make {count} parts", "at least 1")
    if depends_on_batch(size):
        raise Stop("parts of the batch", op.place)
    length = max(-(-size // count), 1)
    if op.name == "tensor_split":
        sizes = [size // count + (part < size % count) for part in range(count)]
    else:
        sizes = [min(length, size - start) for start in range(0, size, length)]
    return _parts(op, input, axis, sizes)


@operation("split", "split_with_sizes")
def split(
    op: Op, input: Tensor, split_size_or_sections: object = None, dim: object = 0, split_size: object = None
) -> object:
    axis = op.dim(dim, input.shape)
    size = input.shape[axis]
    given = split_size if split_size_or_sections is None else split_size_or_sections
    if isinstance(given, (list, tuple)):
        sizes = list(op.integers([given]))
        if sum(sizes) != size:
            problem = f"can't split {show_shape((size,))[1:-1]} into {show_shape(tuple(sizes))}"
            raise op.refuse(problem, f"adds up to {show_shape((sum(sizes),))[1:-1]}")
        return _parts(op, input, axis, sizes)
    length = op.integer(given)
    if length < 1:
        raise op.refuse(f"can't make parts of {length}", "at least 1")
    if depends_on_batch(size):
        if of_batch(length):
            return _parts(op, input, axis, [length] * (size // length))
        raise Stop("parts of the batch", op.place)
    op.m.spend(size // length, op.place)
    return _parts(op, input, axis, [min(length, size - start) for start in range(0, size, length)])


def _parts(op: Op, x: Tensor, axis: int, sizes: list[int]) -> tuple[Tensor, ...]:
    op.m.spend(len(sizes), op.place)
    return tuple(op.result((*x.shape[:axis], size, *x.shape[axis + 1 :]), x) for size in sizes)


@operation("unbind")
def unbind(op: Op, input: Tensor, dim: object = 0) -> object:
    axis = op.dim(dim, input.shape)
    if depends_on_batch(input.shape[axis]):
        raise Stop("the parts of the batch", op.place)
    op.m.spend(input.shape[axis], op.place)
    rest = (*input.shape[:axis], *input.shape[axis + 1 :])
    return tuple(op.result(rest, input) for _ in range(input.shape[axis]))


@operation("narrow")
def narrow(op: Op, input: Tensor, dim: object, start: object, length: object) -> object:
    axis = op.dim(dim, input.shape)
    size, first, count = input.shape[axis], op.integer(start), op.integer(length)
    first = first + size if first < 0 else first
    if first + count > size:
        raise op.refuse(f"takes {count} from {first} on of {show_shape((size,))[1:-1]}", "too long")
    return op.result((*input.shape[:axis], count, *input.shape[axis + 1 :]), input)


@operation("select")
def select(op: Op, input: Tensor, dim: object, index: object) -> object:
    axis = op.dim(dim, input.shape)
    return op.result((*input.shape[:axis], *input.shape[axis + 1 :]), input)


@operation("index_select")
def index_select(op: Op, input: Tensor, dim: object, index: object) -> object:
    axis = op.dim(dim, input.shape)
    shape = op.tensor(index).shape
    return op.result((*input.shape[:axis], *(shape or (1,)), *input.shape[axis + 1 :]), input)


@operation("unfold")
def unfold(op: Op, input: Tensor, dimension: object, size: object, step: object) -> object:
    axis = op.dim(dimension, input.shape)
    window, stride = op.integer(size), op.integer(step)
    if depends_on_batch(input.shape[axis]) or stride < 1 or window > input.shape[axis]:
        raise op.refuse(f"has no window of {window} in {show_shape(input.shape)}", f"dimension {axis}")
    shape = list(input.shape)
    shape[axis] = (shape[axis] - window) // stride + 1
    return op.result([*shape, window], input)


@operation("size")
def size(op: Op, input: Tensor, dim: object = None) -> object:
    if dim is None:
        return Size(input.shape)
    return input.shape[op.dim(dim, input.shape)]


@operation("dim", "ndimension")
def dim(op: Op, input: Tensor) -> object:
    return len(input.shape)


@operation("numel", "nelement")
def numel(op: Op, input: Tensor) -> object:
    return math.prod(input.shape)


@operation("diagonal", "diag")
def diagonal(op: Op, input: Tensor, offset: object = 0, dim1: object = 0, dim2: object = 1) -> object:
    if op.name == "diag":
        shape = input.shape
        return op.result(shape * 2 if len(shape) == 1 else (min(shape),), input)
    if offset != 0:
        raise Stop("a diagonal with an offset", op.place)
    first, second = op.dim(dim1, input.shape), op.dim(dim2, input.shape)
    rest = [part for axis, part in enumerate(input.shape) if axis not in (first, second)]
    return op.result([*rest, min(input.shape[first], input.shape[second])], input)


@operation("gather", "take_along_dim")
def gather(op: Op, input: Tensor, dim: object, index: Tensor) -> object:
    op.dim(dim, input.shape)
    return op.result(op.tensor(index).shape, None, input.kind)


@operation("item", "tolist", "numpy")
def item(op: Op, input: Tensor) -> object:
    if op.name == "item" and len(input.known) == 1:
        return input.known[0]
    if op.name == "tolist" and len(input.shape) == 1 and len(input.known) == input.shape[0]:
        return list(input.known)
    return Unknown("a number that the values of a tensor give", op.place)


@operation("new_zeros", "new_ones", "new_empty", "new_full", "new", "new_tensor")
def new(op: Op, input: Tensor, *sizes: object) -> object:
    if op.name == "new_full":
        sizes = sizes[:1]
    if op.name == "new_tensor":
        raise Stop("a tensor of given values", op.place)
    return op.result(op.integers(sizes), None, input.kind)
