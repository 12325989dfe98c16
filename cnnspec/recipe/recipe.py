"""The recipe of a model: `train { ... }` with its settings resolved, checked without torch.

`recipe_of` reads the settings of a recipe block, and those of the command line on top of them, reports every mistake with
its place, and compares the recipe with the model: image shape, classes, loss.
"""

from __future__ import annotations

from cnnspec.compiler.names import Scope
from cnnspec.declare import UNKNOWN, Declared, spell
from cnnspec.diagnostics import Sink
from cnnspec.graph.nodes import Graph
from cnnspec.recipe.component import spelled
from cnnspec.recipe.fit import check_parts, check_recipe
from cnnspec.recipe.reader import Reader
from cnnspec.recipe.settings import ELSEWHERE, NAMED, SETTINGS, Recipe, key_of, merge
from cnnspec.syntax import tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

__all__ = ["ELSEWHERE", "NAMED", "SETTINGS", "Recipe", "describe", "merge", "recipe_of", "resolve"]


def recipe_of(
    graph: Graph, sink: Sink, overrides: Iterable[tree.Setting] = (), *, compare: bool = True
) -> Recipe | None:
    """The recipe of a model with `overrides` put in, compared with the model; None where it can't be read.

    With `compare` false the data set is another one than the recipe's, and only the loss is compared.
    """
    settings = merge(graph.recipe.settings if graph.recipe is not None else (), overrides)
    scope = Scope()
    for name, value in graph.values.items():
        scope.bind(name, value)
    recipe = resolve(settings, scope, sink)
    if recipe is not None:
        check_recipe(recipe, settings, graph, sink, with_data=compare)
    return recipe


def resolve(written: Iterable[tree.Setting], scope: Scope, sink: Sink) -> Recipe | None:
    """The recipe of some settings, with the defaults of those left out; None where a mistake was reported."""
    reader = Reader(scope, sink)
    values: dict[str, Any] = {name: setting.default for name, setting in SETTINGS.items()}
    losses: list[tuple[str, Any]] = []
    written = list(written)
    for setting in written:
        name, part = key_of(setting)
        found = reader.read(setting)
        if name == "loss" and (part or isinstance(found, tuple)):
            losses += [(part, one) for one in (found if isinstance(found, tuple) else (found,))]
        else:
            values[name] = found
    if losses:
        values["loss"] = losses[0][1]
    known = [*values.values(), *(loss for _, loss in losses)]
    if any(value is UNKNOWN for value in known) or not values.keys() <= SETTINGS.keys():
        return None
    recipe = Recipe(**values, losses=tuple(losses))
    return recipe if check_parts(recipe, written, sink) else None


def describe(recipe: Recipe) -> dict[str, str]:
    """Every setting as a recipe writes it, in the order of the table."""
    found: dict[str, str] = {}
    for name, setting in SETTINGS.items():
        value = getattr(recipe, name)
        if name == "loss" and recipe.losses:
            found |= _losses(recipe)
        elif setting.many:
            found[name] = "[" + ", ".join(map(spelled, value)) + "]"
        else:
            found[name] = spelled(value) if isinstance(value, Declared) else spell(value)
    return found


def _losses(recipe: Recipe) -> dict[str, str]:
    """The losses of several outputs as settings."""
    if not recipe.losses[0][0]:
        return {"loss": "[" + ", ".join(spelled(loss) for _, loss in recipe.losses) + "]"}
    return {f"loss.{label}": spelled(loss) for label, loss in recipe.losses}
