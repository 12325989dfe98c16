"""The specs that come with cnnspec: all of them check without a finding, and give the figures that are published for them.

Nothing here needs torch; tests/torch/test_specs.py runs the networks.
"""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path

import pytest

import cnnspec
from cnnspec.diagnostics import Diagnostic, Sink
from cnnspec.graph.nodes import LayerNode
from cnnspec.graph.walk import walk
from cnnspec.pipeline import check
from cnnspec.source import Source
from cnnspec.syntax import tree
from cnnspec.syntax.parser import parse
from cnnspec.syntax.read import read_source

FOLDER = Path(__file__).parent.parent / "specs"
FILES = {path.relative_to(FOLDER).as_posix(): path for path in sorted(FOLDER.rglob("*.cnn"))}


def load(name: str, **parameters: object) -> cnnspec.Spec:
    return cnnspec.load(FOLDER / name, **parameters)


def findings(text: str) -> list[Diagnostic]:
    sink = Sink()
    check(Source("test.cnn", text), sink)
    return sink.diagnostics


def definitions(path: Path) -> list[tree.Model | tree.Variant | tree.Block]:
    items = parse(read_source(str(path), Sink()), Sink()).items
    return [item for item in items if isinstance(item, (tree.Model, tree.Variant, tree.Block))]


def is_whole(item: object) -> bool:
    """Whether a definition is a network as it stands: a variant, or a model whose parameters have defaults."""
    whole = isinstance(item, tree.Model) and all(parameter.default is not None for parameter in item.parameters)
    return whole or isinstance(item, tree.Variant)


# --- every spec ---


@pytest.mark.parametrize("name", FILES)
def test_checks_without_a_finding(name: str):
    sink = Sink()
    graphs = check(read_source(str(FILES[name]), sink), sink)
    assert [(found.code.id, found.span.position, found.message) for found in sink.diagnostics] == []
    assert all(graph.complete for graph in graphs)
    # A variant of an imported model belongs to the file that names it.
    assert {graph.source.path for graph in graphs} <= {str(FILES[name])}


@pytest.mark.parametrize("name", FILES)
def test_is_documented(name: str):
    for definition in definitions(FILES[name]):
        assert tree.documentation(definition), f"{definition.name.id} needs a comment right above it"


@pytest.mark.parametrize("name", FILES)
def test_is_laid_out(name: str):
    text = FILES[name].read_text(encoding="utf-8")
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
    for number, line in enumerate(text.splitlines(), 1):
        assert line == line.rstrip(), f"line {number} ends in blanks"
        assert len(line) <= 120, f"line {number} is too long"
        indent = len(line) - len(line.lstrip(" "))
        assert indent % 4 == 0, f"line {number} is indented by {indent}"
        assert "\t" not in line, f"line {number} has a tab"


