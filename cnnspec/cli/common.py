"""What the commands share: what a command is, exit codes, reading, printing."""

from __future__ import annotations

import os
import sys

from cnnspec.errors import Unreadable, UsageError
from cnnspec.files import files_below, read_regular, reason_of, split_model
from cnnspec.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace, _ArgumentGroup
    from collections.abc import Callable, Iterator
    from typing import Any, TextIO

    from cnnspec.diagnostics import Sink
    from cnnspec.source import Source

__all__ = ["BUG", "FINDINGS", "INTERRUPTED", "OK", "USAGE", "Command", "UsageError"]

OK, FINDINGS, USAGE, BUG, INTERRUPTED = 0, 1, 2, 101, 130


@record
class Command:
    """A command: its line in the list of all, what declares its options, and what runs it and gives the exit code."""

    help: str
    add_options: Callable[[ArgumentParser], None]
    run: Callable[[Namespace], int]
    epilog: str = ""
    takes_settings: bool = False
    """Whether words that the parser does not know are the command's own; it finds them in `options.rest`."""
    runs_long: bool = False
    """Whether garbage is collected meanwhile. A brief run ends before that is worth its time, a fifth of a check."""
    plain: Callable[[list[str]], Namespace | None] | None = None
    """What reads the commonest words of the command without a parser; None of it where they need one."""


def add_color(parser: ArgumentParser) -> None:
    parser.add_argument("--color", choices=("auto", "always", "never"), default="auto", help="colour the output")


def add_definitions(parser: ArgumentParser) -> None:
    parser.add_argument(
        "-D", dest="define", action="append", default=[], metavar="NAME=VALUE", help="set a parameter of the model"
    )


def add_input(parser: ArgumentParser | _ArgumentGroup) -> None:
    """The shape that a network is told for, and the mode in which PyTorch source is followed."""
    parser.add_argument(
        "--input", metavar="SHAPE", help="the shape of the input without its batch: 3x32x32, or several with commas"
    )
    parser.add_argument("--mode", choices=("train", "eval"), help="of PyTorch source, by default eval")


def input_shapes(options: Namespace) -> tuple[tuple[int, ...], ...]:
    """The shapes that --input gives; none without it. Raises UsageError for a text that is none."""
    if not options.input:
        return ()
    from cnnspec.torch_source.inputs import parse_shapes

    shapes = parse_shapes(options.input)
    if shapes is None:
        raise UsageError(f"--input takes sizes without the batch, such as 3x32x32, not {options.input!r}")
    return shapes


def wants_color(choice: str, stream: TextIO) -> bool:
    if choice != "auto":
        return choice == "always"
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or (stream.isatty() and os.environ.get("TERM") != "dumb")


def terminal_size() -> tuple[int, int]:
    """Columns and lines of the terminal, as `shutil` tells them; 80 and 24 where there is none."""
    try:
        columns, lines = os.get_terminal_size(sys.__stdout__.fileno())  # type: ignore[union-attr]
    except (AttributeError, ValueError, OSError):
        columns, lines = 80, 24
    return _given("COLUMNS") or columns, _given("LINES") or lines


def _given(name: str) -> int:
    """The number in a variable of the environment; 0 where there is none."""
    text = os.environ.get(name, "")
    return int(text) if text.isdecimal() else 0


def print_text(text: str, end: str = "\n") -> None:
    """Print, with `?` for what the terminal's encoding lacks."""
    encoding = sys.stdout.encoding or "utf-8"
    print(text.encode(encoding, "replace").decode(encoding), end=end)


def complain(message: object) -> None:
    """What went wrong by the user's doing, on the standard error."""
    print(f"cnnspec: {message}", file=sys.stderr)


# --- what is to be read ---


def files_of(path: str) -> Iterator[tuple[str, str | None]]:
    """The file that a path names, or those in the folder that it names, each with the model that is asked for."""
    if path == "-" or not os.path.isdir(path):
        yield split_model(path)
        return
    found = None
    for found in files_below(path, ".cnn"):
        yield found, None
    if found is None:
        from cnnspec.diagnostics.render import clean

        raise Unreadable(f"there is no .cnn file in {clean(path)}")


def read_bytes(path: str) -> bytes:
    """The bytes of a file, or of the standard input where the path is `-`; one more than a spec may have at most."""
    from cnnspec.limits import LIMITS

    if path == "-":
        return sys.stdin.buffer.read(LIMITS.file_bytes + 1)
    try:
        return read_regular(path, LIMITS.file_bytes + 1)
    except (OSError, ValueError) as error:
        from cnnspec.diagnostics.render import clean

        raise Unreadable(f"can't read {clean(path)}: {reason_of(error)}") from None


def read(path: str, sink: Sink, shown_as: str | None = None) -> Source:
    """The text of a file or of the standard input, under the path that it is shown as."""
    from cnnspec.syntax.read import decode

    shown = shown_as or ("<stdin>" if path == "-" else os.path.normpath(path))
    return decode(read_bytes(path), shown, sink)


def definitions(texts: list[str]) -> dict[str, Any]:
    """The values given with -D, as expressions of the language."""
    found: dict[str, Any] = {}
    for text in texts:
        from cnnspec.diagnostics import Sink
        from cnnspec.diagnostics.render import render_all
        from cnnspec.source import Source
        from cnnspec.syntax.parser import parse_expression

        name, separator, value = text.partition("=")
        if separator and "." in name and all(part.isidentifier() for part in name.split(".")):
            # An attribute of a name in Python source: no spec has such parameters.
            continue
        if not separator or not name.isidentifier():
            raise UsageError(f"-D takes NAME=VALUE, not {text!r}")
        sink = Sink()
        found[name] = parse_expression(Source(f"-D {name}", value), sink)
        if sink.has_errors:
            raise UsageError(f"-D {name}: the value can't be read\n{render_all(sink.diagnostics)}")
    return found


# --- what is to be written ---


def rewrite_spec(path: str, data: bytes) -> None:
    """Replace a spec in one step; links and rights stay."""
    from cnnspec.diagnostics.render import clean
    from cnnspec.files import rewrite

    try:
        rewrite(path, data)
    except OSError as error:
        raise UsageError(f"can't write {clean(path)}: {reason_of(error)}") from None


def write_result(path: str, data: str | bytes) -> None:
    """Put what a command has made into the file that is named."""
    from cnnspec.diagnostics.render import clean
    from cnnspec.files import write_atomic

    try:
        write_atomic(path, data)
    except OSError as error:
        raise UsageError(f"can't write {clean(path)}: {reason_of(error)}") from None


def diff(path: str, old: str, new: str) -> str:
    """A unified diff, which `patch -p1` applies. On a terminal no character of the file acts on it."""
    from difflib import unified_diff

    from cnnspec.diagnostics.render import clean

    name = clean(path.replace(os.sep, "/").lstrip("/"))
    lines = list(unified_diff(_lines(old), _lines(new), f"a/{name}", f"b/{name}"))
    if sys.stdout.isatty():
        lines = [clean(line.rstrip("\r\n")) + "\n" for line in lines]
    return "".join(line if line.endswith("\n") else line + "\n\\ No newline at end of file\n" for line in lines)


def _lines(text: str) -> list[str]:
    *lines, last = text.split("\n")
    return [*(f"{line}\n" for line in lines), *filter(None, [last])]
