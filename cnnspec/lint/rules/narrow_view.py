"""W225 output that sees less than the image

A place of the output depends on a part of the image alone: its receptive field is smaller than the image. For segmentation or
super-resolution that may be wanted; a network that is to name what the whole image shows needs a larger kernel, stride or
dilation, more layers, or a pooling over all places in front of its head. Off by default.

```cnn fails
model Net {
    input [3, 64, 64]
    Conv2d(16, 3, padding=1)
    ReLU
    Conv2d(1, 3, padding=1)
}
```

```cnn fixed
model Net {
    input [3, 64, 64]
    Conv2d(16, 3, padding=1)
    ReLU
    Conv2d(1, 3, padding=1)
    AdaptiveAvgPool2d(1)
}
```
"""

from __future__ import annotations

from cnnspec.compiler.values import show_shape
from cnnspec.diagnostics import Sink
from cnnspec.diagnostics.codes import Code
from cnnspec.graph.nodes import Graph
from cnnspec.lint.registry import on_graph

CODE = Code(
    "W225",
    "an output of `{model}` sees {field} of the {size} input",
    "the image",
    help="let the network see more: larger kernels, strides or dilations, more layers, or a pooling over all places",
    default=False,
)


@on_graph(CODE, needs="slides")
def narrow_view(graph: Graph, sink: Sink) -> None:
    """W225: the first output, where its receptive field is smaller than the first input along an axis."""
    from cnnspec.analysis.receptive_field import ReceptiveFields

    graph = graph.numbers
    shape, fields = graph.input, ReceptiveFields(graph).output
    if not fields or shape is None or graph.input_span is None:
        return
    sizes = shape[len(shape) - len(fields) :]
    if any(field.size < size for field, size in zip(fields, sizes)):
        seen = " x ".join(str(field.size) for field in fields)
        sink.report(CODE, graph.input_span, model=graph.name, field=seen, size=show_shape(sizes))
