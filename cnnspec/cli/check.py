"""The command `check`: its options, and which of checking, correcting and watching they ask for."""

from __future__ import annotations

from cnnspec.cli.common import Command, UsageError, add_color, add_definitions, add_input

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from typing import Any

_EPILOG = """\
Exit codes: 0 nothing found, 1 findings (warnings are findings too), 2 wrong usage, settings that can't be used, or a path
that can't be read, 101 a bug in cnnspec, 130 interrupted. Settings: [tool.cnnspec] in pyproject.toml, or cnnspec.toml, with
the keys select, ignore, exclude, output-format and error-on-warning. In a spec, `# cnnspec: ignore[W202] reason` silences a
warning."""


def options_of(parser: ArgumentParser) -> None:
    parser.add_argument(
        "paths",
        nargs="+",
        metavar="PATH",
        help="a .cnn file, file.cnn:Model, PyTorch source as model.py or 'model.py:Net(10)', a folder, or - for stdin",
    )
    parser.add_argument("-q", "--quiet", action="store_true", help="print findings only")
    _add_output(parser)
    _add_findings(parser)
    _add_fixing(parser)
    _add_python(parser)
    add_definitions(parser)
    add_input(parser)
    add_color(parser)


def _add_output(check: ArgumentParser) -> None:
    from cnnspec.report import names

    check.add_argument(
        "--output-format",
        choices=names(),
        metavar="FORMAT",
        help=f"{', '.join(names())}; by default $CNNSPEC_OUTPUT_FORMAT, the setting, or full",
    )
    check.add_argument("--output-file", metavar="FILE", help="write there instead of to the standard output")
    check.add_argument("--statistics", action="store_true", help="count findings by code (full, concise, json)")
    check.add_argument(
        "--no-cache", dest="cache", action="store_false", help="look at every file, and remember none of them"
    )
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


def _add_python(check: ArgumentParser) -> None:
    group = check.add_argument_group("PyTorch source")
    group.add_argument("--strict", action="store_true", help="a module that can't be followed to its end is a finding")
    group.add_argument("--python", action="store_true", help="search folders for .py files, too")


class _Plain:
    """The options of a check that is given none: what the parser would give, without the parser.

    Importing and filling an argument parser takes longer than checking a network.
    """

    cache = True
    quiet = statistics = watch = error_on_warning = exit_zero = fix = unsafe_fixes = diff = strict = python = False
    output_format = output_file = stdin_filename = select = ignore = input = None
    mode = None
    color = "auto"

    def __init__(self, paths: list[str]) -> None:
        self.paths = paths
        self.define: list[str] = []


def plain_options(words: list[str]) -> Namespace | None:
    """The options where all words are paths; None where a parser has to read them."""
    if not words or any(word.startswith("-") and word != "-" for word in words):
        return None
    options: Any = _Plain(words)
    return options  # type: ignore[no-any-return]


def run(options: Namespace) -> int:
    """Run the command and give its exit code."""
    if options.output_file and (options.watch or options.diff):
        raise UsageError("--output-file can't be combined with --watch or --diff")
    if options.watch and ("-" in options.paths or options.fix or options.unsafe_fixes or options.diff):
        raise UsageError("--watch can't be combined with - or with fixes")
    from cnnspec.cli.session import Session

    if options.watch:
        from cnnspec.cli.watch import watch

        return watch(lambda: Session(options))
    session = Session(options)
    if options.fix or options.unsafe_fixes or options.diff:
        from cnnspec.cli.fix import fix

        return fix(session)
    return session.run()


COMMANDS = {"check": Command("say whether networks fit together", options_of, run, _EPILOG, plain=plain_options)}
