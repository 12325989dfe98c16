"""Cases of cnnspec/layers/activation.py. torch holds most arguments in 32 bits: 3.4e38 is in, 3.5e38 is not."""

from __future__ import annotations

import random

from ._draw import Case, flag, some
from ._shapes import any_shape

ACCEPTED = """
ELU  [3] -> [3]
ELU(3.4e38)  [3, 4] -> [3, 4]
ELU(alpha=-3.4e38, inplace=true)  [3, 4, 5] -> [3, 4, 5]
ELU(0)  [3] -> [3]
CELU  [3] -> [3]
CELU(-3.4e38)  [3, 4] -> [3, 4]
CELU(3e-39, true)  [3] -> [3]
SELU  [3, 4] -> [3, 4]
SELU(true)  [3] -> [3]
SELU(inplace=false)  [1] -> [1]
GELU  [3, 4] -> [3, 4]
GELU("none")  [3] -> [3]
GELU(approximate="tanh")  [3] -> [3]
Hardshrink  [3] -> [3]
Hardshrink(-3.4e38)  [3] -> [3]
Hardshrink(lambd=3.4e38)  [3] -> [3]
Hardsigmoid  [3] -> [3]
Hardsigmoid(true)  [3, 4] -> [3, 4]
Hardsigmoid(inplace=false)  [3] -> [3]
Hardswish  [3] -> [3]
Hardswish(true)  [3, 4] -> [3, 4]
Hardswish(inplace=false)  [3] -> [3]
Hardtanh  [3] -> [3]
Hardtanh(-3.4e38, 3.4e38)  [3, 4] -> [3, 4]
Hardtanh(0.5, inplace=true)  [3] -> [3]
Hardtanh(max_val=-5, max_value=1)  [3] -> [3]
Hardtanh(min_val=5, min_value=-3.4e38)  [3] -> [3]
LeakyReLU  [3] -> [3]
LeakyReLU(3.4e38, true)  [3] -> [3]
LeakyReLU(negative_slope=-3.4e38)  [3] -> [3]
LogSigmoid  [3] -> [3]
LogSigmoid()  [3, 4] -> [3, 4]
Mish  [3] -> [3]
Mish(true)  [3, 4] -> [3, 4]
Mish(inplace=false)  [3] -> [3]
ReLU  [3] -> [3]
ReLU(true)  [1, 1, 1, 1, 1] -> [1, 1, 1, 1, 1]
ReLU(inplace=false)  [3, 4] -> [3, 4]
ReLU6  [3] -> [3]
ReLU6(true)  [3, 4] -> [3, 4]
ReLU6(inplace=false)  [3] -> [3]
RReLU  [3] -> [3]
RReLU(0.25, 0.25)  [3, 4] -> [3, 4]
RReLU(lower=-3.4e38)  [3] -> [3]
RReLU(upper=3.4e38, inplace=true)  [3] -> [3]
Sigmoid  [3] -> [3]
Sigmoid()  [3, 4] -> [3, 4]
SiLU  [3] -> [3]
SiLU(true)  [3, 4] -> [3, 4]
SiLU(inplace=false)  [3] -> [3]
Softplus  [3] -> [3]
Softplus(0)  [3] -> [3]
Softplus(-3.4e38, -3.4e38)  [3, 4] -> [3, 4]
Softplus(beta=3.4e38, threshold=3.4e38)  [3] -> [3]
Softshrink  [3] -> [3]
Softshrink(0)  [3, 4] -> [3, 4]
Softshrink(lambd=3.4e38)  [3] -> [3]
Softsign  [3] -> [3]
Softsign()  [3, 4] -> [3, 4]
Tanh  [3] -> [3]
Tanh()  [3, 4] -> [3, 4]
Tanhshrink  [3] -> [3]
Tanhshrink()  [3, 4] -> [3, 4]
Threshold(0, 0)  [3] -> [3]
Threshold(-3.4e38, 3.4e38)  [3, 4] -> [3, 4]
Threshold(threshold=3.4e38, value=-3.4e38, inplace=true)  [3] -> [3]
PReLU  [3] -> [3]
PReLU(1, -3.4e38)  [3, 4] -> [3, 4]
PReLU(3)  [3, 4] -> [3, 4]
PReLU(num_parameters=5, init=3.4e38)  [5, 2, 2] -> [5, 2, 2]
GLU  [4] -> [2]
GLU()  [3, 4] -> [3, 2]
GLU(1)  [4, 3] -> [2, 3]
GLU(dim=-3)  [2, 3, 5] -> [1, 3, 5]
GLU(3)  [5, 3, 2] -> [5, 3, 1]
Softmax  [3] -> [3]
Softmax(none)  [3, 4] -> [3, 4]
Softmax(0)  [3] -> [3]
Softmax(dim=2)  [3, 4] -> [3, 4]
Softmax(-3)  [3, 4] -> [3, 4]
LogSoftmax  [3, 4, 5] -> [3, 4, 5]
LogSoftmax(1)  [3] -> [3]
LogSoftmax(dim=-2)  [3] -> [3]
Softmin  [3] -> [3]
Softmin(1)  [3] -> [3]
Softmin(dim=-1)  [3, 4] -> [3, 4]
Softmax2d  [3, 4, 5] -> [3, 4, 5]
Softmax2d()  [1, 1, 1] -> [1, 1, 1]
Softmax2d  [2, 1, 4] -> [2, 1, 4]
"""

