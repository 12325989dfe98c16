"""Which network of torchvision or timm each spec is compared with, and how its parts are found there.

The libraries are imported where they are needed: `tools/make_references.py` and the live comparison run where they are
installed, all other tests read what the tool has written.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from tests.torch.reference_values import entries

FOLDER = Path(__file__).parent.parent / "references"
IMAGE = (3, 64, 64)


@dataclass(frozen=True)
class Case:
    """A spec, with `given` parameters, and its counterpart in a library.

    `order` lists how the keys of the library begin where its parts stand in another order than ours; `behind` are a
    pattern of keys and how those begin behind which they stand here. `run` gives the outputs where a call does not, `make`
    makes the network where the library has no name for it.
    """

    spec: str
    library: str
    entry: str
    options: dict[str, Any] = field(default_factory=dict)
    given: dict[str, Any] = field(default_factory=dict)
    image: tuple[int, ...] = IMAGE
    order: tuple[str, ...] = ()
    behind: tuple[str, str] | None = None
    run: Callable[[Any, Tensor], Any] | None = None
    make: Callable[..., nn.Module] | None = None

    @property
    def name(self) -> str:
        return self.spec + "".join(f" {name}={value}" for name, value in self.given.items())

    def build(self) -> nn.Module:
        """The network of the library; its weights are left open where that is possible, to save the time to draw them."""
        try:
            with torch.device("meta"):
                net = self._made()
        except (NotImplementedError, RuntimeError):
            # Networks that compute their widths with tensors.
            return self._made()
        return net.to_empty(device="cpu")

    def _made(self) -> nn.Module:
        if self.make is not None:
            return self.make(**self.options)
        if self.library == "timm":
            import timm

            return timm.create_model(self.entry, pretrained=False, **self.options)
        from torchvision import models

        return models.get_model(self.entry, weights=None, **self.options)

    def outputs(self, net: nn.Module, image: Tensor) -> Any:
        return net(image) if self.run is None else self.run(net, image)

    def entries(self, net: nn.Module) -> list[tuple[str, Tensor]]:
        """The parameters and buffers of the library's network, in the order in which the spec has them."""
        # torchvision has a factor for each channel as [channels, 1, 1].
        found = [(key, value.flatten() if key.endswith("layer_scale") else value) for key, value in entries(net)]
        places = {key: float(index) for index, (key, _) in enumerate(found)}
        for key, place in places.items():
            if self.behind is not None and (match := re.fullmatch(self.behind[0], key)):
                before = match.expand(self.behind[1])
                places[key] = max(at for other, at in places.items() if other.startswith(before)) + 0.5
            for index, prefix in enumerate(self.order):
                if key.startswith(prefix):
                    places[key] = place + index * len(found)
                    break
        return sorted(found, key=lambda entry: places[entry[0]])


def read() -> dict[str, dict[str, Any]]:
    """What the tool has written, by the name of the case."""
    found: dict[str, dict[str, Any]] = {}
    for path in sorted(FOLDER.glob("*.json")):
        found |= json.loads(path.read_text(encoding="utf-8"))
    return found


# --- outputs that a call does not give ---


def _behind(net: nn.Module, layers: dict[str, str], image: Tensor) -> tuple[Any, ...]:
    """What the network gives, and what each of some classifiers makes of the value behind a layer; they rest in evaluation."""
    seen: dict[str, Tensor] = {}

    def keep(name: str) -> Callable[..., None]:
        return lambda _module, _inputs, output: seen.update({name: output})

    hooks = [net.get_submodule(layer).register_forward_hook(keep(layer)) for layer in layers.values()]
    result = net(image)
    for hook in hooks:
        hook.remove()
    return (result, *[net.get_submodule(name)(seen[layer]) for name, layer in layers.items()])


def _segmented(net: Any, image: Tensor) -> Any:
    found = net(image)
    return (found["out"], found["aux"]) if "aux" in found else found["out"]


