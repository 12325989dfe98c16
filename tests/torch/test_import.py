"""What `cnnspec import` writes against the module that it was made from: parameters, and outputs with its weights."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
import torch

import cnnspec
from cnnspec.diagnostics import Sink
from cnnspec.importers.torch_source import import_module
from cnnspec.source import Source
from cnnspec.torch_source.check import Options, check_python
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
        carried[key] = state[other + key[len(own) :]]
    ours.load_state_dict(carried)
    assert len(carried) == len(state)
    values = [torch.rand(2, *shape) for shape in shapes]
    with torch.no_grad():
        first, second = tensors(theirs(*values)), tensors(ours(*values))
    assert all(torch.equal(one, other) for one, other in zip(first, second, strict=True))
