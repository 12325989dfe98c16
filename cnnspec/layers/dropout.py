"""Layers that zero values at random in training."""

from cnnspec.declare import Unit
from cnnspec.layers._window import _Spatial
from cnnspec.layers.base import Layer, Shape, inf

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cnnspec.layers._tape import Tape, Value


class _Dropout(Layer):
    role = "dropout"

    p: Unit = 0.5
    inplace: bool = False

    random = True
    whole_channels = False
    """True where channels are dropped, not single values."""
    keeps_moments = False
    """True where what is dropped is set to a value that keeps mean and variance."""

    def bounds(self, low: float, high: float) -> tuple[float, float]:
        if self.p in (0, 1):
            return (low, high) if self.p == 0 else (0, 0)
        return min(low / (1 - self.p), 0), max(high / (1 - self.p), 0)

    def run(self, tape: "Tape", x: "Value", y: Shape) -> "Value":
        if not tape.training or self.p == 0:
            tape.own(x.storage)
            return x
        mask = tape.bytes_of(y[:2] if self.whole_channels else y)
        if self.p == 1:
            mask = tape.size
        inplace = self.inplace and not self.keeps_moments
        scratch = mask if self.keeps_moments and self.p < 1 else 0
        return tape.op([x], y, extra=[mask], scratch=scratch, inplace=inplace, order=x.order)


class Dropout(_Dropout):
    """Zeroes single values at random and scales the others up.

    Hinton et al. 2012, https://arxiv.org/abs/1207.0580.
    """


class AlphaDropout(_Dropout):
    """Drops single values but keeps mean and variance; goes with SELU.

    Klambauer et al. 2017, https://arxiv.org/abs/1706.02515.
    """

    keeps_moments = True

    def bounds(self, low: float, high: float) -> tuple[float, float]:
        return -inf, inf


class Dropout2d(_Dropout):
    """Zeroes whole channels at random.

    Tompson et al. 2014, https://arxiv.org/abs/1411.4280.
    """

    whole_channels = True

    # torch 2.13 takes any number of spatial dimensions here and means it, with a warning for other than two.


class FeatureAlphaDropout(_Dropout):
    """Drops whole channels but keeps mean and variance; goes with SELU.

    Klambauer et al. 2017, https://arxiv.org/abs/1706.02515.
    """

    whole_channels = True
    keeps_moments = True

    def bounds(self, low: float, high: float) -> tuple[float, float]:
        return -inf, inf


class _ChannelDropout(_Dropout, _Spatial):
    whole_channels = True

    def infer(self, x: Shape) -> Shape:
        # torch 2.13 reads what lacks a dimension as one sample without a batch and drops samples for channels;
        # Dropout3d does so with every other number of dimensions. Refused here on purpose.
        self.check_rank(x)
        return x


class Dropout1d(_ChannelDropout):
    """Zeroes whole channels of sequences at random.

    Tompson et al. 2014, https://arxiv.org/abs/1411.4280.
    """

    rank = 1


class Dropout3d(_ChannelDropout):
    """Zeroes whole channels of volumes at random.

    Tompson et al. 2014, https://arxiv.org/abs/1411.4280.
    """

    rank = 3
