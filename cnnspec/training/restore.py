"""From a checkpoint back to what it was made of: the graph, the recipe, the net. Nothing else has to be there.

The spec is read with the files that it imports, all out of the checkpoint.
"""

from __future__ import annotations

import copy
import os
from dataclasses import replace

from cnnspec.errors import CheckpointError, TrainError
from cnnspec.graph.digest import digest_of
from cnnspec.training import checkpoint, spec_files
from cnnspec.training.augment.prepare import prepare
from cnnspec.training.data.load import Target
from cnnspec.training.device import choose_device
from cnnspec.training.ema import averaged_or_last
from cnnspec.training.factory import build
from cnnspec.training.metrics.choose import choose_tasks
from cnnspec.training.plan import roles_of
from cnnspec.training.results import Model, Run
from cnnspec.training.settings import written

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from cnnspec.graph.nodes import Graph
    from cnnspec.recipe.recipe import Recipe
    from cnnspec.spec import Spec
    from cnnspec.training.data.several import Shapes

WHICH = ("best", "last")


def open_model(
    run_or_path: Run | str | os.PathLike[str], *, spec: Spec | None = None, which: str = "best", device: str = "auto"
) -> Model:
    """The net of a run, or of a run folder or checkpoint, ready to look at inputs.

    `which` is `best` or `last`. The spec is the one in the checkpoint unless `spec` is given. Raises CheckpointError for a
    checkpoint that can't be read or does not fit the spec, DeviceError for a device that isn't there.
    """
    if which not in WHICH:
        raise TrainError(f"which is 'best' or 'last', not {which!r}")
    if isinstance(run_or_path, Run):
        return _model_of(run_or_path, which)
    return _opened(checkpoint.load(checkpoint.find(run_or_path, f"{which}.pt")), spec, device)[1]


def open_graph_and_model(path: str | os.PathLike[str]) -> tuple[Graph, Model]:
    """The best net of a run folder on the CPU, and the graph that it was made of. Errors as for `open_model`."""
    return _opened(checkpoint.load(checkpoint.find(path, "best.pt")), None, "cpu")


def _opened(state: dict[str, Any], spec: Spec | None, device: str) -> tuple[Graph, Model]:
    graph = spec.graph if spec is not None else graph_of(state)
    if state["digest"] != digest_of(graph):
        raise CheckpointError("the checkpoint is of another architecture than the spec")
    recipe = recipe_from(state["recipe"])
    place = choose_device(device).device
    net = build(graph, None, 0)
    weights = averaged_or_last(state)
    checkpoint.check_weights(weights, net.state_dict())
    net.load_state_dict(weights)
    about = state["data"]
    targets = [Target(str(kind), tuple(map(str, names))) for kind, names in zip(about["targets"], about["names"])]
    dtypes, shape = tuple(map(str, about["dtypes"])), _shape(about["shape"])
    task = choose_tasks(graph, recipe, targets, place, about.get("class_weights"))
    preparation = prepare(recipe, shape, about["statistics"], roles_of(task, targets), dtypes=dtypes)
    model = Model(
        graph.name,
        net.to(place).eval(),
        preparation,
        task,
        recipe.data,
        place,
        shape,
        dtypes,
        about.get("path"),
        bool(about.get("skipped")),
    )
    return graph, model


def _shape(kept: Sequence[Any]) -> Shapes:
    return tuple(tuple(one) if isinstance(one, list | tuple) else one for one in kept)


def _model_of(run: Run, which: str) -> Model:
    model = run.model
    if which == "last" or not run.best:
        return model
    net = copy.deepcopy(model.net)
    net.load_state_dict(run.best)
    return replace(model, net=net.eval())


def graph_of(state: dict[str, Any]) -> Graph:
    """The graph of the spec in a checkpoint. Raises CheckpointError where it can't be read."""
    from cnnspec.spec import SpecError

    kept = state["spec"]
    try:
        return spec_files.read(kept["text"], kept["path"], kept.get("files") or {}, kept["model"], kept["values"]).graph
    except SpecError as error:
        first = error.diagnostics[0].message
        raise CheckpointError(f"the spec in the checkpoint can't be read: {first}; give the spec's file too") from None


def recipe_from(texts: dict[str, str]) -> Recipe:
    """The recipe whose settings are written in `texts`, as `recipe.describe` gives them."""
    from cnnspec.compiler.names import Scope
    from cnnspec.diagnostics import Sink
    from cnnspec.recipe.recipe import resolve

    sink = Sink()
    recipe = resolve(written(texts, sink), Scope(), sink)
    if recipe is None or sink.has_errors:
        first = next((found.message for found in sink.diagnostics), "it is incomplete")
        raise CheckpointError(f"the recipe in the checkpoint can't be read: {first}")
    return recipe