REJECTED = """
ELU(3.5e38)  [3]  E116 alpha
ELU(-3.5e38)  [3]  E116 alpha
ELU(none)  [3]  E115 alpha
CELU(0)  [3]  E116 alpha
CELU(0.0)  [3]  E116 alpha
CELU(2.9e-39)  [3]  E116 alpha
CELU(-3.5e38)  [3]  E116 alpha
CELU(3.5e38)  [3]  E116 alpha
GELU("relu")  [3]  E116 approximate
GELU(true)  [3]  E115 approximate
Hardshrink(-3.5e38)  [3]  E116 lambd
Hardshrink(3.5e38)  [3]  E116 lambd
Hardtanh(1)  [3]  E210 min_val
Hardtanh(1, 1)  [3]  E210 max_val
Hardtanh(max_val=-1)  [3]  E210 max_val
Hardtanh(max_value=-1.5)  [3]  E210 max_value
Hardtanh(0, 1, min_value=1)  [3]  E210 max_val
Hardtanh(-3.5e38)  [3]  E116 min_val
Hardtanh(max_val=3.5e38)  [3]  E116 max_val
Hardtanh(min_value=-3.5e38)  [3]  E116 min_value
Hardtanh(max_value=3.5e38)  [3]  E116 max_value
LeakyReLU(-3.5e38)  [3]  E116 negative_slope
LeakyReLU(3.5e38)  [3]  E116 negative_slope
RReLU(0.4)  [3]  E210 lower
RReLU(upper=0)  [3]  E210 upper
RReLU(2, 1)  [3]  E210 upper
RReLU(-3.5e38)  [3]  E116 lower
RReLU(upper=3.5e38)  [3]  E116 upper
Softplus(-3.5e38)  [3]  E116 beta
Softplus(3.5e38)  [3]  E116 beta
Softplus(threshold=-3.5e38)  [3]  E116 threshold
Softplus(1, 3.5e38)  [3]  E116 threshold
Softshrink(-0.5)  [3]  E116 lambd
Softshrink(-1)  [3]  E116 lambd
Softshrink(3.5e38)  [3]  E116 lambd
Threshold(value=0)  [3]  E112 threshold
Threshold(0)  [3]  E112 value
Threshold(-3.5e38, 0)  [3]  E116 threshold
Threshold(3.5e38, 0)  [3]  E116 threshold
Threshold(0, -3.5e38)  [3]  E116 value
Threshold(0, 3.5e38)  [3]  E116 value
PReLU(0)  [3]  E116 num_parameters
PReLU(2)  [3]  E203 num_parameters
PReLU(4)  [3, 4]  E203 num_parameters
PReLU(1, -3.5e38)  [3]  E116 init
PReLU(1, 3.5e38)  [3]  E116 init
GLU  [3]  E205 dim
GLU(1)  [3, 4]  E205 dim
GLU(0)  [4]  E218 dim
GLU(-2)  [4]  E218 dim
GLU(2)  [4]  E211 dim
GLU(-3)  [4]  E211 dim
Softmax(2)  [3]  E211 dim
Softmax(-3)  [3]  E211 dim
LogSoftmax(3)  [3, 4]  E211 dim
LogSoftmax(-4)  [3, 4]  E211 dim
Softmin(2)  [3]  E211 dim
Softmin(-3)  [3]  E211 dim
Softmax2d  [3]  E201 -
Softmax2d  [3, 4]  E201 -
Softmax2d  [3, 4, 5, 6]  E201 -
"""

LARGEST = 3.4028234663852886e38
FLOATS = (0, 1, -1, 0.5, -2.5, 3, LARGEST, -LARGEST)
BEYOND = (3.5e38, -3.5e38, 1e300)


def number(rng: random.Random, beyond: float = 0.25) -> float:
    """Mostly a number that fits into 32 bits."""
    if rng.random() < beyond:
        return rng.choice(BEYOND)
    return rng.choice(FLOATS) if rng.random() < 0.6 else rng.uniform(-2, 2)


