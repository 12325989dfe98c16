"""The command `summary`: the layers of a network, their output shapes and parameters, as a table."""

from __future__ import annotations

import sys

from cnnspec.cli.common import (
    FINDINGS,
    OK,
    Command,
    add_color,
    add_definitions,
    add_input,
    definitions,
    files_of,
    print_text,
    read,
    wants_color,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace


def options_of(parser: ArgumentParser) -> None:
    parser.add_argument(
        "path",
        metavar="FILE[:MODEL]",
        help="a .cnn file, file.cnn:Model, PyTorch source as model.py:Net, or - for stdin",
    )
    add_definitions(parser)
    add_input(parser.add_argument_group("PyTorch source"))
    add_color(parser)


def run(options: Namespace) -> int:
    """Print the table of every model that is asked for, or what is wrong."""
    from cnnspec.backends.summary_text import Options, summarize
    from cnnspec.diagnostics import Sink
    from cnnspec.diagnostics.render import render_all
    from cnnspec.pipeline import check

    path, model = next(files_of(options.path))
    if path.endswith(".py"):
        from cnnspec.cli.python import summary

        return summary(options, path, model)
    sink = Sink()
    graphs = check(read(path, sink), sink, model=model, parameters=definitions(options.define))
    if sink.has_errors:
        color = wants_color(options.color, sys.stderr)
        print(render_all(sink.diagnostics, color=color), file=sys.stderr)
        return FINDINGS
    color = wants_color(options.color, sys.stdout)
    print_text("\n\n".join(summarize(graph, Options(color=color)) for graph in graphs))
    return OK


COMMANDS = {"summary": Command("list layers, output shapes and parameters", options_of, run)}
