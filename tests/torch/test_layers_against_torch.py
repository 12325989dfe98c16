"""Every layer against torch on the CPU: accepted or refused, the output, the parameters and the module that is built.

CNNSPEC_CASES=10 tries ten times as many cases. A disagreement prints the case as one line and what both sides say.
"""

from __future__ import annotations

import inspect
import os
import random
import sys
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).parents[2]))

import cnnspec.nn
from cnnspec import layers
from cnnspec.layers import Layer, Shape
from tests.layers import cases

CASES = int(22_000 * float(os.environ.get("CNNSPEC_CASES", "1")))
BATCH = 2
GENERATORS = cases.generators()
LAYERS = {name: layer for name in layers.names() if (layer := layers.find(name)) and layer.module is None}
LINES = cases.accepted() + cases.rejected()

Arguments = dict[str, object]


@dataclass(frozen=True)
class Torch:
    """What torch makes of a layer: the module and the shape of its output, or why it refuses."""

    module: nn.Module | None
    y: Shape | None
    error: str = ""


@dataclass(frozen=True)
class Stricter:
    """Something that torch accepts and cnnspec refuses on purpose."""

    reason: str
    applies: Callable[[cases.Answer, Arguments, Torch], bool]
    layers: tuple[str, ...] = ()
    """Beginnings of names; all layers where it is empty."""


STRICTER = (
    Stricter(
        "an empty output is a mistake",
        lambda answer, arguments, found: found.y is not None and 0 in found.y,
    ),
    Stricter(
        "shapes have all their dimensions: torch takes the batch for the channels of one sample",
        lambda answer, arguments, found: answer.code == "E201",
    ),
    Stricter(
        "a second output has nowhere to go",
        lambda answer, arguments, found: answer.field == "return_indices" and arguments["return_indices"] is True,
        ("MaxPool", "AdaptiveMaxPool"),
    ),
    Stricter(
        "a tuple has one number an axis, or one a side: torch takes shorter ones for some layers",
        lambda answer, arguments, found: answer.code == "E116" and isinstance(arguments[answer.field], tuple),
        ("MaxPool", "AvgPool", "LPPool", "ConstantPad", "ZeroPad"),
    ),
    Stricter(
        "a pool counts in 32 bits in training: torch only finds out where a gradient is needed",
        lambda answer, arguments, found: answer.code == "E116" and arguments[answer.field] == 2**31,
        ("MaxPool1d",),
    ),
    Stricter(
        "no tuple for the window: torch takes one for an infinite norm alone",
        lambda answer, arguments, found: answer.field == "kernel_size" and abs(arguments["norm_type"]) == float("inf"),
        ("LPPool1d",),
    ),
    Stricter(
        "what was cut off can't go round: torch gives memory that nothing was written to",
        lambda answer, arguments, found: answer.code == "E206" and min(arguments["padding"]) < 0,
        ("CircularPad",),
    ),
)


@pytest.fixture(autouse=True)
def _quiet() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    warnings.simplefilter("ignore")


def torch_class(layer: type[Layer]) -> type[nn.Module]:
    found = getattr(cnnspec.nn if layer.own else nn, layer.__name__)
    assert issubclass(found, nn.Module)
    return found


def run(name: str, arguments: Arguments, x: Shape) -> Torch:
    """Build the module without cnnspec and run it in training."""
    layer = LAYERS[name]
    given = {key: value for key, value in arguments.items() if key != layer.inferred or value is not None}
    try:
        module = torch_class(layer)(**inferred(layer, given, x) | given)
        with torch.no_grad():
            y = module(torch.rand(BATCH, *x))
    except Exception as error:
        return Torch(None, None, f"{type(error).__name__}: {error}")
    # With indices, the output comes first.
    return Torch(module, tuple((y[0] if isinstance(y, tuple) else y).shape))


def inferred(layer: type[Layer], given: Arguments, x: Shape) -> Arguments:
    """What torch has to be told and a spec leaves out."""
    if layer.inferred:
        return {layer.inferred: x[layer.inferred_axis]}
    if "normalized_shape" in layer.fields and given.get("normalized_shape") is None:
        given.pop("normalized_shape", None)
        return {"normalized_shape": x}
    return {}


