"""A graph as the text of a spec, as a person would write it: blocks, loops, names from the source."""

from __future__ import annotations

from cnnspec.backends.cnn_source.blocks import Extraction
from cnnspec.backends.cnn_source.bodies import root_body
from cnnspec.backends.cnn_source.inlining import inlined
from cnnspec.backends.cnn_source.loops import looped
from cnnspec.backends.cnn_source.naming import clean_name
from cnnspec.backends.cnn_source.statements import marks
from cnnspec.backends.cnn_source.text import block_lines, body_lines, comment_lines
from cnnspec.declare import spell
from cnnspec.layers import Layer
from cnnspec.record import record, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from cnnspec.backends.cnn_source.origins import Origin
    from cnnspec.graph.nodes import Graph, Node


@record
class Style:
    """How much is put together. What does not come out as the same network is written with less of it."""

    loops: bool = True
    share: bool = True


@record
class Written:
    """A text, and the keys that layers and weights have in the graph, in the order in which they stand in the text."""

    text: str
    layers: tuple[str, ...]
    weights: tuple[str, ...]


def write(graph: Graph, origins: Mapping[str, Origin], style: Style, comment: str = "") -> Written:
    """The text of a spec that is the same network as a graph. `origins` tells by keys what made its modules."""
    body, inputs = root_body(graph, _hint)
    layers, weights = marks(body)
    body = inlined(body)
    extraction = Extraction(body, origins, share=style.share)
    statements, blocks = extraction.root.statements, extraction.blocks
    if style.loops:
        orders = {block.name: [name for name, _ in block.parameters] for block in blocks}
        statements = looped(statements, orders)
        blocks = [
            replace(block, statements=looped(block.statements, orders, frozenset(orders[block.name])))
            for block in blocks
        ]
    name = _model_name(graph.name, {block.name for block in blocks})
    lines = list(comment_lines(comment))
    for block in blocks:
        lines += [*block_lines(block), ""]
    lines.append(f"model {name} {{")
    for entry, label in zip(graph.inputs, inputs):
        lines.append(f"    input {spell(list(entry.shape or ()))}{f' as {label}' if label else ''}")
    lines += ["", *body_lines(statements, 1), "}"]
    return Written("\n".join(lines) + "\n", layers, weights)


def _hint(node: Node) -> str:
    """A name for the value of a merge or of a layer without a key."""
    return {"Add": "total", "Concat": "joined", "Multiply": "scaled", "Matmul": "product"}.get(node.title, "")


def _model_name(name: str, taken: set[str]) -> str:
    found = clean_name(name.partition("(")[0].rpartition(".")[2]) or "Net"
    found = found[:1].upper() + found[1:]
    while found in taken or Layer.find(found) is not None:
        found += "Model"
    return found
