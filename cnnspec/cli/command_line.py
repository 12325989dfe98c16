"""The parsers of commands. What is misspelt is told with what was meant."""

from __future__ import annotations

from argparse import ArgumentParser, HelpFormatter

from cnnspec._version import __version__
from cnnspec.cli.common import terminal_size
from cnnspec.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterable, Mapping, Sequence
    from typing import NoReturn

    from cnnspec.cli.common import Command


class Parser(ArgumentParser):
    """An argument parser whose mistakes are ours to tell."""

    def _get_formatter(self) -> HelpFormatter:
        # Every option is shown to a formatter, which would import shutil, with all it compresses, to measure the terminal.
        return self.formatter_class(prog=self.prog, width=terminal_size()[0] - 2)  # type: ignore[call-arg]

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}\n`{self.prog} --help` says what it takes")


class _Listing(HelpFormatter):
    """The list of commands, each on one line with what it does."""

    def __init__(self, prog: str, width: int | None = None) -> None:
        super().__init__(prog, width=width)
        self._action_max_length = 14


def whole_parser(commands: Mapping[str, Command]) -> Parser:
    """The parser of all commands, for the list of them and for completion."""
    parser = Parser(
        prog="cnnspec",
        description="Check convolutional networks that are written as text.",
        epilog="`cnnspec COMMAND --help` says what a command takes. New here: `cnnspec init`, `cnnspec playground`.",
        formatter_class=_Listing,
    )
    parser.add_argument("--version", action="version", version=f"cnnspec {__version__}")
    listed = parser.add_subparsers(title="commands", metavar="COMMAND")
    for name, command in commands.items():
        command.add_options(listed.add_parser(name, help=command.help, epilog=command.epilog or None))
    return parser


def parse(name: str, command: Command, words: Sequence[str]) -> Namespace:
    """The options of one command. Words that are no option are in `rest` where the command takes settings."""
    parser = Parser(prog=f"cnnspec {name}", epilog=command.epilog or None)
    command.add_options(parser)
    options, rest = parser.parse_known_args(words)
    options.rest = rest
    if rest and not command.takes_settings:
        wrong = next((word for word in rest if word.startswith("-")), rest[0])
        parser.error(_unknown(wrong, parser._option_string_actions))
    return options


def _unknown(word: str, known: Iterable[str]) -> str:
    if not word.startswith("-"):
        return f"{word!r} is one argument too many"
    name = word.partition("=")[0]
    return f"there is no option {name}{meant(name, known)}"


def meant(name: str, known: Iterable[str]) -> str:
    """`, did you mean NAME?` where a known name is near."""
    from cnnspec.diagnostics.similar_names import closest

    near = closest(name, known)
    return f", did you mean {near}?" if near else ""
