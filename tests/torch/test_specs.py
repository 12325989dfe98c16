"""The specs that come with cnnspec, compiled: they run, and compute what the course notes and hand-written modules do."""

from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import cnnspec
from cnnspec import layers
from cnnspec.declare import Count
from cnnspec.diagnostics import Sink
from cnnspec.layers import base
from cnnspec.nn import Residual
from cnnspec.syntax import tree
from cnnspec.syntax.parser import parse
from cnnspec.syntax.read import read_source
from tests.sampling import FULL
from tests.test_specs import is_whole

FOLDER = Path(__file__).parent.parent.parent / "specs"


@pytest.fixture(autouse=True)
def _one_thread_and_seed():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    yield
    torch.set_num_threads(threads)


def compiled(name: str, **parameters: object) -> nn.Sequential:
    return cnnspec.load(FOLDER / name, **parameters).compile()


def all_models() -> list[str]:
    """The models of every file; of a family the first and the last, or all in a full run."""
    names = []
    for path in sorted(FOLDER.rglob("*.cnn")):
        items = parse(read_source(str(path), Sink()), Sink()).items
        whole = [item.name.id for item in items if isinstance(item, (tree.Model, tree.Variant)) and is_whole(item)]
        family = any(isinstance(item, tree.Variant) for item in items) and not FULL
        chosen = dict.fromkeys([whole[0], whole[-1]] if family else whole)
        names += [f"{path.relative_to(FOLDER).as_posix()}:{name}" for name in chosen]
    return names


def shape_of(value: Any) -> Any:
    """The shape of a value without its batch; of several values those of all."""
    return tuple(value.shape[1:]) if isinstance(value, Tensor) else tuple(map(shape_of, value))


def inputs_of(spec: cnnspec.Spec, device: str) -> list[Tensor]:
    """Two examples of every input."""
    return [
        torch.zeros(2, *entry.shape, dtype=torch.int64 if entry.integers else torch.float32, device=device)
        for entry in spec.graph.inputs
    ]


# --- every model runs ---

# On the CPU where that is quick: at most 12 million parameters, and not a large image. On the meta device all run.
LIGHT, SLOW = 12_000_000, {"hrnet.cnn:HRNetW18", "retinanet.cnn:RetinaNet", "fcn.cnn:FCN", "deeplab_v3.cnn:DeepLabV3"}


@pytest.mark.parametrize("name", all_models())
def test_forward_gives_the_shape_of_the_graph(name: str):
    spec = cnnspec.load(FOLDER / name)
    net = spec.compile(device="meta")
    assert sum(parameter.numel() for parameter in net.parameters()) == spec.parameters
    assert shape_of(net(*inputs_of(spec, "meta"))) == spec.output
    if spec.parameters < LIGHT and name not in SLOW and max(max(entry.shape) for entry in spec.graph.inputs) < 300:
        with torch.no_grad():
            assert shape_of(spec.compile()(*inputs_of(spec, "cpu"))) == spec.output


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("unet.cnn", {"H": 32, "W": 32, "width": 8}),
        ("alexnet.cnn", {"num_classes": 3}),
        ("vgg.cnn:VGG11", {"num_classes": 3, "batch_norm": True}),
        ("mlp.cnn", {"hidden": [32, 16], "dropout": 0.5}),
        ("m5_audio.cnn", {"T": 8_000}),
    ],
)
def test_forward_with_other_parameters(name: str, given: dict[str, object]):
    spec = cnnspec.load(FOLDER / name, **given)
    with torch.no_grad():
        assert spec.compile()(torch.randn(2, *spec.input)).shape == (2, *spec.output)


# --- keys are those that one writes by hand ---


def same(net: nn.Module, by_hand: nn.Module, image: Tensor) -> None:
    """Both have the same keys and shapes, and with the same weights they compute the same."""
    keys = {key: value.shape for key, value in net.state_dict().items()}
    assert keys == {key: value.shape for key, value in by_hand.state_dict().items()}
    assert list(keys) == list(by_hand.state_dict())
    net.load_state_dict(by_hand.state_dict())
    with torch.no_grad():
        assert torch.equal(net.eval()(image), by_hand.eval()(image))


