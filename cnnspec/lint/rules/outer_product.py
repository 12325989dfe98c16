"""W216 multiply that stretches both values

Sizes of 1 are stretched, as PyTorch broadcasts. A gate stretches along one value's axes: [64, 1, 1] or [1, 32, 32]
times [64, 32, 32]. Where both are stretched the result is an outer product of the two, which is hardly ever meant.

```cnn fails
model Net {
    input [16, 8, 8]
    multiply {
        branch { AdaptiveAvgPool2d(1) }
        branch { Conv2d(1, 1) }
    }
}
```

```cnn fixed
model Net {
    input [16, 8, 8]
    multiply {
        branch { AdaptiveAvgPool2d(1) }
        branch { Conv2d(16, 1) }
    }
}
```
"""

from __future__ import annotations

from cnnspec.compiler.values import show_shape
from cnnspec.diagnostics import Diagnostic, Sink
from cnnspec.diagnostics.codes import Code
from cnnspec.graph.nodes import Graph, MergeNode
from cnnspec.layers.base import Parts
from cnnspec.lint.registry import on_graph
from cnnspec.lint.runs import stacks_of

CODE = Code(
    "W216",
    "multiply stretches both values: {first} and {second} give {shape}",
    "stretches both",
    note="that is an outer product; gates such as squeeze-and-excitation stretch one of the two alone",
    help="bring one of the two to {shape} first",
)


@on_graph(CODE, needs="multiply")
def outer_product(graph: Graph, sink: Sink) -> None:
    """W216: a multiply that stretches both of its values."""
    for stack, _ in stacks_of(graph.root):
        for child in stack.children:
            if not isinstance(child, MergeNode) or child.kind != "multiply" or child.output is None:
                continue
            shapes = [shape for shape in child.merged if shape is not None and not isinstance(shape, Parts)]
            if len(shapes) > 1 and child.output not in shapes:
                facts: dict[str, object] = {"shape": show_shape(child.output)}
                facts |= {"first": show_shape(shapes[0]), "second": show_shape(shapes[1])}
                sink.add(Diagnostic(CODE, facts, child.span))
