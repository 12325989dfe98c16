"""Weights of other layouts in networks of specs: they compute what the network that they come from does."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

import cnnspec
from cnnspec.cli.main import main
from cnnspec.errors import WeightsError

SPECS = Path(__file__).parent.parent.parent / "specs"


def by_hand() -> nn.Module:
    """LeNet as one class, with names."""

    class LeNet(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv1 = nn.Conv2d(1, 6, 5, padding=2)
            self.conv2 = nn.Conv2d(6, 16, 5)
            self.fc1 = nn.Linear(400, 120)
            self.fc2 = nn.Linear(120, 84)
            self.fc3 = nn.Linear(84, 10)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            x = nn.functional.avg_pool2d(self.conv1(x).sigmoid(), 2)
            x = nn.functional.avg_pool2d(self.conv2(x).sigmoid(), 2)
            x = self.fc1(x.flatten(1)).sigmoid()
            return self.fc3(self.fc2(x).sigmoid())

    return LeNet().eval()


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
def test_a_file_is_loaded(tmp_path: Path, suffix: str):
    theirs, path = by_hand(), tmp_path / f"lenet{suffix}"
    if suffix == ".pth":
        torch.save({"state_dict": {f"module.{key}": value for key, value in theirs.state_dict().items()}}, path)
    else:
        from safetensors.torch import save_file

        save_file(theirs.state_dict(), path)
    ours = cnnspec.load(SPECS / "lenet.cnn").compile().eval()
    assert cnnspec.load_weights(ours, path).is_whole
    image = torch.rand(2, 1, 28, 28)
    assert torch.equal(ours(image), theirs(image))


def test_nothing_is_changed_where_something_does_not_fit():
    ours = cnnspec.load(SPECS / "lenet.cnn", num_classes=3).compile()
    before = {key: value.clone() for key, value in ours.state_dict().items()}
    with pytest.raises(WeightsError, match=r"11\.weight: nothing in the file is weight \[3, 84\]"):
        cnnspec.load_weights(ours, by_hand().state_dict())
    assert all(torch.equal(before[key], value) for key, value in ours.state_dict().items())


def test_nothing_in_a_file_is_run(tmp_path: Path):
    torch.save(nn.Sequential(nn.Linear(2, 2)), tmp_path / "whole.pth")
    (tmp_path / "text.pth").write_text("no weights")
    (tmp_path / "short.safetensors").write_bytes(b"\x08\x00")
    torch.save([1, 2], tmp_path / "list.pth")
    net = cnnspec.load(SPECS / "lenet.cnn").compile()
    for name, reason in {
        "whole.pth": "only a state dict is read",
        "text.pth": "only a state dict is read",
        "short.safetensors": "is damaged",
        "list.pth": "holds no state dict",
        "none.pth": "no such file",
    }.items():
        with pytest.raises(WeightsError, match=reason):
            cnnspec.load_weights(net, tmp_path / name)


def test_the_command_tells_key_by_key(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    torch.save(by_hand().state_dict(), tmp_path / "lenet.pth")
    path = str(SPECS / "lenet.cnn")
    assert main(["weights", path, str(tmp_path / "lenet.pth")]) == 0
    out = capsys.readouterr().out
    assert "0.weight  <- conv1.weight  [6, 1, 5, 5]  by order" in out
    assert out.endswith("10 of 10 tensors fit, 0 by name, 10 by order\n")
    assert main(["weights", path, str(tmp_path / "lenet.pth"), "-D", "num_classes=3"]) == 1
    assert "11.weight !! nothing in the file is" in capsys.readouterr().out
    assert main(["weights", path, str(tmp_path / "none.pth")]) == 2
    assert "no such file" in capsys.readouterr().err
