"""Parameters: the weights of layers as tensors, where a file looks at them, and the number of them all."""

from __future__ import annotations

from math import prod

from cnnspec.torch_source.layers import Made
from cnnspec.torch_source.special_modules import SpecialModule
from cnnspec.torch_source.values import Instance, Shape, Tensor, Unknown

_PAIRS = frozenset(["kernel_size", "stride", "padding", "dilation", "output_padding"])


def shapes_of(made: Made) -> dict[str, Shape]:
    """The shapes of a layer's weight and bias."""
    layer, values, width = made.layer, made.values, made.width or 1
    groups = values.get("groups", 1)
    found: dict[str, Shape] = {}
    if "kernel_size" in layer.fields and "out_channels" in layer.fields and isinstance(groups, int):
        kernel, out = values["kernel_size"], values["out_channels"]
        window = kernel if isinstance(kernel, tuple) else (kernel,) * layer.rank
        transposed = "output_padding" in layer.fields
        first, second = (width, out) if transposed else (out, width)
        found["weight"] = (_int(first), _int(second) // groups, *map(_int, window))
        bias: Shape = (_int(out),)
    elif "out_features" in layer.fields:
        found["weight"], bias = (_int(values["out_features"]), width), (_int(values["out_features"]),)
    elif "normalized_shape" in layer.fields:
        given = values["normalized_shape"]
        found["weight"] = bias = tuple(map(_int, given)) if isinstance(given, tuple) else (_int(given),)
    elif "num_parameters" in layer.fields:
        return {"weight": (_int(values.get("num_parameters", 1)),)}
    elif "affine" in layer.fields:
        if not values.get("affine", layer.fields["affine"].default):
            return {}
        found["weight"] = bias = (width,)
    else:
        return {}
    if "bias" in layer.fields and values.get("bias", layer.fields["bias"].default):
        found["bias"] = bias
    return found


def _int(value: object) -> int:
    return value if isinstance(value, int) else 1


def materialise(instance: Instance) -> None:
    """Give a layer its weight and bias as parameters of their own; a layer without one of them has None there."""
    made = instance.layer
    if instance.touched or not isinstance(made, Made) or made.lazy:
        return
    shapes = shapes_of(made)
    if not shapes and "affine" not in made.layer.fields:
        return
    instance.touched = True
    for key in ("weight", "bias"):
        if key in shapes:
            instance.children[key] = Tensor(shapes[key], parameter=True)
        else:
            instance.attributes[key] = None


def layer_argument(instance: Instance, name: str) -> object:
    """What a layer was made with, as its attribute; None for other attributes."""
    made = instance.layer
    if isinstance(made, SpecialModule):
        return made.values.get(name, made.attribute(name))
    if not isinstance(made, Made):
        return None
    if name in ("running_mean", "running_var"):
        return Tensor((made.width or 1,))
    if name in made.values:
        value = made.values[name]
    elif name in made.layer.fields and name not in ("weight", "bias"):
        value = made.layer.fields[name].default
    else:
        return None
    spread = name in _PAIRS and isinstance(value, int) and made.layer.rank and "out_channels" in made.layer.fields
    return (value,) * made.layer.rank if spread else value


def count_parameters(instance: Instance) -> int | None:
    """The number of learnable values below a module, shared ones once; None where a part of it is not known."""
    total = 0
    seen: set[int] = set()
    waiting: list[object] = [instance]
    while waiting:
        part = waiting.pop()
        if id(part) in seen:
            continue
        seen.add(id(part))
        if isinstance(part, Unknown):
            return None
        if isinstance(part, Tensor):
            total += prod(part.shape) if part.parameter else 0
        elif isinstance(part, Instance):
            if isinstance(part.layer, SpecialModule) or (isinstance(part.layer, Made) and not part.touched):
                total += part.layer.count
            waiting.extend(part.children.values())
    return total
