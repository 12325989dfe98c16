"""Operations on the values of tensors: pointwise ones, sums over dimensions, products, joins, and tensors made anew."""

from __future__ import annotations

import math
import struct

from cnnspec.diagnostics import codes
from cnnspec.torch_source.operations import Op, broadcast, operation
from cnnspec.torch_source.stops import Refusal, Stop
from cnnspec.torch_source.values import (
    Record,
    Shape,
    Tensor,
    Unknown,
    depends_on_batch,
    show_shape,
    show_size,
)

_POINTWISE = """
abs abs_ absolute exp exp_ expm1 log log_ log1p log2 log10 sqrt sqrt_ rsqrt neg negative sigmoid sigmoid_ tanh tanh_
relu relu_ relu6 relu6_ leaky_relu leaky_relu_ elu elu_ selu selu_ celu celu_ gelu silu mish softplus hardswish
hardsigmoid hardtanh hardtanh_ logsigmoid softsign softshrink hardshrink tanhshrink threshold rrelu rrelu_ clamp
clamp_ clip clip_ clamp_min clamp_max clamp_min_ round floor ceil trunc frac sin cos tan asin acos atan sinh cosh erf
erfc square reciprocal sign sgn contiguous clone detach detach_ cuda cpu to type type_as float half double bfloat16
requires_grad_ requires_grad retain_grad fill_ zero_ zero normal_ uniform_ bernoulli bernoulli_ copy_ masked_fill
masked_fill_ flip roll triu tril tril_ triu_ pin_memory cumsum cumprod xavier_normal_ kaiming_normal_ trunc_normal_
exponential_ random_ dropout dropout_ dropout1d dropout2d dropout3d alpha_dropout feature_alpha_dropout
feature_dropout normalize nan_to_num nan_to_num_ isnan isinf isfinite softmax log_softmax softmin gumbel_softmax
logical_not share_memory_ scatter scatter_ scatter_add scatter_add_ index_add_ index_fill_ index_copy_ logit
channel_shuffle native_channel_shuffle rot90_ as_subclass fliplr flipud erfinv erfinv_ sinc quantize dequantize
resolve_conj real lgamma digamma
""".split()
_WITH_DIM = frozenset(["softmax", "log_softmax", "softmin", "gumbel_softmax", "cumsum", "cumprod"])
_BINARY = """
add sub subtract mul multiply div divide true_divide floor_divide maximum minimum eq ne gt lt ge le greater less pow
fmod remainder logical_and logical_or logical_xor atan2 add_ sub_ mul_ div_ lerp lerp_ rsub bitwise_and bitwise_or
hypot greater_equal less_equal not_equal fmax fmin pow_ eq_ copysign bitwise_xor xlogy addcmul addcdiv addcmul_
addcdiv_
""".split()
_COMPARISONS = frozenset(
    "eq ne gt lt ge le greater less logical_and logical_or logical_xor greater_equal less_equal not_equal".split()
)


@operation(*_POINTWISE)
def pointwise(op: Op, input: Tensor, *rest: object) -> object:
    kind = {"long": "int", "int": "int", "bool": "bool"}.get(op.name, "")
    return Tensor(
        op.tensor(input).shape, kind or input.kind, parameter=input.parameter, made=input.made, maker=input.maker
    )


@operation("long", "int", "bool", "short", "byte")
def integral(op: Op, input: Tensor, *rest: object) -> object:
    return op.result(input.shape, input, "bool" if op.name == "bool" else "int")


@operation(*sorted(_WITH_DIM))
def along(op: Op, input: Tensor, dim: object = None, *rest: object) -> object:
    x = op.tensor(input)
    if isinstance(dim, int) and op.name != "gumbel_softmax":
        op.dim(dim, x.shape)
    return op.result(x.shape, x)


