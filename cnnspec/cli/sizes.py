"""The command `sizes`: for which sizes of the input a network holds."""

from __future__ import annotations

import sys

from cnnspec.cli.common import (
    FINDINGS,
    OK,
    Command,
    UsageError,
    add_color,
    definitions,
    files_of,
    input_shapes,
    print_text,
    read,
    wants_color,
)
from cnnspec.cli.graphs import add_network
from cnnspec.files import PYTHON

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from cnnspec.compiler.any_size import Holding
    from cnnspec.diagnostics import Sink


def options_of(parser: ArgumentParser) -> None:
    add_network(parser)
    parser.add_argument("--near", metavar="SIZES", help="the nearest sizes that work, to those of an image: 500x333")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="words, or JSON")
    add_color(parser)


def run(options: Namespace) -> int:
    """Print the sizes for which each model holds that is asked for, or what is wrong."""
    from cnnspec.backends.sizes import as_json, as_text
    from cnnspec.diagnostics import Sink
    from cnnspec.diagnostics.render import render_all
    from cnnspec.errors import CnnspecError
    from cnnspec.sizes.region import Entangled

    sink = Sink()
    near = _sizes(options.near)
    try:
        found = _holdings(options, sink)
    except Entangled:
        raise CnnspecError("the sizes of this network depend on each other in a way that is not decided") from None
    if sink.has_errors:
        print(render_all(sink.diagnostics, color=wants_color(options.color, sys.stderr)), file=sys.stderr)
        return FINDINGS
    if options.format == "json":
        print_text(as_json(found, near))
    else:
        print_text("\n\n".join(as_text(one, near) for one in found))
    return OK


def _holdings(options: Namespace, sink: Sink) -> list[Holding]:
    """The sizes for which each network holds; mistakes go to `sink`."""
    path, model = next(files_of(options.path))
    if path.endswith(PYTHON):
        from cnnspec.cli.python import python_sizes

        return python_sizes(options, path, model, sink)
    from cnnspec.pipeline import sizes_that_work

    given, shapes = definitions(options.define), input_shapes(options)
    return sizes_that_work(read(path, sink), sink, model=model, parameters=given, shapes=shapes)


def _sizes(text: str | None) -> tuple[int, ...]:
    """The sizes that `--near` gives."""
    parts = (text or "").lower().replace("*", "x").split("x") if text else []
    if not all(part.strip().isdecimal() and 0 < int(part) < 2**31 for part in parts):
        raise UsageError(f"--near takes sizes such as 500x333, not {text!r}")
    return tuple(map(int, parts))


COMMANDS = {"sizes": Command("tell for which sizes of the input a network holds", options_of, run)}
