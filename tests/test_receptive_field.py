"""Receptive fields against published numbers: Araujo, Norris and Sim 2019, and the table of google-research/receptive_field.

tests/torch/test_receptive_field.py measures them by gradients.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

import cnnspec
from cnnspec.analysis.receptive_field import ReceptiveFields

SPECS = Path(__file__).parent.parent / "specs"

# Size, stride and start along each axis, behind a module; padding is the start with its sign turned.
PUBLISHED = [
    ("alexnet.cnn", "avgpool", 195, 32, -66),
    ("vgg.cnn:VGG11", "avgpool", 150, 32, -59),
    ("vgg.cnn:VGG16", "avgpool", 212, 32, -90),
    ("vgg.cnn:VGG19", "avgpool", 268, 32, -118),
    ("resnet.cnn:ResNet18", "layer4", 435, 32, -217),
    ("resnet.cnn:ResNet34", "layer4", 899, 32, -449),
    ("resnet.cnn:ResNet50", "layer4", 427, 32, -213),
    ("resnet.cnn:ResNet101", "layer4", 971, 32, -485),
    ("resnet.cnn:ResNet152", "layer4", 1451, 32, -725),
    ("mobilenet_v2.cnn", "features", 491, 32, -245),
]


@pytest.mark.parametrize(("name", "path", "size", "stride", "start"), PUBLISHED, ids=lambda value: str(value))
def test_published_networks(name: str, path: str, size: int, stride: int, start: int):
    fields = ReceptiveFields(cnnspec.load(SPECS / name).graph.numbers)
    assert [(one.size, one.stride, one.start) for one in fields.of(path)] == [(size, stride, start)] * 2
    assert not any(field.misaligned for field in fields.of(path))


@pytest.mark.parametrize(
    ("name", "size", "start"),
    [
        ("inception_v3.cnn:InceptionV3", 1311, -618),
        ("googlenet.cnn:GoogLeNetBN", 379, -167),
        ("densenet.cnn:DenseNet121", 2071, -1021),
        ("squeezenet.cnn:SqueezeNet11", 207, -88),
    ],
)
def test_maps_before_the_head(name: str, size: int, start: int):
    spec = cnnspec.load(SPECS / name)
    fields = ReceptiveFields(spec.graph.numbers)
    found = [fields.of(path)[-1] for path in fields.paths if fields.of(path) and fields.of(path)[-1].shift]
    assert (size, start) in {(field.size, field.start) for field in found}
    assert max(field.size for field in found if field.start == start) == size


SLIM = """
block Unit(width, stride) {
    residual { Conv2d(width, 1); Conv2d(width, 3, stride=stride, padding=1); Conv2d(4 * width, 1) }
    shortcut { if stride != 1 or in_channels != 4 * width { Conv2d(4 * width, 1, stride=stride) } }
}
model Slim(depths) {
    input [3, 224, 224]
    Conv2d(64, 7, stride=2, padding=3)
    # TensorFlow pads even sizes behind them alone.
    ZeroPad2d((0, 1, 0, 1)); MaxPool2d(3, stride=2)
    for (stage, depth) in enumerate(depths) {
        for unit in range(depth) { Unit(64 * 2 ** stage, 2 if unit == depth - 1 and stage < 3 else 1) }
    }
}
"""


@pytest.mark.parametrize(
    ("depths", "size"), [([3, 4, 6, 3], 483), ([3, 4, 23, 3], 1027), ([3, 8, 36, 3], 1507), ([3, 24, 36, 3], 1763)]
)
def test_resnets_with_the_stride_in_the_last_unit(depths: list[int], size: int):
    fields = ReceptiveFields(cnnspec.loads(SLIM, depths=depths).graph).output
    assert [(field.size, field.stride, field.start) for field in fields] == [(size, 32, -(size // 2 - 2))] * 2


def test_mobilenet_v1():
    strides = [1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1]
    text = (
        "model MobileNet { input [3, 224, 224]; Conv2d(32, 3, stride=2, padding=1)\n"
        f"for s in {strides} {{ Conv2d(32, 3, stride=s, padding=1, groups=32); Conv2d(32, 1) }} }}"
    )
    fields = ReceptiveFields(cnnspec.loads(text).graph).output
    assert [(field.size, field.stride) for field in fields] == [(315, 32)] * 2


def fields_of(body: str, shape: str = "[3, 64, 64]") -> ReceptiveFields:
    return ReceptiveFields(cnnspec.loads(f"model M {{ input {shape}; {body} }}").graph)


@pytest.mark.parametrize(
    ("body", "size", "stride", "start"),
    [
        ("Conv2d(4, 3, dilation=2)", 5, 1, 0),
        ("Conv2d(4, (3, 5), padding=(1, 2))", 3, 1, -1),
        ('Conv2d(4, 4, padding="same")', 4, 1, -1),
        ("MaxPool2d(2); ConvTranspose2d(4, 2, stride=2)", 2, 1, 0),
        ("MaxPool2d(2); Upsample(scale_factor=2)", 2, 1, 0),
        ("Conv2d(4, 3, padding=1); PixelUnshuffle(2)", 4, 2, -1),
        ("PixelUnshuffle(4); PixelShuffle(2)", 4, 2, 0),
        ("ZeroPad2d(3); Conv2d(4, 3)", 3, 1, -3),
        ("Slice(10, dim=2); Slice(10, dim=3)", 1, 1, 10),
        ("AdaptiveAvgPool2d(16)", 4, 4, 0),
        ("AdaptiveAvgPool2d(1)", 64, 0, 0),
        ("Mean((2, 3))", 64, 0, 0),
        ("Permute((0, 2, 3, 1)); Linear(5); Permute((0, 3, 1, 2)); Conv2d(4, 3)", 3, 1, 0),
        ("Flatten; Linear(3)", 64, 0, 0),
        ("Conv2d(4, 8, stride=8); Flatten(2)", 64, 0, 0),
        ("multiply { branch { Conv2d(3, 3, padding=1) } branch { AdaptiveAvgPool2d(1); Sigmoid } }", 66, 0, -1),
    ],
)
def test_single_layers(body: str, size: int, stride: int, start: int):
    field = fields_of(body).output[0]
    assert (field.size, field.stride, field.start) == (size, stride, start)


def test_every_place_of_a_period():
    field = fields_of("MaxPool2d(2); ConvTranspose2d(4, 3, stride=2)").output[0]
    assert field.stride == Fraction(1)
    assert [field.at(place) for place in range(4, 8)] == [(2, 5), (4, 5), (4, 7), (6, 7)]
    # Wider apart than the filter: what lies between reads nothing.
    gaps = fields_of("ConvTranspose2d(4, 1, stride=3)").output[0]
    assert [gaps.at(place) for place in range(4)] == [(0, 0), None, None, (1, 1)]


def test_branches_that_are_not_aligned():
    assert fields_of("add { branch { Conv2d(3, 3, padding=1) } branch { } }").output[0].misaligned is False
    shifted = fields_of("add { branch { Conv2d(3, 3) } branch { Conv2d(3, 1); Slice(2, dim=2); Slice(2, dim=3) } }")
    assert shifted.output[0].misaligned
    strides = fields_of("add { branch { MaxPool2d(2) } branch { Slice(32, dim=2); Slice(32, dim=3) } }").output[0]
    assert strides.misaligned
    assert strides.size == 64


def test_several_inputs_and_outputs():
    text = """model Two {
        input [3, 32, 32] as image
        input [3, 16, 16] as small
        use image; MaxPool2d(2); add(small); Conv2d(4, 3, padding=1)
        tuple { branch { Conv2d(4, 3) } branch { Flatten } }
    }"""
    fields = ReceptiveFields(cnnspec.loads(text).graph)
    first, second = fields.outputs
    assert {axis: field.size for axis, (field, _) in first.fields.items()} == {
        (0, 1): 10,
        (0, 2): 10,
        (1, 1): 5,
        (1, 2): 5,
    }
    assert [field.size for field in fields.output] == [10, 10]
    assert [field.size for field in second.first] == [36, 36]


def test_what_has_no_axes():
    assert fields_of("Linear(3)", "[8]").output == ()


def test_long_periods_are_bounded():
    assert fields_of("Upsample(size=(4999, 4999))").output[0].size == 64
