"""Activations: functions of single values, and those over a dimension (softmax, GLU)."""

from cnnspec.declare import Choice, Count, Integer, Reject, spell
from cnnspec.diagnostics import refusals
from cnnspec.diagnostics.codes import BATCH_DIMENSION, NOT_DIVISIBLE, OUT_OF_RANGE, WRONG_WIDTH
from cnnspec.layers._axes import FLOAT_MAX, LAYOUTS, Float, Float32, resolve, wrong_rank
from cnnspec.layers.base import Layer, Reads, Shape, all_of, inf

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cnnspec.layers._tape import Tape, Value

    Approximation = str
    Lambda = float
else:
    Approximation = Choice("none", "tanh")
    Lambda = Float32(0)


SOFTMAX = 3
"""Operations of a softmax for each value: exp, the sum, the division."""


class _Activation(Layer):
    """A function of single values: one operation each, whatever the function."""

    role = "activation"
    per_value = 1


class ELU(_Activation):
    """Keeps positive values and lets negative ones approach -alpha exponentially.

    Clevert et al. 2015, https://arxiv.org/abs/1511.07289.
    """

    saves_output = "in place"
    slope = "alpha"

    alpha: Float = 1.0
    inplace: bool = False

    def bounds(self, low: float, high: float) -> tuple[float, float]:
        return -max(self.alpha, 0), inf


class CELU(_Activation):
    """Is ELU with a continuous slope for every alpha.

    Barron 2017, https://arxiv.org/abs/1704.07483.
    """

    saves_output = "in place"
    slope = "alpha"

    alpha: Float = 1.0
    inplace: bool = False

    def validate(self) -> None:
        # torch 2.13 divides by alpha and refuses an inverse that a 32-bit float can't hold. Below 5.6e-309, where the
        # inverse is infinite, it goes on with NaN; that is refused here too.
        if self.alpha == 0 or abs(1 / self.alpha) > FLOAT_MAX:
            wants = "a number other than 0 whose inverse fits into a 32-bit float, too"
            raise Reject("alpha", OUT_OF_RANGE, name="alpha", value=spell(self.alpha), wants=wants)

    def bounds(self, low: float, high: float) -> tuple[float, float]:
        return (-self.alpha, inf) if self.alpha > 0 else (-inf, inf)


class SELU(_Activation):
    """Is ELU scaled so that activations keep mean 0 and variance 1.

    Klambauer et al. 2017, https://arxiv.org/abs/1706.02515.
    """

    saves_output = "in place"

    inplace: bool = False

    def bounds(self, low: float, high: float) -> tuple[float, float]:
        return -1.7580994, inf


class GELU(_Activation):
    """Multiplies a value by the probability of a smaller normal one.

    Hendrycks and Gimpel 2016, https://arxiv.org/abs/1606.08415.
    """

    approximate: Approximation = "none"

    def bounds(self, low: float, high: float) -> tuple[float, float]:
        return -0.17005, inf


class Hardshrink(_Activation):
    """Sets values from -lambd to lambd to 0."""

    lambd: Float = 0.5


class Hardsigmoid(_Activation):
    """Is a sigmoid made of three straight pieces."""

    inplace: bool = False

    def bounds(self, low: float, high: float) -> tuple[float, float]:
        return 0, 1


class Hardswish(_Activation):
    """Multiplies a value by its hard sigmoid.

    Howard et al. 2019, https://arxiv.org/abs/1905.02244.
    """

    inplace: bool = False

    def bounds(self, low: float, high: float) -> tuple[float, float]:
        return -0.375, inf


class Hardtanh(_Activation):
    """Clips values to the range from min_val to max_val."""

    min_val: Float = -1.0
    max_val: Float = 1.0
    inplace: bool = False
    # torch 2.13 still takes these older names of min_val and max_val, with a warning; they win over the newer ones.
    min_value: Float | None = None
    max_value: Float | None = None

    @property
    def _limits(self) -> tuple[float, float]:
        low = self.min_val if self.min_value is None else self.min_value
        return low, self.max_val if self.max_value is None else self.max_value

    def validate(self) -> None:
        low, high = self._limits
        if low >= high:
            names = [name for name in ("max_value", "max_val", "min_value", "min_val") if name in self.given]
            raise Reject(names[0], refusals.NO_RANGE, high=high, low=low)

    def bounds(self, low: float, high: float) -> tuple[float, float]:
        least, most = self._limits
        return min(max(low, least), most), min(max(high, least), most)


