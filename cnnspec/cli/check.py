"""The command `check`: which files, which findings of theirs, in which format, where to; and what is corrected in them."""

from __future__ import annotations

import os
import sys

from cnnspec.cli.config import Config, ConfigError, Configs, Selection, check_codes
from cnnspec.diagnostics import Code, Diagnostic, Sink
from cnnspec.diagnostics.render import clean
from cnnspec.report import NAMES, Report, Result, write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace, _SubParsersAction
    from collections.abc import Iterator

    from cnnspec.source import Source

_EPILOG = """\
Exit codes: 0 nothing found, 1 findings (warnings are findings too), 2 wrong usage, settings that can't be used, or a path
that can't be read, 101 a bug in cnnspec. Settings: [tool.cnnspec] in pyproject.toml, or cnnspec.toml, with the keys select,
ignore, exclude, output-format and error-on-warning. In a spec, `# cnnspec: ignore[W202] reason` silences a warning."""


def add_command(commands: _SubParsersAction[ArgumentParser]) -> None:
    """Declare the command and its options."""
    from cnnspec.cli.main import add_common

    check = commands.add_parser("check", help="say whether networks fit together", epilog=_EPILOG)
    check.add_argument("paths", nargs="+", metavar="PATH", help="a .cnn file, file.cnn:Model, a folder, or - for stdin")
    check.add_argument("-q", "--quiet", action="store_true", help="print findings only")
    _add_output(check)
    _add_findings(check)
    _add_fixing(check)
    check.set_defaults(run=run)
    add_common(check)


def _add_output(check: ArgumentParser) -> None:
    check.add_argument(
        "--output-format",
        choices=NAMES,
        metavar="FORMAT",
        help=f"{', '.join(NAMES)}; by default $CNNSPEC_OUTPUT_FORMAT, the setting, or full",
    )
    check.add_argument("--output-file", metavar="FILE", help="write there instead of to the standard output")
    check.add_argument("--statistics", action="store_true", help="count findings by code (full, concise, json)")
    check.add_argument("--watch", action="store_true", help="check again whenever a file changes, until Ctrl-C")
    check.add_argument(
        "--stdin-filename", metavar="FILE", help="the name of what comes from -, for imports and settings"
    )


def _add_findings(check: ArgumentParser) -> None:
    check.add_argument(
        "--select",
        action="append",
        metavar="CODES",
        help="show these codes only, by their first signs: W2,E203; also turns on warnings that are off by default",
    )
    check.add_argument(
        "--ignore",
        action="append",
        metavar="CODES",
        help="don't show these; an error that is not shown still keeps its network from compiling",
    )
    check.add_argument("--error-on-warning", action="store_true", help="warnings are shown and counted as errors")
    check.add_argument("--exit-zero", action="store_true", help="exit with 0 whatever is found")


def _add_fixing(check: ArgumentParser) -> None:
    check.add_argument("--fix", action="store_true", help="correct what can mean one thing only, and report the rest")
    check.add_argument(
        "--unsafe-fixes", action="store_true", help="as --fix, and apply the first computed fix of every other error"
    )
    check.add_argument("--diff", action="store_true", help="show what the fixes would change, and change nothing")


def run(options: Namespace) -> int:
    """Run the command and give its exit code."""
    from cnnspec.cli.main import UsageError

    if options.output_file and (options.watch or options.diff):
        raise UsageError("--output-file can't be combined with --watch or --diff")
    if options.watch and ("-" in options.paths or options.fix or options.unsafe_fixes or options.diff):
        raise UsageError("--watch can't be combined with - or with fixes")
    if options.watch:
        from cnnspec.cli.watch import watch

        return watch(lambda: Check(options))
    return Check(options).run()


