"""`cnnspec import model.py`: specs as a person would write them, places that can't be said, files that are not overwritten."""

from __future__ import annotations

import json
from contextlib import chdir
from pathlib import Path

import pytest

from cnnspec.cli.main import main
from tests.import_sources import CASES, HEAD, RESNET

INLINE = {
    "E820": "test_what_cannot_be_said_is_refused_at_its_place",
    "E821": "test_another_network_in_training_is_asked_about",
}
NET = "class Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.conv = nn.Conv2d(3, 8, 3)\n"


def imported(folder: Path, text: str, *arguments: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    (folder / "model.py").write_text(HEAD + text)
    with chdir(folder):
        code = main(["import", "model.py:Net", *arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def shapes_of(shapes: tuple[tuple[int, ...], ...]) -> str:
    return ",".join("x".join(map(str, shape)) for shape in shapes)


@pytest.mark.parametrize("name", CASES)
def test_what_is_written(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    text, shapes, wanted = CASES[name]
    code, out, err = imported(tmp_path, text, "--input", shapes_of(shapes), capsys=capsys)
    assert code == 0, err
    if wanted is not None:
        assert out == wanted
    (tmp_path / "net.cnn").write_text(out)
    with chdir(tmp_path):
        assert main(["check", "net.cnn"]) == 0, capsys.readouterr().out


def test_the_map_of_keys_stands_beside(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    code, out, err = imported(tmp_path, RESNET, "--input", "3x16x16", "-o", "net.cnn", capsys=capsys)
    assert (code, out) == (0, "")
    assert "wrote net.cnn, and the keys of its weights in net.keys.json" in err
    keys = json.loads((tmp_path / "net.keys.json").read_text())
    assert keys["conv1"] == "conv1"
    assert keys["2.0.body.conv1"] == "layer1.0.conv1"
    code, _, err = imported(tmp_path, RESNET, "--input", "3x16x16", "-o", "net.cnn", capsys=capsys)
    assert code == 2
    assert "net.cnn is there already: --force writes over it" in err
    assert imported(tmp_path, RESNET, "--input", "3x16x16", "-o", "net.cnn", "--force", capsys=capsys)[0] == 0


@pytest.mark.parametrize(
    ("forward", "line", "reason"),
    [
        ("return torch.flip(self.conv(x), [2])", 11, "there is no layer for `flip`"),
        ("return self.conv(x).view(-1, 8)", 11, "do not stand one behind the other"),
        ("return F.dropout(self.conv(x), 0.5)", 11, "dropout that `training` does not switch off"),
        ("return self.conv(x) + torch.randn_like(self.conv(x))", 11, "no layer for `randn_like`"),
        ("x = self.conv(x)\n        y = x.view(x.size(0), -1)\n        x.relu_()\n        return y", 6, "written over"),
        ("return self.conv(x).transpose(0, 1)", 6, "first dimension is no batch"),
    ],
)
def test_what_cannot_be_said_is_refused_at_its_place(
    forward: str, line: int, reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    text = f"{NET}    def forward(self, x):\n        {forward}\n"
    code, out, err = imported(tmp_path, text, "--input", "3x8x8", capsys=capsys)
    assert (code, out) == (1, "")
    assert "error[E820]" in err
    assert reason in err
    assert f"model.py:{line}:" in err


AUXILIARY = f"""{NET}    def forward(self, x):
        x = self.conv(x)
        if self.training:
            return x, x.mean([2, 3])
        return x
"""


def test_another_network_in_training_is_asked_about(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    code, out, err = imported(tmp_path, AUXILIARY, "--input", "3x8x8", capsys=capsys)
    assert (code, out) == (1, "")
    assert "error[E821]: `Net` computes something else in training" in err
    code, out, _ = imported(tmp_path, AUXILIARY, "--input", "3x8x8", "--mode", "eval", capsys=capsys)
    assert code == 0
    assert "Mean" not in out
    code, out, _ = imported(tmp_path, AUXILIARY, "--input", "3x8x8", "--mode", "train", capsys=capsys)
    assert code == 0
    assert "Mean((2, 3))" in out


def test_what_reaches_no_output_need_not_be_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    forward = "x = self.conv(x).to(next(self.parameters()).device)\n        y = torch.flip(x, [2])\n        return x"
    text = f"{NET}    def forward(self, x):\n        {forward}\n"
    code, out, err = imported(tmp_path, text, "--input", "3x8x8", capsys=capsys)
    assert (code, err) == (0, "")
    assert "Conv2d(8, 3)" in out


def test_modules_that_never_run_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    text = f"{NET}        self.spare = nn.Linear(2, 2)\n    def forward(self, x):\n        return self.conv(x)\n"
    code, out, err = imported(tmp_path, text, "--input", "3x8x8", capsys=capsys)
    assert code == 0
    assert "Linear" not in out
    assert "`spare` reaches no output: it is not in the spec" in err


def test_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    for name, way in [
        ("net.h5", "format='onnx'"),
        ("net.tflite", "tf2onnx.convert --tflite"),
        ("net.mlmodel", "over ONNX"),
    ]:
        (tmp_path / name).write_bytes(b"")
        with chdir(tmp_path):
            assert main(["import", name]) == 2
        told = capsys.readouterr().err
        assert "import reads PyTorch source (model.py:Net), net.onnx, Keras configurations" in told
        assert way in told
    assert imported(tmp_path, RESNET, "--input", "3x16x16", "-o", "net.txt", capsys=capsys)[0] == 2


def test_the_codes_have_their_tests():
    assert set(INLINE.values()) <= set(globals())


def test_a_stop_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    text = f"from spam import spam\n{NET}    def forward(self, x):\n        return spam(x)\n"
    code, _, err = imported(tmp_path, text, "--input", "3x8x8", capsys=capsys)
    assert code == 1
    assert "error[E711]" in err
