"""The command line: parse the arguments, call, render. Sub-commands import what they need when they run.

Exit codes: 0 nothing found, 1 findings, 2 wrong usage or a path that can't be read, 101 a bug of ours.
"""

from __future__ import annotations

import os
import sys

from cnnspec._version import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Iterator
    from typing import Any, TextIO

    from cnnspec.compiler.graph import Graph
    from cnnspec.diagnostics import Sink
    from cnnspec.syntax.source import Source

OK, FINDINGS, USAGE, BUG = 0, 1, 2, 101


class UsageError(Exception):
    """Wrong usage: the message is for the user."""


def entry() -> None:
    """The `cnnspec` command."""
    import gc

    # A run ends before garbage would matter, and walking the tree for it costs a fifth of the time.
    gc.disable()
    sys.exit(main())


def main(arguments: list[str] | None = None) -> int:
    """Run one command and give its exit code."""
    parser = _parser()
    try:
        options, rest = parser.parse_known_args(arguments)
        options.rest = rest
        if rest and not getattr(options, "takes_settings", False):
            parser.error(f"unrecognized arguments: {' '.join(rest)}")
        if not hasattr(options, "run"):
            parser.print_help()
            return USAGE
        code: int = options.run(options)
        sys.stdout.flush()
        return code
    except UsageError as error:
        print(f"cnnspec: {error}", file=sys.stderr)
        return USAGE
    except BrokenPipeError:
        # The reader has gone, as `head` does; nothing may be written at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except KeyboardInterrupt:
        return 130
    except Exception as error:
        told = _of_training(error)
        if told is None:
            _report_bug(error)
        return BUG if told is None else told


def _of_training(error: Exception) -> int | None:
    """The exit code of what went wrong in a run by the user's doing, which is told; None for anything else."""
    if "cnnspec.train.errors" not in sys.modules:
        return None
    from cnnspec.train.errors import DeviceError, TrainError

    if not isinstance(error, TrainError):
        return None
    print(f"cnnspec: {error}", file=sys.stderr)
    return USAGE if isinstance(error, DeviceError) or type(error).__name__ == "MissingData" else FINDINGS


def _report_bug(error: Exception) -> None:
    import platform
    import traceback

    print(
        f"This is a bug in cnnspec, sorry: your spec is not to blame, whatever it says.\n"
        f"Please report it at the project's issue tracker with the command, the spec and these lines:\n\n"
        f"cnnspec {__version__}, Python {platform.python_version()}, {platform.system()}\n"
        f"{''.join(traceback.format_exception(error))}",
        file=sys.stderr,
    )


def _parser() -> ArgumentParser:
    from argparse import ArgumentParser

    parser = ArgumentParser(prog="cnnspec", description="Check convolutional networks that are written as text.")
    parser.add_argument("--version", action="version", version=f"cnnspec {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="")

    check = commands.add_parser("check", help="say whether networks fit together")
    check.add_argument("paths", nargs="+", metavar="PATH", help="a .cnn file, file.cnn:Model, a folder, or - for stdin")
    check.add_argument("-q", "--quiet", action="store_true", help="print findings only")
    check.set_defaults(run=_check)
    _add_common(check)

    summary = commands.add_parser("summary", help="list layers, output shapes and parameters")
    summary.add_argument("path", metavar="FILE[:MODEL]", help="a .cnn file, file.cnn:Model, or - for stdin")
    summary.set_defaults(run=_summary)
    _add_common(summary)

    layers = commands.add_parser("layers", help="list the layers, or the parameters of one")
    layers.add_argument("name", nargs="?", metavar="NAME", help="a layer")
    layers.set_defaults(run=_layers)

    from cnnspec.cli_train import add_commands

    add_commands(commands)
    return parser


def _add_common(parser: ArgumentParser) -> None:
    parser.add_argument(
        "-D", dest="define", action="append", default=[], metavar="NAME=VALUE", help="set a parameter of the model"
    )
    parser.add_argument("--color", choices=("auto", "always", "never"), default="auto", help="colour the output")


def _wants_color(choice: str, stream: TextIO) -> bool:
    if choice != "auto":
        return choice == "always"
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or (stream.isatty() and os.environ.get("TERM") != "dumb")


def _print(text: str) -> None:
    """Print, with `?` for what the terminal's encoding lacks."""
    encoding = sys.stdout.encoding or "utf-8"
    print(text.encode(encoding, "replace").decode(encoding))


# --- what is to be read ---


def _files(paths: list[str]) -> Iterator[tuple[str, str | None]]:
    """The files that are named, those in named folders among them, each with the model that is asked for."""
    from cnnspec.spec import split_model

    for path in paths:
        if path == "-" or not os.path.isdir(path):
            yield split_model(path)
            continue
        found = False
        for folder, folders, names in os.walk(path):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(names):
                if name.endswith(".cnn"):
                    found = True
                    yield os.path.join(folder, name), None
        if not found:
            raise UsageError(f"there is no .cnn file in {path}")


def read(path: str, sink: Sink) -> Source:
    from cnnspec.diagnostics.render import clean
    from cnnspec.limits import LIMITS
    from cnnspec.syntax.source import decode, read_source

    if path == "-":
        return decode(sys.stdin.buffer.read(LIMITS.file_bytes + 1), "<stdin>", sink)
    try:
        return read_source(path, sink)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"can't read {clean(path)}: {reason.lower()}") from None


