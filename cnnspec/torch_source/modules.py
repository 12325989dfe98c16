"""Modules of torch.nn: made, called, and asked for their parts."""

from __future__ import annotations

from cnnspec.layers import Layer
from cnnspec.torch_source import layers
from cnnspec.torch_source.machine import Machine
from cnnspec.torch_source.module_methods import METHODS
from cnnspec.torch_source.script import Place
from cnnspec.torch_source.special_modules import SPECIAL, SpecialModule
from cnnspec.torch_source.stops import Raised, Refusal, Stop, stop_at
from cnnspec.torch_source.values import Builtin, Instance, Tensor, TorchClass, Unknown
from cnnspec.torch_source.weights import layer_argument, materialise

_MODULE = 20
"""Steps that making a module takes."""
_CONTAINERS = frozenset(["Sequential", "ModuleList", "ModuleDict", "ParameterList", "ParameterDict"])


def construct(
    m: Machine, cls: TorchClass, made: Instance, arguments: list[object], keywords: dict[str, object], place: Place
) -> object:
    """Make a module of torch.nn, or the part of a user's module that comes from there."""
    name = cls.name
    m.step(_MODULE)
    if name == "Module" or not cls.module:
        return made
    if name == "Parameter":
        return _parameter(m, arguments, keywords, place)
    if name in _CONTAINERS:
        _fill(m, made, name, arguments, keywords, place)
        return made
    if name in ("DataParallel", "DistributedDataParallel"):
        made.children["module"] = arguments[0] if arguments else keywords.get("module")
        made.layer = SPECIAL["DataParallel"](m, place, {})
        return made
    if name in SPECIAL or name.endswith("Loss"):
        made.layer = _other(m, name, arguments, keywords, place)
        return made
    if Layer.find(name.removeprefix("Lazy").replace("SyncBatchNorm", "BatchNorm2d")) is None:
        raise Stop(f"`nn.{name}`, which is not among the layers that cnnspec knows", place)
    layer = layers.make(m, name, arguments, keywords, place)
    if isinstance(layer, Unknown):
        if made.cls is cls:
            return layer
        raise stop_at(layer, place)
    made.layer = layer
    return made


def _parameter(m: Machine, arguments: list[object], keywords: dict[str, object], place: Place) -> object:
    data = arguments[0] if arguments else keywords.get("data")
    if isinstance(data, Unknown):
        return data
    if isinstance(data, (int, float)):
        return Tensor((), parameter=True)
    if not isinstance(data, Tensor):
        raise Stop("a parameter of a shape that is not known", place)
    return Tensor(data.shape, data.kind, parameter=True, made=data.made)


def _other(m: Machine, name: str, arguments: list[object], keywords: dict[str, object], place: Place) -> object:
    if name not in SPECIAL:
        return SPECIAL["Loss"](m, place, {})
    cls = SPECIAL[name]
    order = cls.order.split()
    names = [one.partition("=")[0] for one in order]
    if len(arguments) > len(names):
        raise Raised("TypeError", f"nn.{name}() takes {len(names)} arguments, {len(arguments)} are given", place)
    values = dict(zip(names, arguments)) | keywords
    for keyword in keywords:
        if keyword not in names and keyword not in ("device", "dtype"):
            raise Raised("TypeError", f"nn.{name}() has no parameter `{keyword}`", place)
    for key, value in values.items():
        values[key] = m.known(value, place)
    missing = [one for one in order if "=" not in one and one not in values]
    if missing:
        raise Raised("TypeError", f"nn.{name}() needs `{missing[0]}`", place)
    return cls(m, place, values)


def _fill(
    m: Machine, made: Instance, name: str, arguments: list[object], keywords: dict[str, object], place: Place
) -> None:
    source: object = arguments[0] if arguments else next(iter(keywords.values()), [])
    if isinstance(source, Unknown):
        raise stop_at(source, place)
    if isinstance(source, dict) and (name == "Sequential" or name.endswith("Dict")):
        pairs = list(source.items())
    elif name.endswith("Dict"):
        pairs = [(pair[0], pair[1]) for pair in map(tuple, (m.iterate(one, place) for one in m.iterate(source, place)))]
    elif name == "Sequential":
        pairs = list(enumerate(arguments))
    else:
        pairs = list(enumerate(m.iterate(source if source is not None else [], place)))
    for key, value in pairs:
        if isinstance(value, Unknown) and not value.reported:
            raise stop_at(value, place)
        if not isinstance(value, (Instance, Tensor, Unknown)):
            kind = "None" if value is None else f"a {type(value).__name__.lower()}"
            if name.startswith("Parameter") or isinstance(value, (int, float, str, list, tuple, type(None))):
                raise Raised("TypeError", f"{kind} is not a Module subclass", place)
            raise Stop(f"`nn.{name}` of these values", place)
        made.children[str(key)] = value
        if isinstance(value, Instance) and not value.name:
            value.name = str(key)