class LeakyReLU(_Activation):
    """Keeps positive values and multiplies negative ones by a small slope."""

    saves_output = "in place"
    slope = "negative_slope"

    negative_slope: Float = 0.01
    inplace: bool = False


class LogSigmoid(_Activation):
    """Takes the logarithm of the sigmoid."""

    def run(self, tape: "Tape", x: "Value", y: Shape) -> "Value":
        return tape.pointwise(x, keeps="input", extra=[tape.bytes_of(y)])

    def bounds(self, low: float, high: float) -> tuple[float, float]:
        return -inf, 0


class Mish(_Activation):
    """Multiplies a value by tanh(softplus(value)).

    Misra 2019, https://arxiv.org/abs/1908.08681.
    """

    inplace: bool = False

    def bounds(self, low: float, high: float) -> tuple[float, float]:
        return -0.30885, inf


class ReLU(_Activation):
    """Sets negative values to 0."""

    saves_output = "always"

    inplace: bool = False

    def bounds(self, low: float, high: float) -> tuple[float, float]:
        return max(low, 0), max(high, 0)


class ReLU6(_Activation):
    """Clips values to the range from 0 to 6."""

    inplace: bool = False

    def bounds(self, low: float, high: float) -> tuple[float, float]:
        return min(max(low, 0), 6), min(max(high, 0), 6)


class RReLU(_Activation):
    """Multiplies negative values by a random slope in training.

    Xu et al. 2015, https://arxiv.org/abs/1505.00853.
    """

    saves_output = "in place"

    lower: Float = 1 / 8
    upper: Float = 1 / 3
    inplace: bool = False

    def validate(self) -> None:
        # torch 2.13 compares them as 64-bit floats.
        if float(self.lower) > float(self.upper):
            name = "upper" if "upper" in self.given else "lower"
            raise Reject(name, refusals.LOWER_ABOVE_UPPER, low=self.lower, high=self.upper)

    def run(self, tape: "Tape", x: "Value", y: Shape) -> "Value":
        if not tape.training:
            return super().run(tape, x, y)
        keeps = "output" if self.inplace else "input"
        return tape.pointwise(x, keeps=keeps, inplace=self.inplace, extra=[tape.bytes_of(y)])


class Sigmoid(_Activation):
    """Squeezes values into the range from 0 to 1: 1 / (1 + exp(-x))."""

    saves_output = "always"

    def bounds(self, low: float, high: float) -> tuple[float, float]:
        return 0, 1


class SiLU(_Activation):
    """Multiplies a value by its sigmoid; also known as swish.

    Elfwing et al. 2017, https://arxiv.org/abs/1702.03118.
    """

    inplace: bool = False

    def bounds(self, low: float, high: float) -> tuple[float, float]:
        return -0.27847, inf


class Softplus(_Activation):
    """Is a smooth ReLU: log(1 + exp(beta x)) / beta, linear above the threshold."""

    beta: Float = 1.0
    threshold: Float = 20.0

    def bounds(self, low: float, high: float) -> tuple[float, float]:
        return (0, inf) if self.beta > 0 else (-inf, inf)


class Softshrink(_Activation):
    """Moves values towards 0 by lambd, and those that are nearer to 0."""

    lambd: Lambda = 0.5


class Softsign(_Activation):
    """Divides a value by 1 + its absolute value."""

    def run(self, tape: "Tape", x: "Value", y: Shape) -> "Value":
        size = tape.pointwise(x, keeps="input", spare=tape.bytes_of(y))
        below = tape.op([size], y, kind="alias", drops=[size], order=x.order)
        return tape.op([x, below], y, keeps=[x, below], spare=2 * tape.bytes_of(y), order=x.order, drops=[below])

    def bounds(self, low: float, high: float) -> tuple[float, float]:
        return -1, 1


class Tanh(_Activation):
    """Squeezes values into the range from -1 to 1."""

    saves_output = "always"

    def bounds(self, low: float, high: float) -> tuple[float, float]:
        return -1, 1


class Tanhshrink(_Activation):
    """Subtracts the tanh of a value from it."""

    def run(self, tape: "Tape", x: "Value", y: Shape) -> "Value":
        tanh = tape.pointwise(x, keeps="output")
        return tape.op([x, tanh], y, kind="negated", order=x.order, drops=[tanh])


