"""A graph as an ONNX model, written node by node: the layers of the spec with their shapes, and the weights of a network.

Numbers are those of evaluation: what drops values passes them on. The batch may be of any size.
"""

from __future__ import annotations

import importlib

from onnx import TensorProto, checker, helper

from cnnspec._version import __version__
from cnnspec.backends.onnx.emit import emit
from cnnspec.backends.onnx.writer import BATCH, Unwritable, Writer
from cnnspec.errors import UnsupportedExport
from cnnspec.graph.digest import digest_of
from cnnspec.graph.nodes import Graph, LayerNode
from cnnspec.graph.walk import walk
from cnnspec.layers import Layer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

OPSET, IR = 21, 10

for _name in ("convolutions", "shapes", "values", "norms", "sequences"):
    importlib.import_module(f"cnnspec.backends.onnx.{_name}")


def onnx_of(graph: Graph, state: Mapping[str, Any]) -> bytes:
    """The model of a graph with the arrays of a state dict, as checked bytes.

    Raises UnsupportedExport with all layers, by their keys, that ONNX has not.
    """
    graph = graph.numbers
    _expect_written(graph)
    writer = Writer(state, emit)
    names = [entry.name or ("input" if len(graph.inputs) == 1 else f"input{n}") for n, entry in enumerate(graph.inputs)]
    names = [writer.fresh(name) for name in names]
    kinds = [TensorProto.INT64 if entry.integers else TensorProto.FLOAT for entry in graph.inputs]
    shapes: list[list[str | int]] = [[BATCH, *(entry.shape or ())] for entry in graph.inputs]
    inputs = [helper.make_tensor_value_info(name, kind, shape) for name, kind, shape in zip(names, kinds, shapes)]
    writer.first_input = names[0]
    found = _flat(writer.run(graph.root, names[0], names[1:]))
    outputs = []
    for number, (name, shape) in enumerate(zip(found, _flat(graph.output, of_shapes=True))):
        given = writer.fresh("output" if len(found) == 1 else f"output{number}")
        writer.nodes.append(helper.make_node("Identity", [name], [given], name=f"{given}/Identity"))
        outputs.append(helper.make_tensor_value_info(given, TensorProto.FLOAT, [BATCH, *shape]))
    shown = [value for name, value in writer.shapes.items() if name not in names]
    body = helper.make_graph(
        writer.nodes, graph.name, inputs, outputs, list(writer.initializers.values()), value_info=shown
    )
    opset = [helper.make_opsetid("", OPSET)]
    model = helper.make_model(
        body, opset_imports=opset, ir_version=IR, producer_name="cnnspec", producer_version=__version__
    )
    helper.set_model_props(model, {"model": graph.name, "digest": digest_of(graph)})
    checker.check_model(model, full_check=True)
    data: bytes = model.SerializeToString()
    return data


def _flat(value: Any, *, of_shapes: bool = False) -> list[Any]:
    """The values of a tuple, of tuples in it as well."""
    inner = isinstance(value, tuple) and (not of_shapes or (bool(value) and isinstance(value[0], tuple)))
    return [leaf for part in value for leaf in _flat(part, of_shapes=of_shapes)] if inner else [value]


def _expect_written(graph: Graph) -> None:
    """Refuse layers that can't be written, all at once."""
    wrong: dict[str, str] = {}
    for path, node in walk(graph.root):
        if isinstance(node, LayerNode) and node.layer is not None:
            reason = reason_against(node.layer, node.input)
            if reason:
                wrong[path] = f"{node.title}: {reason}"
    if wrong:
        rows = [f"  {path}  {reason}" for path, reason in list(wrong.items())[:20]]
        raise UnsupportedExport("\n".join([f"{graph.name} can't be written as ONNX:", *rows]))


def reason_against(layer: Layer, x: Any) -> str:
    """Why a layer has no counterpart in ONNX; "" where it has."""
    if emit.dispatch(type(layer)) is emit.dispatch(object):
        return "ONNX has no such operator"
    from cnnspec.backends.onnx.emit import limits

    try:
        limits(layer, x)
    except Unwritable as error:
        return str(error)
    return ""
