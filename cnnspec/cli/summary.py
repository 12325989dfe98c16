"""The command `summary`: the layers of a network, their output shapes and parameters, as a table."""

from __future__ import annotations

import sys

from cnnspec.cli.common import FINDINGS, OK, Command, add_color, print_text, wants_color
from cnnspec.cli.graphs import add_network, graphs_or_findings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace


def options_of(parser: ArgumentParser) -> None:
    add_network(parser)
    add_color(parser)


def run(options: Namespace) -> int:
    """Print the table of every model that is asked for, or what is wrong."""
    from cnnspec.backends.summary_text import Options, summarize

    graphs = graphs_or_findings(options, options.path)
    if graphs is None:
        return FINDINGS
    color = wants_color(options.color, sys.stdout)
    print_text("\n\n".join(summarize(graph, Options(color=color)) for graph in graphs))
    return OK


COMMANDS = {"summary": Command("list layers, output shapes and parameters", options_of, run)}
