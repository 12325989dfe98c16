"""What layers say of themselves is borne out by torch: bounds of their values, memory they share, results they keep."""

from __future__ import annotations

from math import prod

import pytest
import torch
from torch import nn

import cnnspec.nn
from cnnspec import layers
from cnnspec.layers import Layer
from cnnspec.layers.base import Parts
from tests.layers import cases

LAYERS = Layer.table()
PLAIN = [
    case
    for case in cases.accepted()
    if case.y is not None
    and not isinstance(case.x, Parts)
    and not isinstance(case.y, Parts)
    and not LAYERS[case.name].integers
    and not LAYERS[case.name].wraps
]
CASES = [case for case in PLAIN if prod(case.x) < 10**6 and case.y is not None and prod(case.y) < 10**6]
BATCH = 3


def built(case: cases.Case) -> tuple[Layer, nn.Module, torch.Tensor]:
    """The layer of a case, its module, and an input of values from 0 to 1."""
    layer = cases.answer(case.name, case.arguments, case.x).layer
    assert layer is not None
    call = layer.call(case.x)
    torch.manual_seed(0)
    module = getattr(cnnspec.nn if layer.own else nn, type(layer).__name__)(*call.args, **call.kwargs)
    return layer, module, torch.rand(BATCH, *case.x)


pytestmark = pytest.mark.filterwarnings("ignore")
EVERY = pytest.mark.parametrize("case", CASES, ids=lambda case: case.line)


@EVERY
def test_values_lie_within_the_bounds(case: cases.Case):
    layer, module, x = built(case)
    for low, high in ((-30.0, 30.0), (0.0, 1.0), (-2.0, -1.0)):
        y = module(low + (high - low) * x)
        # A norm of negative values, or a negative eps, gives NaN.
        y = y[~y.isnan()]
        least, most = layer.bounds(low, high)
        assert ((least - 1e-4 <= y) & (y <= most + 1e-4)).all()


@EVERY
def test_views_share_the_memory_of_their_input(case: cases.Case):
    layer, module, x = built(case)
    if getattr(layer, "inplace", False):
        return
    y = module.eval()(x)
    shares = y.untyped_storage().data_ptr() == x.untyped_storage().data_ptr()
    assert shares == (layer.view or layer.random)


@EVERY
def test_results_are_kept_where_the_layer_says_so(case: cases.Case):
    layer, module, x = built(case)
    x = x.requires_grad_() * 1
    y = module.train()(x)
    keeps = layer.saves_output == "always" or (layer.saves_output == "in place" and getattr(layer, "inplace", False))
    # Whether a recurrent layer keeps its result depends on the device and the directions: it is taken to.
    if layer.view or layer.random or layer.inferred == "input_size":
        return
    y.add_(1)
    if keeps:
        with pytest.raises(RuntimeError, match=r"(?i)in-?place"):
            y.sum().backward()
    else:
        y.sum().backward()


def test_linear_maps_and_normalisations():
    for name in layers.names():
        layer = layers.find(name)
        assert layer is not None
        if layer.module is None and not layer.own:
            module = getattr(nn, name)
            assert layer.linear == (module is nn.Linear or issubclass(module, nn.modules.conv._ConvNd))
            assert (layer.normalizes == "batch") == issubclass(module, nn.modules.batchnorm._BatchNorm)
            assert layer.random == issubclass(module, nn.modules.dropout._DropoutNd)
            assert not layer.slope or layer.slope in layer.fields
