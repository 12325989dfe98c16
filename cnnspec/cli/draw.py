"""The command `draw`: a network as a picture, also one with mistakes."""

from __future__ import annotations

from cnnspec.cli.common import FINDINGS, OK, Command, add_color, print_text, write_result
from cnnspec.cli.graphs import add_network, only_graph, print_errors

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

_STYLES = ("blocks", "stack")


def options_of(parser: ArgumentParser) -> None:
    add_network(parser)
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        help="a name that ends in .svg, .png, .mmd or .txt; without it, text is printed",
    )
    parser.add_argument("--style", choices=_STYLES, default="", help="values as volumes, or layers as boxes")
    parser.add_argument("--depth", type=int, metavar="N", help="open all blocks that are less deep than N")
    parser.add_argument("--open", action="append", default=[], metavar="KEY", help="open this block, such as layer2.0")
    parser.add_argument("--only", default="", metavar="KEY", help="draw this module alone")
    parser.add_argument(
        "--scheme", choices=("auto", "light", "dark"), default="auto", help="the colours, by default the viewer's"
    )
    add_color(parser)


def run(options: Namespace) -> int:
    """Draw the model that is asked for; what is wrong with it is marked, and told as `check` does."""
    from cnnspec.backends.draw.errors import errors_of
    from cnnspec.backends.draw.picture import draw, form_of
    from cnnspec.diagnostics import Sink

    form = form_of(options.output) if options.output else "txt"
    graph = only_graph(options, options.path, sink := Sink(), fixes=True)
    if sink.has_errors:
        print_errors(options, sink)
    if graph is None:
        return FINDINGS
    data = draw(
        graph, form, style=options.style, depth=options.depth, wanted=options.open, only=options.only,
        scheme=options.scheme, errors=errors_of(graph, sink.diagnostics),
    )  # fmt: skip
    if options.output is None:
        print_text(str(data), end="")
    else:
        write_result(options.output, data)
    return FINDINGS if sink.has_errors else OK


COMMANDS = {"draw": Command("draw a network, as a picture or as text", options_of, run)}
