"""An ONNX file as PyTorch source: a module whose forward does what the nodes do, one line a node.

The text is followed as any other source, so that what specs can say of it is decided in one place. Nodes with weights are
modules; arrays that they change on the way, such as a matrix that ONNX has transposed, are kept beside their names.
"""

from __future__ import annotations

import onnx
import onnx.shape_inference
from onnx import numpy_helper
from onnx.reference import ReferenceEvaluator

from cnnspec.backends.cnn_source.naming import clean_name
from cnnspec.errors import UsageError
from cnnspec.importers.onnx import functions as functions
from cnnspec.importers.onnx import layers as layers
from cnnspec.importers.onnx import layout as layout
from cnnspec.importers.onnx.nodes import NODES, Node, Unread, Value
from cnnspec.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from cnnspec.importers.onnx.nodes import Array

HEAD = "import torch\nimport torch.nn.functional as F\nfrom torch import nn\n\n\n"
NAME = "Net"
_FOLDED = frozenset("Cast Reshape Transpose Concat Slice Gather Squeeze Unsqueeze Sqrt Neg Reciprocal Identity".split())


@record
class OnnxSource:
    """The source of an ONNX file, the shapes of its inputs without the batch, and what it holds: arrays by the name of
    their module and their own. `problems` are lines of the text, counted from 1, and why they can't be read."""

    text: str
    inputs: tuple[tuple[int, ...], ...]
    arrays: Mapping[str, Mapping[str, Array]]
    names: Mapping[str, Mapping[str, str]]
    """The names that these arrays have in the file, "" for those that it has not as they are."""
    problems: tuple[tuple[int, str], ...]


def source_of_onnx(path: str) -> OnnxSource:
    """The source of a file. Raises UsageError for one that can't be read."""
    try:
        model = onnx.load(path)
        onnx.checker.check_model(model)
    except Exception as error:
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise UsageError(f"{path} is no ONNX file that can be read: {first[:150]}") from None
    return _Reader(onnx.shape_inference.infer_shapes(model).graph).read()


