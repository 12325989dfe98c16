"""Operations that lay values out anew: view, permute, squeeze, slices, chunks; and stretching, which merges undo."""

from __future__ import annotations

from cnnspec.layers.base import Parts
from cnnspec.torch_source.lower.body import Body, sample_of
from cnnspec.torch_source.lower.operations import apply, lang_dim, lowering, output_of, tensor
from cnnspec.torch_source.lower.saying import Unsaid, make_layer
from cnnspec.torch_source.lower.shapes import batch_axis, sample, tensors_in
from cnnspec.torch_source.trace import Step
from cnnspec.torch_source.values import Tensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cnnspec.graph.nodes import Feed
    from cnnspec.layers import Layer
    from cnnspec.layers.base import Shape
    from cnnspec.source import Span
    from cnnspec.torch_source.lower.operations import Arguments


@lowering(
    "view", "reshape", "flatten", "unflatten", "view_as", "reshape_as", "squeeze", "unsqueeze", "squeeze_", "unsqueeze_",
    "ravel",
)  # fmt: skip
def _reshape(body: Body, step: Step, arguments: Arguments) -> None:
    x, y = next(tensors_in(step.inputs)), output_of(step)
    if x.parameter and batch_axis(x.shape) is None:
        raise Unsaid("a parameter in another shape")
    before, after = sample_of(x), sample_of(y)
    if before != after and (batch_axis(x.shape) != 0 or batch_axis(y.shape) != 0):
        raise Unsaid("values of several samples change places")
    if batch_axis(x.shape) != batch_axis(y.shape) and before == after:
        raise Unsaid("values of several samples change places")
    reshaped(body, x, y, before, after, step.place.span)


def reshaped(body: Body, x: Tensor, y: Tensor, before: Shape, after: Shape, span: Span) -> None:
    """The layers that bring a shape into another one."""
    if before == after:
        return body.same(y, x)
    if not after or not before:
        raise Unsaid("a value without a dimension besides the batch")
    feed: Feed | None = body.feed(x)
    if feed is None:
        raise Unsaid("a tensor that was made of nothing")
    for layer, shape in _path(before, after):
        feed = body.layer_on(layer, feed, before, shape, span)
        before = shape
    assert not isinstance(feed, tuple)
    return body.gives(y, feed)


def _path(before: Shape, after: Shape) -> list[tuple[Layer, Shape]]:
    """Flatten and Unflatten, in front of and behind what is equal at both ends."""
    if len(after) == 1:
        return [(make_layer("Flatten"), after)]
    start = 0
    while start < min(len(before), len(after)) - 1 and before[start] == after[start]:
        start += 1
    end = 0
    while end < min(len(before), len(after)) - start - 1 and before[-1 - end] == after[-1 - end]:
        end += 1
    old, new = before[start : len(before) - end], after[start : len(after) - end]
    found: list[tuple[Layer, Shape]] = []
    total = 1
    for size in old:
        total *= size
    if len(old) > 1:
        middle = (*before[:start], total, *before[len(before) - end :])
        last = len(before) - end
        given = {"start_dim": start + 1} if start else {}
        given |= {"end_dim": last} if end else {}
        found.append((make_layer("Flatten", **given), middle))
    if len(new) > 1:
        found.append((make_layer("Unflatten", dim=start + 1, unflattened_size=tuple(new)), after))
    return found


@lowering("permute", "transpose", "swapaxes", "t", "movedim", "transpose_", "swapdims")
def _permute(body: Body, step: Step, arguments: Arguments) -> None:
    x, y = next(tensors_in(step.inputs)), output_of(step)
    order = _order(step, arguments, len(x.shape))
    axis = batch_axis(x.shape)
    if axis is None:
        raise Unsaid("the dimensions of this change places")
    dims = [lang_dim(dim, x) for dim in order if dim != axis]
    if dims == list(range(1, len(dims) + 1)):
        return body.same(y, x)
    layer = make_layer("Permute", dims=(0, *dims))
    return body.gives(y, body.layer(layer, (x,), sample(y.shape), step.place.span))