def test_lenet_is_the_sequential_of_the_notes():
    by_hand = nn.Sequential(
        nn.Conv2d(1, 6, kernel_size=5, padding=2),
        nn.Sigmoid(),
        nn.AvgPool2d(kernel_size=2, stride=2),
        nn.Conv2d(6, 16, kernel_size=5),
        nn.Sigmoid(),
        nn.AvgPool2d(kernel_size=2, stride=2),
        nn.Flatten(),
        nn.Linear(16 * 5 * 5, 120),
        nn.Sigmoid(),
        nn.Linear(120, 84),
        nn.Sigmoid(),
        nn.Linear(84, 10),
    )
    same(compiled("lenet.cnn"), by_hand, torch.randn(2, 1, 28, 28))
    same(compiled("notes/lenet.cnn"), by_hand, torch.randn(2, 1, 28, 28))


def test_colour_lenet_is_the_lazy_sequential_of_the_notes():
    by_hand = nn.Sequential(
        nn.LazyConv2d(6, kernel_size=5, padding=2),
        nn.Sigmoid(),
        nn.AvgPool2d(2),
        nn.LazyConv2d(16, kernel_size=5),
        nn.Sigmoid(),
        nn.AvgPool2d(2),
        nn.Flatten(),
        nn.LazyLinear(120),
        nn.Sigmoid(),
        nn.LazyLinear(84),
        nn.Sigmoid(),
        nn.LazyLinear(10),
    )
    image = torch.randn(2, 3, 28, 28)
    by_hand(image)
    same(compiled("notes/lenet_colour.cnn"), by_hand, image)


def conv_bn(inputs: int, outputs: int, kernel_size: int, stride: int = 1, *rest: nn.Module) -> nn.Sequential:
    padding = kernel_size // 2
    convolution = nn.Conv2d(inputs, outputs, kernel_size, stride, padding, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs), *rest)


def test_resnet18_is_a_sequential_of_residuals():
    def unit(inputs: int, outputs: int, stride: int) -> nn.Sequential:
        body = nn.Sequential(conv_bn(inputs, outputs, 3, stride), nn.ReLU(), conv_bn(outputs, outputs, 3))
        # A block is a Sequential of its own, and so is the shortcut that holds one.
        shortcut = nn.Sequential(conv_bn(inputs, outputs, 1, stride)) if inputs != outputs else None
        return nn.Sequential(Residual(body, shortcut), nn.ReLU())

    def stage(inputs: int, outputs: int, stride: int) -> nn.Sequential:
        return nn.Sequential(unit(inputs, outputs, stride), unit(outputs, outputs, 1))

    by_hand = nn.Sequential(
        OrderedDict(
            [
                ("stem", nn.Sequential(conv_bn(3, 64, 7, 2, nn.ReLU()), nn.MaxPool2d(3, 2, 1))),
                ("layer1", stage(64, 64, 1)),
                ("layer2", stage(64, 128, 2)),
                ("layer3", stage(128, 256, 2)),
                ("layer4", stage(256, 512, 2)),
                ("avgpool", nn.AdaptiveAvgPool2d(1)),
                ("flatten", nn.Flatten()),
                ("fc", nn.Linear(512, 1000)),
            ]
        )
    )
    same(compiled("resnet.cnn:ResNet18"), by_hand, torch.randn(1, 3, 64, 64))


TORCHVISION_KEYS = [
    ("alexnet.cnn", {}, [0, 3, 6, 8, 10], [1, 4, 6]),
    ("vgg.cnn:VGG11", {}, [0, 3, 6, 8, 11, 13, 16, 18], [0, 3, 6]),
    ("vgg.cnn:VGG16", {}, [0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28], [0, 3, 6]),
    ("vgg.cnn:VGG11", {"batch_norm": True}, [0, 1, 4, 5, 8, 9, 11, 12, 15, 16, 18, 19, 22, 23, 25, 26], [0, 3, 6]),
]


@pytest.mark.parametrize(("name", "given", "features", "classifier"), TORCHVISION_KEYS, ids=lambda value: str(value))
def test_keys_are_those_of_torchvision(name: str, given: dict[str, bool], features: list[int], classifier: list[int]):
    net = cnnspec.load(FOLDER / name, **given).compile(device="meta")
    prefixes = [f"features.{index}" for index in features] + [f"classifier.{index}" for index in classifier]
    expected = [f"{prefix}.{suffix}" for prefix in prefixes for suffix in ("weight", "bias")]
    assert [key for key, _ in net.named_parameters()] == expected


