"""How much memory a step of training takes, and evaluation: the bytes in use after every operation, as torch 2.13 has them.

    step = training_step(graph, batch=32, optimizer="SGD")
    step.peak, step.peak_at            # bytes, and where they are needed
    step.kept["layer1.0"]              # bytes that a module keeps for the way back

The step is the usual one: a forward pass, cross entropy of every output, a backward pass, the optimizer's step; gradients
are None before it, the optimizer has its state. What operations use inside of their kernels is not in these numbers.
"""

from __future__ import annotations

from math import prod

from cnnspec.analysis.cost import DTYPES, Costs
from cnnspec.analysis.flow import Interpreter, outside
from cnnspec.graph.nodes import Graph, LayerNode, MergeNode, Node, ResidualNode, StackNode, Weight
from cnnspec.graph.walk import children_of
from cnnspec.layers._tape import ALIAS, INDEX, Tape, Value
from cnnspec.layers.base import Parts
from cnnspec.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

OPTIMIZERS = {"SGD": (0, 0), "momentum": (1, 0), "Adam": (2, 2), "AdamW": (2, 2)}
"""Floats that an optimizer keeps for each learnt value, and temporary copies of one parameter that its step makes."""
COUNTER = 4
"""Bytes of the number of steps that Adam keeps for each parameter."""


@record
class Memory:
    """The memory of a step, in bytes. `peak` is all of it at its highest, in the phase `peak_phase` at the module `peak_at`.

    `macs` are the multiply-accumulates of the step for one sample, forward and backward.
    `kept` are the bytes that stay for the way back, by the path of the module that is the first to keep them; inputs,
    parameters and buffers are not in it. `course` has the bytes in use after every operation, with its phase and module.
    """

    batch: int
    parameters: int
    buffers: int
    optimizer: int
    inputs: int
    gradients: int
    macs: int
    peak: int
    peak_phase: str
    peak_at: str
    kept: dict[str, int]
    course: tuple[tuple[str, str, int, int], ...]

    @property
    def activations(self) -> int:
        """All that is kept for the way back."""
        return sum(self.kept.values())

    def kept_in(self, path: str) -> int:
        """What a module keeps, with all that is in it."""
        below = f"{path}."
        return sum(count for one, count in self.kept.items() if one == path or one.startswith(below))


@record
class Compared:
    """What a loss needs beside the output and the targets, in values as many as the output has.

    It `keeps` some for the way back, `holds` some as the memory that its sum is left in, and allocates some for a moment,
    `forward` and `backward`. `classes`: the target is a whole number for each place, else one for each value.
    """

    classes: bool
    keeps: int = 0
    holds: int = 0
    forward: int = 0
    backward: int = 0


def training_step(
    graph: Graph, batch: int = 1, *, optimizer: str = "SGD", dtype: str = "float32", watched: bool = False,
    losses: Sequence[Compared | None] = (),
) -> Memory:  # fmt: skip
    """The memory of one training step. `watched` counts as a torch dispatch mode sees it, which adds up gradients anew.

    `losses` are those of the outputs, in their order; None and those that are left out are cross entropies.
    """
    return _Step(graph, batch, optimizer, DTYPES[dtype], watched=watched, losses=losses).train()


def mixed_peak(
    graph: Graph,
    batch: int = 1,
    *,
    optimizer: str = "SGD",
    dtype: str = "bfloat16",
    losses: Sequence[Compared | None] = (),
) -> int:
    """About how many bytes a training step takes at its peak where autocast puts activations into `dtype`.

    Weights, gradients and the optimizer's state are float32; until its gradient is there, each weight has a copy.
    """
    full = training_step(graph, batch, optimizer=optimizer, losses=losses)
    half = training_step(graph, batch, optimizer=optimizer, dtype=dtype, losses=losses)
    more = full.parameters + full.optimizer - half.optimizer + full.inputs - half.inputs
    passes = max(high for phase, _, _, high in half.course if phase != "optimizer")
    return max(passes + more, *(high for phase, _, _, high in full.course if phase == "optimizer"))


def evaluation(graph: Graph, batch: int = 1, *, dtype: str = "float32") -> Memory:
    """The memory of a forward pass in evaluation, without gradients."""
    return _Step(graph, batch, "", DTYPES[dtype], gradients=False).evaluate()


