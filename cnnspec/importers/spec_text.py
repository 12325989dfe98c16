"""A graph as a spec that was checked to be the same network, with the map from its keys to those of the source."""

from __future__ import annotations

from cnnspec.backends.cnn_source import Style, Written, write
from cnnspec.diagnostics import Sink
from cnnspec.graph.meaning import Meanings
from cnnspec.graph.nodes import Graph, LayerNode, StackNode
from cnnspec.graph.walk import walk
from cnnspec.pipeline import check
from cnnspec.record import record
from cnnspec.source import Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from cnnspec.backends.cnn_source.origins import Origin

_STYLES = (Style(), Style(loops=False), Style(share=False), Style(loops=False, share=False))


@record
class Imported:
    """The text of a spec, its graph, and which module or weight of the source each of its own stands for, by their keys.

    A weight may have other dimensions than that of the source, with as many values in the same order. `idle` are the keys of
    modules with weights that reach no output, and have no counterpart.
    """

    text: str
    graph: Graph
    keys: Mapping[str, str]
    idle: tuple[str, ...] = ()


def as_spec(
    graph: Graph, origins: Mapping[str, Origin], comment: str = "", loose: Mapping[str, Mapping[str, str]] | None = None
) -> Imported | None:
    """The spec of a graph without foreign layers; None where no text comes out as the same network.

    `loose` has layers of the graph that are no modules of the source, each with the keys of its weights there.

    The text is checked as any other, and what it computes compared with the graph; one with loops and shared blocks is
    tried before one that spells everything out.
    """
    for style in _STYLES:
        written = write(graph, origins, style, comment)
        sink = Sink()
        found = check(Source("imported.cnn", written.text), sink)
        if sink.has_errors or len(found) != 1:
            continue
        keys = _keys(found[0], written)
        if keys is not None and _same(graph, found[0], keys):
            return Imported(written.text, found[0], _of_source(keys, loose or {}))
    return None


def _keys(graph: Graph, written: Written) -> dict[str, str] | None:
    """The keys of the spec with those of the source: both stand in the order of the text."""
    layers = [path for path, node in walk(graph.root) if isinstance(node, LayerNode)]
    weights = [
        f"{path}.{weight.label}" if path else weight.label
        for path, node in (("", graph.root), *walk(graph.root))
        if isinstance(node, StackNode)
        for weight in node.weights
    ]
    if len(layers) != len(written.layers) or len(weights) != len(written.weights):
        return None
    return dict(zip([*layers, *weights], [*written.layers, *written.weights]))


def _of_source(keys: Mapping[str, str], loose: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """The map of keys, with the weights of layers that are no modules one by one."""
    found: dict[str, str] = {}
    for own, other in keys.items():
        found |= {f"{own}.{name}": key for name, key in loose[other].items()} if other in loose else {own: other}
    return found


def _same(graph: Graph, spec: Graph, keys: Mapping[str, str]) -> bool:
    """Whether a spec computes what a graph does."""
    meanings = Meanings()
    own = sum(node.parameters for _, node in walk(spec.root) if isinstance(node, LayerNode))
    theirs = sum(node.parameters for _, node in walk(graph.root) if isinstance(node, LayerNode))
    return own == theirs and meanings.of(graph, {}) == meanings.of(spec, keys)
