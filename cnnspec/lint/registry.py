"""The rules that give warnings. A rule is a file of `rules/`: its docstring is the page, `CODE` the words; a function checks.

    @on_run(CODE)
    def narrow(run: Run, sink: Sink) -> None:

`on_run` rules get layers that follow each other directly, `on_graph` rules a network, `on_recipe` rules a network and the
recipe it is trained by, `on_file` rules the text of a file.
"""

from __future__ import annotations

from cnnspec.diagnostics import Sink
from cnnspec.diagnostics.codes import Code
from cnnspec.graph.nodes import Graph
from cnnspec.lint.runs import Run
from cnnspec.lint.text import FileText
from cnnspec.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
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
    always: bool = False
    """Whether it looks even where its code is off by default, since the recipe makes sure of it."""

    @property
    def page(self) -> str:
        """The title and the text of its page."""
        return str(self.check.__globals__["__doc__"])


RUN_RULES: list[Rule] = []
GRAPH_RULES: list[Rule] = []
RECIPE_RULES: list[Rule] = []
FILE_RULES: list[Rule] = []


def on_run(code: Code) -> Callable[[OnRun], OnRun]:
    """Makes a function the rule of a code, for every run of layers."""
    return _into(RUN_RULES, code)


def on_graph(code: Code) -> Callable[[OnGraph], OnGraph]:
    """Makes a function the rule of a code, for every network."""
    return _into(GRAPH_RULES, code)


def on_recipe(code: Code, *, always: bool = False) -> Callable[[OnRecipe], OnRecipe]:
    """Makes a function the rule of a code, for every network with its recipe."""
    return _into(RECIPE_RULES, code, always=always)


def on_file(code: Code) -> Callable[[OnFile], OnFile]:
    """Makes a function the rule of a code, for every file."""
    return _into(FILE_RULES, code)


def _into(rules: list[Rule], code: Code, *, always: bool = False) -> Callable[[Check], Check]:
    def register(check: Check) -> Check:
        rules.append(Rule(code, check, always))
        return check

    return register
