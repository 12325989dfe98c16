"""W202 nothing nonlinear between

Two linear maps in a row are one linear map: W2(W1 x) = (W2 W1) x. Together they can say no more than one, and cost
more. Said of Linear, and of convolutions that are no factors on purpose: depthwise, 1x1 and one-dimensional kernels
are left out, and so are single channels. A normalisation between counts as more than nothing.

```cnn fails
model Net {
    input [784]
    Linear(100)
    Linear(10)
}
```

```cnn fixed
model Net {
    input [784]
    Linear(100)
    ReLU
    Linear(10)
}
```
"""

from __future__ import annotations

from cnnspec.diagnostics import Label, Sink
from cnnspec.diagnostics.codes import Code
from cnnspec.graph.nodes import LayerNode
from cnnspec.layers.linear import Linear
from cnnspec.lint.registry import on_run
from cnnspec.lint.runs import Run, kernel_of, layer_of

CODE = Code(
    "W202",
    "two {layer} layers with nothing nonlinear between them",
    "the second one",
    note="together they compute no more than one of them could",
    help="put an activation such as `ReLU` between them",
)


@on_run(CODE, needs="linear")
def nothing_nonlinear(run: Run, sink: Sink) -> None:
    """W202: two linear maps in a row are one. Convolutions that are factors of a larger one on purpose are left out."""
    before: LayerNode | None = None
    for node in run.layers:
        layer = layer_of(node)
        if layer.random or (layer.view and not layer.moves_axes):
            continue
        if before is not None and layer.linear and type(layer) is type(before.layer) and _plain(node, before):
            labels = [Label(before.span, "the first one")] if before.span != node.span else []
            sink.report(CODE, node.span, labels=labels, layer=node.title)
        before = node


def _plain(*nodes: LayerNode) -> bool:
    """False for a depthwise, pointwise or one-dimensional factor of a convolution, and for filters of one channel."""
    return all(
        isinstance(node.layer, Linear)
        or (layer_of(node).groups == 1 and min(kernel_of(node)) > 1 and layer_of(node).out_channels > 1)
        for node in nodes
    )
