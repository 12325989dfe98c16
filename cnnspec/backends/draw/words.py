"""How shapes, layers and their arguments are called in pictures: `6×28×28`, `6, 5×5, pad 2`, `BN`."""

from __future__ import annotations

from cnnspec.declare import spell
from cnnspec.layers import Layer
from cnnspec.layers.base import Parts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cnnspec.backends.draw.items import Item
    from cnnspec.graph.nodes import Shape

_WIDTHS = ("out_channels", "out_features", "hidden_size", "embedding_dim", "num_heads", "nhead")
"""The argument that says how wide a layer is; it stands first, as one writes it."""
_TOLD = {*_WIDTHS, "kernel_size", "stride", "padding", "dilation", "groups", "output_size", "bias", "eps", "momentum",
         "inplace", "affine", "num_features", "normalized_shape", "in_channels", "in_features", "padding_mode",
         "count_include_pad", "ceil_mode", "num_embeddings"}  # fmt: skip


def flat_parts(shape: Shape | Parts | None) -> list[Shape | None]:
    """The shapes of a value, those of a tuple one after the other, however it is nested."""
    if isinstance(shape, Parts):
        return [inner for part in shape for inner in flat_parts(part)]
    return [shape]


def show(shape: Shape | Parts | None) -> str:
    """`6×28×28`; of a tuple the parts, or the first and the last of more than two; `?` where it is not known."""
    if shape is None:
        return "?"
    if not isinstance(shape, Parts):
        return "×".join("?" if size is None else str(size) for size in shape)
    parts = [show(part) for part in flat_parts(shape)]
    if len(parts) > 2:
        return (
            f"{len(parts)} values, {parts[0]} to {parts[-1]}" if len(set(parts)) > 1 else f"{len(parts)} × {parts[0]}"
        )
    return ", ".join(parts)


def inner_layer(layer: Layer) -> Layer:
    """The layer inside of one that only learns its weight in another form."""
    return layer.layer if layer.wraps else layer  # type: ignore[attr-defined]


def brief(layer: Layer | None, x: Shape | Parts | None) -> str:
    """The window of a layer: `5×5 /2`, `3×3 dw`, `to 1×1`."""
    if layer is None:
        return ""
    layer = inner_layer(layer)
    if getattr(layer, "output_size", None) is not None:
        return f"to {_sizes(layer.output_size, layer.rank)}"  # type: ignore[attr-defined]
    if getattr(layer, "scale_factor", None) is not None:
        return f"×{spell(layer.scale_factor)}"  # type: ignore[attr-defined]
    kernel = getattr(layer, "kernel_size", None)
    if kernel is None:
        return ""
    text = _sizes(kernel, layer.rank)
    stride = getattr(layer, "stride", None)
    if stride is not None and _sizes(stride, layer.rank) not in (_sizes(1, layer.rank), text):
        text += f" /{_short(stride)}"
    groups = getattr(layer, "groups", 1)
    if groups > 1:
        text += " dw" if x and groups == x[0] else f" g{groups}"
    return text


def arguments(layer: Layer | None, x: Shape | Parts | None) -> str:
    """What a layer was given, as short as it can be said: `6, 5×5 /2, pad 2`."""
    if layer is None:
        return ""
    layer = inner_layer(layer)
    told = [spell(getattr(layer, name)) for name in _WIDTHS if name in layer.fields]
    told += [text for text in [brief(layer, x)] if text]
    padding = getattr(layer, "padding", 0)
    if padding and "kernel_size" in layer.fields:
        told.append(f"pad {padding if isinstance(padding, str) else _short(padding)}")
    dilation = getattr(layer, "dilation", 1)
    if dilation not in (None, 1):
        told.append(f"dilation {_short(dilation)}")
    for name, value in layer.given.items():
        field = layer.fields.get(name)
        if field is None or name in _TOLD or name == "scale_factor" or value == field.default:
            continue
        told.append(spell(value) if field.required else f"{name}={spell(value)}")
    return ", ".join(told)


def short_name(name: str, role: str) -> str:
    """The name of a layer where it rides on another: a normalisation by its initials, as in papers."""
    if role == "norm":
        initials = "".join(letter for letter in name if letter.isupper())
        return initials if 2 <= len(initials) <= 3 else name
    return name


def _sizes(value: object, rank: int) -> str:
    """A size for each axis."""
    each = value if isinstance(value, tuple) else (value,) * max(rank, 1)
    return "×".join("same" if size is None else str(size) for size in each)


def _short(value: object) -> str:
    """One number where all axes have it."""
    if isinstance(value, tuple) and len(set(value)) == 1:
        return str(value[0])
    return "×".join(map(str, value)) if isinstance(value, tuple) else str(value)


def riders_of(item: Item) -> tuple[str, str]:
    """What runs in front of an item and behind it, as it is shown."""
    before, after = (" ".join(short_name(one.name, one.role) for one in side) for side in (item.before, item.after))
    return before, after


def describe_item(item: Item) -> str:
    """An item in words, for tooltips and readers of screens."""
    before, after = riders_of(item)
    label = f"{item.label}: " if item.label and item.label != item.name else ""
    told = " ".join(
        filter(None, [item.name, item.arguments, f"after {before}" if before else "", f"then {after}" if after else ""])
    )
    if item.output is None or item.form in ("input", "learnt"):
        shapes = show(item.output)
    else:
        shapes = f"{show(item.input)} → {show(item.output)}"
    return f"{label}{told}: {shapes}" + (f", {item.parameters:,} parameters" if item.parameters else "")
