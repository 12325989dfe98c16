"""The compiled module: a Sequential as one writes it by hand, that torch's own tools work on."""

import copy
import io
import subprocess
import sys
from collections import OrderedDict

import pytest
import torch
from torch import nn

import cnnspec
from cnnspec.compiler.module_names import RESERVED
from cnnspec.layers import Layer, find

LENET = """
model LeNet(num_classes = 10) {
    input [1, 28, 28]
    Conv2d(6, kernel_size=5, padding=2)
    Sigmoid
    AvgPool2d(2)
    Conv2d(16, kernel_size=5)
    Sigmoid
    AvgPool2d(2)
    Flatten
    Linear(120)
    Sigmoid
    Linear(84)
    Sigmoid
    Linear(num_classes)
}
"""

SKIPS = """
block Unit(channels) {
    residual {
        Conv2d(channels, 3, padding=1)
        BatchNorm2d
        ReLU
    } shortcut {
        if in_channels != channels {
            Conv2d(channels, 1)
        }
    }
}
model Net {
    input [3, 8, 8] as image
    Unit(4) as down
    MaxPool2d(2)
    Unit(4)
    Upsample(scale_factor=2)
    concat(down, image)
    add { branch { Conv2d(5, 1) } branch { Conv2d(5, 3, padding=1) } }
    residual { Conv2d(5, 1); add(down, image) { } }
}
""".replace("    residual { Conv2d(5, 1); add(down, image) { } }\n", "    residual { concat(image); Conv2d(5, 1) }\n")


def test_lenet_is_what_one_writes_by_hand():
    by_hand = nn.Sequential(
        nn.Conv2d(1, 6, kernel_size=5, padding=2),
        nn.Sigmoid(),
        nn.AvgPool2d(2),
        nn.Conv2d(6, 16, kernel_size=5),
        nn.Sigmoid(),
        nn.AvgPool2d(2),
        nn.Flatten(),
        nn.Linear(400, 120),
        nn.Sigmoid(),
        nn.Linear(120, 84),
        nn.Sigmoid(),
        nn.Linear(84, 10),
    )
    net = cnnspec.loads(LENET).compile()
    assert type(net) is nn.Sequential
    assert repr(net) == repr(by_hand)
    assert list(net.state_dict()) == list(by_hand.state_dict())
    net.load_state_dict(by_hand.state_dict())
    image = torch.rand(4, 1, 28, 28)
    assert torch.equal(net(image), by_hand(image))


def test_names_are_keys_and_unnamed_children_are_numbered():
    net = cnnspec.loads(
        "model M { input [4]; Linear(3) as first; ReLU; Linear(2); block_(1) as last }\n"
        "block block_(n) { Linear(n); ReLU }"
    ).compile()
    by_hand = nn.Sequential(
        OrderedDict(
            [
                ("first", nn.Linear(4, 3)),
                ("1", nn.ReLU()),
                ("2", nn.Linear(3, 2)),
                ("last", nn.Sequential(nn.Linear(2, 1), nn.ReLU())),
            ]
        )
    )
    assert repr(net) == repr(by_hand)
    assert list(net.state_dict()) == list(by_hand.state_dict())


def test_repeat_for_and_if_leave_no_trace():
    net = cnnspec.loads(
        "model M { input [4]; repeat 2 { Linear(4); ReLU }; for n in [3, 2] { if n == 3 { Linear(n) } else { Tanh } } }"
    ).compile()
    assert [type(child).__name__ for child in net] == ["Linear", "ReLU", "Linear", "ReLU", "Linear", "Tanh"]
    assert net[0].weight is not net[2].weight