def _detected(net: Any, image: Tensor) -> Any:
    scores, boxes = net.head.classification_head, net.head.regression_head
    levels = net.backbone(image).values()
    return [(scores.cls_logits(scores.conv(x)), boxes.bbox_reg(boxes.conv(x))) for x in levels]


def _pyramid() -> nn.Module:
    from torchvision.models.detection.backbone_utils import resnet_fpn_backbone
    from torchvision.ops.feature_pyramid_network import LastLevelMaxPool

    return resnet_fpn_backbone(
        backbone_name="resnet50", weights=None, norm_layer=nn.BatchNorm2d, extra_blocks=LastLevelMaxPool()
    )


# --- the cases ---


def _variants(spec: str, library: str, names: dict[str, str], **options: Any) -> list[Case]:
    return [Case(f"{spec}:{model}", library, entry, **options) for model, entry in names.items()]


def _torchvision() -> list[Case]:
    found = _variants("alexnet.cnn", "torchvision", {"AlexNet": "alexnet"}, image=(3, 95, 95))
    found += _variants("convnext.cnn", "torchvision", {
        f"ConvNeXt{size[0].upper()}": f"convnext_{size}" for size in ("tiny", "small", "base", "large")
    }, behind=(r"(.*)\.layer_scale", r"\1.block."))  # fmt: skip
    found += _variants(
        "densenet.cnn", "torchvision", {f"DenseNet{depth}": f"densenet{depth}" for depth in (121, 161, 169, 201)}
    )
    found += _variants(
        "efficientnet.cnn", "torchvision", {f"EfficientNetB{size}": f"efficientnet_b{size}" for size in range(8)}
    )
    found += _variants(
        "efficientnet_v2.cnn",
        "torchvision",
        {f"EfficientNetV2{size.upper()}": f"efficientnet_v2_{size}" for size in "sml"},
    )
    found += _variants("mnasnet.cnn", "torchvision", {
        "MNASNet05": "mnasnet0_5", "MNASNet075": "mnasnet0_75", "MNASNet10": "mnasnet1_0", "MNASNet13": "mnasnet1_3",
    })  # fmt: skip
    found += _variants("mobilenet_v2.cnn", "torchvision", {"MobileNetV2": "mobilenet_v2"})
    found += _variants("mobilenet_v3.cnn", "torchvision", {
        "MobileNetV3Large": "mobilenet_v3_large", "MobileNetV3Small": "mobilenet_v3_small",
    })  # fmt: skip
    found += _variants("regnet.cnn", "torchvision", {
        f"RegNet{kind.upper()}{name}": f"regnet_{kind}_{size}" for kind in "xy" for name, size in [
            ("400MF", "400mf"), ("800MF", "800mf"), ("1600MF", "1_6gf"), ("3200MF", "3_2gf"), ("8GF", "8gf"),
        ]
    }, behind=(r"(.*)\.proj\..*", r"\1.f."))  # fmt: skip
    found += _variants("resnet.cnn", "torchvision", {
        **{f"ResNet{depth}": f"resnet{depth}" for depth in (18, 34, 50, 101, 152)},
        **{f"ResNeXt{name}": f"resnext{name}" for name in ("50_32x4d", "101_32x8d", "101_64x4d")},
        **{f"WideResNet{name}": f"wide_resnet{name}" for name in ("50_2", "101_2")},
    })  # fmt: skip
    found += _variants("shufflenet_v2.cnn", "torchvision", {
        f"ShuffleNetV2x{size}": f"shufflenet_v2_x{size[0]}_{size[1]}" for size in ("05", "10", "15", "20")
    })  # fmt: skip
    found += _variants(
        "squeezenet.cnn", "torchvision", {"SqueezeNet10": "squeezenet1_0", "SqueezeNet11": "squeezenet1_1"}
    )
    for depth in (11, 13, 16, 19):
        found += _variants("vgg.cnn", "torchvision", {f"VGG{depth}": f"vgg{depth}"})
        found += _variants("vgg.cnn", "torchvision", {f"VGG{depth}": f"vgg{depth}_bn"}, given={"batch_norm": True})
    found += _variants("vit.cnn", "torchvision", {"ViTB16": "vit_b_16"}, image=(3, 224, 224),
                       order=("class_token", "encoder.pos_embedding", "conv_proj", "encoder", "heads"))  # fmt: skip
    return found + _with_several_outputs()


