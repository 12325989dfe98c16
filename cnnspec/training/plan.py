"""`Plan`: all of a run that stays the same while it goes on, and how it comes from a recipe, data and options."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from cnnspec.errors import TrainError
from cnnspec.graph.digest import digest_of
from cnnspec.graph.nodes import Graph, LayerNode
from cnnspec.graph.walk import walk
from cnnspec.recipe.datasets.base import CLASS, HEAT_MAPS, IMAGE, MASK
from cnnspec.recipe.tasks import IMAGE_TO_IMAGE
from cnnspec.record import record
from cnnspec.training.augment.prepare import INPUT, needs_statistics, prepare
from cnnspec.training.data.loader import Loader
from cnnspec.training.data.splits import Split
from cnnspec.training.device import autocast, check_precision, laid_out, layout_of
from cnnspec.training.metrics.choose import choose_task
from cnnspec.training.summed_loss import SummedLoss
from cnnspec.training.tuning import Tuning, fastest_threads, tune

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from cnnspec.recipe.recipe import Recipe
    from cnnspec.training.augment.prepare import Preparation
    from cnnspec.training.data.load import Data
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
    if len(graph.inputs) > 1 or recipe.losses or not all(isinstance(size, int) for size in graph.output or ()):
        raise TrainError(
            f"{graph.name} has several inputs or outputs: it compiles, and trains in a loop of your own, not in this one"
        )
    if not len(data.train):
        raise TrainError("the data set has no training images")
    # Whole numbers that are no pixels are tokens of an Embedding.
    measured = needs_statistics(recipe) and data.dtype != "int64"
    statistics = data.train.statistics() if measured else None
    criterion = SummedLoss(recipe.loss, graph.output or (), device, class_weights(recipe, data))
    task = choose_task(graph, recipe.loss, data.targets, data.classes, criterion)
    if recipe.best not in ("loss", *task.kind.metrics):
        raise TrainError(f"best = {recipe.best!r}: {task.name} has the loss, {', '.join(task.kind.metrics)}")
    preparation = prepare(recipe, data.shape, statistics, role_of(task, data.targets), dtype=data.dtype)
    return Plan(graph, recipe, data, device, group, options, preparation, task, digest_of(graph))


def role_of(task: Task, targets: str) -> str:
    """How targets follow the changes of their inputs."""
    if task.kind == IMAGE_TO_IMAGE:
        return INPUT if targets == CLASS else IMAGE
    return targets if targets in (MASK, HEAT_MAPS) else ""


def class_weights(recipe: Recipe, data: Data) -> tuple[float, ...] | None:
    """Weights of the classes by how rare they are in the training set, n / (classes x n_c), where the recipe asks for them."""
    if recipe.class_weights is None:
        return None
    if not isinstance(data.train, Split):
        raise TrainError(
            'class_weights = "balanced" counts the classes in memory, and this set is read as it is needed'
        )
    targets = data.train.targets[data.train.targets < len(data.classes)]
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
    found = list(next(loader.batches(0, 0))[0][0].inputs.shape[1:])
    if tuple(found) != plan.graph.input:
        raise TrainError(
            f"the images are {found} as they reach the model, {plan.graph.name} takes {list(plan.graph.input or ())}"
        )
    _check_batch_norm(plan, loader)
    return loader


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
    by_rule = torch.contiguous_format if options.shard else layout_of(plan.device, plan.graph.input or ())
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


def choose_threads(plan: Plan, loader: Loader, net: nn.Module, layout: torch.memory_format) -> str:
    """Set torch's number of threads to the fastest, once and for all of the run; a sentence on it, "" where it is given."""
    options, most = plan.options, torch.get_num_threads()
    fixed = options.threads is not None or options.deterministic or plan.group.world > 1
    if fixed or most == 1 or plan.device.type != "cpu":
        return ""
    step, inputs = _measured_step(plan, loader)
    found = fastest_threads(net, step, laid_out(inputs, layout), most)
    torch.set_num_threads(found.count)
    return found.why


def _measured_step(plan: Plan, loader: Loader) -> tuple[Callable[[nn.Module, Tensor], Tensor], Tensor]:
    """The loss of a net on inputs, and the inputs of the first step."""
    parts, targets = next(loader.batches(0, 0))

    def step(candidate: nn.Module, inputs: Tensor) -> Tensor:
        with autocast(plan.recipe.precision, plan.device):
            return plan.task.criterion.total(candidate(inputs), parts[0].targets) / len(targets)

    return step, parts[0].inputs
