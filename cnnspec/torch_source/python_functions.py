"""Python's own functions on values: range, len, isinstance, getattr and the like. None reaches into an object of ours."""

from __future__ import annotations

import ast

from cnnspec.torch_source.machine import SEQUENCE, Machine
from cnnspec.torch_source.operators import SCALARS, is_plain, show
from cnnspec.torch_source.python_numbers import NUMBERS
from cnnspec.torch_source.stops import Raised, Stop, stop_at
from cnnspec.torch_source.values import (
    Builtin,
    Class,
    External,
    Function,
    Instance,
    Method,
    Opaque,
    Partial,
    Record,
    Tensor,
    TorchClass,
    Unknown,
    depends_on_batch,
    lineage,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from cnnspec.torch_source.script import Place

    Native = Callable[[Machine, Place, list[object], dict[str, object]], object]

BUILTINS: dict[str, Native] = dict(NUMBERS)
_TYPES = {"int": int, "float": float, "str": str, "list": list, "tuple": tuple, "dict": dict, "bool": bool, "set": set}
_CALLABLE = (Function, Method, Class, TorchClass, Builtin, External, Partial)


def builtin(*names: str) -> Callable[[Native], Native]:
    """Register a function of Python under its names."""

    def register(native: Native) -> Native:
        BUILTINS.update(dict.fromkeys(names, native))
        return native

    return register


@builtin("range")
def _range(m: Machine, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
    m.known(arguments, place)
    if not all(isinstance(one, int) for one in arguments) or not 1 <= len(arguments) <= 3:
        raise Raised("TypeError", "range() takes whole numbers", place)
    if any(depends_on_batch(one) for one in arguments):
        raise Stop("a loop over the batch", place)
    start, stop, step = 0, 0, 1
    numbers = [int(one) for one in arguments if isinstance(one, int)]
    if len(numbers) == 1:
        stop = numbers[0]
    else:
        start, stop, step = (*numbers, 1)[:3]
    if step == 0:
        raise Raised("ValueError", "range() arg 3 must not be zero", place)
    every = range(start, stop, step)
    m.spend(min(len(every) if abs(stop - start) < 2**62 else SEQUENCE + 1, SEQUENCE + 1), place)
    return list(every)


@builtin("len")
def _len(m: Machine, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
    (value,) = arguments or [None]
    if isinstance(value, Unknown):
        return value
    if isinstance(value, Instance):
        for part in lineage(value.cls):
            if isinstance(part, Class) and "__len__" in part.members:
                return m.call(Method(part.members["__len__"], value), [], {}, place)
        return len(value.children)
    if isinstance(value, Tensor):
        if not value.shape:
            raise Raised("TypeError", "len() of a 0-d tensor", place)
        return value.shape[0]
    if isinstance(value, Record):
        return len(value.order or value.values)
    if isinstance(value, (list, tuple, dict, str, set)):
        return len(value)
    raise Stop("the length of this", place)


@builtin("isinstance")
def _isinstance(m: Machine, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
    value, kinds = arguments
    if isinstance(value, Unknown):
        return value
    for kind in kinds if isinstance(kinds, tuple) else (kinds,):
        verdict = _is_a(value, kind)
        if verdict is None:
            return Unknown(f"{place.text}", place)
        if verdict:
            return True
    return False


def _is_a(value: object, kind: object) -> bool | None:
    if isinstance(kind, (Class, TorchClass)):
        if isinstance(kind, TorchClass) and kind.name == "Parameter":
            return isinstance(value, Tensor) and value.parameter
        if isinstance(value, Instance):
            return any(
                part is kind
                or (isinstance(part, TorchClass) and isinstance(kind, TorchClass) and part.name == kind.name)
                for part in lineage(value.cls)
            ) or (isinstance(kind, TorchClass) and _is_abstract_base(value, kind.name))
        return False
    if isinstance(kind, Builtin):
        if kind.name == "type":
            return isinstance(value, (Class, TorchClass))
        python = _TYPES.get(kind.name)
        return None if python is None else isinstance(value, python)
    if isinstance(kind, External):
        return _is_external(value, kind.path)
    return None


def _is_abstract_base(value: Instance, name: str) -> bool:
    """The classes that torch puts above its layers, and Module above all of them."""
    own = value.torch_name
    if name == "Module":
        return value.is_module
    bases = {"_BatchNorm": "BatchNorm", "_ConvNd": "Conv", "_InstanceNorm": "InstanceNorm", "_DropoutNd": "Dropout"}
    bases |= {"_NormBase": "BatchNorm", "RNNBase": "LSTM"}
    return name in bases and own.startswith(bases[name])


def _is_external(value: object, path: str) -> bool | None:
    last = path.rpartition(".")[2]
    if path in ("torch.Tensor", "torch.nn.Tensor"):
        return isinstance(value, Tensor)
    if last in ("Iterable", "Sequence", "Sized", "Container"):
        return isinstance(value, (list, tuple, str))
    if last in ("Callable",):
        return isinstance(value, _CALLABLE)
    if last in ("Number", "Real"):
        return isinstance(value, (int, float))
    if last in ("Integral",):
        return isinstance(value, int)
    if last == "partial":
        return isinstance(value, Partial)
    if last == "FunctionType":
        return isinstance(value, Function)
    if last in ("OrderedDict", "Mapping", "dict"):
        return isinstance(value, dict)
    if last == "Size":
        return isinstance(value, tuple)
    if path.startswith(("numpy.", "types.", "torch.")):
        return False
    return None


@builtin("bool")
def _bool(m: Machine, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
    if arguments and isinstance(arguments[0], (Unknown, Tensor)):
        return arguments[0] if isinstance(arguments[0], Unknown) else Unknown("the truth of a tensor's values", place)
    return bool(arguments) and m.truth(arguments[0], place)


@builtin("str", "repr")
def _str(m: Machine, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
    text = show(arguments[0]) if arguments else ""
    if text is None:
        return Unknown(f"the text {place.text}", place)
    m.spend(len(text), place)
    return text


@builtin("sum")
def _sum(m: Machine, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
    total: object = arguments[1] if len(arguments) > 1 else keywords.get("start", 0)
    for value in m.iterate(arguments[0], place):
        m.step()
        total = value if isinstance(value, Tensor) and total == 0 else m.binary(ast.Add, total, value, place)
    return total


def _quantified(decides: bool) -> Native:
    def native(m: Machine, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
        return any(m.truth(one, place) == decides for one in m.iterate(arguments[0], place)) == decides

    return native


BUILTINS["any"], BUILTINS["all"] = _quantified(True), _quantified(False)


def _converted(name: str) -> Native:
    def native(m: Machine, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
        items = list(m.iterate(arguments[0], place)) if arguments else []
        m.spend(len(items), place)
        if name == "tuple":
            return tuple(items)
        if name in ("set", "frozenset"):
            if not all(map(is_plain, items)):
                raise Stop("a set of these values", place)
            return set(map(_frozen, items))
        if name == "reversed":
            return items[::-1]
        if name == "sorted":
            return _sorted(items, keywords, place)
        return items

    return native


def _frozen(item: object) -> object:
    return tuple(map(_frozen, item)) if isinstance(item, list) else item


def _sorted(items: list[object], keywords: dict[str, object], place: Place) -> object:
    plain = all(isinstance(item, (int, float)) for item in items) or all(isinstance(item, str) for item in items)
    if "key" in keywords or not plain:
        raise Stop("sorted() of these values", place)
    return sorted(items, reverse=bool(keywords.get("reverse", False)))  # type: ignore[type-var]


BUILTINS.update(
    {name: _converted(name) for name in ("list", "tuple", "set", "iter", "reversed", "sorted", "frozenset")}
)


@builtin("dict")
def _dict(m: Machine, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
    found: dict[object, object] = {}
    if arguments and isinstance(arguments[0], dict):
        found.update(arguments[0])
    elif arguments:
        for pair in m.iterate(arguments[0], place):
            parts = m.iterate(pair, place)
            if len(parts) != 2 or not isinstance(parts[0], SCALARS):
                raise Stop("dict() of these values", place)
            found[parts[0]] = parts[1]
    found.update(keywords)
    m.spend(len(found), place)
    return found


@builtin("zip")
def _zip(m: Machine, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
    columns = [m.iterate(one, place) for one in arguments]
    m.spend(min(map(len, columns), default=0), place)
    return list(zip(*columns))


@builtin("enumerate")
def _enumerate(m: Machine, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
    start = arguments[1] if len(arguments) > 1 else keywords.get("start", 0)
    items = m.iterate(arguments[0], place)
    if not isinstance(start, int):
        raise Stop("enumerate() from this", place)
    m.spend(len(items), place)
    return list(enumerate(items, start))


@builtin("map")
def _map(m: Machine, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
    columns = [m.iterate(one, place) for one in arguments[1:]]
    m.spend(min(map(len, columns), default=0), place)
    return [m.call(arguments[0], list(row), {}, place) for row in zip(*columns)]


@builtin("filter")
def _filter(m: Machine, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
    items = m.iterate(arguments[1], place)
    m.spend(len(items), place)
    if arguments[0] is None:
        return [item for item in items if m.truth(item, place)]
    return [item for item in items if m.truth(m.call(arguments[0], [item], {}, place), place)]


@builtin("next")
def _next(m: Machine, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
    items = m.iterate(arguments[0], place)
    if items:
        return items[0]
    if len(arguments) > 1:
        return arguments[1]
    raise Raised("StopIteration", "", place)


@builtin("getattr")
def _getattr(m: Machine, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
    owner, name = arguments[:2]
    if isinstance(name, Unknown):
        raise stop_at(name, place)
    if not isinstance(name, str):
        raise Raised("TypeError", "getattr(): attribute name must be string", place)
    if len(arguments) == 2:
        return m.attribute(owner, name, place)
    try:
        return m.attribute(owner, name, place)
    except Raised:
        return arguments[2]


@builtin("hasattr")
def _hasattr(m: Machine, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
    owner, name = arguments[:2]
    if not isinstance(name, str) or isinstance(owner, Unknown):
        raise Stop("hasattr() of this", place)
    try:
        m.attribute(owner, name, place)
    except Raised:
        return False
    return True


@builtin("setattr")
def _setattr(m: Machine, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
    owner, name, value = arguments
    if not isinstance(name, str):
        raise Stop("setattr() with a name that is not known", place)
    m.set_attribute(owner, name, value, place)
    return None


@builtin("type")
def _type(m: Machine, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
    value = arguments[0] if arguments else None
    if isinstance(value, Unknown):
        return value
    if isinstance(value, Instance):
        return value.cls
    for name, python in _TYPES.items():
        if type(value) is python:
            return Builtin(name, BUILTINS[name])
    return Opaque("a type")


@builtin("issubclass")
def _issubclass(m: Machine, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
    cls, base = arguments
    if isinstance(cls, (Class, TorchClass)) and isinstance(base, (Class, TorchClass)):
        names = [part if isinstance(part, Class) else part.name for part in lineage(cls)]
        return (base if isinstance(base, Class) else base.name) in names
    raise Stop("issubclass() of this", place)


@builtin("callable")
def _callable(m: Machine, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
    if isinstance(arguments[0], Unknown):
        return arguments[0]
    return isinstance(arguments[0], (*_CALLABLE, Instance))


@builtin("print", "breakpoint")
def _nothing(m: Machine, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
    return None


@builtin(
    "id", "super", "slice", "locals", "vars", "input", "globals", "open", "property", "staticmethod", "classmethod"
)
def _unclear(m: Machine, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
    if place.text.startswith("slice("):
        m.known(arguments, place)
        return slice(*arguments)
    return Unknown(place.text, place)
