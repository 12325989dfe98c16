"""`train`: a checked spec, a recipe and data in, a trained net out. A user's mistake is a TrainError with one line.

What a step does is in `step.py`, when things happen in `run.py`, what is kept in `keeper.py`.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import torch

from cnnspec.compiler.values import show_shape
from cnnspec.errors import DeviceError, TrainError
from cnnspec.graph.nodes import Graph
from cnnspec.recipe.augmentations import trace
from cnnspec.training import distributed
from cnnspec.training.data.several import shapes_of
from cnnspec.training.data.validation import with_validation
from cnnspec.training.device import algorithms, choose_device, keep_memory
from cnnspec.training.folder import NewFolder
from cnnspec.training.options import Options
from cnnspec.training.plan import make_plan
from cnnspec.training.results import Run
from cnnspec.training.run import Training
from cnnspec.training.signals import StopSignal
from cnnspec.training.step import Trainer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cnnspec.recipe.recipe import Recipe
    from cnnspec.spec import Spec
    from cnnspec.training.data.load import Data
    from cnnspec.training.distributed import Group

__all__ = ["Options", "Run", "make_trainer", "train"]


def train(
    spec: Spec | Graph, recipe: Recipe, data: Data, *, out: str | os.PathLike[str] | NewFolder | None = None,
    device: str = "auto", callbacks: Sequence[object] = (), resume: bool = False, options: Options | None = None,
    stop: StopSignal | None = None,
) -> Run:  # fmt: skip
    """Train the net of a spec on `data` (see `data.load_data`) as `recipe` says.

    With a folder `out` the run is saved there after every epoch, and within epochs as the options say; `resume=True` goes on
    from there, to the same bits as an uninterrupted run. Calls `callbacks` as `events.Callback` describes. `stop` is where
    signals are remembered, by default for this call.

    Raises TrainError: DeviceError for a device or processes that aren't there, CheckpointError for a folder that can't be
    resumed or written, NonFiniteLoss with the layer's key where the loss is NaN or infinite. Ctrl-C, SIGTERM and SIGHUP
    finish the step, save and return a run whose reason is `interrupted`.
    """
    chosen = options or Options()
    place = choose_device(device)
    group = distributed.join(place.device, chosen.processes)
    graph = spec if isinstance(spec, Graph) else spec.declared
    own = distributed.own_device(place.device, group.local_rank, group.world)
    keep_memory()
    folder = out if out is None or isinstance(out, NewFolder) else Path(out)
    try:
        with (
            as_chosen(own, chosen),
            contextlib.nullcontext(stop) if stop is not None else StopSignal() as signals,
        ):
            trainer = make_trainer(graph, recipe, data, own, group, chosen)
            training = Training(trainer, callbacks, folder, signals)
            run = training.run(resume=resume, why=". ".join(filter(None, (place.why, trainer.why))))
            trainer.release()
            return run
    finally:
        group.leave()


def make_trainer(
    graph: Graph, recipe: Recipe, data: Data, device: torch.device, group: Group, options: Options
) -> Trainer:
    """The state of a run at its very beginning."""
    graph = for_data(graph, recipe, data)
    return Trainer(make_plan(graph, recipe, with_validation(data, recipe), device, group, options))


def for_data(graph: Graph, recipe: Recipe, data: Data) -> Graph:
    """The graph with the sizes that the images have as they reach it, where its own are given by names."""
    if graph.sizes is None:
        return graph
    shapes = shapes_of(data.shape)
    if recipe.augment:
        shapes = [trace(recipe.augment, shape) if len(shape) == 3 else shape for shape in shapes]
    sizes = graph.sizes.of_shapes([entry.shape or () for entry in graph.inputs], shapes)
    if sizes is None:
        found = " and ".join(map(show_shape, shapes))
        raise TrainError(f"the images are {found}, which {graph.name} does not take: see `cnnspec sizes`")
    at_sizes: Graph = graph.sizes.at(sizes)
    return at_sizes


@contextlib.contextmanager
def as_chosen(device: torch.device, options: Options) -> Iterator[None]:
    """What a run does to the process while it lasts: random numbers, algorithms and threads; errors become one line."""
    with (
        torch.random.fork_rng(devices=[device.index or 0] if device.type == "cuda" else []),
        algorithms(deterministic=options.deterministic),
        own_threads(options.threads),
        explained(),
    ):
        yield


@contextlib.contextmanager
def own_threads(wanted: int | None) -> Iterator[None]:
    """Let the run choose its number of threads; the process has its own again afterwards."""
    before = torch.get_num_threads()
    try:
        if wanted is not None:
            torch.set_num_threads(wanted)
        yield
    finally:
        torch.set_num_threads(before)


@contextlib.contextmanager
def explained() -> Iterator[None]:
    """Turn what torch raises for a user's reasons into one line."""
    try:
        yield
    except TrainError:
        raise
    except (torch.OutOfMemoryError, MemoryError):
        raise TrainError(
            "there is not enough memory: a smaller batch, or accumulate with the same one, needs less"
        ) from None
    except (RuntimeError, ValueError) as error:
        raise explanation(error) or error from None


def explanation(error: RuntimeError | ValueError) -> TrainError | None:
    """The error that a user understands, for one of torch's; None for one that is no user's doing."""
    text = str(error)
    if "can't allocate memory" in text:
        return TrainError("there is not enough memory: a smaller batch, or accumulate, needs less")
    if "gloo" in text or "NCCL" in text or type(error).__name__.startswith("Dist"):
        return DeviceError("another process of this run is gone, and without it the run can't go on")
    if type(error).__module__.startswith(("torch._dynamo", "torch._inductor")):
        return TrainError(f"torch.compile does not work here: {text.splitlines()[0]}")
    return None
