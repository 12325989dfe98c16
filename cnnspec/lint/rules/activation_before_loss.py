"""W201 activation in front of the loss

CrossEntropyLoss takes scores and applies log-softmax itself (torch.nn.CrossEntropyLoss, "unnormalized logits").
Behind a Sigmoid all scores lie between 0 and 1, so that no class can get a probability near 1 and the gradients
nearly vanish; behind a Softmax they do so twice.

```cnn fails
model Net { input [784]; Linear(10); Sigmoid }

train {
    loss = CrossEntropyLoss
}
```

```cnn fixed
model Net { input [784]; Linear(10) }

train {
    loss = CrossEntropyLoss
}
```
"""

from __future__ import annotations

from cnnspec.diagnostics import Label, Sink
from cnnspec.diagnostics.codes import Code
from cnnspec.graph.nodes import Graph, LayerNode, Node, StackNode
from cnnspec.layers.activation import LogSoftmax, Sigmoid, Softmax, Softmax2d
from cnnspec.lint.registry import on_graph
from cnnspec.syntax import tree

CODE = Code(
    "W201",
    "{layer} in front of {loss}",
    "last layer of the network",
    note="{loss} applies log-softmax itself and expects scores of any size; behind {layer} the gradients vanish",
    help="delete this line",
)


@on_graph(CODE)
def activation_before_loss(graph: Graph, sink: Sink) -> None:
    """W201: the loss of the recipe applies log-softmax itself."""
    loss = _loss_of(graph)
    if loss is None or loss.id != "CrossEntropyLoss":
        return
    last = _last_layer(graph.root)
    if last is not None and isinstance(last.layer, (Sigmoid, Softmax, LogSoftmax, Softmax2d)):
        labels = [Label(loss.span, "the loss")]
        sink.report(CODE, last.span, labels=labels, layer=last.title, loss=loss.id)


def _loss_of(graph: Graph) -> tree.Name | None:
    for setting in graph.recipe.settings if graph.recipe is not None else ():
        if setting.name.id == "loss":
            value = setting.value
            return value if isinstance(value, tree.Name) else value.name if isinstance(value, tree.Call) else None
    return None


def _last_layer(node: Node) -> LayerNode | None:
    while isinstance(node, StackNode):
        if not node.children:
            return None
        node = node.children[-1]
    return node if isinstance(node, LayerNode) else None
