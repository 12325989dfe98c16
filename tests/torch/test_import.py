"""What `cnnspec import` writes against the module that it was made from: parameters, and outputs with its weights."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path

import pytest
import torch

import cnnspec
from cnnspec.cli.main import main
from cnnspec.diagnostics import Sink
from cnnspec.importers.torch_source import import_module
from cnnspec.source import Source
from cnnspec.torch_source.check import Options, check_python
from cnnspec.torch_source.lower.graphs import lowered
from tests.import_sources import CASES, HEAD


def module_of(path: Path) -> torch.nn.Module:
    spec = importlib.util.spec_from_file_location("imported_model", path)
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    net: torch.nn.Module = loaded.Net()
    return net.eval()


def tensors(value: object) -> list[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        return [value]
    parts = value.values() if isinstance(value, dict) else value
    return [one for part in parts for one in tensors(part)]  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", CASES)
def test_outputs_are_equal_bit_by_bit(name: str, tmp_path: Path):
    text, shapes, _ = CASES[name]
    path = tmp_path / "model.py"
    path.write_text(HEAD + text)
    sink = Sink()
    (outcome,) = check_python(Source("model.py", HEAD + text), "", sink, Options("Net", shapes))
    found = import_module(outcome, sink)
    assert found is not None
    theirs, ours = module_of(path), cnnspec.loads(found.text).compile().eval()
    torch.manual_seed(0)
    state = {
        key: torch.rand_like(value) if value.is_floating_point() else value
        for key, value in theirs.state_dict().items()
    }
    theirs.load_state_dict(state)
    prefixes = sorted(found.keys.items(), key=lambda pair: -len(pair[0]))
    carried = {}
    for key in ours.state_dict():
        own, other = next(pair for pair in prefixes if key == pair[0] or key.startswith(f"{pair[0]}."))
        carried[key] = state[other + key[len(own) :]].reshape(ours.state_dict()[key].shape)
    ours.load_state_dict(carried)
    assert len(carried) == len(state) - 2 * len(found.idle)
    values = [torch.rand(2, *shape) for shape in shapes]
    with torch.no_grad():
        first, second = tensors(theirs(*values)), tensors(ours(*values))
    # LayerScale leaves the memory of its values in another order, which a GroupNorm behind it sums up in.
    same = torch.equal if name != "own" else lambda one, other: torch.allclose(one, other, atol=1e-5)
    assert all(same(one, other) for one, other in zip(first, second, strict=True))


@pytest.mark.parametrize("name", CASES)
def test_what_is_exported_from_source_is_that_module(name: str, tmp_path: Path):
    text, shapes, _ = CASES[name]
    path, out = tmp_path / "model.py", tmp_path / "net.py"
    path.write_text(HEAD + text)
    given = ",".join("x".join(map(str, shape)) for shape in shapes)
    assert main(["export", f"{path}:Net", "--input", given, "-o", str(out)]) == 0
    theirs, ours = module_of(path), module_of(out)
    # Members of a ModuleList are attributes of their own, weights of a module's own belong to layers.
    (outcome,) = check_python(Source("model.py", HEAD + text), "", Sink(), Options("Net", shapes))
    moved = {key: f"{layer}.{own}" for layer, keys in lowered(outcome).loose.items() for own, key in keys.items()}
    state = {
        moved.get(key) or re.sub(r"^(units)\.(?=\d+\.(?:ex|bn|de|sq|ou))", r"\1_", key): value
        for key, value in theirs.state_dict().items()
    }
    own = ours.state_dict()
    ours.load_state_dict({key: value.reshape(own[key].shape) for key, value in state.items()})
    values = [torch.rand(2, *shape) for shape in shapes]
    with torch.no_grad():
        first, second = tensors(theirs(*values)), tensors(ours(*values))
    assert len(first) == len(second)
    # Attention in eval mode takes a faster way where nobody wants its weights.
    same = torch.allclose if "MultiheadAttention" in text else torch.equal
    assert all(same(one, other) for one, other in zip(first, second))


LENET = """class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 5, stride=2)
        self.fc = nn.Linear(4 * 4 * 4, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv(x)), 2)
        return self.fc(torch.flatten(x, 1))
"""


def test_sizes_of_a_class_are_those_that_it_takes(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = tmp_path / "model.py"
    path.write_text(HEAD + LENET)
    assert main(["sizes", str(path), "--input", "1x22x22", "--format", "json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)["models"]
    net = module_of(path)

    def told(height: int, width: int) -> bool:
        return any(
            all(
                any(low <= size <= high for low, high in box[name]["intervals"])
                for name, size in (("H", height), ("W", width))
            )
            for box in found["sizes"]
        )

    def takes(height: int, width: int) -> bool:
        try:
            net(torch.zeros(1, 1, height, width))
        except RuntimeError:
            return False
        return True

    sizes = [4, 7, 10, 12, 16, 20, 21, 22, 24, 25, 32, 64, 68, 69, 72]
    assert all(told(a, b) == takes(a, b) for a in sizes for b in sizes)
    assert any(told(a, b) for a in sizes for b in sizes)