# Input and output of the models that are compared with torchvision or timm; their parameters are those of the references,
# which `tools/make_references.py` writes.
IMAGE, GREY = (3, 224, 224), (1, 28, 28)
PUBLISHED = {
    name.partition(" H=")[0]: row["parameters"]
    for path in (FOLDER.parent / "tests" / "references").glob("*.json")
    for name, row in json.loads(path.read_text(encoding="utf-8")).items()
}
COMPARED = [
    ("alexnet.cnn:AlexNet", IMAGE, (1000,)),
    ("convnext.cnn:ConvNeXtT", IMAGE, (1000,)),
    ("convnext.cnn:ConvNeXtS", IMAGE, (1000,)),
    ("convnext.cnn:ConvNeXtB", IMAGE, (1000,)),
    ("convnext.cnn:ConvNeXtL", IMAGE, (1000,)),
    ("deeplab_v3.cnn:DeepLabV3", (3, 520, 520), ((21, 520, 520), (21, 520, 520))),
    ("densenet.cnn:DenseNet121", IMAGE, (1000,)),
    ("densenet.cnn:DenseNet161", IMAGE, (1000,)),
    ("densenet.cnn:DenseNet169", IMAGE, (1000,)),
    ("densenet.cnn:DenseNet201", IMAGE, (1000,)),
    ("efficientnet.cnn:EfficientNetB0", IMAGE, (1000,)),
    ("efficientnet.cnn:EfficientNetB1", (3, 240, 240), (1000,)),
    ("efficientnet.cnn:EfficientNetB2", (3, 288, 288), (1000,)),
    ("efficientnet.cnn:EfficientNetB3", (3, 300, 300), (1000,)),
    ("efficientnet.cnn:EfficientNetB4", (3, 380, 380), (1000,)),
    ("efficientnet.cnn:EfficientNetB5", (3, 456, 456), (1000,)),
    ("efficientnet.cnn:EfficientNetB6", (3, 528, 528), (1000,)),
    ("efficientnet.cnn:EfficientNetB7", (3, 600, 600), (1000,)),
    ("efficientnet_v2.cnn:EfficientNetV2S", (3, 384, 384), (1000,)),
    ("efficientnet_v2.cnn:EfficientNetV2M", (3, 480, 480), (1000,)),
    ("efficientnet_v2.cnn:EfficientNetV2L", (3, 480, 480), (1000,)),
    ("fcn.cnn:FCN", IMAGE, ((21, 224, 224), (21, 224, 224))),
    ("fpn.cnn:FPN", IMAGE, ((256, 56, 56), (256, 28, 28), (256, 14, 14), (256, 7, 7), (256, 4, 4))),
    ("googlenet.cnn:GoogLeNetBN", IMAGE, ((1000,), (1000,), (1000,))),
    ("hrnet.cnn:HRNetW18", IMAGE, (1000,)),
    ("inception_v3.cnn:InceptionV3", (3, 299, 299), ((1000,), (1000,))),
    ("lraspp.cnn:LRASPP", IMAGE, (21, 224, 224)),
    ("mnasnet.cnn:MNASNet05", IMAGE, (1000,)),
    ("mnasnet.cnn:MNASNet075", IMAGE, (1000,)),
    ("mnasnet.cnn:MNASNet10", IMAGE, (1000,)),
    ("mnasnet.cnn:MNASNet13", IMAGE, (1000,)),
    ("mobilenet_v2.cnn:MobileNetV2", IMAGE, (1000,)),
    ("mobilenet_v3.cnn:MobileNetV3Large", IMAGE, (1000,)),
    ("mobilenet_v3.cnn:MobileNetV3Small", IMAGE, (1000,)),
    ("regnet.cnn:RegNetX400MF", IMAGE, (1000,)),
    ("regnet.cnn:RegNetX800MF", IMAGE, (1000,)),
    ("regnet.cnn:RegNetX1600MF", IMAGE, (1000,)),
    ("regnet.cnn:RegNetX3200MF", IMAGE, (1000,)),
    ("regnet.cnn:RegNetX8GF", IMAGE, (1000,)),
    ("regnet.cnn:RegNetY400MF", IMAGE, (1000,)),
    ("regnet.cnn:RegNetY800MF", IMAGE, (1000,)),
    ("regnet.cnn:RegNetY1600MF", IMAGE, (1000,)),
    ("regnet.cnn:RegNetY3200MF", IMAGE, (1000,)),
    ("regnet.cnn:RegNetY8GF", IMAGE, (1000,)),
    ("resnet.cnn:ResNet18", IMAGE, (1000,)),
    ("resnet.cnn:ResNet34", IMAGE, (1000,)),
    ("resnet.cnn:ResNet50", IMAGE, (1000,)),
    ("resnet.cnn:ResNet101", IMAGE, (1000,)),
    ("resnet.cnn:ResNet152", IMAGE, (1000,)),
    ("resnet.cnn:ResNeXt50_32x4d", IMAGE, (1000,)),
    ("resnet.cnn:ResNeXt101_32x8d", IMAGE, (1000,)),
    ("resnet.cnn:ResNeXt101_64x4d", IMAGE, (1000,)),
    ("resnet.cnn:WideResNet50_2", IMAGE, (1000,)),
    ("resnet.cnn:WideResNet101_2", IMAGE, (1000,)),
    (
        "retinanet.cnn:RetinaNet",
        (3, 512, 512),
        (
            ((819, 64, 64), (36, 64, 64)),
            ((819, 32, 32), (36, 32, 32)),
            ((819, 16, 16), (36, 16, 16)),
            ((819, 8, 8), (36, 8, 8)),
            ((819, 4, 4), (36, 4, 4)),
        ),
    ),
    ("se_resnet.cnn:SEResNet50", IMAGE, (1000,)),
    ("se_resnet.cnn:SEResNet101", IMAGE, (1000,)),
    ("se_resnet.cnn:SEResNet152", IMAGE, (1000,)),
    ("squeezenet.cnn:SqueezeNet10", IMAGE, (1000,)),
    ("squeezenet.cnn:SqueezeNet11", IMAGE, (1000,)),
    ("vgg.cnn:VGG11", IMAGE, (1000,)),
    ("vgg.cnn:VGG13", IMAGE, (1000,)),
    ("vgg.cnn:VGG16", IMAGE, (1000,)),
    ("vgg.cnn:VGG19", IMAGE, (1000,)),
    ("gmlp.cnn:GMLPS16", IMAGE, (1000,)),
    ("mlp_mixer.cnn:MixerS16", IMAGE, (1000,)),
    ("res2net.cnn:Res2Net50", IMAGE, (1000,)),
    ("shufflenet_v2.cnn:ShuffleNetV2x05", IMAGE, (1000,)),
    ("shufflenet_v2.cnn:ShuffleNetV2x10", IMAGE, (1000,)),
    ("shufflenet_v2.cnn:ShuffleNetV2x15", IMAGE, (1000,)),
    ("shufflenet_v2.cnn:ShuffleNetV2x20", IMAGE, (1000,)),
    ("vit.cnn:ViTB16", IMAGE, (1000,)),
]

