"""PyTorch source on the command line: the check of one file, and its modules as lines for people."""

from __future__ import annotations

import ast

from cnnspec.diagnostics import codes
from cnnspec.errors import UsageError
from cnnspec.lint.suppress import suppress
from cnnspec.report.findings import Result
from cnnspec.torch_source.check import Options, Outcome, check_python
from cnnspec.torch_source.describe import describe, parse_input

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace

    from cnnspec.cli.config import Selection
    from cnnspec.diagnostics import Sink
    from cnnspec.source import Source


def python_result(
    options: Namespace, source: Source, path: str, entry: str | None, sink: Sink, selection: Selection
) -> Result:
    """What is found in a Python file that is to be shown."""
    wanted = options_of(options, entry)
    outcomes = check_python(source, "" if path == "-" else path, sink, wanted, fixes=True)
    unfinished = [one for one in outcomes if one.stop]
    strict = options.strict or any("W301".startswith(code) for code in selection.select)
    for one in unfinished:
        if strict and one.stop != "?":
            _report(one, sink)
    suppress(source, sink, unseen=(), whole=False)
    found = [one for one in sink.diagnostics if selection.shows(one.code.id)]
    remarks = tuple(describe(one, source.path) for one in outcomes if one.stop != "?")
    return Result(source.path, (), tuple(found), remarks, len(unfinished))


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


def _report(outcome: Outcome, sink: Sink) -> None:
    place = outcome.stopped_at or outcome.place
    sink.report(codes.NOT_FOLLOWED, place.span, name=f"`{outcome.name}`", reason=outcome.stop)
