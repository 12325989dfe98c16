"""W307: a softmax at the end of a network whose file trains it with a loss that applies one itself."""

from __future__ import annotations

import re

from cnnspec.diagnostics import Sink, codes
from cnnspec.torch_source.rules.registry import Followed, rule

_LOSS = re.compile(r"\b(CrossEntropyLoss|cross_entropy)\s*\(")


@rule(codes.SOFTMAX_BEFORE_LOSS)
def softmax_before_loss(followed: Followed, sink: Sink) -> None:
    last = None
    for step in followed.steps():
        last = step
    loss = _LOSS.search(followed.script.source.text)
    if last is None or loss is None or last.name.lower() != "softmax" or last.output is not followed.output:
        return
    sink.report(codes.SOFTMAX_BEFORE_LOSS, last.place.span, loss=loss[1])
