"""W219 no gradient in place

Some layers compute their gradient from their result (ReLU, Sigmoid, Tanh, Softmax); where the next one overwrites it,
the backward pass fails: "one of the variables needed for gradient computation has been modified by an inplace
operation". LeakyReLU, ELU and CELU with a negative slope refuse to work in place when training. Measured with torch
2.13.

```cnn fails
model Net {
    input [784]
    Linear(100)
    ReLU
    Dropout(0.5, inplace=true)
}
```

```cnn fixed
model Net {
    input [784]
    Linear(100)
    ReLU
    Dropout(0.5)
}
```
"""

from __future__ import annotations

from cnnspec.diagnostics import Label, Sink
from cnnspec.diagnostics.codes import Code
from cnnspec.graph.nodes import LayerNode
from cnnspec.lint.registry import on_run
from cnnspec.lint.runs import Run, in_place, layer_of

CODE = Code(
    "W219",
    "training fails at {layer} with inplace=true",
    "changes its input in place",
    note="{reason}",
    help="write `inplace=false` here",
)


@on_run(CODE, needs="inplace")
def no_gradient(run: Run, sink: Sink) -> None:
    """W219: torch stops in the backward pass."""
    before: LayerNode | None = None
    for node in run.layers:
        if in_place(node):
            slope = layer_of(node).slope
            if slope and getattr(node.layer, slope) < 0:
                reason = f"with {slope} below 0 the sign of the input can't be told from the result"
                sink.report(CODE, node.span, layer=node.title, reason=reason)
            elif before is not None and _keeps_result(before):
                reason = f"the gradient of {before.title} is computed from its result, which {node.title} overwrites"
                labels = [Label(before.span, "needs its result again")] if before.span != node.span else []
                sink.report(CODE, node.span, labels=labels, layer=node.title, reason=reason)
        if not _hands_on(node):
            before = node


def _hands_on(node: LayerNode) -> bool:
    """Whether a layer gives the memory of its input in training; dropout does so where it drops nothing."""
    layer = layer_of(node)
    return bool(layer.view or (layer.random and layer.p == 0)) and not in_place(node)


def _keeps_result(node: LayerNode) -> bool:
    saves = layer_of(node).saves_output
    return saves == "always" or (saves == "in place" and in_place(node))
