"""Warnings: networks that are legal and hardly what was meant. Each rule is a file of `rules/`, which registers itself."""

from __future__ import annotations

from cnnspec.compiler.project import File
from cnnspec.diagnostics import Sink, codes
from cnnspec.graph.nodes import Graph
from cnnspec.lint import rules as rules
from cnnspec.lint import text
from cnnspec.lint.registry import FILE_RULES, GRAPH_RULES, RECIPE_RULES, RUN_RULES, Rule
from cnnspec.lint.runs import runs_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from cnnspec.recipe.settings import Recipe

RULES: dict[str, Rule] = {rule.code.id: rule for rule in (*GRAPH_RULES, *RUN_RULES, *RECIPE_RULES, *FILE_RULES)}
CODES: dict[str, codes.Code] = codes.CODES | {name: RULES[name].code for name in sorted(RULES)}
"""Every code, of errors and of warnings."""


def enabled(code: codes.Code, select: Collection[str] = ()) -> bool:
    """Whether a warning is looked for: by default, or because `select` names it, its first signs ("W2") or "ALL"."""
    return code.default or any(code.id.startswith(chosen) or chosen == "ALL" for chosen in select)


def lint(graph: Graph, sink: Sink, select: Collection[str] = ()) -> None:
    """Report the warnings about a network."""
    for rule in GRAPH_RULES:
        if enabled(rule.code, select):
            rule.check(graph, sink)
    chosen = [rule.check for rule in RUN_RULES if enabled(rule.code, select)]
    for run in runs_of(graph.root):
        for check in chosen:
            check(run, sink)


def lint_recipe(graph: Graph, recipe: Recipe, sink: Sink, select: Collection[str] = ()) -> None:
    """Report the warnings about a network with the recipe that it is trained by, overrides put in."""
    if graph.complete:
        for rule in RECIPE_RULES:
            if rule.always or enabled(rule.code, select):
                rule.check(graph, recipe, sink)


def lint_file(file: File, sink: Sink, select: Collection[str] = (), values: Iterable[object] = ()) -> None:
    """Report the warnings about the text of a file; not about those of what it imports. `values` are its models'."""
    content = text.read(file, values)
    for rule in FILE_RULES:
        if enabled(rule.code, select):
            rule.check(content, sink)
