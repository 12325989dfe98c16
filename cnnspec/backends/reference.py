"""The layers as a reference for people, made from their classes."""

from __future__ import annotations

from cnnspec import layers
from cnnspec.declare import Field, spell
from cnnspec.layers import Layer


def overview() -> str:
    """Every layer with one sentence."""
    names = list(layers.names())
    width = max(map(len, names))
    return "\n".join(f"{name:<{width}}  {_sentence(name)}" for name in names)


def _sentence(name: str) -> str:
    layer = layers.find(name)
    lines = (layer.__doc__ or "").strip().splitlines() if layer else []
    return lines[0] if lines else ""


def describe(layer: type[Layer]) -> str:
    """What a layer does and what each of its parameters takes."""
    doc = "\n".join(line.strip() for line in (layer.__doc__ or "").strip().splitlines())
    lines = [f"{layer.__name__}({layer.signature.text})", "", doc]
    if layer.fields:
        width = max(map(len, layer.fields))
        lines += ["", *(_field(field, layer, width) for field in layer.fields.values())]
    if layer.inferred:
        lines += ["", f"{layer.inferred} is inferred from the input{_statable(layer)}."]
    if layer.takes > 1:
        lines += ["", f"Takes a tuple of {layer.takes} values."]
    if layer.integers:
        lines += ["", "Takes whole numbers (int64)."]
    lines += ["", f"Compiles to {layer.target()}."]
    return "\n".join(lines)


def _field(field: Field, layer: type[Layer], width: int) -> str:
    default = "required" if field.required else f"default {spell(field.default)}"
    return f"  {field.name:<{width}}  {field.kind.describe(layer.rank)}; {default}"


def _statable(layer: type[Layer]) -> str:
    if layer.inferred in layer.fields:
        return " and checked where it is given"
    arrow = f"; {layer.__name__}(in -> out) states it too" if layer.signature.arrow else ""
    return f"{arrow}; {layer.inferred}=... states it and is checked"
