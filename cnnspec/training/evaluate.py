"""What a trained net is worth, and what it says about images: `evaluate` and `predict`, for a run or its folder."""

from __future__ import annotations

import copy
import os

import torch
from torch import Tensor, nn

from cnnspec.errors import CheckpointError, TrainError
from cnnspec.graph.digest import digest_of
from cnnspec.record import record
from cnnspec.training import checkpoint
from cnnspec.training.augment.prepare import prepare
from cnnspec.training.device import autocast, choose_device, laid_out, layout_of
from cnnspec.training.distributed import Group
from cnnspec.training.factory import Criterion, build

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from cnnspec.graph.nodes import Graph
    from cnnspec.recipe.recipe import Recipe
    from cnnspec.spec import Spec
    from cnnspec.training.data.loader import Prepare
    from cnnspec.training.run import Run


@record
class Evaluation:
    """A net on a set of images."""

    loss: float
    accuracy: float
    """Share of the images that were put in the right class."""
    confusion: Tensor
    """Images by class (rows) and prediction (columns), int64 [classes, classes]."""
    per_class: tuple[float, ...]
    """Accuracy of each class; NaN for a class without images."""
    images: int
    classes: tuple[str, ...]


@record
class Prediction:
    """What a net says about one image."""

    label: str
    probability: float
    """Softmax of the scores, or the outputs themselves where the net ends in probabilities."""
    top: tuple[tuple[str, float], ...]
    """The most probable classes, most probable first."""


@torch.no_grad()
def measure(
    net: nn.Module, batches: Iterable[tuple[Tensor, Tensor]], prepare: Prepare, criterion: Criterion, *,
    classes: int, device: torch.device, group: Group, layout: torch.memory_format = torch.contiguous_format,
    precision: str = "float32",
) -> tuple[float, Tensor]:  # fmt: skip
    """Loss and confusion matrix of a net in evaluation mode over this process's batches, summed over the group.

    Exact however the images are divided: sums are added up, never means. The net comes back in the mode it was in.
    """
    wide = torch.float32 if device.type == "mps" else torch.float64
    sums = torch.zeros(2, dtype=wide, device=device)
    counts = torch.zeros(classes * classes, dtype=torch.int64, device=device)
    mode = net.training
    net.eval()
    for images, labels in batches:
        images, labels = images.to(device), labels.to(device)
        with autocast(precision, device):
            scores = net(laid_out(prepare(images, None), layout))
            sums[0] += criterion.total(scores, labels)
        sums[1] += criterion.divisor(labels) if criterion.mean else len(labels)
        counts += torch.bincount(labels * classes + scores.argmax(1), minlength=classes * classes)
    net.train(mode)
    group.sum(sums)
    group.sum(counts)
    total, divisor = sums.tolist()
    return (total / divisor if divisor else float("nan")), counts.view(classes, classes).cpu()


def evaluation_of(loss: float, confusion: Tensor, classes: Sequence[str]) -> Evaluation:
    """The record of a loss and a confusion matrix."""
    right, images = confusion.diagonal(), confusion.sum(1)
    per_class = tuple((right.double() / images.double()).tolist())
    count = int(images.sum())
    return Evaluation(loss, int(right.sum()) / max(count, 1), confusion, per_class, count, tuple(classes))


class Model:
    """A net with what it needs to look at images: their preparation, the names of its classes, its loss, its data."""

    def __init__(
        self,
        net: nn.Module,
        prepare: Prepare,
        classes: Sequence[str],
        criterion: Criterion,
        data: Any,
        device: torch.device,
        shape: Iterable[int],
    ) -> None:
        self.net, self.prepare, self.classes, self.criterion = net, prepare, tuple(classes), criterion
        self.data, self.device = data, device
        self.shape = tuple(shape)
        """Of the images that come in, [channels, height, width]."""


def evaluate(
    run_or_path: Run | str | os.PathLike[str], data: Any = None, *, spec: Spec | None = None, which: str = "best",
    device: str = "auto", batch: int = 256,
) -> Evaluation:  # fmt: skip
    """Loss, accuracy and confusion matrix of a run on the test images of `data`, by default those of its recipe.

    `which` is `best` (the weights with the lowest test loss) or `last`; a path is a run folder or a checkpoint. The spec is
    the one in the checkpoint unless `spec` is given. Raises CheckpointError for a checkpoint that can't be read or does not
    fit the spec, DataError for data that isn't there, TrainError for data of another shape or other classes.
    """
    model = open_model(run_or_path, spec=spec, which=which, device=device)
    found = data if data is not None else _data_of(model)
    if len(found.classes) != len(model.classes):
        raise TrainError(f"the data set has {len(found.classes)} classes, the model knows {len(model.classes)}")
    if found.test is None or not len(found.test):
        raise TrainError("the data set has no test images")
    _check_shape(found.shape, model)
    half = found.test
    loss, confusion = measure(
        model.net, half.batches(torch.arange(len(half)), batch), model.prepare, model.criterion,
        classes=len(model.classes), device=model.device, group=Group(), layout=_layout(model.device, found.shape),
    )  # fmt: skip
    return evaluation_of(loss, confusion, model.classes)


