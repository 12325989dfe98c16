"""`%load_ext cnnspec` in a notebook: cells that hold a spec. Their mistakes are shown as `cnnspec check` shows them.

IPython loads this; nothing here imports it before a cell is run.
"""

from __future__ import annotations

import os
import shlex

from cnnspec.diagnostics import Sink, codes
from cnnspec.diagnostics.render import render_all
from cnnspec.errors import UsageError
from cnnspec.pipeline import check
from cnnspec.source import Source, Span
from cnnspec.spec import Spec, the_only
from cnnspec.syntax import tree
from cnnspec.syntax.parser import parse, parse_expression

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from cnnspec.graph.nodes import Graph

__all__ = ["load_ipython_extension"]


def load_ipython_extension(shell: Any) -> None:
    """Add the cell magic `%%cnn` to a shell of IPython."""

    def cnn(line: str, cell: str) -> None:
        """Check a spec and keep it: `%%cnn net` under the name `net`, `%%cnn` each model under its own.

        Parameters of the model follow, as `%%cnn net num_classes=26`. Where the spec has mistakes these are shown, and
        the names hold nothing afterwards.
        """
        from IPython.display import display

        for spec in define(line, cell, shell.user_ns):
            display(spec)  # type: ignore[no-untyped-call]

    shell.register_magic_function(cnn, "cell", "cnn")


def define(line: str, cell: str, names: dict[str, Any]) -> list[Spec]:
    """The specs of a cell, which are put into `names`; what was found in them is printed. Raises UsageError."""
    name, parameters = _words(line)
    source, sink = Source(f"<{name or 'cell'}>", cell), Sink()
    wanted = [name] if name else [item.name.id for item in parse(source, Sink()).items if isinstance(item, tree.Model)]
    for one in wanted:
        # What a cell with mistakes was meant to define is not what an earlier one did.
        names.pop(one, None)
    graphs = _graphs(source, name, parameters, sink)
    if sink.diagnostics:
        print(render_all(sink.diagnostics, color=not os.environ.get("NO_COLOR")))
    if sink.has_errors:
        return []
    specs = {name or graph.name: Spec(graph, sink.diagnostics) for graph in graphs}
    names.update(specs)
    return list(specs.values())


def _graphs(source: Source, name: str, parameters: dict[str, tree.Expression], sink: Sink) -> list[Graph]:
    if name or parameters:
        graph = the_only(source, None, parameters, sink, fixes=True)
        return [graph] if graph is not None else []
    graphs = check(source, sink, fixes=True)
    if not graphs and not sink.has_errors:
        sink.report(codes.NO_MODEL, Span(source, 0, 0))
    return graphs


def _words(line: str) -> tuple[str, dict[str, tree.Expression]]:
    """The name behind `%%cnn`, "" for none, and the parameters."""
    try:
        words = shlex.split(line)
    except ValueError:
        words = line.split()
    named = [word for word in words if "=" not in word]
    if len(named) > 1 or not all(word.isidentifier() for word in named):
        raise UsageError(f"%%cnn takes one name and parameters, as `%%cnn net num_classes=26`, not {line.strip()!r}")
    found: dict[str, tree.Expression] = {}
    for word in words:
        if "=" in word:
            parameter, _, value = word.partition("=")
            sink = Sink()
            found[parameter] = parse_expression(Source(f"<{parameter}>", value), sink)
            if sink.has_errors or not parameter.isidentifier():
                raise UsageError(f"%%cnn: {word!r} is no parameter with its value, as num_classes=26")
    return (named or [""])[0], found
