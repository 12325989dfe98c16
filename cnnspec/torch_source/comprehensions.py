"""Comprehensions: lists, sets and dicts built by loops inside of an expression."""

from __future__ import annotations

import ast

from cnnspec.torch_source.machine import Machine
from cnnspec.torch_source.operators import is_plain
from cnnspec.torch_source.stops import Raised, Stop, stop_at
from cnnspec.torch_source.values import Scope, Unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from cnnspec.torch_source.script import Place


def usable_key(m: Machine, key: object, place: Place) -> object:
    """A value as the key of a dict."""
    if isinstance(key, Unknown):
        raise stop_at(key, place)
    if isinstance(key, (list, dict, set)):
        raise Raised("TypeError", f"unhashable type: '{type(key).__name__}'", place)
    if isinstance(key, tuple) and not is_plain(key):
        raise Stop("a key like this", place)
    return key


def comprehension(m: Machine, generators: list[ast.comprehension], scope: Scope, emit: Callable[[Scope], None]) -> None:
    """Call `emit` for every round of the loops of a comprehension."""
    inner = Scope(scope.top, scope, scope.owner, scope.receiver)
    inner.function = scope.function

    def loop(depth: int) -> None:
        if depth == len(generators):
            emit(inner)
            return
        generator = generators[depth]
        for item in m.iterate(m.evaluate(generator.iter, inner), m.place(generator.iter, scope)):
            m.step()
            m.assign(generator.target, item, inner)
            if all(m.truth(m.evaluate(test, inner), m.place(test, scope)) for test in generator.ifs):
                loop(depth + 1)

    loop(0)


def list_of(m: Machine, node: ast.ListComp | ast.GeneratorExp, scope: Scope) -> object:
    items: list[object] = []

    def emit(inner: Scope) -> None:
        m.spend(1)
        items.append(m.evaluate(node.elt, inner))

    comprehension(m, node.generators, scope, emit)
    return items


def set_of(m: Machine, node: ast.SetComp, scope: Scope) -> object:
    items: list[object] = []

    def emit(inner: Scope) -> None:
        m.spend(1)
        items.append(usable_key(m, m.evaluate(node.elt, inner), m.place(node, scope)))

    comprehension(m, node.generators, scope, emit)
    return set(items)


def dict_of(m: Machine, node: ast.DictComp, scope: Scope) -> object:
    found: dict[object, object] = {}

    def emit(inner: Scope) -> None:
        m.spend(1)
        key = usable_key(m, m.evaluate(node.key, inner), m.place(node.key, scope))
        found[key] = m.evaluate(node.value, inner)

    comprehension(m, node.generators, scope, emit)
    return found
