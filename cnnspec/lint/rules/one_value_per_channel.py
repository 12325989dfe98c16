"""W208 one value a channel

Behind global pooling a channel has one value an image. Batch normalisation then works on the batch alone, and PyTorch
refuses a training batch of one image: "Expected more than 1 value per channel when training". Off by default, as
batches of two and more are fine; said in any case where the recipe makes such a batch, with `batch = 1` or as the last
one of an epoch, which `drop_last = true` leaves out.

```cnn fails
model Net {
    input [64, 8, 8]
    AdaptiveAvgPool2d(1)
    BatchNorm2d
}
```

```cnn fixed
model Net {
    input [64, 8, 8]
    AdaptiveAvgPool2d(1)
    LayerNorm
}
```
"""

from __future__ import annotations

from cnnspec.compiler.values import show_shape
from cnnspec.diagnostics import Sink
from cnnspec.diagnostics.codes import Code
from cnnspec.layers.base import prod
from cnnspec.lint.registry import on_recipe, on_run
from cnnspec.lint.runs import Run, layer_of, runs_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cnnspec.graph.nodes import Graph
    from cnnspec.recipe.settings import Recipe

CODE = Code(
    "W208",
    "{layer} gets one value a channel from each image",
    "gets {shape}",
    note="in training torch refuses a batch of one image here; {when}",
    help="use LayerNorm or no normalisation behind global pooling, or batches of at least 2",
    default=False,
)


@on_run(CODE, needs="batch")
def one_value_per_channel(run: Run, sink: Sink) -> None:
    """W208: batch normalisation behind global pooling."""
    for node in run.layers:
        shape = node.input
        if layer_of(node).normalizes == "batch" and shape is not None and len(shape) > 1 and prod(shape[1:]) == 1:
            when = "the last batch of an epoch may be one"
            sink.report(CODE, node.span, layer=node.title, shape=show_shape(shape), when=when)


@on_recipe(CODE, needs="batch", always=True)
def batches_of_one(graph: Graph, recipe: Recipe, sink: Sink) -> None:
    """W208: where the recipe makes such a batch."""
    images = recipe.data.counts[0]
    if recipe.batch <= recipe.accumulate:
        when = "the recipe has no others"
    elif images % recipe.batch == 1 and not recipe.drop_last:
        when = f"the last of {images} in batches of {recipe.batch} is one"
    else:
        return
    for run in runs_of(graph.root):
        for node in run.layers:
            shape = node.input
            if layer_of(node).normalizes == "batch" and shape is not None and prod(shape[1:]) == 1:
                sink.report(CODE, node.span, layer=node.title, shape=show_shape(shape), when=when)
