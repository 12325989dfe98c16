"""Layers that lay the same values out anew. Their dimensions count the batch as 0, as in torch."""

from cnnspec.declare import Integer, Number, Reject, Tuple, spell
from cnnspec.diagnostics import refusals
from cnnspec.diagnostics.codes import BATCH_DIMENSION
from cnnspec.layers._axes import resolve
from cnnspec.layers.base import Layer, Reads, Shape, all_of, prod

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cnnspec.layers._tape import Tape, Value

    SizesOrRest = tuple[int, ...]
    Dims = tuple[int, ...]
else:
    SizesOrRest = Tuple(Number(-1, whole=True), None)
    Dims = Tuple(Integer, None)


class Flatten(Layer):
    """Joins the dimensions start_dim to end_dim, by default all but the batch."""

    reshapes = True
    view = True

    start_dim: Integer = 1
    end_dim: Integer = -1

    def infer(self, x: Shape) -> Shape:
        start = resolve("start_dim", self.start_dim, x)
        end = resolve("end_dim", self.end_dim, x)
        if start > end:
            field = "end_dim" if "end_dim" in self.given else "start_dim"
            raise Reject(field, refusals.ENDS_BEFORE_START, start=self.start_dim, end=self.end_dim, shape=x)
        if start == end:
            return x
        if start == 0:
            # torch 2.13 makes samples of other dimensions, or of the batch a dimension; refused here on purpose.
            raise Reject("start_dim", BATCH_DIMENSION, what="flatten")
        return (*x[: start - 1], prod(x[start - 1 : end]), *x[end:])

    def arithmetic(self, x: Shape, y: Shape) -> list[tuple[str, str]]:
        start, end = self._joined(x)
        return [("features", f"{'*'.join(map(str, x[start:end]))} = {y[start]}")] if end - start > 1 else []

    def run(self, tape: "Tape", x: "Value", y: Shape) -> "Value":
        start, end = self._joined(x.shape[1:])
        if y == x.shape:
            tape.own(x.storage)
            return x
        joined = range(start + 1, end + 1)
        order = x.order or tuple(range(len(x.shape)))
        place = order.index(joined[0])
        if order[place : place + len(joined)] != tuple(joined) or x.cut & set(joined[1:]):
            rows = tape.dense(x)
            made = tape.laid_out(rows, y)
            tape.release(rows.storage)
            return made
        less = len(joined) - 1
        left = tuple(axis - less * (axis > joined[-1]) for axis in order if axis not in joined[1:])
        cut = {axis - less * (axis > joined[-1]) for axis in x.cut}
        return tape.laid_out(x, y, order=None if left == tuple(range(len(left))) else left, cut=cut)

    def _joined(self, x: Shape) -> tuple[int, int]:
        """The first of the dimensions that are joined, and the one behind the last."""
        start, end = resolve("start_dim", self.start_dim, x), resolve("end_dim", self.end_dim, x)
        return max(start - 1, 0), max(end, 1)

    def reads(self, x: Shape, y: Shape) -> dict[int, Reads]:
        start, end = self._joined(x)
        wide = [axis for axis in range(start, end) if x[axis] > 1]
        return {axis: all_of(x[axis]) for axis in range(start, end) if len(wide) > 1 or axis not in wide}

    def moved(self, x: Shape) -> dict[int, int]:
        start, end = self._joined(x)
        wide = [axis for axis in range(start, end) if x[axis] > 1]
        kept = {axis: axis - (end - start - 1) * (axis >= end) for axis in range(len(x)) if not start <= axis < end}
        return kept | ({wide[0]: start} if len(wide) == 1 else {})


class Unflatten(Layer):
    """Splits the dimension dim into several; one size may be -1, which stands for the rest."""

    reshapes = True
    view = True

    follows = {"unflattened_size": 1}

    dim: Integer
    unflattened_size: SizesOrRest

    def validate(self) -> None:
        if self.unflattened_size.count(-1) > 1:
            raise Reject("unflattened_size", refusals.TWO_RESTS, count=self.unflattened_size.count(-1))

    def infer(self, x: Shape) -> Shape:
        dim = resolve("dim", self.dim, x)
        if dim == 0:
            # torch 2.13 splits a batch whose size allows it; refused here on purpose.
            raise Reject("dim", BATCH_DIMENSION, what="split")
        known = prod(size for size in self.unflattened_size if size != -1)
        size = x[dim - 1]
        rest = size // known if known and -1 in self.unflattened_size else 1
        if known * rest != size:
            wanted = spell(self.unflattened_size)
            raise Reject("unflattened_size", refusals.OTHER_PRODUCT, size=size, dim=dim, wanted=wanted)
        sizes = (rest if part == -1 else part for part in self.unflattened_size)
        return (*x[: dim - 1], *sizes, *x[dim:])

    def reads(self, x: Shape, y: Shape) -> dict[int, Reads]:
        axis = resolve("dim", self.dim, x) - 1
        return {} if x[axis] in y[axis : axis + len(self.unflattened_size)] else {axis: all_of(x[axis])}

    def moved(self, x: Shape) -> dict[int, int]:
        axis, more = resolve("dim", self.dim, x) - 1, len(self.unflattened_size) - 1
        kept = {other: other + more * (other > axis) for other in range(len(x)) if other != axis}
        parts = self.infer(x)[axis : axis + more + 1]
        return kept | ({axis: axis + parts.index(x[axis])} if x[axis] in parts else {})

    def run(self, tape: "Tape", x: "Value", y: Shape) -> "Value":
        axis, more = resolve("dim", self.dim, x.shape[1:]), len(self.unflattened_size) - 1
        new = tuple(range(axis, axis + more + 1))
        order = None
        if x.order is not None:
            parts = [new if one == axis else (one + more * (one > axis),) for one in x.order]
            order = tuple(one for part in parts for one in part)
        return tape.laid_out(x, y, order=order, cut={one + more * (one > axis) for one in x.cut})


class Permute(Layer):
    """Reorders the dimensions; the batch stays first: Permute((0, 2, 3, 1)) puts channels last."""

    own = True
    reshapes = True
    view = True
    moves_axes = True

    dims: Dims

    def infer(self, x: Shape) -> Shape:
        if len(self.dims) != len(x) + 1:
            raise Reject("dims", refusals.OTHER_RANK, given=len(self.dims), shape=x, wanted=len(x) + 1)
        dims = [resolve("dims", dim, x) for dim in self.dims]
        if len(set(dims)) != len(dims):
            raise Reject("dims", refusals.TWICE, dims=spell(self.dims))
        if dims[0] != 0:
            raise Reject("dims", BATCH_DIMENSION, what="move")
        return tuple(x[dim - 1] for dim in dims[1:])

    def run(self, tape: "Tape", x: "Value", y: Shape) -> "Value":
        dims = [resolve("dims", dim, x.shape[1:]) for dim in self.dims]
        order = tuple(dims.index(one) for one in x.order or range(len(dims)))
        plain = order == tuple(range(len(dims)))
        return tape.laid_out(x, y, order=None if plain else order, cut={dims.index(one) for one in x.cut})

    def moved(self, x: Shape) -> dict[int, int]:
        return {resolve("dims", dim, x) - 1: place for place, dim in enumerate(self.dims[1:])}