def test_parts_of_googlenet_are_named_as_in_torchvision():
    net = compiled("googlenet.cnn:GoogLeNetBN")
    units = [f"inception{name}" for name in ("3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b")]
    named = [name for name, _ in net.named_children() if not name.isdigit()]
    assert named == ["conv1", "conv2", "conv3", *units, "fc", "aux1", "aux2"]
    keys = {key for key, _ in net.named_parameters()}
    assert {"conv1.conv.weight", "conv1.bn.bias", "aux1.conv.conv.weight", "aux1.fc1.weight", "fc.bias"} <= keys
    (unit,) = net.inception4a.children()
    assert [name for name, _ in unit.named_children()] == ["branch1", "branch2", "branch3", "branch4"]


# --- numbers that the notes work out by hand ---

IMAGE = torch.arange(9.0).reshape(1, 1, 3, 3)
KERNEL = torch.arange(4.0).reshape(1, 1, 2, 2)
TWO = torch.cat([IMAGE, IMAGE + 1], 1)
TWO_KERNELS = torch.cat([KERNEL, KERNEL + 1], 1)


def with_weight(name: str, weight: Tensor) -> nn.Sequential:
    net = compiled(name).requires_grad_(False)
    assert net[0].weight.shape == weight.shape
    net[0].weight.copy_(weight)
    return net


def test_cross_correlation():
    net = with_weight("notes/cross_correlation.cnn:CrossCorrelation", KERNEL)
    assert net(IMAGE).tolist() == [[[[19, 25], [37, 43]]]]


def test_cross_correlation_of_two_channels():
    net = with_weight("notes/cross_correlation.cnn:TwoChannelsIn", TWO_KERNELS)
    assert net(TWO).tolist() == [[[[56, 72], [104, 120]]]]


def test_cross_correlation_to_three_channels():
    weight = torch.cat([TWO_KERNELS, TWO_KERNELS + 1, TWO_KERNELS + 2])
    net = with_weight("notes/cross_correlation.cnn:ThreeChannelsOut", weight)
    assert net(TWO).tolist() == [[[[56, 72], [104, 120]], [[76, 100], [148, 172]], [[96, 128], [192, 224]]]]


def test_convolution_of_1x1_is_a_product_of_matrices():
    image, weight = torch.randn(1, 3, 3, 3), torch.randn(2, 3)
    net = with_weight("notes/cross_correlation.cnn:OneByOne", weight.reshape(2, 3, 1, 1))
    torch.testing.assert_close(net(image), (weight @ image.reshape(3, 9)).reshape(1, 2, 3, 3))


def test_pooling():
    assert compiled("notes/cross_correlation.cnn:MaxPooling")(IMAGE).tolist() == [[[[4, 5], [7, 8]]]]
    assert compiled("notes/cross_correlation.cnn:AvgPooling")(IMAGE).tolist() == [[[[2, 3], [5, 6]]]]
    image = torch.arange(16.0).reshape(1, 1, 4, 4)
    assert compiled("notes/pooling.cnn:Rectangular")(image).tolist() == [[[[5, 7], [13, 15]]]]


def test_upsampling_repeats_values():
    image = torch.randn(1, 16, 7, 7)
    for name, factor in [("Double", 2), ("Triple", 3)]:
        repeated = image.repeat_interleave(factor, 2).repeat_interleave(factor, 3)
        assert torch.equal(compiled(f"notes/upsampling.cnn:{name}")(image), repeated)


# The image of the notes: white with a black stripe of four columns.
STRIPE = torch.tensor([1.0, 1, 0, 0, 0, 0, 1, 1]).expand(1, 1, 6, 8)
EDGES = torch.tensor([0.0, 1, 0, 0, 0, -1, 0]).expand(1, 1, 6, 7)
EDGE_KERNEL = torch.tensor([[[[1.0, -1.0]]]])


def test_edges_are_found():
    assert torch.equal(with_weight("notes/edge.cnn", EDGE_KERNEL)(STRIPE), EDGES)


@pytest.mark.parametrize("seed", range(5))
def test_edge_kernel_is_learnt(seed: int):
    """As in the notes: squared error, learning rate 0.03; from any start the kernel is found within 0.1."""
    torch.manual_seed(seed)
    net = compiled("notes/edge.cnn")
    weight = net[0].weight
    for _ in range(30):
        loss = ((net(STRIPE) - EDGES) ** 2).sum()
        net.zero_grad()
        loss.backward()
        with torch.no_grad():
            weight -= 0.03 * weight.grad
    assert (weight - EDGE_KERNEL).abs().max() < 0.1


