"""`match` statements: the patterns of constants, names and sequences."""

from __future__ import annotations

import ast

from cnnspec.torch_source.machine import Machine
from cnnspec.torch_source.operators import compare
from cnnspec.torch_source.stops import Stop
from cnnspec.torch_source.values import Scope

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cnnspec.torch_source.script import Place


def matches(m: Machine, pattern: ast.pattern, subject: object, scope: Scope, place: Place) -> bool:
    """Whether a value has that form; binds the names of the pattern."""
    match pattern:
        case ast.MatchValue(value):
            return m.truth(compare(m, ast.Eq, m.known(subject, place), m.evaluate(value, scope), place), place)
        case ast.MatchSingleton(value):
            return m.known(subject, place) is value
        case ast.MatchOr(patterns):
            return any(matches(m, part, subject, scope, place) for part in patterns)
        case ast.MatchAs(inner, name):
            if inner is not None and not matches(m, inner, subject, scope, place):
                return False
            if name is not None:
                scope.values[name] = subject
            return True
        case ast.MatchSequence(patterns) if not any(isinstance(part, ast.MatchStar) for part in patterns):
            known = m.known(subject, place)
            if not isinstance(known, (list, tuple)) or len(known) != len(patterns):
                return False
            return all(matches(m, part, item, scope, place) for part, item in zip(patterns, known))
    raise Stop("this pattern of `match`", place)
