"""Which task a model, its loss and its data make together."""

from __future__ import annotations

from cnnspec.errors import TrainError
from cnnspec.training.metrics.classification import Classification

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from cnnspec.graph.nodes import Graph
    from cnnspec.recipe.choices import Loss
    from cnnspec.training.criterion import Criterion
    from cnnspec.training.metrics.base import Task


def choose_task(graph: Graph, loss: Loss, classes: Sequence[str], criterion: Criterion) -> Task:
    """The task. Raises TrainError where outputs and targets do not fit each other."""
    output = graph.output or ()
    if len(output) != 1 or output[0] != len(classes):
        raise TrainError(
            f"the data set has {len(classes)} classes and {graph.name} gives {list(output)}: "
            "its last layer needs one output a class"
        )
    return Classification(criterion, classes)
