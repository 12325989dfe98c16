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

    from cnnspec.diagnostics import Sink
    from cnnspec.source import Source

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
    parser = build_parser()
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
    if "cnnspec.errors" not in sys.modules:
        return None
    from cnnspec.errors import DeviceError, TrainError

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


def build_parser() -> ArgumentParser:
    from argparse import ArgumentParser

    parser = ArgumentParser(prog="cnnspec", description="Check convolutional networks that are written as text.")
    parser.add_argument("--version", action="version", version=f"cnnspec {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="")
    from cnnspec.cli import check as cli_check
    from cnnspec.cli import completion
    from cnnspec.cli import explain as cli_explain
    from cnnspec.cli import fmt as cli_fmt
    from cnnspec.cli import train as cli_train

    cli_check.add_command(commands)
    summary = commands.add_parser("summary", help="list layers, output shapes and parameters")
    summary.add_argument("path", metavar="FILE[:MODEL]", help="a .cnn file, file.cnn:Model, or - for stdin")
    summary.set_defaults(run=_summary)
    add_common(summary)
    cli_fmt.add_command(commands)
    cli_explain.add_command(commands)
    layers = commands.add_parser("layers", help="list the layers, or the parameters of one")
    layers.add_argument("name", nargs="?", metavar="NAME", help="a layer")
    layers.set_defaults(run=_layers)
    cli_train.add_commands(commands)
    completion.add_command(commands)
    return parser


def add_common(parser: ArgumentParser) -> None:
    parser.add_argument(
        "-D", dest="define", action="append", default=[], metavar="NAME=VALUE", help="set a parameter of the model"
    )
    parser.add_argument("--color", choices=("auto", "always", "never"), default="auto", help="colour the output")


def wants_color(choice: str, stream: TextIO) -> bool:
    if choice != "auto":
        return choice == "always"
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or (stream.isatty() and os.environ.get("TERM") != "dumb")


def print_text(text: str, end: str = "\n") -> None:
    """Print, with `?` for what the terminal's encoding lacks."""
    encoding = sys.stdout.encoding or "utf-8"
    print(text.encode(encoding, "replace").decode(encoding), end=end)


# --- what is to be read ---


def files_of(path: str) -> Iterator[tuple[str, str | None]]:
    """The file that a path names, or those in the folder that it names, each with the model that is asked for."""
    from cnnspec.spec import split_model

    if path == "-" or not os.path.isdir(path):
        yield split_model(path)
        return
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
    from cnnspec.syntax.read import decode, read_source

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
    from cnnspec.source import Source
    from cnnspec.syntax.parser import parse_expression

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


def _summary(options: Namespace) -> int:
    from cnnspec.backends.summary import summarize
    from cnnspec.diagnostics import Sink
    from cnnspec.diagnostics.render import render_all
    from cnnspec.pipeline import check

    (path, model) = next(files_of(options.path))
    sink = Sink()
    graphs = check(read(path, sink), sink, model=model, parameters=definitions(options.define))
    if sink.has_errors:
        color = wants_color(options.color, sys.stderr)
        print(render_all(sink.diagnostics, color=color), file=sys.stderr)
        return FINDINGS
    color = wants_color(options.color, sys.stdout)
    print_text("\n\n".join(summarize(graph, color=color) for graph in graphs))
    return OK


def _layers(options: Namespace) -> int:
    from cnnspec import layers
    from cnnspec.backends.reference import describe, overview
    from cnnspec.diagnostics.suggest import closest

    if options.name is None:
        print_text(overview())
        return OK
    layer = layers.find(options.name)
    if layer is None:
        near = closest(options.name, layers.names())
        hint = f", did you mean {near}?" if near else ""
        raise UsageError(f"there is no layer {options.name!r}{hint}")
    print_text(describe(layer))
    return OK
