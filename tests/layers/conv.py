"""Cases of cnnspec/layers/conv.py."""

from __future__ import annotations

import random

from ._draw import Case, edge, flag, shape, some, spread

ACCEPTED = """
Conv1d(4, 3)  [2, 8] -> [4, 6]
Conv1d(4, (3,), stride=(2,), padding=(1,), dilation=(2,))  [2, 8] -> [4, 3]
Conv1d(out_channels=6, kernel_size=1, groups=3, bias=false)  [3, 1] -> [6, 1]
Conv1d(1, 4, padding="same", dilation=3)  [2, 5] -> [1, 5]
Conv1d(2, 3, padding=7, padding_mode="replicate")  [1, 1] -> [2, 13]
Conv1d(2, 2, padding=4, padding_mode="circular")  [1, 4] -> [2, 11]
Conv1d(2, 2, padding=3, padding_mode="reflect")  [1, 4] -> [2, 9]
Conv1d(4, 2, in_channels=3)  [3, 2] -> [4, 1]
Conv2d(6, 5)  [1, 28, 28] -> [6, 24, 24]
Conv2d(6, kernel_size=5, padding=2)  [1, 28, 28] -> [6, 28, 28]
Conv2d(64, 7, stride=2, padding=3, bias=false)  [3, 224, 224] -> [64, 112, 112]
Conv2d(4, (3, 5), stride=(1, 2), padding=(0, 2), dilation=(2, 1), groups=2, bias=false)  [2, 7, 8] -> [4, 3, 4]
Conv2d(4, [3, 1])  [2, 3, 1] -> [4, 1, 1]
Conv2d(4, 3, stride=5)  [2, 3, 7] -> [4, 1, 1]
Conv2d(4, 1, stride=9223372036854775807)  [2, 3, 7] -> [4, 1, 1]
Conv2d(4, 1, dilation=9223372036854775807)  [2, 3, 7] -> [4, 3, 7]
Conv2d(4, 3, padding="valid")  [2, 5, 5] -> [4, 3, 3]
Conv2d(4, 3, stride=2, padding="valid", padding_mode="circular")  [2, 5, 5] -> [4, 2, 2]
Conv2d(4, 4, padding="same")  [2, 1, 5] -> [4, 1, 5]
Conv2d(4, (2, 9), stride=1, padding="same", dilation=2)  [2, 3, 3] -> [4, 3, 3]
Conv2d(4, 4, padding="same", padding_mode="reflect")  [2, 3, 3] -> [4, 3, 3]
Conv2d(4, 4, padding="same", padding_mode="circular")  [2, 2, 2] -> [4, 2, 2]
Conv2d(4, 3, padding=(0, 2), padding_mode="reflect")  [2, 3, 3] -> [4, 1, 5]
Conv2d(8, 3, groups=8)  [8, 3, 3] -> [8, 1, 1]
Conv3d(4, 3)  [2, 5, 6, 7] -> [4, 3, 4, 5]
Conv3d(4, (1, 2, 3), padding=(0, 1, 2), stride=(1, 2, 3))  [2, 5, 6, 7] -> [4, 5, 4, 3]
Conv3d(4, 2, padding="same")  [2, 1, 2, 3] -> [4, 1, 2, 3]
ConvTranspose1d(4, 3)  [2, 8] -> [4, 10]
ConvTranspose1d(4, 3, stride=2, padding=1, output_padding=1, groups=2, bias=false, dilation=3)  [2, 4] -> [4, 12]
ConvTranspose1d(4, 3, padding=4)  [2, 8] -> [4, 2]
ConvTranspose1d(4, (3,), output_padding=(2,), dilation=(3,))  [2, 8] -> [4, 16]
ConvTranspose2d(4, 2, stride=2)  [2, 7, 5] -> [4, 14, 10]
ConvTranspose2d(4, 3, stride=2, padding=1, output_padding=1)  [2, 7, 7] -> [4, 14, 14]
ConvTranspose2d(4, 3, stride=(2, 1), output_padding=(1, 0))  [2, 8, 8] -> [4, 18, 10]
ConvTranspose2d(4, 3, output_padding=2, dilation=3)  [2, 8, 8] -> [4, 16, 16]
ConvTranspose2d(4, 1, stride=2147483648, padding=2147483638)  [2, 3, 3] -> [4, 21, 21]
ConvTranspose2d(6, 3, padding=1, groups=3, bias=false)  [3, 1, 1] -> [6, 1, 1]
ConvTranspose2d(6, 3, in_channels=3)  [3, 1, 2] -> [6, 3, 4]
ConvTranspose3d(4, 3)  [2, 1, 2, 3] -> [4, 3, 4, 5]
ConvTranspose3d(4, 2, stride=2, padding=(0, 0, 1))  [2, 1, 2, 3] -> [4, 2, 4, 4]
ConvTranspose3d(4, 3, output_padding=2, dilation=3)  [2, 1, 1, 1] -> [4, 9, 9, 9]
ConvTranspose3d(4, kernel_size=(1, 2, 3), stride=(3, 2, 1), groups=2)  [2, 2, 2, 2] -> [4, 4, 4, 4]
"""

