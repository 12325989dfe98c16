"""W222 value that reaches no output

A value has a name, and neither the output nor anything that leads there takes it: what computes it takes time and
memory, and gets no gradient. A value that is only named for its key in the state dict goes on to the next statement, and
is not meant.

```cnn fails
model Net {
    input [784] as x
    Linear(10) as spare
    use x
    Linear(10)
}
```

```cnn fixed
model Net {
    input [784] as x
    Linear(10) as spare
    use x
    Linear(10)
    add(spare)
}
```
"""

from __future__ import annotations

from cnnspec.diagnostics import Sink
from cnnspec.diagnostics.codes import Code
from cnnspec.graph.nodes import STEP, Graph, Wire
from cnnspec.lint.registry import on_graph
from cnnspec.lint.runs import Reached, stacks_of

CODE = Code(
    "W222",
    "the value `{name}` reaches no output",
    "named here",
    note="what computes it has no effect and gets no gradient",
    help="take it with `use`, a merge or an argument, or delete it",
)


@on_graph(CODE, needs="steps")
def value_without_effect(graph: Graph, sink: Sink) -> None:
    """W222: a name whose value nothing takes that leads to the output."""
    for stack, _ in stacks_of(graph.root):
        if not stack.steps or not stack.names:
            continue
        live = Reached(stack)
        for named in stack.names:
            wire = named.feed
            if not isinstance(wire, Wire) or wire.kind != STEP or named.name.startswith("_"):
                continue
            if not live.has(wire):
                sink.report(CODE, named.span, name=named.name)
