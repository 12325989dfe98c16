"""torch.nn.functional: the forms of layers as functions, and what has no layer."""

from __future__ import annotations

import math

from cnnspec.declare import Reject
from cnnspec.diagnostics import codes, refusals
from cnnspec.layers import Layer
from cnnspec.torch_source import layers
from cnnspec.torch_source.layers import Made
from cnnspec.torch_source.machine import Machine
from cnnspec.torch_source.operations import OPERATIONS, Op, broadcast, perform
from cnnspec.torch_source.script import Place
from cnnspec.torch_source.stops import Refusal, Stop
from cnnspec.torch_source.values import Tensor, Unknown, depends_on_batch, show_shape, show_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Function = Callable[[Op, Tensor, dict[str, object]], object]

FUNCTIONAL: dict[str, tuple[list[str], Function]] = {}
_POOL = "kernel_size stride padding ceil_mode count_include_pad divisor_override"


def function(names: str, parameters: str = "") -> Callable[[Function], Function]:
    """Register a function under its names, with its arguments behind the input."""

    def register(native: Function) -> Function:
        FUNCTIONAL.update({name: (parameters.split(), native) for name in names.split()})
        return native

    return register


def call_functional(
    m: Machine, name: str, arguments: list[object], keywords: dict[str, object], place: Place
) -> object:
    """The value of `F.name(...)`."""
    if name not in FUNCTIONAL:
        if name in OPERATIONS:
            return perform(m, name, place, arguments, keywords)
        raise Stop(f"`F.{name}`", place)
    values = dict(keywords)
    x = arguments[0] if arguments else values.pop("input", None)
    parameters, native = FUNCTIONAL[name]
    if len(arguments) - 1 > len(parameters):
        raise Stop(f"the arguments of {place.text}", place)
    values |= dict(zip(parameters, arguments[1:]))
    for value in (x, *values.values()):
        for part in value if isinstance(value, (list, tuple)) else (value,):
            if isinstance(part, Unknown):
                return part
    op = Op(m, f"F.{name}", place)
    return native(op, op.tensor(x), values)


def _layer(op: Op, name: str, values: dict[str, object], x: Tensor, width: int | None = None) -> object:
    """Run the layer of that name, made with these arguments."""
    declared = Layer.find(name)
    assert declared is not None
    indices = values.pop("return_indices", False)
    fields = {
        key: layers._as_torch_reads(declared, key, tuple(value) if isinstance(value, list) else value)
        for key, value in values.items()
        if key in declared.fields and not (value is None and declared.fields[key].kind.accepts(None, declared.rank))
    }
    try:
        layer = declared(**fields)
        assert isinstance(layer, Layer)
        layer.validate()
    except (TypeError, ValueError) as error:
        raise op.refuse(str(error), "wrong argument") from None
    except Reject as reject:
        raise Refusal(reject.code, {"layer": f"`{op.name}`"} | reject.facts, field=reject.field) from None
    made = Made(f"`{op.name}`", layer, dict(fields), width)
    result = layers.run(op.m, made, x, op.place)
    if isinstance(result, Tensor) and result.shape[:2] == x.shape[:2]:
        result.maker = x.maker
    if indices or op.name.endswith("_with_indices"):
        assert isinstance(result, Tensor)
        return (result, Tensor(result.shape, "int", made=op.place))
    return result


def _weight(op: Op, values: dict[str, object], rank: int) -> Tensor:
    weight = values.get("weight")
    if not isinstance(weight, Tensor):
        raise Stop(f"the weight of {op.place.text}", op.place)
    if len(weight.shape) != rank:
        raise op.refuse(f"takes a weight of {rank} dimensions", f"gets {show_shape(weight.shape)}")
    return weight


@function("conv1d conv2d conv3d", "weight bias stride padding dilation groups")
def _conv(op: Op, x: Tensor, values: dict[str, object]) -> object:
    rank = int(op.name[-2])
    weight = _weight(op, values, rank + 2)
    groups = values.get("groups", 1)
    given = {key: value for key, value in values.items() if key in ("stride", "padding", "dilation", "groups")}
    given |= {"out_channels": weight.shape[0], "kernel_size": weight.shape[2:]}
    return _layer(op, f"Conv{rank}d", given, x, weight.shape[1] * (groups if isinstance(groups, int) else 1))


