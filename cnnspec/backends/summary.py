"""The graph as rows: every module under its key, with its output shape and what it costs; repeated ones folded into one."""

from __future__ import annotations

from cnnspec.analysis.cost import DTYPES, Cost, Costs
from cnnspec.analysis.receptive_field import Field, ReceptiveFields
from cnnspec.declare import spell
from cnnspec.graph.nodes import Graph, LayerNode, MergeNode, Node, ResidualNode, Shape, StackNode, Weight
from cnnspec.graph.walk import children_of, steps_of
from cnnspec.layers.base import Parts, count
from cnnspec.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from cnnspec.analysis.memory import Memory

INPUT, WEIGHT, MODULE, AGAIN = "input", "weight", "module", "again"


class Account:
    """All that is told of a graph without mistakes, for a batch of so many samples.

    `training` and `evaluation` are the memory of a step, in bytes, and worked out where they are asked for.
    """

    def __init__(self, graph: Graph, batch: int = 1, dtype: str = "float32", optimizer: str = "SGD") -> None:
        self.graph, self.batch, self.dtype, self.optimizer = graph.numbers, batch, dtype, optimizer
        self.costs, self.fields = Costs(self.graph), ReceptiveFields(self.graph)
        self._training: Memory | None = None

    @property
    def title(self) -> str:
        """The name of the network, and the sizes that the numbers are for where it is declared for several."""
        return title_of(self.graph)

    @property
    def float_size(self) -> int:
        """Bytes of a float."""
        return DTYPES[self.dtype]

    @property
    def training(self) -> Memory:
        if self._training is None:
            from cnnspec.analysis.memory import training_step

            self._training = training_step(self.graph, self.batch, optimizer=self.optimizer, dtype=self.dtype)
        return self._training

    @property
    def evaluation(self) -> Memory:
        from cnnspec.analysis.memory import evaluation

        return evaluation(self.graph, self.batch, dtype=self.dtype)

    def activations(self, row: Row) -> int:
        """Bytes of what the last module of a row gives for the batch."""
        return row.cost.output * self.batch * self.float_size

    def kept(self, row: Row) -> int:
        """Bytes that the modules of a row keep for the way back."""
        return sum(self.training.kept_in(path) for path in row.paths) if row.kind == MODULE else 0

    def seen(self, row: Row) -> tuple[Field, ...]:
        """The receptive field of the last module of a row."""
        return self.fields.of(row.paths[-1]) if row.kind == MODULE else ()


def title_of(graph: Graph) -> str:
    """The name of a network, and the sizes that its numbers are for where it is declared for several."""
    smallest = ", the smallest size that it is declared for" if graph.smallest else ""
    return f"{graph.name} with {graph.at}{smallest}" if graph.at else graph.name


@record
class Row:
    """One line of a summary: an input, a weight, a module or a further run of one.

    `paths` are the dotted keys of the modules that the line stands for: several where equal ones follow each other. `cost`
    is that of all of them. `own` is whether nothing of it is told by rows below. `node` is None for an input and a weight.
    """

    kind: str
    depth: int
    paths: tuple[str, ...]
    layer: str
    output: Shape | Parts
    cost: Cost
    own: bool = True
    node: Node | None = None

    @property
    def times(self) -> int:
        return len(self.paths)

    @property
    def key(self) -> str:
        """The last name of the path; of several their first and last one."""
        first, last = self.paths[0].rpartition(".")[2], self.paths[-1].rpartition(".")[2]
        return first if self.times == 1 else f"{first}-{last}"


def rows(graph: Graph, costs: Costs, *, depth: int | None = None, fold: bool = True) -> Iterator[Row]:
    """The lines of a summary, the inputs first: modules down to `depth` levels, equal neighbours as one with `fold`."""
    nothing = Cost(0, 0, 0, 0, 0, 0)
    for entry in graph.inputs:
        yield Row(INPUT, 0, (entry.name or "",), "input", entry.shape or (), nothing)
    yield from _Rows(costs, depth, fold).inside(graph.root, 0, "")


class _Rows:
    def __init__(self, costs: Costs, depth: int | None, fold: bool) -> None:
        self.costs, self.depth, self.fold = costs, depth, fold

    def inside(self, node: Node, depth: int, path: str) -> Iterator[Row]:
        """The rows of what is in a module."""
        if self.depth is not None and depth >= self.depth:
            return
        if not isinstance(node, StackNode):
            for key, child in children_of(node):
                yield from self._row(child, depth, (_below(path, key),))
            return
        for weight in node.weights:
            yield self._weight(weight, depth, path)
        if not node.steps:
            yield from self._chain(node, depth, path)
            return
        keys = [key for key, _ in children_of(node)]
        for step in steps_of(node):
            if step.again is not None:
                name = "" if step.module.taken else keys[step.module.index]
                yield Row(
                    AGAIN, depth, (_below(path, name),), f"again {name}".rstrip(), step.again.output or (),
                    _without_parameters(self.costs.of(step.again)), True, step.again,
                )  # fmt: skip
            else:
                index = step.module.index
                yield from self._row(node.children[index], depth, (_below(path, keys[index]),))

    def _chain(self, node: StackNode, depth: int, path: str) -> Iterator[Row]:
        """The rows of modules that follow each other: equal ones, which share their node, have one."""
        children = [(_below(path, key), child) for key, child in children_of(node)]
        start = 0
        while start < len(children):
            end = start + 1
            while self.fold and end < len(children) and children[end][1] is children[start][1]:
                end += 1
            yield from self._row(children[start][1], depth, tuple(path for path, _ in children[start:end]))
            start = end

    def _row(self, node: Node, depth: int, paths: tuple[str, ...]) -> Iterator[Row]:
        leaf = isinstance(node, LayerNode) or not any(True for _ in children_of(node))
        cost = self.costs.of(node)
        shown = cost if len(paths) == 1 else _times(cost, len(paths))
        own = leaf or depth + 1 == self.depth
        yield Row(MODULE, depth, paths, layer_text(node), node.output or (), shown, own, node)
        yield from self.inside(node, depth + 1, paths[0])

    def _weight(self, weight: Weight, depth: int, path: str) -> Row:
        values = count(weight.shape)
        cost = Cost(weight.parameters, 0, 0, 0, 0, values)
        return Row(WEIGHT, depth, (_below(path, weight.label),), "weight", weight.shape, cost)


def _below(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _times(cost: Cost, times: int) -> Cost:
    return Cost(
        cost.parameters * times, cost.buffers * times, cost.counters * times, cost.macs * times,
        cost.operations * times, cost.output,
    )  # fmt: skip


def _without_parameters(cost: Cost) -> Cost:
    return Cost(0, 0, 0, cost.macs, cost.operations, cost.output)


def layer_text(node: Node) -> str:
    """What a module is, as one would write it in a spec."""
    if isinstance(node, MergeNode):
        dim = [f"dim={node.dim}"] if node.kind == "concat" and node.dim != 1 else []
        arguments = ", ".join([*node.sources, *dim])
        return f"{node.kind}({arguments})" if arguments else node.kind
    if isinstance(node, LayerNode) and node.layer is not None:
        fields = [field for field in node.layer.fields.values() if field.name in node.layer.given]
        told = [(field, node.layer.given[field.name]) for field in fields if field.name != node.layer.inferred]
        arguments = ", ".join(
            spell(value) if field.required else f"{field.name}={spell(value)}"
            for field, value in told
            if field.required or value != field.default
        )
        return f"{node.title}({arguments})" if arguments else node.title
    return "residual" if isinstance(node, ResidualNode) else node.title
