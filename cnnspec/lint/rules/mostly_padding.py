"""W206 more padding than input

Where the input is much smaller than the kernel, most of its weights only ever meet padding and are never trained: a
3x3 kernel on a 1x1 map is a 1x1 kernel that costs nine times as much. Padding as wide as the kernel makes results at
the border that see nothing of the input at all.

```cnn fails
model Net {
    input [64, 1, 1]
    Conv2d(64, 3, padding=1)
}
```

```cnn fixed
model Net {
    input [64, 1, 1]
    Conv2d(64, 1)
}
```
"""

from __future__ import annotations

from cnnspec.compiler.values import show_shape
from cnnspec.diagnostics import Sink
from cnnspec.diagnostics.codes import Code
from cnnspec.layers.base import prod
from cnnspec.lint.registry import on_run
from cnnspec.lint.runs import Run, is_convolution, kernel_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

CODE = Code(
    "W206",
    "{layer} sees more padding than input",
    "a window of {window} on {size}",
    note="{reason}",
    help="{fix}",
)


@on_run(CODE, needs="slides")
def mostly_padding(run: Run, sink: Sink) -> None:
    """W206: a window that even at its best place sees less than half of the input that it could, along every axis."""
    for node in run.layers:
        if not is_convolution(node) or node.input is None:
            continue
        layer: Any = node.layer
        if layer.padding == 0 or layer.padding == "valid" or layer.padding_mode != "zeros":
            continue
        kernels, sizes = kernel_of(node), node.input[1:]
        spread = layer.each(layer.dilation)
        facts: dict[str, Any] = {
            "layer": node.title,
            "window": " x ".join(map(str, kernels)),
            "size": show_shape(sizes),
        }
        used = [min(kernel, -(-size // step)) for kernel, size, step in zip(kernels, sizes, spread)]
        if all(2 * best < kernel for best, kernel in zip(used, kernels)):
            reason = f"at most {prod(used)} of the {prod(kernels)} weights of a filter can meet the input"
            fix = f"reduce the size less before, or use `{node.title}(..., kernel_size=1)`"
            sink.report(CODE, node.span, **facts, reason=reason, fix=fix)
        elif layer.padding != "same" and any(
            pad > step * (kernel - 1) for pad, kernel, step in zip(layer.each(layer.padding), kernels, spread)
        ):
            reason = "the padding is at least as wide as the window: the outermost results see nothing else"
            fix = f"padding={spread[0] * (kernels[0] - 1) // 2} keeps the size"
            sink.report(CODE, node.span, **facts, reason=reason, fix=fix)
