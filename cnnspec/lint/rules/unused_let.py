"""W213 unused let

A name is bound and nothing reads it: often another one was written by mistake.

```cnn fails
model Net {
    input [784]
    let width = 100
    Linear(10)
}
```

```cnn fixed
model Net {
    input [784]
    let width = 100
    Linear(width)
}
```
"""

from __future__ import annotations

from cnnspec.diagnostics import Sink
from cnnspec.diagnostics.codes import Code
from cnnspec.lint.registry import on_file
from cnnspec.lint.text import FileText

CODE = Code("W213", "`{name}` is never used", "bound here", help="use it, or delete the line")


@on_file(CODE, needs="let")
def unused_let(text: FileText, sink: Sink) -> None:
    """W213: a `let` that nothing reads."""
    for owner in text.definitions:
        for name in owner.lets:
            if name.id not in owner.reads and not name.id.startswith("_"):
                sink.report(CODE, name.span, name=name.id)
