"""W202 in Python source: two linear layers that follow each other with nothing nonlinear between them."""

from __future__ import annotations

from cnnspec.diagnostics import Sink
from cnnspec.lint.rules.no_nonlinearity import CODE
from cnnspec.torch_source.layers import Made
from cnnspec.torch_source.rules.registry import Followed, rule
from cnnspec.torch_source.trace import Step
from cnnspec.torch_source.values import Tensor

_TRANSPARENT = frozenset(
    ["Dropout", "Dropout1d", "Dropout2d", "Flatten", "Identity", "flatten", "view", "reshape", "dropout"]
)


@rule(CODE)
def no_nonlinearity(followed: Followed, sink: Sink) -> None:
    made_by: dict[int, Step] = {}
    users: dict[int, int] = {}
    steps = list(followed.steps())
    for step in steps:
        for value in step.inputs:
            users[id(value)] = users.get(id(value), 0) + 1
    for step in steps:
        source = step.inputs[0] if step.inputs else None
        before = made_by.get(id(source)) if isinstance(source, Tensor) and users[id(source)] == 1 else None
        if step.name in _TRANSPARENT and before is not None:
            made_by[id(step.output)] = before
            continue
        if not _is_linear(step):
            continue
        made_by[id(step.output)] = step
        if before is not None and before.name == step.name and step.module is not None and step.module.made is not None:
            sink.report(CODE, step.module.made.span, layer=step.name)


def _is_linear(step: Step) -> bool:
    """A full linear layer or convolution; those in groups, or along one axis, are parts of a factorised one."""
    made = step.module.layer if step.module is not None else None
    if not isinstance(made, Made) or step.name not in ("Linear", "Conv1d", "Conv2d", "Conv3d"):
        return False
    kernel = made.values.get("kernel_size", 1)
    square = not isinstance(kernel, tuple) or len(set(kernel)) == 1
    return made.values.get("groups", 1) == 1 and square and (step.name == "Linear" or kernel not in (1, (1, 1)))
