"""W212 unused value

`as name` names a value that a statement below can take. None takes this one. Off by default, as the name is also the
key of the module in the state dict.

```cnn fails
model Net {
    input [3, 32, 32]
    Conv2d(3, 3, padding=1) as early
    ReLU
    Conv2d(3, 3, padding=1)
}
```

```cnn fixed
model Net {
    input [3, 32, 32]
    Conv2d(3, 3, padding=1) as early
    ReLU
    Conv2d(3, 3, padding=1)
    add(early)
}
```
"""

from __future__ import annotations

from cnnspec.diagnostics import Sink
from cnnspec.diagnostics.codes import Code
from cnnspec.lint.registry import on_file
from cnnspec.lint.text import FileText

CODE = Code(
    "W212",
    "the value `{name}` is never taken",
    "names the module only",
    help="take it with `use {name}`, a merge such as `add({name})`, or an argument; or leave the name out",
    default=False,
)


@on_file(CODE, needs="as")
def unused_label(text: FileText, sink: Sink) -> None:
    """W212: a name that no statement takes. It still is the key in the state dict."""
    for owner in text.definitions:
        for label in owner.labels:
            if label.id not in owner.reads:
                sink.report(CODE, label.span, name=label.id)
