"""W208 one value a channel

Behind global pooling a channel has one value an image. Batch normalisation then works on the batch alone, and PyTorch
refuses a training batch of one image: "Expected more than 1 value per channel when training". Off by default, as
batches of two and more are fine.

```cnn fails
model Net {
    input [64, 8, 8]
    AdaptiveAvgPool2d(1)
    BatchNorm2d
}
```

```cnn fixed
model Net {
    input [64, 8, 8]
    AdaptiveAvgPool2d(1)
    LayerNorm
}
```
"""

from __future__ import annotations

from math import prod

from cnnspec.compiler.values import show_shape
from cnnspec.diagnostics import Sink
from cnnspec.diagnostics.codes import Code
from cnnspec.lint.registry import on_run
from cnnspec.lint.runs import Run, layer_of

CODE = Code(
    "W208",
    "{layer} gets one value a channel from each image",
    "gets {shape}",
    note="in training torch refuses a batch of one image here; the last batch of an epoch may be one",
    help="use LayerNorm or no normalisation behind global pooling, or batches of at least 2",
    default=False,
)


@on_run(CODE)
def one_value_per_channel(run: Run, sink: Sink) -> None:
    """W208: batch normalisation behind global pooling."""
    for node in run.layers:
        shape = node.input
        if layer_of(node).normalizes == "batch" and shape is not None and len(shape) > 1 and prod(shape[1:]) == 1:
            sink.report(CODE, node.span, layer=node.title, shape=show_shape(shape))
