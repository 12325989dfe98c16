"""Python that `cnnspec export` writes: it has the keys of the network that is compiled, and computes the same bits."""

from __future__ import annotations

import random
from typing import Any

import pytest
import torch
from torch import nn

import cnnspec
from cnnspec.backends.python_source import source_of
from tests.network_generator import Generator
from tests.sampling import FULL, amount
from tests.torch.test_specs import FOLDER, LIGHT, SLOW, all_models

FIRST = set({name.partition(":")[0]: name for name in reversed(all_models())}.values())
"""The first model of every file."""


def written(spec: cnnspec.Spec) -> nn.Module:
    """The network that the written source makes."""
    names: dict[str, Any] = {"__name__": "net"}
    text = source_of(spec.graph)
    exec(compile(text, "net.py", "exec"), names)
    made = [value for value in names.values() if isinstance(value, type) and value.__module__ == "net"]
    net = made[-1]()
    assert isinstance(net, nn.Module)
    return net


def inputs_of(spec: cnnspec.Spec) -> list[torch.Tensor]:
    return [
        torch.randint(0, 2, (2, *entry.shape)) if entry.integers else torch.rand(2, *entry.shape)
        for entry in spec.graph.numbers.inputs
    ]


def leaves(value: Any) -> list[torch.Tensor]:
    return [value] if isinstance(value, torch.Tensor) else [leaf for part in value for leaf in leaves(part)]


def assert_same(spec: cnnspec.Spec, *, run: bool = True) -> None:
    with torch.device("cpu" if run else "meta"):
        theirs = written(spec)
    ours = spec.compile(device="cpu" if run else "meta")
    expected = {key: (value.shape, value.dtype) for key, value in ours.state_dict().items()}
    assert {key: (value.shape, value.dtype) for key, value in theirs.state_dict().items()} == expected
    assert list(theirs.state_dict()) == list(expected)
    if not run:
        return
    theirs.load_state_dict(ours.state_dict())
    inputs = inputs_of(spec)
    for training in (False, True):
        results = []
        for net in (ours, theirs):
            torch.manual_seed(1)
            with torch.no_grad():
                results.append(leaves(net.train(training)(*inputs)))
        assert len(results[0]) == len(results[1])
        assert all(torch.equal(one, other) or (one.isnan() == other.isnan()).all() for one, other in zip(*results))


@pytest.mark.parametrize("name", all_models())
def test_every_spec_is_written(name: str):
    spec = cnnspec.load(FOLDER / name)
    if not FULL and spec.parameters > 15_000_000 and name not in FIRST:
        pytest.skip("the largest of a family, in the full run")
    quick = spec.parameters < (LIGHT if FULL else 1_000_000) and name not in SLOW
    assert_same(spec, run=quick and max(max(entry.shape) for entry in spec.graph.numbers.inputs) < 300)


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("lenet.cnn:LeNet", {"num_classes": 7}),
        ("resnet.cnn:ResNet18", {"num_classes": 12}),
        ("vit.cnn:ViTB16", {"num_classes": 5, "depth": 2, "heads": 4}),
        ("unet.cnn:UNet", {"num_classes": 3}),
        ("mobilenet_v2.cnn:MobileNetV2", {"num_classes": 3, "drop": 0.4}),
    ],
)
def test_parameters_of_the_model_are_those_of_the_class(name: str, given: dict[str, Any]):
    """The class of the default values makes the networks of others."""
    names: dict[str, Any] = {"__name__": "net"}
    exec(compile(source_of(cnnspec.load(FOLDER / name).graph), "net.py", "exec"), names)
    made = next(value for value in reversed(names.values()) if getattr(value, "__module__", "") == "net")
    kept = {key: value for key, value in given.items() if key in made.__init__.__annotations__}
    assert "num_classes" in kept
    with torch.device("meta"):
        theirs = made(**kept)
    ours = cnnspec.load(FOLDER / name, **kept).compile(device="meta")
    assert {key: value.shape for key, value in theirs.state_dict().items()} == {
        key: value.shape for key, value in ours.state_dict().items()
    }
    assert [str(one) for one in theirs.modules() if isinstance(one, nn.Dropout)] == [
        str(one) for one in ours.modules() if isinstance(one, nn.Dropout)
    ]


@pytest.mark.parametrize("values", [False, True])
def test_generated_networks_are_written(values: bool):
    for seed in range(amount(10, 2_000)):
        text, _ = Generator(random.Random(seed), values=values).model()
        try:
            assert_same(cnnspec.loads(text))
        except Exception as error:
            raise AssertionError(f"seed {seed}\n{text}") from error
