"""The command `export`: a network as a file that other tools read."""

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
    print_text,
    read,
    wants_color,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from cnnspec.backends.exports import Format


def options_of(parser: ArgumentParser) -> None:
    from cnnspec.backends.exports import FORMATS

    parser.add_argument("path", metavar="FILE[:MODEL]", help="a .cnn file, file.cnn:Model, or - for stdin")
    parser.add_argument("-o", "--output", metavar="OUT", help="where to write, or - for stdout")
    known = ", ".join(f"{found.name} ({found.about})" for found in FORMATS.values())
    parser.add_argument("--to", metavar="FORMAT", help=f"the format, where OUT does not end so: {known}")
    parser.add_argument("--force", action="store_true", help="replace a file that cnnspec did not write")
    add_definitions(parser)
    add_color(parser)


def run(options: Namespace) -> int:
    """Write the model that is asked for, or tell what is wrong with it."""
    from cnnspec.diagnostics import Sink
    from cnnspec.diagnostics.render import clean, render_all
    from cnnspec.spec import the_only

    wanted = _format(options)
    output = options.output or "-"
    if output != "-":
        _expect_ours(output, force=options.force)
    path, model = next(files_of(options.path))
    sink = Sink()
    graph = the_only(read(path, sink), model, definitions(options.define), sink)
    graph = graph and graph.numbers
    if graph is None or sink.has_errors:
        errors = [found for found in sink.diagnostics if found.severity == "error"]
        print(render_all(errors, color=wants_color(options.color, sys.stderr)), file=sys.stderr)
        return FINDINGS
    content = wanted.write(graph)
    if output == "-":
        _print(content)
        return OK
    _write(output, content)
    print_text(f"{clean(output)}: {graph.name} as {wanted.about}, {len(content):,} bytes")
    return OK


def _format(options: Namespace) -> Format:
    from cnnspec.backends.exports import FORMATS, format_of

    known = ", ".join(FORMATS)
    if options.to is not None:
        if options.to not in FORMATS:
            raise UsageError(f"there is no format {options.to!r}: there is {known}")
        return FORMATS[options.to]
    found = format_of(options.output or "")
    if found is None:
        endings = ", ".join(found.suffix for found in FORMATS.values())
        raise UsageError(f"what to write? Give a file with -o, of which the name ends in {endings}, or --to {known}")
    return found


def _expect_ours(path: str, *, force: bool) -> None:
    """Refuse to replace a file that was not written here."""
    from cnnspec.backends.exports import is_ours
    from cnnspec.diagnostics.render import clean
    from cnnspec.files import read_regular, reason_of

    if force or not os.path.lexists(path):
        return
    try:
        content = read_regular(path)
    except (OSError, ValueError) as error:
        raise UsageError(f"can't write {clean(path)}: {reason_of(error)}") from None
    if content and not is_ours(content):
        raise UsageError(f"{clean(path)} is there, and cnnspec did not write it: --force replaces it")


def _print(content: bytes) -> None:
    """Write to the standard output, as bytes where it takes them."""
    buffer = getattr(sys.stdout, "buffer", None)
    if buffer is None:
        sys.stdout.write(content.decode())
        return
    sys.stdout.flush()
    buffer.write(content)
    buffer.flush()


def _write(path: str, content: bytes) -> None:
    from cnnspec.diagnostics.render import clean
    from cnnspec.files import reason_of, write_atomic

    try:
        write_atomic(path, content)
    except OSError as error:
        raise UsageError(f"can't write {clean(path)}: {reason_of(error)}") from None


COMMANDS = {"export": Command("write a network as a file that other tools read", options_of, run)}
