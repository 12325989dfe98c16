"""The command `draw`: a network as a picture."""

from __future__ import annotations

import os
import sys

from cnnspec.cli.common import (
    FINDINGS,
    OK,
    Command,
    UsageError,
    add_color,
    add_definitions,
    definitions,
    files_of,
    read,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

_FORMATS = (".svg",)


def options_of(parser: ArgumentParser) -> None:
    parser.add_argument("path", metavar="FILE[:MODEL]", help="a .cnn file, file.cnn:Model, or - for stdin")
    parser.add_argument("-o", "--output", required=True, metavar="FILE", help="where to: a name that ends in .svg")
    parser.add_argument("--open", action="append", default=[], metavar="KEY", help="open this block, such as layer2.0")
    parser.add_argument("--scheme", choices=("auto", "light", "dark"), default="auto", help="the colours")
    add_definitions(parser)
    add_color(parser)


def run(options: Namespace) -> int:
    """Draw the model that is asked for, or tell what is wrong."""
    from cnnspec.backends.draw.blocks import draw_blocks
    from cnnspec.cli.common import wants_color
    from cnnspec.diagnostics import Sink
    from cnnspec.diagnostics.render import render_all
    from cnnspec.spec import the_only

    path, model = next(files_of(options.path))
    if os.path.splitext(options.output)[1] not in _FORMATS:
        raise UsageError(f"-o takes a name that ends in {' or '.join(_FORMATS)}")
    sink = Sink()
    graph = the_only(read(path, sink), model, definitions(options.define), sink)
    if sink.has_errors or graph is None:
        color = wants_color(options.color, sys.stderr)
        print(render_all(sink.diagnostics, color=color), file=sys.stderr)
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
