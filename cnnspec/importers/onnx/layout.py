"""Operators that lay values out anew, reduce them, or work on their sizes."""

from __future__ import annotations

import numpy as np
from onnx import numpy_helper

from cnnspec.importers.onnx.nodes import Node, Unread, Value, node, said

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Array = np.ndarray[Any, Any]


@node("Flatten")
def _flatten(at: Node) -> list[Value]:
    if at.get("axis", 1) != 1:
        raise Unread("a `Flatten` over the batch")
    return said(f"torch.flatten({at.tensor()}, 1)")


@node("Reshape")
def _reshape(at: Node) -> list[Value]:
    x, shape = at.tensor(), at.value(1)
    if shape.is_list:
        return said(f"{x}.reshape({shape.text})")
    sizes: list[str] = []
    for axis, size in enumerate(at.numbers(1) or []):
        of_batch = size == 0 or (axis == 0 and size == at.reader.batch and size > 0)
        sizes.append(f"{x}.shape[{axis}]" if of_batch else str(size))
    return said(f"{x}.reshape({', '.join(sizes)})")


@node("Transpose")
def _transpose(at: Node) -> list[Value]:
    if at.value(0).array is not None:
        return [Value(array=np.ascontiguousarray(at.array(0).transpose(at.get("perm"))))]
    if "perm" not in at.attributes:
        raise Unread("a `Transpose` without its order")
    return said(f"{at.tensor()}.permute({', '.join(map(str, at.get('perm')))})")


@node("Squeeze", "Unsqueeze")
def _squeeze(at: Node) -> list[Value]:
    axes = at.numbers(1, "axes")
    value = at.value(0)
    kind = at.proto.op_type
    if axes is None:
        raise Unread(f"a `{kind}` without its axes")
    if value.array is not None:
        change = np.squeeze if kind == "Squeeze" else np.expand_dims
        return [Value(array=change(value.array, tuple(axes)))]
    if value.is_list or value.text.endswith("]"):
        # A size becomes a list of one, and the other way around.
        return [Value(text=f"[{value.text}]" if kind == "Unsqueeze" else f"{value.text}[0]", is_list=True)]
    text = at.tensor()
    for axis in sorted(axes, reverse=kind == "Squeeze"):
        text += f".{kind.lower()}({axis})"
    return said(text)


@node("Concat")
def _concat(at: Node) -> list[Value]:
    values = [at.value(number) for number in range(len(at.proto.input))]
    if all(one.array is not None for one in values):
        return [Value(array=np.concatenate([one.array for one in values if one.array is not None], at.get("axis")))]
    if any(one.is_list for one in values):
        lists = [one.text or repr([int(n) for n in np.asarray(one.array).reshape(-1)]) for one in values]
        return [Value(text=f"[{', '.join(f'*{one}' for one in lists)}]", is_list=True)]
    return said(f"torch.cat([{', '.join(one.said for one in values)}], {at.get('axis')})")


@node("Shape")
def _shape(at: Node) -> list[Value]:
    return [Value(text=f"list({at.tensor()}.shape)", is_list=True)]


@node("Gather")
def _gather(at: Node) -> list[Value]:
    value, axis = at.value(0), at.get("axis", 0)
    index = at.array(1)
    if value.is_list and index.size == 1:
        item = f"{value.text}[{int(index.reshape(-1)[0])}]"
        return [Value(text=item if index.ndim == 0 else f"[{item}]", is_list=True)]
    if value.array is not None:
        return [Value(array=np.take(value.array, index, axis))]
    if index.ndim:
        raise Unread("several items of a value")
    return said(f"{at.tensor()}.select({axis}, {int(index)})")


@node("Slice")
def _slice(at: Node) -> list[Value]:
    value = at.value(0)
    starts, ends, axes, steps = (at.numbers(n, name) for n, name in ((1, "starts"), (2, "ends"), (3, "axes"), (4, "")))
    assert starts is not None
    assert ends is not None
    axes = axes if axes is not None else list(range(len(starts)))
    steps = steps or [1] * len(starts)
    if value.is_list:
        return [Value(text=f"{value.text}[{starts[0]}:{ends[0]}:{steps[0]}]", is_list=True)]
    if value.array is not None:
        cut: list[Any] = [slice(None)] * value.array.ndim
        for axis, start, end, step in zip(axes, starts, ends, steps):
            cut[axis] = slice(start, end, step)
        return [Value(array=value.array[tuple(cut)])]
    text = at.tensor()
    if min(axes) < 0:
        raise Unread("a `Slice` that counts axes from behind")
    parts = [":"] * (max(axes) + 1)
    for axis, start, end, step in zip(axes, starts, ends, steps):
        last = "" if end >= 2**31 - 1 else str(end)
        parts[axis] = f"{start or ''}:{last}" + (f":{step}" if step != 1 else "")
    return said(f"{text}[{', '.join(parts)}]")


@node("Split")
def _split(at: Node) -> list[Value]:
    sizes = at.numbers(1, "split")
    count = len(at.proto.output)
    axis = at.get("axis", 0)
    how = (
        f"torch.chunk({at.tensor()}, {count}, {axis})"
        if sizes is None
        else f"torch.split({at.tensor()}, {sizes}, {axis})"
    )
    return [Value(text=f"{how}[{number}]") for number in range(count)]


@node("ReduceMean", "ReduceSum", "ReduceMax")
def _reduce(at: Node) -> list[Value]:
    axes = at.numbers(1, "axes")
    name = {"ReduceMean": "mean", "ReduceSum": "sum", "ReduceMax": "amax"}[at.proto.op_type]
    if axes is None:
        raise Unread("a reduction over everything")
    return said(f"{at.tensor()}.{name}({tuple(axes)}, keepdim={bool(at.get('keepdims', 1))})")


@node("Constant")
def _constant(at: Node) -> list[Value]:
    for name in ("value", "value_float", "value_int", "value_floats", "value_ints"):
        if name in at.attributes:
            given = at.attributes[name]
            return [Value(array=numpy_helper.to_array(given) if name == "value" else np.asarray(given))]
    raise Unread("a constant that is no number")