# Input, output and parameters of all models. The counts that are written here are worked out below, or by a module written
# by hand in tests/torch.
MODELS = [
    *[(*row, PUBLISHED[row[0]]) for row in COMPARED],
    ("attention_unet.cnn:AttentionUNet", (1, 64, 64), (2, 64, 64), 7_851_230),
    ("c3d.cnn:C3D", (3, 16, 112, 112), (101,), 78_409_573),
    ("edsr.cnn:EDSRBaseline", (3, 48, 48), (3, 96, 96), 1_369_859),
    ("edsr.cnn:EDSRLarge", (3, 48, 48), (3, 96, 96), 40_729_603),
    ("gan.cnn:Generator", (100, 1, 1), (3, 64, 64), 3_576_704),
    ("gan.cnn:Discriminator", (3, 64, 64), (1,), 2_765_568),
    ("googlenet.cnn:GoogLeNet", IMAGE, ((1000,), (1000,), (1000,)), 13_378_280),
    ("highway.cnn:HighwayNet", GREY, (10,), 75_460),
    ("lenet.cnn:LeNet", GREY, (10,), 61_706),
    ("m5_audio.cnn:M5", (1, 16_000), (10,), 559_114),
    ("mlp.cnn:MLP", GREY, (10,), 269_322),
    ("nin.cnn:NiN", (1, 224, 224), (10,), 1_992_166),
    ("pointnet.cnn:PointNet", (3, 1024), (40,), 3_480_049),
    ("resnet_small.cnn:ResNetSmall", GREY, (10,), 77_754),
    ("two_tower.cnn:TwoTower", ((3, 64, 64), (8,)), (1,), 40_929),
    ("unet.cnn:UNet", (3, 256, 256), (2, 256, 256), 31_037_698),
    ("unetpp.cnn:UNetPlusPlus", (3, 64, 64), ((2, 64, 64), (2, 64, 64), (2, 64, 64), (2, 64, 64)), 9_046_056),
    ("wavenet.cnn:WaveNet", (256, 1000), (256, 1000), 185_888),
    ("cbam.cnn:CBAMResNet18", IMAGE, (1000,), 11_779_392),
    ("crnn.cnn:CRNN", (1, 32, 100), (26, 37), 8_330_789),
    ("siamese.cnn:Siamese", ((1, 105, 105), (1, 105, 105)), (1,), 38_951_745),
    ("tcn.cnn:TCN", (1, 784), (10,), 66_910),
    ("textcnn.cnn:TextCNN", (64,), (2,), 6_360_902),
    ("vae.cnn:Encoder", GREY, ((20,), (20,)), 158_856),
    ("vae.cnn:Decoder", (20,), (1, 28, 28), 99_169),
    ("vae.cnn:VAE", (GREY, (20,)), (GREY, (20,), (20,)), 258_025),
    (
        "yolo.cnn:YOLOv8n",
        (3, 320, 320),
        ((144, 40, 40), (144, 20, 20), (144, 10, 10)),
        3_157_184,
    ),  # Ultralytics, without the fixed 16
    ("notes/conv_sizes.cnn:Unpadded", GREY, (3, 26, 26), 3 * 1 * 3 * 3 + 3),
    ("notes/conv_sizes.cnn:Padded", GREY, (3, 28, 28), 3 * 1 * 3 * 3 + 3),
    ("notes/conv_sizes.cnn:Strided", GREY, (3, 14, 14), 3 * 1 * 3 * 3 + 3),
    ("notes/conv_sizes.cnn:OneKernel", (3, 28, 28), (1, 28, 28), 3 * 3 * 3 + 1),
    ("notes/conv_sizes.cnn:SixteenKernels", (3, 28, 28), (16, 28, 28), 16 * 3 * 3 * 3 + 16),
    ("notes/conv_sizes.cnn:WideUnderpadded", (3, 28, 28), (16, 26, 26), 16 * 3 * 5 * 5 + 16),
    ("notes/conv_sizes.cnn:WidePadded", (3, 28, 28), (16, 28, 28), 16 * 3 * 5 * 5 + 16),
    ("notes/conv_sizes.cnn:WideStrided", (3, 28, 28), (16, 14, 14), 16 * 3 * 5 * 5 + 16),
    ("notes/conv_sizes.cnn:Rectangular", (1, 8, 8), (1, 8, 8), 5 * 3 + 1),
    ("notes/conv_sizes.cnn:RectangularStrided", (1, 8, 8), (1, 5, 8), 3 * 3 + 1),
    ("notes/conv_sizes.cnn:Dilated", GREY, (3, 24, 24), 3 * 1 * 3 * 3 + 3),
    ("notes/cross_correlation.cnn:CrossCorrelation", (1, 3, 3), (1, 2, 2), 4),
    ("notes/cross_correlation.cnn:TwoChannelsIn", (2, 3, 3), (1, 2, 2), 8),
    ("notes/cross_correlation.cnn:ThreeChannelsOut", (2, 3, 3), (3, 2, 2), 24),
    ("notes/cross_correlation.cnn:OneByOne", (3, 3, 3), (2, 3, 3), 6),
    ("notes/cross_correlation.cnn:MaxPooling", (1, 3, 3), (1, 2, 2), 0),
    ("notes/cross_correlation.cnn:AvgPooling", (1, 3, 3), (1, 2, 2), 0),
    ("notes/edge.cnn:EdgeDetector", (1, 6, 8), (1, 6, 7), 2),
    ("notes/four_convs.cnn:FourConvs", GREY, (128, 6, 6), 130_688),
    ("notes/layers.cnn:Activations", (16, 28, 28), (16, 28, 28), 0),
    ("notes/layers.cnn:Dense", GREY, (10,), 10 * 784 + 10),
    ("notes/layers.cnn:Nested", GREY, (10,), 160 + 4_640 + 15_690),
    ("notes/lenet.cnn:LeNet", GREY, (10,), 156 + 2_416 + 48_120 + 10_164 + 850),
    ("notes/lenet_colour.cnn:LeNetColour", (3, 28, 28), (10,), 61_706 + 2 * 6 * 5 * 5),
    ("notes/mlp.cnn:MLP", GREY, (10,), 335_114),
    ("notes/normalisation.cnn:BatchNormFeatures", (784,), (784,), 2 * 784),
    ("notes/normalisation.cnn:BatchNormSequence", (16, 784), (16, 784), 2 * 16),
    ("notes/normalisation.cnn:BatchNormImage", (16, 7, 7), (16, 7, 7), 2 * 16),
    ("notes/normalisation.cnn:LayerNormImage", (16, 7, 7), (16, 7, 7), 2 * 16 * 7 * 7),
    ("notes/normalisation.cnn:LayerNormRows", (16, 7, 7), (16, 7, 7), 2 * 7),
    ("notes/normalisation.cnn:InstanceNorm", (16, 7, 7), (16, 7, 7), 0),
    ("notes/pooling.cnn:MaxPool", (16, 14, 14), (16, 7, 7), 0),
    ("notes/pooling.cnn:AvgPool", (16, 14, 14), (16, 7, 7), 0),
    ("notes/pooling.cnn:MaxPoolOdd", (16, 26, 26), (16, 13, 13), 0),
    ("notes/pooling.cnn:AvgPoolOdd", (16, 26, 26), (16, 13, 13), 0),
    ("notes/pooling.cnn:Rectangular", (1, 4, 4), (1, 2, 2), 0),
    ("notes/residual.cnn:SameChannels", (64, 28, 28), (64, 28, 28), 2 * (36_928 + 128)),
    ("notes/residual.cnn:MoreChannels", (64, 28, 28), (128, 28, 28), 73_856 + 256 + 147_584 + 256 + 8_320 + 256),
    ("notes/upsampling.cnn:Double", (16, 7, 7), (16, 14, 14), 0),
    ("notes/upsampling.cnn:Triple", (16, 7, 7), (16, 21, 21), 0),
    ("notes/upsampling.cnn:DoubleLarge", (16, 26, 26), (16, 52, 52), 0),
    ("notes/upsampling.cnn:TripleLarge", (16, 26, 26), (16, 78, 78), 0),
    ("notes/upsampling.cnn:Learnt", (16, 7, 7), (8, 14, 14), 16 * 8 * 2 * 2 + 8),
    ("notes/weight_sharing.cnn:Shared", GREY, (1, 26, 26), 9),
    ("notes/weight_sharing.cnn:Dense", GREY, (1, 26, 26), 784 * 676),
    ("notes/weight_sharing.cnn:ReceptiveField", GREY, (1, 28, 28), 3 * 9),
]


