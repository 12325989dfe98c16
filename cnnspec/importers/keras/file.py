"""A Keras configuration, `model.json` or the one in a `.keras` file, as a spec: nothing is run, and no weights are read."""

from __future__ import annotations

import json
import zipfile

from cnnspec.backends.cnn_source.naming import clean_name
from cnnspec.diagnostics import Sink, codes
from cnnspec.errors import UsageError
from cnnspec.files import read_regular, reason_of
from cnnspec.importers.keras.layers import LAYERS
from cnnspec.importers.keras.values import Unread, Value, as_in_keras
from cnnspec.importers.torch_source import import_outcome
from cnnspec.source import Source, Span
from cnnspec.torch_source.check import Options, check_python

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from cnnspec.importers.spec_text import Imported

    Layer = dict[str, Any]

LARGEST = 10_000_000
"""Bytes of a configuration."""
LAYERS_AT_MOST = 5_000
_NUMBERS = (
    "units", "filters", "rate", "epsilon", "momentum", "scale", "offset", "alpha", "negative_slope", "max_value", "groups",
    "depth_multiplier", "input_dim", "output_dim",
)  # fmt: skip
_HEAD = "import torch\nimport torch.nn.functional as F\nfrom torch import nn\n\n\n"
_CONVOLVED = ("Conv", "Pool", "Padding", "UpSampling", "Cropping", "Depthwise", "Separable", "BatchNorm")


def import_keras(path: str, sink: Sink) -> Imported | None:
    """The spec of a configuration; what specs can't say goes to `sink`, each at the line that the layer is as PyTorch.

    Inputs of images have their channels first, as all in PyTorch. Raises UsageError for a file that can't be read.
    """
    model = _read(path)
    name = path.replace("\\", "/").rpartition("/")[2]
    try:
        network = _Network(model)
        text = network.text()
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, ZeroDivisionError, RecursionError) as error:
        raise UsageError(f"{path} is no configuration of a Keras model: {type(error).__name__}: {error}") from None
    source = Source(f"{name} as PyTorch", text)
    for line, reason in network.problems:
        start = source.line_starts[line - 1] + len("        ")
        sink.report(codes.NOT_IMPORTED, Span(source, start, source.line_starts[line] - 1), reason=reason)
    if network.problems:
        return None
    outcome, *_ = check_python(source, "", sink, Options(network.name, tuple(network.shapes)))
    if sink.has_errors:
        return None
    if outcome.stop:
        sink.report(codes.NOT_IMPORTED, (outcome.stopped_at or outcome.place).span, reason=outcome.stop)
        return None
    return import_outcome(outcome, sink, {}, {}, f"Imported from {name}.")


def _read(path: str) -> dict[str, Any]:
    try:
        if path.endswith(".keras"):
            with zipfile.ZipFile(path) as archive, archive.open("config.json") as file:
                content = file.read(LARGEST + 1)
        else:
            content = read_regular(path, LARGEST + 1)
        if len(content) > LARGEST:
            raise UsageError(f"{path} is larger than {LARGEST:,} bytes")
        model = json.loads(content)
    except (OSError, ValueError) as error:
        raise UsageError(f"can't read {path}: {reason_of(error)}") from None
    except (zipfile.BadZipFile, KeyError, RuntimeError, RecursionError, NotImplementedError):
        raise UsageError(f"{path} holds no config.json") from None
    if not isinstance(model, dict) or model.get("class_name") not in ("Sequential", "Functional", "Model"):
        raise UsageError(f"{path} is no configuration of a Sequential or Functional model of Keras")
    return model


