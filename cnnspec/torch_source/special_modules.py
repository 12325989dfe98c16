"""Modules of torch.nn that are called in ways that no layer of a spec is: with several inputs or results, or to wrap others.

Each is one class with torch's arguments in order (`name=` where torch has a default), its parameters and its shape rule.
"""

from __future__ import annotations

from cnnspec.diagnostics import codes, refusals
from cnnspec.torch_source.operations import Op, broadcast
from cnnspec.torch_source.stops import Raised, Refusal, Stop
from cnnspec.torch_source.values import Instance, Shape, Tensor, Unknown, show_shape, show_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cnnspec.torch_source.machine import Machine
    from cnnspec.torch_source.script import Place

SPECIAL: dict[str, type[SpecialModule]] = {}


class SpecialModule:
    """Base of these modules. `values` are the arguments that were given."""

    order = ""
    names = ""
    """The classes of torch.nn that a subclass stands for beside the one of its own name."""

    def __init__(self, m: Machine, place: Place, values: dict[str, object]) -> None:
        self.place, self.values = place, values
        self.count = 0
        self.name = type(self).__name__
        self.check(m)
        self.count = self.parameters()

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        for name in cls.names.split():
            SPECIAL[name] = cls
        if not cls.__name__.startswith("_"):
            SPECIAL[cls.__name__] = cls

    def check(self, m: Machine) -> None:
        """Refuse what torch refuses when the module is made."""

    def parameters(self) -> int:
        return 0

    def attribute(self, name: str) -> object:
        return None

    def run(self, m: Machine, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
        """What the module gives for these inputs."""
        raise Stop(f"`nn.{self.name}`", place)

    # --- helpers ---

    def number(self, name: str, default: int = 0) -> int:
        value = self.values.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int):
            if value is None:
                return default
            raise Raised("TypeError", f"nn.{self.name}: {name} has to be a whole number", self.place)
        return value

    def first(self, place: Place, arguments: list[object], keywords: dict[str, object]) -> Tensor:
        values = [*arguments, *keywords.values()]
        value = values[0] if values else None
        if isinstance(value, Tensor):
            return value
        if isinstance(value, tuple):
            facts: dict[str, object] = {"operation": f"nn.{self.name}", "label": "gets a tuple"}
            raise Refusal(codes.TENSOR_OPERATION, facts | {"problem": f"takes a tensor, not a tuple of {len(value)}"})
        raise Stop(f"`nn.{self.name}` of a value that is no tensor", place)

    def expect_width(self, x: Tensor, axis: int, field: str, counts: str, value: object) -> None:
        """Refuse an input whose width is not the declared one; `value` is what to go on with."""
        declared = self.number(field)
        if x.shape[axis] != declared:
            facts: dict[str, object] = {"layer": self.name, "declared": declared, "counts": counts}
            raise Refusal(codes.WRONG_WIDTH, facts | {"found": show_size(x.shape[axis])}, value, field=field)


