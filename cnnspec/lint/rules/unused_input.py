"""W223 input that nothing uses

A model of several inputs is called with all of them; one that reaches no output is asked for in vain.

```cnn fails
model Net {
    input [3, 32, 32] as image
    input [4] as box
    use image
    Flatten
    Linear(10)
}
```

```cnn fixed
model Net {
    input [3, 32, 32] as image
    input [4] as box
    use image
    Flatten
    concat(box)
    Linear(10)
}
```
"""

from __future__ import annotations

from cnnspec.diagnostics import Sink
from cnnspec.diagnostics.codes import Code
from cnnspec.graph.nodes import ARRIVING, Graph, Wire
from cnnspec.lint.registry import on_graph
from cnnspec.lint.runs import Reached

CODE = Code(
    "W223",
    "the input `{name}` reaches no output",
    "asked for in vain",
    help="use it, or delete it",
)


@on_graph(CODE, needs="inputs")
def unused_input(graph: Graph, sink: Sink) -> None:
    """W223: one of several inputs of a model that leads to no output."""
    if len(graph.inputs) < 2 or not graph.root.steps:
        return
    live = Reached(graph.root)
    for index, entry in enumerate(graph.inputs):
        wire = Wire(ARRIVING, 0, (index,))
        if not live.has(wire):
            sink.report(CODE, entry.span, name=entry.name or str(index))
