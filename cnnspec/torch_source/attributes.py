"""Attributes of values, iteration and truth."""

from __future__ import annotations

from cnnspec.torch_source.calls import call, run_torch
from cnnspec.torch_source.externals import external
from cnnspec.torch_source.machine import Machine
from cnnspec.torch_source.methods import method_of
from cnnspec.torch_source.modules import construct, module_attribute, set_layer_attribute
from cnnspec.torch_source.options import Parser, parser_attribute
from cnnspec.torch_source.project import File
from cnnspec.torch_source.script import Place
from cnnspec.torch_source.stops import Raised, Stop, stop_at
from cnnspec.torch_source.tensors import tensor_attribute
from cnnspec.torch_source.trace import Step
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
    Super,
    Tensor,
    TorchClass,
    Unknown,
    depends_on_batch,
    lineage,
)
from cnnspec.torch_source.weights import materialise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def attribute(m: Machine, owner: object, name: str, place: Place) -> object:
    """`owner.name`."""
    match owner:
        case Unknown() | Opaque():
            return owner
        case External():
            return m.described(f"{owner.path}.{name}") or external(f"{owner.path}.{name}")
        case File():
            return owner.member(m, name)
        case Tensor():
            return tensor_attribute(m, owner, name, place)
        case Instance():
            return _of_instance(m, owner, name, place)
        case Super():
            return _of_super(m, owner, name, place)
        case Parser():
            return parser_attribute(owner, name, place)
        case Record():
            if name in owner.values:
                return owner.values[name]
            if name in ("_replace", "_asdict", "items", "keys"):
                raise Stop(f"`{name}` of this", place)
            raise Raised("AttributeError", f"no `{name}`", place)
        case Class() | TorchClass():
            return _of_class(m, owner, name, place)
    if name in ("__name__", "__qualname__") and isinstance(owner, (Function, Builtin)):
        return owner.name
    if isinstance(owner, Partial) and name in ("func", "args", "keywords"):
        return {"func": owner.function, "args": tuple(owner.arguments), "keywords": dict(owner.keywords)}[name]
    found = method_of(m, owner, name, place)
    if found is not None:
        return found
    if name == "numel" and isinstance(owner, tuple):
        return Builtin(name, lambda *_: Unknown("numel() of a shape", place))
    plain = owner is None or isinstance(owner, (int, float, str, tuple, list, dict))
    if isinstance(owner, list) and name in _OF_ARRAYS:
        # What numpy gives is a list here.
        if name == "astype":
            return Builtin(name, lambda *_: owner)
        raise Stop(f"`.{name}` of an array of numpy", place)
    if plain and name in ("value", "name"):
        raise Stop(f"`.{name}` of an Enum that is a string or a number, too", place)
    if plain and not hasattr(type(owner), name):
        raise Raised("AttributeError", f"{_kind(owner)} has no attribute `{name}`", place)
    raise Stop(f"`.{name}` of this", place)


_OF_ARRAYS = frozenset(
    ["astype", "reshape", "shape", "T", "ndim", "dtype", "size", "mean", "sum", "max", "min", "ravel", "flatten"]
)


def _kind(value: object) -> str:
    return "None" if value is None else f"a {type(value).__name__.lower()}"


def bind_member(m: Machine, member: object, receiver: object, place: Place) -> object:
    """A member of a class as the attribute of an object."""
    if isinstance(member, Function):
        if member.kind == "staticmethod":
            return member
        if member.kind == "property":
            return call(m, member, [receiver], {}, place)
        if member.kind == "classmethod":
            return Method(member, receiver.cls if isinstance(receiver, Instance) else receiver)
        return Method(member, receiver)
    return member


