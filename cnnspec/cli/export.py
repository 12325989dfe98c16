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
    print_text,
)
from cnnspec.cli.graphs import add_network, exact_graph
from cnnspec.files import PYTHON, split_model
from cnnspec.record import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from cnnspec.backends.exports import Format
    from cnnspec.graph.nodes import Graph


def options_of(parser: ArgumentParser) -> None:
    from cnnspec.backends.exports import FORMATS

    add_network(parser)
    parser.add_argument("-o", "--output", metavar="OUT", help="where to write, or - for stdout")
    known = ", ".join(f"{found.name} ({found.about})" for found in FORMATS.values())
    parser.add_argument("--to", metavar="FORMAT", help=f"the format, where OUT does not end so: {known}")
    parser.add_argument("--weights", metavar="WEIGHTS", help="a state dict to write, by default weights are drawn anew")
    parser.add_argument("--force", action="store_true", help="replace a file that cnnspec did not write")
    add_color(parser)


def run(options: Namespace) -> int:
    """Write the model that is asked for, or tell what is wrong with it."""
    from cnnspec.diagnostics.render import clean

    wanted = _format(options)
    output = options.output or "-"
    if output != "-":
        _expect_ours(output, force=options.force)
    if any(os.path.isfile(os.path.join(options.path, name)) for name in ("best.pt", "last.pt")):
        return _export_run(options, wanted.name, output)
    graph = exact_graph(options, options.path)
    if graph is None:
        return FINDINGS
    if split_model(options.path)[0].endswith(PYTHON):
        from cnnspec.importers.torch_source import with_attributes

        graph = replace(graph, root=with_attributes(graph.root))
    content = _content(wanted, graph, options.weights)
    if output == "-":
        _print(content)
        return OK
    _write(output, content)
    print_text(f"{clean(output)}: {graph.name} as {wanted.about}, {len(content):,} bytes")
    return OK


def _export_run(options: Namespace, kind: str, output: str) -> int:
    """Write the best weights of a run, with the preparation of its inputs."""
    from cnnspec.cli.train import needs_torch
    from cnnspec.diagnostics.render import clean

    needs_torch("export")
    from cnnspec.training import exports
    from cnnspec.training.restore import open_graph_and_model

    if kind not in exports.FORMATS:
        raise UsageError(f"a run is written as {', '.join(exports.FORMATS)}, not as {kind}")
    if options.weights is not None:
        raise UsageError("a run has weights of its own: leave out --weights")
    graph, model = open_graph_and_model(options.path)
    try:
        found = exports.export_run(model, graph, kind)
    except ModuleNotFoundError as error:
        raise UsageError(f"{kind} needs {error.name}: pip install 'cnnspec[onnx]'") from None
    if output == "-":
        _print(found.content)
        return OK
    _write(output, found.content)
    checked = ""
    if found.difference is not None:
        on = f"{found.samples} samples" if found.samples else "drawn inputs, as its data is not here,"
        checked = f"; on {on} it differs from the run by {found.difference:.1g} at most"
    print_text(f"{clean(output)}: {graph.name} for {model.task.name}, {len(found.content):,} bytes{checked}")
    return OK


def _content(wanted: Format, graph: Graph, weights: str | None) -> bytes:
    """What the file will hold."""
    if not wanted.holds_weights:
        if weights is not None:
            raise UsageError(f"{wanted.about}: it holds no weights")
        return wanted.write(graph)
    try:
        from cnnspec.backends.torch_module import build

        net = build(graph, device="cpu").eval()
        if weights is not None:
            from cnnspec.weights import load_weights

            load_weights(net, weights)
        return wanted.write(graph, net)
    except ModuleNotFoundError as error:
        extra = "onnx" if error.name == "onnx" else "torch"
        raise UsageError(f"{wanted.suffix} needs {error.name}: pip install 'cnnspec[{extra}]'") from None


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
