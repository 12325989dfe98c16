"""The command `explain`: what a diagnostic means, why, a spec that fails and the same spec fixed."""

from __future__ import annotations

from cnnspec.cli.common import OK, Command, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace


def options_of(parser: ArgumentParser) -> None:
    parser.add_argument("code", nargs="?", metavar="CODE", help="such as E203")
    parser.add_argument("--list", action="store_true", help="list all codes")


def run(options: Namespace) -> int:
    """Print one page, or the list of all."""
    from cnnspec.diagnostics.render import clean
    from cnnspec.diagnostics.similar_names import closest
    from cnnspec.lint.catalogue import CODES
    from cnnspec.report.pages import pages, show

    found = pages()
    if options.code is None:
        for each in found.values():
            print(f"{each.code}  {each.title}")
        return OK
    page = found.get(options.code.upper())
    if page is None:
        near = closest(options.code.upper(), CODES)
        hint = f", did you mean {near}?" if near else ": `cnnspec explain --list` lists all"
        raise UsageError(f"there is no code {clean(options.code)}{hint}")
    print(show(page))
    return OK


COMMANDS = {"explain": Command("say what an error or a warning means", options_of, run)}
