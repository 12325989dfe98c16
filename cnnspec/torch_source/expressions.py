"""Python's expressions: what value each has. Every kind of expression is one function of the table at the end."""

from __future__ import annotations

import ast

from cnnspec.torch_source.comprehensions import dict_of, list_of, set_of, usable_key
from cnnspec.torch_source.definitions import define_function
from cnnspec.torch_source.indexing import item_of
from cnnspec.torch_source.machine import Machine
from cnnspec.torch_source.operators import SCALARS, compare, formatted, is_plain, unary
from cnnspec.torch_source.python_functions import BUILTINS
from cnnspec.torch_source.stops import Raised, Refusal, Stop, stop_at
from cnnspec.torch_source.trace import Step
from cnnspec.torch_source.values import (
    Builtin,
    Class,
    External,
    Instance,
    Opaque,
    Record,
    Scope,
    Super,
    Tensor,
    TorchClass,
    Unknown,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_ERRORS = frozenset(
    ["Exception", "ValueError", "NotImplementedError", "RuntimeError", "KeyError", "TypeError", "AttributeError",
     "ImportError", "IndexError", "AssertionError", "FileNotFoundError", "OSError", "StopIteration", "UserWarning",
     "DeprecationWarning", "ModuleNotFoundError", "BaseException", "Warning", "NotImplemented", "bytes", "complex"]
)  # fmt: skip


def evaluate(m: Machine, node: ast.expr, scope: Scope) -> object:
    """The value of an expression."""
    m.step()
    handler = _HANDLERS.get(type(node))
    if handler is None:
        raise Stop(f"`{type(node).__name__}` expressions", m.place(node, scope))
    return handler(m, node, scope)


def lookup(m: Machine, name: str, scope: Scope, node: ast.expr) -> object:
    """The value of a name: of the function, of those around it, of the file, of Python."""
    inner: Scope | None = scope
    while inner is not None:
        if name in inner.values:
            return inner.values[name]
        inner = inner.outer
    top: Any = scope.top
    found = top.lookup(m, name)
    if found is not None or name in top.names:
        return found
    if name in BUILTINS:
        return Builtin(name, BUILTINS[name])
    if name == "object":
        return TorchClass("object", module=False)
    if name in _ERRORS or name == "__file__":
        return Opaque(name)
    if name == "__name__":
        return "module"
    raise Raised("NameError", f"name '{name}' is not defined", m.place(node, scope))


def _name(m: Machine, node: ast.Name, scope: Scope) -> object:
    return lookup(m, node.id, scope, node)


def _constant(m: Machine, node: ast.Constant, scope: Scope) -> object:
    value = node.value
    if isinstance(value, str):
        m.spend(len(value))
    return Unknown("a complex number", m.place(node, scope)) if isinstance(value, complex) else value


def _items(m: Machine, nodes: list[ast.expr], scope: Scope) -> list[object]:
    items: list[object] = []
    for node in nodes:
        if isinstance(node, ast.Starred):
            items.extend(m.iterate(m.evaluate(node.value, scope), m.place(node, scope)))
        else:
            items.append(m.evaluate(node, scope))
    m.spend(len(items))
    return items


def _tuple(m: Machine, node: ast.Tuple, scope: Scope) -> object:
    return tuple(_items(m, node.elts, scope))


def _list(m: Machine, node: ast.List, scope: Scope) -> object:
    return _items(m, node.elts, scope)


def _set(m: Machine, node: ast.Set, scope: Scope) -> object:
    items = _items(m, node.elts, scope)
    if not all(map(is_plain, items)):
        raise Stop("a set of these values", m.place(node, scope))
    return hashed(m, set, items, m.place(node, scope))


def hashed(m: Machine, kind: Callable[[list[object]], object], items: list[object], place: Any) -> object:
    """A set or dict of items, which have to be hashable."""
    try:
        return kind(items)
    except TypeError as error:
        raise Raised("TypeError", str(error)[:100], place) from None


def _dict(m: Machine, node: ast.Dict, scope: Scope) -> object:
    found: dict[object, object] = {}
    for key_node, value_node in zip(node.keys, node.values):
        value = m.evaluate(value_node, scope)
        if key_node is None:
            if isinstance(value, Unknown):
                raise stop_at(value, m.place(value_node, scope))
            if not isinstance(value, dict):
                raise Stop("`**` of this value", m.place(value_node, scope))
            m.spend(len(value))
            found.update(value)
            continue
        key = m.evaluate(key_node, scope)
        found[usable_key(m, key, m.place(key_node, scope))] = value
    m.spend(len(found))
    return found


def _text(m: Machine, node: ast.JoinedStr, scope: Scope) -> object:
    parts: list[str] = []
    for part in node.values:
        if isinstance(part, ast.Constant):
            parts.append(str(part.value))
            continue
        assert isinstance(part, ast.FormattedValue)
        try:
            value = m.evaluate(part.value, scope)
        except Stop as stop:
            return stop.value()
        spec = _text(m, part.format_spec, scope) if isinstance(part.format_spec, ast.JoinedStr) else ""
        text = formatted(m, value, spec, m.place(node, scope)) if isinstance(spec, str) else None
        if text is None:
            return Unknown(f"the text {m.place(node, scope).text}", m.place(node, scope))
        parts.append(text)
    m.spend(sum(map(len, parts)), m.place(node, scope))
    return "".join(parts)


def _lambda(m: Machine, node: ast.Lambda, scope: Scope) -> object:
    return define_function(m, node, scope)


def _choice(m: Machine, node: ast.IfExp, scope: Scope) -> object:
    chosen = m.truth(m.evaluate(node.test, scope), m.place(node.test, scope))
    return m.evaluate(node.body if chosen else node.orelse, scope)


def _and_or(m: Machine, node: ast.BoolOp, scope: Scope) -> object:
    value: object = None
    unknown: Unknown | None = None
    decides = isinstance(node.op, ast.Or)
    for part in node.values:
        value = m.evaluate(part, scope)
        if isinstance(value, Unknown):
            # A later part may decide all the same; it is only read.
            unknown = unknown or value
            continue
        if m.truth(value, m.place(part, scope)) == decides and (unknown is None or isinstance(value, bool)):
            return value
    return unknown or value


def _unary(m: Machine, node: ast.UnaryOp, scope: Scope) -> object:
    value = m.evaluate(node.operand, scope)
    if isinstance(value, Unknown):
        return value
    if isinstance(node.op, ast.Not):
        return not m.truth(value, m.place(node.operand, scope))
    if isinstance(value, Tensor):
        return Tensor(value.shape, value.kind, made=value.made)
    return unary(type(node.op), value, m.place(node, scope))


def _binary(m: Machine, node: ast.BinOp, scope: Scope) -> object:
    return m.binary(type(node.op), m.evaluate(node.left, scope), m.evaluate(node.right, scope), m.place(node, scope))


def _compare(m: Machine, node: ast.Compare, scope: Scope) -> object:
    left = m.evaluate(node.left, scope)
    place = m.place(node, scope)
    for sign, part in zip(node.ops, node.comparators):
        right = m.evaluate(part, scope)
        result = _compared(m, sign, left, right, place)
        if not isinstance(result, bool):
            return result
        if not result:
            return False
        left = right
    return True


def _compared(m: Machine, sign: ast.cmpop, left: object, right: object, place: Any) -> object:
    for value in (left, right):
        if isinstance(value, Unknown):
            return value
    if isinstance(sign, (ast.Is, ast.IsNot)):
        return _same(left, right) == isinstance(sign, ast.Is)
    if isinstance(sign, (ast.In, ast.NotIn)):
        return _contains(m, left, right, place) == isinstance(sign, ast.In)
    if isinstance(left, Tensor) or isinstance(right, Tensor):
        if left is None or right is None or isinstance(left, str) or isinstance(right, str):
            return isinstance(sign, ast.NotEq)
        result = m.binary(ast.Add, left, right, place)
        return Tensor(result.shape, "bool", made=result.made) if isinstance(result, Tensor) else result
    for value in (left, right):
        if isinstance(value, Opaque):
            if isinstance(left, Opaque) and isinstance(right, Opaque):
                return (left.name == right.name) == isinstance(sign, ast.Eq)
            return Unknown(f"a comparison with {value.name}", place)
    return compare(m, type(sign), left, right, place)


def _same(left: object, right: object) -> bool:
    if isinstance(left, TorchClass) and isinstance(right, TorchClass):
        return left.name == right.name
    if isinstance(left, Builtin) and isinstance(right, Builtin):
        return left.name == right.name
    if isinstance(left, SCALARS) and isinstance(right, SCALARS):
        return type(left) is type(right) and left == right
    return left is right


def _contains(m: Machine, item: object, owner: object, place: Any) -> bool:
    if isinstance(owner, Instance):
        return isinstance(item, str) and item in owner.children
    if isinstance(owner, Record):
        return isinstance(item, str) and item in owner.values
    if isinstance(owner, str) and isinstance(item, str):
        return item in owner
    if isinstance(owner, dict):
        return usable_key(m, item, place) in owner
    if isinstance(owner, (list, tuple, set)) and len(owner) <= 10_000:
        if isinstance(item, SCALARS):
            return any(isinstance(part, SCALARS) and part == item for part in owner)
        if is_plain(item) and is_plain(owner):
            return item in owner
        return any(_same(part, item) for part in owner)
    raise Stop("`in` for these values", place)


def _walrus(m: Machine, node: ast.NamedExpr, scope: Scope) -> object:
    value = m.evaluate(node.value, scope)
    m.assign(node.target, value, scope)
    return value


def _slice(m: Machine, node: ast.Slice, scope: Scope) -> object:
    ends = [None if part is None else m.evaluate(part, scope) for part in (node.lower, node.upper, node.step)]
    for end in ends:
        m.known(end, m.place(node, scope))
    return slice(*ends)


def _item(m: Machine, node: ast.Subscript, scope: Scope) -> object:
    owner = m.evaluate(node.value, scope)
    if isinstance(owner, (Unknown, Opaque)):
        return owner
    if isinstance(owner, (Class, TorchClass, Builtin)):
        return Opaque("a type")
    if isinstance(owner, External) and owner.path == "sys.modules":
        return scope.top
    place = m.place(node, scope)
    index = m.evaluate(node.slice, scope)
    try:
        result = item_of(m, owner, index, place)
    except Refusal as refusal:
        return m.refuse(refusal, place, None, [owner])
    if isinstance(owner, Tensor) and m.running:
        m.trace.add(Step("[]", None, (owner, index), {}, result, place))
    return result


def _attribute(m: Machine, node: ast.Attribute, scope: Scope) -> object:
    return m.attribute(m.evaluate(node.value, scope), node.attr, m.place(node, scope))


def _call(m: Machine, node: ast.Call, scope: Scope) -> object:
    function = m.evaluate(node.func, scope)
    if isinstance(function, Builtin) and function.name == "super":
        return _super(m, node, scope)
    arguments = _items(m, node.args, scope)
    keywords: dict[str, object] = {}
    for keyword in node.keywords:
        value = m.evaluate(keyword.value, scope)
        if keyword.arg is not None:
            keywords[keyword.arg] = value
        elif isinstance(value, dict) and all(isinstance(key, str) for key in value):
            keywords.update({str(key): item for key, item in value.items()})
        elif isinstance(value, Unknown):
            raise stop_at(value, m.place(keyword.value, scope))
        else:
            raise Stop("`**` of this value", m.place(keyword.value, scope))
    return m.call(function, arguments, keywords, m.place(node, scope))


def _super(m: Machine, node: ast.Call, scope: Scope) -> object:
    if len(node.args) == 2:
        cls, receiver = m.evaluate(node.args[0], scope), m.evaluate(node.args[1], scope)
        if isinstance(cls, Class):
            return Super(cls, receiver)
    inner: Scope | None = scope
    while inner is not None and inner.owner is None:
        inner = inner.outer
    if inner is None or inner.owner is None:
        raise Stop("super() here", m.place(node, scope))
    return Super(inner.owner, inner.receiver)


def _yield(m: Machine, node: ast.Yield, scope: Scope) -> object:
    inner: Scope | None = scope
    while inner is not None and "<yielded>" not in inner.values:
        inner = inner.outer
    if inner is None:
        raise Stop("`yield` here", m.place(node, scope))
    yielded = inner.values["<yielded>"]
    assert isinstance(yielded, list)
    m.spend(1)
    yielded.append(None if node.value is None else m.evaluate(node.value, scope))
    return None


def _yield_from(m: Machine, node: ast.YieldFrom, scope: Scope) -> object:
    for item in m.iterate(m.evaluate(node.value, scope), m.place(node, scope)):
        _yield(m, ast.copy_location(ast.Yield(value=None), node), scope)
        inner: Scope | None = scope
        while inner is not None and "<yielded>" not in inner.values:
            inner = inner.outer
        assert inner is not None
        yielded = inner.values["<yielded>"]
        assert isinstance(yielded, list)
        yielded[-1] = item
    return None


_HANDLERS: dict[type[ast.expr], Callable[[Machine, Any, Scope], object]] = {
    ast.Name: _name,
    ast.Constant: _constant,
    ast.Attribute: _attribute,
    ast.Call: _call,
    ast.BinOp: _binary,
    ast.Compare: _compare,
    ast.Subscript: _item,
    ast.Tuple: _tuple,
    ast.List: _list,
    ast.Dict: _dict,
    ast.Set: _set,
    ast.IfExp: _choice,
    ast.BoolOp: _and_or,
    ast.UnaryOp: _unary,
    ast.JoinedStr: _text,
    ast.Lambda: _lambda,
    ast.ListComp: list_of,
    ast.GeneratorExp: list_of,
    ast.SetComp: set_of,
    ast.DictComp: dict_of,
    ast.NamedExpr: _walrus,
    ast.Slice: _slice,
    ast.Yield: _yield,
    ast.YieldFrom: _yield_from,
}
