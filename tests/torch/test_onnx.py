"""ONNX models that `cnnspec export` writes: onnx's own check accepts them, and a runtime computes what torch does."""

from __future__ import annotations

import random
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import nn

import cnnspec
from cnnspec.backends.onnx import onnx_of, reason_against
from cnnspec.backends.torch_module import build
from cnnspec.cli.main import main
from cnnspec.errors import UnsupportedExport
from cnnspec.graph.digest import digest_of
from cnnspec.graph.nodes import Entry, Graph, LayerNode, StackNode
from cnnspec.layers import Layer
from cnnspec.layers.base import Parts
from cnnspec.source import Source, Span
from tests.layers import cases
from tests.network_generator import Generator
from tests.sampling import FULL, amount
from tests.torch.test_specs import FOLDER, LIGHT, SLOW, all_models

pytestmark = pytest.mark.filterwarnings("ignore")
HERE = Span(Source("layer.cnn", ""), 0, 0)
# Arguments so large that floats overflow on the way, where runtimes differ; a table of one vector takes no other index.
EXTREME = ("3.4e38", "1e39", "num_embeddings=1,")


def leaves(value: Any) -> list[Any]:
    return [value] if isinstance(value, torch.Tensor) else [leaf for part in value for leaf in leaves(part)]


def network(graph: Graph) -> nn.Module:
    """The network in evaluation, with statistics that are none of a fresh one."""
    net = build(graph, device="cpu").eval()
    for module in net.modules():
        if getattr(module, "running_mean", None) is not None:
            module.running_mean.normal_(0, 0.1)  # type: ignore[union-attr, operator]
            module.running_var.uniform_(0.8, 1.2)  # type: ignore[union-attr, operator]
    return net


def written(graph: Graph, net: nn.Module) -> bytes:
    return onnx_of(graph, {key: value.numpy() for key, value in net.state_dict().items()})


def assert_same(graph: Graph, *, rtol: float = 0.0, atol: float = 1e-5) -> None:
    torch.manual_seed(0)
    net = network(graph)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 4
    session = onnxruntime.InferenceSession(written(graph, net), options, providers=["CPUExecutionProvider"])
    # Another number of samples than anything in the network.
    inputs = [torch.randint(0, 2, (3, *e.shape)) if e.integers else torch.randn(3, *e.shape) for e in graph.inputs]  # type: ignore[misc]
    with torch.no_grad():
        expected = leaves(net(*[value.clone() for value in inputs]))
    found = session.run(None, {one.name: value.numpy() for one, value in zip(session.get_inputs(), inputs)})
    assert [part.shape for part in found] == [tuple(part.shape) for part in expected]
    for one, other in zip(expected, found):
        np.testing.assert_allclose(one.numpy(), other, rtol=rtol, atol=atol)


# --- layers ---


def graph_of(case: cases.Case) -> Graph | None:
    """A network of one layer; None where ONNX has it not."""
    layer = cases.answer(case.name, case.arguments, case.x).layer
    if layer is None or isinstance(case.x, Parts) or prod(case.x) > 10**5 or reason_against(layer, case.x):
        return None
    y = layer.infer(case.x)
    node = LayerNode("layer", case.name, layer, case.x, y, layer.parameters(case.x), HERE)
    root = StackNode(None, "M", (node,), case.x, y, node.parameters, HERE, 1)
    return Graph("M", {}, root, True, None, HERE.source, (Entry(None, case.x, HERE, layer.integers),))


@pytest.mark.parametrize("name", sorted(Layer.members))
def test_a_layer_gives_what_torch_gives(name: str):
    ours = [case for case in cases.accepted() if case.name == name and not any(word in case.line for word in EXTREME)]
    graphs = [graph for case in ours if (graph := graph_of(case)) is not None]
    assert graphs or name in ("MultiheadAttention",), "no case of it is written"
    for graph in graphs[: amount(1, 1_000)]:
        assert_same(graph, rtol=1e-3)


def test_attention_over_other_values_is_written():
    text = "model M { input [5, 8] as a; input [7, 6] as b; use (a, b, b); MultiheadAttention(2) }"
    assert_same(cnnspec.loads(text).graph)


# --- networks ---


@pytest.mark.parametrize("name", all_models())
def test_every_spec_is_written(name: str):
    spec = cnnspec.load(FOLDER / name)
    size = prod(max((entry.shape or () for entry in spec.graph.numbers.inputs), key=prod))
    if spec.parameters > (LIGHT if FULL else 300_000) or name in SLOW or size > (10**6 if FULL else 40_000):
        pytest.skip("in the full run, or too large")
    assert_same(spec.graph.numbers)


@pytest.mark.parametrize("values", [False, True])
def test_generated_networks_are_written(values: bool):
    for seed in range(amount(5, 1_000)):
        text, _ = Generator(random.Random(seed), values=values).model()
        try:
            assert_same(cnnspec.loads(text).graph, rtol=1e-3, atol=1e-4)
        except Exception as error:
            raise AssertionError(f"seed {seed}\n{text}") from error


