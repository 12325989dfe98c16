"""What torch allocates, keeps and frees while a network is trained: storages with their owners, and the way back.

A layer says in `Layer.run` which of torch's operations it consists of; the tape counts bytes as torch 2.13 does on the CPU:
an operation allocates its result, what is kept for the way back is owned by a node, nodes run in reverse order, a node's
gradients are allocated before what it keeps is freed, and gradients that meet are added up.
"""

from __future__ import annotations

from math import prod

from cnnspec.record import record, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

FRESH, ALIAS, NEGATED, STRETCHED = "fresh", "alias", "negated", "stretched"
"""What becomes of a gradient on the way back: new memory; the same memory; one of each; new, then summed up."""
INDEX = 8
"""Bytes of an index, int64."""


class Value:
    """A stand-in for a tensor: its shape with the batch, the storage that it is in, the node that made it.

    `order` lists the dimensions from the slowest to the fastest in memory, None as they stand; `cut` are those of which the
    storage holds more.
    """

    __slots__ = ("cut", "node", "order", "part", "shape", "storage")

    def __init__(
        self, shape: tuple[int, ...], storage: int, node: int = -1, order: tuple[int, ...] | None = None,
        cut: frozenset[int] = frozenset(), part: int = 0,
    ) -> None:  # fmt: skip
        self.shape, self.storage, self.node = shape, storage, node
        self.order, self.cut, self.part = order, cut, part

    @property
    def dense(self) -> bool:
        """Whether its values lie one behind the other, in the order of the dimensions; those of size 1 don't matter."""
        if self.cut or self.order is None:
            return not self.cut
        wide = [dim for dim in self.order if self.shape[dim] > 1]
        return wide == sorted(wide)


@record
class Node:
    """An operation on the way back: where its gradients go, what it keeps, what it allocates."""

    inputs: tuple[tuple[int, int, int], ...]
    """Of each value that wants a gradient: its node, which of the node's results it is, and its bytes."""
    kept: tuple[int, ...]
    weights: tuple[tuple[str, int], ...]
    """Parameters by name, and the bytes of their gradients."""
    kind: str
    spare: int
    """Bytes that are allocated and freed again while it runs."""
    relaid: int
    """Bytes of weights whose gradient is copied into their layout."""
    where: str
    outputs: tuple[int, ...]
    """Bytes of each of its results."""
    copies: bool = False
    """Whether a gradient that is a part of a larger one is copied for it."""


