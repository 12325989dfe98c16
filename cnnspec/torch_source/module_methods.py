"""Methods that torch gives all of its modules, and those of its containers."""

from __future__ import annotations

from cnnspec.torch_source.machine import Machine
from cnnspec.torch_source.script import Place
from cnnspec.torch_source.stops import Raised, Stop, stop_at
from cnnspec.torch_source.values import Instance, Record, Tensor, Unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Method = Callable[[Machine, Instance, Place, list[object], dict[str, object]], object]


METHODS: dict[str, Method] = {}


def method(*names: str) -> Callable[[Method], Method]:
    def register(function: Method) -> Method:
        METHODS.update(dict.fromkeys(names, function))
        return function

    return register


def _add(instance: Instance, name: str, value: object, place: Place) -> None:
    if isinstance(value, Unknown) and not value.reported:
        raise stop_at(value, place)
    if value is None:
        instance.attributes[name] = None
        return
    if not isinstance(value, (Instance, Tensor, Unknown)):
        raise Raised("TypeError", f"a {type(value).__name__.lower()} is not a Module subclass", place)
    instance.children[name] = value
    if isinstance(value, Instance) and not value.name:
        value.name = name


@method("add_module", "register_module")
def _add_module(m: Machine, o: Instance, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
    values = [*arguments, *keywords.values()]
    if len(values) != 2 or not isinstance(values[0], str):
        raise Stop("add_module() with a name that is not known", place)
    m.changes += 1
    _add(o, values[0], values[1], place)
    return None


@method("append")
def _append(m: Machine, o: Instance, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
    m.changes += 1
    m.spend(1, place)
    _add(o, str(len(o.children)), [*arguments, *keywords.values()][0], place)
    return o


@method("extend")
def _extend(m: Machine, o: Instance, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
    m.changes += 1
    items = m.iterate(arguments[0], place)
    m.spend(len(items), place)
    for item in items:
        _add(o, str(len(o.children)), item, place)
    return o


@method("update")
def _update(m: Machine, o: Instance, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
    given = arguments[0] if arguments else None
    pairs: list[object] = list(
        given.modules()
        if isinstance(given, Instance)
        else given.items()
        if isinstance(given, dict)
        else m.iterate(given, place)
    )
    m.changes += 1
    for pair in pairs:
        m.spend(1, place)
        name, child = pair if isinstance(pair, (list, tuple)) and len(pair) == 2 else (None, None)
        if not isinstance(name, str):
            raise Stop("update() with a name that is not known", place)
        _add(o, name, child, place)
    return None


@method("insert")
def _insert(m: Machine, o: Instance, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
    m.changes += 1
    position, item = arguments
    if not isinstance(position, int):
        raise Stop("insert() at this place", place)
    children = list(o.children.values())
    children.insert(position, item)
    o.children = {str(number): child for number, child in enumerate(children)}
    return o


@method("pop")
def _pop(m: Machine, o: Instance, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
    m.changes += 1
    names = list(o.children)
    key = arguments[0] if arguments else -1
    if isinstance(key, int) and -len(names) <= key < len(names):
        return o.children.pop(names[key])
    if isinstance(key, str) and key in o.children:
        return o.children.pop(key)
    raise Raised("KeyError", "pop", place)


@method("register_buffer")
def _register_buffer(
    m: Machine, o: Instance, place: Place, arguments: list[object], keywords: dict[str, object]
) -> object:
    name = arguments[0] if arguments else keywords.get("name")
    if not isinstance(name, str):
        raise Stop("register_buffer() with a name that is not known", place)
    m.changes += 1
    o.attributes[name] = arguments[1] if len(arguments) > 1 else keywords.get("tensor")
    return None


@method("register_parameter")
def _register_parameter(
    m: Machine, o: Instance, place: Place, arguments: list[object], keywords: dict[str, object]
) -> object:
    name = arguments[0] if arguments else keywords.get("name")
    value = arguments[1] if len(arguments) > 1 else keywords.get("param")
    if not isinstance(name, str) or isinstance(value, Unknown):
        raise Stop("register_parameter() of this", place)
    m.changes += 1
    if isinstance(value, Tensor):
        o.children[name] = value
    else:
        o.attributes[name] = value
    return None


def walk(instance: Instance, prefix: str = "") -> Iterator[tuple[str, Instance]]:
    """A module and those below it, each once, with their dotted names."""
    seen: set[int] = set()
    waiting = [(prefix, instance)]
    while waiting:
        name, part = waiting.pop()
        if id(part) in seen:
            continue
        seen.add(id(part))
        yield name, part
        below = [(f"{name}.{key}" if name else key, child) for key, child in part.modules()]
        waiting.extend(reversed(below))


@method("modules")
def _modules(m: Machine, o: Instance, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
    return [part for _, part in walk(o)]


@method("named_modules")
def _named_modules(
    m: Machine, o: Instance, place: Place, arguments: list[object], keywords: dict[str, object]
) -> object:
    return list(walk(o))


@method("children")
def _children(m: Machine, o: Instance, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
    return [child for _, child in o.modules()]


@method("named_children")
def _named_children(
    m: Machine, o: Instance, place: Place, arguments: list[object], keywords: dict[str, object]
) -> object:
    return list(o.modules())


@method("parameters", "buffers")
def _parameters(m: Machine, o: Instance, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
    return [tensor for _, tensor in _tensors(m, o, place)]


@method("named_parameters", "named_buffers")
def _named_parameters(
    m: Machine, o: Instance, place: Place, arguments: list[object], keywords: dict[str, object]
) -> object:
    return _tensors(m, o, place)


def _tensors(m: Machine, o: Instance, place: Place) -> list[tuple[str, Tensor]]:
    found: list[tuple[str, Tensor]] = []
    for name, part in walk(o):
        for key in ("weight", "bias"):
            value = m.attribute(part, key, place) if part.layer is not None else None
            if isinstance(value, Tensor):
                found.append((f"{name}.{key}" if name else key, value))
        if part.layer is None:
            found += [(f"{name}.{key}", child) for key, child in part.children.items() if isinstance(child, Tensor)]
    return found


@method("keys")
def _keys(m: Machine, o: Instance, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
    return list(o.children)


@method("values")
def _values(m: Machine, o: Instance, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
    return list(o.children.values())


@method("items")
def _items(m: Machine, o: Instance, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
    return list(o.children.items())


@method("train", "eval", "to", "cuda", "cpu", "float", "double", "half", "apply", "requires_grad_", "zero_grad", "type",
        "bfloat16", "share_memory", "compile", "to_empty")  # fmt: skip
def _itself(m: Machine, o: Instance, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
    return o


@method("load_state_dict", "reset_parameters", "extra_repr", "log", "log_dict", "flatten_parameters",
        "register_load_state_dict_pre_hook", "_register_load_state_dict_pre_hook")  # fmt: skip
def _nothing(m: Machine, o: Instance, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
    return None


@method("save_hyperparameters")
def _save_hyperparameters(
    m: Machine, o: Instance, place: Place, arguments: list[object], keywords: dict[str, object]
) -> object:
    """What a Lightning module was made with, under the attribute `hparams`."""
    given = list((o.arguments or {}).items())[1:]
    names = [name for name in arguments if isinstance(name, str)]
    ignored = keywords.get("ignore", ())
    left_out = [ignored] if isinstance(ignored, str) else m.iterate(ignored, place)
    kept = {name: value for name, value in given if (not names or name in names) and name not in left_out}
    more = kept.pop("kwargs", {})
    if isinstance(more, dict):
        kept |= {str(key): value for key, value in more.items()}
    o.attributes["hparams"] = Record(kept)
    return None


@method("state_dict")
def _state_dict(m: Machine, o: Instance, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
    return Unknown("the values of parameters", place)


@method("register_forward_hook", "register_forward_pre_hook", "register_full_backward_hook", "_register_hook")
def _hook(m: Machine, o: Instance, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
    raise Stop("a hook, which may change what a module gives", place)


@method("get_submodule", "get_parameter", "__getattr__")
def _get(m: Machine, o: Instance, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
    value: object = o
    for part in str(arguments[0]).split("."):
        value = m.attribute(value, part, place)
    return value


@method("__setattr__")
def _set(m: Machine, o: Instance, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
    name, value = arguments
    if not isinstance(name, str):
        raise Stop("__setattr__() with a name that is not known", place)
    m.set_attribute(o, name, value, place)
    return None
