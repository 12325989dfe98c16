"""Layers that cut a value along a dimension: into parts, which are a tuple, or down to some of it, or to one number.

Dimensions count the batch as 0, as in torch; it is never cut.
"""

from cnnspec.declare import Count, Integer, Reject, Tuple, sizes, spell
from cnnspec.diagnostics import refusals
from cnnspec.diagnostics.codes import (
    BATCH_DIMENSION,
    EMPTY_OUTPUT,
    NOT_DIVISIBLE,
    SEQUENCE_TOO_LONG,
)
from cnnspec.layers._axes import LAYOUTS, resolve
from cnnspec.layers.base import Call, Layer, Parts, Reads, Shape, all_of, prod
from cnnspec.limits import LIMITS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cnnspec.layers._tape import Tape, Value

    Pieces = int | tuple[int, ...]
    Dims = int | tuple[int, ...]
else:
    Pieces = Count | Tuple(Count, None)
    Dims = Integer | Tuple(Integer, None)


class _Cut(Layer):
    """Acts on the dimension `dim`."""

    own = True
    view = True

    if TYPE_CHECKING:
        dim: int

    def _axis(self, x: Shape, what: str) -> int:
        """The place of `dim` in a shape, which has no batch."""
        dim = resolve("dim", self.dim, x)
        if dim == 0:
            raise Reject("dim", BATCH_DIMENSION, what=what)
        return dim - 1


def without(order: "tuple[int, ...] | None", dim: int) -> "tuple[int, ...] | None":
    """The order of dimensions in memory where one of them is dropped."""
    if order is None:
        return None
    left = tuple(axis - (axis > dim) for axis in order if axis != dim)
    return None if left == tuple(range(len(left))) else left


def _replaced(x: Shape, axis: int, *size: int) -> Shape:
    return (*x[:axis], *size, *x[axis + 1 :])


class Slice(_Cut):
    """Keeps the channels, or what `dim` counts, from start up to, but without, stop; negative numbers count from the end."""

    follows = {"start": None, "stop": None}

    start: Integer
    stop: Integer | None = None
    dim: Integer = 1

    def infer(self, x: Shape) -> Shape:
        axis = self._axis(x, "cut")
        size = x[axis]
        start = self._resolve("start", self.start, size)
        stop = size if self.stop is None else self._resolve("stop", self.stop, size)
        if start >= stop:
            name = "channels" if axis == 0 else f"dimension {axis + 1}"
            raise Reject("start" if self.stop is None else "stop", EMPTY_OUTPUT, size=0, axis=name)
        return _replaced(x, axis, stop - start)

    def run(self, tape: "Tape", x: "Value", y: Shape) -> "Value":
        if y == x.shape:
            return tape.laid_out(x, y, order=x.order, cut=x.cut)
        return tape.piece(x, y, self._axis(x.shape[1:], "cut") + 1)

    def reads(self, x: Shape, y: Shape) -> dict[int, Reads]:
        axis = self._axis(x, "cut")
        start = self._resolve("start", self.start, x[axis])
        return {axis: Reads(1, start, start)}

    def _resolve(self, field: str, position: int, size: int) -> int:
        if not -size <= position <= size:
            raise Reject(field, refusals.NO_SUCH_PLACE, place=position, size=size, low=-size, high=size)
        return position + size if position < 0 else position


class Select(_Cut):
    """Takes one place of a dimension, by default a channel, and drops the dimension; -1 is the last."""

    index: Integer
    dim: Integer = 1

    def infer(self, x: Shape) -> Shape:
        axis = self._axis(x, "select from")
        size = x[axis]
        if not -size <= self.index < size:
            raise Reject("index", refusals.NO_SUCH_PLACE, place=self.index, size=size, low=-size, high=size - 1)
        return _left(x, _replaced(x, axis))

    def run(self, tape: "Tape", x: "Value", y: Shape) -> "Value":
        gone = self._axis(x.shape[1:], "select from") + 1
        rows = tape.op([x], y, view=True, order=without(x.order, gone))
        rows.cut = frozenset(axis - (axis > gone) for axis in x.cut) | {gone - 1}
        return rows

    def reads(self, x: Shape, y: Shape) -> dict[int, Reads]:
        axis = self._axis(x, "select from")
        return {axis: Reads(0, self.index % x[axis], self.index % x[axis])}

    def moved(self, x: Shape) -> dict[int, int]:
        gone = self._axis(x, "select from")
        return {axis: axis - (axis > gone) for axis in range(len(x)) if axis != gone}


class _Parts(_Cut):
    """Gives a tuple. Which part a place is in is not looked at: each reads all that there are along `dim`."""

    def reads(self, x: Shape, y: Shape) -> dict[int, Reads]:
        axis = self._axis(x, "cut")
        return {axis: all_of(x[axis])}

    def run(self, tape: "Tape", x: "Value", y: Shape) -> "tuple[Value, ...]":  # type: ignore[override]
        return tape.pieces(x, y, self._axis(x.shape[1:], "cut") + 1)  # type: ignore[arg-type]


