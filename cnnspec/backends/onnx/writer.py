"""What collects the nodes of an ONNX graph while a network is run on the names of its values."""

from __future__ import annotations

import numpy as np
from onnx import NodeProto, TensorProto, ValueInfoProto, helper, numpy_helper

from cnnspec.analysis.flow import Interpreter
from cnnspec.graph.nodes import LayerNode, MergeNode, ResidualNode, Weight
from cnnspec.layers import Layer
from cnnspec.layers.base import Parts, Shape
from cnnspec.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    Array = np.ndarray[Any, Any]

BATCH = "batch"


class Unwritable(Exception):
    """A layer, or one with these arguments, that ONNX has not."""


@record
class Place:
    """Where a layer is written: what it collects, the layer, its shapes, the key of its module, and its input."""

    writer: Writer
    layer: Layer
    x: Any
    y: Any
    path: str
    given: Any
    """The name of the value that arrives; of a tuple, their names."""

    def op(self, kind: str, *inputs: str, outputs: int = 1, **attributes: Any) -> Any:
        """Add a node; the name of what it gives, or of several the tuple of names."""
        return self.writer.op(kind, inputs, self.path, outputs=outputs, **attributes)

    def constant(self, values: Any, kind: str = "float32") -> str:
        """The name of a constant."""
        return self.writer.constant(np.asarray(values, dtype=kind), self.path)

    def sizes(self, *values: int) -> str:
        """The name of a constant of whole numbers."""
        return self.constant(values, "int64")

    def tensor(self, name: str) -> Array:
        """A tensor of the layer in the state dict."""
        return self.writer.state[f"{self.path}.{name}"]

    def has(self, name: str) -> bool:
        return f"{self.path}.{name}" in self.writer.state

    def weight(self, name: str, values: Array | None = None) -> str:
        """The name of a tensor of the layer, or of other values under its name."""
        return self.writer.initializer(f"{self.path}.{name}", self.tensor(name) if values is None else values)


class Writer(Interpreter):
    """Runs a graph on names of values. `emit` writes one layer."""

    def __init__(self, state: Mapping[str, Array], emit: Callable[[Layer, Place], Any]) -> None:
        self.state, self.emit = state, emit
        self.nodes: list[NodeProto] = []
        self.initializers: dict[str, TensorProto] = {}
        self.shapes: dict[str, ValueInfoProto] = {}
        # Tensors of the state dict have the names of their keys.
        self.names: dict[str, int] = dict.fromkeys(state, 0)
        self.batch = ""
        """The name of the value that holds the size of the batch, as a list of one."""
        self.first_input = ""

    # --- nodes ---

    def fresh(self, path: str) -> str:
        """A name for a value."""
        count = self.names[path] = self.names.get(path, -1) + 1
        return f"{path}:{count}" if count else path

    def op(self, kind: str, inputs: Sequence[str], path: str, *, outputs: int = 1, **attributes: Any) -> Any:
        names = [self.fresh(path or kind) for _ in range(outputs)]
        kept = {name: value for name, value in attributes.items() if value is not None}
        self.nodes.append(helper.make_node(kind, list(inputs), names, name=f"{names[0]}/{kind}", **kept))
        return names[0] if outputs == 1 else tuple(names)

    def constant(self, values: Array, path: str) -> str:
        name = self.fresh(f"{path or 'constant'}/constant")
        self.initializers[name] = numpy_helper.from_array(values, name)
        return name

    def initializer(self, name: str, values: Array) -> str:
        """A tensor of the state dict under its key; of other values under one of their own."""
        known = self.initializers.get(name)
        if known is None:
            self.initializers[name] = numpy_helper.from_array(np.ascontiguousarray(values), name)
        elif known.raw_data != np.ascontiguousarray(values).tobytes():
            return self.constant(values, name)
        return name

    def tell(self, name: Any, shape: Any) -> None:
        """Note the shape of a value."""
        if isinstance(name, tuple):
            for one, part in zip(name, shape):
                self.tell(one, part)
        elif shape is not None and not isinstance(shape, Parts):
            self.shapes[name] = helper.make_tensor_value_info(name, TensorProto.FLOAT, [BATCH, *shape])

    # --- what runs ---

    def layer(self, node: LayerNode, x: Any, path: str) -> Any:
        assert node.layer is not None
        y = self.emit(node.layer, Place(self, node.layer, node.input, node.output, path, x))
        self.tell(y, node.output)
        return y

    def merge(self, node: MergeNode | ResidualNode, parts: list[Any], path: str) -> Any:
        if isinstance(node, ResidualNode):
            return self._folded("Add", parts, path, node.output)
        if node.kind == "tuple":
            return tuple(parts)
        if node.kind == "concat":
            y = self.op("Concat", parts, path, axis=node.dim)
            self.tell(y, node.output)
            return y
        if node.kind == "matmul":
            return self._folded("MatMul", parts, path, node.output)
        kind = {"add": "Add", "multiply": "Mul"}[node.kind]
        if node.operands:
            waiting = iter(parts[1:])
            numbers = [np.asarray(part, "float32") for part in node.operands if part is not None]
            names = iter([self.constant(number, path) for number in numbers])
            parts = [parts[0], *[next(waiting) if part is None else next(names) for part in node.operands]]
        return self._folded(kind, parts, path, node.output)

    def _folded(self, kind: str, parts: Sequence[str], path: str, shape: Any) -> str:
        name = parts[0]
        for part in parts[1:]:
            name = self.op(kind, [name, part], path)
        if len(parts) > 1:
            self.tell(name, shape)
        return name

    def weight(self, weight: Weight, path: str) -> str:
        """A learned value, stretched over the batch."""
        stored = self.initializer(path, self.state[path])
        target = self.op(
            "Concat", [self._batch(), self.constant(np.asarray(weight.shape, "int64"), path)], path, axis=0
        )
        name = str(self.op("Expand", [stored, target], path))
        self.tell(name, weight.shape)
        return name

    def _batch(self) -> str:
        if not self.batch:
            whole = self.op("Shape", [self.first_input], "batch", start=0, end=1)
            self.batch = str(whole)
        return self.batch


def flat_sizes(value: Any, axes: int) -> tuple[int, ...]:
    """A number for each axis."""
    return tuple(value) if isinstance(value, tuple) else (int(value),) * axes


def spatial(shape: Shape) -> Shape:
    return shape[1:]
