"""The command `summary`: the layers of a network, what they give, cost and see, as a table or as data."""

from __future__ import annotations

import sys

from cnnspec.cli.common import Command, UsageError, add_color, print_text, terminal_size, wants_color
from cnnspec.cli.graphs import add_network, graphs_or_findings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from typing import Any

    from cnnspec.graph.nodes import Graph

FORMATS = ("table", "markdown", "csv", "json")
FRAME = 8
"""Lines of a terminal that are not the table's rows."""


def options_of(parser: ArgumentParser) -> None:
    add_network(parser)
    add_batch(parser)
    parser.add_argument("--depth", type=int, metavar="N", help="levels of modules that are shown, by default what fits")
    parser.add_argument("--format", choices=FORMATS, default="table", help="by default a table for the terminal")
    parser.add_argument("--style", choices=("d2l",), help="d2l: class and output shape, as in the course notes")
    parser.add_argument("--explain", action="store_true", help="show the arithmetic behind every line")
    add_color(parser)


def add_batch(parser: ArgumentParser) -> None:
    """What the memory of a step depends on."""
    parser.add_argument("--batch", type=int, metavar="N", help="samples in a batch; tells the memory of a step, too")
    parser.add_argument("--dtype", choices=("float32", "float16", "bfloat16"), default="float32", help="of the values")
    parser.add_argument(
        "--optimizer", choices=("SGD", "momentum", "Adam", "AdamW"), help="of the training step, by default SGD"
    )


class _Plain:
    """The options of a summary that is given none: what the parser would give, without the parser."""

    input = mode = batch = optimizer = depth = style = None
    dtype, format, explain, color = "float32", "table", False, "auto"

    def __init__(self, path: str) -> None:
        self.path = path
        self.define: list[str] = []


def plain_options(words: list[str]) -> Namespace | None:
    """The options where the one word is a path; None where a parser has to read them."""
    if len(words) != 1 or (words[0].startswith("-") and words[0] != "-"):
        return None
    options: Any = _Plain(words[0])
    return options  # type: ignore[no-any-return]


def run(options: Namespace) -> int:
    """Print the table of every model that is asked for, or what is wrong."""
    if options.batch is not None and options.batch < 1:
        raise UsageError(f"--batch takes a whole number from 1, not {options.batch}")
    if options.depth is not None and options.depth < 1:
        raise UsageError(f"--depth takes a whole number from 1, not {options.depth}")
    graphs, code = graphs_or_findings(options, options.path)
    if graphs:
        print_text(_text(options, graphs))
    return code


def _text(options: Namespace, graphs: list[Graph]) -> str:
    from cnnspec.backends.summary import Account
    from cnnspec.backends.summary_text import course_notes, summarize, summarize_markdown

    if options.style == "d2l":
        return "\n\n".join(course_notes(graph, options.batch or 1) for graph in graphs)
    optimizer = options.optimizer or "SGD"
    accounts = [Account(graph, options.batch or 1, options.dtype, optimizer) for graph in graphs]
    if options.format in ("csv", "json"):
        from cnnspec.backends.summary_data import as_csv, as_json

        return (as_csv if options.format == "csv" else as_json)(accounts, options.depth)
    shown = _shown(options)
    make = summarize_markdown if options.format == "markdown" else summarize
    return "\n\n".join(make(account, shown) for account in accounts)


def _shown(options: Namespace):  # type: ignore[no-untyped-def]
    from cnnspec.backends.summary_text import Options

    width = height = None
    if options.format == "table" and sys.stdout.isatty():
        width, lines = terminal_size()
        height = max(lines - FRAME, 10)
    memory = options.batch is not None or options.optimizer is not None
    color = wants_color(options.color, sys.stdout)
    return Options(options.depth, height, width, color, memory, options.explain)


COMMANDS = {
    "summary": Command(
        "list layers with their output shapes, costs and receptive fields", options_of, run, plain=plain_options
    )
}
