"""Where an argument comes from: back through parameters that are only passed on, to the place where a user writes it."""

from __future__ import annotations

import ast

from cnnspec.torch_source.script import Place
from cnnspec.torch_source.values import Frame, Function


def argument_node(place: Place, position: int | None, name: str) -> ast.expr | None:
    """The expression of a call's argument, by name or by position; None where the call does not spell it out."""
    call = place.node
    if not isinstance(call, ast.Call):
        return None
    for keyword in call.keywords:
        if keyword.arg == name and name:
            return keyword.value
    if position is None or position < 0 or position >= len(call.args):
        return None
    if any(isinstance(one, ast.Starred) for one in call.args[: position + 1]):
        return None
    return call.args[position]


def trace_back(place: Place, node: ast.expr, frame: Frame | None) -> tuple[Place, list[Place]]:
    """The place that an argument comes from, and the calls through which it was passed on."""
    script = place.script
    passed: list[Place] = []
    while isinstance(node, ast.Name) and frame is not None:
        function = frame.function
        bound = _single_binding(function, node.id)
        if bound is not None:
            node = bound
            continue
        if not _is_parameter(function, node.id) or _is_rebound(function, node.id):
            break
        outer = _outer_argument(frame, node.id)
        if outer is None:
            break
        passed.append(Place(frame.script, frame.node))
        node, script, frame = outer, frame.script, frame.outer
    return Place(script, node), passed


def _parameters(function: Function) -> list[str]:
    spec = function.node.args
    return [one.arg for one in [*spec.posonlyargs, *spec.args]]


def _is_parameter(function: Function, name: str) -> bool:
    return name in _parameters(function) or any(one.arg == name for one in function.node.args.kwonlyargs)


def _is_rebound(function: Function, name: str) -> bool:
    if isinstance(function.node, ast.Lambda):
        return False
    return any(
        isinstance(part, ast.Name) and part.id == name and isinstance(part.ctx, ast.Store)
        for statement in function.node.body
        for part in ast.walk(statement)
    )


def _single_binding(function: Function, name: str) -> ast.expr | None:
    """The number that a local name is bound to, where that happens once."""
    if isinstance(function.node, ast.Lambda) or _is_parameter(function, name):
        return None
    bindings = [
        statement
        for statement in ast.walk(function.node)
        if isinstance(statement, (ast.Assign, ast.AugAssign, ast.For, ast.AnnAssign))
        and any(
            isinstance(part, ast.Name) and part.id == name and isinstance(part.ctx, ast.Store)
            for part in ast.walk(statement)
        )
    ]
    if len(bindings) == 1 and isinstance(bindings[0], ast.Assign) and isinstance(bindings[0].value, ast.Constant):
        return bindings[0].value
    return None


def _outer_argument(frame: Frame, name: str) -> ast.expr | None:
    parameters = _parameters(frame.function)
    if frame.shift is None:
        return None
    position = parameters.index(name) - frame.shift if name in parameters else None
    return argument_node(Place(frame.script, frame.node), position, name)
