"""Layers of torch.nn that a file makes: cnnspec's own classes with their arguments in torch's order."""

from __future__ import annotations

from cnnspec.declare import Argument, Bool, Either, Reject, Tuple, bind
from cnnspec.diagnostics import Sink, codes, refusals
from cnnspec.diagnostics.suggestions import listing
from cnnspec.layers import Layer
from cnnspec.torch_source.machine import Machine
from cnnspec.torch_source.operators import SCALARS
from cnnspec.torch_source.origins import argument_node
from cnnspec.torch_source.script import Place
from cnnspec.torch_source.stops import Refusal, Stop
from cnnspec.torch_source.values import External, Shape, Tensor, Unknown, depends_on_batch, show_shape, show_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from cnnspec.declare import Kind
    from cnnspec.source import Span

_IGNORED = frozenset(["device", "dtype"])


class Made:
    """A layer as it was made. `width` is what it declares of its input, `values` are its arguments by torch's names."""

    __slots__ = ("count", "layer", "lazy", "name", "values", "width")

    def __init__(self, name: str, layer: Layer, values: dict[str, object], width: int | None) -> None:
        self.name, self.layer, self.values, self.width = name, layer, values, width
        self.count = 0
        self.lazy = False


def torch_order(declared: type[Layer]) -> list[str]:
    """The arguments as torch.nn lists them: what the input determines comes first."""
    own = list(declared.fields)
    if not declared.inferred:
        return own
    if declared.inferred not in own:
        return [declared.inferred, *own]
    return own


def make(m: Machine, name: str, arguments: list[object], keywords: dict[str, object], place: Place) -> Made | Unknown:
    """The layer that `nn.NAME(...)` makes; what torch refuses of its arguments goes to the sink."""
    plain = name.removeprefix("Lazy").replace("SyncBatchNorm", "BatchNorm2d")
    declared = Layer.find(plain)
    assert declared is not None
    order = torch_order(declared)
    lazy = name.startswith("Lazy")
    if lazy:
        order = [one for one in order if one != declared.inferred]
    given = _given(m, name, order, declared, arguments, keywords, place)
    if isinstance(given, Unknown):
        return given
    written, values = given
    missing = [one for one in _required(declared, order, lazy=lazy) if one not in values]
    known = {*order, *declared.signature.extra}
    if missing and not set(values) - known:
        facts: dict[str, Any] = {
            "layer": name,
            "missing": listing(missing),
            "signature": f"{name}({_signature(declared, order)})",
        }
        m.sink.report(codes.MISSING_ARGUMENT, place.span, **facts)
        return Unknown(f"{name} without {listing(missing)}", place, reported=True)
    if plain == "Linear" and 0 in (values.get("in_features"), values.get("out_features")):
        raise Stop("a Linear without features, which torch makes and warns of", place)
    sink = Sink()
    bound = bind(declared.signature, written, name, place.span, sink)
    for found in sink.diagnostics:
        m.sink.add(found)
    if not bound.complete:
        return Unknown(f"{name} with wrong arguments", place, reported=True)
    return _built(m, name, declared, bound.values, place, lazy=lazy)


def _given(
    m: Machine,
    name: str,
    order: list[str],
    declared: type[Layer],
    arguments: list[object],
    keywords: dict[str, object],
    place: Place,
) -> tuple[list[Argument], dict[str, object]] | Unknown:
    if len(arguments) > len(order):
        node = argument_node(place, len(order), "") or place.node
        takes = f"takes no more than `{name}({_signature(declared, order)})`" if order else "takes no arguments"
        m.sink.report(codes.TOO_MANY_ARGUMENTS, Place(place.script, node).span, layer=name, takes=takes)
        return Unknown(f"{name} with too many arguments", place, reported=True)
    values = dict(zip(order, arguments))
    for keyword in keywords:
        if keyword in values:
            node = argument_node(place, None, keyword) or place.node
            m.sink.report(codes.DUPLICATE_ARGUMENT, Place(place.script, node).span, layer=name, name=keyword)
            return Unknown(f"{name} with an argument twice", place, reported=True)
    values |= {key: value for key, value in keywords.items() if key not in _IGNORED}
    written = []
    for key, value in values.items():
        _expect_constant(m, value, place)
        values[key] = value = _as_torch_reads(declared, key, value)
        position = order.index(key) if key in order else None
        node = argument_node(place, position, key) or place.node
        written.append(Argument(key, value, Place(place.script, node).span))
    return written, values


