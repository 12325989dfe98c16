"""The networks of torchvision.models that come along as text: keys and counts of the originals, and how people use them."""

from __future__ import annotations

import json
import lzma
import re
from pathlib import Path

import pytest

from cnnspec.diagnostics import Sink
from cnnspec.resources import resource
from cnnspec.source import Source
from cnnspec.torch_source.check import Options, check_python
from cnnspec.torch_source.module_methods import walk
from cnnspec.torch_source.outcome import Outcome

TEXT = resource("torch_source", "torchvision_models.txt").read_text(encoding="utf-8")
NAMES = re.findall(r"^def (\w+)\(pretrained", TEXT, re.MULTILINE)
STORED = json.loads(lzma.decompress((Path(__file__).parent / "torchvision_keys.json.xz").read_bytes()))
MODELS = {name.partition(":")[2].lower(): name for name in STORED}
KEYS = {name: STORED[MODELS[name.replace("_", "")]] for name in NAMES if name.replace("_", "") in MODELS}
PARAMETERS = {
    "resnet18": 11_689_512, "resnet34": 21_797_672, "resnet50": 25_557_032, "resnext50_32x4d": 25_028_904,
    "wide_resnet50_2": 68_883_240, "alexnet": 61_100_840, "vgg16": 138_357_544, "vgg11_bn": 132_868_840,
    "squeezenet1_0": 1_248_424, "squeezenet1_1": 1_235_496, "densenet121": 7_978_856, "densenet161": 28_681_000,
    "mobilenet_v2": 3_504_872, "mobilenet_v3_large": 5_483_032, "mobilenet_v3_small": 2_542_856,
    "efficientnet_b0": 5_288_548, "efficientnet_b4": 19_341_616,
}  # fmt: skip


def followed(text: str, *shapes: tuple[int, ...]) -> tuple[Outcome, Sink]:
    sink = Sink()
    head = "import torch.nn as nn\nimport torchvision.models as models\n"
    outcomes = check_python(Source("model.py", head + text), "", sink, Options("net", shapes or ((3, 64, 64),)))
    return outcomes[0], sink


@pytest.mark.parametrize("name", PARAMETERS)
def test_parameters_are_the_published_ones(name: str):
    outcome, sink = followed(f"net = models.{name}()")
    assert not sink.has_errors
    assert (outcome.stop, outcome.parameters) == ("", PARAMETERS[name])


@pytest.mark.parametrize("name", KEYS)
def test_modules_have_the_names_of_the_originals(name: str):
    outcome, _ = followed(f"net = models.{name}(weights='DEFAULT')")
    assert outcome.module is not None
    learnt = [key for key, part in walk(outcome.module) if part.layer is not None]
    theirs = dict.fromkeys(key.rpartition(".")[0] for key in KEYS[name]["theirs"])
    assert [key for key in learnt if key in theirs] == list(theirs)


@pytest.mark.parametrize(
    ("text", "shape", "count"),
    [
        ("net = models.resnet18()\nnet.fc = nn.Linear(net.fc.in_features, 5)", [5], 11_179_077),
        ("net = nn.Sequential(*list(models.resnet18(pretrained=True).children())[:-2])", [512, 2, 2], 11_176_512),
        ("net = models.vgg16(weights=models.VGG16_Weights.DEFAULT).features", [512, 2, 2], 14_714_688),
        ("net = models.vgg11(num_classes=7)\nnet.classifier[6] = nn.Identity()", [4096], 128_766_336),
    ],
)
def test_people_build_on_them(text: str, shape: list[int], count: int):
    outcome, sink = followed(text)
    assert not sink.has_errors
    assert not outcome.stop
    assert list(outcome.output.shape[1:]) == shape  # type: ignore[attr-defined]
    assert outcome.parameters == count


def test_a_wrong_head_is_found_at_the_line_of_the_user():
    _, sink = followed("net = models.resnet50()\nnet.fc = nn.Linear(512, 5)")
    (found,) = [one for one in sink.diagnostics if one.severity == "error"]
    assert found.message == "Linear expects 512 input features but gets 2048"
    assert (found.span.source.path, found.span.line) == ("model.py", 4)


@pytest.mark.parametrize("text", ["net = models.swin_t()", "import timm\nnet = timm.create_model('resnet18')"])
def test_others_are_a_stop(text: str):
    outcome, _ = followed(text)
    assert "is not read" in outcome.stop