def _order(step: Step, arguments: Arguments, rank: int) -> list[int]:
    """Which dimension of the input stands at each place."""
    order = list(range(rank))
    if step.name == "permute":
        rest = arguments.get("rest", arguments.get("dims", ()))
        given = rest[0] if isinstance(rest, tuple) and len(rest) == 1 and isinstance(rest[0], (list, tuple)) else rest
        if not isinstance(given, (list, tuple)):
            raise Unsaid("this order of dimensions")
        return [dim % rank for dim in given if isinstance(dim, int)]
    if step.name == "movedim":
        raise Unsaid("movedim")
    first, second = (-2, -1) if step.name == "t" else (arguments.get("dim0"), arguments.get("dim1"))
    if not isinstance(first, int) or not isinstance(second, int):
        raise Unsaid("this order of dimensions")
    order[first], order[second] = order[second], order[first]
    return order


@lowering("expand", "expand_as", "repeat", "broadcast_to", "tile")
def _stretch(body: Body, step: Step, arguments: Arguments) -> None:
    """A value stretched to a larger shape: nothing is done where a merge stretches it by itself."""
    x, y = tensor(arguments), output_of(step)
    original = body.stretched.get(id(x), x)
    if step.name in ("repeat", "tile") and any(a != b and a != 1 for a, b in zip(x.shape, y.shape[-len(x.shape) :])):
        raise Unsaid("a value that is repeated")
    if len(x.shape) != len(y.shape):
        raise Unsaid("a value stretched to another rank")
    if batch_axis(x.shape) is None and not x.parameter:
        raise Unsaid("a tensor that was made of nothing")
    if batch_axis(x.shape) is not None and sample(x.shape) == sample(y.shape):
        return body.same(y, x)
    body.stretched[id(y)] = original
    if original.parameter and original.shape[1:] == y.shape[1:] and original.shape[0] == 1:
        wire = body.wire(original)
        if wire is not None:
            body.gives(y, wire)
    return None


@lowering("chunk", "split", "split_with_sizes", "tensor_split")
def _cut(body: Body, step: Step, arguments: Arguments) -> None:
    x = tensor(arguments)
    parts = list(tensors_in(step.output))
    dim = lang_dim(arguments.get("dim", 0), x)
    axis = dim - 1
    lengths = [sample(part.shape)[axis] for part in parts]
    given: dict[str, object] = {"dim": dim} if dim != 1 else {}
    if len(set(lengths)) == 1:
        layer = make_layer("Chunk", chunks=len(lengths), **given)
    else:
        layer = make_layer("Split", sizes=tuple(lengths), **given)
    output = Parts(sample(part.shape) for part in parts)
    feed = body.feed(x)
    if feed is None or batch_axis(parts[0].shape) != batch_axis(x.shape):
        raise Unsaid("parts of this")
    body.gives(step.output, body.layer_on(layer, feed, sample_of(x), output, step.place.span))


@lowering("unbind")
def _unbind(body: Body, step: Step, arguments: Arguments) -> None:
    x = tensor(arguments)
    dim = lang_dim(arguments.get("dim", 0), x)
    for number, part in enumerate(tensors_in(step.output)):
        layer = _select(number, dim)
        body.gives(part, body.layer(layer, (x,), sample_of(part), step.place.span))


def _select(index: int, dim: int) -> Layer:
    return make_layer("Select", index=index, **({"dim": dim} if dim != 1 else {}))


@lowering("select", "narrow")
def _part(body: Body, step: Step, arguments: Arguments) -> None:
    x = tensor(arguments)
    dim = lang_dim(arguments.get("dim"), x)
    if step.name == "select":
        index = arguments.get("index")
        if not isinstance(index, int):
            raise Unsaid("this place")
        return apply(body, step, _select(index, dim))
    start, length = arguments.get("start"), arguments.get("length")
    if not isinstance(start, int) or not isinstance(length, int) or start < 0:
        raise Unsaid("this part")
    return apply(body, step, _slice(start, start + length, dim))


def _slice(start: int, stop: int | None, dim: int) -> Layer:
    given: dict[str, object] = {"start": start}
    if stop is not None:
        given["stop"] = stop
    return make_layer("Slice", **given, **({"dim": dim} if dim != 1 else {}))


