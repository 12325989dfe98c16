"""W305: a view that makes several rows of each sample, which stay rows to the end."""

from __future__ import annotations

from cnnspec.diagnostics import Diagnostic, Sink, codes
from cnnspec.torch_source.rules.registry import Followed, rule
from cnnspec.torch_source.values import BATCH, Tensor, show_shape


@rule(codes.FOLDED_BATCH)
def folded_batch(followed: Followed, sink: Sink) -> None:
    output = followed.output
    if not isinstance(output, Tensor) or not output.shape or output.shape[0] == BATCH or output.shape[0] % BATCH:
        return
    for step in followed.steps():
        if step.name not in ("view", "reshape") or not isinstance(step.output, Tensor):
            continue
        before = step.inputs[0] if step.inputs else None
        rows = step.output.shape[0] if step.output.shape else 0
        folded = rows != BATCH and rows % BATCH == 0
        if isinstance(before, Tensor) and before.shape[:1] == (BATCH,) and folded:
            facts: dict[str, object] = {
                "rows": rows // BATCH,
                "before": show_shape(before.shape),
                "after": show_shape(step.output.shape),
            }
            sink.add(Diagnostic(codes.FOLDED_BATCH, facts, step.place.span))
            return
