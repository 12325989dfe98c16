"""W205 pixels that are never read

Windows that are smaller than their stride leave gaps. What lies in them has no effect on the output. A 1x1 kernel
with a stride is customary in residuals (He et al. 2015) and left alone there.

```cnn fails
model Net {
    input [3, 32, 32]
    MaxPool2d(2, stride=3)
}
```

```cnn fixed
model Net {
    input [3, 32, 32]
    MaxPool2d(3, stride=3)
}
```
"""

from __future__ import annotations

from cnnspec.diagnostics import Sink
from cnnspec.diagnostics.codes import Code
from cnnspec.lint.registry import on_run
from cnnspec.lint.runs import Run, kernel_of, layer_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

CODE = Code(
    "W205",
    "{layer} never reads {share}% of its input",
    "a window of {window} every {stride} {unit}",
    note="along {axis} the windows leave gaps of {gap}: the values there have no effect and get no gradient",
    help="make the window at least as large as the stride",
)
_UNITS = {"height": "rows", "width": "columns", "depth": "slices", "length": "values"}


@on_run(CODE, needs="slides")
def unread_pixels(run: Run, sink: Sink) -> None:
    """W205: windows that start further apart than they reach. In residuals a 1x1 kernel with a stride is customary."""
    for node in run.layers:
        if not layer_of(node).slides or node.input is None or node.output is None:
            continue
        layer: Any = node.layer
        if layer.stride is None or layer.stride == 1:
            continue
        kernels = kernel_of(node)
        if run.inner and set(kernels) == {1}:
            continue
        strides = layer.each(layer.stride)
        read = 1.0
        worst = -1
        for axis, (kernel, stride) in enumerate(zip(kernels, strides)):
            reach = kernel if getattr(layer, "dilation", 1) == 1 else stride
            if reach < stride and node.output[axis + 1] > 1:
                read *= reach / stride
                worst = axis
        if worst >= 0:
            axis_name = layer.axes[worst]
            facts = {"window": kernels[worst], "stride": strides[worst], "gap": strides[worst] - kernels[worst]}
            share, unit = round(100 * (1 - read)), _UNITS[axis_name]
            sink.report(CODE, node.span, layer=node.title, share=share, unit=unit, axis=axis_name, **facts)
