"""Cases of cnnspec/layers/pool.py."""

from __future__ import annotations

import random

from ._draw import Case, edge, flag, shape, some, spread

# With ceil_mode the last window may hang over the end, but not start behind it; so may the only one.
ACCEPTED = """
MaxPool1d(2)  [3, 9] -> [3, 4]
MaxPool1d(2, ceil_mode=true)  [3, 9] -> [3, 5]
MaxPool1d((3,), (2,), (1,), (2,), false, false)  [3, 9] -> [3, 4]
MaxPool1d(2, 2, 1, ceil_mode=true)  [3, 1] -> [3, 1]
MaxPool2d(2)  [3, 9, 8] -> [3, 4, 4]
MaxPool2d(2, none)  [3, 9, 8] -> [3, 4, 4]
MaxPool2d(3, 2, 1)  [64, 112, 112] -> [64, 56, 56]
MaxPool2d((2, 3), stride=(1, 2), padding=(1, 0))  [3, 4, 7] -> [3, 5, 3]
MaxPool2d(3, stride=2, ceil_mode=true)  [3, 6, 7] -> [3, 3, 3]
MaxPool2d(1, 3, ceil_mode=true)  [3, 2, 5] -> [3, 1, 2]
MaxPool2d(5, ceil_mode=true)  [3, 1, 1] -> [3, 1, 1]
MaxPool2d(3, 5, 1, 2, ceil_mode=true)  [3, 4, 4] -> [3, 1, 1]
MaxPool2d(2, 3, padding=1, ceil_mode=true)  [3, 4, 4] -> [3, 2, 2]
MaxPool2d(2, 2, 1, ceil_mode=true)  [3, 4, 3] -> [3, 3, 2]
MaxPool2d(kernel_size=2, dilation=3, stride=1)  [3, 4, 5] -> [3, 1, 2]
MaxPool2d(2, 1, 1, 4)  [3, 4, 5] -> [3, 2, 3]
MaxPool2d(2, 2147483647)  [3, 8, 8] -> [3, 1, 1]
MaxPool3d(2)  [3, 5, 6, 7] -> [3, 2, 3, 3]
MaxPool3d((1, 2, 3), 1, (0, 1, 1), 2)  [3, 5, 6, 7] -> [3, 5, 6, 5]
MaxPool3d(2, ceil_mode=true)  [3, 1, 3, 5] -> [3, 1, 2, 3]
MaxPool3d(3, 1, 1)  [3, 1, 1, 2] -> [3, 1, 1, 2]
AvgPool1d(2)  [3, 9] -> [3, 4]
AvgPool1d((3,), (1,), (1,), true, false)  [3, 9] -> [3, 9]
AvgPool1d(4, ceil_mode=true)  [3, 1] -> [3, 1]
AvgPool2d(2)  [6, 28, 28] -> [6, 14, 14]
AvgPool2d(3, none, 1)  [3, 5, 6] -> [3, 2, 2]
AvgPool2d(3, none, 1, true)  [3, 5, 6] -> [3, 2, 3]
AvgPool2d(2, 2, 1, ceil_mode=true)  [3, 3, 4] -> [3, 2, 3]
AvgPool2d((2, 3), (3, 1), count_include_pad=false)  [3, 4, 4] -> [3, 1, 2]
AvgPool2d(2, divisor_override=1)  [3, 4, 4] -> [3, 2, 2]
AvgPool2d(2, divisor_override=-9223372036854775807)  [3, 4, 4] -> [3, 2, 2]
AvgPool2d(kernel_size=1, stride=2147483647)  [3, 4, 4] -> [3, 1, 1]
AvgPool3d(2)  [3, 4, 5, 6] -> [3, 2, 2, 3]
AvgPool3d((1, 2, 3), 2, (0, 1, 1), true, true, 3)  [3, 4, 5, 6] -> [3, 2, 3, 4]
AvgPool3d(3, 1, divisor_override=none)  [3, 3, 3, 3] -> [3, 1, 1, 1]
LPPool1d(2, 3)  [3, 9] -> [3, 3]
LPPool1d(1.5, 3, 2, true)  [3, 8] -> [3, 4]
LPPool1d(norm_type=2, kernel_size=3, stride=(1,))  [3, 3] -> [3, 1]
LPPool2d(2, 3)  [3, 9, 6] -> [3, 3, 2]
LPPool2d(-1, (3, 2), none)  [3, 8, 8] -> [3, 2, 4]
LPPool2d(1e300, 2, (1, 3), true)  [3, 2, 4] -> [3, 1, 2]
LPPool2d(2, 9, ceil_mode=true)  [3, 1, 1] -> [3, 1, 1]
LPPool2d(0.5, 2, 5)  [3, 7, 6] -> [3, 2, 1]
LPPool3d(2, 2)  [3, 4, 5, 6] -> [3, 2, 2, 3]
LPPool3d(3, (1, 2, 3), 1)  [3, 4, 5, 6] -> [3, 4, 4, 4]
LPPool3d(2, 2, ceil_mode=true)  [3, 2, 4, 5] -> [3, 1, 2, 3]
AdaptiveAvgPool1d(1)  [3, 9] -> [3, 1]
AdaptiveAvgPool1d((4,))  [3, 9] -> [3, 4]
AdaptiveAvgPool1d(20)  [3, 9] -> [3, 20]
AdaptiveAvgPool2d(1)  [512, 7, 7] -> [512, 1, 1]
AdaptiveAvgPool2d((2, 5))  [3, 7, 4] -> [3, 2, 5]
AdaptiveAvgPool2d((none, 3))  [3, 7, 7] -> [3, 7, 3]
AdaptiveAvgPool2d([none, none])  [3, 7, 5] -> [3, 7, 5]
AdaptiveAvgPool2d(output_size=9)  [3, 1, 2] -> [3, 9, 9]
AdaptiveAvgPool2d((1, none))  [1, 1, 1] -> [1, 1, 1]
AdaptiveAvgPool3d(2)  [3, 4, 5, 6] -> [3, 2, 2, 2]
AdaptiveAvgPool3d((none, 2, none))  [3, 4, 5, 6] -> [3, 4, 2, 6]
AdaptiveAvgPool3d((1, 1, 7))  [3, 1, 1, 1] -> [3, 1, 1, 7]
AdaptiveMaxPool1d(1)  [3, 9] -> [3, 1]
AdaptiveMaxPool1d((4,), false)  [3, 9] -> [3, 4]
AdaptiveMaxPool1d(20)  [3, 9] -> [3, 20]
AdaptiveMaxPool2d(1)  [512, 7, 7] -> [512, 1, 1]
AdaptiveMaxPool2d((2, 5), return_indices=false)  [3, 7, 4] -> [3, 2, 5]
AdaptiveMaxPool2d((none, 3))  [3, 7, 7] -> [3, 7, 3]
AdaptiveMaxPool2d([2, none])  [3, 7, 5] -> [3, 2, 5]
AdaptiveMaxPool2d(output_size=9)  [3, 1, 2] -> [3, 9, 9]
AdaptiveMaxPool2d((1, none))  [1, 1, 1] -> [1, 1, 1]
AdaptiveMaxPool3d(2)  [3, 4, 5, 6] -> [3, 2, 2, 2]
AdaptiveMaxPool3d((none, 2, none))  [3, 4, 5, 6] -> [3, 4, 2, 6]
AdaptiveMaxPool3d((1, 1, 7))  [3, 1, 1, 1] -> [3, 1, 1, 7]
"""

