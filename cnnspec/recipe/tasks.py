"""What a network is trained for, told by its output, the loss and the data together.

`task_of` knows a task by what the loss wants and what the targets are: class numbers and one row of scores make a
classification, class numbers for every position a segmentation, and so on. Each task names the metrics that it has.
"""

from __future__ import annotations

from cnnspec.recipe.datasets.base import CLASS, HEAT_MAPS, IMAGE, LABELS, MASK, NUMBERS, TEXT
from cnnspec.recipe.losses import SCORES, VALUES, Loss
from cnnspec.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cnnspec.layers.base import Shape


@record
class Task:
    """A task, and its metrics besides the loss. Of those in `less` a smaller number is better."""

    name: str
    metrics: tuple[str, ...]
    less: tuple[str, ...] = ()


@record
class Misfit:
    """Why a loss has no task with an output: what it takes instead, and the way out."""

    wants: str
    fix: str


CLASSIFICATION = Task("classification", ("accuracy", "top5", "precision", "recall", "f1", "auc"))
SEVERAL_LABELS = Task("several labels", ("f1", "precision", "recall", "auc", "accuracy"))
ONE_OUTPUT = Task("one output", ("accuracy", "precision", "recall", "f1", "auc"))
REGRESSION = Task("regression", ("mae", "rmse", "r2"), ("mae", "rmse"))
SEGMENTATION = Task("segmentation", ("miou", "dice", "accuracy"))
IMAGE_TO_IMAGE = Task("image to image", ("psnr", "ssim", "mae"), ("mae",))
KEYPOINTS = Task("heat maps", ("distance", "mae"), ("distance", "mae"))
SEQUENCE = Task("sequence of classes", ("cer", "accuracy"), ("cer",))

TASKS = (
    CLASSIFICATION, SEVERAL_LABELS, ONE_OUTPUT, REGRESSION, SEGMENTATION, IMAGE_TO_IMAGE, KEYPOINTS, SEQUENCE,
)  # fmt: skip
METRICS = tuple(dict.fromkeys(metric for task in TASKS for metric in task.metrics))
"""The names of all metrics."""

_A_CLASS = Misfit("one number a class", "put `Flatten` and a `Linear` with one number a class behind the last layer")
_ONE_CLASS = Misfit("one number a class, two at least", "take `BCEWithLogitsLoss` for one number, or give two")
_A_MAP = Misfit("a map with a channel for each class", "end with `Conv2d(classes, 1)`, and leave out `Flatten`")


def task_of(loss: Loss, output: Shape, shape: Shape, targets: str, classes: int | None) -> Task | Misfit | None:
    """The task of a network of `shape` inputs and `output`, or why there is none.

    `targets` are those of the data set (`DataSet.targets`) and `classes` their number, "" and None where only the files
    tell; the task is None then where they decide.
    """
    if loss.takes_text:
        return SEQUENCE if len(output) == 2 else Misfit("[time, classes]", "leave out what joins classes and time")
    if loss.takes_classes:
        found = _by_class(output, targets)
        return _ONE_CLASS if found is CLASSIFICATION and output == (1,) and classes in (None, 2) else found
    if len(output) == 1:
        return _by_vector(loss, output, targets, classes)
    return _by_map(loss, output, shape, targets)


def _by_class(output: Shape, targets: str) -> Task | Misfit:
    if targets in (LABELS, TEXT) and len(output) == 2:
        return SEGMENTATION
    if targets not in ("", CLASS, MASK):
        return Misfit("class numbers, and the data set has none", "take a loss on values, such as `MSELoss`")
    if len(output) == 1:
        return _A_MAP if targets == MASK else CLASSIFICATION
    return _A_CLASS if targets == CLASS else SEGMENTATION


def _by_vector(loss: Loss, output: Shape, targets: str, classes: int | None) -> Task | Misfit | None:
    if loss.binary and output == (1,) and targets in ("", CLASS) and classes in (None, 2):
        return ONE_OUTPUT
    targets = NUMBERS if targets == TEXT else targets
    known = {CLASS: CLASSIFICATION, LABELS: SEVERAL_LABELS, NUMBERS: REGRESSION}
    if targets == "":
        return None
    if targets == NUMBERS and loss.wants == SCORES:
        return Misfit("a target of 0 or 1 for each number", "take a loss on values, such as `MSELoss`")
    return known.get(targets, _A_MAP)


def _by_map(loss: Loss, output: Shape, shape: Shape, targets: str) -> Task | Misfit | None:
    if output == shape and targets in ("", CLASS):
        return IMAGE_TO_IMAGE
    if targets == MASK and not loss.binary:
        return Misfit("the targets as values, and masks are classes", "take `CrossEntropyLoss`")
    if targets == IMAGE and (len(output) != 3 or output[0] not in (1, 3)):
        return KEYPOINTS if len(output) == 3 else REGRESSION
    if targets in (LABELS, NUMBERS, TEXT) and len(output) == 2 and loss.wants == VALUES:
        return REGRESSION
    known = {MASK: SEGMENTATION, IMAGE: IMAGE_TO_IMAGE, HEAT_MAPS: KEYPOINTS}
    return None if targets == "" else known.get(targets, _A_CLASS)