class Chunk(_Parts):
    """Cuts a dimension, by default the channels, into equal parts: a tuple of values."""

    chunks: Count
    dim: Integer = 1

    def infer(self, x: Shape) -> Parts:
        axis = self._axis(x, "cut")
        _expect_few("chunks", self.chunks)
        if x[axis] % self.chunks:
            facts = {"what": f"the size of dimension {axis + 1}", "value": x[axis]}
            raise Reject("chunks", NOT_DIVISIBLE, **facts, divisor_name="chunks", divisor=self.chunks)
        return Parts([_replaced(x, axis, x[axis] // self.chunks)] * self.chunks)


class Split(_Parts):
    """Cuts a dimension, by default the channels, into parts of given sizes, or of one size: a tuple of values."""

    sizes: Pieces
    dim: Integer = 1

    def infer(self, x: Shape) -> Parts:
        axis = self._axis(x, "cut")
        whole, pieces = x[axis], self.sizes
        if not isinstance(pieces, tuple):
            if whole % pieces:
                facts = {"what": f"the size of dimension {axis + 1}", "value": whole}
                raise Reject("sizes", NOT_DIVISIBLE, **facts, divisor_name="sizes", divisor=pieces)
            _expect_few("sizes", whole // pieces)
            pieces = (pieces,) * (whole // pieces)
        if sum(pieces) != whole:
            facts = {"size": whole, "dim": axis + 1, "parts": " + ".join(map(str, pieces)), "total": sum(pieces)}
            raise Reject("sizes", refusals.OTHER_SUM, **facts)
        return Parts(_replaced(x, axis, size) for size in pieces)

    def call(self, x: Shape) -> Call:
        kwargs = {"dim": self.dim} if self.dim != 1 else {}
        return Call(self.target(), (tuple(part[self._axis(x, "cut")] for part in self.infer(x)),), kwargs)


def _expect_few(field: str, parts: int) -> None:
    if parts > LIMITS.sequence:
        raise Reject(field, SEQUENCE_TOO_LONG, limit=LIMITS.sequence)


def _left(x: Shape, y: Shape) -> Shape:
    """What is left of a shape; refused where no dimension is, as a value has one besides the batch."""
    if not y:
        raise Reject("", refusals.NOTHING_LEFT, expected=LAYOUTS[1], found=x)
    return y


class _Reduce(Layer):
    """Brings a dimension, or several, down to one number. Where all but the batch go, `keepdim` leaves sizes of 1."""

    own = True

    dim: Dims
    keepdim: bool = False

    def infer(self, x: Shape) -> Shape:
        dims = sorted(resolve("dim", dim, x) for dim in sizes(self.dim, 1))
        if len(set(dims)) != len(dims):
            raise Reject("dim", refusals.TWICE, dims=spell(self.dim))
        if dims[0] == 0:
            raise Reject("dim", BATCH_DIMENSION, what="take its numbers over")
        kept = [(1,) if axis + 1 in dims else (size,) for axis, size in enumerate(x)]
        if self.keepdim:
            return tuple(size for (size,) in kept)
        return _left(x, tuple(size for axis, size in enumerate(x) if axis + 1 not in dims))

    def operations(self, x: Shape, y: Shape) -> int:
        return prod(x)

    keeps = ""

    def _gone(self, x: Shape) -> list[int]:
        return [resolve("dim", dim, x) - 1 for dim in sizes(self.dim, 1)]

    def reads(self, x: Shape, y: Shape) -> dict[int, Reads]:
        return {axis: all_of(x[axis]) for axis in self._gone(x)}

    def moved(self, x: Shape) -> dict[int, int]:
        gone = self._gone(x)
        left = [axis for axis in range(len(x)) if axis not in gone]
        return {axis: axis if self.keepdim else place for place, axis in enumerate(left)}

    def count(self, x: Shape) -> int:
        """How many values become one."""
        total = 1
        for dim in sizes(self.dim, 1):
            total *= x[resolve("dim", dim, x) - 1]
        return total


class Mean(_Reduce):
    """Takes the mean over a dimension, or several."""

    def bounds(self, low: float, high: float) -> tuple[float, float]:
        return low, high


class Max(_Reduce):
    """Takes the largest value over a dimension, or several, as torch.amax does."""

    saves_output = "always"

    def run(self, tape: "Tape", x: "Value", y: Shape) -> "Value":
        # The places of the maxima, how many there are, and the gradient divided among them.
        spare = prod(x.shape) + (8 + tape.size) * prod(y)
        return tape.op([x], y, keeps=[x], keeps_result=True, spare=spare)

    def bounds(self, low: float, high: float) -> tuple[float, float]:
        return low, high


class Sum(_Reduce):
    """Takes the sum over a dimension, or several."""

    def run(self, tape: "Tape", x: "Value", y: Shape) -> "Value":
        return tape.op([x], y, kind="alias")


class Std(_Reduce):
    """Takes the standard deviation over a dimension, or several, with n - 1 below, as torch.std does."""

    saves_output = "always"

    def run(self, tape: "Tape", x: "Value", y: Shape) -> "Value":
        spare = tape.bytes_of(x.shape) + 3 * tape.bytes_of(y)
        return tape.op([x], y, keeps=[x], keeps_result=True, spare=spare)

    def operations(self, x: Shape, y: Shape) -> int:
        # The mean, the difference, its square and their sum.
        return 4 * prod(x)

    def infer(self, x: Shape) -> Shape:
        y = super().infer(x)
        if self.count(x) < 2:
            # torch 2.13 gives NaN, with a warning; refused here on purpose.
            raise Reject("dim", refusals.ONE_VALUE)
        return y
