"""Operations of torch as the layers and merges that they are. One that is missing here is a foreign node of the graph.

Each function gets the body, the step and its arguments by name; it adds steps, and says which wire the output is. It raises
Unsaid, or a layer's Reject, where the language has no word for what the operation does.
"""

from __future__ import annotations

from cnnspec.torch_source.functional import FUNCTIONAL
from cnnspec.torch_source.layers import _as_torch_reads
from cnnspec.torch_source.lower.body import Body, sample_of
from cnnspec.torch_source.lower.saying import Unsaid, make_layer
from cnnspec.torch_source.lower.shapes import batch_axis, tensors_in
from cnnspec.torch_source.operations import OPERATIONS
from cnnspec.torch_source.trace import Step
from cnnspec.torch_source.values import Tensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from cnnspec.layers import Layer

    Arguments = dict[str, object]
    Lowering = Callable[[Body, Step, Arguments], None]

LOWERED: dict[str, Lowering] = {}
VIEWS = frozenset(
    """view reshape flatten squeeze unsqueeze permute transpose t expand expand_as chunk split [] narrow select unbind
    contiguous view_as movedim swapaxes unflatten to float cuda cpu type_as dropout data""".split()
)
IN_PLACE = frozenset(["[]="])


def lowering(*names: str) -> Callable[[Lowering], Lowering]:
    """Register a function as the lowering of these operations."""

    def register(function: Lowering) -> Lowering:
        LOWERED.update(dict.fromkeys(names, function))
        return function

    return register


def bound(step: Step) -> Arguments:
    """The arguments of an operation by the names that torch gives them; the first tensor is `input`."""
    found: Arguments = {}
    if step.name in FUNCTIONAL and step.name != "unfold":
        names, open_ended = ["input", *FUNCTIONAL[step.name][0]], False
    elif step.name in _ACTIVATIONS:
        names, open_ended = ["input", *_ACTIVATIONS[step.name][1]], False
    elif step.name in OPERATIONS:
        code = OPERATIONS[step.name].__code__
        names, open_ended = list(code.co_varnames[1 : code.co_argcount]), bool(code.co_flags & 4)
        if open_ended:
            found["rest"] = tuple(step.arguments[len(names) :])
    else:
        names, open_ended = ["input"], True
    found |= dict(zip(names, step.arguments))
    aliases = {"axis": "dim", "keepdims": "keepdim"}
    found |= {aliases.get(key, key): value for key, value in step.keywords.items()}
    return found


def tensor(arguments: Arguments, name: str = "input") -> Tensor:
    value = arguments.get(name)
    if not isinstance(value, Tensor):
        raise Unsaid("an argument that is no tensor")
    return value


def output_of(step: Step) -> Tensor:
    if not isinstance(step.output, Tensor):
        raise Unsaid("several values")
    return step.output


def lang_dim(dim: object, x: Tensor) -> int:
    """A dimension of torch's shape as the language counts it, with the batch in front."""
    axis = batch_axis(x.shape)
    rank = len(x.shape)
    if axis is None or not isinstance(dim, int) or isinstance(dim, bool) or not -rank <= dim < rank:
        raise Unsaid("a dimension of this")
    dim %= rank
    if dim == axis:
        raise Unsaid("an operation over the batch")
    return dim + 1 if dim < axis else dim


def apply(body: Body, step: Step, layer: Layer) -> None:
    """Run one layer on the first tensor of an operation."""
    x, y = next(tensors_in(step.inputs)), output_of(step)
    before, after = sample_of(x), sample_of(y)
    if tuple(layer.infer(before)) != after:
        raise Unsaid("the batch is not the first dimension here")
    body.gives(y, body.layer(layer, (x,), after, step.place.span))


# --- activations ---

_ACTIVATIONS: dict[str, tuple[str, tuple[str, ...]]] = {
    "relu": ("ReLU", ()), "relu_": ("ReLU", ()), "relu6": ("ReLU6", ()), "sigmoid": ("Sigmoid", ()),
    "sigmoid_": ("Sigmoid", ()), "tanh": ("Tanh", ()), "tanh_": ("Tanh", ()), "silu": ("SiLU", ()), "mish": ("Mish", ()),
    "selu": ("SELU", ()), "hardswish": ("Hardswish", ()), "hardsigmoid": ("Hardsigmoid", ()),
    "logsigmoid": ("LogSigmoid", ()), "softsign": ("Softsign", ()), "tanhshrink": ("Tanhshrink", ()),
    "leaky_relu": ("LeakyReLU", ("negative_slope",)), "leaky_relu_": ("LeakyReLU", ("negative_slope",)),
    "elu": ("ELU", ("alpha",)), "elu_": ("ELU", ("alpha",)), "celu": ("CELU", ("alpha",)),
    "gelu": ("GELU", ("approximate",)), "softplus": ("Softplus", ("beta", "threshold")),
    "hardtanh": ("Hardtanh", ("min_val", "max_val")), "softshrink": ("Softshrink", ("lambd",)),
    "hardshrink": ("Hardshrink", ("lambd",)), "exp": ("Exp", ()), "log": ("Log", ()), "sqrt": ("Sqrt", ()),
    "abs": ("Abs", ()), "absolute": ("Abs", ()),
}  # fmt: skip


