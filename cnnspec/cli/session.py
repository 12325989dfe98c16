"""A check of many files: which, what is found in each, in which format, where to, and the exit code."""

from __future__ import annotations

import os
import sys

from cnnspec.cli.cache import Cache
from cnnspec.cli.common import (
    FINDINGS,
    OK,
    USAGE,
    complain,
    definitions,
    files_of,
    input_shapes,
    print_text,
    read,
    read_bytes,
    wants_color,
)
from cnnspec.cli.config import Config, Configs, Selection, check_codes
from cnnspec.diagnostics import Code, Diagnostic, Sink
from cnnspec.diagnostics.render import clean
from cnnspec.errors import Unreadable, UsageError
from cnnspec.files import PYTHON, files_below, reason_of
from cnnspec.record import replace
from cnnspec.report import find_format, write
from cnnspec.report.findings import Report, Result, report_of, verdict
from cnnspec.source import Source
from cnnspec.syntax.read import decode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator


_MANY = 64
"""Files from which on several processes are faster than one."""
_PROCESSES = 16


class Session:
    """One run of `check`. A path that can't be read is told at the end, and does not keep the others from being checked."""

    def __init__(self, options: Namespace) -> None:
        self.options = options
        self.configs = Configs()
        self.parameters = definitions(options.define)
        self.select = _listed(options.select, "--select")
        self.ignore = _listed(options.ignore, "--ignore")
        self.problems: list[str] = []
        self.files = list(self._files())
        self.format = self._format()
        self._stdin: bytes | None = None
        self.cache = Cache.find() if self._plain() else None

    def run(self) -> int:
        """Check, print, and give the exit code."""
        report = self.report()
        self.write(report)
        return self.exit_code(found=bool(report.diagnostics))

    def exit_code(self, *, found: bool) -> int:
        """The exit code; paths that could not be read are told."""
        sys.stdout.flush()
        for problem in self.problems:
            complain(problem)
        if self.problems:
            return USAGE
        return FINDINGS if found and not self.options.exit_zero else OK

    def _plain(self) -> bool:
        """Whether verdicts may be remembered: nothing is asked for that would change them, or shows more than them."""
        asked = self.options
        changed = asked.define or asked.input or asked.select or asked.ignore or asked.statistics
        return bool(asked.cache and not changed and self.format == "full")

    # --- what is to be checked ---

    def config(self, path: str) -> Config:
        """The settings that hold for a file."""
        if path == "-":
            path = self.options.stdin_filename or "stdin"
        return self.configs.of(path)

    def _files(self) -> Iterator[tuple[str, str | None]]:
        """The files that are named, and those of folders that no setting excludes, each with the model that is asked for."""
        for path in self.options.paths:
            found = 0
            try:
                for file, model in self._named_by(path):
                    if file == path or not os.path.isdir(path) or not self.config(file).excludes(file):
                        found += 1
                        yield file, model
                if not found:
                    self.problems.append(f"every .cnn file in {clean(path)} is excluded")
            except Unreadable as error:
                self.problems.append(str(error))

    def _named_by(self, path: str) -> Iterator[tuple[str, str | None]]:
        """What a path names; of a folder the .cnn files, and those of Python where the options or settings say so."""
        python = []
        if os.path.isdir(path) and (self.options.python or self.config(os.path.join(path, "x.py")).python):
            every = files_below(path, ".py")
            python = [file for file in every if self.options.python or self.config(file).reads_python(file)]
        try:
            yield from files_of(path)
        except Unreadable:
            if not python:
                raise
        yield from ((file, None) for file in python)

    def _format(self) -> str:
        """The format of the output: the option goes before the environment, and that before the first file's settings."""
        named = self.options.output_format or os.environ.get("CNNSPEC_OUTPUT_FORMAT")
        if not named and self.files:
            named = self.config(self.files[0][0]).output_format
        named = named or "full"
        chosen = find_format(named)
        if self.options.statistics and not chosen.counts:
            raise UsageError(f"--statistics goes with full, concise and json, not with {named}")
        return named

    def source(self, path: str, sink: Sink) -> Source:
        """The text of a file; the standard input is read once."""
        if path != "-":
            return read(path, sink)
        if self._stdin is None:
            self._stdin = read_bytes(path)
        return decode(self._stdin, self.options.stdin_filename or "<stdin>", sink)

    # --- what is found ---

    def check_on_all_cores(self) -> None:
        """Divide many files among processes, which remember those without findings; the others are checked again here.

        Nothing but the cache goes from one process to another, so that there is none without it.
        """
        cache = self.cache
        if cache is None or not hasattr(os, "fork") or len(self.files) < _MANY or "threading" in sys.modules:
            return
        unknown = [path for path, model in self.files if model is None and cache.verdict(path) is None]
        cores = min(
            len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1, _PROCESSES
        )
        if len(unknown) < _MANY or cores < 2:
            return
        children = [share for core in range(cores) if (share := self._checking(unknown[core::cores]))]
        for child in children:
            os.waitpid(child, 0)

    def _checking(self, paths: list[str]) -> int:
        """Start a process that checks some files. Its number."""
        child = os.fork()
        if child:
            return child
        try:
            for path in paths:
                self.result(path, None)
        finally:
            # Whatever went wrong goes wrong again where it can be told.
            os._exit(0)

    def report(self) -> Report:
        """What is found in all files that can be read."""
        self.check_on_all_cores()
        results = []
        for path, model in self.files:
            try:
                results.append(self.result(path, model))
            except Unreadable as error:
                if str(error) not in self.problems:
                    self.problems.append(str(error))
        return report_of(results)

    def result(self, path: str, model: str | None, source: Source | None = None) -> Result:
        """What is found in one file that is to be shown."""
        config = self.config(path)
        cache = self.cache if path.endswith(".cnn") and model is None and not config.changes_output else None
        if cache is not None and source is None and (lines := cache.verdict(path)) is not None:
            return Result(os.path.normpath(path), (), (), tuple(lines))
        sink = Sink()
        selection = Selection(self.select or config.select, self.ignore or config.ignore)
        source = source or self.source(path, sink)
        if is_python(self.options.stdin_filename or path if path == "-" else path):
            from cnnspec.cli.python import python_result

            result = python_result(self.options, source, path, model, sink, selection)
            raised = self.options.error_on_warning or config.error_on_warning
            return replace(result, diagnostics=tuple(map(_as_error, result.diagnostics))) if raised else result
        from cnnspec.pipeline import check

        shapes = input_shapes(self.options)
        if shapes and (self.options.fix or self.options.unsafe_fixes or self.options.diff):
            raise UsageError(f"fixes are for the input that {clean(path)} has itself: leave out --input")
        read: list[Source] = []
        graphs = check(
            source, sink, model=model, parameters=self.parameters, shapes=shapes, select=selection.select, fixes=True,
            read=read,
        )  # fmt: skip
        found = [one for one in sink.diagnostics if selection.shows(one.code.id)]
        if cache is not None and not found:
            cache.remember(path, [verdict(graph) for graph in graphs if graph.complete], read)
        if self.options.error_on_warning or config.error_on_warning:
            found = [_as_error(one) for one in found]
        return Result(source.path, tuple(graph for graph in graphs if graph.complete), tuple(found))

    def write(self, report: Report) -> None:
        """Print the report, or put it into the file that is named; nothing where no file could be read."""
        if self.problems and not report.results:
            return
        options = self.options
        color = not options.output_file and wants_color(options.color, sys.stdout)
        text = write(report, self.format, color=color, quiet=options.quiet, statistics=options.statistics)
        if not options.output_file:
            print_text(text, end="")
            return
        from cnnspec.files import write_atomic

        try:
            write_atomic(options.output_file, text)
        except OSError as error:
            raise UsageError(f"can't write {clean(options.output_file)}: {reason_of(error)}") from None


def is_python(path: str) -> bool:
    """Whether a file holds Python with torch, by its name."""
    return path.endswith(PYTHON)


class _Raised(Code):
    """The code of a warning that counts as an error."""

    severity = "error"


def _as_error(found: Diagnostic) -> Diagnostic:
    if found.severity == "error":
        return found
    code = found.code
    raised = _Raised(code.id, code.message, code.label, code.note, code.help)
    return Diagnostic(raised, found.facts, found.span, found.labels, found.suggestions)


def _listed(options: list[str] | None, name: str) -> tuple[str, ...]:
    """The codes of an option that may be given several times, each time with several codes."""
    codes = tuple(code.strip() for text in options or () for code in text.split(","))
    return check_codes(codes, name)
