"""A fingerprint of what a graph computes and of the keys of its state dict."""

from __future__ import annotations

import hashlib

from cnnspec.graph.nodes import Graph, LayerNode, MergeNode, Node, ResidualNode, StackNode
from cnnspec.graph.walk import walk


def digest_of(graph: Graph) -> str:
    """The SHA-256 of a network's architecture, as hexadecimal digits.

    Names of models, blocks and parameters, comments and layout do not change it.
    """
    lines = [repr([entry.shape for entry in graph.inputs])]
    for path, node in (("", graph.root), *walk(graph.root)):
        lines.append(f"{path}: {_canonical(node)}")
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _canonical(node: Node) -> str:
    match node:
        case LayerNode():
            assert node.layer is not None
            assert node.input is not None
            call = node.layer.call(node.input)
            return f"{call.target} {call.args!r} {sorted(call.kwargs.items())!r}"
        case StackNode():
            steps = [(step.module, step.feed, step.values, step.modules) for step in node.steps]
            weights = [(weight.label, weight.shape, weight.start) for weight in node.weights]
            return f"stack {steps!r} {node.result!r} {node.taps!r} {weights!r}" if steps or weights else "stack"
        case ResidualNode():
            return f"residual {node.given!r} {node.taps!r}"
        case MergeNode():
            return f"{node.kind} {node.operands!r} {node.dim} {node.given!r} {node.taps!r}"
    raise TypeError(f"no rule for {type(node).__name__}")
