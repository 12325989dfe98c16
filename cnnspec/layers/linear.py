"""Fully connected layers, and the layer that does nothing."""

from cnnspec.declare import Count
from cnnspec.layers.base import Layer, Reads, Shape, all_of, count

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cnnspec.layers._tape import Tape, Value


class Linear(Layer):
    """Multiplies the last dimension by a matrix and adds a bias: y = x A^T + b."""

    role = "dense"

    inferred = "in_features"
    inferred_axis = -1
    counts = "input features"
    linear = True

    out_features: Count
    bias: bool = True

    def infer(self, x: Shape) -> Shape:
        return (*x[:-1], self.out_features)

    def weight(self, x: Shape) -> Shape:
        return (self.out_features, x[-1])

    def parameters(self, x: Shape) -> int:
        return self.out_features * (x[-1] + self.bias)

    def macs(self, x: Shape, y: Shape) -> int:
        return count(x) * self.out_features

    def run(self, tape: "Tape", x: "Value", y: Shape) -> "Value":
        return tape.matrix(x, y, count(self.weight(x.shape[1:])), self.out_features * self.bias)

    def arithmetic(self, x: Shape, y: Shape) -> list[tuple[str, str]]:
        weights = f"({x[-1]} + 1)*{y[-1]}" if self.bias else f"{x[-1]}*{y[-1]}"
        rows = "".join(f" * {size}" for size in x[:-1])
        return [
            ("parameters", f"{weights} = {self.parameters(x):,}"),
            ("MACs", f"{x[-1]}*{y[-1]}{rows} = {self.macs(x, y):,}"),
        ]

    def reads(self, x: Shape, y: Shape) -> dict[int, Reads]:
        return {len(x) - 1: all_of(x[-1])}

    def operations(self, x: Shape, y: Shape) -> int:
        return count(y) * self.bias


class Identity(Layer):
    """Passes its input on."""

    view = True

    def run(self, tape: "Tape", x: "Value", y: Shape) -> "Value":
        tape.own(x.storage)
        return x