def _expect_constant(m: Machine, value: object, place: Place) -> None:
    """Stop at an argument that is not known, or is no constant at all: what torch makes of it can't be said."""
    m.known(value, place)
    parts = value if isinstance(value, (list, tuple)) else (value,)
    for part in parts:
        if isinstance(part, External):
            raise Stop(f"`{part.path}`, which is not in the project", place)
        if not isinstance(part, (*SCALARS, list, tuple)):
            raise Stop(f"an argument of {place.text}", place)


def _as_torch_reads(declared: type[Layer], key: str, value: object) -> object:
    """What torch takes a value for: 0 and 1 for false and true, a tuple of one for every axis."""
    field = declared.fields.get(key)
    if field is None:
        return value
    kinds = field.kind.kinds if isinstance(field.kind, Either) else (field.kind,)
    if any(isinstance(kind, Bool) for kind in kinds) and not isinstance(value, (bool, str, tuple, list)):
        return bool(value) if value is not None or field.kind.accepts(None, declared.rank) != 0 else None
    if isinstance(value, (list, tuple)) and len(value) == 1 and declared.rank > 1 and _one_an_axis(kinds):
        return value[0]
    return value


def _one_an_axis(kinds: tuple[Kind, ...]) -> bool:
    return any(isinstance(kind, Tuple) and kind.length == "rank" for kind in kinds)


def _required(declared: type[Layer], order: list[str], *, lazy: bool) -> list[str]:
    """The arguments that torch can't do without."""
    needed = [field.name for field in declared.fields.values() if field.required]
    if (
        declared.inferred
        and not lazy
        and (declared.inferred not in declared.fields or declared.fields[declared.inferred].default is None)
    ):
        needed.append(declared.inferred)
    if "normalized_shape" in declared.fields:
        needed.append("normalized_shape")
    return [name for name in order if name in needed]


def _signature(declared: type[Layer], order: list[str]) -> str:
    parts = []
    for name in order:
        field = declared.fields.get(name)
        needed = field is None or field.required or (field.default is None and name == declared.inferred)
        parts.append(name if needed or field is None else f"{name}={field.default!r}")
    return ", ".join(parts)


def _built(
    m: Machine, name: str, declared: type[Layer], values: dict[str, object], place: Place, *, lazy: bool
) -> Made | Unknown:
    indices = values.pop("return_indices", False) if "return_indices" in values else False
    layer = declared.build(values)
    assert isinstance(layer, Layer)
    width = values.get(declared.inferred) if declared.inferred else None
    made = Made(name, layer, dict(values), width if isinstance(width, int) else None)
    made.values["return_indices"] = indices
    made.lazy = lazy
    try:
        layer.validate()
        made.count = 0 if lazy else parameters(layer, made.width)
    except Reject as reject:
        span = argument_span(place, declared, reject.field)
        facts: dict[str, Any] = {"layer": name} | reject.facts
        m.sink.report(reject.code, span, **facts)
        return Unknown(f"{name} with wrong arguments", place, reported=True)
    return made


def argument_span(place: Place, declared: type[Layer], field: str) -> Span:
    """Where an argument of a layer is written."""
    order = torch_order(declared)
    node = argument_node(place, order.index(field) if field in order else None, field) if field else None
    return Place(place.script, node or place.node).span


def parameters(layer: Layer, width: int | None) -> int:
    """The number of learnable values, which the declared width determines."""
    if layer.inferred and width is not None:
        shape = (1,) * layer.rank
        _expect_whole_groups(layer, width)
        return layer.parameters((width, *shape) if layer.inferred_axis == 0 else (width,))
    given = layer.given.get("normalized_shape")
    if given is not None:
        return layer.parameters(given if isinstance(given, tuple) else (int(str(given)),))
    return layer.parameters((1,) * (layer.rank + 1))


def _expect_whole_groups(layer: Layer, width: int) -> None:
    """Refuse channels that the groups of a convolution don't divide: torch refuses them when the layer is made."""
    groups, out = layer.given.get("groups", 1), layer.given.get("out_channels")
    if not isinstance(groups, int) or groups < 1 or not isinstance(out, int):
        return
    for what, value in (("out_channels", out), ("in_channels", width)):
        if value % groups:
            facts: dict[str, Any] = {"what": what, "value": value, "divisor_name": "groups", "divisor": groups}
            raise Reject("groups", codes.NOT_DIVISIBLE, **facts)


