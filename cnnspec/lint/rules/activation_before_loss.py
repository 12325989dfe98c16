"""W201 activation in front of the loss

CrossEntropyLoss takes scores of any size and applies log-softmax itself (torch.nn.CrossEntropyLoss, "unnormalized
logits"); BCEWithLogitsLoss does so with a sigmoid. Behind a Sigmoid all scores lie between 0 and 1, so that no class
can get a probability near 1 and the gradients nearly vanish; behind a ReLU no score is below 0; behind a LogSoftmax
the same is computed twice. NLLLoss, on the other hand, takes log-probabilities, which a Softmax does not give. Views and
dropout are looked through, and where the recipe names no loss it is CrossEntropyLoss.

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
from cnnspec.graph.nodes import Graph, LayerNode
from cnnspec.layers.base import inf
from cnnspec.lint.registry import on_recipe
from cnnspec.recipe.outputs import ANY, outputs_of, own_bounds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cnnspec.recipe.losses import Loss
    from cnnspec.recipe.settings import Recipe

CODE = Code(
    "W201",
    "{layer} in front of {loss}",
    "last layer of the network",
    note="{reason}",
    help="{fix}",
)


@on_recipe(CODE)
def activation_before_loss(graph: Graph, recipe: Recipe, sink: Sink) -> None:
    """W201: a loss wants something else than what the last layer gives. What surely diverges is an error instead."""
    from cnnspec.recipe.fit import Written, matched

    written = Written(graph.recipe.settings if graph.recipe is not None else (), graph.span)
    for output, loss, name in matched(recipe, outputs_of(graph), graph.name, written, Sink()):
        if output.last is not None and output.last.layer is not None and output.last.layer.module is None:
            labels = [Label(written.span(name), "the loss")] if name in written else []
            _check(output.last, loss, labels, sink)


def _check(last: LayerNode, loss: Loss, labels: list[Label], sink: Sink) -> None:
    from cnnspec.recipe.fit import show_bounds
    from cnnspec.recipe.losses import LOG_PROBABILITIES

    low, high = own_bounds(last)
    gives = f"{last.title} gives {show_bounds(low, high)}"
    if loss.applies and (low, high) != ANY:
        reason = f"{loss.name} applies {loss.applies} itself and expects scores of any size; {gives}"
        fix = "delete this line"
    elif loss.wants == LOG_PROBABILITIES and 0 < high < inf:
        reason = f"{loss.name} expects log-probabilities; {gives}"
        fix = f"write `{loss.activation}` instead, or delete this line and take `{loss.instead}`"
    else:
        return
    sink.report(CODE, last.span, labels=labels, layer=last.title, loss=loss.name, reason=reason, fix=fix)
