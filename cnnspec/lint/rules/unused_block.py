"""W210 unused block

A block that no model of the file leads to, in a file that has models. A file of blocks alone is there to be imported.

```cnn fails
block Unit { Linear(10); ReLU }

model Net {
    input [784]
    Linear(10)
}
```

```cnn fixed
block Unit { Linear(10); ReLU }

model Net {
    input [784]
    Unit
}
```
"""

from __future__ import annotations

from cnnspec.diagnostics import Sink
from cnnspec.diagnostics.codes import Code
from cnnspec.lint.registry import on_file
from cnnspec.lint.text import FileText, definition_name
from cnnspec.syntax import tree

CODE = Code("W210", "block `{name}` is never used", "not used in this file", help="delete it")


@on_file(CODE, needs="block")
def unused_block(text: FileText, sink: Sink) -> None:
    """W210: only where there are models; a file of blocks is there to be imported."""
    if not text.file.models:
        return
    uses = {definition_name(item).id: item.reads for item in text.definitions if isinstance(item.node, tree.Block)}
    models = [item for item in text.definitions if isinstance(item.node, tree.Model)]
    waiting = [name for item in (*models, *text.recipes, *text.others) for name in item.reads]
    reached: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += uses.get(name, ())
    for item in text.definitions:
        if isinstance(item.node, tree.Block) and item.node.name.id not in reached:
            sink.report(CODE, item.node.name.span, name=item.node.name.id)
