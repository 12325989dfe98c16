"""The keys of a module's parts in its state dict."""

from __future__ import annotations

from cnnspec.torch_source.module_methods import walk
from cnnspec.torch_source.values import Instance, Tensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


class Keys:
    """The dotted names of the modules and parameters below one module."""

    def __init__(self, root: Instance) -> None:
        self._modules: dict[int, str] = {}
        self._parameters: dict[int, str] = {}
        self.loose: dict[str, dict[str, str]] = {}
        """Layers that the source has no module for, by their keys in the graph, with the keys of their parameters."""
        for name, part in walk(root):
            self._modules[id(part)] = name
            for key, child in part.children.items():
                if isinstance(child, Tensor) and child.parameter:
                    self._parameters.setdefault(id(child), f"{name}.{key}" if name else key)

    def of_module(self, module: Instance, around: Instance) -> str:
        """The name of a module below another; "" where it is none of its parts."""
        return self._below(self._modules.get(id(module), ""), around)

    def of_parameter(self, tensor: Tensor, around: Instance) -> str:
        """The name of a parameter below a module; "" where it is none of its own."""
        return self._below(self._parameters.get(id(tensor), ""), around)

    def add_loose(self, label: str, around: Instance, parameters: Mapping[str, str]) -> None:
        """Take up a layer of a module's forward, and which of the module's own parameters are whose of the layer."""
        prefix = self._modules.get(id(around), "")
        before = f"{prefix}." if prefix else ""
        self.loose[before + label] = {name: before + parameter for name, parameter in parameters.items()}

    def _below(self, name: str, around: Instance) -> str:
        prefix = self._modules.get(id(around), "")
        if not prefix:
            return name
        return name[len(prefix) + 1 :] if name.startswith(f"{prefix}.") else ""
