"""W304: a module with weights that forward never runs."""

from __future__ import annotations

from cnnspec.diagnostics import Sink, codes
from cnnspec.torch_source.rules.registry import Followed, rule
from cnnspec.torch_source.values import Instance
from cnnspec.torch_source.weights import count_parameters


@rule(codes.UNUSED_MODULE)
def unused_module(followed: Followed, sink: Sink) -> None:
    if ".training" in followed.script.source.text:
        # Another part runs in training.
        return
    seen: set[int] = set()
    waiting = [followed.module]
    while waiting:
        module = waiting.pop()
        for name, child in module.modules():
            if id(child) in seen:
                continue
            seen.add(id(child))
            if _runs(child, set()):
                waiting.append(child)
            elif count_parameters(child) and child.made is not None and not _is_touched(child):
                sink.report(codes.UNUSED_MODULE, child.made.span, name=name)


def _runs(module: Instance, seen: set[int]) -> bool:
    """Whether a module or one below it has run."""
    if module.uses:
        return True
    seen.add(id(module))
    return any(_runs(child, seen) for _, child in module.modules() if id(child) not in seen)


def _is_touched(module: Instance) -> bool:
    """Whether the weights of a module were looked at, and may be used without it."""
    return module.touched or any(_is_touched(child) for _, child in module.modules())
