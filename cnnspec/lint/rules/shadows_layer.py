"""W215 name that hides a layer

A block, parameter or name that is called like a layer takes its place below. Who reads the spec takes it for
PyTorch's.

```cnn fails
block ReLU { Tanh }

model Net {
    input [784]
    ReLU
}
```

```cnn fixed
block Activation { Tanh }

model Net {
    input [784]
    Activation
}
```
"""

from __future__ import annotations

from cnnspec import layers
from cnnspec.diagnostics import Sink
from cnnspec.diagnostics.codes import Code
from cnnspec.lint.registry import on_file
from cnnspec.lint.text import FileText, definition_name
from cnnspec.syntax import tree

CODE = Code("W215", "{what} `{name}` hides the layer `{name}`", "means this from here on", help="use another name")


@on_file(CODE, needs="block let for parameter")
def shadows_layer(text: FileText, sink: Sink) -> None:
    """W215: a name of the user's that a reader takes for PyTorch's layer."""
    for owner in text.definitions:
        named = [("the block", definition_name(owner))] if isinstance(owner.node, tree.Block) else []
        named += [("the parameter", parameter.name) for parameter in owner.parameters]
        named += [("the name", name) for name in (*owner.lets, *owner.targets)]
        for what, name in named:
            if layers.find(name.id) is not None:
                sink.report(CODE, name.span, what=what, name=name.id)
