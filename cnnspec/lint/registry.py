"""The rules that give warnings. A rule is a file of `rules/`: its docstring is the page, `CODE` the words; a function checks.

    @on_run(CODE, needs="linear")
    def narrow(run: Run, sink: Sink) -> None:

`on_run` rules get layers that follow each other directly, `on_graph` rules a network, `on_recipe` rules a network and the
recipe it is trained by, `on_file` rules the text of a file. `needs` says what a rule is about: words of which one has to be
`in_network` or `in_text`. Where none is, its file is not even imported.
"""

from __future__ import annotations

from cnnspec.diagnostics import Sink
from cnnspec.diagnostics.codes import Code
from cnnspec.graph.nodes import Graph, MergeNode
from cnnspec.lint.runs import Run, in_place, stacks_of
from cnnspec.lint.text import FileText
from cnnspec.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import TypeAlias, TypeVar

    from cnnspec.recipe.settings import Recipe

    OnRun: TypeAlias = Callable[[Run, Sink], None]
    OnGraph: TypeAlias = Callable[[Graph, Sink], None]
    OnRecipe: TypeAlias = Callable[[Graph, Recipe, Sink], None]
    OnFile: TypeAlias = Callable[[FileText, Sink], None]
    Check = TypeVar("Check", bound=Callable[..., None])


@record
class Rule:
    """A warning and the function that looks for it."""

    code: Code
    check: Callable[..., None]
    kind: str
    """What it looks at: run, graph, recipe or file."""
    needs: str = ""
    always: bool = False
    """Whether it looks even where its code is off by default, since the recipe makes sure of it."""

    @property
    def page(self) -> str:
        """The title and the text of its page."""
        return str(self.check.__globals__["__doc__"])


RULES: dict[tuple[str, str], Rule] = {}
"""The rules of the files that are imported, by file and kind."""


def on_run(code: Code, *, needs: str = "") -> Callable[[OnRun], OnRun]:
    """Makes a function the rule of a code, for every run of layers."""
    return _registering(code, "run", needs)


def on_graph(code: Code, *, needs: str = "") -> Callable[[OnGraph], OnGraph]:
    """Makes a function the rule of a code, for every network."""
    return _registering(code, "graph", needs)


def on_recipe(code: Code, *, needs: str = "", always: bool = False) -> Callable[[OnRecipe], OnRecipe]:
    """Makes a function the rule of a code, for every network with its recipe."""
    return _registering(code, "recipe", needs, always=always)


def on_file(code: Code, *, needs: str = "") -> Callable[[OnFile], OnFile]:
    """Makes a function the rule of a code, for every file."""
    return _registering(code, "file", needs)


def _registering(code: Code, kind: str, needs: str, *, always: bool = False) -> Callable[[Check], Check]:
    def register(check: Check) -> Check:
        RULES[check.__module__, kind] = Rule(code, check, kind, needs, always)
        return check

    return register


def in_network(graph: Graph, runs: Iterable[Run]) -> set[str]:
    """What a network has, in words: names and traits of its layers, kinds of merges, and how it is made up."""
    nodes = [node for run in runs for node in run.layers]
    found = {"inputs"} if len(graph.inputs) > 1 else set()
    for kind in {type(node.layer) for node in nodes if node.layer is not None}:
        found |= {kind.__name__, kind.normalizes, *(trait for trait in ("linear", "slides") if getattr(kind, trait))}
    if any(in_place(node) for node in nodes):
        found.add("inplace")
    for stack, _ in stacks_of(graph.root):
        if stack.steps:
            found.add("steps")
        found.update(child.kind for child in stack.children if isinstance(child, MergeNode))
    return found


def in_text(text: FileText) -> set[str]:
    """What a file has, in words of the language, `parameter` among them."""
    has = {"import": text.file.imports, "block": text.file.blocks}
    found = {word for word, there in has.items() if there}
    for item in text.definitions:
        own = {"let": item.lets, "for": item.targets, "as": item.labels, "parameter": item.parameters, "use": item.uses}
        found |= {word for word, there in own.items() if there}
    return found
