"""W306: F.dropout without `training`, which drops in evaluation as well."""

from __future__ import annotations

import ast

from cnnspec.diagnostics import Sink, codes
from cnnspec.torch_source.rules.registry import Followed, rule

_FUNCTIONS = frozenset(["dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout", "feature_alpha_dropout"])


@rule(codes.DROPOUT_IN_EVALUATION)
def dropout_in_evaluation(followed: Followed, sink: Sink) -> None:
    for step in followed.steps():
        call = step.place.node
        if step.module is not None or step.name not in _FUNCTIONS or not isinstance(call, ast.Call):
            continue
        function = call.func
        if not isinstance(function, ast.Attribute) or len(call.args) > 2:
            continue
        if all(keyword.arg not in ("training", None) for keyword in call.keywords):
            sink.report(codes.DROPOUT_IN_EVALUATION, step.place.span, name=f"{_owner(function)}{step.name}")


def _owner(function: ast.Attribute) -> str:
    return f"{function.value.id}." if isinstance(function.value, ast.Name) else ""