REJECTED = """
MaxPool1d(3)  [3, 2]  E204 kernel_size
MaxPool1d(3, padding=2)  [3, 8]  E206 padding
MaxPool1d(2, 2147483648)  [3, 8]  E116 stride
MaxPool1d(2)  [8]  E201 -
MaxPool2d  [3, 8, 8]  E112 kernel_size
MaxPool2d(2, 2, 0, 1, false, false, 1)  [3, 8, 8]  E113 -
MaxPool2d(2, pad=1)  [3, 8, 8]  E111 pad
MaxPool2d(0)  [3, 8, 8]  E116 kernel_size
MaxPool2d((2, 0))  [3, 8, 8]  E116 kernel_size
MaxPool2d((2,))  [3, 8, 8]  E116 kernel_size
MaxPool2d(none)  [3, 8, 8]  E115 kernel_size
MaxPool2d(2147483648)  [3, 8, 8]  E116 kernel_size
MaxPool2d(9)  [3, 8, 8]  E204 kernel_size
MaxPool2d(9, 1, ceil_mode=true)  [3, 8, 8]  E204 kernel_size
MaxPool2d(10, 2, ceil_mode=true)  [3, 8, 8]  E204 kernel_size
MaxPool2d(3, 2)  [3, 8, 2]  E204 kernel_size
MaxPool2d(2, 0)  [3, 8, 8]  E116 stride
MaxPool2d(2, (1, -1))  [3, 8, 8]  E116 stride
MaxPool2d(2, 2147483648)  [3, 8, 8]  E116 stride
MaxPool2d(2, 2, -1)  [3, 8, 8]  E116 padding
MaxPool2d(1, 2, 1)  [3, 8, 8]  E206 padding
MaxPool2d(3, 2, 2)  [3, 8, 8]  E206 padding
MaxPool2d((4, 3), 2, (2, 2))  [3, 8, 8]  E206 padding
MaxPool2d(3, 2, 2, dilation=2)  [3, 8, 8]  E206 padding
MaxPool2d(2, dilation=0)  [3, 8, 8]  E116 dilation
MaxPool2d(2, dilation=8)  [3, 8, 8]  E204 dilation
MaxPool2d(1, dilation=2147483648)  [3, 8, 8]  E116 dilation
MaxPool2d(2, return_indices=true)  [3, 8, 8]  E210 return_indices
MaxPool2d(2, return_indices=1)  [3, 8, 8]  E115 return_indices
MaxPool2d(2, ceil_mode=1)  [3, 8, 8]  E115 ceil_mode
MaxPool2d(2)  [784]  E201 -
MaxPool2d(2)  [28, 28]  E201 -
MaxPool2d(2)  [3, 8, 8, 8]  E201 -
MaxPool1d(2, 2, 1, 2, ceil_mode=true)  [3, 1]  E210 dilation
MaxPool2d(2, 1, 1, 4)  [3, 8, 3]  E210 dilation
MaxPool3d(3, padding=(1, 2, 1))  [3, 8, 8, 8]  E206 padding
MaxPool3d(2)  [3, 8, 8]  E201 -
MaxPool3d(3)  [3, 8, 2, 8]  E204 kernel_size
AvgPool1d(3)  [3, 2]  E204 kernel_size
AvgPool1d(2, divisor_override=2)  [3, 8]  E111 divisor_override
AvgPool1d(2, 2147483648)  [3, 8]  E116 stride
AvgPool2d(0)  [3, 8, 8]  E116 kernel_size
AvgPool2d(2147483648)  [3, 8, 8]  E116 kernel_size
AvgPool2d(3)  [3, 8, 2]  E204 kernel_size
AvgPool2d(2, 0)  [3, 8, 8]  E116 stride
AvgPool2d(2, 1, -1)  [3, 8, 8]  E116 padding
AvgPool2d(2, 1, 2)  [3, 8, 8]  E206 padding
AvgPool2d(2, ceil_mode=none)  [3, 8, 8]  E115 ceil_mode
AvgPool2d(2, count_include_pad=0)  [3, 8, 8]  E115 count_include_pad
AvgPool2d(2, divisor_override=0)  [3, 8, 8]  E116 divisor_override
AvgPool2d(2, divisor_override=0.5)  [3, 8, 8]  E115 divisor_override
AvgPool2d(2)  [8]  E201 -
AvgPool3d(2, divisor_override=0)  [3, 8, 8, 8]  E116 divisor_override
AvgPool3d(9)  [3, 8, 8, 8]  E204 kernel_size
AvgPool3d(3, padding=1)  [3, 2, 8, 8]  E204 kernel_size
AvgPool3d(2, ceil_mode=true)  [3, 8, 8, 1]  E204 kernel_size
LPPool1d(2, (3,))  [3, 8]  E115 kernel_size
LPPool1d(2, 9)  [3, 8]  E204 kernel_size
LPPool2d(2)  [3, 8, 8]  E112 kernel_size
LPPool2d(0, 2)  [3, 8, 8]  E116 norm_type
LPPool2d(0.0, 2)  [3, 8, 8]  E116 norm_type
LPPool2d("max", 2)  [3, 8, 8]  E115 norm_type
LPPool2d(2, 0)  [3, 8, 8]  E116 kernel_size
LPPool2d(2, 9)  [3, 8, 8]  E204 kernel_size
LPPool2d(2, 10, 2, true)  [3, 8, 8]  E204 kernel_size
LPPool2d(2, 2, 0)  [3, 8, 8]  E116 stride
LPPool2d(2, 2, 2147483648)  [3, 8, 8]  E116 stride
LPPool2d(2, 2, ceil_mode="yes")  [3, 8, 8]  E115 ceil_mode
LPPool2d(2, 2)  [3, 8, 8, 8]  E201 -
LPPool3d(2, 9)  [3, 8, 8, 8]  E204 kernel_size
LPPool3d(2, 2, ceil_mode=true)  [3, 1, 2, 3]  E204 kernel_size
LPPool3d(2, (2, 2))  [3, 8, 8, 8]  E116 kernel_size
AdaptiveAvgPool1d(0)  [3, 8]  E116 output_size
AdaptiveAvgPool1d(none)  [3, 8]  E115 output_size
AdaptiveAvgPool1d((none,))  [3, 8]  E115 output_size
AdaptiveAvgPool2d(0)  [3, 8, 8]  E116 output_size
AdaptiveAvgPool2d(-1)  [3, 8, 8]  E116 output_size
AdaptiveAvgPool2d((2, 0))  [3, 8, 8]  E116 output_size
AdaptiveAvgPool2d(none)  [3, 8, 8]  E115 output_size
AdaptiveAvgPool2d((2, 2, 2))  [3, 8, 8]  E116 output_size
AdaptiveAvgPool2d((2,))  [3, 8, 8]  E116 output_size
AdaptiveAvgPool2d(1)  [512]  E201 -
AdaptiveAvgPool3d(none)  [3, 8, 8, 8]  E115 output_size
AdaptiveAvgPool3d(1)  [3, 8, 8]  E201 -
AdaptiveMaxPool1d(0)  [3, 8]  E116 output_size
AdaptiveMaxPool1d((none,))  [3, 8]  E115 output_size
AdaptiveMaxPool2d((2, 0))  [3, 8, 8]  E116 output_size
AdaptiveMaxPool2d(none)  [3, 8, 8]  E115 output_size
AdaptiveMaxPool2d(2, true)  [3, 8, 8]  E210 return_indices
AdaptiveMaxPool2d(2, none)  [3, 8, 8]  E115 return_indices
AdaptiveMaxPool2d(1)  [8, 8]  E201 -
AdaptiveMaxPool3d((2, 2))  [3, 8, 8, 8]  E116 output_size
AdaptiveMaxPool3d(1)  [3, 8, 8, 8, 8]  E201 -
"""


