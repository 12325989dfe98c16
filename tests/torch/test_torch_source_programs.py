"""Programs as people write them: `cnnspec check` says of each what torch does with it, shapes and parameters or a refusal."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
import torch

from cnnspec.diagnostics import Sink
from cnnspec.source import Source
from cnnspec.torch_source.check import Options, check_python
from cnnspec.torch_source.values import BATCH, Record, Tensor
from tests.torch_programs import CASES, HEAD


def ours(value: object, batch: int) -> object:
    if isinstance(value, Tensor):
        return [size // BATCH * batch if size % BATCH == 0 else size for size in value.shape]
    parts = value.values.values() if isinstance(value, Record) else value.values() if isinstance(value, dict) else value
    return [ours(part, batch) for part in parts] if not isinstance(value, (int, float)) else value  # type: ignore[attr-defined]


def theirs(value: object) -> object:
    if isinstance(value, torch.Tensor):
        return list(value.shape)
    parts = value.values() if isinstance(value, dict) else value
    return [theirs(part) for part in parts] if not isinstance(value, (int, float)) else value  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", CASES)
def test_a_program_is_followed_to_what_torch_does(name: str):
    text, shapes, entry = CASES[name]
    sink = Sink()
    (outcome,) = check_python(Source("model.py", HEAD + text), "", sink, Options(entry, shapes))
    names: dict[str, Any] = {"__name__": __name__}
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            exec(compile(HEAD + text, "model.py", "exec"), names)
            made = eval(entry, names)
            net = (made() if isinstance(made, type) else made).eval()
            output = net(*[torch.rand(3, *shape) for shape in shapes])
    except (RuntimeError, AssertionError, TypeError, ValueError):
        assert sink.has_errors
        return
    assert not sink.has_errors, [found.message for found in sink.diagnostics]
    assert not outcome.stop
    assert ours(outcome.output, 3) == theirs(output)
    assert outcome.parameters == sum(one.numel() for one in net.parameters())
