"""Every layer against torch on the CPU: accepted or refused, the output, the parameters and the module that is built.

A disagreement prints the case as one line and what both sides say.
"""

from __future__ import annotations

import inspect
import math
import random
import sys
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).parents[2]))

import cnnspec.nn
from cnnspec import layers
from cnnspec.declare import as_tuple
from cnnspec.layers import Call, Layer, Shape
from cnnspec.layers.base import Parts
from tests.layers import cases
from tests.sampling import amount

CASES = amount(10_000, 200_000)
BATCH = 2
WRITING = ("E111", "E113", "E114", "E115", "E127")
"""Codes that are about how the arguments are written: torch takes `true` for 1."""
GENERATORS = cases.generators()
LAYERS = {name: layer for name in layers.names() if (layer := layers.find(name)) and layer.module is None}
LINES = cases.accepted() + cases.rejected()

Arguments = dict[str, Any]


@dataclass(frozen=True)
class Torch:
    """What torch makes of a layer: the module and the shape of its output, empty with the reason where it refuses."""

    module: nn.Module | None
    y: Shape = ()
    error: str = ""


@dataclass(frozen=True)
class Difference:
    """A case that torch accepts and cnnspec refuses."""

    name: str
    arguments: Arguments
    answer: cases.Answer
    torch: Torch

    def is_about(self, code: str, *fields: str) -> bool:
        return self.answer.code == code and (not fields or self.answer.field in fields)

    def numbers(self, field: str = "") -> tuple[Any, ...]:
        """The numbers that a field is given; without a name, the field to blame."""
        value = self.arguments.get(field or self.answer.field, 0)
        return value if isinstance(value, tuple) else (value,)

    def has_other_length(self) -> bool:
        """A tuple neither of one number an axis nor of one a side."""
        rank = LAYERS[self.name].rank
        sizes = (2 * rank,) if "Pad" in self.name else (rank,)
        return isinstance(self.arguments.get(self.answer.field), tuple) and len(self.numbers()) not in sizes


@dataclass(frozen=True)
class Stricter:
    """Something that cnnspec refuses on purpose though torch accepts it."""

    reason: str
    covers: Callable[[Difference], bool]
    layers: tuple[str, ...] = ("",)
    """How the names of the layers begin."""


STRICTER = (
    Stricter("an empty output is a mistake", lambda it: 0 in it.torch.y),
    Stricter(
        "shapes have all their dimensions: torch takes the batch for the channels of one sample",
        lambda it: it.is_about("E201"),
    ),
    Stricter(
        "a tuple has one number an axis, or one a side: torch takes some of other lengths",
        lambda it: it.is_about("E116") and it.has_other_length(),
    ),
    Stricter(
        "what mixes the samples of a batch is a mistake",
        lambda it: it.is_about("E218"),
        (
            *("Flatten", "Unflatten", "Permute", "GLU", "Softmax", "Softmin", "LogSoftmax"),
            *("Slice", "Select", "Chunk", "Split", "Mean", "Max", "Sum", "Std"),
        ),
    ),
    Stricter(
        "so is normalising over the batch, of whatever size it is",
        lambda it: it.is_about("E213") and it.numbers("normalized_shape")[0] == BATCH,
        ("LayerNorm", "RMSNorm"),
    ),
    Stricter(
        "a stated width is checked even where torch has no use for it",
        lambda it: it.is_about("E203") and not it.arguments.get("affine", False),
        ("InstanceNorm",),
    ),
    Stricter("what torch can't go back through", lambda it: it.is_about("E210", "scale_grad_by_freq"), ("Embedding",)),
    Stricter(
        "one value has no variance: torch gives the bias alone, and refuses a batch of one",
        lambda it: it.is_about("E214"),
        ("GroupNorm", "BatchNorm"),
    ),
    Stricter("a tuple has a bound", lambda it: it.is_about("E008"), ("Chunk", "Split")),
    Stricter("one value has no standard deviation: torch gives NaN", lambda it: it.is_about("E210", "dim"), ("Std",)),
    Stricter(
        "a layer that pads adds: torch also cuts off",
        lambda it: it.is_about("E116", "padding") and min(it.numbers()) < 0,
        ("PadChannels",),
    ),
    Stricter(
        "a layer has at least one feature",
        lambda it: it.is_about("E116", "dim_feedforward") and it.numbers() == (0,),
        ("TransformerEncoderLayer",),
    ),
    Stricter(
        "what is brought to a norm is the weight: torch takes any parameter",
        lambda it: it.is_about("E116", "name"),
        ("weight_norm", "spectral_norm"),
    ),
    Stricter(
        "a second output has nowhere to go",
        lambda it: it.is_about("E210", "return_indices"),
        ("MaxPool", "AdaptiveMaxPool"),
    ),
    Stricter(
        "a window of nothing but padding has no largest value: torch gives -inf, and breaks its memory going back",
        lambda it: it.is_about("E210", "dilation"),
        ("MaxPool",),
    ),
    Stricter(
        "negative padding is for the pad layers: torch takes it with any padding_mode but zeros",
        lambda it: it.is_about("E116", "padding") and min(it.numbers()) < 0,
        ("Conv1d", "Conv2d", "Conv3d"),
    ),
    Stricter(
        "a dilation of 0 has no meaning: torch takes it where the kernel is 1",
        lambda it: it.is_about("E116", "dilation") and 0 in it.numbers(),
        ("ConvTranspose",),
    ),
    Stricter(
        "windows don't wrap around: torch counts in 64 bits without a check",
        lambda it: it.is_about("E204", "dilation") and max(it.numbers()) > 2**61,
        ("Conv1d", "Conv2d", "Conv3d"),
    ),
    Stricter(
        "a pool counts in 32 bits in training: torch only finds out where a gradient is needed",
        lambda it: it.is_about("E116", "stride") and max(it.numbers()) >= 2**31,
        ("MaxPool1d", "LPPool1d"),
    ),
    Stricter(
        "an infinite norm is no exception: torch computes it with MaxPool, which takes more windows",
        lambda it: it.answer.field == "kernel_size" and abs(it.arguments["norm_type"]) == math.inf,
        ("LPPool1d", "LPPool3d"),
    ),
    Stricter(
        "what was cut off can't go round: torch gives memory that nothing was written to",
        lambda it: it.is_about("E206") and min(it.numbers()) < 0,
        ("CircularPad",),
    ),
    Stricter(
        "a value has to fit into 32 bits even where nothing is added",
        lambda it: it.is_about("E116", "value"),
        ("ConstantPad",),
    ),
)