def run(m: Machine, made: Made, x: Tensor, place: Place) -> object:
    """What a layer makes of a tensor. Raises Refusal, with the value to go on with."""
    layer = made.layer
    if made.lazy:
        _settle(made, x)
    shape = _infer(made, layer, x)
    kept = shape == x.shape
    result = Tensor(shape, x.kind, made=x.made if kept else place)
    if made.values.get("return_indices"):
        return (result, Tensor(shape, "int", made=place))
    return result


def _settle(made: Made, x: Tensor) -> None:
    """A lazy layer takes its width from what arrives first."""
    axis = made.layer.inferred_axis
    made.width = x.shape[axis if axis < 0 else axis + 1]
    made.values[made.layer.inferred] = made.width
    made.lazy = False
    made.count = parameters(made.layer, made.width)


def _infer(made: Made, layer: Layer, x: Tensor) -> Shape:
    """The output for an input with its batch in front."""
    if not x.shape:
        raise _rejected(made, Reject("", refusals.NO_DIMENSIONS, expected="a batch", found="a single number"))
    batch, rest = x.shape[0], x.shape[1:]
    if layer.inferred_axis == -1 and layer.inferred:
        return _last_axis(made, layer, x)
    if type(layer).infer is Layer.infer or _any_dimension(layer):
        return _freely(made, layer, x)
    if not rest and not layer.rank:
        return x.shape
    width = None if _takes_any_width(layer) else made.width
    wrong = width is not None and bool(rest) and rest[0] != width and layer.inferred != "" and layer.inferred_axis == 0
    try:
        shape = tuple(layer.infer((width, *rest[1:]) if wrong and width is not None else rest))
    except Reject as reject:
        if wrong and reject.code.id != codes.WRONG_RANK.id:
            raise _wrong_width(made, layer, rest[0], Unknown("an input of another width", reported=True)) from None
        raise _rejected(made, reject) from None
    if any(depends_on_batch(size) for size in shape) and not any(depends_on_batch(size) for size in rest):
        raise _rejected(made, Reject("", refusals.TOO_LARGE, expected="less", found=show_shape(rest)))
    if wrong:
        raise _wrong_width(made, layer, rest[0], Tensor((batch, *shape), x.kind))
    return (batch, *shape)


def _takes_any_width(layer: Layer) -> bool:
    """A layer without a value for each channel: torch 2.13 warns of another number than the stated one and goes on."""
    kept = getattr(layer, "affine", True) or getattr(layer, "track_running_stats", False)
    return not layer.uses_width or (layer.normalizes == "instance" and not kept)


def _any_dimension(layer: Layer) -> bool:
    """Layers with a dimension among their arguments, which for torch may be the batch as well."""
    return "dim" in layer.fields or (layer.rank in (1, 3) and "p" in layer.fields)


def _freely(made: Made, layer: Layer, x: Tensor) -> Shape:
    """Layers that keep the shape, whatever it is. A dimension among their arguments has to exist."""
    if "dim" not in layer.fields:
        return x.shape
    dim = getattr(layer, "dim")  # noqa: B009
    rank = len(x.shape)
    if dim is not None and not -rank <= dim < rank:
        raise _rejected(
            made,
            Reject("dim", codes.WRONG_DIMENSION, dim=dim, shape=show_shape(x.shape), range=f"{-rank} to {rank - 1}"),
        )
    if type(layer).__name__ == "GLU":
        axis = dim % rank
        half, odd = divmod(x.shape[axis], 2)
        if odd and not depends_on_batch(x.shape[axis]):
            facts = {"what": f"the size of dimension {dim}", "value": x.shape[axis]}
            raise _rejected(made, Reject("dim", codes.NOT_DIVISIBLE, **facts, divisor_name="its two halves", divisor=2))
        return (*x.shape[:axis], half, *x.shape[axis + 1 :])
    return x.shape


def _last_axis(made: Made, layer: Layer, x: Tensor) -> Shape:
    out = (*x.shape[:-1], *layer.infer((1,))[-1:])
    if x.shape[-1] != made.width:
        raise _wrong_width(made, layer, x.shape[-1], Tensor(out, x.kind))
    return out


def _wrong_width(made: Made, layer: Layer, found: int, value: object) -> Refusal:
    counts = layer.counts.removesuffix("s") if made.width == 1 else layer.counts
    facts: dict[str, object] = {"layer": made.name, "declared": made.width, "counts": counts, "found": show_size(found)}
    return Refusal(codes.WRONG_WIDTH, facts, value, field=layer.inferred)


def _rejected(made: Made, reject: Reject) -> Refusal:
    facts = {"layer": made.name} | reject.facts
    return Refusal(reject.code, facts, Unknown(f"the output of {made.name}", reported=True), field=reject.field)
