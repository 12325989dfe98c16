"""Long models tried in part: from the statement that an edit touches to where the shapes are again what they were.

A trial of the whole would cost as much as the check itself, which for thousands of layers is a second.
"""

from __future__ import annotations

from bisect import bisect_right

from cnnspec.diagnostics import Sink
from cnnspec.record import replace
from cnnspec.repair.sites import names_in
from cnnspec.source import Source
from cnnspec.syntax import tree
from cnnspec.syntax.parser import parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from cnnspec.graph.nodes import Graph
    from cnnspec.source import Span

    Shape = tuple[int, ...]

LONG = 60
"""Statements of a model from which on it is cut."""
_MORE = 24
"""Statements behind the error that the first piece holds."""


class Course:
    """A model with the shapes that arrive at its statements."""

    def __init__(self, model: tree.Model, graph: Graph) -> None:
        self.model, self.graph = model, graph
        self.statements = model.body.statements
        self.before = self._shapes()
        self.labels = {name for one in self.statements for name in _labels(one)}

    def _shapes(self) -> list[Shape | None]:
        """What arrives at each statement, and last what the model gives."""
        children = self.graph.root.children
        found: list[Shape | None] = []
        at = 0
        for statement in self.statements:
            found.append(children[at].input if at < len(children) else self.graph.root.output)
            while at < len(children) and statement.span.holds(children[at].span):
                at += 1
        return [*found, self.graph.root.output]

    def index(self, span: Span) -> int | None:
        """The statement that holds a piece of text."""
        at = bisect_right(self.statements, span.start, key=lambda one: one.span.start) - 1
        return at if at >= 0 and self.statements[at].span.holds(span) else None

    def pieces(self, changed: tree.Model, error: Span) -> Iterator[tuple[tree.Model, Shape | None]]:
        """Models that hold what changed, longer and longer, each with the shape behind it that was there before.

        None as that shape means that the piece goes to the end. Nothing where the model can't be cut.
        """
        new, at = changed.body.statements, self.index(error)
        if at is None or not isinstance(self.statements[0], tree.Input):
            return
        same = _same(self.statements, new)
        behind = _same(self.statements[::-1], new[::-1])
        behind = min(behind, min(len(new), len(self.statements)) - same)
        start = min(same, at)
        shape = self.before[start]
        if start < 2 or shape is None or not all(size.__class__ is int for size in shape):
            return
        lets = tuple(one for one in self.statements[1:start] if isinstance(one, tree.Let))
        if any(name.startswith("in_") or name in self.labels for let in lets for name in names_in(let)):
            return
        begin = _input(shape)
        last = len(new)
        stop = max(len(new) - behind, at + 1 + len(new) - len(self.statements)) + _MORE
        while True:
            piece = new[start:stop]
            if any(name in self.labels for one in piece for name in names_in(one, bound=False)):
                return
            body = tree.Body((begin, *lets, *piece), changed.body.span)
            old = stop - len(new) + len(self.statements)
            yield replace(changed, body=body), self.before[old] if stop < last else None
            if stop >= last:
                return
            stop = min(last, stop + 2 * (stop - start))


def _labels(statement: tree.Statement) -> tuple[str, ...]:
    """The names that a statement gives to its value."""
    tail = getattr(statement, "tail", None)
    label = tail.label if tail is not None else None
    return tuple(name.id for name in label.names) if isinstance(label, tree.Labels) else (label.id,) if label else ()


def _same(first: tuple[tree.Statement, ...], second: tuple[tree.Statement, ...]) -> int:
    """How many statements are the same ones, from the front."""
    count = 0
    for one, other in zip(first, second):
        if one is not other:
            break
        count += 1
    return count


def _input(shape: Shape) -> tree.Statement:
    items = parse(Source("", f"model M {{ input [{', '.join(map(str, shape))}] }}"), Sink()).items
    assert isinstance(items[0], tree.Model)
    return items[0].body.statements[0]
