"""Python's statements, carried out on values. What can't be followed stops the class, unless nothing depends on it."""

from __future__ import annotations

import ast

from cnnspec.diagnostics import codes
from cnnspec.torch_source.definitions import define_class, define_function
from cnnspec.torch_source.machine import Machine
from cnnspec.torch_source.patterns import matches
from cnnspec.torch_source.stops import Break, Continue, Raised, Return, Stop, stop_at
from cnnspec.torch_source.trace import Step
from cnnspec.torch_source.values import (
    External,
    Instance,
    Opaque,
    Record,
    Scope,
    Tensor,
    Unknown,
    show_shape,
    show_size,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

HARMLESS = frozenset(["print", "warn", "warning", "info", "debug", "error", "manual_seed", "seed", "log", "add_scalar"])
"""Functions that change no module, whatever they are called on."""
_CATCH_ALL = frozenset(["Exception", "BaseException"])


def execute(m: Machine, body: Sequence[ast.stmt], scope: Scope) -> None:
    """Carry out statements in order."""
    for statement in body:
        m.step()
        handler = _HANDLERS.get(type(statement))
        if handler is None:
            raise Stop(f"`{type(statement).__name__.lower()}` statements", m.place(statement, scope))
        handler(m, statement, scope)


def assign(m: Machine, target: ast.expr, value: object, scope: Scope) -> None:
    """Bind a name, an attribute, an item, or several of them."""
    if isinstance(target, ast.Name):
        _assign_name(target.id, value, scope)
    elif isinstance(target, (ast.Tuple, ast.List)):
        _unpack(m, target, value, scope)
    elif isinstance(target, ast.Attribute):
        m.set_attribute(m.evaluate(target.value, scope), target.attr, value, m.place(target, scope))
    elif isinstance(target, ast.Subscript):
        _assign_item(m, target, value, scope)
    elif isinstance(target, ast.Starred):
        assign(m, target.value, value, scope)


def _assign_name(name: str, value: object, scope: Scope) -> None:
    if name in scope.script_globals:
        top: Any = scope.top
        top.names[name] = value
        return
    if name in scope.nonlocals:
        outer = scope.outer
        while outer is not None:
            if name in outer.values:
                outer.values[name] = value
                return
            outer = outer.outer
    scope.values[name] = value


def _unpack(m: Machine, target: ast.Tuple | ast.List, value: object, scope: Scope) -> None:
    place = m.place(target, scope)
    if isinstance(value, Unknown):
        for part in target.elts:
            assign(m, part, value, scope)
        return
    values = list(m.iterate(value, place))
    starred = [number for number, part in enumerate(target.elts) if isinstance(part, ast.Starred)]
    fits = len(values) >= len(target.elts) - 1 if starred else len(values) == len(target.elts)
    if not fits:
        raise Raised("ValueError", f"{len(values)} values for {len(target.elts)} names", place)
    if starred:
        first = starred[0]
        rest = len(target.elts) - first - 1
        values[first : len(values) - rest] = [values[first : len(values) - rest]]
    for part, item in zip(target.elts, values):
        assign(m, part, item, scope)


def _assign_item(m: Machine, target: ast.Subscript, value: object, scope: Scope) -> None:
    place = m.place(target, scope)
    # What is put into the table of the children of a module is one of them.
    table = isinstance(target.value, ast.Attribute) and target.value.attr == "_modules"
    owner = m.evaluate(target.value.value if table else target.value, scope)  # type: ignore[attr-defined]
    m.changes += 1
    if isinstance(owner, (list, dict)):
        index = m.known(m.evaluate(target.slice, scope), place)
        try:
            m.spend(1, place)
            owner[index] = value  # type: ignore[call-overload]
        except (IndexError, TypeError, ValueError) as error:
            raise Raised(type(error).__name__, str(error)[:100], place) from None
    elif isinstance(owner, Instance) and owner.is_module:
        index = m.known(m.evaluate(target.slice, scope), place)
        names = list(owner.children)
        key = names[index] if isinstance(index, int) and -len(names) <= index < len(names) else str(index)
        m.set_attribute(owner, key, value, place)
    elif isinstance(owner, Record):
        owner.values[str(m.known(m.evaluate(target.slice, scope), place))] = value
    elif isinstance(owner, Tensor):
        owner.known = ()  # Its shape stays as it is, whatever its items become.
        index = m.evaluate(target.slice, scope)
        if m.running:
            m.trace.add(Step("[]=", None, (owner, index, value), {}, owner, place))
    elif isinstance(owner, Unknown):
        if m.in_forward:
            raise stop_at(owner, place)
    elif not isinstance(owner, (External, Opaque)):
        raise Stop("an assignment to an item of this", place)


# --- one function a statement ---


def _expression(m: Machine, statement: ast.Expr, scope: Scope) -> None:
    if isinstance(statement.value, ast.Constant) or is_harmless(statement):
        return
    m.evaluate(statement.value, scope)


def _assignment(m: Machine, statement: ast.Assign, scope: Scope) -> None:
    changes = m.changes
    try:
        value = m.evaluate(statement.value, scope)
    except Stop as stop:
        if m.changes != changes or (stop.inside and not m.in_forward):
            raise
        value = Unknown(stop.what, stop.place or m.place(statement, scope), reported=stop.reported)
    for target in statement.targets:
        assign(m, target, value, scope)


def _annotated(m: Machine, statement: ast.AnnAssign, scope: Scope) -> None:
    if statement.value is not None:
        assign(m, statement.target, m.evaluate(statement.value, scope), scope)


def _augmented(m: Machine, statement: ast.AugAssign, scope: Scope) -> None:
    target = statement.target
    place = m.place(statement, scope)
    loaded: ast.expr
    if isinstance(target, ast.Name):
        loaded = ast.Name(target.id, ast.Load())
    elif isinstance(target, ast.Attribute):
        loaded = ast.Attribute(target.value, target.attr, ast.Load())
    else:
        loaded = ast.Subscript(target.value, target.slice, ast.Load())
    ast.copy_location(loaded, target)
    current = m.evaluate(loaded, scope)
    value = m.evaluate(statement.value, scope)
    if isinstance(current, list) and isinstance(statement.op, ast.Add):
        m.spend(len(items := list(m.iterate(value, place))), place)
        m.changes += 1
        current.extend(items)
        return
    if isinstance(current, Instance) and current.is_module and isinstance(statement.op, ast.Add):
        m.call(m.attribute(current, "extend", place), [value], {}, place)
        return
    result = m.binary(type(statement.op), current, value, place)
    if isinstance(current, Tensor) and isinstance(result, Tensor) and len(result.shape) > len(current.shape):
        raise Stop("an operation in place that makes its tensor larger", place)
    assign(m, target, result, scope)


def _return(m: Machine, statement: ast.Return, scope: Scope) -> None:
    raise Return(None if statement.value is None else m.evaluate(statement.value, scope))


def _if(m: Machine, statement: ast.If, scope: Scope) -> None:
    place = m.place(statement.test, scope)
    try:
        chosen = m.truth(m.evaluate(statement.test, scope), place)
    except Stop:
        if all(is_harmless(part) for part in [*statement.body, *statement.orelse]):
            return
        raise
    execute(m, statement.body if chosen else statement.orelse, scope)


def _for(m: Machine, statement: ast.For, scope: Scope) -> None:
    place = m.place(statement.iter, scope)
    items = list(m.iterate(m.evaluate(statement.iter, scope), place))
    for item in items:
        assign(m, statement.target, item, scope)
        try:
            execute(m, statement.body, scope)
        except Break:
            return
        except Continue:
            continue
    execute(m, statement.orelse, scope)


def _while(m: Machine, statement: ast.While, scope: Scope) -> None:
    place = m.place(statement.test, scope)
    while m.truth(m.evaluate(statement.test, scope), place):
        m.step()
        try:
            execute(m, statement.body, scope)
        except Break:
            return
        except Continue:
            continue
    execute(m, statement.orelse, scope)


def _with(m: Machine, statement: ast.With, scope: Scope) -> None:
    for item in statement.items:
        try:
            value = m.evaluate(item.context_expr, scope)
        except Stop as stop:
            value = stop.value()
        if item.optional_vars is not None:
            assign(m, item.optional_vars, value, scope)
    execute(m, statement.body, scope)


def _try(m: Machine, statement: ast.Try, scope: Scope) -> None:
    m.guarded += 1 if statement.handlers else 0
    try:
        execute(m, statement.body, scope)
    except Raised as raised:
        handler = next((one for one in statement.handlers if _catches(one, raised)), None)
        if handler is None:
            raise
        if handler.name:
            scope.values[handler.name] = raised.text
        m.guarded -= 1 if statement.handlers else 0
        try:
            execute(m, handler.body, scope)
        finally:
            m.guarded += 1 if statement.handlers else 0
    else:
        execute(m, statement.orelse, scope)
    finally:
        m.guarded -= 1 if statement.handlers else 0
    execute(m, statement.finalbody, scope)


def _catches(handler: ast.ExceptHandler, raised: Raised) -> bool:
    if handler.type is None:
        return True
    parts = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    names = {part.attr if isinstance(part, ast.Attribute) else getattr(part, "id", "") for part in parts}
    wider = {"KeyError": "LookupError", "IndexError": "LookupError", "NotImplementedError": "RuntimeError"}
    wider |= {"ModuleNotFoundError": "ImportError", "ZeroDivisionError": "ArithmeticError"}
    return bool(names & {raised.name, wider.get(raised.name, ""), *_CATCH_ALL})


def _raise(m: Machine, statement: ast.Raise, scope: Scope) -> None:
    error = statement.exc
    if isinstance(error, ast.Call):
        error = error.func
    name = error.attr if isinstance(error, ast.Attribute) else getattr(error, "id", "an exception")
    place = m.place(statement, scope)
    raise Raised(name, place.text, place, deliberate=True)


def _assert(m: Machine, statement: ast.Assert, scope: Scope) -> None:
    place = m.place(statement, scope)
    try:
        holds = m.truth(m.evaluate(statement.test, scope), place)
    except Stop:
        return
    if not holds and _states_a_shape(m, statement.test, scope):
        return
    if not holds:
        raise Raised("AssertionError", m.place(statement.test, scope).text, place, deliberate=True)


def _states_a_shape(m: Machine, test: ast.expr, scope: Scope) -> bool:
    """Whether an assertion that fails says what shape a tensor has: that is a finding, and the run goes on."""
    if not isinstance(test, ast.Compare) or len(test.ops) != 1 or not isinstance(test.ops[0], ast.Eq):
        return False
    left, right = test.left, test.comparators[0]
    looks = any(
        (isinstance(part, ast.Attribute) and part.attr in ("shape", "ndim"))
        or (isinstance(part, ast.Attribute) and part.attr in ("size", "dim"))
        for part in ast.walk(left)
    )
    found, stated = m.evaluate(left, scope), m.evaluate(right, scope)
    texts = [_size_text(found), _size_text(stated)]
    if not looks or None in texts:
        return False
    place = m.place(left, scope)
    m.sink.report(
        codes.SHAPE_STATED, m.place(right, scope).span, what=f"`{place.text}`", found=texts[0], stated=texts[1]
    )
    return True


def _size_text(value: object) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return show_size(value)
    if isinstance(value, (tuple, list)) and all(isinstance(one, int) for one in value):
        return show_shape(tuple(one for one in value if isinstance(one, int)))
    return None


def _delete(m: Machine, statement: ast.Delete, scope: Scope) -> None:
    for target in statement.targets:
        place = m.place(target, scope)
        if isinstance(target, ast.Name):
            scope.values.pop(target.id, None)
            continue
        m.changes += 1
        if isinstance(target, ast.Attribute):
            owner = m.evaluate(target.value, scope)
            if isinstance(owner, Instance):
                owner.children.pop(target.attr, None)
                owner.attributes.pop(target.attr, None)
            continue
        if isinstance(target, ast.Subscript):
            owner = m.evaluate(target.value, scope)
            index = m.known(m.evaluate(target.slice, scope), place)
            if isinstance(owner, Instance):
                _delete_child(owner, index)
                continue
            if not isinstance(owner, (list, dict)):
                raise Stop("`del` of an item of this", place)
            try:
                del owner[index]  # type: ignore[arg-type]
            except (KeyError, IndexError, TypeError) as error:
                raise Raised(type(error).__name__, str(error)[:100], place) from None


def _delete_child(owner: Instance, index: object) -> None:
    names = list(owner.children)
    if isinstance(index, int) and -len(names) <= index < len(names):
        del owner.children[names[index]]
        kept = list(owner.children.values())
        owner.children = {str(number): child for number, child in enumerate(kept)}
    else:
        owner.children.pop(str(index), None)


def _match(m: Machine, statement: ast.Match, scope: Scope) -> None:
    subject = m.evaluate(statement.subject, scope)
    place = m.place(statement.subject, scope)
    for case in statement.cases:
        if matches(m, case.pattern, subject, scope, place) and (
            case.guard is None or m.truth(m.evaluate(case.guard, scope), place)
        ):
            execute(m, case.body, scope)
            return


def _function(m: Machine, statement: ast.FunctionDef, scope: Scope) -> None:
    scope.values[statement.name] = define_function(m, statement, scope)


def _class(m: Machine, statement: ast.ClassDef, scope: Scope) -> None:
    scope.values[statement.name] = define_class(m, statement, scope)


def _break(m: Machine, statement: ast.stmt, scope: Scope) -> None:
    raise Break


def _continue(m: Machine, statement: ast.stmt, scope: Scope) -> None:
    raise Continue


def _pass(m: Machine, statement: ast.stmt, scope: Scope) -> None:
    return


def _global(m: Machine, statement: ast.Global, scope: Scope) -> None:
    scope.script_globals.update(statement.names)


def _nonlocal(m: Machine, statement: ast.Nonlocal, scope: Scope) -> None:
    scope.nonlocals.update(statement.names)


def _import(m: Machine, statement: ast.Import | ast.ImportFrom, scope: Scope) -> None:
    m.imported(statement, scope)


def is_harmless(statement: ast.stmt) -> bool:
    """Whether a statement can change no module and no number: it prints, warns, logs, seeds or raises."""
    if isinstance(statement, (ast.Pass, ast.Raise, ast.Assert)):
        return True
    if isinstance(statement, ast.If):
        return all(map(is_harmless, [*statement.body, *statement.orelse]))
    if not isinstance(statement, ast.Expr):
        return False
    value = statement.value
    if isinstance(value, ast.Constant):
        return True
    if not isinstance(value, ast.Call):
        return False
    name = value.func.attr if isinstance(value.func, ast.Attribute) else getattr(value.func, "id", "")
    if name not in HARMLESS:
        return False
    if isinstance(value.func, ast.Attribute):
        root = value.func.value
        return isinstance(root, (ast.Name, ast.Attribute)) and not any(map(_may_change, value.args))
    return not any(map(_may_change, value.args))


def _may_change(argument: ast.expr) -> bool:
    return any(isinstance(part, (ast.Call, ast.NamedExpr)) and not _only_reads(part) for part in ast.walk(argument))


def _only_reads(part: ast.AST) -> bool:
    if not isinstance(part, ast.Call):
        return False
    name = part.func.attr if isinstance(part.func, ast.Attribute) else getattr(part.func, "id", "")
    return name in ("size", "len", "str", "format", "sum", "join", "numel", "repr", "type", "item", "round", "dim")


_HANDLERS: dict[type[ast.stmt], Callable[[Machine, Any, Scope], None]] = {
    ast.Expr: _expression,
    ast.Assign: _assignment,
    ast.AnnAssign: _annotated,
    ast.AugAssign: _augmented,
    ast.Return: _return,
    ast.If: _if,
    ast.For: _for,
    ast.While: _while,
    ast.With: _with,
    ast.Try: _try,
    ast.Raise: _raise,
    ast.Assert: _assert,
    ast.Delete: _delete,
    ast.Match: _match,
    ast.FunctionDef: _function,
    ast.ClassDef: _class,
    ast.Break: _break,
    ast.Continue: _continue,
    ast.Pass: _pass,
    ast.Global: _global,
    ast.Nonlocal: _nonlocal,
    ast.Import: _import,
    ast.ImportFrom: _import,
}
