"""Layers that zero values at random in training."""

from cnnspec.fields import Unit
from cnnspec.layers._axes import LAYOUTS, wrong_rank
from cnnspec.layers.base import Layer, Shape


class _Dropout(Layer):
    p: Unit = 0.5
    inplace: bool = False

    def channels(self, x: int | None) -> int | None:
        return x


class Dropout(_Dropout):
    """Zeroes single values at random and scales the others up.

    Hinton et al. 2012, https://arxiv.org/abs/1207.0580.
    """


class AlphaDropout(_Dropout):
    """Drops single values but keeps mean and variance; goes with SELU.

    Klambauer et al. 2017, https://arxiv.org/abs/1706.02515.
    """


class Dropout2d(_Dropout):
    """Zeroes whole channels at random.

    Tompson et al. 2014, https://arxiv.org/abs/1411.4280.
    """

    # torch 2.13 takes any number of spatial dimensions here and means it, with a warning for other than two.


class FeatureAlphaDropout(_Dropout):
    """Drops whole channels but keeps mean and variance; goes with SELU.

    Klambauer et al. 2017, https://arxiv.org/abs/1706.02515.
    """


class _BatchedDropout(_Dropout):
    def infer(self, x: Shape) -> Shape:
        # torch 2.13 reads what lacks a dimension as one sample without a batch and drops samples for channels;
        # Dropout3d does so with every other rank. Refused here on purpose.
        if len(x) != self.rank + 1:
            advice = "Dropout drops single values of any shape, Dropout2d whole channels"
            raise wrong_rank(x, LAYOUTS[self.rank], advice)
        return x


class Dropout1d(_BatchedDropout):
    """Zeroes whole channels of sequences at random.

    Tompson et al. 2014, https://arxiv.org/abs/1411.4280.
    """

    rank = 1


class Dropout3d(_BatchedDropout):
    """Zeroes whole channels of volumes at random.

    Tompson et al. 2014, https://arxiv.org/abs/1411.4280.
    """

    rank = 3