class Tape:
    """Bytes that are in use, from the start of a forward pass on.

    `size` is that of a float. Without `gradients` nothing is kept; with `training` layers behave as in training. `watched`:
    gradients are added up as under a mode that watches every operation, which keeps torch from doing it in place.
    """

    def __init__(self, *, size: int = 4, gradients: bool = True, training: bool = True, watched: bool = False) -> None:
        self.size, self.gradients, self.training, self.watched = size, gradients, training, watched
        self.current = self.peak = 0
        self.where = self.peak_where = ""
        self.nodes: list[Node] = []
        self.kept_by: dict[str, int] = {}
        """Bytes that are kept for the way back, by the path of the layer that was the first to keep them."""
        self.course: list[tuple[str, int, int]] = []
        """After every operation: where it was, the bytes in use, and the most of them since the one before."""
        self.reached: set[int] = set()
        """The nodes that the way back has come to."""
        self._sizes: list[int] = []
        self._owners: list[int] = []
        self._kept: set[int] = set()
        self._outside: set[int] = set()
        self._high = 0

    # --- storages ---

    def allocate(self, count: int) -> int:
        """A new storage of so many bytes, with one owner."""
        self._sizes.append(count)
        self._owners.append(1)
        self.current += count
        if self.current > self._high:
            self._high = self.current
            if self.current > self.peak:
                self.peak, self.peak_where = self.current, self.where
        return len(self._sizes) - 1

    def own(self, storage: int) -> None:
        self._owners[storage] += 1

    def release(self, storage: int) -> None:
        self._owners[storage] -= 1
        if not self._owners[storage]:
            self.current -= self._sizes[storage]

    def note(self) -> None:
        """Put down how much is in use after an operation."""
        self.course.append((self.where, self.current, self._high))
        self._high = self.current

    def bytes_of(self, shape: Iterable[int]) -> int:
        return prod(shape) * self.size

    def given(self, shape: tuple[int, ...], count: int, *, outside: bool = True) -> Value:
        """A value that is there already, of so many bytes; what is `outside` is not counted as kept."""
        storage = self.allocate(count)
        if outside:
            self._outside.add(storage)
        return Value(shape, storage)

    # --- operations ---

    def op(
        self, inputs: Sequence[Value], shape: tuple[int, ...], *, keeps: Sequence[Value] = (), keeps_result: bool = False,
        extra: Sequence[int] = (), scratch: int = 0, weights: Sequence[int] = (), kind: str = FRESH, spare: int = 0,
        relaid: int = 0, inplace: bool = False, view: bool = False, count: int | None = None,
        order: tuple[int, ...] | None = None, drops: Sequence[Value] = (), label: str = "",
        gradient: int | None = None, copies: bool = False,
    ) -> Value:  # fmt: skip
        """One operation of torch: the value that it gives, owned once.

        `extra` are bytes that it allocates beside its result and keeps, `scratch` such that it frees at once; `weights` the
        sizes of the learnt values it uses, in bytes. `count` are the bytes of the result where they are not those of floats.
        What `drops` lists has no owner here any more afterwards. `label` tells apart weights of several operations of a layer;
        `gradient` are the bytes of an input's gradient where they are not those of the input; `copies` says that a gradient
        that is a part of a larger one, as behind `concat`, is copied first.
        """
        if inplace or view:
            storage = inputs[0].storage
            self.own(storage)
            more = [self.allocate(one) for one in extra]
        else:
            more = [self.allocate(one) for one in extra] if scratch else []
            storage = self.allocate(self.bytes_of(shape) if count is None else count)
            more = more or [self.allocate(one) for one in extra]
        if scratch:
            self.release(self.allocate(scratch))
        kept = [value.storage for value in keeps] + ([storage] if keeps_result else []) + more
        node = self._node(inputs, shape, kept, weights, kind, spare, relaid, label, gradient)
        if copies and node >= 0:
            self.nodes[node] = replace(self.nodes[node], copies=True)
        for one in (*more, *(value.storage for value in drops)):
            self.release(one)
        self.note()
        cut = inputs[0].cut if inplace else frozenset()
        return Value(shape, storage, node, inputs[0].order if inplace else order, cut)

    def _node(
        self, inputs: Sequence[Value], shape: tuple[int, ...], kept: Sequence[int], weights: Sequence[int], kind: str,
        spare: int, relaid: int, label: str, gradient: int | None,
    ) -> int:  # fmt: skip
        wanted = tuple((one.node, one.part, gradient or self.bytes_of(one.shape)) for one in inputs)
        if not self.gradients or not (weights or any(node >= 0 for node, _, _ in wanted)):
            return -1
        for storage in kept:
            self.own(storage)
            if storage not in self._kept and storage not in self._outside:
                self._kept.add(storage)
                self.kept_by[self.where] = self.kept_by.get(self.where, 0) + self._sizes[storage]
        named = tuple((f"{self.where}:{label}{place}", one) for place, one in enumerate(weights))
        self.nodes.append(Node(wanted, tuple(kept), named, kind, spare, relaid, self.where, (self.bytes_of(shape),)))
        return len(self.nodes) - 1

    def matrix(self, x: Value, y: tuple[int, ...], weight: int, bias: int, label: str = "") -> Value:
        """A product with a learnt matrix, and a bias: so many values; of more than rows that lie apart, a copy is made."""
        sizes = weight * self.size, bias * self.size
        if len(x.shape) == 2 or x.dense:
            # The gradient of the bias is added first.
            weights = [size for size in sizes[::-1] if size]
            return self.op([x], y, keeps=[x], weights=weights, label=label)
        rows = self.dense(x)
        product = self.op([rows], y, keeps=[rows], weights=sizes[:1], drops=[rows], label=label)
        if not bias:
            return product
        return self.op([product], y, kind=ALIAS, weights=sizes[1:], drops=[product], label=f"{label}bias")

    def spend(self, count: int) -> None:
        """Bytes that are in use for a moment on the way back, before what has been put down until now."""
        if self.nodes and self.gradients:
            last = self.nodes[-1]
            self.nodes[-1] = replace(last, spare=last.spare + count)

    def pointwise(
        self, x: Value, *, keeps: str = "", inplace: bool = False, extra: Sequence[int] = (), spare: int = 0
    ) -> Value:
        """A function of single values that keeps its "input", its "output" or nothing."""
        if inplace and keeps == "input":
            # Its input is gone then, so that a copy is made for the way back.
            return self.op(
                [x], x.shape, inplace=True, extra=[self.bytes_of(x.shape), *extra] if self._wants(x) else extra
            )
        order = x.order if not x.cut else None
        return self.op(
            [x], x.shape, keeps=[x] if keeps == "input" else (), keeps_result=keeps == "output", inplace=inplace,
            extra=extra, spare=spare, order=order,
        )  # fmt: skip

    def _wants(self, x: Value) -> bool:
        return self.gradients and x.node >= 0

    def laid_out(
        self, x: Value, shape: tuple[int, ...], *, order: tuple[int, ...] | None = None, cut: Iterable[int] = ()
    ) -> Value:
        """The same memory in another layout."""
        made = self.op([x], shape, kind=ALIAS, view=True, order=order)
        made.cut = frozenset(cut)
        return made

    def dense(self, x: Value) -> Value:
        """A value whose memory is in the order of its dimensions: itself, or a copy."""
        if x.dense:
            self.own(x.storage)
            return x
        return self.op([x], x.shape, kind=ALIAS)

    def piece(self, x: Value, shape: tuple[int, ...], axis: int) -> Value:
        """A part of a value, in its memory; on the way back a gradient as large as all of it is made."""
        made = self.op([x], shape, view=True, order=x.order)
        made.cut = x.cut | {axis}
        return made

    def pieces(self, x: Value, shapes: Sequence[tuple[int, ...]], axis: int) -> tuple[Value, ...]:
        """Parts of a value, in its memory, whose gradients are put together on the way back."""
        first = self.op([x], shapes[0], view=True, order=x.order)
        if first.node >= 0:
            self.nodes[first.node] = replace(self.nodes[first.node], outputs=tuple(map(self.bytes_of, shapes)))
        parts = []
        for number, shape in enumerate(shapes):
            if number:
                self.own(x.storage)
            parts.append(Value(shape, x.storage, first.node, x.order, x.cut | {axis}, number))
        return tuple(parts)

    def product(self, first: Value, second: Value, shape: tuple[int, ...], *, keeps: bool = True) -> Value:
        """A product of two values, one of which may be stretched over the other."""
        keep = [other for one, other in ((first, second), (second, first)) if self._wants(one)] if keeps else []
        return self.op([first, second], shape, keeps=keep, kind=STRETCHED)

    # --- the way back ---

    def backward(self, start: Value, first: int) -> int:
        """Go back from the last value, whose gradient is `first`: a storage that this owns.

        Gives the bytes of the gradients of learnt values.
        """
        run = _Backward(self)
        run.run(start, first)
        return sum(self._sizes[storage] for storage in run.of_weights.values())


