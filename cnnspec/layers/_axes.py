"""What layers of all kinds share: how shapes and dimensions are named, resolved and refused."""

from cnnspec.declare import Number, Reject
from cnnspec.diagnostics.codes import WRONG_DIMENSION
from cnnspec.layers.base import Shape

FLOAT_MAX = 3.4028234663852886e38


class Float32(Number):
    """A number that torch 2.13 converts to the type of the input, and refuses where a 32-bit float can't hold it."""

    def __init__(self, low: float = -FLOAT_MAX) -> None:
        super().__init__(low, FLOAT_MAX)

    def describe(self, rank: int) -> str:
        least = "" if self.low == -FLOAT_MAX else f" of at least {self.low}"
        return f"a number{least} that fits into a 32-bit float"


TYPE_CHECKING = False
if TYPE_CHECKING:
    from cnnspec.diagnostics.codes import Code

    Float = float
else:
    Float = Float32()

LAYOUTS = ("[channels]", "[channels, length]", "[channels, height, width]", "[channels, depth, height, width]")
"""The usual shapes, by their number of spatial dimensions."""


def wrong_rank(x: Shape, expected: str, kind: "Code", **facts: object) -> Reject:
    """The refusal of an input with another number of dimensions; `kind` is one of E201."""
    return Reject("", kind, expected=expected, found=x, **facts)


def axis_names(rank: int) -> tuple[str, ...]:
    """Names of the axes of a shape with `rank` spatial dimensions, up to 3."""
    return tuple(LAYOUTS[rank][1:-1].split(", "))


def resolve(field: str, dim: int, x: Shape) -> int:
    """The dimension `dim`, counted as torch does with the batch as 0, negative ones from the end."""
    dims = len(x) + 1
    if not -dims <= dim < dims:
        raise Reject(field, WRONG_DIMENSION, dim=dim, shape=x, range=f"{-dims} to {dims - 1}")
    return dim % dims
