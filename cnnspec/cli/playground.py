"""The command `playground`: a page in the browser that checks as one types."""

from __future__ import annotations

from cnnspec.cli.common import OK, Command, UsageError, print_text, read

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace


def options_of(parser: ArgumentParser) -> None:
    parser.add_argument("file", nargs="?", metavar="FILE|LINK", help="a .cnn file, or a shared link, to begin with")
    parser.add_argument("--port", type=int, default=0, metavar="N", help="the port; a free one where it is left out")
    parser.add_argument("--no-browser", action="store_true", help="print the address and open nothing")


def run(options: Namespace) -> int:
    """Serve until Ctrl-C."""
    import os

    from cnnspec.diagnostics import Sink
    from cnnspec.editor.playground.links import MARK, text_of_link
    from cnnspec.editor.playground.serve import Playground

    if not 0 <= options.port < 65536:
        raise UsageError(f"--port takes a number up to 65535, not {options.port}")
    given = options.file or ""
    if MARK in given:
        text, path = text_of_link(given), "playground.cnn"
    else:
        text = read(given, Sink()).text if given else ""
        path = os.path.normpath(given) if given else "playground.cnn"
    try:
        server = Playground(text, path, options.port)
    except OSError as error:
        raise UsageError(f"can't listen on port {options.port}: {error.strerror}") from None
    print_text(f"open {server.address}\nCtrl-C ends it; nothing is written, nothing leaves this machine")
    if not options.no_browser:
        import webbrowser

        webbrowser.open(server.address)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        server.server_close()
    return OK


COMMANDS = {"playground": Command("a page that checks as one types, with lessons", options_of, run, runs_long=True)}