@lowering(*_ACTIVATIONS)
def _activation(body: Body, step: Step, arguments: Arguments) -> None:
    name, fields = _ACTIVATIONS[step.name]
    given = {field: arguments[field] for field in fields if field in arguments}
    apply(body, step, make_layer(name, **given))


@lowering("softmax", "log_softmax", "softmin")
def _softmax(body: Body, step: Step, arguments: Arguments) -> None:
    names = {"softmax": "Softmax", "log_softmax": "LogSoftmax", "softmin": "Softmin"}
    x = tensor(arguments)
    dim = arguments.get("dim")
    if dim is None:
        dim = 0 if len(x.shape) in (0, 1, 3) else 1
    over_batch = isinstance(dim, int) and batch_axis(x.shape) == 0 and dim in (0, -len(x.shape))
    apply(body, step, make_layer(names[step.name], dim=0 if over_batch else lang_dim(dim, x)))


@lowering("clamp", "clip", "clamp_", "clamp_min")
def _clamp(body: Body, step: Step, arguments: Arguments) -> None:
    given = arguments.get("rest")
    rest = given if isinstance(given, tuple) else ()
    low = arguments.get("min", rest[0] if rest else None)
    high = arguments.get("max", rest[1] if len(rest) > 1 else None)
    if low == 0 and high is None:
        return apply(body, step, make_layer("ReLU"))
    if low == 0 and high == 6:
        return apply(body, step, make_layer("ReLU6"))
    return apply(body, step, make_layer("Hardtanh", min_val=low, max_val=high))


# --- windows, and other layers that have a form as functions ---


def _layer_name(name: str) -> str:
    head, rank = name[:-2], name[-2:]
    words = {"max_pool": "MaxPool", "avg_pool": "AvgPool", "lp_pool": "LPPool"}
    words |= {"adaptive_avg_pool": "AdaptiveAvgPool", "adaptive_max_pool": "AdaptiveMaxPool"}
    single = {"pixel_shuffle": "PixelShuffle", "pixel_unshuffle": "PixelUnshuffle", "glu": "GLU"}
    return single[name] if name in single else words[head] + rank


@lowering(
    *(f"{kind}_pool{rank}d" for kind in ("max", "avg", "adaptive_avg", "adaptive_max") for rank in (1, 2, 3)),
    "lp_pool1d", "lp_pool2d", "pixel_shuffle", "pixel_unshuffle", "glu",
)  # fmt: skip
def _as_module(body: Body, step: Step, arguments: Arguments) -> None:
    from cnnspec.layers import Layer

    declared = Layer.find(_layer_name(step.name))
    assert declared is not None
    given = dict(arguments)
    if arguments.pop("return_indices", False):
        raise Unsaid("pooling that returns indices")
    given["upscale_factor"] = given["downscale_factor"] = given.get("factor")
    values: Arguments = {}
    for key, value in given.items():
        if key not in declared.fields or value is None:
            continue
        values[key] = _as_torch_reads(declared, key, tuple(value) if isinstance(value, list) else value)
    if "dim" in values:
        values["dim"] = lang_dim(values["dim"], tensor(arguments))
    if batch_axis(tensor(arguments).shape) != 0:
        raise Unsaid("the batch is not the first dimension here")
    apply(body, step, make_layer(declared.__name__, **values))


@lowering("interpolate", "upsample", "upsample_nearest", "upsample_bilinear")
def _interpolate(body: Body, step: Step, arguments: Arguments) -> None:
    x, y = tensor(arguments), output_of(step)
    mode = str(arguments.get("mode", "bilinear" if step.name.endswith("bilinear") else "nearest"))
    align = arguments.get("align_corners")
    if arguments.get("antialias") or arguments.get("recompute_scale_factor") or mode in ("area", "nearest-exact"):
        raise Unsaid("this way of resizing")
    given: Arguments = {}
    if mode != "nearest":
        given["mode"] = mode
    if align or step.name == "upsample_bilinear":
        given["align_corners"] = True
    scale = arguments.get("scale_factor")
    if scale is not None:
        given["scale_factor"] = tuple(scale) if isinstance(scale, (list, tuple)) else scale
    else:
        given["size"] = sample_of(y)[1:]
    if batch_axis(x.shape) != 0:
        raise Unsaid("the batch is not the first dimension here")
    apply(body, step, make_layer("Upsample", **given))


