"""Items and slices: of tensors, sequences, dicts and containers of modules."""

from __future__ import annotations

from cnnspec.diagnostics import codes
from cnnspec.torch_source.machine import Machine
from cnnspec.torch_source.operators import is_plain
from cnnspec.torch_source.stops import Raised, Refusal, Stop, stop_at
from cnnspec.torch_source.values import (
    Defaults,
    External,
    Instance,
    Opaque,
    Record,
    Size,
    Tensor,
    TorchClass,
    Unknown,
    depends_on_batch,
    show_shape,
    show_size,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cnnspec.torch_source.script import Place


def item_of(m: Machine, owner: object, index: object, place: Place) -> object:
    """`owner[index]`."""
    if isinstance(owner, Tensor):
        return _of_tensor(m, owner, index, place)
    if isinstance(index, Unknown):
        return index
    if isinstance(owner, External):
        return Opaque(owner.path)
    if isinstance(owner, Record) and owner.order:
        owner = tuple(owner.values[name] for name in owner.order)
    elif isinstance(owner, Record):
        owner = owner.values
    if isinstance(owner, Instance):
        return _of_module(m, owner, index, place)
    if isinstance(index, Tensor):
        return Unknown("an item that the values of a tensor choose", place)
    if not isinstance(owner, (list, tuple, dict, str)):
        raise Stop("an item of this", place)
    return _of_sequence(m, owner, index, place)


def _of_sequence(
    m: Machine, owner: list[object] | tuple[object, ...] | dict[object, object] | str, index: object, place: Place
) -> object:
    if isinstance(owner, dict):
        if isinstance(index, (list, dict, set)) or (isinstance(index, tuple) and not is_plain(index)):
            raise Stop("a key like this", place)
        if index not in owner and isinstance(owner, Defaults) and owner.factory is not None:
            m.spend(1, place)
            m.changes += 1
            owner[index] = m.call(owner.factory, [], {}, place)
        if index not in owner:
            raise Raised("KeyError", repr(index) if isinstance(index, (str, int)) else "key", place)
        return owner[index]
    if isinstance(index, slice):
        try:
            part = owner[index]
        except (TypeError, ValueError) as error:
            raise Raised(type(error).__name__, str(error), place) from None
        m.spend(len(part), place)
        return Size(one for one in part if isinstance(one, int)) if isinstance(owner, Size) else part
    if not isinstance(index, int):
        raise Raised("TypeError", "indices have to be whole numbers", place)
    if depends_on_batch(index):
        return Unknown("an item that the size of the batch chooses", place)
    if not -len(owner) <= index < len(owner):
        raise Raised("IndexError", f"there is no item {index} of {len(owner)}", place)
    return owner[index]


def _of_module(m: Machine, owner: Instance, index: object, place: Place) -> object:
    children = owner.children
    if isinstance(index, str):
        if index not in children:
            raise Raised("KeyError", repr(index), place)
        return children[index]
    names = list(children)
    if isinstance(index, slice):
        part = Instance(TorchClass(owner.torch_name), place, m.frame)
        part.children = {name: children[name] for name in names[index]}
        if owner.torch_name != "ModuleDict":
            part.children = {str(number): child for number, child in enumerate(part.children.values())}
        return part
    if not isinstance(index, int):
        raise Stop("an item of this", place)
    if not -len(names) <= index < len(names):
        raise Raised("IndexError", f"there is no module {index} of {len(names)}", place)
    return children[names[index]]


def _of_tensor(m: Machine, x: Tensor, index: object, place: Place) -> object:
    parts = list(index) if isinstance(index, tuple) else [index]
    for part in parts:
        if isinstance(part, Unknown):
            raise stop_at(part, place)
    if any(isinstance(part, (Tensor, list)) for part in parts):
        return _gathered(m, x, parts, place)
    taken = sum(part is not None and part is not Ellipsis and not isinstance(part, bool) for part in parts)
    if taken > len(x.shape):
        facts: dict[str, object] = {"operation": "indexing", "problem": f"{taken} indices for {show_shape(x.shape)}"}
        raise Refusal(codes.TENSOR_OPERATION, facts | {"label": "too many indices"})
    shape: list[int] = []
    axis = 0
    for part in parts:
        if part is Ellipsis:
            skipped = len(x.shape) - taken
            shape += x.shape[axis : axis + skipped]
            axis += skipped
        elif part is None:
            shape.append(1)
        elif isinstance(part, slice):
            shape.append(_sliced(x.shape[axis], part, place))
            axis += 1
        elif isinstance(part, int) and not isinstance(part, bool):
            _expect_inside(x, axis, part)
            axis += 1
        else:
            raise Stop("an index like this", place)
    shape += x.shape[axis:]
    made = x.made if tuple(shape) == x.shape else place
    return Tensor(tuple(shape), x.kind, made=made)


def _expect_inside(x: Tensor, axis: int, index: int) -> None:
    size = x.shape[axis]
    if depends_on_batch(size) or -size <= index < size:
        return
    problem = f"index {index} is out of range for dimension {axis}, whose size is {show_size(size)}"
    facts: dict[str, object] = {"operation": "indexing", "problem": problem, "label": f"gets {show_shape(x.shape)}"}
    rest = x.shape[:axis] + x.shape[axis + 1 :]
    raise Refusal(codes.TENSOR_OPERATION, facts, Tensor(rest, x.kind))


def _sliced(size: int, part: slice, place: Place) -> int:
    ends = part.start, part.stop, part.step
    if not all(end is None or isinstance(end, int) for end in ends):
        raise Stop("a slice like this", place)
    if isinstance(part.step, int) and part.step <= 0:
        raise Raised("ValueError", "step must be greater than zero", place)
    if depends_on_batch(size):
        if part in (slice(None), slice(0, None), slice(0, size), slice(None, size)):
            return size
        if part.start in (None, 0) and isinstance(part.stop, int) and 0 < part.stop <= 1 and part.step in (None, 1):
            return part.stop
        raise Stop("a part of the batch", place)
    if any(isinstance(end, int) and depends_on_batch(end) for end in ends):
        raise Stop("a slice that depends on the size of the batch", place)
    return len(range(*part.indices(size)))


def _gathered(m: Machine, x: Tensor, parts: list[object], place: Place) -> object:
    """An index by tensors or lists: they replace the dimensions that they stand for."""
    shape: list[int] = []
    axis = 0
    seen = False
    for part in parts:
        if isinstance(part, list):
            part = Tensor((len(part),), "int")
        if isinstance(part, Tensor) and part.kind == "int" and not seen:
            shape += part.shape
            seen = True
            axis += 1
        elif isinstance(part, slice) and axis < len(x.shape):
            shape.append(_sliced(x.shape[axis], part, place))
            axis += 1
        else:
            raise Stop("an index by the values of a tensor", place)
    return Tensor((*shape, *x.shape[axis:]), x.kind, made=place)