def _with_several_outputs() -> list[Case]:
    google = [f"inception{name}" for name in ("3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b")]
    return [
        Case("googlenet.cnn:GoogLeNetBN", "torchvision", "googlenet", {"aux_logits": True, "init_weights": False},
             order=("conv", *google, "fc", "aux1", "aux2"),
             run=lambda net, x: _behind(net, {"aux1": "inception4a", "aux2": "inception4d"}, x)),
        Case("inception_v3.cnn:InceptionV3", "torchvision", "inception_v3", {"aux_logits": True, "init_weights": False},
             image=(3, 299, 299), order=("Conv2d", "Mixed", "fc", "AuxLogits"),
             run=lambda net, x: _behind(net, {"AuxLogits": "Mixed_6e"}, x)),
        Case("deeplab_v3.cnn:DeepLabV3", "torchvision", "deeplabv3_resnet50", {"weights_backbone": None, "aux_loss": True},
             given={"H": 64, "W": 64}, run=_segmented),
        Case("fcn.cnn:FCN", "torchvision", "fcn_resnet50", {"weights_backbone": None, "aux_loss": True},
             given={"H": 64, "W": 64}, run=_segmented),
        Case("lraspp.cnn:LRASPP", "torchvision", "lraspp_mobilenet_v3_large", {"weights_backbone": None},
             given={"H": 64, "W": 64}, run=_segmented),
        Case("retinanet.cnn:RetinaNet", "torchvision", "retinanet_resnet50_fpn", {"weights_backbone": None},
             given={"H": 128, "W": 128}, image=(3, 128, 128), run=_detected,
             order=("backbone.body", *[f"backbone.fpn.inner_blocks.{level}" for level in (2, 1, 0)], "backbone", "head")),
        Case("fpn.cnn:FPN", "torchvision", "resnet_fpn_backbone", given={"H": 64, "W": 64}, make=_pyramid,
             run=lambda net, x: list(net(x).values()),
             order=("body", *[f"fpn.inner_blocks.{level}" for level in (3, 2, 1, 0)], "fpn.layer_blocks.3", "fpn")),
    ]  # fmt: skip


def _timm() -> list[Case]:
    head = [prefix for level in range(4) for prefix in (f"incre_modules.{level}", f"downsamp_modules.{level}")]
    found = _variants("gmlp.cnn", "timm", {"GMLPS16": "gmlp_s16_224"}, image=(3, 224, 224))
    found += _variants("mlp_mixer.cnn", "timm", {"MixerS16": "mixer_s16_224"}, image=(3, 224, 224))
    found += _variants("res2net.cnn", "timm", {"Res2Net50": "res2net50_26w_4s"},
                       behind=(r"(.*)\.bns\.(\d)\..*", r"\1.convs.\2."))  # fmt: skip
    found += _variants("se_resnet.cnn", "timm", {f"SEResNet{depth}": f"seresnet{depth}" for depth in (50, 101, 152)})
    parts = ("conv1", "bn1", "conv2", "bn2", "layer", "transition1", "stage2", "transition2", "stage3", "transition3")
    found += _variants("hrnet.cnn", "timm", {"HRNetW18": "hrnet_w18"},
                       order=(*parts, "stage4", *head, "final_layer", "classifier"))  # fmt: skip
    return found


CASES = [*_torchvision(), *_timm()]
