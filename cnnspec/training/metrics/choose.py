"""Which task a model, its loss and its data make together, as the recipe's `task_of` knows it."""

from __future__ import annotations

from cnnspec.errors import TrainError
from cnnspec.recipe import tasks
from cnnspec.recipe.tasks import Misfit, task_of
from cnnspec.training.metrics.classification import Classification
from cnnspec.training.metrics.image_to_image import ImageToImage
from cnnspec.training.metrics.regression import Regression
from cnnspec.training.metrics.segmentation import Segmentation
from cnnspec.training.metrics.several_labels import SeveralLabels

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from cnnspec.graph.nodes import Graph
    from cnnspec.recipe.choices import Loss
    from cnnspec.training.metrics.base import Task
    from cnnspec.training.summed_loss import SummedLoss

MEASURED: dict[tasks.Task, type[Task]] = {
    tasks.CLASSIFICATION: Classification,
    tasks.ONE_OUTPUT: Classification,
    tasks.SEVERAL_LABELS: SeveralLabels,
    tasks.REGRESSION: Regression,
    tasks.KEYPOINTS: Regression,
    tasks.SEGMENTATION: Segmentation,
    tasks.IMAGE_TO_IMAGE: ImageToImage,
}
"""What measures each task."""
_BY_CLASS = (tasks.CLASSIFICATION, tasks.ONE_OUTPUT, tasks.SEVERAL_LABELS, tasks.SEGMENTATION)


def choose_task(graph: Graph, loss: Loss, targets: str, classes: Sequence[str], criterion: SummedLoss) -> Task:
    """The task of a model with data whose `targets` are those of a data set of the catalogue.

    Raises TrainError where outputs and targets do not fit each other.
    """
    output = graph.output or ()
    found = task_of(loss, output, graph.input or (), targets, len(classes) or None)
    if isinstance(found, Misfit):
        raise TrainError(f"{type(loss).__name__} takes {found.wants}; {graph.name} gives {list(output)}: {found.fix}")
    if found is None or found not in MEASURED:
        name = "none" if found is None else found.name
        raise TrainError(
            f"{type(loss).__name__}, an output of {list(output)} and targets of {targets} make no task: {name}"
        )
    wanted = 2 if found == tasks.ONE_OUTPUT or (found in _BY_CLASS and output[0] == 1) else output[0]
    if found in _BY_CLASS and wanted != len(classes):
        raise TrainError(
            f"the data set has {len(classes)} classes and {graph.name} gives {list(output)}: "
            "its last layer needs one output a class"
        )
    return MEASURED[found](criterion, classes, found)
