"""W224 use without effect

`use x` goes on from `x`. Right behind the statement that is called `x` the running value is `x` already, and of two `use`
in a row the first is forgotten.

```cnn fails
model Net {
    input [784]
    Linear(64) as body
    use body
    ReLU
    Linear(10)
}
```

```cnn fixed
model Net {
    input [784]
    Linear(64) as body
    ReLU
    Linear(10)
}
```
"""

from __future__ import annotations

from cnnspec.diagnostics import Sink
from cnnspec.diagnostics.codes import Code
from cnnspec.lint.registry import on_file
from cnnspec.lint.text import FileText
from cnnspec.syntax import tree

CODE = Code("W224", "this `use` has no effect", "{reason}", help="delete it")


def _is_input(statement: object) -> bool:
    return isinstance(statement, tree.Input)


@on_file(CODE, needs="use")
def use_without_effect(text: FileText, sink: Sink) -> None:
    """W224: the running value is the one that is used already, or another `use` follows."""
    for owner in text.definitions:
        for body in owner.bodies:
            pairs = list(zip(body.statements, body.statements[1:]))
            for before, after in pairs:
                if isinstance(before, tree.Use) and isinstance(after, tree.Use) and before.tail.label is None:
                    sink.report(CODE, before.span, reason="the next one goes on from another value")
                # Behind several inputs the running value is their tuple.
                elif isinstance(after, tree.Use) and isinstance(after.value, tree.Name) and not _is_input(before):
                    label = before.tail.label if hasattr(before, "tail") else None
                    if isinstance(label, tree.Name) and label.id == after.value.id and after.tail.label is None:
                        sink.report(CODE, after.span, reason=f"the running value is `{label.id}` already")