REJECTED = """
Conv1d(0, 3)  [2, 8]  E116 out_channels
Conv1d(4, (3, 3))  [2, 8]  E116 kernel_size
Conv1d(4, 3)  [8]  E201 -
Conv1d(4, 3)  [1, 8, 8]  E201 -
Conv1d(4, 3, padding=2, padding_mode="reflect")  [2, 2]  E206 padding
Conv2d  [1, 28, 28]  E112 out_channels
Conv2d(6)  [1, 28, 28]  E112 kernel_size
Conv2d(6, 5, 1)  [1, 28, 28]  E127 -
Conv2d(1, 6, 5)  [1, 28, 28]  E127 -
Conv2d(1, 6, kernel_size=5)  [1, 28, 28]  E127 -
Conv2d(6, 5, kernel_size=5)  [1, 28, 28]  E114 kernel_size
Conv2d(6, 5, filters=6)  [1, 28, 28]  E111 filters
Conv2d(-1, 3)  [2, 8, 8]  E116 out_channels
Conv2d(true, 3)  [2, 8, 8]  E115 out_channels
Conv2d(4.0, 3)  [2, 8, 8]  E115 out_channels
Conv2d(4, 0)  [2, 8, 8]  E116 kernel_size
Conv2d(4, (3, 0))  [2, 8, 8]  E116 kernel_size
Conv2d(4, (3,))  [2, 8, 8]  E116 kernel_size
Conv2d(4, (3, 3, 3))  [2, 8, 8]  E116 kernel_size
Conv2d(4, "same")  [2, 8, 8]  E115 kernel_size
Conv2d(4, 9)  [2, 8, 8]  E204 kernel_size
Conv2d(4, (1, 8), padding=(9, 0))  [2, 8, 7]  E204 kernel_size
Conv2d(4, 3, padding="valid")  [2, 2, 8]  E204 kernel_size
Conv2d(4, 3, stride=0)  [2, 8, 8]  E116 stride
Conv2d(4, 3, stride=-1)  [2, 8, 8]  E116 stride
Conv2d(4, 3, stride=(1, 0))  [2, 8, 8]  E116 stride
Conv2d(4, 3, padding=-1)  [2, 8, 8]  E116 padding
Conv2d(4, 3, padding=(1, 1, 1, 1))  [2, 8, 8]  E116 padding
Conv2d(4, 3, padding="full")  [2, 8, 8]  E116 padding
Conv2d(4, 3, padding=1.5)  [2, 8, 8]  E115 padding
Conv2d(4, 3, stride=2, padding="same")  [2, 8, 8]  E210 padding
Conv2d(4, 3, stride=(1, 2), padding="same")  [2, 8, 8]  E210 padding
Conv2d(4, 1, stride=4611686018427387904, padding=4611686018427387904)  [2, 8, 8]  E206 padding
Conv2d(4, 3, padding=8, padding_mode="reflect")  [2, 8, 9]  E206 padding
Conv2d(4, 3, padding=9, padding_mode="circular")  [2, 8, 9]  E206 padding
Conv2d(4, 4, padding="same", padding_mode="reflect")  [2, 2, 2]  E206 padding
Conv2d(4, 5, padding="same", padding_mode="circular")  [2, 1, 1]  E206 padding
Conv2d(4, 3, dilation=0)  [2, 8, 8]  E116 dilation
Conv2d(4, 3, dilation=(4, 1))  [2, 8, 8]  E204 dilation
Conv2d(4, 3, dilation=9223372036854775807)  [2, 8, 8]  E204 dilation
Conv2d(4, 3, groups=0)  [4, 8, 8]  E116 groups
Conv2d(4, 3, groups=(1, 1))  [4, 8, 8]  E115 groups
Conv2d(4, 3, groups=3)  [3, 8, 8]  E205 groups
Conv2d(6, 3, groups=3)  [4, 8, 8]  E205 groups
Conv2d(8, 3, groups=8)  [4, 8, 8]  E205 groups
Conv2d(4, 3, bias=1)  [4, 8, 8]  E115 bias
Conv2d(4, 3, padding_mode="constant")  [4, 8, 8]  E116 padding_mode
Conv2d(4, 3, padding_mode=none)  [4, 8, 8]  E115 padding_mode
Conv2d(4, 3, in_channels=0)  [4, 8, 8]  E116 in_channels
Conv2d(4, 3, in_channels=3)  [4, 8, 8]  E203 in_channels
Conv2d(6, 5)  [784]  E201 -
Conv2d(6, 5)  [28, 28]  E201 -
Conv2d(6, 5)  [2, 3, 28, 28]  E201 -
Conv2d(6, 5)  [2, 3, 4, 28, 28]  E201 -
Conv3d(4, 3)  [2, 8, 8, 2]  E204 kernel_size
Conv3d(4, 3)  [2, 8, 8]  E201 -
Conv3d(4, (3, 3))  [2, 8, 8, 8]  E116 kernel_size
ConvTranspose1d(4, 3, padding=5)  [2, 8]  E206 padding
ConvTranspose1d(4, 3, output_padding=1)  [2, 8]  E210 output_padding
ConvTranspose1d(4, 3)  [2, 8, 8]  E201 -
ConvTranspose2d(0, 3)  [2, 8, 8]  E116 out_channels
ConvTranspose2d(4, 0)  [2, 8, 8]  E116 kernel_size
ConvTranspose2d(4, 3, stride=0)  [2, 8, 8]  E116 stride
ConvTranspose2d(4, 3, padding=-1)  [2, 8, 8]  E116 padding
ConvTranspose2d(4, 3, padding="same")  [2, 8, 8]  E115 padding
ConvTranspose2d(4, 3, padding=6)  [2, 8, 8]  E206 padding
ConvTranspose2d(4, 3, padding=(0, 5))  [2, 8, 8]  E206 padding
ConvTranspose2d(4, 3, padding=4611686018427387904)  [2, 8, 8]  E206 padding
ConvTranspose2d(4, 3, output_padding=-1)  [2, 8, 8]  E116 output_padding
ConvTranspose2d(4, 3, stride=(2, 1), output_padding=(0, 1))  [2, 8, 8]  E210 output_padding
ConvTranspose2d(4, 3, stride=2, output_padding=3, dilation=3)  [2, 8, 8]  E210 output_padding
ConvTranspose2d(4, 3, groups=0)  [2, 8, 8]  E116 groups
ConvTranspose2d(3, 3, groups=2)  [2, 8, 8]  E205 groups
ConvTranspose2d(4, 3, groups=2)  [3, 8, 8]  E205 groups
ConvTranspose2d(4, 3, bias="no")  [3, 8, 8]  E115 bias
ConvTranspose2d(4, 3, dilation=0)  [2, 8, 8]  E116 dilation
ConvTranspose2d(4, 3, padding_mode="reflect")  [2, 8, 8]  E116 padding_mode
ConvTranspose2d(4, 3, in_channels=4)  [2, 8, 8]  E203 in_channels
ConvTranspose2d(4, 3)  [100]  E201 -
ConvTranspose3d(4, 3, output_padding=(0, 0, 1))  [2, 3, 3, 3]  E210 output_padding
ConvTranspose3d(4, 1, padding=1)  [2, 3, 3, 2]  E206 padding
ConvTranspose3d(4, 3)  [2, 3, 3]  E201 -
"""


