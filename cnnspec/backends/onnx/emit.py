"""The two questions about a layer, answered for each class of layers in the files beside this one."""

from __future__ import annotations

from functools import singledispatch

from cnnspec.backends.onnx.writer import Place, Unwritable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


@singledispatch
def emit(layer: Any, at: Place) -> Any:
    """Write a layer; the name of what it gives."""
    raise Unwritable("ONNX has no such operator")


@singledispatch
def limits(layer: Any, x: Any) -> None:
    """Raise Unwritable where a layer has arguments that ONNX has not."""
