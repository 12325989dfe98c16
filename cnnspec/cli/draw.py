"""The command `draw`: a network as a picture."""

from __future__ import annotations

import os

from cnnspec.cli.common import FINDINGS, OK, Command, UsageError, add_color
from cnnspec.cli.graphs import add_network, the_graph

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

_FORMATS = (".svg",)


def options_of(parser: ArgumentParser) -> None:
    add_network(parser)
    parser.add_argument("-o", "--output", required=True, metavar="FILE", help="where to: a name that ends in .svg")
    parser.add_argument("--open", action="append", default=[], metavar="KEY", help="open this block, such as layer2.0")
    parser.add_argument("--scheme", choices=("auto", "light", "dark"), default="auto", help="the colours")
    add_color(parser)


def run(options: Namespace) -> int:
    """Draw the model that is asked for, or tell what is wrong."""
    from cnnspec.backends.draw.blocks import draw_blocks

    if os.path.splitext(options.output)[1] not in _FORMATS:
        raise UsageError(f"-o takes a name that ends in {' or '.join(_FORMATS)}")
    graph = the_graph(options, options.path)
    if graph is None:
        return FINDINGS
    _write(options.output, draw_blocks(graph, wanted=options.open, scheme=options.scheme))
    return OK


def _write(path: str, data: str | bytes) -> None:
    from cnnspec.diagnostics.render import clean
    from cnnspec.files import reason_of, write_atomic

    try:
        write_atomic(path, data)
    except OSError as error:
        raise UsageError(f"can't write {clean(path)}: {reason_of(error)}") from None


COMMANDS = {"draw": Command("draw a network", options_of, run)}