class _Network:
    """The source of one model."""

    def __init__(self, model: dict[str, Any]) -> None:
        config = model["config"]
        self.name = "".join(part.capitalize() for part in str(config.get("name", "net")).split("_"))
        self.name = self.name if self.name.isidentifier() and self.name not in ("F", "Torch") else "Net"
        self.layers: list[Layer] = list(config["layers"])
        if len(self.layers) > LAYERS_AT_MOST:
            raise UsageError(f"a model of more than {LAYERS_AT_MOST:,} layers")
        self.functional = model["class_name"] != "Sequential"
        self.config = config
        self.modules: list[tuple[str, str]] = []
        self.lines: list[str] = []
        self.shapes: list[tuple[int, ...]] = []
        self.inputs: list[str] = []
        self.values: dict[str, Value] = {}
        self.problems: list[tuple[int, str]] = []
        self._calls = self._called()

    def text(self) -> str:
        order = self._in_order() if self.functional else [(layer, None) for layer in self.layers]
        current: Value | None = None
        for layer, names in order:
            settings = layer["config"] | {"class_name": layer["class_name"]}
            if layer["class_name"] == "InputLayer":
                current = self._input(settings)
            else:
                if current is None and not self.functional:
                    current = self._input(settings)
                given = [current] if names is None else [self.values[one] for one in names]
                assert all(one is not None for one in given)
                current = self._layer(layer, settings, [one for one in given if one is not None])
            self.values[str(layer["config"].get("name", layer.get("name")))] = current
        assert current is not None
        outputs = (
            [current] if not self.functional else [self.values[name] for name in _ends(self.config["output_layers"])]
        )
        self.lines.append(f"return {', '.join(one.text for one in map(_finished, outputs))}")
        return self._source()

    def _source(self) -> str:
        head = [f"class {self.name}(nn.Module):", "    def __init__(self):", "        super().__init__()"]
        head += [f"        self.add_module({name!r}, {made})" for name, made in self.modules]
        head += [f"    def forward(self, {', '.join(self.inputs)}):"]
        start = _HEAD.count("\n") + len(head)
        self.problems = [(start + line, reason) for line, reason in self.problems]
        return _HEAD + "\n".join([*head, *(f"        {line}" for line in self.lines)]) + "\n"

    # --- layers ---

    def _input(self, config: dict[str, Any]) -> Value:
        """An input. Images and volumes have their channels first, and what a convolution takes."""
        shape = config.get("batch_shape") or config.get("batch_input_shape")
        if shape is None or any(not isinstance(size, int) or size < 1 for size in shape[1:]):
            raise UsageError("the model does not say the shape of its input in numbers")
        sizes = tuple(shape[1:])
        name = f"x{len(self.inputs)}"
        self.inputs.append(name)
        first = len(sizes) > 2 or (len(sizes) == 2 and self._is_convolved(str(config.get("name"))))
        self.shapes.append((sizes[-1], *sizes[:-1]) if first else sizes)
        return Value(name, sizes, first)

    def _is_convolved(self, name: str) -> bool:
        readers = [layer for layer in self.layers if name in self._calls.get(str(layer["config"].get("name")), [])]
        if not self.functional:
            readers = [layer for layer in self.layers if layer["class_name"] != "InputLayer"][:1]
        return any(word in layer["class_name"] for layer in readers for word in _CONVOLVED)

    def _layer(self, layer: Layer, config: dict[str, Any], given: list[Value]) -> Value:
        kind = layer["class_name"]
        name = str(config.get("name", ""))
        if name.replace("_", "").rstrip("0123456789") == kind.lower().rstrip("0123456789") or name[:1].isdigit():
            # The name that Keras gives by itself.
            config["name"] = ""
        try:
            rule = LAYERS.get(kind)
            if rule is None:
                raise Unread(f"the layer `{kind}`")
            if any(isinstance(config.get(one), (str, list, dict)) for one in _NUMBERS):
                raise Unread(f"the arguments of `{kind}`")
            return self.bound(rule(self, config, given))
        except Unread as problem:
            self.lines.append(f"v{len(self.lines)} = {kind}()")
            self.problems.append((len(self.lines), str(problem)))
            return given[0]

    def bound(self, value: Value) -> Value:
        """A value under a name of its own."""
        name = f"v{len(self.lines)}"
        self.lines.append(f"{name} = {value.text}")
        return Value(name, value.shape, value.first)

    def module(self, made: str, name: str = "") -> str:
        """Register a module, and how it is called: under its name in Keras, where somebody has chosen that."""
        wish = clean_name(name)
        taken = {one for one, _ in self.modules}
        key = wish if wish and wish not in taken else str(len(self.modules))
        self.modules.append((key, made))
        return f"self.get_submodule({key!r})"

    # --- the order of functional models ---

    def _called(self) -> dict[str, list[str]]:
        """The layers whose values each layer takes, by their names."""
        found: dict[str, list[str]] = {}
        for layer in self.layers if self.functional else []:
            nodes = layer.get("inbound_nodes") or []
            if len(nodes) > 1:
                raise UsageError(f"the layer {layer['config'].get('name')!r} runs more than once, which is not read")
            found[str(layer["config"].get("name"))] = _sources(nodes[0]) if nodes else []
        return found

    def _in_order(self) -> list[tuple[Layer, list[str] | None]]:
        waiting = {str(layer["config"].get("name")): layer for layer in self.layers}
        order: list[tuple[Layer, list[str] | None]] = []
        inputs = _ends(self.config["input_layers"])
        for name in inputs:
            order.append((waiting.pop(name), None))
        done = set(inputs)
        while waiting:
            ready = [name for name in waiting if done.issuperset(self._calls[name])]
            if not ready:
                raise UsageError("the layers of the model take their values in a circle")
            for name in ready:
                order.append((waiting.pop(name), self._calls[name]))
                done.add(name)
        return order


def _finished(value: Value) -> Value:
    """An output: images keep their channels in front."""
    return value if len(value.shape) > 2 and value.first else as_in_keras(value)


def _ends(given: Any) -> list[str]:
    """The names of layers in `input_layers` and `output_layers`."""
    if given and isinstance(given[0], str):
        return [given[0]]
    return [one[0] for one in given]


def _sources(node: Any) -> list[str]:
    """The names of the layers in a node, as Keras 2 or Keras 3 writes it."""
    if isinstance(node, dict):
        found: list[str] = []
        waiting = [node["args"]]
        while waiting:
            part = waiting.pop(0)
            if isinstance(part, dict) and part.get("class_name") == "__keras_tensor__":
                found.append(part["config"]["keras_history"][0])
            elif isinstance(part, (list, tuple)):
                waiting = [*part, *waiting]
        return found
    return [node[0]] if node and isinstance(node[0], str) else [one[0] for one in node]
