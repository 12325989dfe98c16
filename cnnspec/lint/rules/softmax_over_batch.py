"""W220 softmax over the batch

Dimensions are counted with the batch as 0, as in PyTorch: `Softmax(0)` makes the probabilities of one class sum to 1
over the images of a batch. Without a dimension torch guesses, which is deprecated, and guesses 0 for a shape such as
[channels, length].

```cnn fails
model Net {
    input [784]
    Linear(10)
    Softmax(0)
}
```

```cnn fixed
model Net {
    input [784]
    Linear(10)
    Softmax(1)
}
```
"""

from __future__ import annotations

from cnnspec.diagnostics import Sink
from cnnspec.diagnostics.codes import Code
from cnnspec.layers.activation import LogSoftmax, Softmax, Softmin
from cnnspec.lint.registry import on_run
from cnnspec.lint.runs import Run

CODE = Code(
    "W220",
    "{layer} {problem}",
    "{label}",
    note="dimensions are counted with the batch as 0, as in PyTorch: 1 are the channels, or the features behind Flatten",
    help="write `{layer}(1)`",
)


@on_run(CODE, needs="Softmax LogSoftmax Softmin")
def softmax_over_batch(run: Run, sink: Sink) -> None:
    """W220: a softmax over the images of a batch, or one whose dimension torch has to guess."""
    for node in run.layers:
        if not isinstance(node.layer, (Softmax, LogSoftmax, Softmin)) or node.input is None:
            continue
        dim = node.layer.dim
        if dim is None:
            problem, label = "does not say over which dimension", "torch guesses, and warns"
        elif dim in (0, -1 - len(node.input)):
            problem, label = "goes over the images of a batch", "dimension 0 is the batch"
        else:
            continue
        sink.report(CODE, node.span, layer=node.title, problem=problem, label=label)
