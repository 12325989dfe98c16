"""Normalisation over the batch, over single samples, over groups of channels and over neighbouring channels."""

from cnnspec.declare import Count, Positive, Real, Reject, Tuple
from cnnspec.diagnostics import refusals
from cnnspec.diagnostics.codes import NOT_DIVISIBLE, TOO_FEW_VALUES, WRONG_SHAPE_ARGUMENT
from cnnspec.layers._axes import wrong_rank
from cnnspec.layers._window import _Spatial
from cnnspec.layers.base import Call, Layer, Shape, prod

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cnnspec.layers._tape import Tape, Value

    Sizes = int | tuple[int, ...]
else:
    Sizes = Count | Tuple(Count, None)


LAYER_NORM = 7
"""Operations of a norm for each value: the mean, the difference, its square, their sum, the factor, the learnt two."""


def _scale(shape: Shape, bias: bool) -> dict[str, Shape]:
    """The tensors that a norm scales and shifts with."""
    return {"weight": shape, "bias": shape} if bias else {"weight": shape}


class _ChannelNorm(_Spatial):
    """Normalises every channel of a map of `rank` spatial dimensions."""

    role = "norm"
    paired = True

    inferred = "num_features"
    by_name = ("bias",)


class _BatchNorm(_ChannelNorm):
    normalizes = "batch"
    # Mean, variance and the learnt factors are one factor and one summand by then.
    per_value = 2

    num_features: Count | None = None
    # torch 2.13 wants it above 0 in training; the other normalisations take any number.
    eps: Positive = 1e-5
    momentum: Real | None = 0.1
    affine: bool = True
    track_running_stats: bool = True
    bias: bool = True

    def infer(self, x: Shape) -> Shape:
        # Plain features are channels, too. One value a channel is enough in training, where a batch holds at least two
        # samples; without running statistics an evaluation has no more than its batch, which may hold one.
        if self.rank > 1 or len(x) > 1:
            self.check_rank(x)
        if not self.track_running_stats and prod(x[1:]) == 1:
            raise Reject("", TOO_FEW_VALUES, unit="channel", found=x)
        return x

    @property
    def uses_width(self) -> bool:
        return self.affine or self.track_running_stats

    def parameters(self, x: Shape) -> int:
        return x[0] * (1 + self.bias) if self.affine else 0

    def buffers(self, x: Shape) -> tuple[int, int]:
        return (2 * x[0], 1) if self.track_running_stats else (0, 0)

    def arithmetic(self, x: Shape, y: Shape) -> list[tuple[str, str]]:
        count = self.parameters(x)
        return [("parameters", f"{2 if self.bias else 1}*{x[0]} = {count:,}")] if count else []

    def run(self, tape: "Tape", x: "Value", y: Shape) -> "Value":
        batch_wise = tape.training or not self.track_running_stats
        one = y[1] * tape.size
        weights = [one] * (1 + self.bias) if self.affine else []
        return tape.op([x], y, keeps=[x], extra=[one, one] if batch_wise else (), weights=weights, order=x.order)

    def tensors(self, x: Shape) -> dict[str, Shape]:
        found = _scale(x[:1], self.bias) if self.affine else {}
        if self.track_running_stats:
            found |= {"running_mean": x[:1], "running_var": x[:1], "num_batches_tracked": ()}
        return found


class BatchNorm1d(_BatchNorm):
    """Gives each feature, or channel of a sequence, mean 0 and variance 1 over the batch.

    Ioffe and Szegedy 2015, https://arxiv.org/abs/1502.03167.
    """

    rank = 1


class BatchNorm2d(_BatchNorm):
    """Gives each channel of an image mean 0 and variance 1 over the batch.

    Ioffe and Szegedy 2015, https://arxiv.org/abs/1502.03167.
    """

    rank = 2


class BatchNorm3d(_BatchNorm):
    """Gives each channel of a volume mean 0 and variance 1 over the batch.

    Ioffe and Szegedy 2015, https://arxiv.org/abs/1502.03167.
    """

    rank = 3