def channels(rng: random.Random) -> tuple[int, int, int]:
    """Channels of the input and of the output, and groups that mostly divide them."""
    groups = edge(rng, (1, 1, 2, 3, 4), (0, -1))
    given, made = (max(groups, 1) * rng.randint(1, 2) for _ in range(2))
    if rng.random() < 0.1:
        given, made = rng.randint(1, 6), rng.randint(1, 6)
    return given, edge(rng, (made,), (0, -1)), groups


def conv(rank: int):
    def generate(rng: random.Random) -> Case:
        given, made, groups = channels(rng)
        kernel_size = spread(
            rng, rank, lambda rng: edge(rng, (1, 1, 2, 2, 3, 3, 4)[: 8 - rank], (0, -1, 9), 0.05 / rank)
        )
        stride = spread(rng, rank, lambda rng: edge(rng, (1, 1, 2, 3, 7), (0, -1, 2**40), 0.05 / rank))
        padding = spread(rng, rank, lambda rng: edge(rng, (0, 0, 1, 1, 2, 3), (-1, 2**62), 0.05 / rank))
        if rng.random() < 0.25:
            padding, stride = rng.choice(("same", "same", "valid", "full")), rng.choice((1, 1, 1, 1, stride))
        optional = {
            "stride": stride,
            "padding": padding,
            "dilation": spread(rng, rank, lambda rng: edge(rng, (1, 1, 1, 2, 3)[: 6 - rank], (0, -2), 0.05 / rank)),
            "bias": flag(rng),
            "padding_mode": edge(rng, ("zeros", "zeros", "reflect", "replicate", "circular"), ("constant",)),
        }
        required = {"out_channels": made, "kernel_size": kernel_size}
        return required | {"groups": groups} | some(rng, **optional), shape(rng, given, rank)

    return generate


