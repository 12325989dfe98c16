"""The command `import`: a network of another tool as a spec."""

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
    add_input,
    complain,
    files_of,
    input_shapes,
    print_text,
    read,
)
from cnnspec.cli.graphs import print_errors
from cnnspec.files import PYTHON
from cnnspec.record import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Mapping
    from typing import Any

    from cnnspec.diagnostics import Sink
    from cnnspec.importers.spec_text import Imported


_FORMATS = {
    ".h5": "a Keras model with weights",
    ".pb": "a TensorFlow graph",
    ".tflite": "a TFLite model",
    ".pt": "a TorchScript or pickled module",
    ".pth": "a pickled module or weights",
    ".pt2": "an exported program",
    ".ts": "a TorchScript module",
    ".mlmodel": "a Core ML model",
    ".mlpackage": "a Core ML model",
    ".caffemodel": "a Caffe model",
    ".prototxt": "a Caffe network",
    ".params": "an MXNet model",
    ".pdmodel": "a Paddle model",
    ".safetensors": "weights alone",
}
"""What is known and not read, by its ending."""
_WAY = {
    ".pb": "python -m tf2onnx.convert --saved-model FOLDER --output net.onnx",
    ".tflite": "python -m tf2onnx.convert --tflite FILE --output net.onnx",
    ".h5": "keras.models.load_model(FILE).export('net.onnx', format='onnx')",
}
"""How it becomes ONNX."""


def options_of(parser: ArgumentParser) -> None:
    parser.add_argument(
        "path",
        metavar="SOURCE",
        help="PyTorch source as model.py:Net, net.onnx, Keras' model.json or net.keras, or module:attribute, which runs code",
    )
    add_definitions(parser)
    add_input(parser)
    parser.add_argument(
        "-o", "--output", default="-", metavar="FILE", help="where to: a name that ends in .cnn, or - for stdout"
    )
    parser.add_argument("--force", action="store_true", help="write over a file that is there")
    add_color(parser)


def run(options: Namespace) -> int:
    """Write the spec of a network, with the map of its keys beside it, or tell what can't be said."""
    from cnnspec.diagnostics import Sink

    path, entry = next(files_of(options.path))
    sink = Sink()
    if path.endswith(PYTHON):
        found = _imported(options, path, entry, sink)
    elif path.endswith(".onnx"):
        return _onnx(options, path)
    elif path.endswith((".json", ".keras")):
        found = _keras(options, path, sink)
    elif _is_module(options.path):
        found = _live(options, sink)
    else:
        raise UsageError(_unknown(path))
    if found is None:
        print_errors(options, sink)
        return FINDINGS
    _write(options, found)
    return OK


def _onnx(options: Namespace, path: str) -> int:
    """Write the spec of an ONNX file with its weights, or tell what can't be said."""
    from cnnspec.diagnostics import Sink

    if options.define or options.input or options.mode:
        raise UsageError("an ONNX file says everything itself: -D, --input and --mode are for PyTorch source")
    try:
        from cnnspec.importers.onnx.file import import_onnx
    except ModuleNotFoundError as error:
        raise UsageError(f"reading ONNX needs {error.name}: pip install 'cnnspec[onnx]'") from None
    found = import_onnx(path, sink := Sink())
    if found is None:
        print_errors(options, sink)
        return FINDINGS
    _write(options, found.imported, found.arrays)
    return OK


def _keras(options: Namespace, path: str, sink: Sink) -> Imported | None:
    """The spec of a Keras configuration."""
    from cnnspec.importers.keras.file import import_keras

    if options.define or options.input or options.mode:
        raise UsageError("a Keras configuration says everything itself: -D, --input and --mode are for PyTorch source")
    return import_keras(path, sink)


def _is_module(path: str) -> bool:
    """Whether a path is `module:attribute` rather than that of a file."""
    module, separator, entry = path.partition(":")
    return bool(separator and entry) and all(part.isidentifier() for part in module.split("."))


def _unknown(path: str) -> str:
    """Why a file is not read, and the way to a spec."""
    ending = os.path.splitext(path)[1].lower()
    what = _FORMATS.get(ending, "no source that import knows")
    way = f": {_WAY[ending]}" if ending in _WAY else ""
    known = "PyTorch source (model.py:Net), net.onnx, Keras configurations and live modules (module:attribute)"
    return f"{path} is {what}; import reads {known}, others come over ONNX{way}"


def _live(options: Namespace, sink: Sink) -> Imported | None:
    """The spec of a module that is imported and traced, which runs its code."""
    shapes = input_shapes(options)
    if not shapes:
        raise UsageError("a live module needs the shape of its input: --input 3x224x224, several with commas")
    module, _, entry = options.path.partition(":")
    try:
        from cnnspec.importers.live import import_live, live_module
    except ModuleNotFoundError as error:
        raise UsageError(f"importing a live module needs {error.name}: pip install 'cnnspec[torch]'") from None
    complain(f"imports {module}, which runs its code")
    sys.path.insert(0, os.getcwd())
    return import_live(live_module(module, entry), shapes, sink, options.mode)


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
        found = replace(found, idle=(*found.idle, *unused(outcome, {*found.keys.values(), *found.idle})))
    return found if not sink.has_errors else None


def _write(options: Namespace, found: Imported, arrays: Mapping[str, Any] | None = None) -> None:
    """Write the spec, the map of its keys, and its weights where the source holds them."""
    import json

    for name in found.idle:
        complain(f"`{name}` reaches no output: it is not in the spec")
    if options.output == "-":
        print_text(found.text, end="")
        return
    if not options.output.endswith(".cnn"):
        raise UsageError("-o takes a name that ends in .cnn, or -")
    stem = os.path.splitext(options.output)[0]
    keys = {ours: theirs for ours, theirs in found.keys.items() if theirs}
    files: dict[str, str | bytes] = {options.output: found.text, f"{stem}.keys.json": json.dumps(keys, indent=2) + "\n"}
    if arrays:
        from safetensors.numpy import save

        files[f"{stem}.safetensors"] = save(dict(arrays))
    for path, content in files.items():
        _write_new(path, content, force=options.force)
    weights = f", its weights in {stem}.safetensors" if arrays else ""
    print(f"wrote {options.output}{weights}, and the keys of its weights in {stem}.keys.json", file=sys.stderr)


def _write_new(path: str, content: str | bytes, *, force: bool) -> None:
    from cnnspec.diagnostics.render import clean
    from cnnspec.files import reason_of, write_atomic

    if os.path.lexists(path) and not force:
        raise UsageError(f"{clean(path)} is there already: --force writes over it")
    try:
        write_atomic(path, content)
    except OSError as error:
        raise UsageError(f"can't write {clean(path)}: {reason_of(error)}") from None


COMMANDS = {"import": Command("write PyTorch source as a spec, without running it", options_of, run)}
