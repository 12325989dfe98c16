"""The command `import`: a network of another tool as a spec."""

from __future__ import annotations

import os
import sys

from cnnspec.cli.common import FINDINGS, OK, Command, UsageError, add_color, complain, files_of, print_text, read
from cnnspec.cli.graphs import add_network, print_errors
from cnnspec.files import PYTHON

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from cnnspec.diagnostics import Sink
    from cnnspec.importers.spec_text import Imported


def options_of(parser: ArgumentParser) -> None:
    add_network(parser)
    parser.add_argument(
        "-o", "--output", default="-", metavar="FILE", help="where to: a name that ends in .cnn, or - for stdout"
    )
    parser.add_argument("--force", action="store_true", help="write over a file that is there")
    add_color(parser)


def run(options: Namespace) -> int:
    """Write the spec of a module, with the map of its keys beside it, or tell what can't be said."""
    from cnnspec.diagnostics import Sink

    path, entry = next(files_of(options.path))
    if not path.endswith(PYTHON):
        raise UsageError(f"import reads PyTorch source, not {path}; other formats come over ONNX")
    sink = Sink()
    found = _imported(options, path, entry, sink)
    if found is None:
        print_errors(options, sink)
        return FINDINGS
    _write(options, found)
    return OK


def _imported(options: Namespace, path: str, entry: str | None, sink: Sink) -> Imported | None:
    from cnnspec.cli.python import followed
    from cnnspec.diagnostics import Sink as Other
    from cnnspec.diagnostics import codes
    from cnnspec.diagnostics.suggestions import listing
    from cnnspec.importers.torch_source import import_module, same_in_training, unused
    from cnnspec.torch_source.lower.graphs import place_of

    source = read(path, sink)
    outcomes = followed(options, source, path, entry, sink)
    if sink.has_errors:
        return None
    if len(outcomes) != 1:
        names = listing(outcome.name for outcome in outcomes)
        raise UsageError(f"{path} has several modules: ask for one of {names}, as {path}:{outcomes[0].name}" if outcomes
                         else f"{path} has no module to import")  # fmt: skip
    (outcome,) = outcomes
    if options.mode is None:
        options.mode = "train"
        in_training = followed(options, source, path, entry, Other())
        if not same_in_training(outcome, in_training):
            sink.report(codes.DIFFERS_IN_TRAINING, place_of(outcome).span, name=outcome.name)
    found = import_module(outcome, sink)
    if found is not None:
        for name in unused(outcome, set(found.keys.values())):
            complain(f"`{name}` is made and never run: it is not in the spec")
    return found if not sink.has_errors else None


def _write(options: Namespace, found: Imported) -> None:
    import json

    if options.output == "-":
        print_text(found.text, end="")
        return
    if not options.output.endswith(".cnn"):
        raise UsageError("-o takes a name that ends in .cnn, or -")
    beside = os.path.splitext(options.output)[0] + ".keys.json"
    keys = {ours: theirs for ours, theirs in found.keys.items() if theirs}
    for path, text in ((options.output, found.text), (beside, json.dumps(keys, indent=2) + "\n")):
        _write_new(path, text, force=options.force)
    print(f"wrote {options.output}, and the keys of its weights in {beside}", file=sys.stderr)


def _write_new(path: str, text: str, *, force: bool) -> None:
    from cnnspec.diagnostics.render import clean
    from cnnspec.files import reason_of, write_atomic

    if os.path.lexists(path) and not force:
        raise UsageError(f"{clean(path)} is there already: --force writes over it")
    try:
        write_atomic(path, text)
    except OSError as error:
        raise UsageError(f"can't write {clean(path)}: {reason_of(error)}") from None


COMMANDS = {"import": Command("write PyTorch source as a spec, without running it", options_of, run)}
