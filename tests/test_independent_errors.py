"""Two mistakes in one model: none that is provably independent of an earlier one is hidden, and none that is not is shown.

After a mistake the value has one of several shapes, its readings: what was found, what the spec declares, and where neither
says anything, any. A second mistake is independent of the first where it is one for every reading, and the check of that
mistake alone, on an input of that shape, says whether it is.
"""

from __future__ import annotations

from functools import cache
from itertools import product

import pytest

from cnnspec.diagnostics import Sink
from cnnspec.pipeline import check
from cnnspec.source import Source
from tests.sampling import FULL

Shape = tuple[int, ...]
SOME = (1, 2, 3, 4, 5, 7, 8, 9, 12, 16, 17, 26, 28, 60, 99, 120, 256, 5040)
FEW = (1, 8, 9, 17, 99, 120)
ANY = [shape for rank in (1, 2, 3, 4) for shape in product(*[SOME if rank < 3 else FEW] * rank)]
ANY_IMAGE = [(c, h, w) for c, h, w in product(SOME, FEW, FEW)]
ANY_SIZES = [(6, h, w) for h, w in product(SOME, SOME)]

# Each stands behind `Conv2d(6, 3)` on a 3 x 28 x 28 image, which gives 6 x 26 x 26; with the readings behind it.
FIRST: dict[str, tuple[str, list[Shape]]] = {
    "sizes in an annotation": ("ReLU -> [6, 28, 28]", [(6, 26, 26), (6, 28, 28)]),
    "channels in an annotation": ("ReLU -> [7, 26, 26]", [(6, 26, 26), (7, 26, 26)]),
    "rank in an annotation": ("ReLU -> [6, 26]", [(6, 26, 26), (6, 26)]),
    "stated width": ("Conv2d(5 -> 6, 1)", [(6, 26, 26)]),
    "width of a norm": ("BatchNorm2d(7)", [(6, 26, 26), (7, 26, 26)]),
    "misspelt activation": ("Rellu", [(6, 26, 26)]),
    "unknown layer": ("Frobnicate", ANY),
    "unknown name in an argument": ("Conv2d(6, 1, padding=pad)", ANY_SIZES),
    "missing argument": ("Conv2d(6)", ANY_SIZES),
    "argument of the wrong type": ('Conv2d(6, "3")', ANY_SIZES),
    "unknown argument": ("Conv2d(6, 1, wibble=2)", ANY_SIZES),
    "window too large": ("Conv2d(6, 99)", ANY_SIZES),
    "groups that do not divide": ("Conv2d(6, 1, groups=4)", [(6, 26, 26)]),
    "no text of the language": ("Conv2d(6, ?)", ANY_IMAGE),
}
SECOND = {
    "channels of a norm": "BatchNorm2d(17)",
    "channels of a convolution": "Conv2d(17 -> 4, 1)",
    "groups of a norm": "GroupNorm(4)",
    "groups of a convolution": "Conv2d(8, 1, groups=4)",
    "channels of a slice": "Slice(99)",
    "channels of a residual": "residual { Conv2d(9, 1) }",
    "channels of an annotation": "Tanh -> [17, _, _]",
    "rank of a convolution": "Conv1d(4, 1)",
    "rank of a pool": "MaxPool3d(2)",
    "length of a permutation": "Permute((0, 2, 1))",
    "rank of an annotation": "Tanh -> [_, _]",
    "dimension of a softmax": "Softmax(9)",
    "dimension of the batch": "GLU(0)",
    "sizes of an annotation": "Tanh -> [_, 99, _]",
    "window behind sizes set anew": "AdaptiveAvgPool2d(7); MaxPool2d(9)",
    "channels behind channels set anew": "Conv2d(8, 1); BatchNorm2d(17)",
    "unknown layer": "Zorble",
    "argument out of range": "Dropout(1.5)",
}


def errors(text: str) -> list[int]:
    """The lines of the errors."""
    sink = Sink()
    check(Source("spec.cnn", text), sink)
    return [found.span.line for found in sink.diagnostics if found.severity == "error"]


@cache
def is_wrong_on(second: str, shape: Shape) -> bool:
    return bool(errors(f"model M {{ input {list(shape)}; {SECOND[second]} }}"))


def model(*lines: str) -> str:
    return "model M {\n    input [3, 28, 28]\n    Conv2d(6, 3)\n" + "".join(f"    {line}\n" for line in lines) + "}\n"


PAIRS = list(product(FIRST, SECOND, ["", "Tanh"]))


@pytest.mark.parametrize(("first", "second", "between"), PAIRS if FULL else PAIRS[::17])
def test_what_is_independent_is_told_and_nothing_else(first: str, second: str, between: str):
    text, readings = FIRST[first]
    lines = [text, *([between] if between else []), SECOND[second]]
    independent = all(is_wrong_on(second, shape) for shape in readings)
    expected = [4, len(lines) + 3] if independent else [4]
    assert errors(model(*lines)) == expected


@pytest.mark.parametrize("second", SECOND)
def test_each_second_mistake_is_one_alone(second: str):
    assert errors(model("Tanh", SECOND[second])) == [5]


@pytest.mark.parametrize("first", FIRST)
def test_what_is_right_behind_a_mistake_is_not_told(first: str):
    right = ["BatchNorm2d", "Conv2d(8, 1)", "MaxPool2d(2)", "AdaptiveAvgPool2d(4) -> [8, 4, 4]", "Flatten"]
    assert errors(model(FIRST[first][0], *right, "Linear(8*4*4 -> 10)")) == [4]
