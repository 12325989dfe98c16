"""W209 bottleneck of one

Between wide layers everything passes through one number a position. It comes up where a width is computed, such as
`in_channels // 16` of few channels, or a digit is missing.

```cnn fails
model Net {
    input [64, 8, 8]
    Conv2d(in_channels // 64, 1)
    ReLU
    Conv2d(64, 3)
}
```

```cnn fixed
model Net {
    input [64, 8, 8]
    Conv2d(in_channels // 4, 1)
    ReLU
    Conv2d(64, 3)
}
```
"""

from __future__ import annotations

from cnnspec.compiler.values import show_shape
from cnnspec.diagnostics import Label, Sink
from cnnspec.diagnostics.codes import Code
from cnnspec.graph.nodes import LayerNode
from cnnspec.layers.linear import Linear
from cnnspec.lint.registry import on_run
from cnnspec.lint.runs import Run, is_convolution

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

CODE = Code(
    "W209",
    "everything has to pass through a single {unit} here",
    "gives {shape}",
    note="{before} {unit}s come in, and the next layer makes {after} of it again",
    help="give {layer} more {unit}s",
)
_WIDE = 8


@on_run(CODE, needs="linear")
def narrow(run: Run, sink: Sink) -> None:
    """W209: a width of 1 between wide layers."""
    before: LayerNode | None = None
    for node in run.layers:
        if not is_convolution(node) and not isinstance(node.layer, Linear):
            continue
        if before is not None and _width(before, "output") == 1 == _width(node, "input"):
            arriving, after = _width(before, "input"), _width(node, "output")
            if arriving >= _WIDE and after >= _WIDE and type(before.layer) is type(node.layer):
                unit = "feature" if isinstance(node.layer, Linear) else "channel"
                labels = [Label(node.span, f"makes {after} of it")] if node.span != before.span else []
                facts: dict[str, Any] = {"before": arriving, "after": after, "shape": show_shape(before.output or ())}
                sink.report(CODE, before.span, labels=labels, unit=unit, layer=before.title, **facts)
        before = node


def _width(node: LayerNode, side: str) -> int:
    shape = node.input if side == "input" else node.output
    return 0 if shape is None else shape[-1 if isinstance(node.layer, Linear) else 0]
