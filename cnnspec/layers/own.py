"""Layers that torch.nn lacks; their modules are in cnnspec.nn."""

from cnnspec.declare import Tuple, Unit, Whole, sizes
from cnnspec.layers._axes import Float
from cnnspec.layers.base import Layer, Reads, Shape, inf

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cnnspec.layers._tape import Tape, Value

    BothEnds = int | tuple[int, ...]
else:
    BothEnds = Whole | Tuple(Whole, 2)


class LayerScale(Layer):
    """Multiplies each channel by a learnt factor that starts small.

    Touvron et al. 2021, https://arxiv.org/abs/2103.17239.
    """

    role = "norm"

    own = True
    per_value = 1
    inferred = "num_channels"

    init: Float = 1e-5

    def parameters(self, x: Shape) -> int:
        return x[0]

    def run(self, tape: "Tape", x: "Value", y: Shape) -> "Value":
        return tape.op([x], y, keeps=[x], weights=[y[1] * tape.size], spare=tape.bytes_of(y), order=x.order)

    def tensors(self, x: Shape) -> dict[str, Shape]:
        return {"gamma": x[:1]}


class StochasticDepth(Layer):
    """Drops whole samples at random in training and scales the others up: the last layer of a residual body.

    Huang et al. 2016, https://arxiv.org/abs/1603.09382.
    """

    role = "dropout"

    own = True
    random = True

    p: Unit

    def run(self, tape: "Tape", x: "Value", y: Shape) -> "Value":
        if not tape.training or self.p == 0:
            tape.own(x.storage)
            return x
        factor = y[0] * tape.size
        tape.release(tape.allocate(3 * factor))
        return tape.op([x], y, extra=[factor], order=x.order)

    def bounds(self, low: float, high: float) -> tuple[float, float]:
        if self.p in (0, 1):
            return (low, high) if self.p == 0 else (0, 0)
        return min(low / (1 - self.p), 0), max(high / (1 - self.p), 0)


class PadChannels(Layer):
    """Adds channels of zeros: as many in front and behind, or a pair of numbers.

    He et al. 2015, https://arxiv.org/abs/1512.03385, shortcuts of option A.
    """

    own = True

    padding: BothEnds

    def infer(self, x: Shape) -> Shape:
        return (sum(sizes(self.padding, 2)) + x[0], *x[1:])

    def run(self, tape: "Tape", x: "Value", y: Shape) -> "Value":
        return tape.op([x], y, order=(0, *range(2, len(y)), 1))

    def reads(self, x: Shape, y: Shape) -> dict[int, Reads]:
        before = sizes(self.padding, 2)[0]
        return {0: Reads(1, -before, -before)}

    def bounds(self, low: float, high: float) -> tuple[float, float]:
        return (min(low, 0), max(high, 0))


class Exp(Layer):
    """Takes e to the power of each value."""

    own = True
    per_value = 1
    saves_output = "always"

    def bounds(self, low: float, high: float) -> tuple[float, float]:
        return (0, inf)


class Log(Layer):
    """Takes the natural logarithm of each value."""

    own = True
    per_value = 1


class Sqrt(Layer):
    """Takes the square root of each value."""

    own = True
    spare = 1
    per_value = 1
    saves_output = "always"

    def bounds(self, low: float, high: float) -> tuple[float, float]:
        return (0, inf)


class Abs(Layer):
    """Takes the absolute value of each value."""

    own = True
    spare = 1
    per_value = 1

    def bounds(self, low: float, high: float) -> tuple[float, float]:
        return (0 if low <= 0 <= high else min(abs(low), abs(high)), max(abs(low), abs(high)))