def conv_transpose(rank: int):
    def generate(rng: random.Random) -> Case:
        given, made, groups = channels(rng)
        optional = {
            "stride": spread(rng, rank, lambda rng: edge(rng, (1, 2, 2, 3), (0, -1), 0.05 / rank)),
            "padding": spread(rng, rank, lambda rng: edge(rng, (0, 0, 0, 1, 1, 2), (-1, 5, 2**62), 0.05 / rank)),
            "output_padding": spread(rng, rank, lambda rng: edge(rng, (0, 0, 0, 1), (-1, 2, 3), 0.05 / rank)),
            "bias": flag(rng),
            "dilation": spread(rng, rank, lambda rng: edge(rng, (1, 2, 2, 3), (0, -1), 0.05 / rank)),
            "padding_mode": edge(rng, ("zeros",), ("reflect",)),
        }
        kernel_size = spread(rng, rank, lambda rng: edge(rng, (1, 2, 3, 4), (0, -1), 0.05 / rank))
        required = {"out_channels": made, "kernel_size": kernel_size}
        return required | {"groups": groups} | some(rng, **optional), shape(rng, given, rank, 4)

    return generate


GENERATORS = {
    **{f"Conv{rank}d": conv(rank) for rank in (1, 2, 3)},
    **{f"ConvTranspose{rank}d": conv_transpose(rank) for rank in (1, 2, 3)},
}
