"""Training from Python with what one has at hand: a path or a spec, a recipe in any form, data by name or as tensors."""

from __future__ import annotations

import os
from collections.abc import Mapping

from cnnspec.diagnostics import Sink
from cnnspec.recipe.recipe import Recipe, recipe_of
from cnnspec.spec import Spec, SpecError, load
from cnnspec.training import checkpoint
from cnnspec.training.data.load import Data, load_data
from cnnspec.training.options import Options
from cnnspec.training.report.live import telling
from cnnspec.training.results import Run
from cnnspec.training.settings import named, setting, written
from cnnspec.training.start import train as run_training

TYPE_CHECKING = False
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
    progress: bool | None = None,
    resume: bool = False,
    options: Options | None = None,
) -> Run:
    """Train a spec and give the run: the net, its history, the best weights.

    `recipe` is a Recipe, the name of one ("d2l"), settings by name (`{"epochs": 3, "optimizer": "SGD(lr=0.1)"}`, strings
    as a recipe writes them) or None for the spec's own. `data` is a data set's name or loaded data; None loads what the
    recipe names. With a folder `out` the run is saved there; with `resume` it goes on from there with its own recipe, and
    the settings given here on top. `options` say how a run is carried out. `progress` tells how it goes: in a notebook by
    curves that grow, which is the default there, elsewhere by a line an epoch.

    Raises SpecError for a recipe with mistakes, TrainError for what goes wrong in the run by the user's doing.

    >>> import cnnspec
    >>> text = "model Net { input [1, 8, 8]; Flatten; Linear(10) }"
    >>> run = cnnspec.train(cnnspec.loads(text), {"data": "Digits", "epochs": 2}, device="cpu")
    >>> len(run.history)
    2
    """
    checked = spec if isinstance(spec, Spec) else load(spec)
    kept = checkpoint.load(checkpoint.find(out)) if resume and out is not None else None
    if isinstance(recipe, Recipe):
        resolved = recipe
    else:
        resolved = _resolve(checked, recipe, data, {} if kept is None else kept["recipe"])
    loaded = data if isinstance(data, Data) else load_data(resolved.data if data is None else data)
    return run_training(
        checked, resolved, loaded, out=out, device=device, callbacks=[*callbacks, *telling(progress)], resume=resume,
        options=options,
    )  # fmt: skip


def _resolve(spec: Spec, recipe: str | Mapping[str, object] | None, data: object, base: Mapping[str, str]) -> Recipe:
    sink = Sink()
    settings = written(base, sink) if base else []
    if isinstance(recipe, str):
        settings += named(recipe)
    else:
        settings += [setting(name, value, sink) for name, value in (recipe or {}).items()]
    if isinstance(data, str):
        settings.append(setting("data", data, sink))
    resolved = None if sink.has_errors else recipe_of(spec.declared, sink, settings, compare=not isinstance(data, Data))
    if resolved is None or sink.has_errors:
        raise SpecError([found for found in sink.diagnostics if found.severity == "error"])
    return resolved