def load_at(name: str, shape: tuple[int, ...]) -> cnnspec.Spec:
    """A model for an input of this shape: its sizes by name, if it has any, are those."""
    declared = load(name).declared
    if declared.sizes is None:
        return load(name)
    return load(name, **declared.sizes.of_shapes([declared.input], [shape]))


@pytest.mark.parametrize(("name", "input", "output", "parameters"), MODELS, ids=lambda value: value)
def test_shapes_and_parameters(name: str, input: tuple[int, ...], output: tuple[int, ...], parameters: int):
    spec = load_at(name, input)
    assert (spec.input, spec.output, spec.parameters) == (input, output, parameters)


def test_every_model_is_in_the_table():
    models = [
        f"{name}:{definition.name.id}"
        for name, path in FILES.items()
        for definition in definitions(path)
        if is_whole(definition)
    ]
    assert sorted(models) == sorted(row[0] for row in MODELS)


@pytest.mark.parametrize("row", MODELS, ids=lambda row: row[0])
def test_comment_states_the_number_of_parameters(row: tuple[str, tuple[int, ...], tuple[int, ...], int]):
    path, _, model = row[0].partition(":")
    found = next(item for item in definitions(FILES[path]) if item.name.id == model)
    comment = tree.documentation(found)
    # vgg.cnn has a table for all of its models.
    text = comment if path != "vgg.cnn" else FILES[path].read_text(encoding="utf-8")
    if path.startswith("notes/") and not re.search(r"\d\s+parameters", comment):
        return
    assert f"{row[3]:,}" in text.replace("\n", " ")