class _Recurrent(SpecialModule):
    order = "input_size hidden_size num_layers= bias= batch_first= dropout= bidirectional= proj_size="
    gates = 1

    def parameters(self) -> int:
        hidden, directions = self.number("hidden_size"), 2 if self.values.get("bidirectional") else 1
        projection = self.number("proj_size")
        bias = 2 * self.gates * hidden if self.values.get("bias", True) else 0
        out = projection or hidden
        total, width = 0, self.number("input_size")
        for _ in range(min(self.number("num_layers", 1), 10_000)):
            total += directions * (self.gates * hidden * (width + out) + bias + projection * hidden)
            width = out * directions
        return total

    def run(self, m: Machine, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
        x = self.first(place, arguments, keywords)
        if len(x.shape) not in (2, 3):
            facts: dict[str, object] = {"layer": self.name, "expected": "[batch, length, features]"}
            raise Refusal(refusals.TIME_MISSING, facts | {"found": show_shape(x.shape)})
        directions = 2 if self.values.get("bidirectional") else 1
        hidden = self.number("hidden_size")
        out = self.number("proj_size") or hidden
        layers = self.number("num_layers", 1) * directions
        batch = 1 if len(x.shape) == 2 else x.shape[0 if self.values.get("batch_first") else 1]
        states: Shape = (layers, out) if len(x.shape) == 2 else (layers, batch, out)
        state = Tensor(states, made=place)
        cell = Tensor((*states[:-1], hidden), made=place)
        result = (Tensor((*x.shape[:-1], directions * out), made=place), (state, cell) if self.gates == 4 else state)
        self.expect_width(x, -1, "input_size", "input features", result)
        self._expect_state(place, [*arguments[1:], keywords.get("hx")], states, result)
        return result

    def _expect_state(self, place: Place, given: list[object], states: Shape, result: object) -> None:
        hidden = given[0] if given else None
        first = hidden[0] if isinstance(hidden, tuple) and hidden else hidden
        if self.gates == 4 and isinstance(hidden, Tensor):
            return
        if isinstance(first, Tensor) and first.shape != states:
            facts: dict[str, object] = {"operation": f"nn.{self.name}", "label": f"gets {show_shape(first.shape)}"}
            raise Refusal(
                codes.TENSOR_OPERATION, facts | {"problem": f"takes a hidden state {show_shape(states)}"}, result
            )


class LSTM(_Recurrent):
    gates = 4


class GRU(_Recurrent):
    gates = 3


class RNN(_Recurrent):
    order = "input_size hidden_size num_layers= nonlinearity= bias= batch_first= dropout= bidirectional="
    gates = 1


class _Cell(SpecialModule):
    order = "input_size hidden_size bias= nonlinearity="
    gates = 1

    def parameters(self) -> int:
        hidden = self.number("hidden_size")
        bias = 2 * self.gates * hidden if self.values.get("bias", True) else 0
        return self.gates * hidden * (self.number("input_size") + hidden) + bias

    def run(self, m: Machine, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
        x = self.first(place, arguments, keywords)
        state = Tensor((*x.shape[:-1], self.number("hidden_size")), made=place)
        result = (state, Tensor(state.shape, made=place)) if self.gates == 4 else state
        self.expect_width(x, -1, "input_size", "input features", result)
        return result


class LSTMCell(_Cell):
    gates = 4


class GRUCell(_Cell):
    gates = 3


class RNNCell(_Cell):
    gates = 1


class Embedding(SpecialModule):
    order = (
        "num_embeddings embedding_dim padding_idx= max_norm= norm_type= scale_grad_by_freq= sparse= _weight= _freeze="
    )

    def parameters(self) -> int:
        return self.number("num_embeddings") * self.number("embedding_dim")

    def attribute(self, name: str) -> object:
        if name == "weight":
            return Tensor((self.number("num_embeddings"), self.number("embedding_dim")))
        return None

    def run(self, m: Machine, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
        x = self.first(place, arguments, keywords)
        return Tensor((*x.shape, self.number("embedding_dim")), made=place)


class Bilinear(SpecialModule):
    order = "in1_features in2_features out_features bias="

    def parameters(self) -> int:
        out = self.number("out_features")
        bias = out if self.values.get("bias", True) else 0
        return out * self.number("in1_features") * self.number("in2_features") + bias

    def run(self, m: Machine, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
        x = self.first(place, arguments, keywords)
        return Tensor((*x.shape[:-1], self.number("out_features")), made=place)


def _attention_parameters(width: int, *, bias: bool) -> int:
    return 4 * width * width + (4 * width if bias else 0)


class MultiheadAttention(SpecialModule):
    order = "embed_dim num_heads dropout= bias= add_bias_kv= add_zero_attn= kdim= vdim= batch_first="

    def check(self, m: Machine) -> None:
        width, heads = self.number("embed_dim"), self.number("num_heads")
        if heads < 1 or width % heads:
            m.sink.report(
                codes.NOT_DIVISIBLE, self.place.span, layer=self.name, what="embed_dim", value=width,
                divisor_name="num_heads", divisor=heads,
            )  # fmt: skip

    def parameters(self) -> int:
        width = self.number("embed_dim")
        keys, values = self.number("kdim", width), self.number("vdim", width)
        bias = bool(self.values.get("bias", True))
        extra = 2 * width if self.values.get("add_bias_kv") else 0
        return 2 * width * width + width * (keys + values) + (4 * width if bias else 0) + extra

    def run(self, m: Machine, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
        x = self.first(place, arguments, keywords)
        values = [*arguments, *keywords.values()]
        key = values[1] if len(values) > 1 and isinstance(values[1], Tensor) else x
        self.expect_width(x, -1, "embed_dim", "features", (x, Unknown("attention", reported=True)))
        first = bool(self.values.get("batch_first"))
        if len(x.shape) != 3 or len(key.shape) != 3:
            weights: object = Tensor((x.shape[0], key.shape[0]), made=place)
        else:
            axis = 1 if first else 0
            weights = Tensor((x.shape[1 - axis], x.shape[axis], key.shape[axis]), made=place)
        need = keywords.get("need_weights", True)
        return (Tensor(x.shape, made=x.made), weights if need else None)


class TransformerEncoderLayer(SpecialModule):
    order = "d_model nhead dim_feedforward= dropout= activation= layer_norm_eps= batch_first= norm_first= bias="
    attentions = 1

    def check(self, m: Machine) -> None:
        width, heads = self.number("d_model"), self.number("nhead")
        if heads < 1 or width % heads:
            m.sink.report(
                codes.NOT_DIVISIBLE, self.place.span, layer=self.name, what="d_model", value=width,
                divisor_name="nhead", divisor=heads,
            )  # fmt: skip

    def parameters(self) -> int:
        width, inner = self.number("d_model"), self.number("dim_feedforward", 2048)
        bias = bool(self.values.get("bias", True))
        feedforward = 2 * width * inner + (width + inner if bias else 0)
        norms = (self.attentions + 1) * (2 if bias else 1) * width
        return self.attentions * _attention_parameters(width, bias=bias) + feedforward + norms

    def run(self, m: Machine, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
        x = self.first(place, arguments, keywords)
        self.expect_width(x, -1, "d_model", "features", x)
        return Tensor(x.shape, made=x.made)


class TransformerDecoderLayer(TransformerEncoderLayer):
    attentions = 2


class TransformerEncoder(SpecialModule):
    order = "encoder_layer num_layers norm= enable_nested_tensor= mask_check="
    part = "encoder_layer"

    def _layer(self) -> SpecialModule | None:
        part = self.values.get(self.part)
        return part.layer if isinstance(part, Instance) and isinstance(part.layer, SpecialModule) else None

    def parameters(self) -> int:
        layer, norm = self._layer(), self.values.get("norm")
        own = norm.layer.count if isinstance(norm, Instance) and hasattr(norm.layer, "count") else 0
        if layer is None:
            raise Stop(f"`nn.{self.name}` of layers of the file", self.place)
        return self.number("num_layers") * layer.count + own

    def run(self, m: Machine, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
        layer = self._layer()
        if layer is None:
            raise Stop(f"`nn.{self.name}`", place)
        return layer.run(m, place, arguments, keywords)


class TransformerDecoder(TransformerEncoder):
    order = "decoder_layer num_layers norm="
    part = "decoder_layer"


class _Unpool(SpecialModule):
    order = "kernel_size stride= padding="
    names = "MaxUnpool1d MaxUnpool2d MaxUnpool3d"

    def run(self, m: Machine, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
        x = self.first(place, arguments, keywords)
        wanted = keywords.get("output_size", arguments[2] if len(arguments) > 2 else None)
        rank = len(x.shape) - 2
        if isinstance(wanted, tuple) and all(isinstance(size, int) for size in wanted):
            return Tensor((*x.shape[:2], *wanted[-rank:]), made=place)
        kernel, stride, padding = (
            self._each(value, rank, place)
            for value in (self.values["kernel_size"], self.values.get("stride"), self.values.get("padding", 0))
        )
        stride = kernel if self.values.get("stride") is None else stride
        sizes = [
            (size - 1) * step - 2 * pad + window
            for size, window, step, pad in zip(x.shape[2:], kernel, stride, padding)
        ]
        return Tensor((*x.shape[:2], *sizes), made=place)

    def _each(self, value: object, rank: int, place: Place) -> tuple[int, ...]:
        if isinstance(value, int) or value is None:
            return (value or 0,) * rank
        if isinstance(value, (list, tuple)) and all(isinstance(one, int) for one in value):
            return tuple(value)
        raise Stop(f"an argument of nn.{self.name}", place)


class _Distance(SpecialModule):
    order = "dim= eps="
    names = "CosineSimilarity"

    def run(self, m: Machine, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
        first, second = [*arguments, *keywords.values()][:2]
        if not isinstance(first, Tensor) or not isinstance(second, Tensor):
            raise Stop("the similarity of these values", place)
        shape = broadcast(Op(m, self.name, place), first.shape, second.shape)
        dim = self.number("dim", 1) % len(shape)
        return Tensor((*shape[:dim], *shape[dim + 1 :]), made=place)


class PairwiseDistance(SpecialModule):
    order = "p= eps= keepdim="

    def run(self, m: Machine, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
        first, second = [*arguments, *keywords.values()][:2]
        if not isinstance(first, Tensor) or not isinstance(second, Tensor):
            raise Stop("the distance of these values", place)
        shape = broadcast(Op(m, self.name, place), first.shape, second.shape)
        return Tensor((*shape[:-1], 1) if self.values.get("keepdim") else shape[:-1], made=place)


class Loss(SpecialModule):
    """A loss: one number, or where it is not reduced a value that is not known."""

    def run(self, m: Machine, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
        return Tensor((), made=place)


class DropPath(SpecialModule):
    """Drops whole samples at random, as timm has it: the shape stays."""

    order = "drop_prob= scale_by_keep="

    def run(self, m: Machine, place: Place, arguments: list[object], keywords: dict[str, object]) -> object:
        x = self.first(place, arguments, keywords)
        return Tensor(x.shape, x.kind, made=x.made)


class StochasticDepth(DropPath):
    """The same, as torchvision has it."""

    order = "p mode"


class DataParallel(SpecialModule):
    order = "module"
