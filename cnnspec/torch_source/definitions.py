"""Functions and classes of the file as values."""

from __future__ import annotations

import ast

from cnnspec.torch_source.machine import Machine
from cnnspec.torch_source.stops import Raised, Stop
from cnnspec.torch_source.values import (
    AnyClass,
    Class,
    External,
    Function,
    Opaque,
    Scope,
    TorchClass,
    Unknown,
)

_PLAIN_BASES = frozenset(
    ["Generic", "Protocol", "ABC", "object", "Enum", "IntEnum", "NamedTuple", "TypedDict", "str", "Mapping"]
)
_TRANSPARENT = frozenset(
    ["no_grad", "inference_mode", "torch_compile", "override", "final", "abstractmethod", "ignore", "export", "unused",
     "autocast", "script_method", "register_model", "register_backbone", "wraps", "typechecked", "jaxtyped", "script",
     "lru_cache", "cache", "register_notrace_module", "register_notrace_function", "register_module", "overload", "compile",
     "handle_legacy_interface", "add_start_docstrings", "is_scripting", "enable_grad", "deprecated", "runtime_checkable"]
)  # fmt: skip
"""Decorators that change nothing about shapes."""


def define_function(
    m: Machine, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, scope: Scope, owner: Class | None = None
) -> object:
    """The value of a `def`, with its decorators, or of a lambda."""
    arguments = node.args
    defaults = [_value(m, default, scope) for default in arguments.defaults]
    keyword_defaults = [None if one is None else _value(m, one, scope) for one in arguments.kw_defaults]
    function = Function(node, scope, defaults, keyword_defaults, owner)
    if isinstance(node, ast.Lambda):
        return function
    for decorator in node.decorator_list:
        called = decorator.func if isinstance(decorator, ast.Call) else decorator
        name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
        if name in ("staticmethod", "classmethod", "property", "cached_property"):
            function.kind = name.removeprefix("cached_")
        elif name not in _TRANSPARENT and name not in ("setter", "deleter"):
            return _decorated(m, decorator, function, scope)
    return function


def _decorated(m: Machine, decorator: ast.expr, function: Function, scope: Scope) -> object:
    """What a decorator of the file makes of a function."""
    place = m.place(decorator, scope)
    found: object = None
    if len(function.node.decorator_list if not isinstance(function.node, ast.Lambda) else ()) == 1:
        try:
            found = m.call(m.evaluate(decorator, scope), [function], {}, place)
        except (Stop, Raised):
            found = None
    if not isinstance(found, Function):
        return Unknown(f"the decorator `{place.text}`", place)
    if found is not function:
        found.owner, found.kind = function.owner, function.kind
    return found


def _value(m: Machine, node: ast.expr, scope: Scope) -> object:
    try:
        return m.evaluate(node, scope)
    except Stop as stop:
        return stop.value()


def define_class(m: Machine, node: ast.ClassDef, scope: Scope) -> Class:
    """The value of a `class`, with its members."""
    bases = [base for part in node.bases if (base := _base(m, part, scope)) is not None]
    cls = Class(node.name, bases or [TorchClass("object", module=False)], m.script_of(scope), node)
    # Functions and classes in a class body do not see its names; its statements do.
    enclosing = scope.outer if scope.of_class else scope
    inner = Scope(scope.top, enclosing)
    inner.of_class = True
    around = Scope(scope.top, enclosing)
    for statement in node.body:
        m.step()
        if isinstance(statement, ast.FunctionDef):
            _define_member(m, statement, around, inner, cls)
        elif isinstance(statement, ast.AsyncFunctionDef):
            continue
        elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            cls.fields.append(statement.target.id)
            if statement.value is not None:
                inner.values[statement.target.id] = _value(m, statement.value, inner)
        elif not (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)):
            m.execute([statement], inner)
    cls.members.update(inner.values)
    cls.style = _style(m, node, scope)
    return cls


def _define_member(m: Machine, node: ast.FunctionDef, around: Scope, inner: Scope, cls: Class) -> None:
    setter = any(isinstance(part, ast.Attribute) and part.attr in ("setter", "deleter") for part in node.decorator_list)
    if setter:
        return
    function = define_function(m, node, around, cls)
    if isinstance(function, Function):
        function.defaults = [_value(m, default, inner) for default in node.args.defaults]
    inner.values[node.name] = function


def _base(m: Machine, node: ast.expr, scope: Scope) -> AnyClass | None:
    """A base class; None for one that only says something about types."""
    name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
    if isinstance(node, ast.Subscript):
        return _base(m, node.value, scope)
    try:
        value = m.evaluate(node, scope)
    except Stop:
        value = None
    if isinstance(value, (Class, TorchClass)):
        return value
    if isinstance(value, External) and value.path.startswith(("typing.", "abc.", "enum.", "collections.abc.")):
        return TorchClass("object", module=False)
    if isinstance(value, External) and value.path.startswith("torch.") and not value.path.startswith("torch.nn"):
        # Dataset, autograd.Function: no modules.
        return TorchClass(value.path, module=False)
    if name in _PLAIN_BASES or isinstance(value, Opaque):
        return TorchClass("object", module=False)
    return TorchClass(f"?{m.place(node, scope).text}")


def _style(m: Machine, node: ast.ClassDef, scope: Scope) -> str:
    """ "dataclass" or "namedtuple" for a class that gets its __init__ from its fields, "enum" for an enumeration."""
    for decorator in node.decorator_list:
        called = decorator.func if isinstance(decorator, ast.Call) else decorator
        name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
        if name == "dataclass":
            return "dataclass"
    names = [base.attr if isinstance(base, ast.Attribute) else getattr(base, "id", "") for base in node.bases]
    return "namedtuple" if "NamedTuple" in names else "enum" if names == ["Enum"] else ""