@torch.no_grad()
def predict(
    run_or_path: Run | str | os.PathLike[str], images: Tensor, *, spec: Spec | None = None, which: str = "best",
    device: str = "auto", batch: int = 256, top: int = 5,
) -> list[Prediction]:  # fmt: skip
    """What a run says about `images`, uint8 [n, channels, height, width]: for each its class and the `top` most probable.

    Raises CheckpointError as `evaluate`, TrainError for images of another type or shape than the model takes.
    """
    if not isinstance(images, Tensor) or images.dtype != torch.uint8 or images.dim() != 4:
        raise TrainError("predict takes images as one uint8 tensor [n, channels, height, width]")
    model = open_model(run_or_path, spec=spec, which=which, device=device)
    _check_shape(images.shape[1:], model)
    found: list[Prediction] = []
    mode = model.net.training
    model.net.eval()
    for part in torch.split(images, batch):
        ready = laid_out(model.prepare(part.to(model.device), None), _layout(model.device, part.shape[1:]))
        found += _told(_probabilities(model, model.net(ready)), model.classes, top)
    model.net.train(mode)
    return found


def _probabilities(model: Model, scores: Tensor) -> Tensor:
    match model.criterion.name:
        case "NLLLoss":
            return scores.exp()
        case "BCELoss":
            return scores
        case "BCEWithLogitsLoss":
            return scores.sigmoid()
    return scores.softmax(1)


def _told(probabilities: Tensor, classes: tuple[str, ...], top: int) -> list[Prediction]:
    values, indices = probabilities.topk(min(max(top, 1), len(classes)), 1)
    rows = zip(values.tolist(), indices.tolist())
    ranked = [tuple((classes[index], value) for value, index in zip(*row)) for row in rows]
    return [Prediction(row[0][0], row[0][1], row) for row in ranked]


def _layout(device: torch.device, shape: Iterable[int]) -> torch.memory_format:
    return layout_of(device, tuple(shape))


def _check_shape(shape: Iterable[int], model: Model) -> None:
    if tuple(shape) != model.shape:
        raise TrainError(f"the images are {list(shape)}, the model was trained on {list(model.shape)}")


def _data_of(model: Model) -> Any:
    from cnnspec.recipe.datasets import DataSet
    from cnnspec.training.data.load import load_data

    return load_data(model.data) if isinstance(model.data, DataSet) else model.data


def open_model(
    run_or_path: Run | str | os.PathLike[str], *, spec: Spec | None = None, which: str = "best", device: str = "auto"
) -> Model:
    """The net of a run, or of a run folder or checkpoint, ready to look at images. Errors as for `evaluate`."""
    if which not in ("best", "last"):
        raise TrainError(f"which is 'best' or 'last', not {which!r}")
    if not isinstance(run_or_path, str | os.PathLike):
        return _model_of(run_or_path, which)
    state = checkpoint.load(checkpoint.find(run_or_path, f"{which}.pt"))
    graph = getattr(spec, "graph", None) or _graph_of(state)
    if state["digest"] != digest_of(graph):
        raise CheckpointError("the checkpoint is of another architecture than the spec")
    recipe = recipe_from(state["recipe"])
    about = state["data"]
    place = choose_device(device)
    net = build(graph, None, 0)
    weights = state["average"]["values"] if state.get("average") else state["model"]
    checkpoint.check_weights(weights, net.state_dict())
    net.load_state_dict(weights)
    net = net.to(place.device).eval()
    preparation = prepare(recipe, tuple(about["shape"]), about["statistics"])
    classes = [str(name) for name in about["classes"]]
    criterion = Criterion(recipe.loss, len(classes), place.device)
    return Model(net, preparation.pipeline, classes, criterion, recipe.data, place.device, about["shape"])


def _model_of(run: Run, which: str) -> Model:
    model = run.model
    if which == "last" or not run.best:
        return model
    net = copy.deepcopy(model.net)
    net.load_state_dict(run.best)
    return Model(net.eval(), model.prepare, model.classes, model.criterion, model.data, model.device, model.shape)


def _graph_of(state: dict[str, Any]) -> Graph:
    """The graph of the spec in a checkpoint; files that it imports are read where they were."""
    from cnnspec.diagnostics import Sink
    from cnnspec.source import Source
    from cnnspec.spec import SpecError, _spec

    kept = state["spec"]
    try:
        source = Source(str(kept["path"]), str(kept["text"]))
        return _spec(source, str(kept["model"]), dict(kept["values"]), Sink()).graph
    except SpecError as error:
        first = error.diagnostics[0].message
        raise CheckpointError(f"the spec in the checkpoint can't be read: {first}; give the spec's file too") from None


def recipe_from(texts: dict[str, str]) -> Recipe:
    """The recipe whose settings are written in `texts`, as `recipe.describe` gives them."""
    from cnnspec.compiler.names import Scope
    from cnnspec.diagnostics import Sink
    from cnnspec.recipe.recipe import resolve
    from cnnspec.source import Source
    from cnnspec.syntax import tree
    from cnnspec.syntax.parser import parse

    lines = [f"    {name} = {value}" for name, value in texts.items()]
    sink = Sink()
    parsed = parse(Source("<recipe>", "\n".join(["train {", *lines, "}", ""])), sink)
    settings = [setting for item in parsed.items if isinstance(item, tree.Train) for setting in item.settings]
    recipe = resolve(settings, Scope(), sink)
    if recipe is None or sink.has_errors:
        first = next((found.message for found in sink.diagnostics), "it is incomplete")
        raise CheckpointError(f"the recipe in the checkpoint can't be read: {first}")
    return recipe
