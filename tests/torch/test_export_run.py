"""A run as ONNX, as a program of torch and as safetensors: fed with images as they are stored, it gives what the run gives."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
import torch
from torch import Tensor

import cnnspec
from cnnspec.cli.main import main
from cnnspec.training.data.load import load_data
from cnnspec.training.restore import open_model

torch.set_num_threads(1)

TEXT = """model Net {
    input [1, 8, 8]
    Conv2d(4, 3, padding=1); BatchNorm2d; ReLU; Flatten
    Linear(10)
}
train { data = Digits; epochs = 1; augment = [RandomCrop(8, padding=1), RandomHorizontalFlip] }
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("export")
    cnnspec.train(cnnspec.loads(TEXT), None, device="cpu", out=where / "run")
    return where / "run"


def expected(folder: Path, images: Tensor) -> Tensor:
    model = open_model(folder, device="cpu")
    with torch.no_grad():
        return model.net(model.prepare.inputs(images))  # type: ignore[no-any-return]


@pytest.fixture
def images() -> Tensor:
    return load_data("Digits").test.images[:5]  # type: ignore[union-attr]


def test_onnx(folder: Path, images: Tensor, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    onnx, onnxruntime = pytest.importorskip("onnx"), pytest.importorskip("onnxruntime")
    path = tmp_path / "net.onnx"
    assert main(["export", str(folder), "-o", str(path)]) == 0
    assert "on 8 samples it differs from the run by" in capsys.readouterr().out
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (given,) = session.get_inputs()
    assert given.type == "tensor(uint8)"
    (found,) = session.run(None, {given.name: images.numpy()})
    torch.testing.assert_close(torch.from_numpy(found), expected(folder, images), rtol=1e-4, atol=1e-4)
    about = {one.key: one.value for one in onnx.load(str(path)).metadata_props}
    assert about["classes"].split("\n") == [str(digit) for digit in range(10)]
    assert about["task"] == "classification"


def test_a_program_of_torch(folder: Path, images: Tensor, tmp_path: Path):
    path = tmp_path / "net.pt2"
    assert main(["export", str(folder), "-o", str(path)]) == 0
    program = torch.export.load(io.BytesIO(path.read_bytes())).module()
    torch.testing.assert_close(program(images), expected(folder, images), rtol=1e-4, atol=1e-4)


def test_safetensors(folder: Path, tmp_path: Path):
    path = tmp_path / "net.safetensors"
    assert main(["export", str(folder), "-o", str(path)]) == 0
    from safetensors import safe_open

    with safe_open(path, "pt") as file:
        assert set(file.keys()) == set(open_model(folder, device="cpu").net.state_dict())
        assert "Conv2d(4, 3" in file.metadata()["spec"]


@pytest.mark.parametrize(("arguments", "message"), [
    (["--to", "py"], "a run is written as onnx, pt2, safetensors, not as py"),
    (["--to", "onnx", "--weights", "a.pt"], "a run has weights of its own"),
])  # fmt: skip
def test_what_can_not_be_written(folder: Path, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]):
    assert main(["export", str(folder), *arguments]) == 2
    assert message in capsys.readouterr().err


def test_a_run_whose_data_is_gone(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    import numpy

    images = load_data("Digits").train.images[:40]  # type: ignore[union-attr]
    numpy.savez(tmp_path / "own.npz", x=images.numpy(), y=numpy.arange(40) % 10)
    recipe = {"data": f'Npz("{tmp_path / "own.npz"}")', "epochs": 1}
    cnnspec.train(cnnspec.loads(TEXT), recipe, device="cpu", out=tmp_path / "run")
    (tmp_path / "own.npz").unlink()
    assert main(["export", str(tmp_path / "run"), "-o", str(tmp_path / "net.pt2")]) == 0
    assert "on drawn inputs, as its data is not here" in capsys.readouterr().out


def test_a_folder_that_is_no_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["export", str(tmp_path), "--to", "onnx"]) == 2
    assert str(tmp_path) in capsys.readouterr().err