def plain(rng: random.Random) -> Case:
    return {}, any_shape(rng)


def inplace(rng: random.Random) -> Case:
    return some(rng, inplace=flag(rng)), any_shape(rng)


def alpha(rng: random.Random) -> Case:
    return some(rng, alpha=number(rng, 0.45), inplace=flag(rng)), any_shape(rng)


def celu(rng: random.Random) -> Case:
    small = rng.choice((2.9e-39, -2.9e-39, 3e-39, -3e-39, 0, 0.0, 1.0))
    return some(rng, alpha=small if flag(rng) else number(rng), inplace=flag(rng)), any_shape(rng)


def gelu(rng: random.Random) -> Case:
    return some(rng, approximate=rng.choice(("none", "tanh", "tan", "Tanh"))), any_shape(rng)


def hardshrink(rng: random.Random) -> Case:
    return some(rng, lambd=number(rng, 0.45)), any_shape(rng)


def softshrink(rng: random.Random) -> Case:
    return some(rng, lambd=abs(number(rng, 0.25)) * rng.choice((1, 1, 1, -1))), any_shape(rng)


def hardtanh(rng: random.Random) -> Case:
    usual = ((-1, 1), (0, 6), (-LARGEST, LARGEST), (-2, 0.5), (0.5, 0.5), (2, -2))
    low, high = (number(rng), number(rng)) if rng.random() < 0.15 else rng.choice(usual)
    given = some(rng, min_val=low, max_val=high, inplace=flag(rng))
    # torch does not look at min_val where min_value is given; what 32 bits can't hold is refused here all the same.
    if max(abs(low), abs(high)) <= LARGEST:
        older = some(rng, min_value=rng.choice((-1.5, -1.0, 0)), max_value=rng.choice((-1.5, 0.75, 1.0)))
        given |= older if rng.random() < 0.2 else {}
    return given, any_shape(rng)


def leaky_relu(rng: random.Random) -> Case:
    return some(rng, negative_slope=number(rng, 0.45), inplace=flag(rng)), any_shape(rng)


def rrelu(rng: random.Random) -> Case:
    lower, upper = rng.choice(((0.1, 0.2), (0.2, 0.2), (0.3, 0.2), (number(rng), number(rng))))
    return some(rng, lower=lower, upper=upper, inplace=flag(rng)), any_shape(rng)


def softplus(rng: random.Random) -> Case:
    return some(rng, beta=number(rng), threshold=number(rng)), any_shape(rng)


def threshold(rng: random.Random) -> Case:
    return {"threshold": number(rng, 0.18), "value": number(rng, 0.18)} | some(rng, inplace=flag(rng)), any_shape(rng)


def prelu(rng: random.Random) -> Case:
    x = any_shape(rng)
    return some(rng, num_parameters=rng.choice((1, 1, x[0], x[0], x[0], 2, -1)), init=number(rng, 0.15)), x


def over_dimension(rng: random.Random) -> Case:
    x = any_shape(rng)
    dims = len(x) + 1
    beyond = rng.choice((dims, -dims - 1))
    return some(rng, dim=beyond if rng.random() < 0.45 else rng.choice((None, rng.randrange(-dims, dims)))), x


def glu(rng: random.Random) -> Case:
    x = tuple(rng.choice((2, 4, 6, 8, 3)) for _ in range(rng.randint(1, 4)))
    dims = len(x) + 1
    return some(rng, dim=rng.randint(-dims - 1, dims) if rng.random() < 0.2 else rng.randint(1, len(x))), x


def softmax2d(rng: random.Random) -> Case:
    return {}, any_shape(rng) if rng.random() < 0.4 else any_shape(rng, 3, 3)


PLAIN = ("LogSigmoid", "Sigmoid", "Softsign", "Tanh", "Tanhshrink")
INPLACE = ("SELU", "Hardsigmoid", "Hardswish", "Mish", "ReLU", "ReLU6", "SiLU")

GENERATORS = {
    **dict.fromkeys(PLAIN, plain),
    **dict.fromkeys(INPLACE, inplace),
    **dict.fromkeys(("Softmax", "LogSoftmax", "Softmin"), over_dimension),
    "ELU": alpha,
    "CELU": celu,
    "GELU": gelu,
    "Hardshrink": hardshrink,
    "Softshrink": softshrink,
    "Hardtanh": hardtanh,
    "LeakyReLU": leaky_relu,
    "RReLU": rrelu,
    "Softplus": softplus,
    "Threshold": threshold,
    "PReLU": prelu,
    "GLU": glu,
    "Softmax2d": softmax2d,
}
