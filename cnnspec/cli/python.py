"""PyTorch source on the command line: the check of one file, and its modules as lines for people."""

from __future__ import annotations

import ast

from cnnspec.diagnostics import codes
from cnnspec.errors import UsageError
from cnnspec.lint.suppress import suppress
from cnnspec.report.findings import Result
from cnnspec.source import Source, Span
from cnnspec.torch_source.check import Options, Outcome, check_python
from cnnspec.torch_source.containers import blank_markdown, in_cells, read_notebook
from cnnspec.torch_source.describe import describe, parse_input

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace

    from cnnspec.cli.config import Selection
    from cnnspec.diagnostics import Sink


def python_result(
    options: Namespace, source: Source, path: str, entry: str | None, sink: Sink, selection: Selection
) -> Result:
    """What is found in a Python file that is to be shown."""
    wanted = options_of(options, entry)
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


def summary(options: Namespace, path: str, entry: str | None) -> int:
    """Print the table of every module of a file that can be followed, or what is wrong."""
    import sys

    from cnnspec.backends.python_summary import summarize_python
    from cnnspec.cli.common import FINDINGS, OK, print_text, read, wants_color
    from cnnspec.diagnostics import Sink
    from cnnspec.diagnostics.render import render_all

    sink = Sink()
    outcomes = check_python(read(path, sink), path, sink, options_of(options, entry))
    stops = [describe(one, path) for one in outcomes if one.stop not in ("", "?")]
    if sink.has_errors or stops:
        found = [one for one in sink.diagnostics if one.severity == "error"]
        color = wants_color(options.color, sys.stderr)
        print("\n".join(filter(None, [render_all(found, color=color), *stops])), file=sys.stderr)
    color = wants_color(options.color, sys.stdout)
    print_text("\n\n".join(summarize_python(one, color=color) for one in outcomes if not one.stop))
    return FINDINGS if sink.has_errors or stops else OK


def options_of(options: Namespace, entry: str | None) -> Options:
    """What the command line says about Python source."""
    shapes = parse_input(options.input) if options.input else ()
    if shapes is None:
        raise UsageError(f"--input takes sizes without the batch, such as 3x32x32, not {options.input!r}")
    settings = tuple(_setting(text) for text in options.define)
    return Options(entry or "", shapes, settings, options.mode == "train")


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
