"""The command `lsp`: the language server, on standard input and output."""

from __future__ import annotations

from cnnspec.cli.common import OK, Command, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace


def options_of(parser: ArgumentParser) -> None:
    # Editors' clients give this word by habit.
    parser.add_argument("--stdio", action="store_true", help="talk on standard input and output, as it always does")


def run(options: Namespace) -> int:
    """Serve one editor until it leaves."""
    try:
        from cnnspec.editor.server import build
    except ModuleNotFoundError as error:
        raise UsageError(f"lsp needs {error.name}: pip install 'cnnspec[lsp]'") from None
    build().start_io()
    return OK


COMMANDS = {
    "lsp": Command(
        "serve an editor: findings, shapes and fixes as one types",
        options_of,
        run,
        epilog="Started by editors. Needs pygls: pip install 'cnnspec[lsp]'.",
        runs_long=True,
    )
}