@function(
    "conv_transpose1d conv_transpose2d conv_transpose3d", "weight bias stride padding output_padding groups dilation"
)
def _conv_transpose(op: Op, x: Tensor, values: dict[str, object]) -> object:
    rank = int(op.name[-2])
    weight = _weight(op, values, rank + 2)
    groups = values.get("groups", 1)
    given = {key: value for key, value in values.items() if key not in ("weight", "bias")}
    out = weight.shape[1] * (groups if isinstance(groups, int) else 1)
    given |= {"out_channels": out, "kernel_size": weight.shape[2:]}
    return _layer(op, f"ConvTranspose{rank}d", given, x, weight.shape[0])


@function("linear", "weight bias")
def _linear(op: Op, x: Tensor, values: dict[str, object]) -> object:
    weight = _weight(op, values, 2)
    if not x.shape or x.shape[-1] != weight.shape[1]:
        facts: dict[str, object] = {"operation": f"`{op.name}`", "first": show_shape(x.shape)}
        facts |= {"second": show_shape(weight.shape), "inner": show_size(x.shape[-1]), "outer": weight.shape[1]}
        raise Refusal(codes.PRODUCT_DIFFERS, facts, Tensor((*x.shape[:-1], weight.shape[0])))
    return op.result((*x.shape[:-1], weight.shape[0]))


@function("max_pool1d max_pool2d max_pool3d", "kernel_size stride padding dilation ceil_mode return_indices")
@function(
    "max_pool1d_with_indices max_pool2d_with_indices max_pool3d_with_indices",
    "kernel_size stride padding dilation ceil_mode return_indices",
)
def _max_pool(op: Op, x: Tensor, values: dict[str, object]) -> object:
    return _layer(op, f"MaxPool{_rank(op)}d", values, x)


def _rank(op: Op) -> int:
    return int(op.name.removesuffix("_with_indices")[-2])


@function("avg_pool1d avg_pool2d avg_pool3d", _POOL)
def _avg_pool(op: Op, x: Tensor, values: dict[str, object]) -> object:
    return _layer(op, f"AvgPool{_rank(op)}d", values, x)


@function("lp_pool1d lp_pool2d", "norm_type kernel_size stride ceil_mode")
def _lp_pool(op: Op, x: Tensor, values: dict[str, object]) -> object:
    return _layer(op, f"LPPool{_rank(op)}d", values, x)


@function("adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d", "output_size")
@function("adaptive_max_pool1d adaptive_max_pool2d adaptive_max_pool3d", "output_size return_indices")
@function("adaptive_max_pool1d_with_indices adaptive_max_pool2d_with_indices", "output_size return_indices")
def _adaptive_pool(op: Op, x: Tensor, values: dict[str, object]) -> object:
    kind = "Avg" if "avg" in op.name else "Max"
    return _layer(op, f"Adaptive{kind}Pool{_rank(op)}d", values, x)


@function("pixel_shuffle pixel_unshuffle", "factor")
def _pixels(op: Op, x: Tensor, values: dict[str, object]) -> object:
    name, field = ("PixelShuffle", "upscale_factor") if "un" not in op.name else ("PixelUnshuffle", "downscale_factor")
    return _layer(op, name, {field: values.get("factor", values.get(field))}, x)


@function("unfold", "kernel_size dilation padding stride")
def _unfold(op: Op, x: Tensor, values: dict[str, object]) -> object:
    return _layer(op, "Unfold", values, x)


@function("fold", "output_size kernel_size dilation padding stride")
def _fold(op: Op, x: Tensor, values: dict[str, object]) -> object:
    return _layer(op, "Fold", values, x)


@function("glu", "dim")
def _glu(op: Op, x: Tensor, values: dict[str, object]) -> object:
    return _layer(op, "GLU", values, x)