class _Reader:
    def __init__(self, graph: onnx.GraphProto) -> None:
        self.graph = graph
        self.values: dict[str, Value] = {}
        self.modules: list[tuple[str, str]] = []
        self.arrays: dict[str, dict[str, Array]] = {}
        self.names: dict[str, dict[str, str]] = {}
        self.parameters: list[tuple[str, tuple[int, ...]]] = []
        self.lines: list[str] = []
        self.added: dict[str, str] = {}
        """Sums that are the bias of a matrix product, with that."""
        self.problems: list[tuple[int, str]] = []
        self.origin: dict[int, str] = {}
        for one in graph.initializer:
            array = numpy_helper.to_array(one)
            self.values[one.name] = Value(array=array)
            self.origin[id(array)] = one.name
        self.wishes = _wishes(graph)
        self.batch = 0
        self.ranks = {
            one.name: len(one.type.tensor_type.shape.dim) for one in (*graph.input, *graph.value_info, *graph.output)
        }
        outputs = dict.fromkeys(name for node in graph.node for name in node.output)
        self.variables = {name: f"v{number}" for number, name in enumerate(outputs)}

    def read(self) -> OnnxSource:
        given = [one for one in self.graph.input if one.name not in self.values]
        shapes = []
        for number, one in enumerate(given):
            dims = one.type.tensor_type.shape.dim
            if not dims or any(dim.dim_value <= 0 for dim in dims[1:]):
                raise UsageError(
                    f"the input `{one.name}` has sizes by name; only the batch may have one: fix the others before, as by "
                    "python -m onnxruntime.tools.make_dynamic_shape_fixed"
                )
            self.batch = dims[0].dim_value or 0
            shapes.append(tuple(dim.dim_value for dim in dims[1:]))
            self.values[one.name] = Value(text=f"x{number}" if len(given) > 1 else "x")
        names = [self.values[one.name].text for one in given]
        for node in self.graph.node:
            self._node(node)
        returned = [self.values[one.name].said for one in self.graph.output]
        self.lines.append(f"return {', '.join(returned)}")
        return self._source(names, tuple(shapes))

    def _source(self, names: list[str], shapes: tuple[tuple[int, ...], ...]) -> OnnxSource:
        head = [f"class {NAME}(nn.Module):", "    def __init__(self):", "        super().__init__()"]
        head += [f"        self.add_module({name!r}, {made})" for name, made in self.modules]
        head += [f"        self.{name} = nn.Parameter(torch.zeros({shape}))" for name, shape in self.parameters]
        head += [f"    def forward(self, {', '.join(names)}):"]
        text = HEAD + "\n".join([*head, *(f"        {line}" for line in self.lines)]) + "\n"
        start = HEAD.count("\n") + len(head)
        problems = tuple((start + number, reason) for number, reason in self.problems)
        return OnnxSource(text, shapes, self.arrays, self.names, problems)

    def _node(self, node: onnx.NodeProto) -> None:
        place = Node(self, node)
        if node.output[0] in self.added:
            self.values[node.output[0]] = self.values[self.added[node.output[0]]]
            return
        try:
            if (folded := self._folded(node)) is not None:
                self.values[node.output[0]] = Value(array=folded)
                return
            rule = NODES.get(node.op_type) if node.domain in ("", "ai.onnx") else None
            if rule is None:
                raise Unread(f"the operator `{node.op_type}`")
            found = rule(place)
        except Unread as problem:
            self.lines.append(f"{self.variables[node.output[0]]} = {node.op_type}()")
            self.problems.append((len(self.lines), str(problem)))
            found = [Value(text=self.variables[name]) for name in node.output]
        for name, value in zip(node.output, found):
            self.values[name] = self._kept(name, value)

    def _folded(self, node: onnx.NodeProto) -> Array | None:
        """What a node gives that works on arrays of the file alone, and makes none that is larger than they are."""
        given = {name: self.value(name).array for name in node.input if name}
        if node.op_type not in _FOLDED or not given or any(array is None for array in given.values()):
            return None
        found: Array = ReferenceEvaluator(node).run(None, given)[0]  # type: ignore[index]
        return found

    def _kept(self, name: str, value: Value) -> Value:
        """A value of a node: a text that does something is bound to a name first."""
        if not value.text or value.text.isidentifier() or value.is_list:
            return value
        variable = self.variables[name]
        self.lines.append(f"{variable} = {value.text}")
        return Value(text=variable)

    def rank(self, name: str) -> int:
        """How many dimensions a value has."""
        if name not in self.ranks:
            raise Unread(f"`{name}`, of which the file does not say how many dimensions it has")
        return self.ranks[name]

    def value(self, name: str) -> Value:
        return self.values.get(name) or Value()

    def module(self, made: str, arrays: Mapping[str, Array]) -> str:
        """Register a module with its weights; its name."""
        known = (self.origin.get(id(array), "") for array in arrays.values())
        name = next((self.wishes[one] for one in known if one in self.wishes), str(len(self.modules)))
        self.modules.append((name, made))
        self.arrays[name] = dict(arrays)
        self.names[name] = {key: self.origin.get(id(array), "") for key, array in arrays.items()}
        return name

    def bias_behind(self, product: onnx.NodeProto, count: int) -> Array | None:
        """The array that the sum behind a matrix product adds to each row; the sum is left out then."""
        name = product.output[0]
        readers = [node for node in self.graph.node if name in node.input]
        if len(readers) != 1 or readers[0].op_type != "Add" or any(one.name == name for one in self.graph.output):
            return None
        other = next((one for one in readers[0].input if one != name), name)
        array = self.value(other).array
        if array is None or array.shape != (count,):
            return None
        self.added[readers[0].output[0]] = name
        return array

    def parameter(self, array: Array) -> str:
        """Register an array as a parameter of the network; how it is called."""
        name = f"constant{len(self.parameters)}" if self.parameters else "constant"
        self.parameters.append((name, array.shape))
        self.arrays[name] = {"": array}
        self.names[name] = {"": self.origin.get(id(array), "")}
        return f"self.{name}"


def _wishes(graph: onnx.GraphProto) -> dict[str, str]:
    """Names for the modules that hold the weights, from the names of these: `features.conv1.weight` wishes for `conv1`."""
    found: dict[str, str] = {}
    for one in graph.initializer:
        parts = one.name.split(".")
        if len(parts) > 1 and parts[-1] in ("weight", "bias", "gamma") and parts[-2].isidentifier():
            found[one.name] = clean_name(parts[-2])
    owners: dict[str, set[str]] = {}
    for name, wish in found.items():
        owners.setdefault(wish, set()).add(name.rpartition(".")[0])
    return {name: wish for name, wish in found.items() if wish and len(owners[wish]) == 1}
