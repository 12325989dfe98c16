"""Attributes and methods of tensors."""

from __future__ import annotations

from cnnspec.torch_source import shape_operations, value_operations
from cnnspec.torch_source.machine import Machine
from cnnspec.torch_source.operations import OPERATIONS, perform
from cnnspec.torch_source.script import Place
from cnnspec.torch_source.stops import Stop
from cnnspec.torch_source.trace import Step
from cnnspec.torch_source.values import Builtin, Opaque, Size, Tensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_TABLES = (shape_operations, value_operations)
_SAME = frozenset(["data", "grad", "real", "imag", "weight"])


class TensorMethod(Builtin):
    """A method of a tensor, which remembers its tensor."""

    __slots__ = ("owner",)

    def __init__(self, name: str, owner: Tensor) -> None:
        super().__init__(name, self._perform)
        self.owner = owner

    def _perform(self, m: Machine, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
        return perform(m, self.name, place, [self.owner, *arguments], keywords)


def tensor_attribute(m: Machine, x: Tensor, name: str, place: Place) -> object:
    """`x.name`."""
    if name == "shape":
        return Size(x.shape)
    if name in OPERATIONS:
        return TensorMethod(name, x)
    if name in _SAME:
        return x
    if name in ("T", "mT", "H"):
        operation = "t" if name != "T" or len(x.shape) <= 2 else "permute"
        arguments = _reversed(x, name)
        result = perform(m, operation, place, arguments, {})
        m.trace.add(Step(operation, None, tuple(arguments), {}, result, place))
        return result
    if name in ("device", "dtype", "layout"):
        return Opaque(name)
    if name == "ndim":
        return len(x.shape)
    if name in ("is_cuda", "requires_grad", "is_sparse", "is_quantized"):
        return name == "requires_grad" and x.parameter
    if name in ("backward", "register_hook", "set_"):
        return Builtin(name, lambda *_: None)
    if name in ("get_device", "is_contiguous", "is_floating_point", "element_size", "stride"):
        return Builtin(name, _about(name, x))
    if name == "apply_":
        return Builtin(name, lambda *_: x)
    raise Stop(f"`.{name}` of a tensor", place)


def _reversed(x: Tensor, name: str) -> list[object]:
    if name == "T" and len(x.shape) > 2:
        return [x, *range(len(x.shape) - 1, -1, -1)]
    return [x]


def _about(name: str, x: Tensor) -> Callable[..., object]:
    def call(m: Machine, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
        if name == "is_floating_point":
            return x.kind == "float"
        return True if name == "is_contiguous" else Opaque(name)

    return call