class _Step(Interpreter):
    def __init__(
        self, graph: Graph, batch: int, optimizer: str, size: int, *, gradients: bool = True, watched: bool = False,
        losses: Sequence[Compared | None] = (),
    ) -> None:  # fmt: skip
        self.graph, self.batch, self.optimizer, self.size = graph, batch, optimizer, size
        self.losses = losses
        self.tape = Tape(size=size, gradients=gradients, training=gradients, watched=watched)
        self.each = list(_parameter_sizes(graph.root))
        total = Costs(graph).total
        self.parameters = total.parameters * size
        self.buffers = total.buffers * size + total.counters * INDEX
        copies = OPTIMIZERS[optimizer][0] if optimizer else 0
        self.state = copies * self.parameters + (COUNTER * len(self.each) if copies > 1 else 0)
        self.macs = 0
        self.back: list[tuple[tuple[int, ...], int]] = []
        """Arithmetic of the way back, with the nodes of what it comes from."""
        self.phases: list[tuple[str, int]] = []
        self._plain_outputs: dict[int, Any] = {}

    # --- a step ---

    def train(self) -> Memory:
        tape = self.tape
        tape.allocate(self.parameters + self.buffers + self.state)
        end = self._forward()
        total = self._total(end)
        inputs = self.inputs
        self._phase("backward")
        root = tape.allocate(self.size)
        gradients = 0
        if total.node >= 0:
            tape.own(root)
            gradients = tape.backward(total, root)
            self.macs += sum(macs for nodes, macs in self.back if not tape.reached.isdisjoint(nodes))
        tape.release(root)
        self._phase("optimizer")
        tape.where = ""
        tape.release(tape.allocate(self._copies() * self.size))
        tape.note()
        return self._result(inputs, gradients)

    def evaluate(self) -> Memory:
        self.tape.allocate(self.parameters + self.buffers)
        self._forward()
        return self._result(self.inputs, 0)

    def _forward(self) -> Any:
        tape, graph = self.tape, self.graph
        given = []
        self.inputs = 0
        for entry in graph.inputs:
            shape = (self.batch, *(entry.shape or ()))
            size = prod(shape) * (INDEX if entry.integers else self.size)
            self.inputs += size
            given.append(tape.given(shape, size))
        if tape.gradients:
            for number, shape in enumerate(_flat_shapes(graph.output)):
                loss = self._compared(number)
                classes = loss is None or loss.classes
                target = self.batch * (prod(shape[1:]) * INDEX if classes else prod(shape) * self.size)
                self.inputs += target
                tape.given((target,), target)
        self._phase("forward")
        return self.run(graph.root, given[0], given[1:], outside(graph.root))

    def _total(self, end: Any) -> Value:
        """The sum of the losses of all outputs."""
        first, *others = [self._loss(value, self._compared(number)) for number, value in enumerate(_flat(end))]
        for other in others:
            first = self.tape.op([first, other], (1,), kind=ALIAS, drops=[first, other])
        return first

    def _compared(self, number: int) -> Compared | None:
        return self.losses[number] if number < len(self.losses) else None

    def _loss(self, output: Value, loss: Compared | None) -> Value:
        """The loss of an output. Of cross entropy its log-softmax is kept, with the number of examples."""
        tape = self.tape
        tape.where = "loss"
        if loss is not None:
            size = tape.bytes_of(output.shape)
            extra = [size * loss.keeps] * bool(loss.keeps)
            return tape.op(
                [output], (1,), keeps=[output], extra=extra, scratch=size * loss.forward, spare=size * loss.backward,
                count=size * loss.holds or self.size,
            )  # fmt: skip
        logs = tape.op([output], output.shape, keeps_result=True)
        return tape.op([logs], (1,), keeps=[logs], extra=[self.size], drops=[logs])

    def _copies(self) -> int:
        """Values in temporary copies of parameters at once: of Adam two of one parameter, and one of that before it."""
        copies = OPTIMIZERS[self.optimizer][1]
        before = [0, *self.each]
        return max((copies * size + last for size, last in zip(self.each, before)), default=0) if copies else 0

    def _phase(self, name: str) -> None:
        self.phases.append((name, len(self.tape.course)))

    def _result(self, inputs: int, gradients: int) -> Memory:
        tape = self.tape
        course, phase, number = [], "", 0
        for place, (where, current, high) in enumerate(tape.course):
            while number < len(self.phases) and self.phases[number][1] <= place:
                phase = self.phases[number][0]
                number += 1
            course.append((phase, where, current, high))
        top = max(course, key=lambda one: one[3], default=("forward", "", tape.peak, tape.peak))
        return Memory(
            self.batch, self.parameters, self.buffers, self.state, inputs, gradients, self.macs, tape.peak, top[0], top[1],
            tape.kept_by, tuple(course),
        )  # fmt: skip

    # --- what runs ---

    def hold(self, value: Any) -> None:
        for one in _flat(value):
            self.tape.own(one.storage)

    def drop(self, value: Any) -> None:
        for one in _flat(value):
            self.tape.release(one.storage)

    def layer(self, node: LayerNode, x: Any, path: str) -> Any:
        assert node.layer is not None
        assert node.input is not None
        assert node.output is not None
        self.tape.where = path
        made = node.layer.run(self.tape, x, self._batched(node))
        if macs := node.layer.macs(node.input, node.output):
            wanted = any(value.node >= 0 for value in _flat(x))
            self._count(macs, node.layer.backward_macs(node.input, node.output, wanted=wanted), made)
        return made

    def _count(self, macs: int, back: int, made: Any) -> None:
        """Arithmetic forward, and that of the way back from what is made, if the way back comes there."""
        self.macs += macs
        self.back.append((tuple(value.node for value in _flat(made)), back))

    def _batched(self, node: Node) -> Any:
        known = self._plain_outputs.get(id(node))
        if known is None:
            known = self._plain_outputs[id(node)] = _with_batch(node.output, self.batch)
        return known

    def merge(self, node: MergeNode | ResidualNode, parts: list[Any], path: str) -> Any:
        tape, y = self.tape, self._batched(node)
        tape.where = path
        kind = node.kind if isinstance(node, MergeNode) else "add"
        numbers = sum(one is not None for one in node.operands) if isinstance(node, MergeNode) else 0
        if kind == "tuple":
            for part in parts:
                self.hold(part)
            return tuple(parts)
        if kind == "concat":
            return tape.op(parts, y, kind=ALIAS)
        if kind == "matmul":
            return self._matmul(parts, y)
        return self._fold(kind, parts, numbers)

    def _fold(self, kind: str, parts: list[Value], numbers: int) -> Value:
        """A sum or a product, two values at a time."""
        tape, total, shape = self.tape, parts[0], parts[0].shape
        tape.own(total.storage)
        for part in [*parts[1:], *[None] * numbers]:
            before = total
            order = total.order if not total.cut else None
            if part is None:
                total = tape.op([total], shape, kind=ALIAS if kind == "add" else "fresh", order=order)
            else:
                shape = tuple(map(max, shape, part.shape))
                if kind == "add":
                    total = tape.op([total, part], shape, kind=ALIAS, order=order)
                else:
                    total = tape.product(total, part, shape)
                    total.order = order
            tape.release(before.storage)
        return total

    def _matmul(self, parts: list[Value], y: tuple[int, ...]) -> Value:
        tape, (first, second) = self.tape, parts
        rows = [tape.dense(first), tape.dense(second)]
        keep = [rows[1]] * (first.node >= 0) + [rows[0]] * (second.node >= 0)
        made = tape.op(rows, y, keeps=keep, drops=rows)
        macs = prod(y[1:]) * first.shape[-1]
        self._count(macs, macs * len(keep), made)
        return made

    def weight(self, weight: Weight, path: str) -> Value:
        tape = self.tape
        tape.where = path
        size = tape.bytes_of(weight.shape)
        empty = Value((self.batch, *weight.shape), tape.given((), 0).storage)
        made = tape.op([empty], empty.shape, weights=[size], view=True)
        tape.release(empty.storage)
        return made


def _flat(value: Any) -> list[Value]:
    return [part for one in value for part in _flat(one)] if isinstance(value, tuple) else [value]


def _flat_shapes(shape: Any) -> list[tuple[int, ...]]:
    return [one for part in shape for one in _flat_shapes(part)] if isinstance(shape, Parts) else [shape]


def _with_batch(shape: Any, batch: int) -> Any:
    if isinstance(shape, Parts):
        return tuple(_with_batch(part, batch) for part in shape)
    return (batch, *shape)


def _parameter_sizes(node: Node) -> Any:
    """How many values each parameter tensor holds, as far as that matters: weights apart from all others of a layer."""
    if isinstance(node, LayerNode):
        if node.layer is not None and node.parameters and node.input is not None:
            yield from node.layer.parameter_sizes(node.input)
        return
    if isinstance(node, StackNode):
        for weight in node.weights:
            yield weight.parameters
    for _, child in children_of(node):
        yield from _parameter_sizes(child)
