"""Training from Python with what one has at hand: a path or a spec, a recipe in any form, data by name or as tensors."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from cnnspec.declare import spell
from cnnspec.diagnostics import Sink
from cnnspec.recipe.recipe import NAMED, Recipe, recipe_of
from cnnspec.source import Source, Span
from cnnspec.spec import Spec, SpecError, load
from cnnspec.syntax import tree
from cnnspec.syntax.parser import parse, parse_expression
from cnnspec.training.data.load import Data, load_data
from cnnspec.training.start import Run
from cnnspec.training.start import train as run_training

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cnnspec.recipe.datasets import DataSet


def train(
    spec: Spec | str | os.PathLike[str],
    recipe: Recipe | str | Mapping[str, object] | None = None,
    data: Data | DataSet | str | None = None,
    *,
    out: str | os.PathLike[str] | None = None,
    device: str = "auto",
    callbacks: Sequence[object] = (),
    resume: bool = False,
    **options: Any,
) -> Run:
    """Train a spec and give the run: the net, its history, the best weights.

    `recipe` is a Recipe, the name of one ("d2l"), settings by name (`{"epochs": 3, "optimizer": "SGD(lr=0.1)"}`, strings
    as a recipe writes them) or None for the spec's own. `data` is a data set's name or loaded data; None loads what the
    recipe names. With a folder `out` the run is saved there and can be resumed. Other options are those of
    `cnnspec.training.start.train`.

    Raises SpecError for a recipe with mistakes, TrainError for what goes wrong in the run by the user's doing.

    >>> import cnnspec
    >>> text = "model Net { input [1, 8, 8]; Flatten; Linear(10) }"
    >>> run = cnnspec.train(cnnspec.loads(text), {"data": "Digits", "epochs": 2}, device="cpu")
    >>> len(run.history)
    2
    """
    checked = spec if isinstance(spec, Spec) else load(spec)
    resolved = recipe if isinstance(recipe, Recipe) else _resolve(checked, recipe, data)
    loaded = data if isinstance(data, Data) else load_data(resolved.data if data is None else data)
    return run_training(
        checked, resolved, loaded, out=out, device=device, callbacks=callbacks, resume=resume, **options
    )


def _resolve(spec: Spec, recipe: str | Mapping[str, object] | None, data: object) -> Recipe:
    sink = Sink()
    if isinstance(recipe, str):
        if recipe not in NAMED:
            raise ValueError(f"there is no recipe {recipe!r}: there is {', '.join(NAMED)}")
        named = parse(Source(f"<{recipe}>", NAMED[recipe]), sink)
        settings = [setting for item in named.items if isinstance(item, tree.Train) for setting in item.settings]
    else:
        settings = [_setting(name, value, sink) for name, value in (recipe or {}).items()]
    if isinstance(data, str):
        settings.append(_setting("data", data, sink))
    resolved = None if sink.has_errors else recipe_of(spec.graph, sink, settings, compare=not isinstance(data, Data))
    if resolved is None or sink.has_errors:
        raise SpecError([found for found in sink.diagnostics if found.severity == "error"])
    return resolved


def _setting(name: str, value: object, sink: Sink) -> tree.Setting:
    """One setting from Python: a string is text of the language, anything else is a value."""
    text = value if isinstance(value, str) else spell(list(value) if isinstance(value, (list, tuple)) else value)
    shown = Source("<recipe>", f"{name} = {text}")
    span = Span(shown, 0, len(name))
    return tree.Setting(tree.Name(name, span), None, parse_expression(Source(f"<{name}>", text), sink), span)