@operation(*_BINARY)
def binary(op: Op, input: object, other: object = 0, *rest: object) -> object:
    if not isinstance(input, Tensor) and not isinstance(other, Tensor):
        raise Stop(f"{op.place.text} of numbers", op.place)
    first, second = op.tensor(input), op.tensor(other)
    shape = broadcast(op, first.shape, second.shape)
    for more in rest:
        if isinstance(more, Tensor):
            shape = broadcast(op, shape, more.shape)
    like = first if first.shape == shape else second
    kind = "bool" if op.name in _COMPARISONS else "float" if "float" in (first.kind, second.kind) else like.kind
    return op.result(shape, like, kind)


@operation("where")
def where(op: Op, condition: Tensor, input: object = None, other: object = None) -> object:
    if input is None:
        raise Stop("the places where a condition holds", op.place)
    shape = broadcast(op, op.tensor(condition).shape, op.tensor(input).shape)
    return op.result(broadcast(op, shape, op.tensor(other).shape))


# --- over dimensions ---


def _reduced(op: Op, x: Tensor, dims: tuple[int, ...], keepdim: object) -> Shape:
    return tuple(1 if axis in dims else size for axis, size in enumerate(x.shape) if keepdim or axis not in dims)


@operation(
    "mean", "sum", "std", "var", "prod", "logsumexp", "all", "any", "nanmean", "nansum", "amax", "amin", "count_nonzero"
)
def reduce(op: Op, input: Tensor, dim: object = None, keepdim: object = False, *rest: object) -> object:
    x = op.tensor(input)
    if isinstance(dim, bool):
        dim, keepdim = None, keepdim
    if isinstance(keepdim, int) and not isinstance(keepdim, bool) and isinstance(dim, int):
        # x.mean(2, 3) names two dimensions for some versions of torch's methods.
        dim, keepdim = (
            (dim, keepdim, *[part for part in rest if isinstance(part, int) and not isinstance(part, bool)]),
            False,
        )
    return op.result(_reduced(op, x, op.dims(dim, x.shape), keepdim), None, x.kind)


@operation("norm")
def norm(op: Op, input: Tensor, p: object = None, dim: object = None, keepdim: object = False) -> object:
    return op.result(_reduced(op, input, op.dims(dim, input.shape), keepdim))


@operation("max", "min", "median", "mode", "kthvalue", "cummax", "cummin")
def extreme(op: Op, input: Tensor, dim: object = None, keepdim: object = False) -> object:
    x = op.tensor(input)
    if isinstance(dim, Tensor):
        return op.result(broadcast(op, x.shape, dim.shape), x)
    if dim is None:
        return op.result((), None, x.kind)
    if op.name == "kthvalue":
        raise Stop("kthvalue", op.place)
    shape = x.shape if op.name.startswith("cum") else _reduced(op, x, op.dims(dim, x.shape), keepdim)
    values = {"values": op.result(shape, None, x.kind), "indices": op.result(shape, None, "int")}
    return Record(dict(values), ("values", "indices"))


@operation("argmax", "argmin")
def arg_extreme(op: Op, input: Tensor, dim: object = None, keepdim: object = False) -> object:
    if dim is None:
        return op.result((), None, "int")
    return op.result(_reduced(op, input, op.dims(dim, input.shape), keepdim), None, "int")


@operation("sort", "argsort")
def sort(op: Op, input: Tensor, dim: object = -1, *rest: object) -> object:
    op.dim(dim, input.shape)
    indices = op.result(input.shape, None, "int")
    if op.name == "argsort":
        return indices
    return Record({"values": op.result(input.shape, input), "indices": indices}, ("values", "indices"))


@operation("topk")
def topk(op: Op, input: Tensor, k: object, dim: object = -1, *rest: object) -> object:
    axis, count = op.dim(dim, input.shape), op.integer(k)
    if not depends_on_batch(input.shape[axis]) and count > input.shape[axis]:
        raise op.refuse(f"takes the {count} largest of {input.shape[axis]}", f"gets {show_shape(input.shape)}")
    shape = (*input.shape[:axis], count, *input.shape[axis + 1 :])
    return Record({"values": op.result(shape), "indices": op.result(shape, None, "int")}, ("values", "indices"))