# --- behaviour in training and evaluation ---


@pytest.mark.parametrize(
    ("name", "shape", "dims"),
    [
        ("BatchNormFeatures", (16, 784), (0,)),
        ("BatchNormSequence", (4, 16, 784), (0, 2)),
        ("BatchNormImage", (4, 16, 7, 7), (0, 2, 3)),
    ],
)
def test_batch_norm_in_training_and_evaluation(name: str, shape: tuple[int, ...], dims: tuple[int, ...]):
    net = compiled(f"notes/normalisation.cnn:{name}").requires_grad_(False)
    layer, x = net[0], 3 * torch.randn(shape) + 2
    mean, variance = x.mean(dims), x.var(dims)

    y = net.train()(x)
    torch.testing.assert_close(y.mean(dims), torch.zeros_like(mean), atol=1e-5, rtol=0)
    torch.testing.assert_close(y.var(dims, unbiased=False), torch.ones_like(mean), atol=1e-4, rtol=0)
    torch.testing.assert_close(layer.running_mean, 0.1 * mean)
    torch.testing.assert_close(layer.running_var, 0.9 + 0.1 * variance)

    kept = layer.running_mean.clone()
    z = net.eval()(x)
    along = [size if axis == (1 if len(shape) > 1 else 0) else 1 for axis, size in enumerate(shape)]
    expected = (x - layer.running_mean.view(along)) / (layer.running_var.view(along) + layer.eps).sqrt()
    torch.testing.assert_close(z, expected)
    assert not torch.allclose(y, z)
    assert torch.equal(layer.running_mean, kept)


@pytest.mark.parametrize(
    ("name", "dims"), [("LayerNormImage", (1, 2, 3)), ("LayerNormRows", (3,)), ("InstanceNorm", (2, 3))]
)
def test_other_norms_are_the_same_in_training_and_evaluation(name: str, dims: tuple[int, ...]):
    net = compiled(f"notes/normalisation.cnn:{name}").requires_grad_(False)
    x = 3 * torch.randn(4, 16, 7, 7) + 2
    y = net(x)
    torch.testing.assert_close(y.mean(dims), torch.zeros_like(y.mean(dims)), atol=1e-5, rtol=0)
    assert torch.equal(net.eval()(x), y)


def test_residual_block_passes_its_input_on_where_the_body_gives_nothing():
    net = compiled("notes/residual.cnn:SameChannels").requires_grad_(False)
    x = torch.randn(2, 64, 28, 28)
    net[0][0].body[4].weight.zero_()
    assert torch.equal(net(x), x)
    assert not torch.equal(compiled("notes/residual.cnn:SameChannels")(x), x)


# --- a layer of one's own ---


class MyLinearModule(nn.Module):
    """The layer of the notes: a weight of out x in, a bias, ReLU."""

    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(out_features, in_features))
        self.bias = nn.Parameter(torch.randn(out_features))

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x @ self.weight.T + self.bias)


@pytest.fixture
def my_linear():
    class MyLinear(cnnspec.Layer):
        """Multiplies by a matrix, adds a bias and applies ReLU."""

        module = MyLinearModule
        inferred = "in_features"
        inferred_axis = -1
        counts = "input features"

        out_features: Count

        def infer(self, x: base.Shape) -> base.Shape:
            return (*x[:-1], self.out_features)

        def parameters(self, x: base.Shape) -> int:
            return self.out_features * (x[-1] + 1)

    yield MyLinear
    cnnspec.Layer.members.pop("MyLinear")


def test_layer_of_ones_own(my_linear: type[cnnspec.Layer]):
    assert layers.find("MyLinear") is my_linear
    spec = cnnspec.loads("model Own { input [64]; MyLinear(64 -> 8); MyLinear(1) }")
    net = spec.compile()
    assert {key: tuple(value.shape) for key, value in net.state_dict().items()} == {
        "0.weight": (8, 64),
        "0.bias": (8,),
        "1.weight": (1, 8),
        "1.bias": (1,),
    }
    assert spec.parameters == sum(parameter.numel() for parameter in net.parameters())
    assert net(torch.randn(2, 64)).shape == (2, 1)
    with pytest.raises(cnnspec.SpecError, match="MyLinear expects 32 input features but gets 8"):
        cnnspec.loads("model Own { input [64]; MyLinear(8); MyLinear(32 -> 1) }")
