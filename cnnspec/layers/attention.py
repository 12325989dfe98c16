"""Attention over sequences [time, features], with the batch in front."""

from cnnspec.declare import Choice, Count, Real, Reject, Unit
from cnnspec.diagnostics import refusals
from cnnspec.diagnostics.codes import NOT_DIVISIBLE, TAKES_TUPLE, WRONG_WIDTH
from cnnspec.layers.activation import SOFTMAX
from cnnspec.layers.base import Call, Layer, Parts, Reads, Shape, all_of, count
from cnnspec.layers.norm import LAYER_NORM
from cnnspec.layers.recurrent import expect_sequence

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cnnspec.layers._tape import Tape, Value

    Activation = str
else:
    Activation = Choice("relu", "gelu")


def _expect_heads(field: str, heads: int, what: str, width: int) -> None:
    if width % heads:
        raise Reject(field, NOT_DIVISIBLE, what=what, value=width, divisor_name=field, divisor=heads)


def _weights(width: int, bias: bool, keys: int | None = None, values: int | None = None) -> int:
    """Learnable values of attention: three maps to the width and one behind."""
    given = 2 * width + (keys or width) + (values or width)
    return width * given + 4 * width * bias


def _sizes(width: int, bias: bool) -> list[int]:
    """Values of each parameter of attention: the three maps in one, their bias, the map behind, and its bias."""
    return [3 * width * width, *[3 * width] * bias, width * width, *[width] * bias]


def _others(query: Shape, key: Shape, value: Shape, steps: int, heads: int, bias: bool) -> int:
    """The other operations of attention: biases, the scaled scores and their softmax."""
    biases = 2 * count(query) + query[-1] * (key[0] + value[0])
    return biases * bias + (1 + SOFTMAX) * heads * query[0] * steps


def _work(query: Shape, key: Shape, value: Shape, steps: int) -> int:
    """Multiply-accumulates of attention over `steps` keys: the four maps, the scores and what they weigh."""
    width = query[-1]
    return width * (2 * count(query) + count(key) + count(value)) + 2 * query[0] * steps * width


def _attention_state(
    width: int, bias: bool, keys: int | None = None, values: int | None = None, *, own: bool = False
) -> dict[str, Shape]:
    """The tensors of attention. `own` tells of a key and a value that are learned."""
    keys, values = keys or width, values or width
    found: dict[str, Shape] = {}
    if keys == values == width:
        found["in_proj_weight"] = (3 * width, width)
    else:
        sizes = {"q": width, "k": keys, "v": values}
        found |= {f"{name}_proj_weight": (width, size) for name, size in sizes.items()}
    if bias:
        found["in_proj_bias"] = (3 * width,)
    if own:
        found |= {"bias_k": (1, 1, width), "bias_v": (1, 1, width)}
    found["out_proj.weight"] = (width, width)
    return found | ({"out_proj.bias": (width,)} if bias else {})


class SelfAttention(Layer):
    """Lets each step of a sequence look at all of its steps: MultiheadAttention of one value over itself.

    Vaswani et al. 2017, https://arxiv.org/abs/1706.03762.
    """

    role = "attention"

    own = True
    inferred = "embed_dim"
    inferred_axis = -1
    counts = "features"

    num_heads: Count
    dropout: Unit = 0.0
    bias: bool = True

    def infer(self, x: Shape) -> Shape:
        expect_sequence(x)
        _expect_heads("num_heads", self.num_heads, "the number of features", x[-1])
        return x

    def parameters(self, x: Shape) -> int:
        return _weights(x[-1], self.bias)

    def parameter_sizes(self, x: Shape) -> list[int]:
        return _sizes(x[-1], self.bias)

    def tensors(self, x: Shape) -> dict[str, Shape]:
        return _attention_state(x[-1], self.bias)

    def macs(self, x: Shape, y: Shape) -> int:
        return _work(x, x, x, x[0])

    def backward_macs(self, x: Shape, y: Shape, *, wanted: bool) -> int:
        return 2 * self.macs(x, y) - (0 if wanted else 3 * count(x) * x[-1])

    def reads(self, x: Shape, y: Shape) -> dict[int, Reads]:
        return dict(enumerate(map(all_of, x)))

    def run(self, tape: "Tape", x: "Value", y: Shape) -> "Value":
        from cnnspec.layers._attend import attend

        return attend(tape, (x, x, x), y, self.num_heads, self.dropout, self.bias)

    def operations(self, x: Shape, y: Shape) -> int:
        return _others(x, x, x, x[0], self.num_heads, self.bias)