# --- products ---


@operation("matmul", "bmm", "mm", "mv", "dot")
def matmul(op: Op, input: Tensor, other: Tensor) -> object:
    first, second = op.tensor(input).shape, op.tensor(other).shape
    if not first or not second:
        raise op.refuse("takes no single numbers", f"gets {show_shape(first)} and {show_shape(second)}")
    ranks = {"bmm": (3, 3), "mm": (2, 2), "mv": (2, 1), "dot": (1, 1)}.get(op.name)
    if ranks is not None and ranks != (len(first), len(second)):
        wanted = f"takes tensors of {ranks[0]} and {ranks[1]} dimensions"
        raise op.refuse(wanted, f"gets {show_shape(first)} and {show_shape(second)}")
    left = first if len(first) > 1 else (1, *first)
    right = second if len(second) > 1 else (*second, 1)
    if left[-1] != right[-2]:
        facts: dict[str, object] = {
            "operation": f"`{op.name}`",
            "first": show_shape(first),
            "second": show_shape(second),
        }
        facts |= {"inner": show_size(left[-1]), "outer": show_size(right[-2])}
        raise Refusal(codes.PRODUCT_DIFFERS, facts, Unknown("a product of shapes that don't fit", reported=True))
    shape = (*broadcast(op, left[:-2], right[:-2]), left[-2], right[-1])
    if len(first) == 1:
        shape = (*shape[:-2], shape[-1])
    return op.result(shape[:-1] if len(second) == 1 else shape)


@operation("baddbmm", "addmm", "addbmm")
def add_product(op: Op, input: Tensor, first: Tensor, second: Tensor) -> object:
    return matmul(Op(op.m, "bmm" if op.name == "baddbmm" else "mm", op.place), first, second)


@operation("outer", "ger")
def outer(op: Op, input: Tensor, vec2: Tensor) -> object:
    return op.result((input.shape[0], op.tensor(vec2).shape[0]))


_SPARE = "αβγδεζηθικλμνξοπρστυφχψω"


def _spelled(op: Op, inputs: str, output: str, arrow: str, shapes: list[Shape]) -> tuple[str, str]:
    """An equation with a letter for each dimension that `...` stands for, counted from the last one."""
    terms = inputs.split(",")
    counts = [len(shape) - len(term.replace("...", "")) for term, shape in zip(terms, shapes) if "..." in term]
    if min(counts, default=0) < 0 or max(counts, default=0) > len(_SPARE):
        raise op.refuse("has more letters than a tensor has dimensions", "too many letters")
    spare = _SPARE[: max(counts, default=0)]
    spelled = []
    for term, shape in zip(terms, shapes):
        own = len(shape) - len(term.replace("...", ""))
        spelled.append(term.replace("...", spare[len(spare) - own :] if own else ""))
    if not arrow:
        letters = inputs.replace("...", "").replace(",", "")
        output = "..." + "".join(sorted(letter for letter in set(letters) if letters.count(letter) == 1))
    return ",".join([*spelled, *terms[len(shapes) :]]), output.replace("...", spare)


