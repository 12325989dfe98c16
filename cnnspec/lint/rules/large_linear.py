"""W217 very large Linear behind Flatten

One layer holds more than 50 million parameters and more than 80% of the network. Global average pooling (Lin et al.
2013, section 3.2) leaves one number a channel, needs a fraction of the parameters, overfits less and takes images of
any size.

```cnn fails
model Net {
    input [64, 56, 56]
    Flatten
    Linear(1000)
}
```

```cnn fixed
model Net {
    input [64, 56, 56]
    AdaptiveAvgPool2d(1)
    Flatten
    Linear(1000)
}
```
"""

from __future__ import annotations

from cnnspec.compiler.values import show_shape
from cnnspec.diagnostics import Label, Sink
from cnnspec.diagnostics.codes import Code
from cnnspec.graph.nodes import Graph, LayerNode
from cnnspec.graph.walk import walk
from cnnspec.layers.base import prod
from cnnspec.layers.linear import Linear
from cnnspec.layers.reshape import Flatten
from cnnspec.lint.registry import on_graph
from cnnspec.lint.runs import runs_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

CODE = Code(
    "W217",
    "Linear behind Flatten holds {share}% of the parameters: {count:,} of {total:,}",
    "{width:,} x {out:,} weights",
    note="a mean over the positions leaves {channels:,} features instead of {width:,}, and {small:,} parameters here",
    help="put `AdaptiveAvgPool{rank}d(1)` in front of Flatten",
)
_LARGE_COUNT, _LARGE_SHARE = 50_000_000, 0.8


@on_graph(CODE, needs="linear")
def large_linear(graph: Graph, sink: Sink) -> None:
    """W217: a Linear layer behind Flatten that holds nearly all of a large network."""
    total = graph.parameters
    if total < _LARGE_COUNT or not any(_is_large(node, total) for _, node in walk(graph.root)):
        return
    for run in runs_of(graph.root):
        for flatten, node in run.pairs():
            if not isinstance(flatten.layer, Flatten) or not _is_large(node, total) or flatten.input is None:
                continue
            channels, rank = flatten.input[0], len(flatten.input) - 1
            if rank < 1 or node.input is None or node.output is None or prod(flatten.input[1:]) == 1:
                continue
            out = node.output[-1]
            facts: dict[str, Any] = {
                "count": node.parameters,
                "total": total,
                "width": node.input[-1],
                "out": out,
                "rank": rank,
            }
            small, share = (channels + 1) * out, round(100 * node.parameters / total)
            labels = [Label(flatten.span, f"gets {show_shape(flatten.input)}")]
            sink.report(CODE, node.span, labels=labels, channels=channels, small=small, share=share, **facts)


def _is_large(node: object, total: int) -> bool:
    if not isinstance(node, LayerNode) or not isinstance(node.layer, Linear):
        return False
    return node.parameters > _LARGE_COUNT and node.parameters > _LARGE_SHARE * total
