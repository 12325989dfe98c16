"""The table of tensor operations: one function each, under the names that torch and the methods of tensors give it.

An operation takes an `Op`, which knows the machine and the place, and values; it gives the value of the call or raises
Refusal for what torch refuses. Arguments that are not known make the result unknown.
"""

from __future__ import annotations

from cnnspec.diagnostics import codes
from cnnspec.torch_source.machine import Machine
from cnnspec.torch_source.stops import Raised, Refusal, Stop
from cnnspec.torch_source.values import Opaque, Shape, Tensor, Unknown, show_shape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cnnspec.torch_source.script import Place

OPERATIONS: dict[str, Callable[..., object]] = {}
_ALIASES = {"axis": "dim", "keepdims": "keepdim", "self": "input", "tensor": "input"}
_WITHOUT_EFFECT = frozenset(
    """
    out dtype device memory_format requires_grad non_blocking copy layout pin_memory generator inplace training
    unbiased correction rounding_mode eps alpha beta p value mode align_corners antialias recompute_scale_factor
    indexing mean std min max hard tau negative_slope approximate _stacklevel stacklevel ord descending stable
    largest sorted side right low high dims dim shifts diagonal start_dim source mask lower upper
    track_running_stats momentum use_input_stats
    """.split()
)


class Op:
    """One call of an operation."""

    __slots__ = ("m", "name", "place")

    def __init__(self, m: Machine, name: str, place: Place) -> None:
        self.m, self.name, self.place = m, name, place

    def result(self, shape: Sequence[int], like: Tensor | None = None, kind: str = "") -> Tensor:
        """The tensor that the operation gives."""
        made = like.made if like is not None and tuple(shape) == like.shape else self.place
        found = self.m.tensor(shape, made)
        found.kind = kind or (like.kind if like is not None else "float")
        if like is not None and found.shape[:1] == like.shape[:1]:
            found.maker = like.maker
        return found

    def refuse(self, problem: str, label: str, value: object = None, *, field: str = "") -> Refusal:
        """What torch refuses, in words of the operation."""
        facts: dict[str, object] = {"operation": f"`{self.name}`", "problem": problem, "label": label}
        return Refusal(codes.TENSOR_OPERATION, facts, value, field=field)

    def dim(self, dim: object, shape: Shape, *, extra: int = 0) -> int:
        """A dimension counted from 0; `extra` where one may stand behind the last."""
        rank = len(shape) + extra
        if not isinstance(dim, int) or isinstance(dim, bool):
            raise Stop(f"the dimension of {self.place.text}", self.place)
        if not -rank <= dim < rank and not (rank == 0 and dim in (0, -1)):
            facts: dict[str, object] = {"operation": f"`{self.name}`", "dim": dim, "shape": show_shape(shape)}
            raise Refusal(codes.TENSOR_DIMENSION, facts | {"range": f"{-rank} to {rank - 1}"})
        return dim % rank if rank else 0

    def dims(self, dims: object, shape: Shape) -> tuple[int, ...]:
        """Several dimensions counted from 0; all of them for None."""
        if dims is None:
            return tuple(range(len(shape)))
        if isinstance(dims, (list, tuple)):
            return tuple(self.dim(dim, shape) for dim in dims) or tuple(range(len(shape)))
        return (self.dim(dims, shape),)

    def tensor(self, value: object) -> Tensor:
        """An argument that has to be a tensor."""
        if isinstance(value, Tensor):
            return value
        if isinstance(value, (int, float)):
            return Tensor(())
        if isinstance(value, (list, tuple, str, dict, type(None))):
            kind = "None" if value is None else f"a {type(value).__name__.lower()}"
            raise self.refuse(f"takes a tensor, not {kind}", f"gets {kind}")
        raise Stop(f"the argument of {self.place.text}", self.place)

    def integer(self, value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            if isinstance(value, float):
                raise Raised("TypeError", f"{self.name}() takes whole numbers, not {value}", self.place)
            raise Stop(f"a number of {self.place.text}", self.place)
        return value

    def integers(self, values: Sequence[object]) -> tuple[int, ...]:
        """Sizes that are given one by one, or as one sequence."""
        if len(values) == 1 and isinstance(values[0], (list, tuple)):
            values = values[0]
        return tuple(map(self.integer, values))


def operation(*names: str) -> Callable[[Callable[..., object]], Callable[..., object]]:
    """Register a function as the operation of these names."""

    def register(function: Callable[..., object]) -> Callable[..., object]:
        OPERATIONS.update(dict.fromkeys(names, function))
        return function

    return register


def perform(m: Machine, name: str, place: Place, arguments: Sequence[object], keywords: dict[str, object]) -> object:
    """Carry out an operation of the table."""
    function = OPERATIONS[name]
    for value in (*arguments, *keywords.values()):
        if isinstance(value, Unknown):
            return value
    if name.endswith("_") and arguments and isinstance(arguments[0], Tensor):
        arguments[0].known = ()
    code = function.__code__
    names = code.co_varnames[1 : code.co_argcount]
    open_ended = bool(code.co_flags & 4)
    if len(arguments) > len(names) and not open_ended:
        kept = list(arguments[: len(names)])
        if not all(isinstance(rest, (bool, float, int, str, Opaque, type(None))) for rest in arguments[len(names) :]):
            raise Stop(f"the arguments of {place.text}", place)
        arguments = kept
    given: dict[str, object] = {}
    for keyword, value in keywords.items():
        target = keyword if keyword in names else _ALIASES.get(keyword, keyword)
        if target in names:
            given[target] = value
        elif keyword not in _WITHOUT_EFFECT:
            raise Stop(f"the argument `{keyword}` of {place.text}", place)
    if "input" not in names and "input" in given:
        raise Stop(f"the argument `input` of {place.text}", place)
    if set(given) & set(names[: len(arguments)]):
        raise Raised("TypeError", f"{name}() is given an argument twice", place)
    required = code.co_argcount - 1 - len(function.__defaults__ or ())
    missing = [one for one in names[len(arguments) : required] if one not in given]
    if missing:
        raise Stop(f"{place.text}, which lacks `{missing[0]}`", place)
    return function(Op(m, name, place), *arguments, **given)


def broadcast(op: Op, first: Shape, second: Shape) -> Shape:
    """The common shape of two tensors."""
    if first == second:
        return first
    length = max(len(first), len(second))
    one = (1,) * (length - len(first)) + first
    other = (1,) * (length - len(second)) + second
    shape = []
    for axis, (a, b) in enumerate(zip(one, other)):
        if a != b and a != 1 and b != 1:
            raise _differ(op, first, second, axis - length)
        shape.append(b if a == 1 else a)
    return tuple(shape)


def _differ(op: Op, first: Shape, second: Shape, axis: int) -> Refusal:
    facts: dict[str, object] = {"operation": f"`{op.name}`", "first": show_shape(first), "second": show_shape(second)}
    return Refusal(codes.SHAPES_DIFFER, facts | {"axis": axis}, Unknown("a sum of different shapes", reported=True))