def windows(rng: random.Random, rank: int) -> dict[str, object]:
    kernel_size = spread(rng, rank, lambda rng: edge(rng, (1, 2, 2, 3, 3, 4)[: 7 - rank], (0, -1, 9), 0.08 / rank))
    stride = spread(rng, rank, lambda rng: edge(rng, (1, 2, 3, 4), (0, -1, 2**31 - 1, 2**31), 0.04))
    return {"kernel_size": kernel_size} | some(rng, stride=rng.choice((None, stride, stride)), ceil_mode=flag(rng))


def padding(rng: random.Random, rank: int, kernel_size: object) -> object:
    """Padding of mostly half the kernel at most."""
    largest = kernel_size if isinstance(kernel_size, int) else min(kernel_size)
    half = max(largest // 2, 0)
    return spread(rng, rank, lambda rng: edge(rng, tuple(range(half + 1)), (-1, half + 1, half + 2), 0.06))


def max_pool(rank: int):
    def generate(rng: random.Random) -> Case:
        window = windows(rng, rank)
        optional = {
            "padding": padding(rng, rank, window["kernel_size"]),
            "dilation": spread(rng, rank, lambda rng: edge(rng, (1, 1, 1, 2, 3)[: 6 - rank], (0, -1), 0.05 / rank)),
            "return_indices": edge(rng, (False,), (True,)),
        }
        return window | some(rng, **optional), shape(rng, rng.randint(1, 3), rank)

    return generate


def avg_pool(rank: int):
    def generate(rng: random.Random) -> Case:
        window = windows(rng, rank)
        optional = {"padding": padding(rng, rank, window["kernel_size"]), "count_include_pad": flag(rng)}
        if rank > 1:
            optional["divisor_override"] = edge(rng, (None, 1, 2, -3, 2**40), (0,), 0.1)
        return window | some(rng, **optional), shape(rng, rng.randint(1, 3), rank)

    return generate


def lp_pool(rank: int):
    def generate(rng: random.Random) -> Case:
        norm_type = edge(rng, (1, 2, 2, 3, 1.5, -1, 1e300, float("inf"), -float("inf")), (0, 0.0), 0.08)
        window = windows(rng, rank)
        if rank == 1 and isinstance(window["kernel_size"], tuple) and rng.random() < 0.8:
            window["kernel_size"] = window["kernel_size"][0]
        return {"norm_type": norm_type} | window, shape(rng, rng.randint(1, 3), rank)

    return generate


def adaptive_pool(rank: int, *, largest: bool):
    def generate(rng: random.Random) -> Case:
        output_size = spread(rng, rank, lambda rng: edge(rng, (1, 2, 3, 5, 9), (0, -1, None), 0.25))
        if rank > 1 and isinstance(output_size, tuple):
            output_size = tuple(size if rng.random() < 0.7 else None for size in output_size)
        optional = {"return_indices": edge(rng, (False,), (True,))} if largest else {}
        return {"output_size": output_size} | some(rng, **optional), shape(rng, rng.randint(1, 3), rank)

    return generate


GENERATORS = {
    **{f"MaxPool{rank}d": max_pool(rank) for rank in (1, 2, 3)},
    **{f"AvgPool{rank}d": avg_pool(rank) for rank in (1, 2, 3)},
    **{f"LPPool{rank}d": lp_pool(rank) for rank in (1, 2, 3)},
    **{f"AdaptiveAvgPool{rank}d": adaptive_pool(rank, largest=False) for rank in (1, 2, 3)},
    **{f"AdaptiveMaxPool{rank}d": adaptive_pool(rank, largest=True) for rank in (1, 2, 3)},
}
