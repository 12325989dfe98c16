"""The keys and shapes of state dicts that are told without torch are torch's."""

from __future__ import annotations

import pytest

import cnnspec
from cnnspec.graph.state import state_of
from tests.layers import cases
from tests.sampling import FULL
from tests.torch.test_layers_against_torch import build
from tests.torch.test_specs import FOLDER, all_models

SMALL = [case for case in cases.accepted() if cases.answer(case.name, case.arguments, case.x).layer is not None]


@pytest.mark.parametrize("case", SMALL, ids=lambda case: case.line)
def test_a_layer_has_the_tensors_that_it_tells(case: cases.Case):
    layer = cases.answer(case.name, case.arguments, case.x).layer
    assert layer is not None
    found = {key: tuple(value.shape) for key, value in build(layer, case.x).state_dict().items()}
    assert layer.tensors(case.x) == found


@pytest.mark.parametrize("name", all_models() if FULL else all_models()[::4])
def test_a_network_has_the_tensors_that_are_told(name: str):
    spec = cnnspec.load(FOLDER / name)
    state = {key: tuple(value.shape) for key, value in spec.compile(device="meta").state_dict().items()}
    assert list(state_of(spec.graph.numbers.root).items()) == list(state.items())