# --- parameters of the models ---

VARIANTS = [
    ("alexnet.cnn", {"num_classes": 10}, (10,), PUBLISHED["alexnet.cnn:AlexNet"] - 990 * 4097),
    ("vgg.cnn:VGG11", {"batch_norm": True}, (1000,), PUBLISHED["vgg.cnn:VGG11 batch_norm=True"]),
    ("vgg.cnn:VGG13", {"batch_norm": True}, (1000,), PUBLISHED["vgg.cnn:VGG13 batch_norm=True"]),
    ("vgg.cnn:VGG16", {"batch_norm": True}, (1000,), PUBLISHED["vgg.cnn:VGG16 batch_norm=True"]),
    ("vgg.cnn:VGG19", {"batch_norm": True}, (1000,), PUBLISHED["vgg.cnn:VGG19 batch_norm=True"]),
    ("resnet.cnn:ResNet18", {"num_classes": 10}, (10,), PUBLISHED["resnet.cnn:ResNet18"] - 990 * 513),
    ("c3d.cnn", {"num_classes": 487}, (487,), 78_409_573 + 386 * 4097),  # Sports-1M, as in the paper
    ("m5_audio.cnn", {"T": 32_000}, (10,), 559_114),  # the length in the paper
    ("mlp.cnn", {"hidden": []}, (10,), 7_850),
    ("mlp.cnn", {"hidden": [256, 256, 256]}, (10,), 335_114),
    ("mlp.cnn", {"hidden": [256, 256, 256], "dropout": 0.5}, (10,), 335_114),
    ("lenet.cnn", {"num_classes": 26}, (26,), 61_706 + 16 * 85),
    ("unet.cnn", {"H": 64, "W": 64, "num_classes": 5}, (5, 64, 64), 31_037_698 + 3 * 65),
    ("nin.cnn", {"num_classes": 20}, (20,), 1_992_166 + 10 * (384 * 9 + 1) + 2 * (20 * 21 - 10 * 11)),
]


@pytest.mark.parametrize(("name", "given", "output", "parameters"), VARIANTS, ids=lambda value: str(value))
def test_parameters_of_models(name: str, given: dict[str, object], output: tuple[int, ...], parameters: int):
    spec = load(name, **given)
    assert (spec.output, spec.parameters) == (output, parameters)
    assert spec.warnings == []


