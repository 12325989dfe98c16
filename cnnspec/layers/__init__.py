"""The layers. Each file here but `base` and those with a leading underscore defines some; the classes register themselves."""

from cnnspec.declare import Reject
from cnnspec.layers.base import Call, Layer, Shape
from cnnspec.resources import import_all

__all__ = ["Call", "Layer", "Reject", "Shape", "find", "names"]

import_all(__name__, __path__, leave_out=["base"])
find, names = Layer.find, Layer.names