@lowering("[]")
def _item(body: Body, step: Step, arguments: Arguments) -> None:
    """`x[:, 0]`, `x[:, :, 2:-2]`, `x[:, None]`: one slice, one place, or new dimensions after another."""
    x, y = step.arguments[0], output_of(step)
    index = step.arguments[1]
    if not isinstance(x, Tensor):
        raise Unsaid("an item of this")
    axis = batch_axis(x.shape)
    if axis is None or batch_axis(y.shape) is None:
        raise Unsaid("an item of this")
    parts = list(index) if isinstance(index, tuple) else [index]
    if Ellipsis in parts:
        taken = sum(part is not None for part in parts) - 1
        at = parts.index(Ellipsis)
        parts[at : at + 1] = [slice(None)] * (len(x.shape) - taken)
    feed = body.feed(x)
    if feed is None:
        raise Unsaid("a tensor that was made of nothing")
    shape = sample_of(x)
    if None in parts and axis == batch_axis(y.shape) == 0 and all(part in (None, slice(None)) for part in parts):
        return reshaped(body, x, y, shape, sample_of(y), step.place.span)
    if axis == 0 and (strided := _strided(parts, x.shape)) is not None:
        return body.gives(y, body.layer_on(strided, feed, shape, sample_of(y), step.place.span))
    position = old = 0
    for part in parts:
        if part is None:
            raise Unsaid("a new dimension")
        if old == axis:
            if not isinstance(part, slice) or batch_axis(y.shape) is None:
                raise Unsaid("a part of the batch")
            old += 1
            continue
        layer = _of_item(part, shape[position], position + 1)
        old += 1
        if layer is None:
            position += 1
            continue
        after = layer.infer(shape)
        feed = body.layer_on(layer, feed, shape, after, step.place.span)
        shape = after
        position += isinstance(part, slice)
    if shape != sample_of(y) or isinstance(feed, tuple):
        raise Unsaid("an item like this")
    return body.gives(y, feed)


def _strided(parts: list[object], shape: Shape) -> Layer | None:
    """`x[:, :, ::2, ::2]`, every second place: a pooling with a window of one."""
    rank = len(shape) - 2
    if len(parts) != len(shape) or rank not in (1, 2, 3) or not all(isinstance(part, slice) for part in parts):
        return None
    slices = [part for part in parts if isinstance(part, slice)]
    whole = all((one.start or 0) == 0 and one.stop in (None, size) for one, size in zip(slices, shape))
    steps = tuple(1 if one.step is None else one.step for one in slices)
    if (
        not whole
        or steps[:2] != (1, 1)
        or set(steps) == {1}
        or not all(isinstance(one, int) and one > 0 for one in steps)
    ):
        return None
    return make_layer(f"MaxPool{rank}d", kernel_size=1, stride=steps[2] if len(set(steps[2:])) == 1 else steps[2:])


def _of_item(part: object, size: int, dim: int) -> Layer | None:
    if isinstance(part, int) and not isinstance(part, bool):
        return _select(part, dim)
    if not isinstance(part, slice) or part.step not in (None, 1):
        raise Unsaid("an item like this")
    start, stop, _ = part.indices(size)
    if (start, stop) == (0, size):
        return None
    return _slice(start, None if stop == size else stop, dim)


@lowering("stack")
def _stack(body: Body, step: Step, arguments: Arguments) -> None:
    """`stack` is `concat` of the values with a new dimension of one."""
    parts = list(tensors_in(arguments.get("tensors")))
    y = output_of(step)
    dim = lang_dim(arguments.get("dim", 0), y)
    one = sample_of(parts[0])
    if any(batch_axis(part.shape) != 0 for part in (*parts, y)):
        raise Unsaid("the batch is not the first dimension here")
    widened = (*one[: dim - 1], 1, *one[dim - 1 :])
    views = []
    for part in parts:
        view = Tensor((part.shape[0], *widened))
        reshaped(body, part, view, one, widened, step.place.span)
        views.append(view)
    body.gives(y, body.merge("concat", views[0], tuple(views[1:]), sample_of(y), step.place.span, dim))
    body.kept += views