class _Backward:
    """One run over the nodes, the last one first."""

    def __init__(self, tape: Tape) -> None:
        self.tape = tape
        self.arrived: dict[tuple[int, int], int] = {}
        self.of_weights: dict[str, int] = {}

    def run(self, start: Value, first: int) -> None:
        tape = self.tape
        self.arrived[start.node, start.part] = first
        for index in range(len(tape.nodes) - 1, -1, -1):
            node = tape.nodes[index]
            given = [self.arrived.pop((index, part), -1) for part in range(len(node.outputs))]
            if max(given) >= 0:
                tape.reached.add(index)
                tape.where = node.where
                self._node(node, given)
                tape.note()

    def _node(self, node: Node, given: list[int]) -> None:
        tape = self.tape
        # Parts that nothing was done with count as zeros.
        given = [tape.allocate(size) if one < 0 else one for one, size in zip(given, node.outputs)]
        gradients = self._gradients(node, given[0])
        weights = [(name, tape.allocate(size)) for name, size in node.weights]
        copied = node.outputs[0] if node.copies and tape._sizes[given[0]] > node.outputs[0] else 0
        if node.spare or copied:
            # Allocated before the gradients, and so in use together with all of them.
            tape.release(tape.allocate(node.spare + copied))
        if node.kind == STRETCHED:
            gradients = self._summed(node, gradients)
        for storage in (*node.kept, *given):
            tape.release(storage)
        if node.relaid:
            tape.release(tape.allocate(node.relaid))
        for name, storage in weights:
            self._add(self.of_weights, name, storage)
        for (origin, part, size), gradient in zip(node.inputs, gradients):
            if gradient >= 0:
                self._add(self.arrived, (origin, part), gradient, size)

    def _gradients(self, node: Node, given: int) -> list[int]:
        tape, found = self.tape, []
        for place, (origin, _, size) in enumerate(node.inputs):
            if origin < 0:
                found.append(-1)
            elif node.kind == ALIAS or (node.kind == NEGATED and place == 0):
                tape.own(given)
                found.append(given)
            else:
                found.append(tape.allocate(node.outputs[0] if node.kind == STRETCHED else size))
        return found

    def _summed(self, node: Node, gradients: list[int]) -> list[int]:
        """Gradients of a product, each summed up to the size of its value."""
        tape, found = self.tape, []
        for (_, _, size), gradient in zip(node.inputs, gradients):
            if gradient >= 0 and size != node.outputs[0]:
                small = tape.allocate(size)
                tape.release(gradient)
                gradient = small
            found.append(gradient)
        return found

    def _add(self, sums: dict, key: object, gradient: int, size: int = 0) -> None:  # type: ignore[type-arg]
        """Add a gradient to those that have come: in place where nothing else has the sum's memory."""
        tape = self.tape
        before = sums.get(key)
        if before is None:
            sums[key] = gradient
            return
        if not tape.watched and tape._owners[before] == 1:
            tape.release(gradient)
            return
        sums[key] = tape.allocate(size or tape._sizes[before])
        tape.release(before)
        tape.release(gradient)
