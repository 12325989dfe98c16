"""The networks that a command is about: models of a .cnn file or modules of PyTorch source, as graphs."""

from __future__ import annotations

import sys

from cnnspec.cli.common import (
    FINDINGS,
    OK,
    add_definitions,
    add_input,
    definitions,
    files_of,
    input_shapes,
    read,
    wants_color,
)
from cnnspec.files import PYTHON

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from cnnspec.diagnostics import Sink
    from cnnspec.graph.nodes import Graph


def add_network(parser: ArgumentParser, name: str = "path") -> None:
    """The argument FILE[:MODEL] under a name, and the options that `graphs_of` reads."""
    parser.add_argument(
        name,
        metavar="FILE[:MODEL]",
        help="a .cnn file, file.cnn:Model, PyTorch source as model.py:Net, or - for stdin",
    )
    add_definitions(parser)
    add_input(parser)


def graphs_of(
    options: Namespace, path: str, sink: Sink, *, exact: bool = False, shown_as: str | None = None
) -> list[Graph]:
    """The networks of FILE[:MODEL], for the values of -D, --input and --mode. Mistakes go to `sink`.

    A module of PyTorch source that can't be followed to its end is such a mistake; where graphs have to be `exact`, what
    they don't tell of it is one as well. Sizes that a spec gives by names are the smallest that it admits. `shown_as` is the
    path that findings name.
    """
    return [graph.numbers for graph in _declared(options, path, sink, exact=exact, shown_as=shown_as)]


def _declared(
    options: Namespace, path: str, sink: Sink, *, fixes: bool = False, exact: bool = False, shown_as: str | None = None
) -> list[Graph]:
    """The networks as they are declared; with `fixes`, mistakes are given the edits that would remove them."""
    file, model = next(files_of(path))
    if file.endswith(PYTHON):
        from cnnspec.cli.python import python_graphs

        return python_graphs(options, file, model, sink, exact=exact, shown_as=shown_as)
    if exact and file.endswith(".json"):
        from cnnspec.backends.graph_document import read_document
        from cnnspec.cli.common import read_bytes

        return [read_document(read_bytes(file), file)]
    from cnnspec.pipeline import check

    source = read(file, sink, shown_as)
    given = definitions(options.define)
    return check(source, sink, model=model, parameters=given, shapes=input_shapes(options), fixes=fixes)


def only_graph(options: Namespace, path: str, sink: Sink, *, fixes: bool = False, exact: bool = False) -> Graph | None:
    """The only network of FILE[:MODEL], also one with mistakes. Those go to `sink`, as does that there is none, or several."""
    from cnnspec.diagnostics import codes
    from cnnspec.diagnostics.suggestions import listing
    from cnnspec.source import Source, Span

    graphs = _declared(options, path, sink, fixes=fixes, exact=exact)
    if len(graphs) > 1:
        names = listing(graph.name for graph in graphs)
        sink.report(codes.SEVERAL_MODELS, Span(graphs[0].source, 0, 0), known=f"choose one of {names}")
    elif not graphs and not sink.has_errors:
        sink.report(codes.NO_MODEL, Span(Source(path, ""), 0, 0))
    return graphs[0] if len(graphs) == 1 else None


def exact_graph(options: Namespace, path: str) -> Graph | None:
    """The only network of FILE[:MODEL], told to its end; where there are mistakes they are printed, and it gives None."""
    from cnnspec.diagnostics import Sink

    graph = only_graph(options, path, sink := Sink(), exact=True)
    if not sink.has_errors:
        return None if graph is None else graph.numbers
    print_errors(options, sink)
    return None


def graphs_or_findings(options: Namespace, path: str) -> tuple[list[Graph], int]:
    """As `graphs_of`, with the exit code; mistakes are printed on the standard error, and then there are no graphs.

    There are, where nothing is wrong but that budgets do not hold: what exceeds them is then asked.
    """
    from cnnspec.diagnostics import Sink, codes

    sink = Sink()
    graphs = graphs_of(options, path, sink)
    if not sink.has_errors:
        return graphs, OK
    print_errors(options, sink)
    wrong = any(found.severity == "error" and found.code is not codes.OVER_BUDGET for found in sink.diagnostics)
    return [] if wrong else graphs, FINDINGS


def print_errors(options: Namespace, sink: Sink) -> None:
    """What is wrong, on the standard error."""
    from cnnspec.diagnostics.render import render_all

    errors = [found for found in sink.diagnostics if found.severity == "error"]
    print(render_all(errors, color=wants_color(options.color, sys.stderr)), file=sys.stderr)
