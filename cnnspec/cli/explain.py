"""`cnnspec explain CODE`: what a diagnostic means, why, a spec that fails and the same spec fixed."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import Namespace, _SubParsersAction
    from typing import Any

OK, USAGE = 0, 2


def add_command(commands: _SubParsersAction[Any]) -> None:
    """Add the command to the parser of the command line."""
    explain = commands.add_parser("explain", help="say what an error or a warning means")
    explain.add_argument("code", nargs="?", metavar="CODE", help="such as E203")
    explain.add_argument("--list", action="store_true", help="list all codes")
    explain.set_defaults(run=run)


def run(options: Namespace) -> int:
    """Print one page, or the list of all."""
    import sys

    from cnnspec.diagnostics.codes import CODES
    from cnnspec.diagnostics.pages import pages, show
    from cnnspec.diagnostics.render import clean
    from cnnspec.diagnostics.suggest import closest

    found = pages()
    if options.code is None:
        for each in found.values():
            print(f"{each.code}  {each.title}")
        return OK
    page = found.get(options.code.upper())
    if page is None:
        near = closest(options.code.upper(), CODES)
        hint = f", did you mean {near}?" if near else ": `cnnspec explain --list` lists all"
        print(f"cnnspec: there is no code {clean(options.code)}{hint}", file=sys.stderr)
        return USAGE
    print(show(page))
    return OK