def test_unet_says_which_sizes_it_takes():
    with pytest.raises(cnnspec.SpecError) as caught:
        load("unet.cnn", H=100)
    first = caught.value.diagnostics[0]
    assert (first.code.id, first.span.text) == ("E417", "H % 16 == 0")


# --- counts worked out by hand, for networks that torchvision lacks ---


def conv(inputs: int, outputs: int, window: int, *, bias: bool = True) -> int:
    """Parameters of a convolution whose window has that many values."""
    return inputs * outputs * window + bias * outputs


def linear(inputs: int, outputs: int) -> int:
    return inputs * outputs + outputs


def test_c3d_by_hand():
    widths = [3, 64, 128, 256, 256, 512, 512, 512, 512]
    convolutions = sum(conv(inputs, outputs, 27) for inputs, outputs in pairwise(widths))
    assert convolutions + linear(8192, 4096) + linear(4096, 4096) + linear(4096, 101) == 78_409_573


def test_m5_by_hand():
    convolutions = conv(1, 128, 80) + conv(128, 128, 3) + conv(128, 256, 3) + conv(256, 512, 3)
    assert convolutions + 2 * (128 + 128 + 256 + 512) + linear(512, 10) == 559_114


def test_nin_by_hand():
    def unit(inputs: int, outputs: int, window: int) -> int:
        return conv(inputs, outputs, window) + 2 * conv(outputs, outputs, 1)

    assert unit(1, 96, 121) + unit(96, 256, 25) + unit(256, 384, 9) + unit(384, 10, 9) == 1_992_166


def test_googlenet_by_hand():
    units = [
        (192, 64, 96, 128, 16, 32, 32),
        (256, 128, 128, 192, 32, 96, 64),
        (480, 192, 96, 208, 16, 48, 64),
        (512, 160, 112, 224, 24, 64, 64),
        (512, 128, 128, 256, 24, 64, 64),
        (512, 112, 144, 288, 32, 64, 64),
        (528, 256, 160, 320, 32, 128, 128),
        (832, 256, 160, 320, 32, 128, 128),
        (832, 384, 192, 384, 48, 128, 128),
    ]
    total = conv(3, 64, 49) + conv(64, 64, 1) + conv(64, 192, 9) + linear(1024, 1000)
    for inputs, c1, thin3, c3, thin5, c5, pooled in units:
        total += conv(inputs, c1, 1) + conv(inputs, thin3, 1) + conv(thin3, c3, 9)
        total += conv(inputs, thin5, 1) + conv(thin5, c5, 25) + conv(inputs, pooled, 1)
    assert total == 6_998_552


