"""The command line: which commands there are, and how a run of one ends. A command is imported when it runs."""

import os
import sys

from cnnspec.cli.cache import recall

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace

    from cnnspec.cli.command_line import Parser
    from cnnspec.cli.common import Command

COMMANDS = {
    "init": "init",
    "check": "check",
    "summary": "summary",
    "draw": "draw",
    "report": "report",
    "playground": "playground",
    "fmt": "fmt",
    "explain": "explain",
    "sizes": "sizes",
    "memory": "memory",
    "layers": "layers",
    "export": "export",
    "import": "import_source",
    "weights": "weights",
    "diff": "diff",
    "digest": "diff",
    "data": "data",
    "train": "train",
    "sweep": "sweep",
    "evaluate": "evaluate",
    "predict": "evaluate",
    "lsp": "lsp",
    "completion": "completion",
}
"""The commands, in the order in which they are listed, and the files that hold them."""


def entry() -> None:
    """The `cnnspec` command."""
    code = main()
    if sys.modules.keys().isdisjoint(_CLEAN_UP) or os.environ.get("WORLD_SIZE", "1") != "1":
        # Taking the interpreter apart takes a fifth of a check, and nothing waits for it. Among several processes, threads
        # of torch's gloo that still run would abort it.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


_CLEAN_UP = ("atexit", "threading", "multiprocessing", "torch")
"""Modules that have something to do when the interpreter ends."""


def main(arguments: list[str] | None = None) -> int:
    """Run one command and give its exit code."""
    words = sys.argv[1:] if arguments is None else arguments
    try:
        known = recall(words)
        if known is None:
            code = _run(words)
        else:
            code = 0
            sys.stdout.write(known)
        # A server has closed what it spoke on.
        if not sys.stdout.closed:
            sys.stdout.flush()
        return code
    except BrokenPipeError:
        # The reader has gone, as `head` does; nothing may be written at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (Exception, KeyboardInterrupt) as error:
        return _failed(error)


def _failed(error: BaseException) -> int:
    from cnnspec.cli.common import BUG, INTERRUPTED, complain
    from cnnspec.errors import CnnspecError

    if isinstance(error, CnnspecError):
        complain(error)
        return error.exit_code
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED
    _report_bug(error)
    return BUG


def _run(words: list[str]) -> int:
    """Find the command and run it."""
    from cnnspec.cli.common import USAGE
    from cnnspec.errors import UsageError

    if not words or words[0].startswith("-"):
        parser = build_parser()
        if words:
            # Prints and ends here, or tells what is wrong.
            parser.parse_args(words)
        parser.print_help()
        return USAGE
    name, *rest = words
    if name not in COMMANDS:
        raise UsageError(_no_command(name))
    command = find_command(name)
    options = command.plain(rest) if command.plain else None
    if options is None:
        from cnnspec.cli.command_line import parse

        options = parse(name, command, rest)
    options.build_parser = build_parser
    return command.run(options) if command.runs_long else _briefly(command, options)


def _briefly(command: "Command", options: "Namespace") -> int:
    """Run a command without looking for garbage: walking the tree for it costs a fifth of the time."""
    import gc

    before = gc.isenabled()
    gc.disable()
    try:
        return command.run(options)
    finally:
        if before:
            gc.enable()


def find_command(name: str) -> "Command":
    """A command, from its file."""
    from cnnspec.resources import load

    found: "Command" = load(f"cnnspec.cli.{COMMANDS[name]}").COMMANDS[name]
    return found


def build_parser() -> "Parser":
    """The parser of all commands."""
    from cnnspec.cli.command_line import whole_parser

    return whole_parser({name: find_command(name) for name in COMMANDS})


def _no_command(name: str) -> str:
    from cnnspec.cli.command_line import meant
    from cnnspec.diagnostics.render import clean

    if near := meant(name, COMMANDS):
        return f"there is no command {clean(name)!r}{near}"
    if os.path.exists(name) or ".cnn" in name:
        return f"there is no command {clean(name)!r}, did you mean `cnnspec check {clean(name)}`?"
    return f"there is no command {clean(name)!r}: there is {', '.join(COMMANDS)}"


def _report_bug(error: BaseException) -> None:
    import platform
    import traceback

    from cnnspec._version import __version__

    print(
        f"This is a bug in cnnspec, sorry: your spec is not to blame, whatever it says.\n"
        f"Please report it at the project's issue tracker with the command, the spec and these lines:\n\n"
        f"cnnspec {__version__}, Python {platform.python_version()}, {platform.system()}\n"
        f"{''.join(traceback.format_exception(error))}",
        file=sys.stderr,
    )
