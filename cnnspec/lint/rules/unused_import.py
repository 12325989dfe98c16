"""W214 unused import

A block is imported and not used in this file.

```cnn units.cnn
block Unit(width) {
    Linear(width)
    ReLU
}
```

```cnn fails
from "units.cnn" import Unit

model Net {
    input [784]
    Linear(10)
}
```

```cnn fixed
from "units.cnn" import Unit

model Net {
    input [784]
    Unit(10)
}
```
"""

from __future__ import annotations

from cnnspec.diagnostics import Sink
from cnnspec.diagnostics.codes import Code
from cnnspec.lint.registry import on_file
from cnnspec.lint.text import FileText

CODE = Code("W214", "`{name}` is imported and never used", "not used in this file", help="delete it")


@on_file(CODE, needs="import")
def unused_import(text: FileText, sink: Sink) -> None:
    """W214: a name that is imported for others to import it from here is better imported from where it is defined."""
    if not text.file.imports:
        return
    used = {name for item in (*text.definitions, *text.recipes, *text.others) for name in item.reads}
    for imported in text.file.imports:
        for name in (item.known_as for item in imported.names):
            if name.id not in used:
                sink.report(CODE, name.span, name=name.id)
