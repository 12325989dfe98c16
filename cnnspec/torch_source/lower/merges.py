"""Operations on several tensors as the merges that they are: sums, products, joins."""

from __future__ import annotations

import math

from cnnspec.torch_source.lower.body import Body, sample_of
from cnnspec.torch_source.lower.operations import apply, lang_dim, lowering, output_of, tensor
from cnnspec.torch_source.lower.saying import Unsaid, make_layer
from cnnspec.torch_source.lower.shapes import batch_axis, tensors_in
from cnnspec.torch_source.operations import OPERATIONS
from cnnspec.torch_source.trace import Step
from cnnspec.torch_source.values import Tensor, depends_on_batch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cnnspec.torch_source.lower.operations import Arguments


def _number(value: object) -> float | None:
    if isinstance(value, (int, float)) and not isinstance(value, bool) and not depends_on_batch(value):
        return float(value) if math.isfinite(value) else None
    return None


def _pair(body: Body, step: Step, arguments: Arguments) -> tuple[object, object]:
    if step.name in OPERATIONS:
        values = (arguments.get("input"), arguments.get("other"))
        if arguments.get("alpha") not in (None, 1) or arguments.get("rest"):
            raise Unsaid("this kind of sum")
    else:
        values = (step.arguments[0], step.arguments[1])
    return values


def _merged(body: Body, step: Step, kind: str, first: object, second: object) -> None:
    """`add` or `multiply` of two values, one of which may be a number."""
    y = output_of(step)
    after = sample_of(y)
    if not isinstance(first, Tensor):
        first, second = second, first
    if not isinstance(first, Tensor):
        raise Unsaid("a merge of these values")
    number = _number(second)
    if not isinstance(second, Tensor):
        if number is None:
            raise Unsaid("a merge with this")
        if number == (0.0 if kind == "add" else 1.0):
            return body.same(y, first)
        return body.gives(y, body.merge(kind, first, (number,), after, step.place.span))
    if kind == "multiply":
        first, second = (body.stretched.get(id(one), one) for one in (first, second))
    if batch_axis(first.shape) is None:
        first, second = second, first
    if kind == "multiply" and isinstance(second, Tensor) and _is_per_channel(second, y):
        name = body.keys.of_parameter(second, body.run.module)
        scale = make_layer("LayerScale", init=1.0)
        return body.gives(y, body.learning(scale, first, y, {"gamma": second}, name, step.place.span))
    one, other = sample_of(first), sample_of(second)
    axes = {batch_axis(part.shape) for part in (first, second)} - {None}
    if axes != {batch_axis(y.shape)} or len(one) != len(other) or len(axes) > 1:
        raise Unsaid("values of different ranks are merged")
    if second.parameter and batch_axis(second.shape) is None and len(second.shape) != len(y.shape):
        raise Unsaid("a parameter of another rank is merged")
    if kind == "add" and one != other:
        raise Unsaid("a sum of different shapes")
    return body.gives(y, body.merge(kind, first, (second,), after, step.place.span))


def _is_per_channel(value: Tensor, y: Tensor) -> bool:
    """Whether a value is a parameter with one number for each channel of another one."""
    if not value.parameter or batch_axis(value.shape) is not None or batch_axis(y.shape) != 0 or len(y.shape) < 2:
        return False
    shape = value.shape
    while shape[:1] == (1,) and len(shape) > len(y.shape) - 1:
        shape = shape[1:]
    return shape == (y.shape[1], *[1] * (len(y.shape) - 2))


@lowering("+", "add", "add_")
def _add(body: Body, step: Step, arguments: Arguments) -> None:
    _merged(body, step, "add", *_pair(body, step, arguments))


@lowering("*", "mul", "multiply", "mul_")
def _multiply(body: Body, step: Step, arguments: Arguments) -> None:
    _merged(body, step, "multiply", *_pair(body, step, arguments))


@lowering("-", "sub", "subtract", "sub_", "rsub")
def _subtract(body: Body, step: Step, arguments: Arguments) -> None:
    first, second = _pair(body, step, arguments)
    if step.name == "rsub":
        first, second = second, first
    y, span = output_of(step), step.place.span
    after = sample_of(y)
    if isinstance(first, Tensor) and _number(second) is not None:
        return body.gives(y, body.merge("add", first, (-(_number(second) or 0.0),), after, span))
    if not isinstance(second, Tensor) or sample_of(second) != after or batch_axis(second.shape) is None:
        raise Unsaid("a difference of these values")
    negative = body.merge("multiply", second, (-1.0,), after, span)
    other: object = first if isinstance(first, Tensor) else _number(first)
    if isinstance(other, Tensor) and sample_of(other) != after:
        raise Unsaid("a difference of different shapes")
    if other is None:
        raise Unsaid("a difference of these values")
    return body.gives(y, body.merge_on("add", negative, after, (other,), after, span))


@lowering("/", "div", "divide", "true_divide", "div_")
def _divide(body: Body, step: Step, arguments: Arguments) -> None:
    first, second = _pair(body, step, arguments)
    number = _number(second)
    if not isinstance(first, Tensor) or not number or "rounding_mode" in arguments:
        raise Unsaid("a quotient of values")
    body.gives(output_of(step), body.merge("multiply", first, (1 / number,), sample_of(first), step.place.span))


@lowering("neg", "negative")
def _negative(body: Body, step: Step, arguments: Arguments) -> None:
    x = tensor(arguments)
    body.gives(output_of(step), body.merge("multiply", x, (-1.0,), sample_of(x), step.place.span))


@lowering("**", "pow", "square")
def _power(body: Body, step: Step, arguments: Arguments) -> None:
    exponent = 2 if step.name == "square" else step.inputs[1] if len(step.inputs) > 1 else None
    x = step.inputs[0]
    if not isinstance(x, Tensor):
        raise Unsaid("a power of a number")
    shape = sample_of(x)
    if exponent == 2:
        return body.gives(output_of(step), body.merge("multiply", x, (x,), shape, step.place.span))
    if exponent == 0.5:
        return apply(body, step, make_layer("Sqrt"))
    raise Unsaid("this power")


@lowering("cat", "concat", "concatenate")
def _cat(body: Body, step: Step, arguments: Arguments) -> None:
    parts = list(tensors_in(arguments.get("tensors")))
    y = output_of(step)
    if len(parts) < 2:
        return body.same(y, parts[0])
    dim = lang_dim(arguments.get("dim", 0), y)
    parts = [body.stretched.get(id(part), part) for part in parts]
    axes = {batch_axis(part.shape) for part in parts} - {None}
    if axes != {batch_axis(y.shape)}:
        raise Unsaid("tensors are joined whose batches stand in different places")
    return body.gives(y, body.merge("concat", parts[0], tuple(parts[1:]), sample_of(y), step.place.span, dim))


@lowering("@", "matmul", "bmm")
def _matmul(body: Body, step: Step, arguments: Arguments) -> None:
    first, second = (value for value in (*step.inputs, None, None)[:2])
    y = output_of(step)
    if not isinstance(first, Tensor) or not isinstance(second, Tensor):
        raise Unsaid("this product")
    if {batch_axis(part.shape) for part in (first, second, y)} != {0} or len(first.shape) != len(second.shape):
        raise Unsaid("a product of values of different ranks")
    if len(first.shape) < 3 or sample_of(first)[:-2] != sample_of(second)[:-2]:
        raise Unsaid("a product that stretches a value")
    body.gives(y, body.merge("matmul", first, (second,), sample_of(y), step.place.span))
