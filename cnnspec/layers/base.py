"""What a layer is: a class with declared fields, a shape rule, a parameter count and the torch call it stands for.

Shapes are tuples of ints without the batch dimension, which is always there and may be of any size. A subclass of `Layer`
registers itself under its class name: `Layer.find`, `Layer.names`. No layer imports torch: `call` returns data.
"""

from cnnspec.declare import Named, Number, Signature
from cnnspec.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cnnspec.layers._tape import Tape, Value

Shape = tuple[int, ...]


class Parts(tuple):  # type: ignore[type-arg]
    """The shapes of a tuple of values, each a shape or again Parts."""


def count(shape: Shape | Parts) -> int:
    """How many values a shape holds, without the batch; of a tuple, all of them."""
    return sum(map(count, shape)) if isinstance(shape, Parts) else prod(shape)


def prod(sizes: "Iterable[int]") -> int:
    """The product of sizes. `math` has it as well, but loads a library for it."""
    total = 1
    for size in sizes:
        total *= size
    return total


inf = float("inf")


@record
class Reads:
    """Which places of its input a place of the output reads along a dimension: place `o` those from
    `(o * step + first) // per` to `(o * step + last) // per`, none where the second is smaller."""

    step: int
    first: int
    last: int
    per: int = 1

    def places(self, place: int) -> tuple[int, int]:
        at = place * self.step
        return (at + self.first) // self.per, (at + self.last) // self.per


def all_of(size: int) -> Reads:
    """Every place reads all there are."""
    return Reads(0, 0, size - 1)


@record
class Call:
    """The torch module a layer stands for: `target` names it ("nn.Conv2d"), the arguments are those it is built with."""

    target: str
    args: tuple[object, ...]
    kwargs: "Mapping[str, object]"


