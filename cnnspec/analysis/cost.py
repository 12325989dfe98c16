"""What a network costs: arithmetic, learnable values, buffers, the size of what every module gives.

    costs = Costs(graph)
    costs.total.macs           # of the whole network, one sample forward
    costs.of(node).macs        # of a module with all that runs in it

A module that runs again costs its arithmetic once more; its parameters are counted where it is a child.
"""

from __future__ import annotations

from cnnspec.graph.nodes import Graph, LayerNode, MergeNode, Node, ResidualNode, StackNode
from cnnspec.graph.walk import children_of, node_of, steps_of
from cnnspec.layers.base import Parts, Shape, count
from cnnspec.record import record

DTYPES = {"float32": 4, "float16": 2, "bfloat16": 2, "float64": 8}
"""Bytes of a float."""


@record
class Cost:
    """What a module costs. Everything is for one sample and one forward pass; `output` counts the values that it gives.

    `macs` are the multiply-accumulates of convolutions and matrix products: half of what torch's FlopCounterMode counts.
    `operations` are all others in evaluation: biases, norms, pools, activations, sums. `buffers` and `counters` are the
    floats and the whole numbers that are kept without being learned.
    """

    parameters: int
    buffers: int
    counters: int
    macs: int
    operations: int
    output: int

    @property
    def flops(self) -> int:
        """Floating-point operations of convolutions and matrix products: a product and a sum each."""
        return 2 * self.macs


class Costs:
    """The costs of a graph without mistakes, and of every module in it."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._known: dict[int, Cost] = {}

    @property
    def total(self) -> Cost:
        """The costs of the whole network."""
        return self.of(self.graph.root)

    def of(self, node: Node) -> Cost:
        """The costs of a module of the graph, and of all that runs in it. Equal uses of a block share their node."""
        known = self._known.get(id(node))
        if known is None:
            known = self._known[id(node)] = self._work_out(node)
        return known

    def _work_out(self, node: Node) -> Cost:
        output = count(node.output or ())
        if isinstance(node, LayerNode):
            return _of_layer(node, output)
        kept = [self.of(child) for _, child in children_of(node)]
        runs = kept
        if isinstance(node, StackNode):
            ran = [node_of(node, step) for step in steps_of(node)]
            runs = [self.of(run) for run in ran if run is not None]
        macs, operations = own_work(node)
        return Cost(
            node.parameters,
            sum(cost.buffers for cost in kept),
            sum(cost.counters for cost in kept),
            macs + sum(cost.macs for cost in runs),
            operations + sum(cost.operations for cost in runs),
            output,
        )


def _of_layer(node: LayerNode, output: int) -> Cost:
    layer, x, y = node.layer, node.input, node.output
    if layer is None or x is None or y is None:
        raise ValueError("a graph with mistakes has no costs")
    buffers, counters = layer.buffers(x)
    return Cost(node.parameters, buffers, counters, layer.macs(x, y), layer.operations(x, y), output)


def own_work(node: Node) -> tuple[int, int]:
    """Multiply-accumulates and other operations of a merge itself, without those of its branches."""
    y = node.output
    if y is None or isinstance(y, Parts) or isinstance(node, (LayerNode, StackNode)):
        return 0, 0
    if isinstance(node, ResidualNode):
        return 0, count(y)
    if node.kind == "matmul":
        first = _first(node)
        return count(y) * first[-1], 0
    if node.kind in ("add", "multiply"):
        parts = len(node.branches) or 1 + len(node.operands)
        return 0, (parts - 1) * count(y)
    return 0, 0


def _first(node: MergeNode) -> Shape:
    shape = node.merged[0]
    assert shape is not None
    return shape
