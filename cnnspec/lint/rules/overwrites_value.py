"""W218 value overwritten in place

With `inplace=true` a layer writes into its input. Where another branch takes the same value, that one then sees the
changed one: `residual { ReLU(inplace=true) }` on [-1, 2] gives [0, 4] instead of [-1, 4], without an error. Or
autograd notices, and the backward pass fails.

```cnn fails
model Net {
    input [3, 32, 32]
    residual {
        ReLU(inplace=true)
        Conv2d(3, 3, padding=1)
    }
}
```

```cnn fixed
model Net {
    input [3, 32, 32]
    residual {
        ReLU
        Conv2d(3, 3, padding=1)
    }
}
```
"""

from __future__ import annotations

from cnnspec.diagnostics import Sink
from cnnspec.diagnostics.codes import Code
from cnnspec.graph.nodes import STEP, Graph, LayerNode, MergeNode, Node, ResidualNode, StackNode, Wire
from cnnspec.graph.walk import node_of, steps_of, wires_of
from cnnspec.lint.registry import on_graph
from cnnspec.lint.runs import in_place, parts_of, passes_on, stacks_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

CODE = Code(
    "W218",
    "{layer} overwrites a value that is still needed",
    "changes its input in place",
    note="{reason}: torch then gives another sum without a word, or fails in the backward pass",
    help="write `inplace=false` here",
)


@on_graph(CODE, needs="inplace")
def overwrites_value(graph: Graph, sink: Sink) -> None:
    """W218: a layer that changes in place what another branch, or a merge further down, takes as well."""
    for stack, _ in stacks_of(graph.root):
        for name, nodes in _shared_values(stack):
            _check_first(nodes, f"a later statement takes `{name}`", sink)
        for child in stack.children:
            if isinstance(child, (ResidualNode, MergeNode)):
                reason = "every branch takes the same input"
                if isinstance(child, ResidualNode):
                    reason = f"the {'identity ' if child.shortcut is None else ''}shortcut takes the same input"
                parts = parts_of(child)
                for part in parts if len(parts) > 1 or isinstance(child, ResidualNode) else ():
                    _check_first(part.children, reason, sink)


def _shared_values(stack: StackNode) -> Iterator[tuple[str, list[Node]]]:
    """The named values of a body that are taken more than once, with the modules that follow each taker in a row."""
    steps = list(steps_of(stack)) if stack.steps else []
    named = {named.feed: named.name for named in stack.names if isinstance(named.feed, Wire)}
    for wire, name in named.items():
        takers = [number for number, step in enumerate(steps) if step.feed == wire]
        others = sum(wire in wires_of((step.feed, step.values)) for step in steps)
        others += wire in wires_of((stack.result or (), stack.taps))
        for first in takers if others > 1 else ():
            row = [first]
            while row[-1] + 1 < len(steps) and steps[row[-1] + 1].feed == Wire(STEP, row[-1]):
                row.append(row[-1] + 1)
            nodes = [node_of(stack, steps[number]) for number in row]
            yield name, [node for node in nodes if node is not None]


def _check_first(nodes: Iterable[Node], reason: str, sink: Sink) -> None:
    first = _first_worker(nodes)
    if first is not None and in_place(first):
        sink.report(CODE, first.span, layer=first.title, reason=reason)


def _first_worker(nodes: Iterable[Node]) -> LayerNode | None:
    """The first layer that does not just pass its input on; None where the value runs into a merge before."""
    waiting = list(nodes)[::-1]
    while waiting:
        node = waiting.pop()
        if isinstance(node, StackNode):
            waiting += node.children[::-1]
        elif not isinstance(node, LayerNode):
            return None
        elif not passes_on(node):
            return node
    return None