class Threshold(_Activation):
    """Replaces what is not above the threshold by a value."""

    threshold: Float
    value: Float
    inplace: bool = False

    def bounds(self, low: float, high: float) -> tuple[float, float]:
        return min(max(low, self.threshold), self.value), max(high, self.value)


class PReLU(_Activation):
    """Multiplies negative values by a learnt slope, one in all or one a channel.

    He et al. 2015, https://arxiv.org/abs/1502.01852.
    """

    num_parameters: Count = 1
    init: Float = 0.25

    def infer(self, x: Shape) -> Shape:
        if self.num_parameters not in (1, x[0]):
            declared = self.num_parameters
            raise Reject("num_parameters", WRONG_WIDTH, declared=declared, counts="channels", found=x[0])
        return x

    def parameters(self, x: Shape) -> int:
        return self.num_parameters

    def run(self, tape: "Tape", x: "Value", y: Shape) -> "Value":
        size = tape.bytes_of(y)
        return tape.op([x], y, keeps=[x], weights=[self.num_parameters * tape.size], spare=size, order=x.order)

    def tensors(self, x: Shape) -> dict[str, Shape]:
        return {"weight": (self.num_parameters,)}


class GLU(Layer):
    """Multiplies one half of a dimension by the sigmoid of the other.

    Dauphin et al. 2016, https://arxiv.org/abs/1612.08083.
    """

    per_value = 2

    dim: Integer = -1

    def infer(self, x: Shape) -> Shape:
        dim = resolve("dim", self.dim, x)
        if dim == 0:
            raise Reject("dim", BATCH_DIMENSION, what="halve")
        half, odd = divmod(x[dim - 1], 2)
        if odd:
            facts = {"what": f"the size of dimension {dim}", "value": x[dim - 1]}
            raise Reject("dim", NOT_DIVISIBLE, **facts, divisor_name="its two halves", divisor=2)
        return (*x[: dim - 1], half, *x[dim:])

    def reads(self, x: Shape, y: Shape) -> dict[int, Reads]:
        dim = resolve("dim", self.dim, x) - 1
        return {dim: all_of(x[dim])}


class _Softmax(_Activation):
    """Normalises over `dim`, counted with the batch as 0; over the batch itself where that is asked for."""

    per_value = SOFTMAX

    # torch 2.13 guesses where none is given, with a warning: 0, the batch, for [channels, length], otherwise 1.
    dim: Integer | None = None

    def infer(self, x: Shape) -> Shape:
        if self.dim is not None:
            resolve("dim", self.dim, x)
        return x

    def reads(self, x: Shape, y: Shape) -> dict[int, Reads]:
        # torch 2.13 takes the batch of [channels, length], and the channels of all others.
        dim = (0 if len(x) == 2 else 1) if self.dim is None else resolve("dim", self.dim, x)
        return {dim - 1: all_of(x[dim - 1])} if dim else {}


class Softmax(_Softmax):
    """Turns scores into probabilities: exp(x) over the sum along a dimension."""

    saves_output = "always"

    def bounds(self, low: float, high: float) -> tuple[float, float]:
        return 0, 1


class LogSoftmax(_Softmax):
    """Takes the logarithm of the softmax along a dimension."""

    saves_output = "always"

    def bounds(self, low: float, high: float) -> tuple[float, float]:
        return -inf, 0


class Softmin(_Softmax):
    """Is the softmax of the negated values."""

    saves_output = "always"

    def run(self, tape: "Tape", x: "Value", y: Shape) -> "Value":
        negated = tape.pointwise(x)
        return tape.op([negated], y, keeps_result=True, order=x.order, drops=[negated])

    def bounds(self, low: float, high: float) -> tuple[float, float]:
        return 0, 1


class Softmax2d(_Activation):
    """Turns the channels at each position into probabilities."""

    per_value = SOFTMAX
    saves_output = "always"

    def infer(self, x: Shape) -> Shape:
        # torch 2.13 reads [channels, length] with its batch as one image without a batch; refused here on purpose.
        if len(x) != 3:
            raise wrong_rank(x, LAYOUTS[2], refusals.SOFTMAX)
        return x

    def bounds(self, low: float, high: float) -> tuple[float, float]:
        return 0, 1