def apply_module(
    m: Machine, instance: Instance, name: str, arguments: list[object], keywords: dict[str, object], place: Place
) -> object:
    """Call a layer of torch.nn."""
    values = [*arguments, *keywords.values()]
    made = instance.layer
    if isinstance(made, SpecialModule):
        for value in values:
            if isinstance(value, Unknown):
                return value
        if instance.children.get("module") is not None:
            return m.call(instance.children["module"], arguments, keywords, place)
        return made.run(m, place, arguments, keywords)
    x = values[0] if values else None
    if isinstance(x, Unknown):
        return x
    if not isinstance(made, layers.Made):
        raise Stop(f"the call of `nn.{name}`, whose __init__ was not followed", place)
    if not isinstance(x, Tensor):
        raise _no_tensor(name, x, place)
    if len(values) > 1:
        raise Raised("TypeError", f"nn.{name} takes one tensor, {len(values)} values are given", place)
    if name in ("Flatten", "Unflatten"):
        return _lay_out(m, name, made, x, place)
    return layers.run(m, made, x, place)


def _no_tensor(name: str, value: object, place: Place) -> Exception:
    if isinstance(value, tuple):
        from cnnspec.diagnostics import codes

        facts: dict[str, object] = {
            "operation": f"nn.{name}",
            "problem": f"takes a tensor, not a tuple of {len(value)}",
        }
        return Refusal(codes.TENSOR_OPERATION, facts | {"label": "gets a tuple"})
    if value is None or isinstance(value, (int, float, str, list, dict)):
        kind = "None" if value is None else f"a {type(value).__name__.lower()}"
        return Raised("TypeError", f"nn.{name} takes a tensor, not {kind}", place)
    return Stop(f"`nn.{name}` of a value that is no tensor", place)


def _lay_out(m: Machine, name: str, made: layers.Made, x: Tensor, place: Place) -> object:
    from cnnspec.torch_source.operations import perform

    if name == "Flatten":
        start, end = (made.values.get(key, default) for key, default in (("start_dim", 1), ("end_dim", -1)))
        return perform(m, "flatten", place, [x, start, end], {})
    return perform(m, "unflatten", place, [x, made.values["dim"], made.values["unflattened_size"]], {})


def module_attribute(m: Machine, instance: Instance, kind: str, name: str, place: Place) -> object:
    """An attribute that torch gives its modules; None where there is none."""
    made = instance.layer
    if isinstance(made, (layers.Made, SpecialModule)) and kind not in ("Module", "object"):
        found = layer_argument(instance, name)
        if found is not None:
            return found
    if name in METHODS:
        method = METHODS[name]
        if name in ("items", "keys", "values", "append", "extend", "insert", "pop") and kind not in _CONTAINERS:
            return None
        return Builtin(
            name, lambda machine, at, arguments, keywords: method(machine, instance, at, arguments, keywords)
        )
    if name == "forward":
        return Builtin(name, lambda machine, at, arguments, keywords: machine.call(instance, arguments, keywords, at))
    return None


def set_layer_attribute(m: Machine, instance: Instance, name: str, value: object, place: Place) -> bool:
    """Set what torch registers under a layer's own names; False for any other attribute."""
    made = instance.layer
    if not isinstance(made, (layers.Made, SpecialModule)) or instance.cls.__class__ is not TorchClass:
        return False
    if name not in ("weight", "bias"):
        if name in made.values and name != "p":
            raise Stop(f"a change of `{name}` of a layer that was made", place)
        return False
    materialise(instance)
    if isinstance(value, Tensor):
        if value.parameter:
            instance.children[name] = value
    elif value is None:
        instance.children.pop(name, None)
        instance.attributes[name] = None
    return True