class Check:
    """One run of the command."""

    def __init__(self, options: Namespace) -> None:
        from cnnspec.cli.main import definitions

        self.options = options
        self.configs = Configs()
        self.parameters = definitions(options.define)
        self.select = _listed(options.select, "--select")
        self.ignore = _listed(options.ignore, "--ignore")
        self.files = list(self._files())
        self.format = self._format()
        self._stdin: bytes | None = None

    def run(self) -> int:
        from cnnspec.cli.main import FINDINGS, OK

        if self.options.fix or self.options.unsafe_fixes or self.options.diff:
            from cnnspec.cli.fix import fix

            return fix(self)
        report = self.report()
        self.write(report)
        return FINDINGS if report.diagnostics and not self.options.exit_zero else OK

    # --- what is to be checked ---

    def config(self, path: str) -> Config:
        from cnnspec.cli.main import UsageError

        if path == "-":
            path = self.options.stdin_filename or "stdin"
        try:
            return self.configs.of(path)
        except ConfigError as error:
            raise UsageError(clean(str(error))) from None

    def _files(self) -> Iterator[tuple[str, str | None]]:
        """The files that are named, and those of folders that no setting excludes, each with the model that is asked for."""
        from cnnspec.cli.main import UsageError, files_of

        for path in self.options.paths:
            found = [(file, model) for file, model in files_of(path) if file == path or self._is_wanted(file, path)]
            if not found:
                raise UsageError(f"every .cnn file in {path} is excluded")
            yield from found

    def _is_wanted(self, file: str, path: str) -> bool:
        return not os.path.isdir(path) or not self.config(file).excludes(file)

    def _format(self) -> str:
        """The format of the output: the option goes before the environment, and that before the first file's settings."""
        from cnnspec.cli.main import UsageError

        config = self.config(self.files[0][0])
        named = self.options.output_format or os.environ.get("CNNSPEC_OUTPUT_FORMAT") or config.output_format or "full"
        if named not in NAMES:
            raise UsageError(f"there is no output format {named!r}: there is {', '.join(NAMES)}")
        if self.options.statistics and named not in ("full", "concise", "json"):
            raise UsageError(f"--statistics goes with full, concise and json, not with {named}")
        return named

    def source(self, path: str, sink: Sink) -> Source:
        from cnnspec.cli.main import read
        from cnnspec.limits import LIMITS
        from cnnspec.syntax.read import decode

        if path != "-":
            return read(path, sink)
        if self._stdin is None:
            self._stdin = sys.stdin.buffer.read(LIMITS.file_bytes + 1)
        return decode(self._stdin, self.options.stdin_filename or "<stdin>", sink)

    # --- what is found ---

    def report(self) -> Report:
        return Report(tuple(self.result(path, model) for path, model in self.files))

    def result(self, path: str, model: str | None, source: Source | None = None) -> Result:
        """What is found in one file that is to be shown."""
        from cnnspec.pipeline import check

        sink = Sink()
        config = self.config(path)
        selection = Selection(self.select or config.select, self.ignore or config.ignore)
        source = source or self.source(path, sink)
        graphs = check(source, sink, model=model, parameters=self.parameters, select=selection.select, fixes=True)
        found = [one for one in sink.diagnostics if selection.shows(one.code.id)]
        if self.options.error_on_warning or config.error_on_warning:
            found = [_as_error(one) for one in found]
        return Result(source.path, tuple(graph for graph in graphs if graph.complete), tuple(found))

    def write(self, report: Report) -> None:
        from cnnspec.cli.main import UsageError, print_text, wants_color

        options = self.options
        color = not options.output_file and wants_color(options.color, sys.stdout)
        text = write(report, self.format, color=color, quiet=options.quiet, statistics=options.statistics)
        if not options.output_file:
            print_text(text, end="")
            return
        from pathlib import Path

        from cnnspec.files import write_atomic

        try:
            write_atomic(Path(options.output_file), text)
        except OSError as error:
            raise UsageError(f"can't write {options.output_file}: {(error.strerror or str(error)).lower()}") from None


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
    from cnnspec.cli.main import UsageError

    codes = tuple(code.strip() for text in options or () for code in text.split(","))
    try:
        return check_codes(codes, name)
    except ConfigError as error:
        raise UsageError(str(error)) from None
