"""A graph as Python that needs torch alone, as one would have written it by hand."""

from __future__ import annotations

from cnnspec._version import __version__
from cnnspec.backends.python_source.alike import Differ
from cnnspec.backends.python_source.classes import Classes
from cnnspec.backends.python_source.parts import all_parts, with_parts
from cnnspec.backends.python_source.render import class_lines, docstring
from cnnspec.backends.python_source.variants import Variants
from cnnspec.backends.python_source.words import RESERVED, shape_text
from cnnspec.graph.digest import digest_of
from cnnspec.graph.nodes import Graph
from cnnspec.source import Source, comment_above
from cnnspec.syntax import tree

__all__ = ["source_of"]


def source_of(graph: Graph) -> str:
    """The Python source of a complete graph: a class of the model's name, with the keys of what `Spec.compile` makes.

    Sizes by name are the smallest that are admitted.

    Raises ValueError for a graph with mistakes.
    """
    if not graph.complete:
        raise ValueError("a graph with mistakes can't be exported")
    graph = graph.numbers
    parts = all_parts()
    classes = _classes(graph, {*RESERVED, *parts})
    text = "\n\n\n".join("\n".join(class_lines(cls)) for cls in classes.found)
    imports, own = with_parts(text, parts)
    return "\n".join([*_head(graph), *imports, "", "", "\n\n\n".join([*own, text]), ""])


def _classes(graph: Graph, taken: set[str]) -> Classes:
    """The classes of a network; parameters of the model that only change numbers are parameters of its class."""
    variants = Variants(graph)
    documentation = _documentation(graph)

    def made(names: list[str]) -> Classes | None:
        others = [use for name in names for use in variants.others[name]]
        try:
            return Classes(variants.root, graph.name, taken, documentation, others, names)
        except Differ:
            return None

    names: list[str] = []
    found = made([])
    for name in variants.others:
        wider = made([*names, name])
        if wider is not None:
            names, found = [*names, name], wider
    assert found is not None
    return found


def _head(graph: Graph) -> list[str]:
    shapes = " and ".join(shape_text(entry.shape) for entry in graph.inputs)
    facts = f"{graph.name}: {shapes} -> {shape_text(graph.output)}, {graph.parameters:,} parameters."
    written = f"Written by cnnspec {__version__}; digest {digest_of(graph)[:16]}."
    about = _above(graph.source)
    return [*docstring("\n".join([facts, "", *([about, ""] if about else []), written]), ""), ""]


def _documentation(graph: Graph) -> str:
    """The comment above a model; of a variant, and of what it is one of."""
    if graph.root.block is None:
        return ""
    texts = [comment_above(graph.span), tree.documentation(graph.root.block.definition)]
    return "\n\n".join(dict.fromkeys(filter(None, texts)))


def _above(source: Source) -> str:
    """The comment at the top of a file, where an empty line tells it from the definition behind it."""
    rows: list[str] = []
    for line in source.text.split("\n"):
        if not line.startswith("#"):
            return "" if line.strip() else "\n".join(rows)
        rows.append(line.lstrip("#").strip())
    return ""
