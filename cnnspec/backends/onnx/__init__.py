"""A graph as an ONNX model, written node by node: the layers of the spec with their shapes, and the weights of a network.

Numbers are those of evaluation: what drops values passes them on. The batch may be of any size. A network that is
declared for many sizes takes them by their names, where nothing that is written depends on the size; else the smallest.
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
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from cnnspec.sizes.declared import DeclaredSizes

OPSET, IR = 21, 10

for _name in ("convolutions", "shapes", "values", "norms", "sequences"):
    importlib.import_module(f"cnnspec.backends.onnx.{_name}")


def onnx_of(graph: Graph, state: Mapping[str, Any]) -> bytes:
    """The model of a graph with the arrays of a state dict, as checked bytes.

    Raises UnsupportedExport with all layers, by their keys, that ONNX has not.
    """
    declared, graph = graph, graph.numbers
    _expect_written(graph)
    writer, names, found = _written(graph, state)
    if declared.sizes is not None and all(
        _same(writer, _written(other, state)[0]) for other in _other_sizes(declared.sizes)
    ):
        told = declared
        writer.shapes = {}
    else:
        told = graph
    kinds = [TensorProto.INT64 if entry.integers else TensorProto.FLOAT for entry in graph.inputs]
    shapes = [_dimensions(entry.shape or ()) for entry in told.inputs]
    inputs = [helper.make_tensor_value_info(name, kind, shape) for name, kind, shape in zip(names, kinds, shapes)]
    outputs = []
    for number, (name, shape) in enumerate(zip(found, _flat(told.output, of_shapes=True))):
        given = writer.fresh("output" if len(found) == 1 else f"output{number}")
        writer.nodes.append(helper.make_node("Identity", [name], [given], name=f"{given}/Identity"))
        outputs.append(helper.make_tensor_value_info(given, TensorProto.FLOAT, _dimensions(shape)))
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


def _written(graph: Graph, state: Mapping[str, Any]) -> tuple[Writer, list[str], list[str]]:
    """What the network is written as, the names of its inputs, and those of what it gives."""
    writer = Writer(state, emit)
    names = [entry.name or ("input" if len(graph.inputs) == 1 else f"input{n}") for n, entry in enumerate(graph.inputs)]
    names = [writer.fresh(name) for name in names]
    writer.first_input = names[0]
    return writer, names, _flat(writer.run(graph.root, names[0], names[1:]))


def _other_sizes(sizes: DeclaredSizes) -> Iterator[Graph]:
    """The network at sizes that are declared, other than the smallest: the next ones of each name, and typical ones."""
    smallest = sizes.smallest
    for name in sizes.names:
        size = smallest[name]
        others = [other for other in range(size + 1, size + _NEAR) if sizes.admits({**smallest, name: other})]
        for other in others[:_TRIED]:
            yield sizes.at({**smallest, name: other})
    yield sizes.at(sizes.typical)


_NEAR, _TRIED = 129, 3
"""How far from the smallest size others are looked for, and how many are taken of each name."""


def _same(one: Writer, other: Writer) -> bool:
    """Whether two networks are written alike: then nothing in it is made for one size of the input."""
    return one.nodes == other.nodes and one.initializers == other.initializers


def _dimensions(shape: Sequence[object]) -> list[str | int]:
    """The axes of a value: the batch, numbers, and sizes by their names."""
    return [BATCH, *(size if type(size) is int else str(size) for size in shape)]


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
