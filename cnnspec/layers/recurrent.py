"""Recurrent layers on sequences [time, features]: torch's, with the batch in front."""

from cnnspec.declare import Choice, Count, Reject, Unit, Whole
from cnnspec.diagnostics import refusals
from cnnspec.layers._axes import wrong_rank
from cnnspec.layers.base import Layer, Parts, Reads, Shape, all_of, count

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cnnspec.layers._tape import Tape, Value

    Nonlinearity = str
else:
    Nonlinearity = Choice("tanh", "relu")

SEQUENCE = "[time, features]"
LAYERS = 1000
"""Layers beyond which the sizes of single parameters are not listed."""


def expect_sequence(x: Shape) -> None:
    """Reject what is no sequence. torch 2.13 takes one sample without a batch, too; here the batch is always there."""
    if len(x) != 2:
        raise wrong_rank(x, SEQUENCE, refusals.FEATURES_LAST if len(x) > 2 else refusals.NO_TIME)


class _Recurrent(Layer):
    """Gives its outputs, [time, features], and with `state` a tuple of them and of the state behind the last step."""

    role = "attention"

    own = True
    as_in_torch = True
    inferred = "input_size"
    inferred_axis = -1
    counts = "input features"
    saves_output = "always"
    per_value = 1
    gates = 1
    """Sums that are worked out for each hidden value."""

    if TYPE_CHECKING:
        hidden_size: int
        num_layers: int
        bias: bool
        bidirectional: bool
        proj_size: int
        state: bool
    else:
        proj_size = 0

    @property
    def directions(self) -> int:
        return 1 + self.bidirectional

    @property
    def out_features(self) -> int:
        """Features of each direction."""
        return self.proj_size or self.hidden_size

    def infer(self, x: Shape) -> Shape:
        expect_sequence(x)
        y = (x[0], self.directions * self.out_features)
        return Parts((y, self._state())) if self.state else y

    def _state(self) -> Shape:
        return (self.directions * self.num_layers, self.out_features)

    def parameters(self, x: Shape) -> int:
        biases = 2 * self.gates * self.hidden_size * self.bias
        return self._weights(x) + biases * self.num_layers * self.directions

    def parameter_sizes(self, x: Shape) -> list[int]:
        rows, out = self.gates * self.hidden_size, self.out_features
        found = []
        for layer in range(min(self.num_layers, LAYERS)):
            width = x[-1] if layer == 0 else self.directions * out
            own = [rows * width, rows * out, *[rows] * (2 * self.bias), self.proj_size * self.hidden_size]
            found += [size for size in own if size] * self.directions
        return found

    def tensors(self, x: Shape) -> dict[str, Shape]:
        rows = self.gates * self.hidden_size
        found: dict[str, Shape] = {}
        for layer in range(min(self.num_layers, LAYERS)):
            width = x[-1] if layer == 0 else self.directions * self.out_features
            for ending in ("", "_reverse")[: self.directions]:
                found[f"weight_ih_l{layer}{ending}"] = (rows, width)
                found[f"weight_hh_l{layer}{ending}"] = (rows, self.out_features)
                if self.bias:
                    found |= {f"bias_{side}_l{layer}{ending}": (rows,) for side in ("ih", "hh")}
                if self.proj_size:
                    found[f"weight_hr_l{layer}{ending}"] = (self.proj_size, self.hidden_size)
        return found

    def _weights(self, x: Shape) -> int:
        """Values of its matrices, each of which is applied once a step."""
        each, rows = 0, self.gates * self.hidden_size
        for layer in range(min(self.num_layers, 2)):
            width = x[-1] if layer == 0 else self.directions * self.out_features
            values = rows * (width + self.out_features) + self.proj_size * self.hidden_size
            each += values * (1 if layer == 0 else self.num_layers - 1)
        return each * self.directions

    def macs(self, x: Shape, y: Shape) -> int:
        return x[0] * self._weights(x)

    def backward_macs(self, x: Shape, y: Shape, *, wanted: bool) -> int:
        # The state in front of the first step is no one's result, and so are features in front of the first weights.
        rows = self.gates * self.hidden_size * self.directions
        states = rows * self.out_features * self.num_layers
        return 2 * self.macs(x, y) - states - (0 if wanted else count(x) * rows)

    def run(self, tape: "Tape", x: "Value", y: Shape) -> "Value":
        from cnnspec.layers._attend import recur

        first = y[0] if isinstance(y[0], tuple) else y
        made = recur(
            tape, x, first, [size * tape.size for size in self.parameter_sizes(x.shape[1:])], layers=self.num_layers,
            directions=self.directions, hidden=self.hidden_size, gates=self.gates,
        )  # fmt: skip
        return self._with_states(tape, made, y) if first is not y else made

    def _with_states(self, tape: "Tape", made: "Value", shapes: Shape) -> "Value":
        def state(shape: object) -> object:
            if isinstance(shape, tuple) and isinstance(shape[0], tuple):
                return tuple(map(state, shape))
            return tape.op([made], shape)  # type: ignore[arg-type]

        return (made, *map(state, shapes[1:]))  # type: ignore[return-value]

    def reads(self, x: Shape, y: Shape) -> dict[int, Reads]:
        return dict(enumerate(map(all_of, x)))

    def operations(self, x: Shape, y: Shape) -> int:
        # The two biases, the sum of the two products, and what the gates do with the sums.
        gate = (2 * self.bias + 1 + self.per_value) * self.gates * self.hidden_size
        return x[0] * gate * self.num_layers * self.directions


class LSTM(_Recurrent):
    """Reads a sequence step by step, with a memory that gates write to and read from.

    With state=true it gives the tuple (outputs, (h, c)). Hochreiter and Schmidhuber 1997,
    https://doi.org/10.1162/neco.1997.9.8.1735.
    """

    gates = 4

    hidden_size: Count
    num_layers: Count = 1
    bias: bool = True
    dropout: Unit = 0.0
    bidirectional: bool = False
    proj_size: Whole = 0
    state: bool = False

    def validate(self) -> None:
        if self.proj_size >= self.hidden_size:
            facts = {"proj_size": self.proj_size, "hidden_size": self.hidden_size, "most": self.hidden_size - 1}
            raise Reject("proj_size", refusals.PROJECTION, **facts)

    def _state(self) -> Shape:
        h = super()._state()
        return Parts((h, (h[0], self.hidden_size)))


class GRU(_Recurrent):
    """Reads a sequence step by step, with a state that gates renew.

    With state=true it gives the tuple (outputs, h). Cho et al. 2014, https://arxiv.org/abs/1406.1078.
    """

    gates = 3

    hidden_size: Count
    num_layers: Count = 1
    bias: bool = True
    dropout: Unit = 0.0
    bidirectional: bool = False
    state: bool = False


class RNN(_Recurrent):
    """Reads a sequence step by step; its state is a function of the input and the state before.

    With state=true it gives the tuple (outputs, h). Elman 1990, https://doi.org/10.1207/s15516709cog1402_1.
    """

    hidden_size: Count
    num_layers: Count = 1
    nonlinearity: Nonlinearity = "tanh"
    bias: bool = True
    dropout: Unit = 0.0
    bidirectional: bool = False
    state: bool = False