class MultiheadAttention(Layer):
    """Lets each step of a sequence look at the steps of another. Takes a tuple: query, key and value.

    Widths of key and value other than that of the query are inferred, too. Vaswani et al. 2017,
    https://arxiv.org/abs/1706.03762.
    """

    role = "attention"

    own = True
    as_in_torch = True
    arrow = False
    takes = 3
    inferred = "embed_dim"
    inferred_axis = -1
    counts = "features"

    num_heads: Count
    dropout: Unit = 0.0
    bias: bool = True
    add_bias_kv: bool = False
    add_zero_attn: bool = False
    kdim: Count | None = None
    vdim: Count | None = None

    def infer(self, x: Shape) -> Shape:
        query, key, value = self._each(x)
        for part in (query, key, value):
            expect_sequence(part)
        for field, found in (("embed_dim", query), ("kdim", key), ("vdim", value)):
            stated = self.given.get(field)
            if stated is not None and stated != found[-1]:
                raise Reject(field, WRONG_WIDTH, declared=stated, counts="features", found=found[-1])
        _expect_heads("num_heads", self.num_heads, "the number of features", query[-1])
        if key[0] != value[0]:
            raise Reject("", refusals.OTHER_STEPS, keys=key[0], values=value[0])
        return query

    def _each(self, x: Shape) -> tuple[Shape, Shape, Shape]:
        if not isinstance(x, Parts) or len(x) != self.takes:
            raise Reject("", TAKES_TUPLE, count=self.takes)
        query, key, value = x
        return query, key, value

    def parameters(self, x: Shape) -> int:
        query, key, value = self._each(x)
        return _weights(query[-1], self.bias, key[-1], value[-1]) + 2 * query[-1] * self.add_bias_kv

    def parameter_sizes(self, x: Shape) -> list[int]:
        query, key, value = (part[-1] for part in self._each(x))
        apart = (key, value) != (query, query)
        maps = [query * query, query * key, query * value] if apart else [3 * query * query]
        return [*maps, *_sizes(query, self.bias)[1:], *[query] * (2 * self.add_bias_kv)]

    def tensors(self, x: Shape) -> dict[str, Shape]:
        query, key, value = self._each(x)
        return _attention_state(query[-1], self.bias, key[-1], value[-1], own=self.add_bias_kv)

    def macs(self, x: Shape, y: Shape) -> int:
        query, key, value = self._each(x)
        return _work(query, key, value, self._steps(key))

    def backward_macs(self, x: Shape, y: Shape, *, wanted: bool) -> int:
        query, key, value = self._each(x)
        maps = query[-1] * (count(query) + count(key) + count(value))
        return 2 * self.macs(x, y) - (0 if wanted else maps)

    def run(self, tape: "Tape", x: "tuple[Value, Value, Value]", y: Shape) -> "Value":  # type: ignore[override]
        from cnnspec.layers._attend import attend

        more = {"learnt": self.add_bias_kv, "zeros": self.add_zero_attn}
        return attend(tape, x, y, self.num_heads, self.dropout, self.bias, **more)

    def operations(self, x: Shape, y: Shape) -> int:
        query, key, value = self._each(x)
        return _others(query, key, value, self._steps(key), self.num_heads, self.bias)

    def _steps(self, key: Shape) -> int:
        """Steps that are looked at: those of the key, and those that are added to it."""
        return key[0] + self.add_bias_kv + self.add_zero_attn

    def call(self, x: Shape) -> Call:
        query, key, value = self._each(x)
        names = ("dropout", "bias", "add_bias_kv", "add_zero_attn")
        kwargs = {name: getattr(self, name) for name in names if getattr(self, name) != self.fields[name].default}
        if (key[-1], value[-1]) != (query[-1], query[-1]):
            kwargs |= {"kdim": key[-1], "vdim": value[-1]}
        return Call(self.target(), (query[-1], self.num_heads), kwargs)


