"""What became of a module, as a line for people: its shapes and parameters, or why it was not followed."""

from __future__ import annotations

from cnnspec.torch_source.outcome import Outcome
from cnnspec.torch_source.values import BATCH, Record, Tensor, show_shape, show_size

_LONGEST = 200


def describe(outcome: Outcome, path: str) -> str:
    """`model.py: Net  [3, 32, 32] -> [10]  62,006 parameters`, or what can't be followed, and where."""
    head = f"{path}: {outcome.name}  "
    if outcome.stop:
        place = outcome.stopped_at
        where = f" ({place.span.source.path}:{place.span.line})" if place is not None and place.script.path else ""
        return f"{head}not followed: can't follow {outcome.stop}{where}"
    shapes = " and ".join(show_shape(shape) for shape in outcome.inputs)
    chosen = " (chosen: one that fits)" if outcome.assumed else ""
    count = "an unknown number of" if outcome.parameters is None else f"{outcome.parameters:,}"
    return f"{head}{shapes}{chosen} -> {show_output(outcome.output)}  {count} parameters"


def show_output(value: object) -> str:
    """The shapes of what a module gives, without the batch where that comes first."""
    if isinstance(value, Tensor):
        if value.shape and value.shape[0] == BATCH:
            return "[" + ", ".join(map(show_size, value.shape[1:])) + "]"
        return show_shape(value.shape) + " (its first dimension is no batch)" if value.shape else "a single number"
    if isinstance(value, (tuple, list)):
        return _joined([show_output(one) for one in value], "(", ")")
    if isinstance(value, Record):
        return show_output(value.values)
    if isinstance(value, dict):
        return _joined([f"{key}: {show_output(one)}" for key, one in value.items()], "{", "}")
    return "None" if value is None else f"a {type(value).__name__.lower()}"


def _joined(parts: list[str], begin: str, end: str) -> str:
    text = begin + ", ".join(parts) + end
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} ... ({len(parts)} values)"
