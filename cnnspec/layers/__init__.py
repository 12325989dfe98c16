"""The layers. Each file here but `base` and those with a leading underscore defines some; the classes register themselves.

A file is imported when the first of its layers is asked for: `_index.py` says where they are.
"""

from cnnspec.declare import Reject
from cnnspec.layers._index import FILES
from cnnspec.layers.base import Call, Layer, Shape

__all__ = ["Call", "Layer", "Reject", "Shape", "find", "names"]

Layer.homes.update({name: f"{__name__}.{file}" for name, file in FILES.items()})
find, names = Layer.find, Layer.names
