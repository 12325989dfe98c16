"""Keras configurations as specs: channels first, paddings in numbers, refusals at the layer. Keras is not needed."""

from __future__ import annotations

import json
import zipfile
from contextlib import chdir
from pathlib import Path
from typing import Any

import pytest

import cnnspec
from cnnspec.cli.main import main


def layer(kind: str, name: str = "", **config: Any) -> dict[str, Any]:
    return {"class_name": kind, "config": {"name": name or kind.lower(), "trainable": True, **config}}


def sequential(shape: list[int], *layers: dict[str, Any]) -> dict[str, Any]:
    first = layer("InputLayer", batch_shape=[None, *shape])
    return {"class_name": "Sequential", "config": {"name": "digits", "layers": [first, *layers]}}


def conv(filters: int, window: int, name: str = "", **more: Any) -> dict[str, Any]:
    options = {"kernel_size": [window, window], "strides": [1, 1], "padding": "valid", "data_format": "channels_last"}
    return layer("Conv2D", name, filters=filters, **options | {"activation": "linear", "use_bias": True} | more)


def imported(folder: Path, model: object, *more: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    (folder / "model.json").write_text(model if isinstance(model, str) else json.dumps(model))
    with chdir(folder):
        code = main(["import", "model.json", *more])
    told = capsys.readouterr()
    return code, told.out, told.err


DIGITS = sequential(
    [28, 28, 1],
    conv(8, 3, activation="relu"),
    layer("MaxPooling2D", pool_size=[2, 2], strides=[2, 2], padding="valid"),
    conv(16, 3, "deep", strides=[2, 2], padding="same", use_bias=False),
    layer("BatchNormalization", axis=-1, momentum=0.99, epsilon=0.001, center=True, scale=True),
    layer("ReLU", max_value=None, negative_slope=0.0, threshold=0.0),
    layer("Flatten"),
    layer("Dropout", rate=0.5),
    layer("Dense", "head", units=10, activation="softmax", use_bias=True),
)


def test_a_sequential_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    code, out, err = imported(tmp_path, DIGITS, capsys=capsys)
    assert (code, err) == (0, "")
    assert (
        out
        == """# Imported from model.json.
model Digits {
    input [1, 28, 28]

    Conv2d(8, 3)
    ReLU
    MaxPool2d(2)
    Conv2d(16, 3, stride=2, padding=1, bias=false) as deep
    BatchNorm2d(eps=0.001, momentum=0.01)
    ReLU
    Permute((0, 2, 3, 1))
    Flatten
    Dropout
    Linear(10) as head
    Softmax(1)
}
"""
    )
    # Those that Keras counts: 80 + 1,152 + 32 + 7,850.
    assert cnnspec.loads(out).parameters == 9_114


def test_the_configuration_of_a_keras_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    _, wanted, _ = imported(tmp_path, DIGITS, capsys=capsys)
    with zipfile.ZipFile(tmp_path / "net.keras", "w") as archive:
        archive.writestr("config.json", json.dumps(DIGITS))
        archive.writestr("model.weights.h5", b"not read")
    with chdir(tmp_path):
        assert main(["import", "net.keras"]) == 0
    assert capsys.readouterr().out.splitlines()[1:] == wanted.splitlines()[1:]


def tensor(name: str) -> dict[str, Any]:
    return {"class_name": "__keras_tensor__", "config": {"shape": [None], "keras_history": [name, 0, 0]}}


@pytest.mark.parametrize("newer", [True, False])
def test_a_functional_model_as_keras_2_and_3_write_it(newer: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    def called(made: dict[str, Any], *names: str) -> dict[str, Any]:
        given = [tensor(name) for name in names]
        new = [{"args": [given if len(given) > 1 else given[0]], "kwargs": {}}]
        return made | {"inbound_nodes": new if newer else [[[name, 0, 0, {}] for name in names]]}

    layers = [
        layer("InputLayer", "image", batch_input_shape=[None, 9, 8, 3]),
        called(layer("Add", "sum"), "one", "two"),
        called(conv(4, 3, "one", padding="same", strides=[2, 2]), "image"),
        called(conv(4, 2, "two", padding="same", strides=[2, 2]), "image"),
        called(layer("UpSampling2D", "large", size=[2, 2], interpolation="nearest"), "sum"),
        called(layer("Concatenate", "all", axis=-1), "large", "large2"),
        called(layer("ZeroPadding2D", "large2", padding=[[3, 2], [2, 2]]), "sum"),
    ]
    config = {"name": "net", "layers": layers, "input_layers": [["image", 0, 0]], "output_layers": [["all", 0, 0]]}
    code, out, err = imported(tmp_path, {"class_name": "Functional", "config": config}, capsys=capsys)
    assert code == 0, err
    assert "ZeroPad2d((0, 1, 1, 1))" in out
    assert "Conv2d(4, 3, stride=2) as one" in out
    assert cnnspec.loads(out).output == (8, 10, 8)


def test_what_cannot_be_said_is_refused_at_its_layer(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    model = sequential(
        [8, 8, 1], conv(4, 3), layer("RandomFlip"), layer("Lambda"), conv(4, 3, data_format="channels_first")
    )
    code, out, err = imported(tmp_path, model, capsys=capsys)
    assert (code, out) == (1, "")
    assert err.count("error[E820]") == 3
    assert "a spec can't say this: the layer `Lambda`" in err
    assert "--> model.json as PyTorch:" in err


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("", "can't read model.json"),
        ("[]", "is no configuration of a Sequential or Functional model"),
        ("[" * 100_000, "model.json"),
        ({"class_name": "Sequential", "config": {}}, "is no configuration of a Keras model: KeyError"),
        (sequential([None, 8, 1], conv(4, 3)), "does not say the shape of its input in numbers"),  # type: ignore[list-item]
        (sequential([8, 8, 1], conv(4, 3) | {"config": {"filters": "__import__('os')"}}), "no configuration"),
    ],
)
def test_what_is_no_configuration_is_told(
    model: object, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    code, out, err = imported(tmp_path, model, capsys=capsys)
    assert code in (1, 2)
    assert out == ""
    assert words in err or "E820" in err
    assert "Traceback" not in err


def test_no_number_is_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    wrong = layer("Dense", units="10)\n        import os  #", activation="linear", use_bias=True)
    code, _, err = imported(tmp_path, sequential([8], wrong), capsys=capsys)
    assert code == 1
    assert "the arguments of `Dense`" in err