_PADS = {
    "constant": "ConstantPad",
    "reflect": "ReflectionPad",
    "replicate": "ReplicationPad",
    "circular": "CircularPad",
}


@lowering("pad")
def _pad(body: Body, step: Step, arguments: Arguments) -> None:
    x, y = tensor(arguments), output_of(step)
    pads = arguments.get("pad")
    if not isinstance(pads, (list, tuple)):
        raise Unsaid("this padding")
    sides = [side for side in pads if isinstance(side, int)]
    rank = len(sample_of(x)) - 1
    if not any(sides):
        return body.same(y, x)
    mode, value = str(arguments.get("mode", "constant")), arguments.get("value") or 0
    if batch_axis(x.shape) != 0 or len(sides) != len(pads):
        raise Unsaid("this padding")
    outer = sides[2 * rank :]
    if outer:
        if any(sides[: 2 * rank]) or len(outer) != 2 or value or mode != "constant":
            raise Unsaid("padding of the channels beside others")
        return apply(body, step, make_layer("PadChannels", padding=tuple(outer)))
    if rank not in (1, 2, 3) or mode not in _PADS:
        raise Unsaid("padding of such a value")
    padding = tuple(sides + [0] * (2 * rank - len(sides)))
    if mode == "constant" and not value:
        return apply(body, step, make_layer(f"ZeroPad{rank}d", padding=padding))
    extra: Arguments = {"value": float(value)} if mode == "constant" and isinstance(value, (int, float)) else {}
    return apply(body, step, make_layer(f"{_PADS[mode]}{rank}d", padding=padding, **extra))


@lowering("dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout", "feature_alpha_dropout")
def _dropout(body: Body, step: Step, arguments: Arguments) -> None:
    import ast

    call = step.place.node
    written = [key.value for key in call.keywords if key.arg == "training"] if isinstance(call, ast.Call) else []
    if isinstance(call, ast.Call) and not written and len(call.args) > 2:
        written = [call.args[2]]
    if written and isinstance(written[0], ast.Constant) and written[0].value is False:
        return body.same(output_of(step), tensor(arguments))
    if not written or not isinstance(written[0], ast.Attribute) or written[0].attr != "training":
        raise Unsaid("dropout that `training` does not switch off")
    names = {"dropout": "Dropout", "alpha_dropout": "AlphaDropout", "feature_alpha_dropout": "FeatureAlphaDropout"}
    rest = arguments.get("rest")
    p = arguments.get("p", rest[0] if isinstance(rest, tuple) and rest else 0.5)
    return apply(body, step, make_layer(names.get(step.name, step.name.capitalize()), p=p))


# --- values as they are ---


@lowering(
    "contiguous", "clone", "cuda", "cpu", "to", "float", "type_as", "type", "requires_grad_", "identity", "copy", "data"
)
def _same(body: Body, step: Step, arguments: Arguments) -> None:
    body.same(output_of(step), tensor(arguments))


# --- over dimensions ---


def _reduced(body: Body, step: Step, arguments: Arguments, name: str, output: Tensor) -> None:
    x = tensor(arguments)
    dim, keepdim = arguments.get("dim"), bool(arguments.get("keepdim", False))
    rest = arguments.get("rest")
    if (
        isinstance(dim, int)
        and isinstance(arguments.get("keepdim"), int)
        and not isinstance(arguments.get("keepdim"), bool)
    ):
        dim, keepdim = (dim, arguments["keepdim"], *(rest if isinstance(rest, tuple) else ())), False
    if dim is None:
        raise Unsaid("an operation over the batch")
    dims = [lang_dim(one, x) for one in (dim if isinstance(dim, (list, tuple)) else (dim,))]
    given: Arguments = {"dim": dims[0] if len(dims) == 1 else tuple(dims)}
    if keepdim:
        given["keepdim"] = True
    layer = make_layer(name, **given)
    if tuple(layer.infer(sample_of(x))) != sample_of(output):
        raise Unsaid("the batch is not the first dimension here")
    body.gives(output, body.layer(layer, (x,), sample_of(output), step.place.span))


@lowering("mean", "sum", "std", "amax")
def _reduction(body: Body, step: Step, arguments: Arguments) -> None:
    if step.name == "std" and {"unbiased", "correction"} & set(arguments):
        raise Unsaid("a standard deviation of this kind")
    names = {"mean": "Mean", "sum": "Sum", "std": "Std", "amax": "Max"}
    _reduced(body, step, arguments, names[step.name], output_of(step))


@lowering("max")
def _largest(body: Body, step: Step, arguments: Arguments) -> None:
    values = next(tensors_in(step.output), None)
    if values is None or step.output is values:
        raise Unsaid("the largest of these")
    _reduced(body, step, arguments, "Max", values)
