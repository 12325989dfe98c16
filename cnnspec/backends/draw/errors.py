"""What is wrong with which module, as a few words for a picture."""

from __future__ import annotations

from cnnspec.backends.draw.canvas import shorten
from cnnspec.graph.walk import walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cnnspec.backends.draw.items import Item
    from cnnspec.diagnostics import Diagnostic
    from cnnspec.graph.nodes import Graph, Node

_WORDS = 34


def errors_of(graph: Graph, diagnostics: Iterable[Diagnostic]) -> dict[str, str]:
    """The errors that stand in modules of a graph, by the paths of these: `E203 expects 16, gets 6`."""
    nodes = list(walk(graph.root))
    found: dict[str, str] = {}
    for diagnostic in diagnostics:
        if diagnostic.severity == "error":
            for path in _places(nodes, diagnostic):
                found.setdefault(path, in_few_words(diagnostic))
    return found


def error_of(item: Item, errors: Mapping[str, str]) -> str:
    """What is wrong with an item, or with something in it."""
    for path, text in errors.items():
        if path in item.paths or path.startswith(f"{item.path}."):
            return text
    return ""


def _places(nodes: list[tuple[str, Node]], diagnostic: Diagnostic) -> list[str]:
    """The innermost modules in whose text an error stands; of a block that is used often, those that it hit."""
    span = diagnostic.span
    around = [
        (path, node)
        for path, node in nodes
        if node.span.source is span.source and node.span.start <= span.start and span.end <= node.span.end
    ]
    smallest = min((node.span.end - node.span.start for _, node in around), default=0)
    inner = [(path, node) for path, node in around if node.span.end - node.span.start == smallest]
    return [path for path, node in inner if node.output is None] or [path for path, _ in inner[:1]]


def in_few_words(diagnostic: Diagnostic) -> str:
    """The code, and the two numbers that don't fit where there are two."""
    facts, code = diagnostic.facts, diagnostic.code.id
    if "declared" in facts and "found" in facts:
        return f"{code} expects {facts['declared']}, gets {facts['found']}"
    return f"{code} {shorten(diagnostic.message, _WORDS)}".replace("`", "")
