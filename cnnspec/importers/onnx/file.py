"""An ONNX file as a spec, and its weights under the keys of that."""

from __future__ import annotations

import numpy as np

from cnnspec.diagnostics import Sink, codes
from cnnspec.graph.state import state_of
from cnnspec.importers.onnx.source import NAME, source_of_onnx
from cnnspec.importers.spec_text import Imported
from cnnspec.importers.torch_source import import_outcome
from cnnspec.record import record, replace
from cnnspec.source import Source, Span
from cnnspec.torch_source.check import Options, check_python

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    Array = np.ndarray[Any, Any]


@record
class ImportedOnnx:
    """A spec, whose `keys` lead to the names of the file, and the arrays of its state dict."""

    imported: Imported
    arrays: Mapping[str, Array]


def import_onnx(path: str, sink: Sink) -> ImportedOnnx | None:
    """The spec of a file; what specs can't say goes to `sink`, each at the line that the node is as PyTorch.

    Raises UsageError for a file that can't be read.
    """
    found = source_of_onnx(path)
    name = path.replace("\\", "/").rpartition("/")[2]
    source = Source(f"{name} as PyTorch", found.text)
    for line, reason in found.problems:
        start = source.line_starts[line - 1] + len("        ")
        sink.report(codes.NOT_IMPORTED, Span(source, start, source.line_starts[line] - 1), reason=reason)
    if found.problems:
        return None
    outcome, *_ = check_python(source, "", sink, Options(NAME, found.inputs))
    if sink.has_errors:
        return None
    if outcome.stop:
        sink.report(codes.NOT_IMPORTED, (outcome.stopped_at or outcome.place).span, reason=outcome.stop)
        return None
    imported = import_outcome(outcome, sink, {}, {}, f"Imported from {name}.")
    if imported is None:
        return None
    arrays, keys = {}, {}
    for key, shape in state_of(imported.graph.root).items():
        module, own = _of(key, imported.keys)
        array = found.arrays.get(module, {}).get(own)
        arrays[key] = np.zeros(shape, "int64") if array is None else array.reshape(shape)
        if known := found.names.get(module, {}).get(own, ""):
            keys[key] = known
    return ImportedOnnx(replace(imported, keys=keys), arrays)


def _of(key: str, keys: Mapping[str, str]) -> tuple[str, str]:
    """The module or parameter of the source that a tensor of the spec belongs to, and its name there."""
    own = key
    while own not in keys:
        own = own.rpartition(".")[0]
    return keys[own], key[len(own) + 1 :]