def _of_instance(m: Machine, owner: Instance, name: str, place: Place) -> object:
    if name in ("weight", "bias") and owner.layer is not None:
        materialise(owner)
    if name == "training" and owner.is_module:
        # Whatever __init__ says: train() and eval() come later.
        return m.training
    if name in owner.children:
        return owner.children[name]
    if name in owner.attributes:
        return owner.attributes[name]
    if name == "__class__":
        return owner.cls
    if name == "__dict__":
        raise Stop("`__dict__`", place)
    fallback = None
    for part in lineage(owner.cls):
        if isinstance(part, TorchClass):
            if part.name.startswith("?"):
                raise Stop(f"`{part.name[1:]}`, the base class of `{owner.cls.name}`", place)
            found = module_attribute(m, owner, part.name, name, place) if part.module else None
            if found is not None:
                return found
        elif name in part.members:
            return bind_member(m, part.members[name], owner, place)
        else:
            fallback = fallback or part.members.get("__getattr__")
    if fallback is not None:
        return call(m, Method(fallback, owner), [name], {}, place)
    if name in ("_modules", "_parameters", "_buffers"):
        if name != "_modules" and (owner.layer is not None or owner.children):
            raise Stop(f"`{name}` of a module", place)
        return {"_modules": dict(owner.modules()), "_parameters": {}, "_buffers": {}}[name]
    text = f"`{owner.cls.name}` has no attribute `{name}`"
    raise Raised("AttributeError", text, place, lacks=(name, owner))


def _of_super(m: Machine, owner: Super, name: str, place: Place) -> object:
    receiver = owner.receiver
    line = lineage(receiver.cls) if isinstance(receiver, Instance) else lineage(owner.cls)
    behind = line[line.index(owner.cls) + 1 :] if owner.cls in line else line
    for part in behind:
        if isinstance(part, Class) and name in part.members:
            return bind_member(m, part.members[name], receiver, place)
        if isinstance(part, TorchClass) and isinstance(receiver, Instance):
            if part.name.startswith("?"):
                raise Stop(
                    f"`{part.name[1:]}`, the base class of `{owner.cls.name}`, which is not in the project", place
                )
            if name == "__init__":
                return _torch_init(receiver, part)
            if name == "forward":
                return _torch_forward(receiver, part)
            found = module_attribute(m, receiver, part.name, name, place)
            if found is not None:
                return found
    if name == "__init__":
        return Builtin(name, lambda *_: None)
    raise Raised("AttributeError", f"`super` object has no attribute `{name}`", place)


