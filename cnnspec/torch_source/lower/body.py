"""A body of the graph as it grows: modules, steps, and the wires that lead to each tensor of the trace."""

from __future__ import annotations

from cnnspec.graph.nodes import (
    ARRIVING,
    STEP,
    TAKEN,
    WEIGHT,
    Feed,
    LayerNode,
    Link,
    MergeNode,
    Node,
    StackNode,
    Step,
    Weight,
    Wire,
)
from cnnspec.layers import Layer
from cnnspec.layers.base import Parts, count
from cnnspec.record import replace
from cnnspec.torch_source.fitting import input_names
from cnnspec.torch_source.lower.foreign import Foreign
from cnnspec.torch_source.lower.patterns import simplified
from cnnspec.torch_source.lower.saying import Unsaid
from cnnspec.torch_source.lower.shapes import batch_axis, learned, parts_of, sample, shapes_of, tensors_in
from cnnspec.torch_source.values import Instance, Tensor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from cnnspec.layers.base import Shape
    from cnnspec.source import Span
    from cnnspec.torch_source.lower.keys import Keys
    from cnnspec.torch_source.trace import Run


class Body:
    """The graph of one run of a module."""

    def __init__(self, run: Run, span: Span, keys: Keys) -> None:
        self.run, self.span, self.keys = run, span, keys
        self.children: list[Node] = []
        self.steps: list[Step] = []
        self.weights: list[Weight] = []
        self.learnt: set[str] = set()
        """Parameters that are the weights of a layer."""
        self.wires: dict[int, Wire] = {}
        self.stretched: dict[int, Tensor] = {}
        """Tensors that are others stretched to a larger shape."""
        self.memory: dict[int, int] = {}
        """Tensors that lie in the memory of another one."""
        self.stale: set[int] = set()
        """Tensors whose memory was written over under another name."""
        self.changed: set[int] = set()
        """Tensors that arrived, and were written over."""
        self.problems: list[tuple[str, Span]] = []
        """What the graph does not tell: reasons, and where."""
        self.takes: list[str] = []
        self.kept: list[Tensor] = []
        """Tensors that no trace holds: while they live, no other has their identity."""
        self._numbers: dict[int, int] = {}
        self.arriving: tuple[int, ...] = ()
        self._arrive()

    def _arrive(self) -> None:
        """Wires for the arguments: the first with tensors is the running value, the others are taken from outside."""
        given = [(number, value) for number, value in enumerate(self.run.inputs) if any(tensors_in(value))]
        names = input_names(self.run.module)
        for position, (number, value) in enumerate(given):
            wire = Wire(TAKEN, position - 1) if position else Wire(ARRIVING)
            self._wire(value, wire)
            if position:
                self.takes.append(names[number] if number < len(names) else f"value{number}")
        self.arriving = tuple(number for number, _ in given)

    def _wire(self, value: object, wire: Wire) -> None:
        if isinstance(value, Tensor):
            self.wires.setdefault(id(value), wire)
            return
        for number, part in enumerate(part for part in parts_of(value) if any(tensors_in(part))):
            self._wire(part, Wire(wire.kind, wire.index, (*wire.path, number)))

    # --- values ---

    def wire(self, tensor: Tensor) -> Wire | None:
        """Where a tensor comes from; None for one that was made of nothing."""
        found = self.wires.get(id(tensor))
        if found is None and id(tensor) in self.stretched:
            # Merges look at what was stretched; anything else gets the larger value.
            original = self.stretched[id(tensor)]
            reason = "a value is stretched to a larger shape"
            found = self.foreign("expand", reason, (original,), tensor, self.span, None, 0)
            if found is not None:
                self.wires[id(tensor)] = found
        name = self.keys.of_parameter(tensor, self.run.module) if found is None and tensor.parameter else ""
        if name:
            self.weights.append(Weight(name, learned(tensor.shape), 0.0, self.span))
            found = self.wires[id(tensor)] = Wire(WEIGHT, len(self.weights) - 1)
        return found

    def feed(self, value: object) -> Feed | None:
        """The wires of a value; None where one of its tensors was made of nothing."""
        if isinstance(value, Tensor):
            if id(value) in self.stale:
                self.problems.append(("a tensor that was written over under another name", self.span))
            return self.wire(value)
        feeds = [self.feed(part) for part in parts_of(value) if any(tensors_in(part))]
        return None if None in feeds else tuple(feed for feed in feeds if feed is not None)

    def name_of(self, module: Instance) -> str:
        """The key of a module below the one that runs; "" for one that is not registered there."""
        return self.keys.of_module(module, self.run.module)

    # --- what is added ---

    def layer(self, layer: Layer, tensors: tuple[Tensor, ...], output: Shape, span: Span) -> Wire:
        """Run a layer that is no module of the source on a tensor, or on several."""
        return self.layer_on(layer, self._feed(tensors), self._shape(tensors), output, span)

    def layer_on(self, layer: Layer, feed: Feed, x: Shape | Parts, output: Shape | Parts, span: Span) -> Wire:
        """Run a layer that is no module of the source on a wire whose shape is known."""
        return self.append(LayerNode(None, type(layer).__name__, layer, x, output, 0, span), feed)

    def learning(
        self, layer: Layer, x: Tensor, output: Tensor, own: Mapping[str, Tensor], label: str, span: Span
    ) -> Wire:  # fmt: skip
        """Run a layer whose weights are parameters of the module that runs: `own`, by their names in the layer."""
        before, after = sample_of(x), sample_of(output)
        wanted = {name: size for name, size in layer.tensors(before).items() if name in own or size}
        names = {name: self.keys.of_parameter(tensor, self.run.module) for name, tensor in own.items()}
        if set(wanted) != set(own) or not all(names.values()) or self.learnt & set(names.values()):
            raise Unsaid("weights that are no parameters of this module alone")
        if batch_axis(x.shape) != 0 or tuple(layer.infer(before)) != after:
            raise Unsaid("the batch is not the first dimension here")
        if any(count(wanted[name]) != count(tensor.shape) for name, tensor in own.items()):
            raise Unsaid("weights of another shape")
        self.learnt |= set(names.values())
        label = label or "scale"
        taken = {child.label for child in self.children} | {key for key, _ in self.run.module.modules()}
        while label in taken:
            label += "_"
        self.keys.add_loose(label, self.run.module, names)
        node = LayerNode(label, type(layer).__name__, layer, before, after, layer.parameters(before), span)
        return self.append(node, self._feed((x,)))

    def merge(
        self, kind: str, first: Tensor, others: tuple[object, ...], output: Shape, span: Span, dim: int = 1
    ) -> Wire:
        """Merge tensors and numbers."""
        return self.merge_on(kind, self._feed((first,)), sample_of(first), others, output, span, dim)

    def merge_on(
        self, kind: str, feed: Feed, x: Shape, others: tuple[object, ...], output: Shape, span: Span, dim: int = 1
    ) -> Wire:
        """Merge a wire whose shape is known with tensors and numbers."""
        tensors = [other for other in others if isinstance(other, Tensor)]
        values = tuple(self._feed((other,)) for other in tensors)
        operands = tuple(float(other) if isinstance(other, (int, float)) else None for other in others)
        merged = (x, *map(sample_of, tensors))
        node = MergeNode(
            None, kind.capitalize(), kind, (), operands, tuple("" if one is None else f"{one:g}" for one in operands),
            merged, dim, x, output, 0, span, 1, (), len(values), 0,
        )  # fmt: skip
        return self.append(node, feed, values)

    def foreign(
        self, name: str, reason: str, inputs: tuple[object, ...], output: object, span: Span, module: Instance | None,
        count: int,
    ) -> Wire | None:  # fmt: skip
        """Run what the language has no word for; nothing where no tensor that is known goes into it."""
        tensors = tuple(one for one in tensors_in(inputs) if self.wire(one) is not None)
        if not tensors and not count:
            return None
        feeds = tuple(wire for wire in map(self.wire, tensors) if wire is not None) or (Wire(ARRIVING),)
        shapes = tuple(map(shapes_of, tensors)) or (shapes_of(self.run.inputs),)
        feed: Feed = feeds if len(feeds) > 1 else feeds[0]
        x: Shape | Parts = Parts(shapes) if len(feeds) > 1 else shapes[0]
        layer = Foreign(name, reason, shapes_of(output), count)
        node = LayerNode(None, name, layer, x, shapes_of(output), count, span)
        return self.run_module(module, node, feed) if module is not None else self.append(node, feed)

    def run_module(self, module: Instance, node: Node, feed: Feed, values: tuple[Feed, ...] = ()) -> Wire:
        """Run a module of the source: as a child under its key, or once more where it has run before."""
        number = self._numbers.get(id(module))
        if number is not None and isinstance(node, LayerNode) and not node.parameters and not _keeps(node):
            return self.append(node, feed, values)
        if number is not None:
            self.steps.append(Step(Link(number), feed, values, again=replace(node, parameters=0)))
            return Wire(STEP, len(self.steps) - 1)
        self._numbers[id(module)] = len(self.children)
        name = self.name_of(module) or module.name
        label = None if name == str(len(self.children)) or not name else name
        return self.append(replace(node, label=label), feed, values)

    def append(self, node: Node, feed: Feed, values: tuple[Feed, ...] = ()) -> Wire:
        self.children.append(node)
        self.steps.append(Step(Link(len(self.children) - 1), feed, values))
        return Wire(STEP, len(self.steps) - 1)

    def gives(self, output: object, wire: Wire) -> None:
        """What a step has given: its tensors are behind this wire from now on."""
        if isinstance(output, Tensor):
            self.wires[id(output)] = wire
            return
        for number, part in enumerate(part for part in parts_of(output) if any(tensors_in(part))):
            self.gives(part, Wire(wire.kind, wire.index, (*wire.path, number)))

    def same(self, output: Tensor, tensor: Tensor) -> None:
        """An operation that leaves a tensor as it is."""
        feed = self.feed(tensor)
        if isinstance(feed, Wire):
            self.wires[id(output)] = feed
        if id(tensor) in self.stretched:
            self.stretched[id(output)] = self.stretched[id(tensor)]

    def in_memory_of(self, output: Tensor, tensor: Tensor) -> None:
        """Note that a tensor is a view of another."""
        self.memory[id(output)] = self.memory.get(id(tensor), id(tensor))

    def written_over(self, tensor: Tensor, wire: Wire) -> None:
        """Note that a tensor has changed its values: the same name means what this wire gives."""
        root = self.memory.get(id(tensor), id(tensor))
        before = self.wires.get(id(tensor))
        if before is not None and before.kind in (ARRIVING, TAKEN):
            self.changed.add(id(tensor))
        self.stale |= {other for other, owner in self.memory.items() if owner == root and other != id(tensor)}
        if root != id(tensor):
            self.stale.add(root)
        self.wires[id(tensor)] = wire

    # --- helpers ---

    def _feed(self, tensors: tuple[Tensor, ...]) -> Feed:
        feed = self.feed(tensors)
        if feed is None or isinstance(feed, Wire):
            raise Unsaid("a tensor that was made of nothing")
        return feed if len(feed) > 1 else feed[0]

    def _shape(self, tensors: tuple[Tensor, ...]) -> Shape | Parts:
        shapes = tuple(map(sample_of, tensors))
        return Parts(shapes) if len(shapes) > 1 else shapes[0]

    def node(self, label: str | None, output: object, span: Span) -> StackNode:
        """The body as a node."""
        given = [self.run.inputs[number] for number in self.arriving]
        x = shapes_of(given[0]) if given else ()
        result = self.feed(output)
        own = sum(weight.parameters for weight in self.weights)
        self.children, self.steps, result = simplified(self.children, self.steps, result)
        last = Wire(STEP, len(self.steps) - 1) if self.steps else Wire(ARRIVING)
        return StackNode(
            label, self.run.module.cls.name, tuple(self.children), x, shapes_of(output),
            own + sum(child.parameters for child in self.children), span, sum(child.layers for child in self.children),
            () if self._is_plain(result, last) else tuple(self.steps), None if result == last else result,
            tuple(self.takes), 0, (), tuple(self.weights),
        )  # fmt: skip

    def _is_plain(self, result: Feed | None, last: Wire) -> bool:
        before = Wire(ARRIVING)
        for number, step in enumerate(self.steps):
            if step.feed != before or step.values or step.again is not None:
                return False
            before = Wire(STEP, number)
        return result == last and not self.weights and not self.takes


def _keeps(node: LayerNode) -> bool:
    """Whether a layer has values that it keeps from run to run."""
    return node.layer is not None and node.input is not None and any(node.layer.buffers(node.input))


def sample_of(tensor: Tensor) -> Shape:
    """The shape of a tensor without its batch. Raises Unsaid where it is not one batch of samples."""
    if tensor.parameter and batch_axis(tensor.shape) is None:
        return learned(tensor.shape)
    if batch_axis(tensor.shape) is None:
        raise Unsaid("a tensor whose samples do not stand one behind the other")
    return sample(tensor.shape)
