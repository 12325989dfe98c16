"""`train`: a spec and a recipe in, a trained net out. A user's mistake is a TrainError with one line.

What a step does is in `trainer.py`, when things happen in `course.py`.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import torch

from cnnspec.errors import TrainError
from cnnspec.graph.nodes import Graph
from cnnspec.training import distributed
from cnnspec.training.augment.prepare import needs_statistics, prepare
from cnnspec.training.device import choose_device, deterministic, keep_memory
from cnnspec.training.run import Course, Run
from cnnspec.training.signals import StopSignal
from cnnspec.training.step import Trainer, Ways

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from cnnspec.recipe.recipe import Recipe
    from cnnspec.spec import Spec
    from cnnspec.training.distributed import Group

__all__ = ["Run", "Ways", "make_trainer", "train"]


def train(
    spec: Spec | Graph, recipe: Recipe, data: Any, *, out: str | os.PathLike[str] | None = None, device: str = "auto",
    callbacks: Sequence[object] = (), resume: bool = False, processes: int | None = None, ways: Ways | None = None,
    exact: bool = False, save_seconds: float = 120.0, save_steps: int | None = None,
) -> Run:  # fmt: skip
    """Train the net of a spec on `data` (see `data.load_data`) as `recipe` says.

    With a folder `out` the run is saved there after every epoch, and within epochs every `save_seconds` or `save_steps`;
    `resume=True` goes on from there, to the same bits as an uninterrupted run. `processes` is the number that torchrun has
    to have started. `exact` allows only deterministic algorithms. Calls `callbacks` as `events.Callback` describes.

    Raises TrainError: DeviceError for a device or processes that aren't there, CheckpointError for a folder that can't be
    resumed, NonFiniteLoss with the layer's key where the loss is NaN or infinite. Ctrl-C and SIGTERM finish the step, save
    and return a run whose reason is `interrupted`.
    """
    place = choose_device(device)
    group = distributed.join(place.device, processes)
    graph = spec if isinstance(spec, Graph) else spec.graph
    own = distributed.own_device(place.device, group.local_rank, group.world)
    keep_memory()
    try:
        with (
            torch.random.fork_rng(devices=_cuda_devices(own)),
            deterministic(exact),
            explained(),
            StopSignal() as stop,
        ):
            trainer = make_trainer(graph, recipe, data, own, group, ways or Ways())
            course = Course(trainer, callbacks, None if out is None else Path(out), stop, save_seconds, save_steps)
            run = course.run(resume=resume, why=". ".join(filter(None, (place.why, trainer.why))))
            trainer.release()
            return run
    finally:
        group.leave()


def make_trainer(graph: Graph, recipe: Recipe, data: Any, device: torch.device, group: Group, ways: Ways) -> Trainer:
    """The state of a run at its very beginning."""
    statistics = data.train.statistics() if needs_statistics(recipe) and len(data.train) else None
    preparation = prepare(recipe, tuple(data.shape), statistics)
    pipeline = preparation.pipeline
    trainer = Trainer(
        graph, recipe, data, device, group, ways,
        train_prepare=pipeline, test_prepare=pipeline, draws=preparation.draws,
    )  # fmt: skip
    trainer.statistics = statistics
    return trainer


def _cuda_devices(device: torch.device) -> list[int]:
    return [device.index or 0] if device.type == "cuda" else []


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
        text = str(error)
        if "can't allocate memory" in text:
            raise TrainError("there is not enough memory: a smaller batch, or accumulate, needs less") from None
        if "more than 1 value per channel" in text:
            raise TrainError(
                "batch norm can't be trained on one value a channel: take a batch that leaves no single image"
            ) from None
        if type(error).__module__.startswith(("torch._dynamo", "torch._inductor")):
            raise TrainError(f"torch.compile does not work here: {text.splitlines()[0]}") from error
        raise
