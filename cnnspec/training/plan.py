"""`Plan`: all of a run that stays the same while it goes on, and how it comes from a recipe, data and options."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from cnnspec.errors import TrainError
from cnnspec.graph.digest import digest_of
from cnnspec.graph.nodes import Graph, LayerNode
from cnnspec.graph.walk import walk
from cnnspec.recipe.augmentations import mixing_of
from cnnspec.recipe.datasets.base import CLASS, HEAT_MAPS, IMAGE, LABELS, MASK, TEXT
from cnnspec.recipe.tasks import CLASSIFICATION, IMAGE_TO_IMAGE, KEYPOINTS, SEGMENTATION
from cnnspec.record import record
from cnnspec.training.augment.prepare import INPUT, ROW, needs_statistics, prepare
from cnnspec.training.data.loader import Loader
from cnnspec.training.data.several import arranged, parts_of, run, shape_of
from cnnspec.training.data.splits import Split
from cnnspec.training.device import autocast, check_precision, layout_of
from cnnspec.training.metrics.choose import choose_tasks
from cnnspec.training.metrics.several_outputs import SeveralOutputs
from cnnspec.training.tuning import Tuning, fastest_threads, tune

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    from cnnspec.recipe.recipe import Recipe
    from cnnspec.training.augment.prepare import Preparation
    from cnnspec.training.data.load import Data, Target
    from cnnspec.training.data.several import Values
    from cnnspec.training.distributed import Group
    from cnnspec.training.metrics.base import Task
    from cnnspec.training.options import Options


@record
class Plan:
    """What is trained, on what, where and how."""

    graph: Graph
    recipe: Recipe
    data: Data
    device: torch.device
    group: Group
    options: Options
    prepare: Preparation
    task: Task
    digest: str
    """Hash of the architecture."""


def make_plan(graph: Graph, recipe: Recipe, data: Data, device: torch.device, group: Group, options: Options) -> Plan:
    """The plan of a run. Raises TrainError where device, data or loss do not fit the model."""
    check_precision(recipe.precision, device)
    if not len(data.train):
        raise TrainError("the data set has no training images")
    statistics = data.train.statistics() if needs_statistics(recipe) else None
    task = choose_tasks(graph, recipe, data.all_targets, device, class_weights(recipe, data))
    if recipe.best not in ("loss", *task.metrics):
        raise TrainError(f"best = {recipe.best!r}: {task.name} has the loss, {', '.join(task.metrics)}")
    mixing = mixing_of(recipe.augment)
    if mixing is not None and (
        task.kind != CLASSIFICATION or isinstance(task, SeveralOutputs) or len(data.dtypes) != 1
    ):
        raise TrainError(f"augment: {type(mixing).__name__} mixes images with a class each, and this is {task.name}")
    roles = roles_of(task, data.all_targets)
    preparation = prepare(recipe, data.shape, statistics, roles, dtypes=data.dtypes)
    return Plan(graph, recipe, data, device, group, options, preparation, task, digest_of(graph))


def roles_of(task: Task, targets: Sequence[Target]) -> list[str]:
    """How each target follows the changes of its inputs."""
    each = task.tasks if isinstance(task, SeveralOutputs) else (task,)
    return [_role(one, target.kind) for one, target in zip(each, targets)]


def _role(task: Task, targets: str) -> str:
    if task.kind == IMAGE_TO_IMAGE:
        return INPUT if targets == CLASS else IMAGE
    if task.kind == KEYPOINTS:
        return HEAT_MAPS
    if task.kind == SEGMENTATION and targets in (LABELS, TEXT):
        return ROW
    return targets if targets == MASK else ""


def class_weights(recipe: Recipe, data: Data) -> tuple[float, ...] | None:
    """Weights of the classes by how rare they are in the training set, n / (classes x n_c), where the recipe asks for them."""
    if recipe.class_weights is None:
        return None
    if not isinstance(data.train, Split):
        raise TrainError(
            'class_weights = "balanced" counts the classes in memory, and this set is read as it is needed'
        )
    targets = parts_of(data.train.targets)[0]
    targets = targets[targets < len(data.classes)]
    counts = torch.bincount(targets.flatten(), minlength=len(data.classes)).double()
    shares: list[float] = (counts.sum() / (len(counts) * counts.clamp(min=1))).tolist()
    return tuple(shares)


def make_loader(plan: Plan) -> Loader:
    """The training split of a plan, checked against the model."""
    recipe, once = plan.recipe, plan.options.overfit_one_batch
    loader = Loader(
        plan.data.train, plan.prepare, seed=recipe.seed, batch=recipe.batch, parts=recipe.accumulate,
        group=plan.group, device=plan.device, repeat=once, drop_last=recipe.drop_last,
        balanced=recipe.sampler is not None,
    )  # fmt: skip
    found, wanted = shape_of(next(loader.batches(0, 0))[0][0].inputs), plan.graph.takes
    if found != tuple(wanted):
        raise TrainError(
            f"the images are {listed(found)} as they reach the model, {plan.graph.name} takes {listed(wanted)}"
        )
    _check_batch_norm(plan, loader)
    return loader


def listed(shape: Iterable[Any]) -> str:
    """A shape as a list, or several of them."""
    shape = list(shape)
    return " and ".join(str(list(one)) for one in shape) if shape and isinstance(shape[0], tuple) else str(shape)


def _check_batch_norm(plan: Plan, loader: Loader) -> None:
    """Batch norm over a single value has no variance: torch would refuse at the last step of the first epoch."""
    if loader.smallest_part() > 1:
        return
    for path, node in walk(plan.graph.root):
        if not isinstance(node, LayerNode) or node.layer is None or node.input is None:
            continue
        values = math.prod(node.input[1:])
        if type(node.layer).__name__.startswith("BatchNorm") and values == 1:
            raise TrainError(
                f"batch norm can't be trained on one value a channel, as {path} gets where a batch or the rest of an epoch "
                f"is one image: {len(loader.split):,} images in batches of {loader.batch}; another batch, or "
                "drop_last = true, helps"
            )


def choose_way(plan: Plan, loader: Loader, net: nn.Module) -> Tuning:
    """The layout and compilation of a net: by rule, as the options say, or measured."""
    recipe, options, group = plan.recipe, plan.options, plan.group
    # FSDP2 takes no weights that lie in another order than their sizes (torch 2.13).
    by_rule = torch.contiguous_format if options.shard else layout_of(plan.device, _image_of(plan.graph))
    layout = options.layout or by_rule
    compiled = recipe.compile if options.compile is None else options.compile
    if not options.tune or options.shard:
        why = "images lie with their channels last" if layout == torch.channels_last else ""
        return Tuning(layout, compiled, why)
    try_compile = recipe.epochs * len(loader) > 2000 or recipe.compile
    found = tune(net, *_measured_step(plan, loader), try_compile=try_compile)
    # The processes measure alone and have to run alike.
    flags = [float(found.layout == torch.channels_last), float(found.compile)]
    last, compiled = map(bool, group.all_reduce_max(flags, plan.device))
    return Tuning(torch.channels_last if last else torch.contiguous_format, compiled, found.why)


def _image_of(graph: Graph) -> tuple[int, ...]:
    """The shape of the first input that is an image, or of the first."""
    shapes = [entry.shape or () for entry in graph.inputs]
    return next((shape for shape in shapes if len(shape) == 3), shapes[0] if shapes else ())


def choose_threads(plan: Plan, loader: Loader, net: nn.Module, layout: torch.memory_format) -> str:
    """Set torch's number of threads to the fastest, once and for all of the run; a sentence on it, "" where it is given."""
    options, most = plan.options, torch.get_num_threads()
    fixed = options.threads is not None or options.deterministic or plan.group.world > 1
    if fixed or most == 1 or plan.device.type != "cpu":
        return ""
    step, inputs = _measured_step(plan, loader)
    found = fastest_threads(net, step, arranged(inputs, layout), most)
    torch.set_num_threads(found.count)
    return found.why


def _measured_step(plan: Plan, loader: Loader) -> tuple[Callable[[nn.Module, Values], Tensor], Values]:
    """The loss of a net on inputs, and the inputs of the first step."""
    parts, targets = next(loader.batches(0, 0))

    def step(candidate: nn.Module, inputs: Values) -> Tensor:
        with autocast(plan.recipe.precision, plan.device):
            total: Tensor = plan.task.criterion.total(run(candidate, inputs), parts[0].targets)
            return total / len(targets)

    return step, parts[0].inputs
