"""Live modules as specs: made by an expression that is run, traced by torch.fx, and followed as source is."""

from __future__ import annotations

import ast
from importlib import import_module

from torch import nn

from cnnspec.diagnostics import Sink, codes
from cnnspec.errors import UsageError
from cnnspec.importers.fx_source import source_of_module
from cnnspec.importers.spec_text import Imported
from cnnspec.importers.torch_source import import_outcome, same_in_training
from cnnspec.record import replace
from cnnspec.source import Source, Span
from cnnspec.torch_source.check import Options, check_python
from cnnspec.torch_source.lower.graphs import place_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def live_module(module: str, entry: str) -> nn.Module:
    """What an expression makes in a module of Python that is imported, and so run: a name, or a call of one with constants.

    Raises UsageError where there is no such thing, or it is no nn.Module; what the code itself raises is told so.
    """
    node = _entry(entry)
    call = node if isinstance(node, ast.Call) else None
    names = ast.unparse(call.func if call is not None else node).split(".")
    try:
        value: Any = import_module(module)
        for name in names:
            value = getattr(value, name)
        if call is not None:
            args = [ast.literal_eval(one) for one in call.args]
            value = value(*args, **{str(one.arg): ast.literal_eval(one.value) for one in call.keywords})
        elif not isinstance(value, nn.Module) and callable(value):
            value = value()
    except Exception as error:
        raise UsageError(f"{module}:{entry} can't be made: {type(error).__name__}: {error}") from None
    if not isinstance(value, nn.Module):
        raise UsageError(f"{module}:{entry} is no nn.Module")
    return value


def _entry(text: str) -> ast.expr:
    try:
        node = ast.parse(text, mode="eval").body
        function = node.func if isinstance(node, ast.Call) else node
        names = [part for part in ast.walk(function) if not isinstance(part, ast.expr_context)]
        if all(isinstance(part, (ast.Name, ast.Attribute)) for part in names):
            if isinstance(node, ast.Call):
                for value in (*node.args, *(one.value for one in node.keywords)):
                    ast.literal_eval(value)
            return node
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        pass
    raise UsageError(f"{text!r} is no name, and no call of one with constants")


def import_live(
    net: nn.Module, shapes: tuple[tuple[int, ...], ...], sink: Sink, mode: str | None = None
) -> Imported | None:
    """The spec of a live module for inputs of these shapes, without the batch.

    What specs can't say goes to `sink`, each with its place; so does that it does something else in training, unless `mode`
    says what is meant, "train" or "eval".
    """
    name = type(net).__name__
    traced = source_of_module(net, len(shapes))
    source = Source(f"{name} as torch.fx traced it", traced.text)
    for key, cls, reason in traced.problems:
        start = traced.text.index(f"class {cls}(") + len("class ")
        sink.report(codes.NOT_IMPORTED, Span(source, start, start + len(cls)), reason=f"`{key or name}`: {reason}")
    if traced.problems:
        return None
    options = Options(traced.name, shapes, (), mode == "train")
    outcome, *_ = check_python(source, "", sink, options)
    if sink.has_errors:
        return None
    if outcome.stop:
        sink.report(codes.NOT_IMPORTED, (outcome.stopped_at or outcome.place).span, reason=outcome.stop)
        return None
    if mode is None:
        others = check_python(source, "", Sink(), replace(options, training=True))
        if not same_in_training(outcome, others):
            sink.report(codes.DIFFERS_IN_TRAINING, place_of(outcome).span, name=name)
            return None
    comment = f"Imported from a live {name}."
    found = import_outcome(replace(outcome, name=name), sink, traced.origins, traced.titles, comment)
    return None if found is None else replace(found, idle=(*found.idle, *traced.idle))
