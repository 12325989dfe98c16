"""The command `memory`: how much a step of training takes, where, and the largest batch that fits."""

from __future__ import annotations

import sys

from cnnspec.cli.common import Command, UsageError, add_color, print_text, terminal_size
from cnnspec.cli.graphs import add_network, graphs_or_findings
from cnnspec.cli.summary import add_batch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

UNITS = {
    "": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30,
    "TIB": 2**40,
}  # fmt: skip


def options_of(parser: ArgumentParser) -> None:
    add_network(parser)
    add_batch(parser)
    parser.add_argument("--limit", metavar="BYTES", help="tell the largest batch that fits into it: 24GiB, 8GB")
    add_color(parser)


def run(options: Namespace) -> int:
    """Print the memory of every model that is asked for, or what is wrong."""
    if options.batch is not None and options.batch < 1:
        raise UsageError(f"--batch takes a whole number from 1, not {options.batch}")
    limit = None if options.limit is None else (parse_bytes(options.limit), options.limit)
    graphs, code = graphs_or_findings(options, options.path)
    if not graphs:
        return code
    from cnnspec.backends.memory_text import show

    width = terminal_size()[0] if sys.stdout.isatty() else None
    optimizer = options.optimizer or "SGD"
    texts = [show(graph, options.batch or 1, optimizer, options.dtype, limit, width) for graph in graphs]
    print_text("\n\n".join(texts))
    return code


def parse_bytes(text: str) -> int:
    """A number of bytes with its unit; UsageError for another text."""
    number = text.rstrip("BKMGTibkmgt ")
    unit = text[len(number) :].strip().upper()
    try:
        return int(float(number.replace("_", "")) * UNITS[unit])
    except (ValueError, KeyError, OverflowError):
        raise UsageError(f"--limit takes bytes such as 24GiB, 8GB or 500MB, not {text!r}") from None


COMMANDS = {"memory": Command("tell the memory of a training step, and the largest batch", options_of, run)}
