"""Live modules as specs, by torch.fx: the same outputs with the weights carried over, or refused with the places."""

from __future__ import annotations

import importlib.util
import sys
from contextlib import chdir
from pathlib import Path
from typing import NamedTuple

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import cnnspec
from cnnspec.cli.main import main
from tests.import_sources import CASES, HEAD
from tests.sampling import FULL


class Scaled(nn.Module):
    """Weights of a module's own: a norm, a convolution and a factor a channel."""

    def __init__(self, channels: int, stride: int = 1) -> None:
        super().__init__()
        self.stride = stride
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.kernel = nn.Parameter(torch.zeros(channels, channels, 3, 3))
        self.gamma = nn.Parameter(torch.ones(channels, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        x = F.layer_norm(x.permute(0, 2, 3, 1), self.weight.shape, self.weight, self.bias, 1e-6).permute(0, 3, 1, 2)
        return self.gamma * F.conv2d(x, self.kernel, stride=self.stride, padding=1)


class Net(nn.Module):
    def __init__(self, classes: int = 4) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, padding=(1, 1)), nn.PReLU(), nn.GroupNorm(2, 8))
        self.units = nn.ModuleList([Scaled(8), Scaled(8, 2)])
        self.parts = nn.ModuleDict({"rnn": nn.GRU(16, 6, batch_first=True, bidirectional=True)})
        self.head = nn.Linear(12, classes, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        for unit in self.units:
            x = unit(x) if unit.stride != 1 else x + unit(x)
        y, _ = self.parts["rnn"](x.flatten(2))
        return self.head(F.dropout(y[:, -1], 0.3, training=self.training))


class Outputs(NamedTuple):
    logits: Tensor
    more: Tensor


class Named(Net):
    def forward(self, x: Tensor) -> Outputs | Tensor:
        y = super().forward(x)
        return Outputs(y, more=y.relu()) if self.training else y


class Auxiliary(Net):
    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        y = super().forward(x)
        return (y, y) if self.training else y


class Conditional(Net):
    def forward(self, x: Tensor) -> Tensor:
        return x if x.sum() > 0 else -x


class Hooked(Net):
    def __init__(self) -> None:
        super().__init__()
        self.stem.register_forward_hook(lambda module, given, output: output * 2)


class Tied(Net):
    def __init__(self) -> None:
        super().__init__()
        self.units[1].kernel = self.units[0].kernel


class Rolled(Net):
    def forward(self, x: Tensor) -> Tensor:
        return torch.roll(self.stem(x), 1, 2) + torch.flip(x, [2]).mean()


def compare(net: nn.Module, spec: cnnspec.spec.ImportedSpec, *shapes: tuple[int, ...]) -> None:
    """Random weights and statistics carried over: the outputs are the same bits."""
    torch.manual_seed(0)
    state = {
        key: torch.randn_like(value) * 0.3 if value.is_floating_point() else value
        for key, value in net.state_dict().items()
    }
    net.load_state_dict(state)
    ours = spec.compile()
    ours.load_state_dict(spec.carry(state))
    values = [torch.rand(2, *shape) for shape in shapes]
    with torch.no_grad():
        first, second = net.eval()(*values), ours.eval()(*values)
    pairs = zip(first, second, strict=True) if isinstance(first, tuple) else [(first, second)]
    assert all(torch.equal(one, other) and one.std() > 1e-3 for one, other in pairs)
    assert spec.parameters == sum(one.numel() for one in net.parameters())


def test_a_module_comes_with_its_structure():
    net = Net()
    spec = cnnspec.from_torch(net, (3, 8, 8))
    assert net.training
    compare(net, spec, (3, 8, 8))
    assert (
        spec.text
        == """# Imported from a live Net.
# Weights of a module's own: a norm, a convolution and a factor a channel.
block Scaled(stride = 1) {
    Permute((0, 2, 3, 1))
    LayerNorm(8, eps=1e-06) as layer_norm
    Permute((0, 3, 1, 2))
    Conv2d(8, 3, stride=stride, padding=1, bias=false) as conv2d
    LayerScale(1.0) as gamma
}

model Net {
    input [3, 8, 8]

    Conv2d(8, 3, padding=1)
    PReLU
    GroupNorm(2)
    residual {
        Scaled
    }
    Scaled(stride=2)
    Flatten(2)
    GRU(6, bidirectional=true) as rnn
    Select(-1)
    Dropout(0.3)
    Linear(4, bias=false) as head
}
"""
    )


@pytest.mark.parametrize("name", [name for name in CASES if name != "wrapped"])  # torch.fx sees hooks there.
def test_what_source_says_a_trace_says(name: str, tmp_path: Path):
    text, shapes, _ = CASES[name]
    path = tmp_path / "model.py"
    path.write_text(HEAD + text)
    found = importlib.util.spec_from_file_location("traced_model", path)
    assert found is not None
    assert found.loader is not None
    loaded = importlib.util.module_from_spec(found)
    found.loader.exec_module(loaded)
    net = loaded.Net()
    spec = cnnspec.from_torch(net, shapes)
    ours = spec.compile().eval()
    ours.load_state_dict(spec.carry(net.state_dict()))
    assert (spec.parameters == sum(one.numel() for one in net.parameters())) == (name != "thrown")


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (Auxiliary, ["E821", "`Auxiliary` computes something else in training"]),
        (Conditional, ["`Conditional`: torch.fx can't trace its forward: symbolically traced variables"]),
        (Hooked, ["`stem`: a hook that runs with its forward", "Hooked as torch.fx traced it"]),
        (Tied, ["`units.1`: weights that it shares with units.0"]),
        (Rolled, ["there is no layer for `roll`", "there is no layer for `flip`"]),
    ],
)
def test_what_cannot_be_said_is_refused_with_its_places(kind: type[nn.Module], words: list[str]):
    with pytest.raises(cnnspec.SpecError) as refused:
        cnnspec.from_torch(kind(), (3, 8, 8))
    assert all(word in str(refused.value) for word in words)