class _InstanceNorm(_ChannelNorm):
    normalizes = "instance"
    per_value = LAYER_NORM

    num_features: Count | None = None
    eps: Real = 1e-5
    # torch 2.13 declares a float, takes None and then never updates the running statistics.
    momentum: Real | None = 0.1
    affine: bool = False
    track_running_stats: bool = False
    bias: bool = True

    def infer(self, x: Shape) -> Shape:
        self.check_rank(x)
        if all(size == 1 for size in x[1:]):
            raise Reject("", TOO_FEW_VALUES, unit="channel", found=x)
        return x

    def parameters(self, x: Shape) -> int:
        return x[0] * (1 + self.bias) if self.affine else 0

    def buffers(self, x: Shape) -> tuple[int, int]:
        return (2 * x[0], 1) if self.track_running_stats else (0, 0)

    def run(self, tape: "Tape", x: "Value", y: Shape) -> "Value":
        one, each = y[1] * tape.size, y[0] * y[1] * tape.size
        # What belongs to a channel is repeated for every sample.
        repeated = [each] * (2 * self.track_running_stats + self.affine)
        scratch = each * (self.affine and self.bias) + one * self.track_running_stats
        weights = [one] * (1 + self.bias) if self.affine else []
        rows = tape.dense(x)
        spare = (each - one) * len(weights)
        extra = [*repeated, each, each]
        return tape.op(
            [rows], y, keeps=[rows], extra=extra, scratch=scratch, weights=weights, spare=spare, drops=[rows]
        )

    def tensors(self, x: Shape) -> dict[str, Shape]:
        found = _scale(x[:1], self.bias) if self.affine else {}
        if self.track_running_stats:
            found |= {"running_mean": x[:1], "running_var": x[:1], "num_batches_tracked": ()}
        return found


class InstanceNorm1d(_InstanceNorm):
    """Gives each channel of each sequence mean 0 and variance 1.

    Ulyanov et al. 2016, https://arxiv.org/abs/1607.08022.
    """

    rank = 1


class InstanceNorm2d(_InstanceNorm):
    """Gives each channel of each image mean 0 and variance 1.

    Ulyanov et al. 2016, https://arxiv.org/abs/1607.08022.
    """

    rank = 2


class InstanceNorm3d(_InstanceNorm):
    """Gives each channel of each volume mean 0 and variance 1.

    Ulyanov et al. 2016, https://arxiv.org/abs/1607.08022.
    """

    rank = 3


class GroupNorm(Layer):
    """Gives each group of channels of each sample mean 0 and variance 1.

    Wu and He 2018, https://arxiv.org/abs/1803.08494.
    """

    role = "norm"
    paired = True

    inferred = "num_channels"
    normalizes = "group"
    per_value = LAYER_NORM
    by_name = ("bias",)

    num_groups: Count
    num_channels: Count | None = None
    eps: Real = 1e-5
    affine: bool = True
    bias: bool = True

    def validate(self) -> None:
        if self.num_channels is not None:
            self._expect_whole_groups(self.num_channels)

    def infer(self, x: Shape) -> Shape:
        self._expect_whole_groups(x[0])
        # torch 2.13 refuses a batch of one then, in evaluation too, and gives the bias alone for a larger one.
        if x[0] // self.num_groups * prod(x[1:]) == 1:
            raise Reject("", TOO_FEW_VALUES, unit="group", found=x)
        return x

    @property
    def uses_width(self) -> bool:
        return self.affine

    def run(self, tape: "Tape", x: "Value", y: Shape) -> "Value":
        each, one = y[0] * self.num_groups * tape.size, y[1] * tape.size
        weights = [one] * (1 + self.bias) if self.affine else []
        return tape.op([x], y, keeps=[x], extra=[each, each], weights=weights, order=x.order, copies=True)

    def tensors(self, x: Shape) -> dict[str, Shape]:
        return _scale(x[:1], self.bias) if self.affine else {}

    def _expect_whole_groups(self, channels: int) -> None:
        if channels % self.num_groups:
            facts = {"what": "the number of channels", "value": channels}
            raise Reject("num_groups", NOT_DIVISIBLE, **facts, divisor_name="num_groups", divisor=self.num_groups)

    def parameters(self, x: Shape) -> int:
        return x[0] * (1 + self.bias) if self.affine else 0


