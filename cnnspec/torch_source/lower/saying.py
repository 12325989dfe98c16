"""Layers of the language by name, and what is raised where the language has no word for something."""

from __future__ import annotations

from cnnspec.layers import Layer


class Unsaid(Exception):
    """What the language has no word for."""


def make_layer(name: str, **values: object) -> Layer:
    """A layer of the language with these arguments. Raises Unsaid where it does not take them."""
    cls = Layer.find(name)
    assert cls is not None
    try:
        layer = cls(**{key: tuple(value) if isinstance(value, list) else value for key, value in values.items()})
    except (TypeError, ValueError) as error:
        raise Unsaid(str(error)) from None
    assert isinstance(layer, Layer)
    layer.validate()
    return layer
