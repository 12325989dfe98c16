"""Calls: of the file's functions and classes, of modules, of what other libraries bring."""

from __future__ import annotations

import ast

from cnnspec.torch_source.annotations import Stated
from cnnspec.torch_source.layers import Made
from cnnspec.torch_source.library import call_external
from cnnspec.torch_source.machine import DEPTH, Machine
from cnnspec.torch_source.modules import apply_module, construct
from cnnspec.torch_source.script import Place
from cnnspec.torch_source.stops import Raised, Refusal, Return, Stop, stop_at
from cnnspec.torch_source.trace import Step
from cnnspec.torch_source.values import (
    Builtin,
    Class,
    External,
    Frame,
    Fresh,
    Function,
    Instance,
    Method,
    Opaque,
    Partial,
    Record,
    Scope,
    Tensor,
    TorchClass,
    Unknown,
    lineage,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_CALL = 8
"""Steps that a call of a function takes."""
_QUIET = frozenset(["size", "dim", "numel", "is_contiguous", "item"])


def call(m: Machine, function: object, arguments: list[object], keywords: dict[str, object], place: Place) -> object:
    """The value of a call."""
    if m.depth >= DEPTH:
        raise Stop(f"more than {DEPTH} calls inside of each other", place)
    m.depth += 1
    try:
        return _call(m, function, arguments, keywords, place)
    finally:
        m.depth -= 1


def _call(m: Machine, function: object, arguments: list[object], keywords: dict[str, object], place: Place) -> object:
    match function:
        case Unknown():
            _expect_no_module(function, [*arguments, *keywords.values()], place)
            return function
        case Function():
            return call_function(m, function, arguments, keywords, place)
        case Method():
            return call(m, function.function, [function.receiver, *arguments], keywords, place)
        case Builtin() | External():
            return _call_native(m, function, arguments, keywords, place)
        case Instance():
            return call_instance(m, function, arguments, keywords, place)
        case Class():
            return instantiate(m, function, arguments, keywords, place)
        case TorchClass():
            return construct(m, function, Instance(function, place, m.frame), arguments, keywords, place)
        case Partial():
            return call(m, function.function, [*function.arguments, *arguments], function.keywords | keywords, place)
        case Opaque():
            return Opaque(function.name)
    what = "which is None here" if function is None else "which is no function or module that is known"
    raise Stop(f"the call {place.text}, {what}", place)


def _expect_no_module(function: Unknown, values: Sequence[object], place: Place) -> None:
    """A function that is not known may change a module that it is given."""
    if any(isinstance(value, Instance) and value.is_module for value in values):
        raise stop_at(function, place)


def _call_native(
    m: Machine, function: Builtin | External, arguments: list[object], keywords: dict[str, object], place: Place
) -> object:
    traced = m.trace.length
    try:
        if isinstance(function, Builtin):
            result = _builtin(m, function, arguments, keywords, place)
        else:
            result = call_external(m, function.path, arguments, keywords, place)
    except Refusal as refusal:
        return m.refuse(refusal, place, None, [getattr(function, "owner", None), *arguments, *keywords.values()])
    quiet = m.trace.length != traced or (isinstance(function, Builtin) and function.name in _QUIET)
    if m.running and not quiet and _holds_tensor(result):
        name = function.name if isinstance(function, Builtin) else function.path.rpartition(".")[2]
        inputs = list(arguments)
        owner = getattr(function, "owner", None)
        if isinstance(owner, Tensor):
            inputs.insert(0, owner)
        m.trace.add(Step(name, None, tuple(inputs), keywords, result, place))
    return result


def _builtin(
    m: Machine, function: Builtin, arguments: list[object], keywords: dict[str, object], place: Place
) -> object:
    try:
        return function.call(m, place, arguments, keywords)
    except (IndexError, ValueError) as error:
        # Too few or too many arguments for a function of Python.
        raise Stop(f"the call {place.text} ({error})", place) from None


def _holds_tensor(value: object) -> bool:
    parts = value.values.values() if isinstance(value, Record) else value if isinstance(value, tuple) else (value,)
    return any(isinstance(part, Tensor) for part in parts)


# --- functions of the file ---


def call_function(
    m: Machine, function: Function, arguments: list[object], keywords: dict[str, object], place: Place
) -> object:
    """Follow a function of the file."""
    m.step(_CALL)
    receiver = arguments[0] if function.owner is not None and arguments else None
    scope = Scope(function.scope.top, _enclosing(function.scope), function.owner, receiver)
    scope.values = bind_arguments(m, function, arguments, keywords, place)
    if function.name == "__init__" and isinstance(receiver, Instance) and receiver.arguments is None:
        receiver.arguments = dict(scope.values)
    scope.function = function
    node = function.node
    if isinstance(node, ast.Lambda):
        return m.evaluate(node.body, scope)
    if isinstance(node, ast.AsyncFunctionDef):
        raise Stop(f"the coroutine `{function.name}`", place)
    yielded: list[object] | None = [] if _is_generator(node) else None
    if yielded is not None:
        scope.values["<yielded>"] = yielded
    stated = Stated(m, function) if m.running else None
    if stated is not None:
        stated.arguments(scope.values)
    written = len(place.node.args) if isinstance(place.node, ast.Call) else 0
    m.frame = Frame(m.frame, function, place.script, place.node, len(arguments) - written)
    try:
        m.execute(node.body, scope)
    except Return as returned:
        if stated is not None:
            stated.result(returned.value)
        return yielded if yielded is not None else returned.value
    except Stop as stop:
        stop.inside = stop.inside or function.owner is not None
        raise
    finally:
        m.frame = m.frame.outer
    return yielded


def _enclosing(scope: Scope) -> Scope | None:
    return None if scope.outer is None and scope.function is None else scope


_generators: dict[int, tuple[ast.AST, bool]] = {}


def _is_generator(node: ast.FunctionDef) -> bool:
    known = _generators.get(id(node))
    if known is not None and known[0] is node:
        return known[1]
    verdict = False
    waiting: list[ast.AST] = list(node.body)
    while waiting:
        part = waiting.pop()
        if isinstance(part, (ast.Yield, ast.YieldFrom)):
            verdict = True
            break
        if not isinstance(part, (ast.FunctionDef, ast.Lambda, ast.ClassDef)):
            waiting.extend(ast.iter_child_nodes(part))
    _generators.clear() if len(_generators) > 2000 else None
    _generators[id(node)] = (node, verdict)
    return verdict


def bind_arguments(
    m: Machine, function: Function, arguments: list[object], keywords: dict[str, object], place: Place
) -> dict[str, object]:
    """The values of a function's parameters."""
    spec = function.node.args
    names = [one.arg for one in [*spec.posonlyargs, *spec.args]]
    keyword_names = [one.arg for one in spec.kwonlyargs]
    values: dict[str, object] = {}
    if len(arguments) > len(names) and spec.vararg is None:
        raise Raised("TypeError", f"{function.name}() takes {len(names)} arguments, {len(arguments)} are given", place)
    values.update(zip(names, arguments))
    if spec.vararg is not None:
        values[spec.vararg.arg] = tuple(arguments[len(names) :])
    rest: dict[object, object] = {}
    for name, value in keywords.items():
        if name in values and name in names:
            raise Raised("TypeError", f"{function.name}() is given `{name}` twice", place)
        if name in names or name in keyword_names:
            values[name] = value
        elif spec.kwarg is None:
            raise Raised("TypeError", f"{function.name}() has no parameter `{name}`", place)
        else:
            rest[name] = value
    for name, value in zip(reversed(names), reversed(function.defaults)):
        values.setdefault(name, value)
    for name, node, value in zip(keyword_names, spec.kw_defaults, function.keyword_defaults):
        if node is not None:
            values.setdefault(name, value)
    if spec.kwarg is not None:
        values[spec.kwarg.arg] = rest
    missing = [name for name in [*names, *keyword_names] if name not in values]
    if missing:
        raise Raised("TypeError", f"{function.name}() needs `{'`, `'.join(missing)}`", place)
    return values


# --- objects ---


def instantiate(m: Machine, cls: Class, arguments: list[object], keywords: dict[str, object], place: Place) -> object:
    """A new object of a class of the file."""
    made = Instance(cls, place, m.frame)
    if cls.style and "__init__" not in cls.members:
        return _from_fields(m, cls, made, arguments, keywords, place)
    for part in lineage(cls):
        if isinstance(part, TorchClass):
            if part.name.startswith("?"):
                raise Stop(f"`{part.name[1:]}`, the base class of `{cls.name}`, which is not in the project", place)
            if part.name != "object":
                construct(m, part, made, arguments, keywords, place)
            break
        if "__init__" in part.members:
            call(m, part.members["__init__"], [made, *arguments], keywords, place)
            break
    return made


def _from_fields(
    m: Machine, cls: Class, made: Instance, arguments: list[object], keywords: dict[str, object], place: Place
) -> object:
    parents = [part for part in reversed(lineage(cls)) if isinstance(part, Class)]
    names = list(dict.fromkeys(name for part in parents for name in part.fields))
    if cls.style == "enum":
        raise Stop(f"a member of `{cls.name}` by its value", place)
    values: dict[str, object] = {}
    for part in parents:
        values.update({name: part.members[name] for name in part.fields if name in part.members})
    values.update(zip(names, arguments))
    values.update(keywords)
    missing = [name for name in names if name not in values]
    values = {
        name: call(m, value.factory, [], {}, place) if isinstance(value, Fresh) else value
        for name, value in values.items()
    }
    if missing or len(arguments) > len(names):
        raise Raised("TypeError", f"{cls.name}() needs `{'`, `'.join(missing or names)}`", place)
    if cls.style == "namedtuple":
        return Record({name: values[name] for name in names}, tuple(names))
    made.attributes = values
    if "__post_init__" in cls.members:
        call(m, cls.members["__post_init__"], [made], {}, place)
    return made


def call_instance(
    m: Machine, instance: Instance, arguments: list[object], keywords: dict[str, object], place: Place
) -> object:
    """Call an object: a module runs its forward."""
    for part in lineage(instance.cls):
        if isinstance(part, TorchClass):
            if part.name.startswith("?"):
                raise Stop(f"`{part.name[1:]}`, the base class of `{instance.cls.name}`", place)
            return run_torch(m, instance, part.name, arguments, keywords, place)
        for name in ("forward", "__call__"):
            if name in part.members:
                return _run(m, instance, part.members[name], arguments, keywords, place)
    raise Stop(f"the call of an object of `{instance.cls.name}`", place)


def _run(
    m: Machine,
    instance: Instance,
    forward: object,
    arguments: list[object],
    keywords: dict[str, object],
    place: Place,
) -> object:
    instance.uses += 1
    m.trace.enter(instance, (*arguments, *keywords.values()), place)
    m.running.append(instance)
    result: object = None
    try:
        result = call(m, forward, [instance, *arguments], keywords, place)
    finally:
        m.running.pop()
        m.trace.leave(result)
    return result


def run_torch(
    m: Machine, instance: Instance, name: str, arguments: list[object], keywords: dict[str, object], place: Place
) -> object:
    """Call a module of torch.nn itself."""
    instance.uses += 1
    if name == "Sequential":
        value: object = arguments[0] if arguments else next(iter(keywords.values()), None)
        m.trace.enter(instance, (value,), place)
        m.running.append(instance)
        try:
            for child in list(instance.children.values()):
                value = call(m, child, [value], {}, place)
        finally:
            m.running.pop()
            m.trace.leave(value)
        return value
    if name in ("ModuleList", "ModuleDict", "Module", "ParameterList", "ParameterDict"):
        raise Raised("NotImplementedError", f'{instance.cls.name} has no "forward"', place)
    try:
        result = apply_module(m, instance, name, arguments, keywords, place)
    except Refusal as refusal:
        result = m.refuse(refusal, place, instance, [*arguments, *keywords.values()])
    _note_maker(instance, arguments, result)
    m.trace.add(Step(name, instance, tuple(arguments), keywords, result, place))
    return result


def _note_maker(instance: Instance, arguments: list[object], result: object) -> None:
    """Remember the layer that a tensor has its width from."""
    if not isinstance(result, Tensor) or not isinstance(instance.layer, Made):
        return
    if "out_channels" in instance.layer.layer.fields or "out_features" in instance.layer.layer.fields:
        result.maker = instance
    elif arguments and isinstance(arguments[0], Tensor) and result.shape[:1] == arguments[0].shape[:1]:
        result.maker = arguments[0].maker