@operation("einsum")
def einsum(op: Op, equation: object, *operands: object) -> object:
    if len(operands) == 1 and isinstance(operands[0], (list, tuple)):
        operands = tuple(operands[0])
    if not isinstance(equation, str) or len(equation) > 1_000:
        raise Stop(f"this einsum: {op.place.text}", op.place)
    inputs, arrow, output = equation.replace(" ", "").partition("->")
    if "..." in inputs:
        inputs, output = _spelled(op, inputs, output, arrow, [op.tensor(operand).shape for operand in operands])
        arrow = "->"
    terms = inputs.split(",")
    if len(terms) != len(operands):
        raise op.refuse(f"names {len(terms)} tensors and gets {len(operands)}", "one term a tensor")
    sizes: dict[str, int] = {}
    for term, operand in zip(terms, operands):
        shape = op.tensor(operand).shape
        if len(term) != len(shape):
            raise op.refuse(f"calls the dimensions of {show_shape(shape)} `{term}`", "one letter a dimension")
        for letter, size in zip(term, shape):
            known = sizes.setdefault(letter, size)
            if known != size and 1 not in (known, size):
                raise op.refuse(f"`{letter}` is {show_size(known)} and {show_size(size)}", "one size a letter")
            sizes[letter] = max(known, size)
    if not arrow:
        output = "".join(sorted(letter for letter in sizes if inputs.count(letter) == 1))
    if set(output) - set(sizes):
        raise op.refuse(f"gives `{output}`, which it does not take", "unknown letter")
    return op.result([sizes[letter] for letter in output])


@operation("cdist")
def cdist(op: Op, x1: Tensor, x2: Tensor) -> object:
    return op.result((*x1.shape[:-1], op.tensor(x2).shape[-2]))


# --- joins ---


def _tensors(op: Op, values: object) -> list[Tensor]:
    found: list[Tensor] = []
    for value in op.m.iterate(values, op.place):
        if isinstance(value, Unknown):
            raise Stop(value.what, value.place or op.place, reported=value.reported)
        found.append(op.tensor(value))
    if not found:
        raise op.refuse("needs at least one tensor", "gets none")
    return found


@operation("cat", "concat", "concatenate")
def cat(op: Op, tensors: object, dim: object = 0) -> object:
    parts = [part for part in _tensors(op, tensors) if part.shape != (0,)] or _tensors(op, tensors)
    first = parts[0].shape
    axis = op.dim(dim, first)
    total = sum(part.shape[axis] for part in parts if axis < len(part.shape))
    value = Tensor((*first[:axis], total, *first[axis + 1 :]), parts[0].kind, made=op.place)
    for part in parts[1:]:
        differs = [
            number for number, pair in enumerate(zip(first, part.shape)) if number != axis and pair[0] != pair[1]
        ]
        if len(part.shape) != len(first) or differs:
            facts: dict[str, object] = {"operation": f"`{op.name}`", "first": show_shape(first), "dim": axis}
            where = Unknown("tensors joined that don't fit", reported=True) if len(part.shape) != len(first) else value
            raise Refusal(codes.JOIN_DIFFERS, facts | {"second": show_shape(part.shape)}, where)
    return op.result(value.shape, None, value.kind)


@operation("stack", "vstack", "hstack", "dstack")
def stack(op: Op, tensors: object, dim: object = 0) -> object:
    if op.name != "stack":
        return cat(op, tensors, 0 if op.name == "vstack" else 1)
    parts = _tensors(op, tensors)
    first = parts[0].shape
    for part in parts[1:]:
        if part.shape != first:
            facts: dict[str, object] = {
                "operation": "`stack`",
                "first": show_shape(first),
                "second": show_shape(part.shape),
            }
            raise Refusal(codes.SHAPES_DIFFER, facts | {"axis": "any"}, Unknown("a stack", reported=True))
    shape = list(first)
    shape.insert(op.dim(dim, first, extra=1), len(parts))
    return op.result(shape, None, parts[0].kind)


# --- new tensors ---


@operation("zeros_like", "ones_like", "empty_like", "randn_like", "rand_like", "full_like", "randint_like")
def like(op: Op, input: Tensor, *rest: object) -> object:
    return op.result(op.tensor(input).shape, input)


@operation("zeros", "ones", "empty", "randn", "rand", "FloatTensor", "DoubleTensor", "HalfTensor")
def fresh(op: Op, *size: object) -> object:
    return op.result(op.integers(size))


