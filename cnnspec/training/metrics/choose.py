"""Which task a model, its loss and its data make together, as the recipe's `task_of` knows it."""

from __future__ import annotations

import torch

from cnnspec.diagnostics import Sink
from cnnspec.errors import TrainError
from cnnspec.recipe import tasks
from cnnspec.recipe.datasets.base import LABELS, TEXT
from cnnspec.recipe.fit import Written, matched
from cnnspec.recipe.outputs import outputs_of
from cnnspec.recipe.tasks import Misfit, task_of
from cnnspec.training.metrics.classification import Classification
from cnnspec.training.metrics.image_to_image import ImageToImage
from cnnspec.training.metrics.regression import HeatMaps, Regression
from cnnspec.training.metrics.segmentation import Segmentation
from cnnspec.training.metrics.several_labels import SeveralLabels
from cnnspec.training.metrics.several_outputs import SeveralOutputs
from cnnspec.training.metrics.texts import Texts
from cnnspec.training.summed_loss import SeveralLosses, summed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from cnnspec.graph.nodes import Graph
    from cnnspec.recipe.choices import Loss
    from cnnspec.recipe.outputs import Output
    from cnnspec.recipe.recipe import Recipe
    from cnnspec.training.data.load import Target
    from cnnspec.training.metrics.base import Task
    from cnnspec.training.summed_loss import SummedLoss

MEASURED: dict[tasks.Task, type[Task]] = {
    tasks.CLASSIFICATION: Classification,
    tasks.ONE_OUTPUT: Classification,
    tasks.SEVERAL_LABELS: SeveralLabels,
    tasks.REGRESSION: Regression,
    tasks.KEYPOINTS: HeatMaps,
    tasks.SEGMENTATION: Segmentation,
    tasks.IMAGE_TO_IMAGE: ImageToImage,
    tasks.SEQUENCE: Texts,
}
"""What measures each task."""
BY_CLASS = (tasks.CLASSIFICATION, tasks.ONE_OUTPUT, tasks.SEVERAL_LABELS, tasks.SEGMENTATION)
"""Tasks whose outputs are as many as the classes of the data."""


def choose_tasks(
    graph: Graph, recipe: Recipe, targets: Sequence[Target], device: torch.device,
    class_weights: tuple[float, ...] | None = None,
) -> Task:  # fmt: skip
    """The task of a model, a recipe and the targets of its data: of one output, or of several with a loss each.

    Raises TrainError where outputs, losses and targets do not fit each other.
    """
    pairs = matched(recipe, outputs_of(graph), graph.name, Written((), graph.span), Sink())
    if not pairs:
        raise TrainError(f"{graph.name} has several outputs: give `loss` as a list, with a loss for each")
    if len(targets) not in (1, len(pairs)):
        raise TrainError(f"{graph.name} has {len(pairs)} outputs, and the data {len(targets)} targets for each sample")
    each = list(targets) * len(pairs) if len(targets) == 1 else list(targets)
    weighed = {0: class_weights}
    tasks = []
    for index, ((output, loss, _), target) in enumerate(zip(pairs, each)):
        criterion = summed(loss, output.shape, device, weighed.get(index))
        tasks.append(_task(graph, output, loss, target, criterion))
    if len(tasks) == 1:
        return tasks[0]
    names = [output.label or str(index) for index, (output, _, _) in enumerate(pairs)]
    losses = SeveralLosses([task.criterion for task in tasks], recipe.loss_weights or (1.0,) * len(tasks))
    return SeveralOutputs(losses, tasks, names)


def _task(graph: Graph, given: Output, loss: Loss, target: Target, criterion: SummedLoss) -> Task:
    output, classes = given.shape, target.classes
    found = task_of(loss, output, graph.input or (), target.kind, len(classes) or None)
    if isinstance(found, Misfit):
        raise TrainError(f"{type(loss).__name__} takes {found.wants}; {graph.name} gives {list(output)}: {found.fix}")
    if found is None or found not in MEASURED:
        name = "none" if found is None else found.name
        raise TrainError(
            f"{type(loss).__name__}, an output of {list(output)} and targets of {target.kind} make no task: {name}"
        )
    if found == tasks.SEGMENTATION and target.kind in (LABELS, TEXT):
        classes = tuple(map(str, range(output[0])))
    wanted = 2 if found == tasks.ONE_OUTPUT or (found in BY_CLASS and output[0] == 1) else output[0]
    if found in BY_CLASS and wanted != len(classes):
        # Where one parameter of the model says how many there are, it is what has to be given.
        said = [name for name, value in graph.values.items() if value == output[0] and name not in graph.fixed]
        way = f": -D {said[0]}={len(classes)}" if len(said) == 1 else ""
        raise TrainError(
            f"the data set has {len(classes)} classes and {graph.name} gives {list(output)}: "
            f"its last layer needs one output a class{way}"
        )
    if found == tasks.SEQUENCE and len(classes) != output[-1]:
        classes = tuple(map(str, range(output[-1])))
    return MEASURED[found](criterion, classes, found)
