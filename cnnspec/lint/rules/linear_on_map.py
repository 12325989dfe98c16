"""W203 Linear on a feature map

Linear acts on the last dimension and keeps the others. On [channels, height, width] that is the width alone, which is
hardly ever meant: Flatten was forgotten. Behind a Permute it is taken to be meant.

```cnn fails
model Net {
    input [3, 32, 32]
    Conv2d(8, 3)
    ReLU
    Linear(10)
}
```

```cnn fixed
model Net {
    input [3, 32, 32]
    Conv2d(8, 3)
    ReLU
    Flatten
    Linear(10)
}
```
"""

from __future__ import annotations

from cnnspec.compiler.values import show_shape
from cnnspec.diagnostics import Diagnostic, Sink
from cnnspec.diagnostics.codes import Code
from cnnspec.layers.base import prod
from cnnspec.layers.linear import Linear
from cnnspec.lint.registry import on_run
from cnnspec.lint.runs import Run, layer_of

CODE = Code(
    "W203",
    "Linear acts on the last dimension alone, {size} of {shape}",
    "gets {shape}",
    note="the other dimensions are kept: the output is {output}",
    help="put `Flatten` in front to use all {total} values",
)


@on_run(CODE, needs="linear")
def linear_on_map(run: Run, sink: Sink) -> None:
    """W203: Linear on a feature map, where Flatten was forgotten. Behind a Permute it is meant, as in channels-last."""
    warned = False
    for node in run.layers:
        layer = layer_of(node)
        if layer.reshapes:
            warned = layer.moves_axes
        shape, output = node.input, node.output
        if not isinstance(layer, Linear) or warned or shape is None or output is None or len(shape) < 3:
            continue
        warned = True
        facts = {"size": shape[-1], "shape": show_shape(shape), "output": show_shape(output), "total": prod(shape)}
        sink.add(Diagnostic(CODE, facts, node.span))
