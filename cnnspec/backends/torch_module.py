"""From the graph to torch: an `nn.Sequential` whose children and keys are those of one written by hand."""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import nn

import cnnspec.nn
from cnnspec import layers
from cnnspec.graph.nodes import Graph, LayerNode, MergeNode, Node, ResidualNode, StackNode, children_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_MERGES = {"add": cnnspec.nn.Add, "multiply": cnnspec.nn.Multiply, "concat": cnnspec.nn.Concat}


def build(graph: Graph, *, device: str | torch.device | None = None, dtype: torch.dtype | None = None) -> nn.Sequential:
    """The module of a graph, on `device` and in `dtype` (torch's current defaults where they are None)."""
    modules = _modules()
    with torch.device(device if device is not None else torch.get_default_device()):
        net = _stack(graph.root, modules)
    return net if dtype is None else net.to(dtype)


def _modules() -> dict[str, Callable[..., nn.Module]]:
    """The torch class of every registered layer, by the name under which `Layer.call` gives it."""
    found: dict[str, Callable[..., nn.Module]] = {}
    for name in layers.names():
        layer = layers.find(name)
        assert layer is not None
        home = cnnspec.nn if layer.own else nn
        found[layer.target()] = layer.module or getattr(home, layer.__name__)
    return found


def _module(node: Node, modules: dict[str, Callable[..., nn.Module]]) -> nn.Module:
    match node:
        case LayerNode():
            if node.layer is None or node.input is None:
                raise ValueError("a graph with mistakes can't be compiled")
            call = node.layer.call(node.input)
            return modules[call.target](*call.args, **call.kwargs)
        case StackNode():
            return _stack(node, modules)
        case ResidualNode():
            shortcut = None if node.shortcut is None else _stack(node.shortcut, modules)
            return cnnspec.nn.Residual(_stack(node.body, modules), shortcut)
        case MergeNode():
            branches = [_stack(branch, modules) for branch in node.branches]
            options = {"dim": node.dim} if node.kind == "concat" else {}
            return _MERGES[node.kind](*branches, sources=node.sources, **options)
    raise TypeError(f"no rule for {type(node).__name__}")


def _stack(node: StackNode, modules: dict[str, Callable[..., nn.Module]]) -> nn.Sequential:
    children = OrderedDict((key, _module(child, modules)) for key, child in children_of(node))
    if node.kept or any(getattr(child, "takes_values", False) for child in children.values()):
        return cnnspec.nn.Stack(children, keep=node.kept, input_name=node.input_name)
    return nn.Sequential(children)
