"""What situations share: their registry, and sizes along the way."""

from __future__ import annotations

from cnnspec.declare import sizes
from cnnspec.diagnostics import Edit
from cnnspec.diagnostics.suggestions import Kind
from cnnspec.graph.nodes import LayerNode
from cnnspec.graph.walk import walk
from cnnspec.repair.case import argument, literals
from cnnspec.syntax import tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cnnspec.repair.case import Candidate, Case, Option
    from cnnspec.repair.sites import Place
    from cnnspec.source import Span

    Rule = Callable[[Case], Iterator[Candidate | Option]]

RULES: list[Rule] = []
WHOLE = Kind("whole map", "{reason}a window over the whole of it is {size}")


def situation(rule: Rule) -> Rule:
    """Register a situation."""
    RULES.append(rule)
    return rule


def factors(case: Case, before: tree.Statement | None = None) -> tuple[int, ...]:
    """By how much the sizes are divided along the way at most, for each axis behind the channels."""
    nodes = (
        case.nodes_before(before)[::-1] if before is not None else [n for n in case.nodes if isinstance(n, LayerNode)]
    )
    rank = len(case.graph.input or ()) - 1 if case.graph is not None else 0
    now = [1] * max(0, rank)
    most = list(now)
    for node in nodes:
        if node.layer is None or node.layer.rank != rank:
            continue
        stride = stride_of(node)
        if stride is None or "Transpose" in node.title or len(stride) != rank:
            continue
        now = [a * b for a, b in zip(now, stride)]
        most = [max(a, b) for a, b in zip(most, now)]
    return tuple(most)


def stride_of(node: LayerNode) -> tuple[int, ...] | None:
    """By how much a window moves along each axis; None for layers without one."""
    layer = node.layer
    if layer is None or not layer.rank or not hasattr(layer, "kernel_size"):
        return None
    stride = getattr(layer, "stride", None)
    if stride is None:
        stride = layer.kernel_size
    return sizes(stride, layer.rank)


def unpadded_kernel(statement: tree.Statement, place: Place) -> int | None:
    """The odd kernel of a convolution without padding."""
    if (
        not isinstance(statement, tree.Layer)
        or not statement.name.id.startswith("Conv")
        or "Trans" in statement.name.id
    ):
        return None
    kernel = argument(statement, place.part, "kernel_size")
    padding = argument(statement, place.part, "padding")
    if kernel is None or padding is not None:
        return None
    numbers = {literal.value for literal in literals(kernel.value)}
    value = numbers.pop() if len(numbers) == 1 else None
    return value if isinstance(value, int) and value > 1 and value % 2 else None


def output_at(case: Case, edits: tuple[Edit, ...], head: Span) -> tuple[int, ...] | None:
    """The shape that a layer gives with edits elsewhere."""
    for graph in case.trials.measure(edits, case.models, case.parts):
        for _, node in walk(graph.root):
            if node.span == head:
                return node.output if node.output and all(size.__class__ is int for size in node.output) else None
    return None


def smallest(fits: Callable[[int], bool], start: int, most: int) -> int | None:
    """The smallest number above `start` that fits, if all above it fit as well. None where none up to `most` does."""
    low, high = start, start
    step = max(1, start)
    while not fits(high + step):
        low = high + step
        high, step = low, step * 2
        if high > most:
            return None
    high += step
    while high - low > 1:
        middle = (low + high) // 2
        if fits(middle):
            high = middle
        else:
            low = middle
    return high
