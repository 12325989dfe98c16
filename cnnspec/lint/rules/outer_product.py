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
from cnnspec.graph.nodes import Graph, MergeNode, Shape, StackNode
from cnnspec.lint.registry import on_graph
from cnnspec.lint.runs import stacks_of

CODE = Code(
    "W216",
    "multiply stretches both values: {first} and {second} give {shape}",
    "stretches both",
    note="that is an outer product; gates such as squeeze-and-excitation stretch one of the two alone",
    help="bring one of the two to {shape} first",
)


@on_graph(CODE)
def outer_product(graph: Graph, sink: Sink) -> None:
    """W216: a multiply that stretches both of its values."""
    for stack, _ in stacks_of(graph.root):
        for child in stack.children:
            if not isinstance(child, MergeNode) or child.kind != "multiply" or child.output is None:
                continue
            shapes = _operands(child, graph)
            if len(shapes) > 1 and child.output not in shapes:
                facts: dict[str, object] = {"shape": show_shape(child.output)}
                facts |= {"first": show_shape(shapes[0]), "second": show_shape(shapes[1])}
                sink.add(Diagnostic(CODE, facts, child.span))


def _operands(node: MergeNode, graph: Graph) -> list[Shape]:
    """The shapes that come together. A named value counts where all values of that name have one shape."""
    if node.branches:
        return [branch.output for branch in node.branches if branch.output is not None]
    shapes = [node.input] if node.input is not None else []
    for name in node.sources:
        found = {shape for stack, _ in stacks_of(graph.root) for shape in _named(stack, name)}
        if len(found) != 1:
            return []
        shapes += found
    return shapes


def _named(stack: StackNode, name: str) -> list[Shape]:
    shapes = [child.output for child in stack.children if child.label == name and child.output is not None]
    return [*shapes, stack.input] if stack.input_name == name and stack.input is not None else shapes
