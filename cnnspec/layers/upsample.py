"""Layers that resize sequences, images and volumes by interpolation."""

from math import trunc

from cnnspec.declare import Bool, Choice, Count, Positive, Reject, Tuple
from cnnspec.diagnostics import refusals
from cnnspec.diagnostics.codes import EMPTY_OUTPUT, TENSOR_TOO_LARGE
from cnnspec.layers._axes import LAYOUTS, axis_names, wrong_rank
from cnnspec.layers.base import Layer, Reads, Shape, inf, prod
from cnnspec.limits import LIMITS

TYPE_CHECKING = False
if TYPE_CHECKING:
    Sizes = int | tuple[int, ...]
    Scales = float | tuple[float, ...]
    Mode = str
    Choosable = bool | None
else:
    Sizes = Count | Tuple(Count, None)
    # torch 2.13 takes scale_factor=0 for none given, beside a size even silently; refused here on purpose.
    Scales = Positive | Tuple(Positive, None)
    Mode = Choice("nearest", "nearest-exact", "linear", "bilinear", "bicubic", "trilinear")
    Choosable = Bool() | None

RANKS = {"linear": 1, "bilinear": 2, "bicubic": 2, "trilinear": 3}
"""Spatial dimensions of the modes that work for one number of them alone."""


class _Resize(Layer):
    """Resizes all spatial dimensions to `size`, or by `scale_factor`; one of the two has to be given."""

    role = "up"
    follows = {"size": 1}

    keeps = ""

    size: Sizes | None = None
    scale_factor: Scales | None = None
    mode = "nearest"

    def validate(self) -> None:
        if self.size is None and self.scale_factor is None:
            raise Reject("", refusals.NEITHER_SIZE)
        if self.size is not None and self.scale_factor is not None:
            raise Reject("scale_factor", refusals.BOTH_SIZES)

    def infer(self, x: Shape) -> Shape:
        self._expect_rank(x)
        spatial = x[1:]
        if self.size is not None:
            return (x[0], *map(trunc, self._each(self.size, "size", spatial)))
        scales = self._each(self.scale_factor or 1, "scale_factor", spatial)
        return (x[0], *map(self._scaled, spatial, scales, axis_names(len(spatial))[1:]))

    def reads(self, x: Shape, y: Shape) -> dict[int, Reads]:
        corners = getattr(self, "align_corners", self.mode == "bilinear")
        return {axis: _between(self.mode, bool(corners), x[axis], y[axis]) for axis in range(1, len(x))}

    def operations(self, x: Shape, y: Shape) -> int:
        # A product and a sum for each value that is interpolated between.
        neighbours = {"nearest": 0, "nearest-exact": 0, "bicubic": 16}.get(self.mode, 1 << len(x) - 1)
        return 2 * neighbours * prod(y)

    def bounds(self, low: float, high: float) -> tuple[float, float]:
        return (-inf, inf) if self.mode == "bicubic" else (low, high)

    def _expect_rank(self, x: Shape) -> None:
        rank = RANKS.get(self.mode)
        if rank is None and len(x) not in (2, 3, 4):
            raise wrong_rank(x, "[channels, length] to [channels, depth, height, width]", refusals.NOT_RESIZABLE)
        if rank is not None and len(x) != rank + 1:
            fits = {2: "linear", 3: "bilinear", 4: "trilinear"}.get(len(x))
            field = "mode" if "mode" in self.fields else ""
            if fits is None:
                raise Reject(field, refusals.NOT_RESIZABLE, expected=LAYOUTS[rank], found=x)
            facts = {"mode": fits, "takes": LAYOUTS[len(x) - 1]}
            raise Reject(field, refusals.OTHER_MODE, expected=LAYOUTS[rank], found=x, **facts)

    def _each(self, value: Sizes | Scales, field: str, spatial: Shape) -> "tuple[float, ...]":
        if not isinstance(value, tuple):
            return (value,) * len(spatial)
        if len(value) != len(spatial):
            facts = {"argument": field, "given": len(value), "wanted": len(spatial), "shape": spatial}
            raise Reject(field, refusals.OTHER_LENGTH, **facts)
        return value

    def _scaled(self, size: int, scale: float, axis: str) -> int:
        # torch 2.13 multiplies 64-bit floats and cuts the product off: 100 * 0.29 gives 28.
        scaled = size * float(scale)
        if scaled > LIMITS.integer:
            raise Reject(
                "scale_factor", TENSOR_TOO_LARGE, what=f"the output of {type(self).__name__}", limit=LIMITS.integer
            )
        if scaled < 1:
            raise Reject("scale_factor", EMPTY_OUTPUT, size=0, axis=axis)
        return trunc(scaled)


def _between(mode: str, corners: bool, size: int, wanted: int) -> Reads:
    """What a place of a resized axis reads. A scale that does not divide the sizes is taken for their ratio."""
    if mode == "nearest":
        return Reads(size, 0, 0, wanted)
    if mode == "nearest-exact":
        return Reads(2 * size, size, size, 2 * wanted)
    # Place o lies at (o + 1/2) * size / wanted - 1/2, or with aligned corners at o * (size - 1) / (wanted - 1).
    step, at, per = (size - 1, 0, wanted - 1) if corners else (2 * size, size - wanted, 2 * wanted)
    if wanted == 1 and corners:
        return Reads(0, 0, 0)
    wide = per if mode == "bicubic" else 0
    return Reads(step, at - wide, at + per - 1 + wide, per) if size != wanted else Reads(1, 0, 0)


class Upsample(_Resize):
    """Resizes a sequence, image or volume to a size or by a factor."""

    mode: Mode = "nearest"
    align_corners: Choosable = None
    recompute_scale_factor: Choosable = None

    def validate(self) -> None:
        super().validate()
        if self.align_corners is not None and self.mode not in RANKS:
            raise Reject("align_corners", refusals.NO_CORNERS, mode=self.mode)
        if self.recompute_scale_factor and self.size is not None:
            raise Reject("recompute_scale_factor", refusals.NO_SCALE)


class UpsamplingNearest2d(_Resize):
    """Resizes an image by repeating its nearest values."""

    # torch 2.13 takes sequences and volumes here too.


class UpsamplingBilinear2d(_Resize):
    """Resizes an image by bilinear interpolation with aligned corners."""

    mode = "bilinear"
