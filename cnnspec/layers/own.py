"""Layers that torch.nn lacks; their modules are in cnnspec.nn."""

from cnnspec.declare import Integer, Reject, Unit
from cnnspec.diagnostics.codes import EMPTY_OUTPUT, WRONG_COMBINATION
from cnnspec.layers._axes import Float, _KeepsChannels
from cnnspec.layers.base import Layer, Shape


class Slice(Layer):
    """Keeps the channels from start up to, but without, stop; negative numbers count from the end."""

    own = True
    view = True

    start: Integer
    stop: Integer | None = None

    def infer(self, x: Shape) -> Shape:
        start = self._resolve("start", self.start, x[0])
        stop = x[0] if self.stop is None else self._resolve("stop", self.stop, x[0])
        if start >= stop:
            raise Reject("start" if self.stop is None else "stop", EMPTY_OUTPUT, size=0, axis="channels")
        return (stop - start, *x[1:])

    def _resolve(self, field: str, position: int, channels: int) -> int:
        if not -channels <= position <= channels:
            problem = f"there is no channel {position} in an input of {channels} channels"
            raise Reject(field, WRONG_COMBINATION, problem=problem, label=f"may be from {-channels} to {channels}")
        return position + channels if position < 0 else position


class LayerScale(_KeepsChannels):
    """Multiplies each channel by a learnt factor that starts small.

    Touvron et al. 2021, https://arxiv.org/abs/2103.17239.
    """

    own = True
    inferred = "num_channels"

    init: Float = 1e-5

    def parameters(self, x: Shape) -> int:
        return x[0]


class StochasticDepth(_KeepsChannels):
    """Drops whole samples at random in training and scales the others up: the last layer of a residual body.

    Huang et al. 2016, https://arxiv.org/abs/1603.09382.
    """

    own = True
    random = True

    p: Unit

    def bounds(self, low: float, high: float) -> tuple[float, float]:
        if self.p in (0, 1):
            return (low, high) if self.p == 0 else (0, 0)
        return min(low / (1 - self.p), 0), max(high / (1 - self.p), 0)
