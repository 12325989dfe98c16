"""Warnings: networks that are legal and hardly what was meant. Each rule is a file of `rules/`, which registers itself.

`_index.py` says what each is about: of a network without a merge, no file of a rule about merges is imported.
"""

from __future__ import annotations

from cnnspec.compiler.project import File
from cnnspec.diagnostics import Sink
from cnnspec.graph.nodes import Graph
from cnnspec.lint import text
from cnnspec.lint._index import INDEX
from cnnspec.lint.registry import RULES, Rule, in_network, in_text
from cnnspec.lint.runs import runs_of
from cnnspec.resources import load

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from cnnspec.recipe.settings import Recipe


def enabled(code: str, *, default: bool, select: Collection[str] = ()) -> bool:
    """Whether a warning is looked for: by default, or because `select` names it, its first signs ("W2") or "ALL"."""
    return default or any(code.startswith(chosen) or chosen == "ALL" for chosen in select)


def _rules(kind: str, present: set[str], select: Collection[str]) -> list[Rule]:
    """The rules of a kind that are wanted, and about something that is there."""
    chosen = []
    for file, kinds in INDEX.items():
        code, default, needs = kinds.get(kind, ("", False, ""))
        if (
            enabled(code, default=default, select=select)
            and code
            and (not needs or not present.isdisjoint(needs.split()))
        ):
            module = f"{__name__}.rules.{file}"
            load(module)
            chosen.append(RULES[module, kind])
    return chosen


def lint(graph: Graph, sink: Sink, select: Collection[str] = ()) -> None:
    """Report the warnings about a network."""
    runs = list(runs_of(graph.root))
    present = in_network(graph, runs)
    for rule in _rules("graph", present, select):
        rule.check(graph, sink)
    chosen = [rule.check for rule in _rules("run", present, select)]
    for run in runs:
        for check in chosen:
            check(run, sink)


def lint_recipe(graph: Graph, recipe: Recipe, sink: Sink, select: Collection[str] = ()) -> None:
    """Report the warnings about a network with the recipe that it is trained by, overrides put in."""
    if graph.complete:
        for rule in _rules("recipe", in_network(graph, runs_of(graph.root)), select):
            rule.check(graph, recipe, sink)


def lint_file(file: File, sink: Sink, select: Collection[str] = (), values: Iterable[object] = ()) -> None:
    """Report the warnings about the text of a file; not about those of what it imports. `values` are its models'."""
    content = text.read(file, values)
    for rule in _rules("file", in_text(content), select):
        rule.check(content, sink)
