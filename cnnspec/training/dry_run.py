"""`dry_run`: a few steps of a run without keeping anything, to tell how long and how large it will be."""

from __future__ import annotations

import sys
import time

import torch

from cnnspec.graph.nodes import Graph
from cnnspec.record import record
from cnnspec.training import distributed
from cnnspec.training.device import choose_device, keep_memory, synchronize
from cnnspec.training.options import Options
from cnnspec.training.start import as_chosen, make_trainer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cnnspec.recipe.recipe import Recipe
    from cnnspec.spec import Spec
    from cnnspec.training.data.load import Data


@record
class DryRun:
    """What to expect of a run."""

    device: str
    loss: float
    """Of the first step."""
    steps: int
    """Steps an epoch."""
    step_seconds: float
    epoch_seconds: float
    """Of the training part of an epoch."""
    memory: int
    """Peak bytes of this process: of its device where that counts them, otherwise of all that it has."""
    processes: int


def dry_run(
    spec: Spec | Graph,
    recipe: Recipe,
    data: Data,
    *,
    device: str = "auto",
    options: Options | None = None,
    steps: int = 3,
) -> DryRun:
    """Run one step, then up to `steps` more that are timed. Errors as for `train`."""
    graph = spec if isinstance(spec, Graph) else spec.declared
    place = choose_device(device).device
    chosen = options or Options()
    group = distributed.join(place, chosen.processes)
    place = distributed.own_device(place, group.local_rank, group.world)
    keep_memory()
    with as_chosen(place, chosen):
        trainer = make_trainer(graph, recipe, data, place, group, chosen)
        trainer.choose_threads()
        running = trainer.train_epoch()
        started = time.perf_counter()
        next(running)
        loss, _ = trainer.state.gather()
        synchronize(place)
        taken = [time.perf_counter() - started]
        for _ in range(steps):
            started = time.perf_counter()
            if next(running, running) is running:
                break
            synchronize(place)
            taken.append(time.perf_counter() - started)
    step = sorted(taken[1:] or taken)[(len(taken) - 1) // 2]
    trainer.release()
    world = group.world
    group.leave()
    return DryRun(str(place), loss, trainer.state.steps, step, step * trainer.state.steps, _peak(place), world)


def _peak(device: torch.device) -> int:
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    try:
        import resource
    except ImportError:
        return 0
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