def reason_for(it: Difference) -> str:
    """Why cnnspec is stricter, "" where it is wrong."""
    fitting = (rule.reason for rule in STRICTER if it.name.startswith(rule.layers) and rule.covers(it))
    return next(fitting, "")


@pytest.fixture(autouse=True)
def _quiet() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    warnings.simplefilter("ignore")


def torch_class(layer: type[Layer]) -> Callable[..., nn.Module]:
    found: Callable[..., nn.Module] = getattr(cnnspec.nn if layer.own else nn, layer.__name__)
    return found


def inputs(layer: Layer | type[Layer], x: Shape, arguments: Arguments, *, requires_grad: bool = False) -> Any:
    """A value of a shape, or a tuple of them, as the layer takes it."""
    if isinstance(x, Parts):
        return tuple(inputs(layer, part, arguments, requires_grad=requires_grad) for part in x)
    if layer.integers:
        return torch.randint(0, max(1, arguments["num_embeddings"]), (BATCH, *x))
    return torch.rand(BATCH, *x, requires_grad=requires_grad)


def shape_of(y: Any) -> Shape:
    """The shape of a value with its batch, or those of a tuple of values."""
    return tuple(y.shape) if isinstance(y, torch.Tensor) else Parts(map(shape_of, y))


def without_batch(y: Shape) -> Shape:
    return Parts(map(without_batch, y)) if isinstance(y, Parts) else y[1:]


def with_batch(y: Shape) -> Shape:
    return Parts(map(with_batch, y)) if isinstance(y, Parts) else (BATCH, *y)


def total(y: Any) -> torch.Tensor:
    """The sum of all numbers of a value, or of a tuple of values."""
    return y.sum() if isinstance(y, torch.Tensor) else sum(map(total, y), torch.zeros(()))


