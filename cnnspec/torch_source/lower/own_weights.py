"""Functions that are given parameters of the module that calls them: layers whose weights these are."""

from __future__ import annotations

from cnnspec.torch_source.lower.body import Body
from cnnspec.torch_source.lower.operations import lowering, output_of, tensor
from cnnspec.torch_source.lower.saying import Unsaid, make_layer
from cnnspec.torch_source.trace import Step
from cnnspec.torch_source.values import Tensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cnnspec.torch_source.lower.operations import Arguments


def _learning(body: Body, step: Step, arguments: Arguments, name: str, given: Arguments) -> None:
    own = {key: value for key in ("weight", "bias") if isinstance(value := arguments.get(key), Tensor)}
    layer = make_layer(name, **given)
    y = output_of(step)
    body.gives(y, body.learning(layer, tensor(arguments), y, own, step.name, step.place.span))


def _weight(arguments: Arguments) -> Tensor:
    return tensor(arguments, "weight")


@lowering("conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d")
def _conv(body: Body, step: Step, arguments: Arguments) -> None:
    shape = _weight(arguments).shape
    fields = ("stride", "padding", "output_padding", "groups", "dilation")
    given = {key: value for key, value in arguments.items() if key in fields}
    rank, groups = step.name[-2], given.get("groups", 1)
    if not isinstance(groups, int):
        raise Unsaid("this number of groups")
    transposed = "transpose" in step.name
    kernel_size = shape[2:] if len(set(shape[2:])) > 1 else shape[2]
    given |= {"out_channels": shape[1] * groups if transposed else shape[0], "kernel_size": kernel_size}
    if arguments.get("bias") is None:
        given["bias"] = False
    _learning(body, step, arguments, f"Conv{'Transpose' * transposed}{rank}d", given)


@lowering("linear")
def _linear(body: Body, step: Step, arguments: Arguments) -> None:
    given: Arguments = {"out_features": _weight(arguments).shape[0]}
    if arguments.get("bias") is None:
        given["bias"] = False
    _learning(body, step, arguments, "Linear", given)


@lowering("layer_norm", "rms_norm", "group_norm")
def _norm(body: Body, step: Step, arguments: Arguments) -> None:
    name = {"layer_norm": "LayerNorm", "rms_norm": "RMSNorm", "group_norm": "GroupNorm"}[step.name]
    given: Arguments = {key: value for key, value in arguments.items() if key == "eps"}
    if name == "GroupNorm":
        given |= {"num_groups": arguments["num_groups"], "affine": arguments.get("weight") is not None}
    else:
        shape = arguments["normalized_shape"]
        sizes = tuple(shape) if isinstance(shape, (list, tuple)) else (shape,)
        given["normalized_shape"] = sizes if len(sizes) > 1 else sizes[0]
        given["elementwise_affine"] = arguments.get("weight") is not None
    if name == "LayerNorm" and arguments.get("weight") is not None and arguments.get("bias") is None:
        given["bias"] = False
    _learning(body, step, arguments, name, given)
