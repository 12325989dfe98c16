"""W221 PyTorch's order of arguments

`nn.Conv2d(16, 32, 3)` begins with `in_channels`. Here that is inferred, so `Conv2d(16, 32, 3)` is a kernel of 32 with
a stride of 3. Said where the first number is the number of channels that arrive, the second a kernel of 8 or more,
and the third smaller than it.

```cnn fails
model Net {
    input [16, 64, 64]
    Conv2d(16, 32, 3)
}
```

```cnn fixed
model Net {
    input [16, 64, 64]
    Conv2d(16 -> 32, 3)
}
```
"""

from __future__ import annotations

from cnnspec.diagnostics import Sink
from cnnspec.diagnostics.codes import Code
from cnnspec.lint.registry import on_run
from cnnspec.lint.runs import Run, is_convolution

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

CODE = Code(
    "W221",
    "{layer} makes {out} channels with a kernel of {kernel} and a stride of {stride} here",
    "reads as out_channels, kernel_size, stride",
    note="what arrives determines in_channels, so it is not written and the first argument is out_channels",
    help="if PyTorch's order was meant: `{layer}({out} -> {kernel}, {stride})`",
)
_WIDE = 8


@on_run(CODE)
def argument_order(run: Run, sink: Sink) -> None:
    """W221: `Conv2d(3, 16, 3)`, written as in PyTorch, where in_channels comes first."""
    for node in run.layers:
        if not is_convolution(node) or node.input is None:
            continue
        layer: Any = node.layer
        out, kernel, stride = layer.out_channels, layer.kernel_size, layer.stride
        if out != node.input[0] or kernel.__class__ is not int or stride.__class__ is not int:
            continue
        positional = "stride" in layer.given and "=" not in node.span.text and "->" not in node.span.text
        if positional and kernel >= _WIDE and stride < kernel:
            facts = {"out": out, "kernel": kernel, "stride": stride}
            sink.report(CODE, node.span, layer=node.title, **facts)
