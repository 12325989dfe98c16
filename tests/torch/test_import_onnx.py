"""ONNX files as specs: the same outputs as onnxruntime gives, or refused at the line that a node is as PyTorch."""

from __future__ import annotations

import json
from contextlib import chdir
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from safetensors.torch import load_file

import cnnspec
from cnnspec.cli.main import main
from cnnspec.pipeline import check
from cnnspec.syntax.read import read_source
from tests.sampling import FULL

SPECS = Path(__file__).parent.parent.parent / "specs"
CASES = ["lenet", "resnet_small", "gmlp", "unet", "mobilenet_v2", "densenet"] if FULL else ["lenet", "resnet_small"]
REFUSED = {"crnn": "the operator `LSTM`"}


def imported(path: Path, folder: Path) -> tuple[cnnspec.Spec, torch.nn.Module]:
    with chdir(folder):
        assert main(["import", str(path), "-o", "net.cnn", "--force"]) == 0
    spec = cnnspec.load(folder / "net.cnn")
    net = spec.compile().eval()
    net.load_state_dict(load_file(folder / "net.safetensors"))
    return spec, net


def same(path: Path, net: torch.nn.Module, spec: cnnspec.Spec) -> None:
    """Whether a network gives what onnxruntime does."""
    runtime = pytest.importorskip("onnxruntime")
    session = runtime.InferenceSession(str(path))
    x = torch.rand(1, *spec.input)
    (wanted,) = session.run(None, {session.get_inputs()[0].name: x.numpy()})
    with torch.no_grad():
        found = net(x).numpy()
    assert np.abs(found - wanted).max() <= 1e-5 * (1 + np.abs(wanted).max())
    assert np.abs(wanted).std() > 0


@pytest.mark.parametrize("name", CASES)
def test_a_spec_comes_back(name: str, tmp_path: Path):
    model = check(read_source(SPECS / f"{name}.cnn", sink := cnnspec.diagnostics.Sink()), sink)[0].name
    path = tmp_path / "there.onnx"
    assert main(["export", f"{SPECS / name}.cnn:{model}", "-o", str(path)]) == 0
    spec, net = imported(path, tmp_path)
    same(path, net, spec)
    original = cnnspec.load(SPECS / f"{name}.cnn", model)
    assert (spec.input, spec.output, spec.parameters) == (original.input, original.output, original.parameters)


class Builder:
    """A graph of one input [N, 4, 8, 8] that nodes are added to."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.arrays: list[onnx.TensorProto] = []
        self.last = "x"

    def array(self, name: str, *shape: int, values: object = None) -> str:
        drawn = np.random.default_rng(len(self.arrays)).normal(size=shape).astype("float32") * 0.3
        self.arrays.append(numpy_helper.from_array(drawn if values is None else np.asarray(values), name))
        return name

    def add(self, kind: str, *inputs: str, **attributes: object) -> Builder:
        name = f"{kind}{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs or [self.last], [name], name=name, **attributes))
        self.last = name
        return self

    def save(self, path: Path, *shape: object) -> Path:
        x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 4, 8, 8])
        y = helper.make_tensor_value_info(self.last, TensorProto.FLOAT, ["N", *shape])
        graph = helper.make_graph(self.nodes, "g", [x], [y], self.arrays)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
        onnx.save(model, str(path))
        return path


def grown() -> Builder:
    """Operators with the arguments that are least alike in ONNX and torch."""
    made = Builder()
    made.add("Conv", "x", made.array("a.conv.weight", 6, 4, 3, 3), made.array("a.conv.bias", 6), pads=[1, 0, 2, 1])
    made.add("LeakyRelu", alpha=0.2)
    made.add("Mul", made.last, made.array("scale", 6, 1, 1))
    made.add("MaxPool", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    short = made.last
    made.add("ConvTranspose", short, made.array("up.weight", 6, 6, 2, 2), strides=[2, 2])
    made.add("Clip", made.last, made.array("low", values=np.float32(0)), made.array("high", values=np.float32(6)))
    made.add("AveragePool", kernel_shape=[2, 2], strides=[2, 2])
    made.add("Concat", made.last, short, axis=1)
    made.add("Transpose", perm=[0, 2, 3, 1])
    made.add("MatMul", made.last, made.array("fc.weight", 12, 5))
    made.add("Add", made.last, made.array("fc.bias", 5))
    made.add("ReduceMean", made.last, made.array("axes", values=np.array([1, 2])), keepdims=0)
    made.add("Gemm", made.last, made.array("out", 5, 3), made.array("out.bias", 3))
    return made.add("Softmax", axis=-1)


def test_what_operators_mean(tmp_path: Path):
    spec, net = imported(path := grown().save(tmp_path / "net.onnx", 3), tmp_path)
    same(path, net, spec)
    assert (
        (tmp_path / "net.cnn").read_text()
        == """# Imported from net.onnx.
model Net {
    input [4, 8, 8]

    ZeroPad2d((0, 1, 1, 2))
    Conv2d(6, 3) as conv
    LeakyReLU(0.2)
    LayerScale(1.0) as constant
    MaxPool2d(3, stride=2, padding=1)
    concat {
        branch {
            ConvTranspose2d(6, 2, stride=2, bias=false) as up
            ReLU6
            AvgPool2d(2)
        }
        branch { }
    }
    Permute((0, 2, 3, 1))
    Linear(5) as fc
    Mean((1, 2))
    Linear(3) as out
    Softmax(1)
}
"""
    )
    keys = json.loads((tmp_path / "net.keys.json").read_text())
    assert keys["conv.weight"] == "a.conv.weight"
    assert "fc.weight" not in keys


def test_what_cannot_be_said_is_refused_at_its_node(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    made = Builder()
    made.add("Conv", "x", made.array("w", 4, 4, 3, 3)).add("Sin").add(
        "CumSum", made.last, made.array("axis", values=np.int64(1))
    )
    made.save(tmp_path / "net.onnx")
    with chdir(tmp_path):
        assert main(["import", "net.onnx"]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.count("error[E820]") == 2
    assert "a spec can't say this: the operator `Sin`" in told.err
    assert "--> net.onnx as PyTorch:" in told.err


@pytest.mark.parametrize("content", [b"", b"\x08\x0a", b"no model at all", b"\xff" * 100])
def test_what_is_no_onnx_is_told(content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "net.onnx").write_bytes(content)
    with chdir(tmp_path):
        assert main(["import", "net.onnx"]) == 2
        assert main(["import", "absent.onnx"]) == 2
        assert main(["import", "net.onnx", "--input", "3x3"]) == 2
    told = capsys.readouterr().err
    assert "net.onnx is no ONNX file that can be read" in told
    assert "Traceback" not in told


def test_a_network_of_which_the_size_is_open_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    model = onnx.load(str(grown().save(tmp_path / "net.onnx", 3)))
    model.graph.input[0].type.tensor_type.shape.dim[2].dim_param = "H"
    onnx.save(model, str(tmp_path / "net.onnx"))
    assert main(["import", str(tmp_path / "net.onnx")]) == 2
    assert "the input `x` has sizes by name" in capsys.readouterr().err
