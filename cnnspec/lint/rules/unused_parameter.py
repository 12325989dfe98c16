"""W211 unused parameter

A parameter that nothing reads has no effect, whatever is given for it. A name that begins with `_` is meant to be
unused.

```cnn fails
model Net(classes = 100) {
    input [784]
    Linear(10)
}
```

```cnn fixed
model Net(classes = 100) {
    input [784]
    Linear(classes)
}
```
"""

from __future__ import annotations

from cnnspec.diagnostics import Diagnostic, Sink
from cnnspec.diagnostics.codes import Code
from cnnspec.lint.registry import on_file
from cnnspec.lint.text import FileText, definition_name
from cnnspec.syntax import tree

CODE = Code(
    "W211", "parameter `{name}` of {kind} `{owner}` is never used", "has no effect", help="use it, or delete it"
)


@on_file(CODE, needs="parameter")
def unused_parameter(text: FileText, sink: Sink) -> None:
    """W211: a name that begins with `_` is not used on purpose; a block that is handed on shares the parameters of others."""
    passed = {name for item in (*text.definitions, *text.others) for name in item.passed}
    for owner in text.definitions:
        if isinstance(owner.node, tree.Block) and owner.node.name.id in passed:
            continue
        kind = "model" if isinstance(owner.node, tree.Model) else "block"
        for parameter in owner.parameters:
            name = parameter.name
            if name.id not in owner.reads and not name.id.startswith("_"):
                facts = {"name": name.id, "kind": kind, "owner": definition_name(owner).id}
                sink.add(Diagnostic(CODE, dict(facts), name.span))
