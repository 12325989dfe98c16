"""The command `report`: a network as a page, in one file that opens in any browser."""

from __future__ import annotations

from cnnspec.cli.common import FINDINGS, OK, Command, add_color, write_result
from cnnspec.cli.graphs import add_network, only_graph, print_errors

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace


def options_of(parser: ArgumentParser) -> None:
    add_network(parser)
    parser.add_argument("-o", "--output", required=True, metavar="FILE", help="where to, such as report.html")
    add_color(parser)


def run(options: Namespace) -> int:
    """Write the page of the model that is asked for, also of one with mistakes."""
    from cnnspec.backends.page.page import page
    from cnnspec.diagnostics import Sink
    from cnnspec.report.pages import shown_of

    graph = only_graph(options, options.path, sink := Sink(), fixes=True)
    if sink.has_errors:
        print_errors(options, sink)
    if graph is None:
        return FINDINGS
    write_result(options.output, page(graph, sink.diagnostics, explained=shown_of(sink.diagnostics)))
    return FINDINGS if sink.has_errors else OK


COMMANDS = {"report": Command("write a page with source, picture, arithmetic and costs", options_of, run)}
