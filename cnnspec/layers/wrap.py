"""Layers around a layer that learn its weight in another form, as torch.nn.utils.parametrizations does."""

from cnnspec.declare import WRONG_TYPE, Choice, Count, Integer, Kind, Real, Reject
from cnnspec.diagnostics import refusals
from cnnspec.diagnostics.codes import WRONG_DIMENSION, WRONG_WIDTH
from cnnspec.layers.base import Call, Layer, Reads, Shape, prod


class LayerKind(Kind):
    """A layer with all that it needs."""

    def accepts(self, value: object, rank: int) -> int:
        return 0 if isinstance(value, Layer) else WRONG_TYPE

    def describe(self, rank: int) -> str:
        return "a layer with its arguments, such as `Conv2d(64, 3)`"

    def samples(self, rank: int) -> tuple[object, ...]:
        # Of several ranks and widths, so that none of them comes out of all.
        names = [("Linear", ()), *((f"Conv{axes}d", (1,)) for axes in (1, 2, 3))]
        found = [(Layer.find(name), rest) for name, rest in names]
        return tuple(layer(out, *rest) for layer, rest in found if layer is not None for out in (1, 2))


TYPE_CHECKING = False
if TYPE_CHECKING:
    from cnnspec.layers._tape import Tape, Value

    Inner = Layer
    Weight = str
else:
    Inner = LayerKind()
    Weight = Choice("weight")


class _Parametrized(Layer):
    """A layer whose weight is worked out of other learnt values. Shapes, widths and traits are those of the layer in it."""

    own = True
    wraps = True

    if TYPE_CHECKING:
        layer: Inner
        dim: int | None

    def validate(self) -> None:
        self.layer.validate()

    def infer(self, x: Shape) -> Shape:
        inner = self.layer
        y = inner.infer(x)
        stated = inner.given.get(inner.inferred) if inner.inferred else None
        if isinstance(stated, int) and stated != x[inner.inferred_axis]:
            found = x[inner.inferred_axis]
            raise Reject("layer", WRONG_WIDTH, declared=stated, counts=inner.counts, found=found)
        shape = inner.weight(x)
        if not shape:
            raise Reject("layer", refusals.NO_WEIGHT, inner=type(inner).__name__)
        if self.dim is not None and not -len(shape) <= self.dim < len(shape):
            facts = {"dim": self.dim, "shape": shape, "range": f"{-len(shape)} to {len(shape) - 1}"}
            raise Reject("dim", WRONG_DIMENSION, **facts)
        return y

    def parameters(self, x: Shape) -> int:
        return self.layer.parameters(x)

    def parameter_sizes(self, x: Shape) -> list[int]:
        own = self.parameters(x) - self.layer.parameters(x)
        return [*([own] if own else []), *self.layer.parameter_sizes(x)]

    def tensors(self, x: Shape) -> dict[str, Shape]:
        plain = {name: shape for name, shape in self.layer.tensors(x).items() if name != "weight"}
        return plain | {f"parametrizations.weight.{name}": shape for name, shape in self._learned(x).items()}

    def _learned(self, x: Shape) -> dict[str, Shape]:
        """What the weight is worked out of."""
        return {}

    def macs(self, x: Shape, y: Shape) -> int:
        return self.layer.macs(x, y)

    def backward_macs(self, x: Shape, y: Shape, *, wanted: bool) -> int:
        return self.layer.backward_macs(x, y, wanted=wanted)

    def reads(self, x: Shape, y: Shape) -> dict[int, Reads]:
        return self.layer.reads(x, y)

    def run(self, tape: "Tape", x: "Value", y: Shape) -> "Value":
        # The weight is worked out first, and its gradient goes on from there once the layer's own is known.
        extra, weights = self._worked_out(tape, x.shape[1:])
        view = tape.op([x], x.shape, view=True, kind="alias", extra=extra, weights=weights, spare=extra[0], label="own")
        view.order, view.cut = x.order, x.cut
        held = 0 if tape.gradients else tape.allocate(extra[0])
        made = self.layer.run(tape, view, y)
        if held:
            tape.release(held)
        tape.release(view.storage)
        return made

    def _worked_out(self, tape: "Tape", x: Shape) -> "tuple[list[int], list[int]]":
        """Bytes of the weight and of what is kept besides to go back from it, and those of further learnt values."""
        raise NotImplementedError

    def operations(self, x: Shape, y: Shape) -> int:
        return self.layer.operations(x, y)

    def call(self, x: Shape) -> Call:
        names = [
            name for name, field in self.fields.items() if name != "layer" and getattr(self, name) != field.default
        ]
        return Call(self.target(), (self.layer.call(x),), {name: getattr(self, name) for name in names})

    @classmethod
    def target(cls) -> str:
        return f"nn.utils.parametrizations.{cls.__name__}"


class weight_norm(_Parametrized):
    """Learns the weight of a layer as a direction and a length, one a place of `dim`, or one in all where it is `none`.

    Salimans and Kingma 2016, https://arxiv.org/abs/1602.07868.
    """

    layer: Inner
    name: Weight = "weight"
    dim: Integer | None = 0

    def parameters(self, x: Shape) -> int:
        shape = self.layer.weight(x)
        # torch 2.13 takes -1 for none.
        return super().parameters(x) + (1 if self.dim in (None, -1) else shape[self.dim])

    def _worked_out(self, tape: "Tape", x: Shape) -> "tuple[list[int], list[int]]":
        norms = (self.parameters(x) - self.layer.parameters(x)) * tape.size
        shape = self.layer.weight(x)
        weight = tape.bytes_of(shape)
        # Along the first and the last dimension there is one operation for it, otherwise several.
        if self.dim in (None, -1):
            return [weight, 2 * norms], [norms]
        return [weight, norms if self.dim % len(shape) in (0, len(shape) - 1) else weight + 2 * norms], [norms]

    def _learned(self, x: Shape) -> dict[str, Shape]:
        shape = self.layer.weight(x)
        if self.dim in (None, -1):
            return {"original0": (), "original1": shape}
        kept = range(len(shape))[self.dim]
        return {"original0": tuple(size if axis == kept else 1 for axis, size in enumerate(shape)), "original1": shape}


class spectral_norm(_Parametrized):
    """Divides the weight of a layer by its largest singular value, found by power iterations.

    Miyato et al. 2018, https://arxiv.org/abs/1802.05957.
    """

    layer: Inner
    name: Weight = "weight"
    n_power_iterations: Count = 1
    eps: Real = 1e-12
    dim: Integer | None = None

    def buffers(self, x: Shape) -> tuple[int, int]:
        # The estimates of both singular vectors of the weight as a matrix, a row for each place of `dim`.
        shape = self.layer.weight(x)
        rows = shape[self.layer.output_axis if self.dim is None else self.dim]
        return rows + prod(shape) // rows, 0

    def _worked_out(self, tape: "Tape", x: Shape) -> "tuple[list[int], list[int]]":
        return [tape.bytes_of(self.layer.weight(x)), self.buffers(x)[0] * tape.size, tape.size], []

    def _learned(self, x: Shape) -> dict[str, Shape]:
        shape = self.layer.weight(x)
        rows = shape[self.layer.output_axis if self.dim is None else self.dim]
        return {"original": shape, "0._u": (rows,), "0._v": (prod(shape) // rows,)}