def test_a_mode_says_what_is_meant():
    compare(net := Auxiliary(), cnnspec.from_torch(net, (3, 8, 8), mode="eval"), (3, 8, 8))
    for kind in (Auxiliary, Named):
        assert cnnspec.from_torch(kind(), (3, 8, 8), mode="train").output == ((4,), (4,))
        assert cnnspec.from_torch(kind(), (3, 8, 8), mode="eval").output == (4,)


SOURCE = (
    HEAD
    + """print("this runs")


class Net(nn.Module):
    def __init__(self, classes=10):
        super().__init__()
        self.fc = nn.Linear(8, classes)

    def forward(self, x):
        return self.fc(x)


net = Net(3)
"""
)


@pytest.mark.parametrize(("entry", "classes"), [("Net", 10), ("Net(7)", 7), ("Net(classes=2)", 2), ("net", 3)])
def test_the_command_says_that_it_runs_code(
    entry: str, classes: int, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    name = f"live_{classes}"
    (tmp_path / f"{name}.py").write_text(SOURCE)
    monkeypatch.setattr("sys.path", ["", *sys.path])
    with chdir(tmp_path):
        code = main(["import", f"{name}:{entry}", "--input", "8", "-o", "net.cnn"])
    captured = capsys.readouterr()
    assert code == 0, captured.err
    assert captured.err.startswith(f"cnnspec: imports {name}, which runs its code\n")
    assert "this runs" in captured.out
    assert f"Linear({classes}) as fc" in (tmp_path / "net.cnn").read_text()
    assert (tmp_path / "net.keys.json").read_text() == '{\n  "fc": "fc"\n}\n'


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ("absent", "has no attribute 'absent'"),
        ("Net(open('x'))", "is no name, and no call of one with constants"),
        ("torch", "is no nn.Module"),
        ("Net(1, 2, 3)", "takes from 1 to 2 positional arguments"),
    ],
)
def test_what_is_no_module_is_told(
    entry: str, problem: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "live_other.py").write_text(SOURCE)
    monkeypatch.setattr("sys.path", ["", *sys.path])
    with chdir(tmp_path):
        assert main(["import", f"live_other:{entry}", "--input", "8"]) == 2
    assert problem in capsys.readouterr().err


@pytest.mark.skipif(not FULL, reason="builds every classification model of torchvision")
def test_every_classification_model_of_torchvision():
    models = pytest.importorskip("torchvision.models")
    refused = set()
    for name in models.list_models(module=models):
        size = 299 if name == "inception_v3" else 224
        net = models.get_model(name, **({"init_weights": False} if name in ("googlenet", "inception_v3") else {}))
        mode = "eval" if name in ("googlenet", "inception_v3") else None
        try:
            spec = cnnspec.from_torch(net, (3, size, size), mode=mode)
        except cnnspec.SpecError:
            refused.add(name)
            continue
        ours = spec.compile().eval()
        ours.load_state_dict(spec.carry(net.state_dict()))
        x = torch.rand(2, 3, size, size)
        with torch.no_grad():
            first, second = net.eval()(x), ours(x)
        # Attention in torch takes another way where its weights are asked for.
        same = torch.allclose(first, second, atol=1e-6) if name.startswith("vit") else torch.equal(first, second)
        assert same, name
    assert refused == {name for name in models.list_models(module=models) if name.startswith(("swin", "maxvit"))}
