"""W204 bias in front of a batch norm

Batch normalisation subtracts the mean of each channel, and a bias that is added to the whole channel is gone with it.
It has a bias of its own (Ioffe and Szegedy 2015, section 3.2). Off by default: it wastes a few values and does no
harm, and well-known networks have it.

```cnn fails
model Net {
    input [3, 32, 32]
    Conv2d(8, 3)
    BatchNorm2d
}
```

```cnn fixed
model Net {
    input [3, 32, 32]
    Conv2d(8, 3, bias=false)
    BatchNorm2d
}
```
"""

from __future__ import annotations

from cnnspec.diagnostics import Label, Sink
from cnnspec.diagnostics.codes import Code
from cnnspec.layers.linear import Linear
from cnnspec.lint.registry import on_run
from cnnspec.lint.runs import Run, layer_of

CODE = Code(
    "W204",
    "the bias of {layer} has no effect in front of {norm}",
    "adds a bias",
    note="{norm} subtracts the mean of each channel, and the bias with it; it has a bias of its own",
    help="write `bias=false`",
    default=False,
)


@on_run(CODE, needs="batch")
def bias_before_norm(run: Run, sink: Sink) -> None:
    """W204: batch normalisation takes away what a bias adds."""
    for node, norm in run.pairs():
        if layer_of(norm).normalizes == "batch" and layer_of(node).linear and layer_of(node).bias:
            if isinstance(node.layer, Linear) and node.output is not None and len(node.output) > 1:
                continue
            labels = [Label(norm.span, "subtracts the mean")] if norm.span != node.span else []
            sink.report(CODE, node.span, labels=labels, layer=node.title, norm=norm.title)
