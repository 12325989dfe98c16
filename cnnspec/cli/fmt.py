"""The command `fmt`: canonical text for specs, on disk or from stdin.

A file is replaced whole or not at all, and never where it has syntax errors.
"""

from __future__ import annotations

import os
import sys

from cnnspec.cli.common import (
    FINDINGS,
    OK,
    USAGE,
    Command,
    UsageError,
    add_color,
    complain,
    diff,
    files_of,
    print_text,
    read_bytes,
    rewrite_spec,
    wants_color,
)
from cnnspec.diagnostics import Sink
from cnnspec.diagnostics.render import clean, render_all
from cnnspec.errors import Unreadable
from cnnspec.record import record
from cnnspec.syntax.read import decode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from cnnspec.source import Source


def options_of(parser: ArgumentParser) -> None:
    parser.add_argument("paths", nargs="*", default=["."], metavar="PATH", help="a .cnn file, a folder, or - for stdin")
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 if something would change")
    parser.add_argument("--diff", action="store_true", help="change nothing; print what would change")
    parser.add_argument(
        "--annotate", action="store_true", help="write the checked shape behind the statements of models"
    )
    parser.add_argument("--stdin-filename", metavar="PATH", help="what to take the text from stdin for")
    add_color(parser)


@record
class _Result:
    path: str
    before: bytes
    after: bytes | None
    """None where the text has mistakes."""

    @property
    def changed(self) -> bool:
        return self.after is not None and self.after != self.before


def run(options: Namespace) -> int:
    """Format what is asked for and give the exit code."""
    problems: list[str] = []
    results = [result for path in _paths(options.paths, problems) if (result := _formatted(path, options, problems))]
    for result in results:
        _hand_over(result, options)
    if options.paths != ["-"] and not options.diff and results:
        _print_total(results, options)
    sys.stdout.flush()
    for problem in problems:
        complain(problem)
    failed = any(result.after is None for result in results)
    changes = options.check and any(result.changed for result in results)
    return USAGE if problems else FINDINGS if failed or changes else OK


def _paths(paths: list[str], problems: list[str]) -> list[str]:
    """The files that are meant, each once; paths that name none go to `problems`."""
    found: dict[str, None] = {}
    for given in paths:
        try:
            for path, model in files_of(given):
                if model is not None:
                    raise UsageError(f"fmt takes whole files: {path}, not {path}:{model}")
                found[path] = None
        except Unreadable as error:
            problems.append(str(error))
    return list(found)


def _formatted(path: str, options: Namespace, problems: list[str]) -> _Result | None:
    """The canonical text of a file; its mistakes are printed. None where it can't be read."""
    from cnnspec.format.formatter import format_source

    try:
        before = read_bytes(path)
    except Unreadable as error:
        problems.append(str(error))
        return None
    shown = (options.stdin_filename or "<stdin>") if path == "-" else os.path.normpath(path)
    sink = Sink()
    source: Source | None = decode(before, shown, sink)
    if options.annotate and not sink.has_errors and source is not None:
        from cnnspec.annotate import annotated

        source = annotated(source, sink)
    text = None if source is None or sink.has_errors else format_source(source, sink)
    if text is None:
        errors = [found for found in sink.diagnostics if found.severity == "error"]
        print(render_all(errors, color=wants_color(options.color, sys.stderr)), file=sys.stderr)
    return _Result(path, before, None if text is None else text.encode())


def _hand_over(result: _Result, options: Namespace) -> None:
    """Print or write one result, as the options say."""
    if result.after is None:
        return
    if options.diff:
        _print_diff(result, options)
    elif options.check:
        return
    elif result.path == "-":
        sys.stdout.flush()
        sys.stdout.buffer.write(result.after)
        sys.stdout.buffer.flush()
    elif result.changed:
        rewrite_spec(result.path, result.after)


def _print_diff(result: _Result, options: Namespace) -> None:
    path = (options.stdin_filename or "<stdin>") if result.path == "-" else os.path.normpath(result.path)
    old, new = (data.decode("utf-8-sig") for data in (result.before, result.after or b""))
    print_text(diff(path, old, new), end="")


def _print_total(results: list[_Result], options: Namespace) -> None:
    changed = [result for result in results if result.changed]
    verb = "would change" if options.check else "changed"
    for result in changed:
        print_text(f"{verb} {clean(result.path)}")
    same = sum(result.after == result.before for result in results)
    failed = sum(result.after is None for result in results)
    numbers = [(len(changed), verb), (same, "unchanged"), (failed, "with errors")]
    print_text(", ".join(f"{n:,} {'file' if n == 1 else 'files'} {what}" for n, what in numbers if n))


COMMANDS = {"fmt": Command("lay specs out in the one canonical way", options_of, run)}