def test_shapes_names_and_one_node_a_layer():
    spec = cnnspec.load(FOLDER / "lenet.cnn")
    model = onnx.load_from_string(written(spec.graph, network(spec.graph)))
    assert [node.op_type for node in model.graph.node] == [
        "Conv", "Sigmoid", "AveragePool", "Conv", "Sigmoid", "AveragePool", "Flatten", "Gemm", "Sigmoid", "Gemm", "Sigmoid",
        "Gemm", "Identity",
    ]  # fmt: skip
    shapes = {
        value.name: [dim.dim_param or dim.dim_value for dim in value.type.tensor_type.shape.dim]
        for value in (*model.graph.input, *model.graph.value_info, *model.graph.output)
    }
    assert shapes["input"] == ["batch", 1, 28, 28]
    assert shapes["3"] == ["batch", 16, 10, 10]
    assert shapes["output"] == ["batch", 10]
    assert {tensor.name for tensor in model.graph.initializer} == set(spec.compile(device="meta").state_dict())
    assert model.opset_import[0].version >= 20
    assert model.producer_name == "cnnspec"
    assert {prop.key: prop.value for prop in model.metadata_props}["digest"] == digest_of(spec.graph)


def test_what_onnx_has_not_is_listed_whole():
    text = "model M { input [3, 8, 8]; LPPool2d(3, 2) as a; AvgPool2d(2, divisor_override=3) as b; Flatten }"
    graph = cnnspec.loads(text).graph
    with pytest.raises(UnsupportedExport) as error:
        written(graph, network(graph))
    assert "  a  LPPool2d: norm_type is 2 or 4" in str(error.value)
    assert "  b  AvgPool2d: divisor_override is not written" in str(error.value)


# --- files ---


def test_files_hold_the_weights_that_are_given(tmp_path: Path):
    from safetensors import safe_open
    from safetensors.torch import load_file

    path, spec = str(FOLDER / "lenet.cnn"), cnnspec.load(FOLDER / "lenet.cnn")
    weights = tmp_path / "lenet.safetensors"
    assert main(["export", path, "-o", str(weights)]) == 0
    state = load_file(weights)
    with safe_open(str(weights), "pt") as file:
        about = file.metadata()
    assert about["digest"] == digest_of(spec.graph)
    assert about["spec"] == (FOLDER / "lenet.cnn").read_text()
    for name in ("net.onnx", "net.pt2", "again.safetensors"):
        assert main(["export", path, "-o", str(tmp_path / name), "--weights", str(weights)]) == 0
        # It is ours, so that it may be written anew.
        assert main(["export", path, "-o", str(tmp_path / name), "--weights", str(weights)]) == 0
    assert all(torch.equal(state[key], value) for key, value in load_file(tmp_path / "again.safetensors").items())
    net = spec.compile().eval()
    net.load_state_dict(state)
    image = torch.rand(5, 1, 28, 28)
    program = torch.export.load(tmp_path / "net.pt2").module()
    assert torch.equal(program(image), net(image))
    session = onnxruntime.InferenceSession(tmp_path / "net.onnx", providers=["CPUExecutionProvider"])
    np.testing.assert_allclose(session.run(None, {"input": image.numpy()})[0], net(image).detach().numpy(), atol=1e-5)


def test_weights_that_do_not_fit_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = str(FOLDER / "lenet.cnn")
    assert main(["export", path, "-o", str(tmp_path / "a.safetensors"), "-D", "num_classes=3"]) == 0
    code = main(["export", path, "-o", str(tmp_path / "net.onnx"), "--weights", str(tmp_path / "a.safetensors")])
    assert code == 1
    assert "can't be matched" in capsys.readouterr().err
    assert not (tmp_path / "net.onnx").exists()
    assert main(["export", path, "-o", str(tmp_path / "net.py"), "--weights", str(tmp_path / "a.safetensors")]) == 2


NAMED = """\
model Halves {
    input [3, H, W] where H % 2 == 0, W % 2 == 0
    Conv2d(4, 3, padding=1) as whole
    MaxPool2d(2)
    ConvTranspose2d(4, 2, stride=2)
    concat(whole)
    AvgPool2d(2)
}
model Written { input [3, H, W] as image; Conv2d(4, 3, stride=2, padding=1); Upsample(size(image)) }
"""


def axes(model: onnx.ModelProto) -> list[list[Any]]:
    values = [*model.graph.input, *model.graph.output]
    return [[one.dim_param or one.dim_value for one in value.type.tensor_type.shape.dim] for value in values]


def test_sizes_by_name_are_symbolic_axes():
    graph = cnnspec.loads(NAMED, model="Halves").declared
    net = network(graph)
    data = onnx_of(graph, {key: value.numpy() for key, value in net.state_dict().items()})
    assert axes(onnx.load_from_string(data)) == [["batch", 3, "H", "W"], ["batch", 8, "H // 2", "W // 2"]]
    session = onnxruntime.InferenceSession(data)
    for height, width in ((2, 2), (4, 10), (38, 6)):
        x = torch.randn(2, 3, height, width)
        with torch.no_grad():
            wanted = net(x).numpy()
        np.testing.assert_allclose(session.run(None, {"input": x.numpy()})[0], wanted, atol=1e-5)


def test_a_size_that_is_written_as_a_number_stays_one():
    graph = cnnspec.loads(NAMED, model="Written").declared
    net = network(graph)
    data = onnx_of(graph, {key: value.numpy() for key, value in net.state_dict().items()})
    assert axes(onnx.load_from_string(data)) == [["batch", 3, 1, 1], ["batch", 4, 1, 1]]
    at_size = cnnspec.loads(NAMED, model="Written", H=8, W=6).declared
    data = onnx_of(at_size, {key: value.numpy() for key, value in net.state_dict().items()})
    assert axes(onnx.load_from_string(data)) == [["batch", 3, 8, 6], ["batch", 4, 8, 6]]