class TransformerEncoderLayer(Layer):
    """Is self-attention and two Linear layers, each with a residual and a normalisation.

    Vaswani et al. 2017, https://arxiv.org/abs/1706.03762.
    """

    role = "attention"

    arrow = False
    inferred = "d_model"
    inferred_axis = -1
    counts = "features"

    nhead: Count
    dim_feedforward: Count = 2048
    dropout: Unit = 0.1
    activation: Activation = "relu"
    layer_norm_eps: Real = 1e-5
    norm_first: bool = False
    bias: bool = True

    def infer(self, x: Shape) -> Shape:
        expect_sequence(x)
        _expect_heads("nhead", self.nhead, "the number of features", x[-1])
        return x

    def parameters(self, x: Shape) -> int:
        width, inner = x[-1], self.dim_feedforward
        return _weights(width, self.bias) + 2 * width * inner + self.bias * (inner + 3 * width) + 2 * width

    def parameter_sizes(self, x: Shape) -> list[int]:
        width, inner, bias = x[-1], self.dim_feedforward, self.bias
        maps = [width * inner, *[inner] * bias, width * inner, *[width] * bias]
        return [*_sizes(width, bias), *maps, *[width] * (2 + 2 * bias)]

    def tensors(self, x: Shape) -> dict[str, Shape]:
        width, inner = x[-1], self.dim_feedforward
        found = {f"self_attn.{name}": shape for name, shape in _attention_state(width, self.bias).items()}
        parts: dict[str, Shape] = {
            "linear1": (inner, width),
            "linear2": (width, inner),
            "norm1": (width,),
            "norm2": (width,),
        }
        for name, shape in parts.items():
            found[f"{name}.weight"] = shape
            if self.bias:
                found[f"{name}.bias"] = shape[:1]
        return found

    def macs(self, x: Shape, y: Shape) -> int:
        return _work(x, x, x, x[0]) + 2 * count(x) * self.dim_feedforward

    def backward_macs(self, x: Shape, y: Shape, *, wanted: bool) -> int:
        # With the norm first, what attention gets depends on weights.
        return 2 * self.macs(x, y) - (0 if wanted or self.norm_first else 3 * count(x) * x[-1])

    def reads(self, x: Shape, y: Shape) -> dict[int, Reads]:
        return dict(enumerate(map(all_of, x)))

    def run(self, tape: "Tape", x: "Value", y: Shape) -> "Value":
        from cnnspec.layers import _attend

        def feed(value: "Value") -> "Value":
            keeps = "output" if self.activation == "relu" else "input"
            return _attend.feed_forward(tape, value, self.dim_feedforward, keeps, self.dropout, self.bias)

        def attend(value: "Value") -> "Value":
            seen = _attend.attend_itself(tape, value, self.nhead, self.dropout, self.bias)
            return _attend.dropped(tape, seen, self.dropout)

        tape.own(x.storage)
        for label, part in (("norm1", attend), ("norm2", feed)):
            if self.norm_first:
                given = _attend.normed(tape, x, self.bias, label)
                made = part(given)
                tape.release(given.storage)
                x = _attend.add(tape, x, made)
            else:
                summed = _attend.add(tape, x, part(x))
                x = _attend.normed(tape, summed, self.bias, label)
                tape.release(summed.storage)
        return x

    def operations(self, x: Shape, y: Shape) -> int:
        attention = _others(x, x, x, x[0], self.nhead, self.bias)
        # Two sums and two norms of every value, and the two maps with the activation between them.
        return attention + (2 + 2 * LAYER_NORM) * count(x) + x[0] * self.dim_feedforward + self.bias * count(x)

    def call(self, x: Shape) -> Call:
        found = super().call(x)
        return Call(found.target, found.args, {**found.kwargs, "batch_first": True})