@function("interpolate upsample upsample_nearest upsample_bilinear", "size scale_factor mode align_corners")
def _interpolate(op: Op, x: Tensor, values: dict[str, object]) -> object:
    rank = len(x.shape) - 2
    size, scale = values.get("size"), values.get("scale_factor")
    if rank not in (1, 2, 3):
        facts: dict[str, object] = {"layer": f"`{op.name}`", "expected": "1 to 3 spatial dimensions"}
        raise Refusal(refusals.NOT_RESIZABLE, facts | {"found": show_shape(x.shape)})
    if (size is None) == (scale is None):
        raise op.refuse("takes size or scale_factor", "neither is given" if size is None else "both are given")
    mode = values.get("mode", "bilinear" if op.name.endswith("bilinear") else "nearest")
    wanted = {"linear": 1, "bilinear": 2, "bicubic": 2, "trilinear": 3}.get(str(mode), rank)
    if wanted != rank:
        raise op.refuse(f'mode "{mode}" takes {wanted} spatial dimensions', f"gets {show_shape(x.shape)}")
    if size is not None:
        sizes = op.integers([size]) if isinstance(size, (list, tuple)) else (op.integer(size),) * rank
    else:
        scales = tuple(scale) if isinstance(scale, (list, tuple)) else (scale,) * rank
        if not all(isinstance(one, (int, float)) for one in scales):
            raise Stop(f"the scale of {op.place.text}", op.place)
        if len(scales) != rank:
            raise op.refuse(f"takes {rank} factors", f"gets {len(scales)}")
        factors = [float(one) for one in scales if isinstance(one, (int, float))]
        sizes = tuple(math.floor(side * factor) for side, factor in zip(x.shape[2:], factors))
    if len(sizes) != rank:
        raise op.refuse(f"takes {rank} sizes for {show_shape(x.shape)}", f"gets {len(sizes)}")
    return op.result((*x.shape[:2], *sizes))


