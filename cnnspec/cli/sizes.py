"""The command `sizes`: for which sizes of the input a network holds."""

from __future__ import annotations

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
    print_text,
    read,
    wants_color,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace


def options_of(parser: ArgumentParser) -> None:
    parser.add_argument("path", metavar="FILE[:MODEL]", help="a .cnn file, file.cnn:Model, or - for stdin")
    parser.add_argument("--near", metavar="SIZES", help="the nearest sizes that work, to those of an image: 500x333")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="words, or JSON")
    add_definitions(parser)
    add_color(parser)


def run(options: Namespace) -> int:
    """Print the sizes for which each model holds that is asked for, or what is wrong."""
    from cnnspec.backends.sizes import as_json, as_text
    from cnnspec.diagnostics import Sink
    from cnnspec.diagnostics.render import render_all
    from cnnspec.errors import CnnspecError
    from cnnspec.pipeline import sizes_that_work
    from cnnspec.sizes.region import Entangled

    path, model = next(files_of(options.path))
    sink = Sink()
    near = _sizes(options.near)
    try:
        found = sizes_that_work(read(path, sink), sink, model=model, parameters=definitions(options.define))
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


def _sizes(text: str | None) -> tuple[int, ...]:
    """The sizes that `--near` gives."""
    parts = (text or "").lower().replace("*", "x").split("x") if text else []
    if not all(part.strip().isdecimal() and 0 < int(part) < 2**31 for part in parts):
        raise UsageError(f"--near takes sizes such as 500x333, not {text!r}")
    return tuple(map(int, parts))


COMMANDS = {"sizes": Command("tell for which sizes of the input a network holds", options_of, run)}