def definitions(texts: list[str]) -> dict[str, Any]:
    """The values given with -D, as expressions of the language."""
    from cnnspec.diagnostics import Sink
    from cnnspec.diagnostics.render import render_all
    from cnnspec.syntax.parser import parse_expression
    from cnnspec.syntax.source import Source

    found: dict[str, Any] = {}
    for text in texts:
        name, separator, value = text.partition("=")
        if not separator or not name.isidentifier():
            raise UsageError(f"-D takes NAME=VALUE, not {text!r}")
        sink = Sink()
        found[name] = parse_expression(Source(f"-D {name}", value), sink)
        if sink.has_errors:
            raise UsageError(f"-D {name}: the value can't be read\n{render_all(sink.diagnostics)}")
    return found


# --- commands ---


def _check(options: Namespace) -> int:
    from cnnspec.diagnostics import Sink
    from cnnspec.diagnostics.render import render_all
    from cnnspec.pipeline import check

    color = _wants_color(options.color, sys.stdout)
    parameters = definitions(options.define)
    files = errors = warnings = 0
    for path, model in _files(options.paths):
        sink = Sink()
        graphs = check(read(path, sink), sink, model=model, parameters=parameters)
        found = sink.diagnostics
        files += 1
        errors += sum(diagnostic.severity == "error" for diagnostic in found)
        warnings += sum(diagnostic.severity == "warning" for diagnostic in found)
        if found:
            _print(render_all(found, color=color) + "\n")
        if not options.quiet:
            for graph in graphs:
                if graph.complete:
                    _print(_verdict(graph))
    if not options.quiet or errors or warnings:
        _print(_total(files, errors, warnings))
    return FINDINGS if errors or warnings else OK


def _verdict(graph: Graph) -> str:
    from cnnspec.compiler.values import show_shape
    from cnnspec.diagnostics.render import clean

    shapes = f"{show_shape(graph.input or ())} -> {show_shape(graph.output or ())}"
    return f"{clean(graph.source.path)}: {graph.name}  {shapes}  {graph.parameters:,} parameters"


def _total(files: int, errors: int, warnings: int) -> str:
    parts = [_count(number, noun) for number, noun in ((errors, "error"), (warnings, "warning")) if number]
    return f"{_count(files, 'file')} checked: {' and '.join(parts) or 'no problems'}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _summary(options: Namespace) -> int:
    from cnnspec.backends.summary import summarize
    from cnnspec.diagnostics import Sink
    from cnnspec.diagnostics.render import render_all
    from cnnspec.pipeline import check

    (path, model) = next(_files([options.path]))
    sink = Sink()
    graphs = check(read(path, sink), sink, model=model, parameters=definitions(options.define))
    if sink.has_errors:
        color = _wants_color(options.color, sys.stderr)
        print(render_all(sink.diagnostics, color=color), file=sys.stderr)
        return FINDINGS
    color = _wants_color(options.color, sys.stdout)
    _print("\n\n".join(summarize(graph, color=color) for graph in graphs))
    return OK


def _layers(options: Namespace) -> int:
    from cnnspec import layers
    from cnnspec.backends.reference import describe, overview
    from cnnspec.diagnostics.suggest import closest

    if options.name is None:
        _print(overview())
        return OK
    layer = layers.find(options.name)
    if layer is None:
        near = closest(options.name, layers.names())
        hint = f", did you mean {near}?" if near else ""
        raise UsageError(f"there is no layer {options.name!r}{hint}")
    _print(describe(layer))
    return OK