def _torch_init(receiver: Instance, cls: TorchClass) -> Builtin:
    def init(m: Machine, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
        if cls.module and cls.name != "Module":
            construct(m, cls, receiver, arguments, keywords, place)
        return None

    return Builtin("__init__", init)


def _torch_forward(receiver: Instance, cls: TorchClass) -> Builtin:
    def forward(m: Machine, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
        return run_torch(m, receiver, cls.name, arguments, keywords, place)

    return Builtin("forward", forward)


def _of_class(m: Machine, owner: Class | TorchClass, name: str, place: Place) -> object:
    if name in ("__name__", "__qualname__"):
        return owner.name
    if isinstance(owner, TorchClass):
        if name == "__init__":
            return Builtin(name, _init_of(owner))
        raise Stop(f"`{owner.name}.{name}`", place)
    if name == "apply" and any(part.name.endswith("autograd.Function") for part in lineage(owner)):
        return Builtin(name, _applied(owner))
    for part in lineage(owner):
        if isinstance(part, Class) and name in part.members:
            member = part.members[name]
            if isinstance(member, Function) and member.kind == "classmethod":
                return Method(member, owner)
            if part.style == "enum" and not isinstance(member, (Function, Record)):
                # One and the same object for a name: members are compared by what they are.
                member = part.members[name] = Record({"name": name, "value": member, "_value_": member})
            return member
        if isinstance(part, TorchClass) and name == "__init__":
            return Builtin(name, _init_of(part))
    raise Raised("AttributeError", f"`{owner.name}` has no attribute `{name}`", place)


def _applied(cls: Class) -> Callable[..., object]:
    """`apply` of an autograd.Function: its forward, with a context that keeps what it is given."""

    def apply(m: Machine, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
        context = Opaque("a context")
        return call(m, m.attribute(cls, "forward", place), [context, *arguments], keywords, place)

    return apply


def _init_of(cls: TorchClass) -> Callable[..., object]:
    def init(m: Machine, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
        receiver = arguments[0] if arguments else None
        if isinstance(receiver, Instance) and cls.module and cls.name != "Module":
            construct(m, cls, receiver, arguments[1:], keywords, place)
        return None

    return init


def set_attribute(m: Machine, owner: object, name: str, value: object, place: Place) -> None:
    """`owner.name = value`."""
    m.changes += 1
    if isinstance(owner, Instance):
        for part in lineage(owner.cls):
            if isinstance(part, Class) and "__setattr__" in part.members:
                raise Stop(f"the __setattr__ of `{part.name}`", place)
        if set_layer_attribute(m, owner, name, value, place):
            return
        registered = (isinstance(value, Instance) and value.is_module) or (
            isinstance(value, Tensor) and value.parameter
        )
        if registered and owner.is_module:
            owner.attributes.pop(name, None)
            owner.children[name] = value
            if isinstance(value, Instance) and not value.name:
                value.name = name
        else:
            owner.children.pop(name, None)
            owner.attributes[name] = value
    elif isinstance(owner, Record):
        owner.values[name] = value
    elif isinstance(owner, Class):
        owner.members[name] = value
    elif isinstance(owner, Unknown):
        if isinstance(value, Instance) and value.is_module:
            raise stop_at(owner, place)
    elif not isinstance(owner, (Tensor, External, Opaque, Function)):
        raise Stop("an assignment to an attribute of this", place)


# --- iteration and truth ---


def iterate(m: Machine, value: object, place: Place) -> list[object]:
    """The items of a value."""
    if isinstance(value, Unknown):
        raise stop_at(value, place)
    if isinstance(value, (list, tuple)):
        return list(value)
    if isinstance(value, dict):
        return list(value)
    if isinstance(value, (str, set)):
        m.spend(len(value), place)
        return sorted(value, key=str) if isinstance(value, set) else list(value)
    if isinstance(value, Record) and value.order:
        return [value.values[name] for name in value.order]
    if isinstance(value, Instance):
        for part in lineage(value.cls):
            if isinstance(part, Class) and "__iter__" in part.members:
                return iterate(m, call(m, Method(part.members["__iter__"], value), [], {}, place), place)
        if value.torch_name == "ModuleDict":
            return list(value.children)
        return list(value.children.values())
    if isinstance(value, Tensor):
        if not value.shape:
            raise Raised("TypeError", "iteration over a 0-d tensor", place)
        if depends_on_batch(value.shape[0]):
            raise Stop("a loop over the batch", place)
        m.spend(value.shape[0], place)
        parts = tuple(Tensor(value.shape[1:], value.kind, made=place) for _ in range(value.shape[0]))
        for item, number in zip(parts, value.known):
            item.known = (number,)
        m.trace.add(Step("unbind", None, (value,), {}, parts, place))
        return list(parts)
    if value is None or isinstance(value, (int, float)):
        raise Raised("TypeError", f"{_kind(value)} can't be iterated over", place)
    raise Stop("a loop over this", place)


def truth(m: Machine, value: object, place: Place) -> bool:
    """Whether a value counts as true."""
    if isinstance(value, Unknown):
        raise stop_at(value, place)
    if isinstance(value, Tensor):
        raise Stop("a condition on the values of a tensor", place)
    if isinstance(value, Opaque) and value.name.startswith("?"):
        raise Stop(f"a condition on {value.name[1:]}", place)
    if isinstance(value, Instance):
        if value.torch_name in ("Sequential", "ModuleList", "ModuleDict", "ParameterList"):
            return bool(value.children)
        return True
    if isinstance(value, Record):
        return True
    if isinstance(value, (bool, int, float, str, list, tuple, dict, set, type(None))):
        return bool(value)
    return True
