"""PyTorch source on the command line: the check of one file, its modules as lines for people, and as graphs."""

from __future__ import annotations

import ast

from cnnspec.diagnostics import Sink, codes
from cnnspec.lint.suppress import suppress
from cnnspec.record import replace
from cnnspec.report.findings import Result
from cnnspec.source import Source, Span
from cnnspec.torch_source.check import Options, check_python
from cnnspec.torch_source.containers import blank_markdown, in_cells, read_notebook
from cnnspec.torch_source.describe import describe
from cnnspec.torch_source.outcome import Outcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace

    from cnnspec.cli.config import Selection
    from cnnspec.compiler.any_size import Holding
    from cnnspec.graph.nodes import Graph
    from cnnspec.torch_source.values import Shape


def python_result(
    options: Namespace, source: Source, path: str, entry: str | None, sink: Sink, selection: Selection
) -> Result:
    """What is found in a Python file that is to be shown."""
    wanted = options_of(options, entry, tuple(selection.select))
    if path.endswith(".ipynb"):
        return _of_notebook(source, path, sink, wanted, selection, strict=options.strict)
    text = Source(source.path, blank_markdown(source.text)) if path.endswith(".md") else source
    outcomes = check_python(text, "" if path == "-" else path, sink, wanted, fixes=True, shown=source)
    return _result(source, outcomes, sink, selection, strict=options.strict)


def _of_notebook(
    source: Source, path: str, sink: Sink, wanted: Options, selection: Selection, *, strict: bool
) -> Result:
    cells = read_notebook(source.path, source.text)
    if cells is None:
        sink.report(codes.NOT_PYTHON, Span(source, 0, 0), problem="it is no notebook")
        return _result(source, [], sink, selection, strict=strict)
    joined = Source(source.path, cells.text)
    outcomes = check_python(joined, path, sink, wanted, fixes=True)
    if strict:
        _report_stops(outcomes, sink)
    return _result(source, outcomes, in_cells(sink, cells), selection, strict=False)


def _result(source: Source, outcomes: list[Outcome], sink: Sink, selection: Selection, *, strict: bool) -> Result:
    unfinished = [one for one in outcomes if one.stop]
    if strict or any(code and "W301".startswith(code) for code in selection.select):
        _report_stops(outcomes, sink)
    suppress(source, sink, unseen=(), whole=False)
    found = [one for one in sink.diagnostics if selection.shows(one.code.id)]
    remarks = tuple(describe(one, source.path) for one in outcomes if one.stop != "?")
    return Result(source.path, (), tuple(found), remarks, len(unfinished))


def python_graphs(
    options: Namespace, path: str, entry: str | None, sink: Sink, *, exact: bool, shown_as: str | None
) -> list[Graph]:
    """The graphs of the modules of a file, where those that were not followed to their end are reported.

    Where they have to be `exact`, so is what a graph does not tell of its module.
    """
    from cnnspec.cli.common import complain, read

    outcomes = followed(options, read(path, sink, shown_as), path, entry, sink)
    if sink.has_errors:
        return []
    if exact:
        from cnnspec.graph.walk import walk
        from cnnspec.importers.torch_source import exact_graph, unused

        graphs = [exact_graph(one, sink) for one in outcomes]
        for one, graph in zip(outcomes, graphs):
            for name in () if graph is None else unused(one, {key for key, _ in walk(graph.root)}):
                complain(f"`{one.name}`: `{name}` is made and never run, and left out here")
        return [graph for graph in graphs if graph is not None]
    from cnnspec.torch_source.lower.graphs import graph_of

    return [graph for graph in map(graph_of, outcomes) if graph is not None]


def python_sizes(options: Namespace, path: str, entry: str | None, sink: Sink) -> list[Holding]:
    """For which sizes of the input the modules of a file hold."""
    from cnnspec.cli.common import read
    from cnnspec.importers.python_sizes import sizes_of_module

    source = read(path, sink)
    outcomes = followed(options, source, path, entry, sink)
    if sink.has_errors:
        return []
    wanted = options_of(options, entry)

    def holding(outcome: Outcome) -> Holding | None:
        def follow(shapes: tuple[Shape, ...]) -> Outcome | None:
            trial = Sink()
            chosen = replace(wanted, inputs=shapes, entry=wanted.entry or outcome.name)
            found = outcomes_of(source, path, trial, chosen)
            return found[0] if len(found) == 1 and not trial.has_errors else None

        return sizes_of_module(outcome, sink, follow)

    found = [holding(one) for one in outcomes if not one.stop]
    return [one for one in found if one is not None]


def followed(options: Namespace, source: Source, path: str, entry: str | None, sink: Sink) -> list[Outcome]:
    """What became of the modules of a file; those that were not followed to their end are reported as errors."""
    outcomes = outcomes_of(source, path, sink, options_of(options, entry))
    for one in outcomes:
        if one.stop not in ("", "?"):
            place = one.stopped_at or one.place
            sink.report(codes.NO_GRAPH, place.span, name=f"`{one.name}`", reason=one.stop)
    return outcomes


def outcomes_of(source: Source, path: str, sink: Sink, options: Options) -> list[Outcome]:
    """What became of the modules of a file of Python, of a notebook or of the fences of a Markdown text."""
    if path.endswith(".ipynb"):
        cells = read_notebook(source.path, source.text)
        if cells is None:
            sink.report(codes.NOT_PYTHON, Span(source, 0, 0), problem="it is no notebook")
            return []
        inner = Sink()
        outcomes = check_python(Source(source.path, cells.text), path, inner, options)
        for found in in_cells(inner, cells).diagnostics:
            sink.add(found)
        return outcomes
    text = Source(source.path, blank_markdown(source.text)) if path.endswith(".md") else source
    return check_python(text, path, sink, options, shown=source)


def options_of(options: Namespace, entry: str | None, select: tuple[str, ...] = ()) -> Options:
    """What the command line says about Python source."""
    from cnnspec.cli.common import input_shapes

    shapes = input_shapes(options)
    settings = tuple(_setting(text) for text in options.define)
    return Options(entry or "", shapes, settings, options.mode == "train", select=select)


def _setting(text: str) -> tuple[str, object]:
    name, _, value = text.partition("=")
    try:
        return name, ast.literal_eval(value)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return name, value


def _report_stops(outcomes: list[Outcome], sink: Sink) -> None:
    for one in outcomes:
        if one.stop not in ("", "?"):
            place = one.stopped_at or one.place
            sink.report(codes.NOT_FOLLOWED, place.span, name=f"`{one.name}`", reason=one.stop)
