"""Cases of cnnspec/layers/fold.py."""

from __future__ import annotations

import random

from ._draw import Case, edge, shape, some, spread

ACCEPTED = """
Unfold(2)  [3, 4, 5] -> [12, 12]
Unfold((2, 3))  [3, 4, 5] -> [18, 9]
Unfold(3, 2)  [3, 5, 6] -> [27, 2]
Unfold(3, 1, 1)  [3, 5, 6] -> [27, 30]
Unfold(3, 1, 1, 2)  [3, 5, 6] -> [27, 9]
Unfold(kernel_size=2, stride=2)  [3, 5, 6] -> [12, 6]
Unfold(2, padding=(0, 3), stride=[3, 1])  [1, 2, 2] -> [4, 7]
Unfold(4)  [3, 4, 4] -> [48, 1]
Unfold(1)  [3, 1, 1] -> [3, 1]
Unfold(2, padding=7)  [3, 8, 8] -> [12, 441]
Unfold(2, stride=9223372036854775807)  [3, 8, 8] -> [12, 1]
Unfold(1, dilation=9223372036854775807)  [3, 2, 2] -> [3, 4]
Fold(4, 2)  [8, 9] -> [2, 4, 4]
Fold((4, 5), (2, 3))  [6, 9] -> [1, 4, 5]
Fold((5, 6), 3, 2)  [27, 2] -> [3, 5, 6]
Fold((5, 6), 3, 1, 1)  [27, 30] -> [3, 5, 6]
Fold((5, 6), 3, 1, 1, 2)  [27, 9] -> [3, 5, 6]
Fold(output_size=[5, 6], kernel_size=2, stride=2)  [12, 6] -> [3, 5, 6]
Fold(2, 2, padding=(0, 3), stride=(3, 1))  [4, 7] -> [1, 2, 2]
Fold(4, 4)  [48, 1] -> [3, 4, 4]
Fold(1, 1)  [3, 1] -> [3, 1, 1]
Fold(4, 2, padding=4)  [8, 121] -> [2, 4, 4]
Fold(3, 5, padding=1)  [25, 1] -> [1, 3, 3]
Fold(8, 2, stride=9223372036854775807)  [12, 1] -> [3, 8, 8]
"""

REJECTED = """
Unfold  [3, 4, 5]  E112 kernel_size
Unfold(0)  [3, 4, 5]  E116 kernel_size
Unfold((2, 2, 2))  [3, 4, 5]  E116 kernel_size
Unfold(2.0)  [3, 4, 5]  E115 kernel_size
Unfold(5)  [3, 4, 5]  E204 kernel_size
Unfold((2, 8), padding=1)  [3, 4, 5]  E204 kernel_size
Unfold(2, 0)  [3, 4, 5]  E116 dilation
Unfold(2, 4)  [3, 4, 5]  E204 dilation
Unfold(2, 1, -1)  [3, 4, 5]  E116 padding
Unfold(2, 1, "same")  [3, 4, 5]  E115 padding
Unfold(2, 1, 4611686018427387904)  [3, 4, 5]  E206 padding
Unfold(2, 1, 0, 0)  [3, 4, 5]  E116 stride
Unfold(2, 1, 0, none)  [3, 4, 5]  E115 stride
Unfold(2)  [3, 4]  E201 -
Unfold(2)  [3, 4, 5, 6]  E201 -
Fold(4)  [8, 9]  E112 kernel_size
Fold(0, 2)  [8, 9]  E116 output_size
Fold((4, -1), 2)  [8, 9]  E116 output_size
Fold((4,), 2)  [8, 9]  E116 output_size
Fold(none, 2)  [8, 9]  E115 output_size
Fold(4, 2)  [8, 8]  E212 output_size
Fold(4, 2)  [8, 10]  E212 output_size
Fold(4, 2, stride=2)  [8, 9]  E212 output_size
Fold(4, 0)  [8, 9]  E116 kernel_size
Fold(4, 2)  [7, 9]  E205 kernel_size
Fold(4, 3)  [8, 4]  E205 kernel_size
Fold(3, 5)  [25, 1]  E210 kernel_size
Fold((9, 2), 3)  [9, 1]  E210 kernel_size
Fold(4, 2, 0)  [8, 9]  E116 dilation
Fold(4, 2, 4)  [8, 1]  E210 dilation
Fold(4, 2, 1, -1)  [8, 9]  E116 padding
Fold(4, 2, 1, 1.0)  [8, 9]  E115 padding
Fold(4, 2, 1, 0, 0)  [8, 9]  E116 stride
Fold(4, 2)  [8]  E201 -
Fold(4, 2)  [2, 4, 4]  E201 -
"""


def window(rng: random.Random) -> dict[str, object]:
    optional = {
        "dilation": spread(rng, 2, lambda rng: edge(rng, (1, 1, 2, 3), (0, -1))),
        "padding": spread(rng, 2, lambda rng: edge(rng, (0, 0, 1, 2, 3), (-1,))),
        "stride": spread(rng, 2, lambda rng: edge(rng, (1, 2, 3), (0, -1, 2**40))),
    }
    kernel_size = spread(rng, 2, lambda rng: edge(rng, (1, 2, 3, 3), (0, -1, 9)))
    return {"kernel_size": kernel_size} | some(rng, **optional)


def unfold(rng: random.Random) -> Case:
    return window(rng), shape(rng, rng.randint(1, 3), 2)


def fold(rng: random.Random) -> Case:
    """The columns that the windows make, or nearly as many."""
    output_size = spread(rng, 2, lambda rng: edge(rng, (2, 3, 4, 5, 7), (1, 0, -1)))
    arguments = {"output_size": output_size} | window(rng)
    defaults = {"dilation": 1, "padding": 0, "stride": 1}
    names = ("output_size", "kernel_size", "dilation", "padding", "stride")
    given = [(defaults | arguments)[name] for name in names]
    area, columns = 1, 1
    for axis in range(2):
        size, kernel, dilation, padding, stride = (
            value[axis] if isinstance(value, tuple) else value for value in given
        )
        area *= max(kernel, 1)
        columns *= (size + 2 * padding - dilation * (kernel - 1) - 1) // (stride or 1) + 1
    if rng.random() < 0.1:
        area, columns = area + rng.randint(0, 1), columns + rng.randint(-1, 1)
    x = (area * rng.randint(1, 3), max(columns, 1))
    return arguments, x if rng.random() < 0.97 else rng.choice((x[:1], (*x, 2)))


GENERATORS = {"Unfold": unfold, "Fold": fold}
