"""What torch source does that specs have no word for: a node of the graph that knows its shapes and nothing else."""

from cnnspec.layers import Layer
from cnnspec.layers.base import Parts, Shape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cnnspec.declare import Declared


class Foreign(Layer):
    """An operation or a module of torch under its own name. `reason` says why it is no layer."""

    own = True

    def __init__(self, name: str, reason: str, output: "Shape | Parts", count: int = 0) -> None:
        self._name, self._reason, self._output, self._count = name, reason, output, count

    @classmethod
    def register(cls) -> None:
        """It is no layer of the language: no spec can name it."""

    @property
    def given(self) -> dict[str, object]:
        return {}

    @property
    def name(self) -> str:
        """What torch calls it."""
        return self._name

    @property
    def reason(self) -> str:
        """Why specs can't say it."""
        return self._reason

    def infer(self, x: Shape) -> Shape:
        return self._output

    def parameters(self, x: Shape) -> int:
        return self._count


def is_foreign(layer: "Declared | None") -> bool:
    """Whether a layer of a graph is one that specs can't say."""
    return isinstance(layer, Foreign)
