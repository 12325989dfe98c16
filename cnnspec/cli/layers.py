"""The command `layers`: all layers, or the parameters of one."""

from __future__ import annotations

from cnnspec.cli.common import OK, Command, UsageError, print_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace


def options_of(parser: ArgumentParser) -> None:
    parser.add_argument("name", nargs="?", metavar="NAME", help="a layer")


def run(options: Namespace) -> int:
    """Print one layer, or the list of all."""
    from cnnspec import layers
    from cnnspec.backends.reference import describe, overview
    from cnnspec.diagnostics.similar_names import closest

    if options.name is None:
        print_text(overview())
        return OK
    layer = layers.find(options.name)
    if layer is None:
        near = closest(options.name, layers.names())
        raise UsageError(f"there is no layer {options.name!r}{f', did you mean {near}?' if near else ''}")
    print_text(describe(layer))
    return OK


COMMANDS = {"layers": Command("list the layers, or the parameters of one", options_of, run)}
