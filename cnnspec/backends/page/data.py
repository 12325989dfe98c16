"""What the page knows of every module, as data that is put into it as JSON."""

from __future__ import annotations

from cnnspec.analysis.cost import Costs
from cnnspec.analysis.receptive_field import ReceptiveFields
from cnnspec.backends.draw.fold import Alike, repeats
from cnnspec.backends.draw.items import REPEAT
from cnnspec.backends.draw.view import view
from cnnspec.backends.draw.words import arguments
from cnnspec.backends.page.arithmetic import worked
from cnnspec.graph.nodes import LayerNode, MergeNode, ResidualNode
from cnnspec.graph.walk import runs, walk
from cnnspec.layers.base import Parts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from cnnspec.analysis.receptive_field import Field
    from cnnspec.backends.draw.items import Item
    from cnnspec.graph.nodes import Graph, Node

COLUMNS = ("key", "kind", "input", "output", "parameters", "macs", "worked", "field", "line", "leaf")
"""Of `rows`: `kind` is the number of an entry of `kinds`, a layer and its arguments; `input`, `output`, `worked` and `field`
are those of entries of `shapes`, `worked` and `fields`, -1 for none; `line` is one of the source; `leaf` tells a layer or a
merge with values from a block."""


def data_of(graph: Graph, version: str, wrong: Iterable[str] = (), *, file: str = "") -> dict[str, Any]:
    """The network as JSON holds it. Costs and fields are there where it has no mistakes; `wrong` has the keys of these.

    `file` is what its file is called where that is not its path.
    """
    right = graph.complete and not any(
        isinstance(node, LayerNode) and node.layer is None for _, node in walk(graph.root)
    )
    costs = Costs(graph) if right else None
    fields = ReceptiveFields(graph) if right else None
    lines, spots, shapes, kinds = _Table(), _Table(), _Table(), _Table()
    rows: list[list[Any]] = []
    seen: set[str] = set()
    for path, node, line in _numbered(graph):
        if path in seen:
            continue
        seen.add(path)
        macs = costs.of(node).macs if costs else None
        told = spots.number([_field(field) for field in fields.of(path)] if fields else [])
        leaf = isinstance(node, LayerNode) or (isinstance(node, MergeNode) and not node.branches)
        sides = [shapes.number(_listed(shape)) for shape in (node.input, node.output)]
        costing = [node.parameters, macs, lines.number(worked(node, macs))]
        kind = kinds.number([_title(node), _arguments(node)])
        rows.append([path, kind, *sides, *costing, told, line, int(leaf)])
    return {
        "cnnspec": version,
        "name": graph.name,
        "file": file or graph.source.path,
        "inputs": [{"name": entry.name or "input", "shape": _listed(entry.shape)} for entry in graph.inputs],
        "output": _listed(graph.output),
        "parameters": graph.parameters,
        "macs": costs.total.macs if costs else None,
        "wrong": list(wrong),
        "columns": COLUMNS,
        "rows": rows,
        "kinds": kinds.entries,
        "shapes": shapes.entries,
        "worked": lines.entries,
        "fields": spots.entries,
        "copies": dict(_copies(repeats(view(graph).items, Alike()))),
    }


class _Table:
    """Entries that are kept once."""

    def __init__(self) -> None:
        self.entries: list[Any] = []
        self._numbers: dict[str, int] = {}

    def number(self, entry: list[Any] | None) -> int:
        if not entry:
            return -1
        key = repr(entry)
        if key not in self._numbers:
            self._numbers[key] = len(self.entries)
            self.entries.append(entry)
        return self._numbers[key]


def _numbered(graph: Graph) -> Iterator[tuple[str, Node, int]]:
    """Every module with its path and the line of the file at which it is, or the use of what holds it."""
    lines: dict[str, int] = {}
    known: dict[int, int] = {}
    for path, node in runs(graph.root):
        if node.span.source is graph.source:
            line = known.get(node.span.start)
            if line is None:
                line = known[node.span.start] = node.span.line
        else:
            line = lines.get(path.rpartition(".")[0], 0)
        lines[path] = line
        yield path, node, line


def _title(node: Node) -> str:
    return "residual" if isinstance(node, ResidualNode) else node.kind if isinstance(node, MergeNode) else node.title


def _arguments(node: Node) -> str:
    if isinstance(node, LayerNode):
        return arguments(node.layer, node.input)
    return ", ".join(node.sources) if isinstance(node, MergeNode) else ""


def _listed(shape: Any) -> Any:
    """A shape as a list; of a tuple the list of its parts."""
    if shape is None:
        return None
    return [_listed(part) for part in shape] if isinstance(shape, Parts) else list(shape)


def _field(field: Field) -> list[Any]:
    """Shift, and first and last place of each place of a period."""
    return [field.shift, [list(span) if span else None for span in field.spans]]


def _copies(items: Iterable[Item]) -> Iterator[tuple[str, str]]:
    """Of every copy of a repeated unit, which path of the picture stands for it."""
    for item in items:
        if item.form == REPEAT:
            first = item.members[0]
            for copy in item.members[1:]:
                for one, other in zip(first, copy):
                    yield from zip(other.paths, one.paths)
        yield from _copies(item.inside)
