"""What layers without a window share: how shapes and dimensions are named, resolved and refused."""

from cnnspec.diagnostics.codes import WRONG_DIMENSION, WRONG_RANK
from cnnspec.fields import Number
from cnnspec.layers.base import Reject, Shape

# torch 2.13 converts these arguments to the type of the input and refuses what a 32-bit float can't hold.
FLOAT_MAX = 3.4028234663852886e38

TYPE_CHECKING = False
if TYPE_CHECKING:
    Float = float
else:
    Float = Number(-FLOAT_MAX, FLOAT_MAX)

LAYOUTS = ("[channels]", "[channels, length]", "[channels, height, width]", "[channels, depth, height, width]")
"""The usual shapes, by their number of spatial dimensions."""


def shown(x: Shape) -> str:
    return str(list(x))


def wrong_rank(x: Shape, expected: str, advice: str) -> Reject:
    return Reject("", WRONG_RANK, expected=expected, found=shown(x), advice=advice)


def axis_names(rank: int) -> tuple[str, ...]:
    """Names of the axes of a shape with `rank` spatial dimensions, up to 3."""
    return tuple(LAYOUTS[rank][1:-1].split(", "))


def resolve(field: str, dim: int, x: Shape) -> int:
    """The dimension `dim`, counted as torch does with the batch as 0, negative ones from the end."""
    dims = len(x) + 1
    if not -dims <= dim < dims:
        raise Reject(field, WRONG_DIMENSION, dim=dim, shape=shown(x), range=f"{-dims} to {dims - 1}")
    return dim % dims