def disagreement(name: str, arguments: Arguments, x: Shape, answer: cases.Answer) -> str:
    """ "" where cnnspec's answer is right, or else the case in a line and what both say."""
    found = run(name, arguments, x)
    say = f"{cases.written(name, arguments, x)}: "
    if answer.y is None:
        if found.y is None or stricter(name, arguments, answer, found):
            return ""
        return f"{say}{answer.code} {answer.field}, torch gives {list(found.y[1:])}"
    if found.module is None or found.y is None:
        return f"{say}{list(answer.y)}, torch refuses: {found.error[:300]}"
    if found.y != (BATCH, *answer.y):
        return f"{say}{list(answer.y)}, torch gives {list(found.y[1:])}"
    assert answer.layer is not None
    counted, parameters = answer.layer.parameters(x), sum(p.numel() for p in found.module.parameters())
    if counted != parameters:
        return f"{say}{counted} parameters, torch has {parameters}"
    built = build(answer.layer, x)
    return "" if repr(built) == repr(found.module) else f"{say}builds {built!r}, not {found.module!r}"


def build(layer: Layer, x: Shape) -> nn.Module:
    call = layer.call(x)
    assert call.target == f"{'cnnspec.nn' if layer.own else 'nn'}.{type(layer).__name__}"
    return torch_class(type(layer))(*call.args, **call.kwargs)


def stricter(name: str, arguments: Arguments, answer: cases.Answer, found: Torch) -> Stricter | None:
    for rule in STRICTER:
        if (not rule.layers or name.startswith(rule.layers)) and rule.applies(answer, arguments, found):
            return rule
    return None


def share(name: str) -> int:
    """How many of the cases a layer gets: more of them the more arguments it has."""
    weights = {name: 1 + len(layer.fields) for name, layer in LAYERS.items()}
    return 1 + CASES * weights[name] // sum(weights.values())


@pytest.mark.parametrize("name", LAYERS)
def test_generated(name: str) -> None:
    wrong = []
    for seed in range(share(name)):
        arguments, x = GENERATORS[name](random.Random(f"{name} {seed}"))
        answer = cases.answer(name, cases.by_name(arguments), x)
        if found := disagreement(name, arguments, x, answer):
            wrong.append(found)
    assert not wrong, f"{len(wrong)} of {share(name)}:\n" + "\n".join(sorted(wrong, key=len)[:20])


@pytest.mark.parametrize("case", LINES, ids=str)
def test_written(case: cases.Case) -> None:
    names = list(LAYERS[case.name].fields)
    if case.code in ("E111", "E113", "E114", "E115"):
        pytest.skip("not the values are wrong")
    arguments = {argument.name or names[at]: argument.value for at, argument in enumerate(case.arguments)}
    assert disagreement(case.name, arguments, case.x, case.answer()) == ""


def test_enough_of_both() -> None:
    """The cases of a run are many, and a quarter to two fifths of them are refused."""
    refused = Counter()
    for name in LAYERS:
        for seed in range(share(name)):
            arguments, x = GENERATORS[name](random.Random(f"{name} {seed}"))
            refused[bool(cases.answer(name, cases.by_name(arguments), x).code)] += 1
    assert refused.total() >= min(20_000, CASES)
    assert 0.25 <= refused[True] / refused.total() <= 0.4


def test_every_exception_is_needed() -> None:
    """Each way in which cnnspec is stricter shows in some case."""
    used = set()
    for name in LAYERS:
        for seed in range(1_500):
            arguments, x = GENERATORS[name](random.Random(f"{name} {seed}"))
            answer = cases.answer(name, cases.by_name(arguments), x)
            if answer.y is None and (found := run(name, arguments, x)).y is not None:
                used.add(stricter(name, arguments, answer, found))
    assert set(STRICTER) <= used


@pytest.mark.parametrize("name", LAYERS)
def test_signature(name: str) -> None:
    """Names, order and defaults of the arguments are torch's, but for the one that is inferred."""
    layer = LAYERS[name]
    expected = dict(inspect.signature(torch_class(layer)).parameters)
    for left_out in ({"device", "dtype", layer.inferred} - set(layer.fields)) & set(expected):
        del expected[left_out]
    assert list(layer.fields) == list(expected)
    for field, parameter in zip(layer.fields.values(), expected.values()):
        optional_here = field.name in (layer.inferred, "normalized_shape")
        if field.required or not optional_here:
            assert field.required == (parameter.default is parameter.empty), field.name
        if parameter.default is not parameter.empty:
            assert repr(field.default) == repr(parameter.default), field.name


def test_no_layer_of_torch_is_misspelt() -> None:
    assert [name for name, layer in LAYERS.items() if not hasattr(cnnspec.nn if layer.own else nn, name)] == []