@operation("full", "normal")
def full(op: Op, size: object, *rest: object) -> object:
    sizes = next((part for part in (size, *rest) if isinstance(part, (list, tuple))), None)
    if isinstance(size, Tensor):
        return op.result(size.shape, size)
    if sizes is None:
        raise Stop(f"{op.place.text}", op.place)
    return op.result(op.integers([sizes]))


@operation("eye")
def eye(op: Op, n: object, m: object = None) -> object:
    return op.result((op.integer(n), op.integer(n if m is None else m)))


@operation("arange", "range")
def arange(op: Op, start: object, end: object = None, step: object = 1) -> object:
    if end is None:
        start, end = 0, start
    numbers = [part for part in (start, end, step) if isinstance(part, (int, float))]
    if len(numbers) != 3 or not numbers[2]:
        raise Stop(f"{op.place.text}", op.place)
    first, last, by = numbers
    if depends_on_batch(last):
        if first == 0 and by == 1 and isinstance(last, int):
            return op.result((last,), None, "int")
        raise Stop("a range that depends on the size of the batch", op.place)
    kind = "float" if any(isinstance(number, float) for number in numbers) else "int"
    return op.result((max(0, math.ceil((last - first) / by)),), None, kind)


@operation("linspace", "logspace")
def linspace(op: Op, start: object, end: object, steps: object) -> object:
    count = op.integer(steps)
    result = op.result((count,))
    if (
        op.name == "linspace"
        and isinstance(start, (int, float))
        and isinstance(end, (int, float))
        and 0 < count <= _KNOWN
    ):
        result.known = _evenly(float(start), float(end), count)
    return result


_KNOWN = 1_000
"""The most numbers of a tensor that are kept."""


def _evenly(start: float, end: float, count: int) -> tuple[float, ...]:
    """The numbers of torch.linspace, in float32 as torch works them out: from both ends to the middle."""
    if count == 1:
        return (_single(start),)
    step = _single((_single(end) - _single(start)) / (count - 1))
    return tuple(
        _single(_single(start) + _single(step * i) if i < count / 2 else _single(end) - _single(step * (count - i - 1)))
        for i in range(count)
    )


def _single(number: float) -> float:
    """The number of 32 bits that is nearest."""
    try:
        found: float = struct.unpack("f", struct.pack("f", number))[0]
    except OverflowError:
        return math.inf if number > 0 else -math.inf
    return found


@operation("randint")
def randint(op: Op, low: object, high: object = None, size: object = None) -> object:
    sizes = next((part for part in (size, high) if isinstance(part, (list, tuple))), None)
    return op.result(op.integers([sizes]), None, "int")


@operation("randperm")
def randperm(op: Op, n: object) -> object:
    return op.result((op.integer(n),), None, "int")


@operation("tensor", "as_tensor", "Tensor", "LongTensor", "from_numpy", "asarray", "IntTensor", "BoolTensor")
def tensor_of(op: Op, data: object = (), *rest: object) -> object:
    if isinstance(data, Tensor):
        return op.result(data.shape, data)
    if isinstance(data, int) and op.name.endswith("Tensor"):
        return op.result(op.integers((data, *rest)))
    shape: list[int] = []
    while isinstance(data, (list, tuple)) and len(shape) < 16:
        shape.append(len(data))
        data = data[0] if data else 0
    if isinstance(data, Unknown):
        raise Stop(data.what, data.place)
    if isinstance(data, Tensor):
        return op.result((*shape, *data.shape), None, data.kind)
    if not isinstance(data, (int, float)):
        raise Stop(f"{op.place.text}", op.place)
    return op.result(shape, None, "bool" if isinstance(data, bool) else "int" if isinstance(data, int) else "float")


@operation("meshgrid")
def meshgrid(op: Op, *tensors: object) -> object:
    parts = _tensors(op, tensors[0] if len(tensors) == 1 and isinstance(tensors[0], (list, tuple)) else tensors)
    shape = [size for part in parts for size in (part.shape or (1,))]
    return tuple(op.result(shape) for _ in parts)
