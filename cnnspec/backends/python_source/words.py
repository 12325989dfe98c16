"""Names and small texts of written Python."""

from __future__ import annotations

import keyword
import re

from cnnspec.layers.base import Parts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

RESERVED = frozenset(
    {"nn", "torch", "Tensor", "OrderedDict", "F", "init", "self", "super", "range", "len", "tuple", "list"}
)


def shape_text(shape: object) -> str:
    """A shape as specs write it."""
    if isinstance(shape, Parts):
        return "(" + ", ".join(map(shape_text, shape)) + ")"
    return "[" + ", ".join(map(str, shape)) + "]" if isinstance(shape, tuple) else ""


def type_of(shape: object) -> str:
    """The type of a value: a tensor, or a tuple of them."""
    if isinstance(shape, Parts):
        return f"tuple[{', '.join(map(type_of, shape))}]"
    return "Tensor"


def snake(name: str) -> str:
    """`MaxPool2d` as `max_pool2d`, `ReLU` as `relu`."""
    name = name.replace("ReLU", "Relu").replace("SiLU", "Silu")
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name).lower()


def camel(name: str) -> str:
    """`feature_map` as `FeatureMap`; what has capitals keeps them."""
    found = "".join(part[:1].upper() + part[1:] for part in re.split(r"\W+|_+", name) if part)
    return found if found[:1].isalpha() else f"Block{found}"


def identifier(text: str) -> str:
    """A name for a variable, out of a text such as `streams[1]`."""
    found = re.sub(r"\W+", "_", text, flags=re.ASCII).strip("_") or "value"
    found = found if found[0].isalpha() or found[0] == "_" else f"value_{found}"
    return f"{found}_" if keyword.iskeyword(found) or found in RESERVED else found


def fresh(name: str, taken: Collection[str | None]) -> str:
    """A name that is not taken: itself, or with a number behind it."""
    if name not in taken:
        return name
    number = 2
    while f"{name}{number}" in taken:
        number += 1
    return f"{name}{number}"


def attribute_name(title: str, taken: Collection[str | None]) -> str:
    """The name of an attribute that holds a module, by its class."""
    from cnnspec.compiler.module_names import problem_of

    name = identifier(snake(title))
    name = f"{name}_" if problem_of(name) or name == "fold" else name
    return fresh(name, {*taken})