@function("pad", "pad mode value")
def _pad(op: Op, x: Tensor, values: dict[str, object]) -> object:
    pads = values.get("pad")
    if not isinstance(pads, (list, tuple)):
        raise Stop(f"the padding of {op.place.text}", op.place)
    sides = op.integers([pads])
    if len(sides) % 2 or len(sides) // 2 > len(x.shape):
        raise op.refuse(f"takes two numbers a dimension of {show_shape(x.shape)}", f"gets {len(sides)}")
    shape = list(x.shape)
    for number in range(len(sides) // 2):
        axis = -1 - number
        before, after = sides[2 * number], sides[2 * number + 1]
        if not depends_on_batch(shape[axis]) and values.get("mode") == "reflect" and max(before, after) >= shape[axis]:
            raise op.refuse(f"can't reflect {max(before, after)} of {shape[axis]}", "more than there is")
        shape[axis] += before + after
        if shape[axis] < 0:
            raise op.refuse(f"cuts off more than {show_shape(x.shape)} has", f"leaves {shape[axis]}")
    return op.result(shape, x)


@function("one_hot", "num_classes")
def _one_hot(op: Op, x: Tensor, values: dict[str, object]) -> object:
    classes = values.get("num_classes")
    if not isinstance(classes, int) or classes < 0:
        raise Stop("one_hot() without a number of classes", op.place)
    return op.result((*x.shape, classes), None, "int")


@function("embedding", "weight")
def _embedding(op: Op, x: Tensor, values: dict[str, object]) -> object:
    return op.result((*x.shape, *_weight(op, values, 2).shape[1:]))


@function("batch_norm", "running_mean running_var weight bias training momentum eps")
@function("instance_norm", "running_mean running_var weight bias use_input_stats momentum eps")
@function("group_norm", "num_groups weight bias eps")
def _norm(op: Op, x: Tensor, values: dict[str, object]) -> object:
    groups = values.get("num_groups")
    if isinstance(groups, int) and (groups < 1 or x.shape[1] % groups):
        facts: dict[str, object] = {"layer": f"`{op.name}`", "what": "the number of channels", "value": x.shape[1]}
        raise Refusal(codes.NOT_DIVISIBLE, facts | {"divisor_name": "num_groups", "divisor": groups}, x)
    for name in ("weight", "running_mean", "bias"):
        part = values.get(name)
        if isinstance(part, Tensor) and len(x.shape) > 1 and part.shape != (x.shape[1],):
            facts = {"layer": f"`{op.name}`", "declared": show_shape(part.shape)[1:-1], "counts": "channels"}
            raise Refusal(codes.WRONG_WIDTH, facts | {"found": show_size(x.shape[1])}, x)
    return op.result(x.shape, x)


@function("layer_norm rms_norm", "normalized_shape weight bias eps")
def _layer_norm(op: Op, x: Tensor, values: dict[str, object]) -> object:
    wanted = op.integers([values["normalized_shape"]])
    if x.shape[len(x.shape) - len(wanted) :] != wanted:
        facts: dict[str, object] = {
            "layer": f"`{op.name}`",
            "declared": show_shape(wanted),
            "found": show_shape(x.shape),
        }
        raise Refusal(codes.WRONG_SHAPE_ARGUMENT, facts, x)
    return op.result(x.shape, x)


@function("prelu local_response_norm", "weight alpha beta k")
def _same(op: Op, x: Tensor, values: dict[str, object]) -> object:
    weight = values.get("weight")
    if op.name == "F.prelu" and isinstance(weight, Tensor) and math.prod(weight.shape) not in (1, *x.shape[1:2]):
        raise op.refuse(
            f"takes one weight, or one a channel of {show_shape(x.shape)}", f"gets {show_shape(weight.shape)}"
        )
    return op.result(x.shape, x)


@function("scaled_dot_product_attention", "key value attn_mask dropout_p is_causal scale enable_gqa")
def _attention(op: Op, x: Tensor, values: dict[str, object]) -> object:
    key, value = op.tensor(values.get("key")), op.tensor(values.get("value"))
    if x.shape[-1] != key.shape[-1] or key.shape[-2] != value.shape[-2]:
        facts: dict[str, object] = {
            "operation": f"`{op.name}`",
            "first": show_shape(x.shape),
            "second": show_shape(key.shape),
        }
        facts |= {"inner": show_size(x.shape[-1]), "outer": show_size(key.shape[-1])}
        raise Refusal(codes.PRODUCT_DIFFERS, facts, Unknown("attention", reported=True))
    return op.result((*broadcast(op, x.shape[:-2], key.shape[:-2]), x.shape[-2], value.shape[-1]))


@function("cosine_similarity pairwise_distance", "x2 dim eps keepdim")
def _similarity(op: Op, x: Tensor, values: dict[str, object]) -> object:
    shape = broadcast(op, x.shape, op.tensor(values.get("x2")).shape)
    dim = op.dim(values.get("dim", 1), shape) if "cosine" in op.name else len(shape) - 1
    return op.result((*shape[:dim], *shape[dim + 1 :]))


@function(
    "cross_entropy mse_loss nll_loss binary_cross_entropy binary_cross_entropy_with_logits l1_loss smooth_l1_loss kl_div "
    "huber_loss triplet_margin_loss cosine_embedding_loss margin_ranking_loss soft_margin_loss",
    "target weight size_average ignore_index reduce reduction label_smoothing pos_weight",
)
def _loss(op: Op, x: Tensor, values: dict[str, object]) -> object:
    if values.get("reduction") == "none" or values.get("reduce") is False:
        raise Stop("a loss of every sample", op.place)
    return op.result(())


@function("affine_grid", "size align_corners")
def _affine_grid(op: Op, x: Tensor, values: dict[str, object]) -> object:
    sizes = op.integers([values["size"]])
    return op.result((sizes[0], *sizes[2:], len(sizes) - 2))


@function("grid_sample", "grid mode padding_mode align_corners")
def _grid_sample(op: Op, x: Tensor, values: dict[str, object]) -> object:
    grid = op.tensor(values.get("grid"))
    return op.result((*x.shape[:2], *grid.shape[1:-1]))