def test_squeeze_and_excitation_adds_two_small_convolutions_to_each_unit():
    added = sum(
        depth * (conv(wide, wide // 16, 1) + conv(wide // 16, wide, 1))
        for wide, depth in [(256, 3), (512, 4), (1024, 6), (2048, 3)]
    )
    assert load("se_resnet.cnn:SEResNet50").parameters - load("resnet.cnn:ResNet50").parameters == added == 2_530_992


def test_cbam_by_hand():
    def unit(c: int) -> int:
        return conv(c, c // 16, 1) + conv(c // 16, c, 1) + conv(2, 1, 49, bias=False) + 2

    added = sum(2 * unit(c) for c in (64, 128, 256, 512))
    assert load("resnet.cnn:ResNet18").parameters + added == 11_779_392


def test_crnn_by_hand():
    def lstm(inputs: int, hidden: int) -> int:
        return 2 * 4 * (hidden * (inputs + hidden) + 2 * hidden)

    widths = [1, 64, 128, 256, 256, 512, 512]
    convolutions = sum(conv(a, b, 9) for a, b in pairwise(widths)) + conv(512, 512, 4) + 2 * 2 * 512
    assert convolutions + lstm(512, 256) + linear(512, 256) + lstm(256, 256) + linear(512, 37) == 8_330_789


def test_tcn_by_hand():
    def causal(inputs: int) -> int:
        return conv(inputs, 25, 7) + 25

    assert causal(1) + 15 * causal(25) + conv(1, 25, 1) + linear(25, 10) == 66_910


# --- figures of the course notes ---


def shapes(spec: cnnspec.Spec) -> list[tuple[str, tuple[int, ...] | None]]:
    """Every layer and the shape behind it."""
    return [(node.title, node.output) for _, node in walk(spec.graph.root) if isinstance(node, LayerNode)]


def test_shape_of_every_layer_of_lenet():
    expected = [
        ("Conv2d", (6, 28, 28)),
        ("Sigmoid", (6, 28, 28)),
        ("AvgPool2d", (6, 14, 14)),
        ("Conv2d", (16, 10, 10)),
        ("Sigmoid", (16, 10, 10)),
        ("AvgPool2d", (16, 5, 5)),
        ("Flatten", (400,)),
        ("Linear", (120,)),
        ("Sigmoid", (120,)),
        ("Linear", (84,)),
        ("Sigmoid", (84,)),
        ("Linear", (10,)),
    ]
    assert shapes(load("notes/lenet.cnn")) == expected
    assert shapes(load("lenet.cnn")) == expected
    assert shapes(load("notes/lenet_colour.cnn")) == expected


def test_four_convolutions():
    assert [shape for title, shape in shapes(load("notes/four_convs.cnn")) if title in ("Conv2d", "MaxPool2d")] == [
        (32, 26, 26),
        (32, 13, 13),
        (64, 13, 13),
        (64, 13, 13),
        (64, 6, 6),
        (128, 6, 6),
    ]


def test_mlp_of_the_notes_has_335114_parameters_and_not_390k():
    spec = load("notes/mlp.cnn")
    by_layer = [node.parameters for _, node in walk(spec.graph.root) if node.parameters]
    assert by_layer == [200_960, 65_792, 65_792, 2_570]
    assert round(sum(by_layer) * 4 / 1e6, 2) == 1.34
    assert "335,114 parameters" in spec.summary()
    assert "1.34 MB" in spec.summary()


def test_size_of_a_convolution_is_the_formula_of_the_notes():
    for size in range(1, 12):
        for kernel in range(1, 5):
            for stride in range(1, 4):
                for padding in range(3):
                    for dilation in (1, 2):
                        window = dilation * (kernel - 1) + 1
                        expected = (size - window + 2 * padding + stride) // stride
                        arguments = f"1, {kernel}, stride={stride}, padding={padding}, dilation={dilation}"
                        text = f"model M {{ input [1, {size}, {size}]; Conv2d({arguments}) }}"
                        if expected < 1 or window > size + 2 * padding:
                            assert [found.code.id for found in findings(text)] == ["E204"], text
                        else:
                            assert cnnspec.loads(text).output == (1, expected, expected), text


# --- the nine mistakes that stand in the notes: one finding each, on the line that ends in `# <-` ---

MISTAKES = {
    "1 pool with kernel 5 where 2 was meant": (
        "E203",
        "Linear expects 400 input features but gets 144",
        """
        model LeNet {
            input [1, 28, 28]

            Conv2d(6, kernel_size=5, padding=2)
            Sigmoid
            AvgPool2d(2, stride=2)
            Conv2d(16, kernel_size=5)
            Sigmoid
            AvgPool2d(5, stride=2)
            Flatten
            Linear(16*5*5 -> 120)  # <-
            Sigmoid
            Linear(120 -> 84)
            Sigmoid
            Linear(84 -> 10)
        }
        """,
    ),
    "2 63 channels where 64 were meant": (
        "E203",
        "BatchNorm2d expects 64 channels but gets 63",
        """
        model FourConvs {
            input [32, 13, 13]

            Conv2d(32 -> 63, kernel_size=3, padding=1)
            BatchNorm2d(64)  # <-
            ReLU
            Conv2d(64 -> 64, kernel_size=3, padding=1)
            BatchNorm2d(64)
        }
        """,
    ),
    "3 channels forgotten in front of Linear": (
        "E203",
        "Linear expects 196 input features but gets 3136",
        """
        model Classifier {
            input [1, 28, 28]

            Conv2d(1 -> 16, kernel_size=5, padding=2)
            ReLU
            MaxPool2d(2, stride=2)
            Flatten
            Linear(1*14*14 -> 10)  # <-
        }
        """,
    ),
    "4 second convolution of a residual block takes ch_in": (
        "E203",
        "Conv2d expects 64 input channels but gets 128",
        """
        block ResidualBlock(ch_in, ch_out) {
            residual {
                Conv2d(ch_in -> ch_out, kernel_size=3, padding=1)
                BatchNorm2d(ch_out)
                ReLU
                Conv2d(ch_in -> ch_out, kernel_size=3, padding=1)  # <-
                BatchNorm2d(ch_out)
            } shortcut {
                if ch_in != ch_out {
                    Conv2d(ch_in -> ch_out, kernel_size=1)
                    BatchNorm2d(ch_out)
                }
            }
        }

        model Network {
            input [64, 28, 28]

            ResidualBlock(64, 64)
            ResidualBlock(64, 128)
        }
        """,
    ),
    "5 convolution without a kernel size": (
        "E112",
        "Conv2d needs `kernel_size`",
        """
        model Network {
            input [1, 28, 28]

            Conv2d(1 -> 32)  # <-
            ReLU
            Conv2d(32 -> 64, kernel_size=3)
        }
        """,
    ),
    "6a kernal_size": (
        "E111",
        "Conv2d has no parameter `kernal_size`",
        """
        model Network {
            input [1, 28, 28]

            Conv2d(1 -> 32, kernal_size=3)  # <-
            ReLU
            Conv2d(32 -> 64, kernel_size=3)
        }
        """,
    ),
    "6b Sequencial": (
        "E110",
        "there is no layer or block `Sequencial`",
        """
        model Network {
            input [1, 28, 28]

            Sequencial  # <-
            Conv2d(32, kernel_size=3)
        }
        """,
    ),
    "6c BatchNorm2s": (
        "E110",
        "there is no layer or block `BatchNorm2s`",
        """
        model Network {
            input [1, 28, 28]

            Conv2d(1 -> 32, kernel_size=3)
            BatchNorm2s(32)  # <-
            ReLU
        }
        """,
    ),
    "6d RelU": (
        "E110",
        "there is no layer or block `RelU`",
        """
        model Network {
            input [1, 28, 28]

            Conv2d(1 -> 32, kernel_size=3)
            RelU  # <-
            Conv2d(32 -> 64, kernel_size=3)
        }
        """,
    ),
    "7 Sigmoid in front of the cross-entropy loss": (
        "W201",
        "Sigmoid in front of CrossEntropyLoss",
        """
        model Network {
            input [1, 28, 28]

            Flatten
            Linear(256)
            Sigmoid
            Linear(10)
            Sigmoid  # <-
        }

        train {
            data = FashionMNIST
            loss = CrossEntropyLoss
        }
        """,
    ),
    "8 two Linear in a row": (
        "W202",
        "two Linear layers with nothing nonlinear between them",
        """
        model Network {
            input [1, 28, 28]

            Flatten
            Linear(784 -> 256)
            Linear(256 -> 10)  # <-
        }
        """,
    ),
    "9 Flatten forgotten": (
        "W203",
        "Linear acts on the last dimension alone, 14 of 6 x 14 x 14",
        """
        model Network {
            input [1, 28, 28]

            Conv2d(6, kernel_size=5, padding=2)
            ReLU
            AvgPool2d(2)
            Linear(10)  # <-
        }
        """,
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_of_the_notes(mistake: str):
    code, message, text = MISTAKES[mistake]
    line = next(number for number, line in enumerate(text.splitlines(), 1) if line.endswith("# <-"))
    found = findings(text)
    assert [(one.code.id, one.span.line, one.message) for one in found] == [(code, line, message)]
    assert found[0].severity == ("warning" if code.startswith("W") else "error")


HELPS = [
    ("6a kernal_size", "kernel_size"),
    ("6c BatchNorm2s", "BatchNorm2d"),
    ("6d RelU", "ReLU"),
    ("7 Sigmoid in front of the cross-entropy loss", "delete this line"),
    ("8 two Linear in a row", "ReLU"),
    ("9 Flatten forgotten", "Flatten"),
]


@pytest.mark.parametrize(("mistake", "fix"), HELPS)
def test_mistakes_come_with_a_fix(mistake: str, fix: str):
    (found,) = findings(MISTAKES[mistake][2])
    assert any(fix in help for help in found.all_helps)


REASONS = [
    ("1 pool with kernel 5 where 2 was meant", "AvgPool2d(5, stride=2)"),
    ("2 63 channels where 64 were meant", "Conv2d(32 -> 63, kernel_size=3, padding=1)"),
    ("3 channels forgotten in front of Linear", "MaxPool2d(2, stride=2)"),
    ("4 second convolution of a residual block takes ch_in", "Conv2d(ch_in -> ch_out, kernel_size=3, padding=1)"),
]


@pytest.mark.parametrize(("mistake", "guilty"), REASONS)
def test_wrong_widths_point_at_the_layer_that_gave_them(mistake: str, guilty: str):
    """The mistake itself, that is: the second place of the finding."""
    (found,) = findings(MISTAKES[mistake][2])
    assert found.labels[0].span.text == guilty
