"""W207 dropout in front of a batch norm

In training dropout raises the variance of what it lets through; in evaluation it does nothing, but batch
normalisation still uses the variance it saw in training. The shift costs accuracy (Li et al. 2019, "Understanding the
Disharmony between Dropout and Batch Normalization by Variance Shift", CVPR). Parts of residuals are left out: wide
ResNets drop there without harm.

```cnn fails
model Net {
    input [784]
    Linear(100)
    ReLU
    Dropout(0.5)
    BatchNorm1d
    Linear(10)
}
```

```cnn fixed
model Net {
    input [784]
    Linear(100)
    ReLU
    BatchNorm1d
    Dropout(0.5)
    Linear(10)
}
```
"""

from __future__ import annotations

from cnnspec.diagnostics import Label, Sink
from cnnspec.diagnostics.codes import Code
from cnnspec.lint.registry import on_run
from cnnspec.lint.runs import Run, layer_of

CODE = Code(
    "W207",
    "{dropout} in front of {norm}",
    "normalises what was dropped",
    note="dropout changes the variance in training only, so the running variance is wrong in evaluation (Li et al. 2019)",
    help="put {dropout} behind the last batch normalisation",
)


@on_run(CODE, needs="batch")
def dropout_before_norm(run: Run, sink: Sink) -> None:
    """W207: not in the parts of residuals and merges, where wide networks do without harm."""
    if run.inner:
        return
    for dropout, norm in run.pairs():
        if layer_of(norm).normalizes == "batch" and layer_of(dropout).random and layer_of(dropout).p > 0:
            labels = [Label(dropout.span, "drops values in training")] if norm.span != dropout.span else []
            sink.report(CODE, norm.span, labels=labels, dropout=dropout.title, norm=norm.title)
