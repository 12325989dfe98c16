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
from cnnspec.graph.nodes import Graph, LayerNode, MergeNode, Node, ResidualNode, StackNode
from cnnspec.lint.registry import on_graph
from cnnspec.lint.runs import in_place, parts_of, passes_on, stacks_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

CODE = Code(
    "W218",
    "{layer} overwrites a value that is still needed",
    "changes its input in place",
    note="{reason}: torch then gives another sum without a word, or fails in the backward pass",
    help="write `inplace=false` here",
)


@on_graph(CODE)
def overwrites_value(graph: Graph, sink: Sink) -> None:
    """W218: a layer that changes in place what another branch, or a merge further down, takes as well."""
    for stack, _ in stacks_of(graph.root):
        if stack.input_name is not None:
            _check_first(stack.children, f"a later merge takes `{stack.input_name}`", sink)
        for index, child in enumerate(stack.children):
            if child.label is not None and child.label in stack.kept:
                _check_first(stack.children[index + 1 :], f"a later merge takes `{child.label}`", sink)
            if isinstance(child, (ResidualNode, MergeNode)):
                reason = "every branch takes the same input"
                if isinstance(child, ResidualNode):
                    reason = f"the {'identity ' if child.shortcut is None else ''}shortcut takes the same input"
                parts = parts_of(child)
                for part in parts if len(parts) > 1 or isinstance(child, ResidualNode) else ():
                    _check_first(part.children, reason, sink)


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