@pytest.mark.parametrize("text", [LENET, SKIPS], ids=["lenet", "skips"])
class TestTools:
    def image(self, spec: cnnspec.Spec) -> torch.Tensor:
        return torch.rand(2, *spec.input)

    def test_state_dict_round_trip(self, text: str):
        spec = cnnspec.loads(text)
        first, second = spec.compile().eval(), spec.compile().eval()
        file = io.BytesIO()
        torch.save(first.state_dict(), file)
        file.seek(0)
        second.load_state_dict(torch.load(file, weights_only=True))
        image = self.image(spec)
        assert torch.equal(first(image), second(image))

    def test_deepcopy(self, text: str):
        spec = cnnspec.loads(text)
        net = spec.compile().eval()
        image = self.image(spec)
        assert torch.equal(copy.deepcopy(net)(image), net(image))

    def test_fx(self, text: str):
        spec = cnnspec.loads(text)
        net = spec.compile().eval()
        image = self.image(spec)
        assert torch.equal(torch.fx.symbolic_trace(net)(image), net(image))

    def test_export(self, text: str):
        spec = cnnspec.loads(text)
        net = spec.compile().eval()
        image = self.image(spec)
        exported = torch.export.export(net, (image,)).module()
        assert torch.allclose(exported(image), net(image), atol=1e-6)

    def test_torch_compile(self, text: str):
        spec = cnnspec.loads(text)
        net = spec.compile().eval()
        image = self.image(spec)
        compiled = torch.compile(net, backend="eager", fullgraph=True)
        assert torch.allclose(compiled(image), net(image), atol=1e-6)

    def test_gradients_reach_every_parameter(self, text: str):
        spec = cnnspec.loads(text)
        net = spec.compile()
        net(self.image(spec)).square().sum().backward()
        assert all(parameter.grad is not None for parameter in net.parameters())


def test_device_and_dtype():
    spec = cnnspec.loads(LENET)
    assert all(p.device.type == "meta" for p in spec.compile(device="meta").parameters())
    assert all(p.dtype == torch.float64 for p in spec.compile(dtype=torch.float64).parameters())
    assert all(p.device.type == "cpu" for p in spec.compile(device="cpu").parameters())


def test_seed_gives_the_same_weights_as_by_hand():
    torch.manual_seed(3)
    net = cnnspec.loads("model M { input [4]; Linear(3); Linear(2) }").compile()
    torch.manual_seed(3)
    by_hand = nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 2))
    assert all(torch.equal(a, b) for a, b in zip(net.parameters(), by_hand.parameters()))


def test_reserved_names_are_those_of_torch():
    own = {"steps", "result", "takes", "taps", "shared", "inputs", "operands", "given", "dim", "merge"}
    taken = {name for name in dir(nn.Sequential()) if not name.startswith("_")} | own
    assert taken == RESERVED
    for name in RESERVED - {"train"}:  # a word of the language
        with pytest.raises(cnnspec.SpecError, match="E124"):
            cnnspec.loads(f"model M {{ input [4]; ReLU as {name} }}")


class MyLinear(nn.Module):
    """The notes' own layer: weight of shape out x in, no bias."""

    def __init__(self, in_features: int, out_features: int, scale: float = 1.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(out_features, in_features) * scale)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x @ self.weight.T


@pytest.fixture(scope="module")
def my_layer() -> type[Layer]:
    from cnnspec import declare as fields

    class MyDense(Layer):
        """Multiplies by a weight matrix."""

        module = MyLinear
        inferred = "in_features"
        inferred_axis = -1
        counts = "input features"
        out_features: fields.Count
        scale: fields.Positive = 1.0

        def infer(self, x):
            return (*x[:-1], self.out_features)

        def parameters(self, x):
            return x[-1] * self.out_features

    return MyDense


def test_a_layer_of_ones_own(my_layer: type[Layer]):
    assert find("MyDense") is my_layer
    spec = cnnspec.loads("model M { input [2, 4]; MyDense(4 -> 3, scale=0.5); ReLU; MyDense(2) }")
    net = spec.compile()
    assert isinstance(net[0], MyLinear)
    assert net(torch.rand(5, 2, 4)).shape == (5, 2, 2)
    assert spec.parameters == sum(p.numel() for p in net.parameters()) == 18
    for text, code in [
        ("MyDense(5 -> 3)", "E203"),
        ("MyDense(0)", "E116"),
        ("MyDense(3, sclae=1)", "E111"),
        ("MyDens(3)", "E110"),
    ]:
        with pytest.raises(cnnspec.SpecError, match=code):
            cnnspec.loads(f"model M {{ input [2, 4]; {text} }}")


def test_a_layer_of_ones_own_can_not_replace_ours():
    with pytest.raises(TypeError, match="there is a 'Linear' already"):
        type("Linear", (Layer,), {"module": MyLinear})
    with pytest.raises(TypeError, match="needs `module`"):
        type("Nameless", (Layer,), {})


def test_without_torch_one_line_says_what_to_install():
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "import cnnspec\n"
        "spec = cnnspec.loads('model M { input [4]; Linear(3) }')\n"
        "try: spec.compile()\n"
        "except ModuleNotFoundError as error: print(error)\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "compiling needs PyTorch: pip install 'cnnspec[torch]'\n"