class Layer(Named, family=True):
    """Base of all layers.

    A subclass declares its fields and overrides `infer`, and `parameters` and `call` where they differ from the defaults.
    `rank` is the number of spatial dimensions, 0 where the layer takes any shape.
    """

    inferred = ""
    """The parameter of the torch module that the input determines, such as "in_channels"; "" for none."""
    inferred_axis = 0
    """The axis of the input that determines it."""
    arrow = True
    """Whether `in -> out` may state it; never where it is a field."""
    by_name = ()  # type: tuple[str, ...]
    """Fields, the last ones, that torch takes by name alone."""
    counts = "channels"
    """What `inferred` counts, as a message says it."""
    module = None  # type: type | None
    """The torch module of a user's own layer; ours are found by name in torch.nn or cnnspec.nn."""
    reshapes = False
    """True where the layer only lays out the same values anew, so that a size it gives is explained by its input."""
    takes = 1
    """How many values the layer takes: above 1 a tuple of them, whose shape is Parts."""
    integers = False
    """True where the layer reads integers."""
    follows = {}  # type: Mapping[str, int | None]
    """The arguments that torch takes as the network runs, so that they may depend on the size of the input, each with the
    least that they may be."""
    wraps = False
    """True where an argument is a layer itself."""
    own = False
    """True for a module of cnnspec.nn rather than torch.nn."""
    as_in_torch = False
    """True for one of cnnspec.nn that has the name and the arguments of one in torch.nn."""
    output_axis = 0
    """The axis of `weight` that belongs to the output."""
    linear = False
    """True for a linear map of learnt weights: two of them in a row are one."""
    slides = False
    """True where windows of `kernel_size` slide over each channel, `stride` apart."""
    view = False
    """True where it passes on the memory of its input, in whatever layout."""
    moves_axes = False
    """True where it changes the order of the dimensions."""
    random = False
    """True where it drops values in training and passes on the memory of its input in evaluation."""
    normalizes = ""
    """What a mean and a variance are taken over: "batch", "instance", "group" or "sample"; "" for no normalisation."""
    per_value = 0
    """Additions, multiplications, comparisons and functions such as exp for each value that it gives, in evaluation."""
    saves_output = ""
    """Whether torch keeps the result for the backward pass: "always", "in place" where it works so; "" for never."""
    keeps = "input"
    """What torch keeps for the backward pass where it is not the result: "input", or "" for nothing."""
    spare = 0
    """Values as large as the gradient that the backward pass allocates and frees again."""
    paired = False
    """True where its parameters are a factor and a summand of one size; without `bias` the factor alone."""
    role = ""
    """What pictures and tables take it for: "conv", "up" (makes maps larger), "pool", "dense", "attention" (recurrent layers
    too), "norm", "activation", "dropout"; "" for one that computes or lays out."""
    slope = ""
    """The argument that may not be negative where it works in place, since the backward pass looks at the sign."""

    @classmethod
    def _signature(cls) -> Signature:
        inferred = "" if cls.inferred in cls.fields else cls.inferred
        extra = {inferred: Number(1, whole=True)} if inferred else {}
        # Where PyTorch's first argument is missing, only what has no default goes by position.
        named = [
            name for name, field in cls.fields.items() if (not field.required if inferred else name in cls.by_name)
        ]
        if cls.own and not cls.as_in_torch:
            return Signature(cls.fields, extra, cls.rank)
        return Signature(cls.fields, extra, cls.rank, len(named), inferred, bool(inferred) and cls.arrow)

    @classmethod
    def register(cls) -> None:
        known = cls.members.get(cls.__name__)
        if known is not None and issubclass(known, Layer) and known.module is not None:
            del cls.members[cls.__name__]
        if cls.module is None and not cls.__module__.startswith("cnnspec.layers."):
            raise TypeError(f"{cls.__name__} needs `module`: the torch module it stands for")
        super().register()

    @property
    def uses_width(self) -> bool:
        """Whether the width that the input determines makes a difference: where not, torch takes any."""
        return True

    @property
    def stated(self) -> int | None:
        """The width that the arguments state for what arrives, None where they don't or it makes no difference."""
        found = self.given.get(self.inferred) if self.inferred and self.uses_width else None
        return found if isinstance(found, int) else None

    def validate(self) -> None:
        """Raise Reject where the arguments alone are wrong together, whatever the input."""

    def infer(self, x: Shape) -> Shape:
        """Shape of the output for an input of shape `x`; raises Reject where torch would refuse it."""
        return x

    def weight(self, x: Shape) -> Shape:
        """Shape of the learnt matrix or filters called `weight`, for an input of shape `x`; empty for none."""
        return ()

    def parameters(self, x: Shape) -> int:
        """Number of learnable values for an input of shape `x`."""
        return 0

    def parameter_sizes(self, x: Shape) -> list[int]:
        """How many values each of its parameters holds, in their order."""
        weight, total = self.weight(x), self.parameters(x)
        first = count(weight) if weight else total // 2 if self.paired and getattr(self, "bias", False) else 0
        return [size for size in (first, total - first) if size]

    def tensors(self, x: Shape) -> dict[str, Shape]:
        """Shapes of its tensors in the state dict by their names, in torch's order, for an input of shape `x`."""
        weight = self.weight(x)
        if not weight:
            return {}
        bias = self.parameters(x) - prod(weight)
        return {"weight": weight, "bias": (bias,)} if bias else {"weight": weight}

    def buffers(self, x: Shape) -> tuple[int, int]:
        """Values that it keeps without learning them, for an input of shape `x`: floats, and whole numbers."""
        return 0, 0

    def macs(self, x: Shape, y: Shape) -> int:
        """Multiply-accumulates of one sample's way from shape `x` to `y`: those of convolutions and matrix products."""
        return 0

    def backward_macs(self, x: Shape, y: Shape, *, wanted: bool) -> int:
        """Those of the way back: as many for the gradient of the weights, and for that of the input, where it is `wanted`."""
        return self.macs(x, y) * (1 + wanted)

    def operations(self, x: Shape, y: Shape) -> int:
        """All other arithmetic of that way in evaluation: `per_value` for each value that it gives."""
        return self.per_value * count(y) if self.per_value else 0

    def arithmetic(self, x: Shape, y: Shape) -> list[tuple[str, str]]:
        """How its numbers come about: what, and the sum that gives it, such as ("height", "28 / 2 = 14")."""
        return []

    def run(self, tape: "Tape", x: "Value", y: Shape) -> "Value":
        """What torch does for a value, as operations of a tape; `y` is the shape of the result with the batch. By default
        one operation on single values, or one that gives another shape."""
        inplace = bool(getattr(self, "inplace", False))
        keeps = "output" if self.saves_output == "always" or (self.saves_output and inplace) else self.keeps
        if y == x.shape:
            return tape.pointwise(x, keeps=keeps, inplace=inplace, spare=self.spare * tape.bytes_of(y))
        return tape.op([x], y, keeps=[x] if keeps == "input" else (), keeps_result=keeps == "output")

    def reads(self, x: Shape, y: Shape) -> dict[int, Reads]:
        """What a place of the output reads along the dimensions of the input, 0 the channels; without those along which
        it reads the same place alone. Norms count as functions of single values."""
        return {}

    def moved(self, x: Shape) -> dict[int, int] | None:
        """The dimensions of the output by those of the input whose places they go on with; None where all stay."""
        return None

    def bounds(self, low: float, high: float) -> tuple[float, float]:
        """The smallest and the largest value that it can give in training, for an input from `low` to `high`."""
        return (low, high) if self.view else (-inf, inf)

    def call(self, x: Shape) -> Call:
        """The torch module for an input of shape `x`: the inferred value and required fields by position, the rest by name."""
        args: list[object] = []
        kwargs: dict[str, object] = {}
        if self.inferred and self.inferred not in self.fields:
            args.append(x[self.inferred_axis])
        for field in self.fields.values():
            value = getattr(self, field.name)
            if field.name == self.inferred:
                args.append(x[self.inferred_axis] if self.uses_width or value is None else value)
            elif field.required:
                args.append(value)
            elif value != field.default or value.__class__ is not field.default.__class__:
                kwargs[field.name] = value
        return Call(self.target(), tuple(args), kwargs)

    @classmethod
    def target(cls) -> str:
        """The name of the torch module as source code spells it."""
        if cls.module is not None:
            return f"{cls.module.__module__}.{cls.module.__qualname__}"
        return f"cnnspec.nn.{cls.__name__}" if cls.own else f"nn.{cls.__name__}"
