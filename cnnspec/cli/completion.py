"""The command `completion`: a script that completes commands, options and files in a shell, without starting Python."""

from __future__ import annotations

from cnnspec.cli.common import OK, Command, UsageError, print_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

SHELLS = ("bash", "zsh", "fish", "tcsh")
_FILES = ("FILE", "PATH", "RUN", "IMAGE")
_FOLDERS = ("FOLDER",)


def options_of(parser: ArgumentParser) -> None:
    parser.add_argument("shell", choices=SHELLS, help="the shell")


def run(options: Namespace) -> int:
    """Print the script for the parser that is handed over."""
    try:
        import shtab
    except ModuleNotFoundError:
        raise UsageError("completion needs shtab: pip install 'cnnspec[completion]'") from None
    parser = options.build_parser()
    _complete_files(parser, shtab)
    print_text(shtab.complete(parser, options.shell))
    return OK


def _complete_files(parser: ArgumentParser, shtab: object) -> None:
    """Let arguments that are called a file or a folder complete as one."""
    for action in parser._actions:
        kind = str(action.metavar or "")
        if kind.startswith(_FILES):
            action.complete = shtab.FILE  # type: ignore[attr-defined]
        elif kind.startswith(_FOLDERS):
            action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]
        if action.dest != "help" and isinstance(action.choices, dict):
            for inner in action.choices.values():
                _complete_files(inner, shtab)


COMMANDS = {
    "completion": Command(
        "print a script for completion in a shell",
        options_of,
        run,
        epilog="For bash: eval \"$(cnnspec completion bash)\". Needs shtab: pip install 'cnnspec[completion]'.",
    )
}