def run(name: str, arguments: Arguments, x: Shape) -> Torch:
    """Build the module without cnnspec and run it in training."""
    layer = LAYERS[name]
    given = {key: as_tuple(value) for key, value in arguments.items() if key != layer.inferred or value is not None}
    try:
        if layer.wraps:
            inner = given.pop("layer")
            given["module"] = torch_class(type(inner))(**inferred(type(inner), inner.given, x) | inner.given)
        if name == "Split" and isinstance(given.get("sizes"), int):
            size = torch.empty(1, *x).shape[given.get("dim", 1)]
            given["sizes"] = (given["sizes"],) * (size // given["sizes"])
        if name == "TransformerEncoderLayer":
            given["batch_first"] = True
        module = torch_class(layer)(**inferred(layer, given, x) | given)
        with torch.no_grad():
            y = module(inputs(layer, x, given))
    except Exception as error:
        return Torch(None, error=f"{type(error).__name__}: {error}")
    # With indices, the output comes first.
    return Torch(module, shape_of(y[0] if given.get("return_indices") else y))


def inferred(layer: type[Layer], given: Arguments, x: Shape) -> Arguments:
    """What torch has to be told and a spec leaves out."""
    if layer.takes == 3:
        query, key, value = x
        return {layer.inferred: query[-1], "kdim": key[-1], "vdim": value[-1]}
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
        if not found.y or reason_for(Difference(name, arguments, answer, found)):
            return ""
        return f"{say}{answer.code} {answer.field}, torch gives {without_batch(found.y)}"
    if found.module is None:
        return f"{say}{list(answer.y)}, torch refuses: {found.error[:300]}"
    if found.y != with_batch(answer.y):
        return f"{say}{list(answer.y)}, torch gives {without_batch(found.y)}"
    assert answer.layer is not None
    counted, parameters = answer.layer.parameters(x), sum(p.numel() for p in found.module.parameters())
    if counted != parameters:
        return f"{say}{counted} parameters, torch has {parameters}"
    built = build(answer.layer, x)
    return "" if repr(built) == repr(found.module) else f"{say}builds {built!r}, not {found.module!r}"


def build(layer: Layer, x: Shape) -> nn.Module:
    call = layer.call(x)
    home = "nn.utils.parametrizations" if layer.wraps else "cnnspec.nn" if layer.own else "nn"
    assert call.target == f"{home}.{type(layer).__name__}"
    args = [build(layer.layer, x) if isinstance(value, Call) else value for value in call.args]  # type: ignore[attr-defined]
    return torch_class(type(layer))(*args, **call.kwargs)


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


@pytest.mark.parametrize("name", LAYERS)
def test_trains(name: str) -> None:
    """Where a gradient is needed, what is accepted gives the same output, and the way back works."""
    for seed in range(80):
        arguments, x = GENERATORS[name](random.Random(f"{name} back {seed}"))
        answer = cases.answer(name, cases.by_name(arguments), x)
        # torch can't go back through a negative slope that was applied in place.
        if (
            answer.layer is None
            or answer.y is None
            or (name in ("CELU", "ELU", "LeakyReLU") and "inplace" in arguments)
        ):
            continue
        given = inputs(answer.layer, x, arguments, requires_grad=True)
        y = build(answer.layer, x)(given * 1 if isinstance(given, torch.Tensor) else given)
        assert shape_of(y) == with_batch(answer.y), cases.written(name, arguments, x)
        total(y).backward()
        if not answer.layer.integers:
            for part in given if isinstance(given, tuple) else (given,):
                assert part.grad is not None, cases.written(name, arguments, x)


def by_name(case: cases.Case) -> Arguments:
    names = list(LAYERS[case.name].fields)
    return {argument.name or names[at]: as_tuple(argument.value) for at, argument in enumerate(case.arguments)}


@pytest.mark.parametrize("case", [case for case in LINES if case.code not in WRITING], ids=str)
def test_written(case: cases.Case) -> None:
    assert disagreement(case.name, by_name(case), case.x, case.answer()) == ""


def test_enough_of_both() -> None:
    """The cases of a run are many, and a quarter to two fifths of them are refused."""
    refused = Counter()
    for name in LAYERS:
        for seed in range(share(name)):
            arguments, x = GENERATORS[name](random.Random(f"{name} {seed}"))
            refused[bool(cases.answer(name, cases.by_name(arguments), x).code)] += 1
    assert refused.total() >= CASES
    assert 0.25 <= refused[True] / refused.total() <= 0.4


def test_every_exception_is_needed() -> None:
    """Each way in which cnnspec is stricter shows in some case."""
    written = ((case.name, by_name(case), case.x) for case in LINES if case.code and case.code not in WRITING)
    drawn = ((name, *GENERATORS[name](random.Random(f"{name} {seed}"))) for seed in range(600) for name in LAYERS)
    unused = {rule.reason for rule in STRICTER}
    for name, arguments, x in chain(written, drawn):
        answer = cases.answer(name, cases.by_name(arguments), x)
        if answer.y is None and (found := run(name, arguments, x)).y:
            unused.discard(reason_for(Difference(name, arguments, answer, found)))
        if not unused:
            break
    assert not unused


@pytest.mark.parametrize("name", LAYERS)
def test_signature(name: str) -> None:
    """Names, order and defaults of the arguments are torch's, but for the one that is inferred."""
    layer = LAYERS[name]
    left_out = {"device", "dtype", layer.inferred, "batch_first", "module", "_weight", "_freeze"} - set(layer.fields)
    takes_anything = {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD}
    expected = {
        name: parameter
        for name, parameter in inspect.signature(torch_class(layer)).parameters.items()
        if name not in left_out and parameter.kind not in takes_anything
    }
    fields = [field for field in layer.fields.values() if field.name != "layer"]
    assert [field.name for field in fields] == list(expected)
    for field, parameter in zip(fields, expected.values()):
        optional_here = field.name in (layer.inferred, "normalized_shape")
        if field.required or not optional_here:
            assert field.required == (parameter.default is parameter.empty), field.name
        # torch 2.13 has the function itself as the default of TransformerEncoderLayer.
        if parameter.default is not parameter.empty and field.name != "activation":
            assert repr(field.default) == repr(parameter.default), field.name


def test_no_layer_of_torch_is_misspelt() -> None:
    assert [name for name, layer in LAYERS.items() if not hasattr(cnnspec.nn if layer.own else nn, name)] == []