class _ShapeNorm(Layer):
    """Normalises each sample over its last dimensions: those of normalized_shape, all where none is given."""

    role = "norm"
    paired = True

    normalizes = "sample"
    per_value = LAYER_NORM

    normalized_shape: Sizes | None = None

    def infer(self, x: Shape) -> Shape:
        wanted = self._shape(x)
        if x[len(x) - len(wanted) :] != wanted or len(wanted) > len(x):
            declared = "[" + ", ".join(["...", *map(str, wanted)]) + "]"
            raise Reject("normalized_shape", WRONG_SHAPE_ARGUMENT, declared=declared, found=x)
        return x

    def _shape(self, x: Shape) -> Shape:
        given = self.normalized_shape
        if given is None:
            return x
        return given if isinstance(given, tuple) else (given,)

    def _values(self, x: Shape) -> int:
        values = 1
        for size in self._shape(x):
            values *= size
        return values

    def call(self, x: Shape) -> Call:
        shape = self.normalized_shape
        if shape is None:
            shape = x[0] if len(x) == 1 else x
        kwargs = {name: value for name, value in super().call(x).kwargs.items() if name != "normalized_shape"}
        return Call(self.target(), (shape,), kwargs)


class LayerNorm(_ShapeNorm):
    """Gives each sample mean 0 and variance 1 over its last dimensions, all of them where none are given.

    Ba et al. 2016, https://arxiv.org/abs/1607.06450.
    """

    eps: Real = 1e-5
    elementwise_affine: bool = True
    bias: bool = True

    def parameters(self, x: Shape) -> int:
        return self._values(x) * (1 + self.bias) if self.elementwise_affine else 0

    def run(self, tape: "Tape", x: "Value", y: Shape) -> "Value":
        values = self._values(y[1:])
        each = prod(y) // values * tape.size
        weights = [values * tape.size] * (1 + self.bias) if self.elementwise_affine else []
        return tape.op([x], y, keeps=[x], extra=[each, each], weights=weights)

    def tensors(self, x: Shape) -> dict[str, Shape]:
        return _scale(self._shape(x), self.bias) if self.elementwise_affine else {}


class RMSNorm(_ShapeNorm):
    """Divides each sample by its root mean square over its last dimensions, all of them where none are given.

    Zhang and Sennrich 2019, https://arxiv.org/abs/1910.07467.
    """

    # A square and its sum, the factor and the learnt one.
    per_value = 4

    eps: Real | None = None
    elementwise_affine: bool = True

    def parameters(self, x: Shape) -> int:
        return self._values(x) if self.elementwise_affine else 0

    def run(self, tape: "Tape", x: "Value", y: Shape) -> "Value":
        values = self._values(y[1:])
        rest = (prod(y) // values,)
        squares = tape.pointwise(x, keeps="input", spare=2 * tape.bytes_of(y))
        mean = tape.op([squares], rest)
        root = tape.op([mean], rest, keeps_result=True, spare=2 * tape.bytes_of(rest), drops=[squares, mean])
        scaled = tape.op([x, root], y, keeps=[x, root], kind="stretched", drops=[root])
        if not self.elementwise_affine:
            return scaled
        weights = [values * tape.size]
        return tape.op([scaled], y, keeps=[scaled], weights=weights, spare=tape.bytes_of(y), drops=[scaled])

    def tensors(self, x: Shape) -> dict[str, Shape]:
        return {"weight": self._shape(x)} if self.elementwise_affine else {}


class LocalResponseNorm(Layer):
    """Divides each value by the size of those in `size` neighbouring channels.

    Krizhevsky et al. 2012, "ImageNet Classification with Deep Convolutional Neural Networks".
    """

    role = "norm"

    # A square, the mean over the window, factor, summand and power, the division.
    per_value = 6

    size: Count
    alpha: Real = 1e-4
    beta: Real = 0.75
    k: Real = 1.0

    def infer(self, x: Shape) -> Shape:
        # torch 2.13 refuses plain features, [channels].
        if len(x) < 2:
            raise wrong_rank(x, "[channels, length, ...]", refusals.BEFORE_FLATTEN)
        return x

    def run(self, tape: "Tape", x: "Value", y: Shape) -> "Value":
        size = tape.bytes_of(y)
        squares = tape.op([x, x], y, keeps=[x], kind="stretched")
        padded = tape.op([squares], (y[0], y[1] + self.size - 1, *y[2:]), drops=[squares])
        mean = tape.op([padded], y, keeps=[padded], drops=[padded])
        scaled = tape.op([mean], y)
        summed = tape.op([scaled], y, kind="alias", drops=[scaled])
        below = tape.op([summed], y, keeps=[summed], spare=2 * size, drops=[summed, mean])
        return tape.op([x, below], y, keeps=[x, below], spare=2 * size, drops=[below])
