"""Where the time of a step goes: a few steps under torch.profiler, by stage and by layer, and its trace."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager

import torch
from torch import nn
from torch.profiler import ProfilerActivity, record_function

from cnnspec.graph.nodes import Graph
from cnnspec.record import record
from cnnspec.training.device import choose_device, keep_memory, synchronize
from cnnspec.training.distributed import Group
from cnnspec.training.options import Options
from cnnspec.training.start import as_chosen, make_trainer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch.profiler import profile as Profile

    from cnnspec.recipe.recipe import Recipe
    from cnnspec.spec import Spec
    from cnnspec.training.data.load import Data

WARM_UP, STEPS = 3, 10
_STEP, _DATA, _FORWARD = "cnnspec: step", "cnnspec: data", "cnnspec: forward "


@record
class Share:
    """A part of a step, with its time in seconds. `indent` 1 is a part of the stage above."""

    name: str
    seconds: float
    indent: int = 0


@record
class StepProfile:
    """The mean of some steps."""

    device: str
    batch: int
    steps: int
    seconds: float
    """Of a step, on the device where that has a clock of its own."""
    shares: tuple[Share, ...]


def profile_steps(
    spec: Spec | Graph, recipe: Recipe, data: Data, *, device: str = "auto", options: Options | None = None,
    steps: int = STEPS, trace: str | os.PathLike[str] | None = None,
) -> StepProfile:  # fmt: skip
    """Profile `steps` steps behind a few that warm up; the trace goes to the file `trace`. Nothing of the run is kept."""
    graph = spec if isinstance(spec, Graph) else spec.declared
    place = choose_device(device).device
    keep_memory()
    chosen = options or Options()
    with as_chosen(place, chosen):
        trainer = make_trainer(graph, recipe, data, place, Group(), chosen)
        trainer.choose_threads()
        state = trainer.state
        state.begin_epoch()
        names = [(path, type(module).__name__) for path, module in state.net.named_children()]
        activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if place.type == "cuda" else [])]

        def step() -> None:
            with record_function(_DATA):
                batches = trainer.loader.batches(0, state.step)
                parts, targets = next(batches)
            trainer.take_step(parts, targets)
            state.step = (state.step + 1) % state.steps

        schedule = torch.profiler.schedule(wait=0, warmup=WARM_UP, active=steps, repeat=1)
        profile = torch.profiler.profile(activities=activities, schedule=schedule, acc_events=True)
        with _quiet():
            profile.start()
        with _labelled(state.net):
            for _ in range(WARM_UP + steps):
                with record_function(_STEP):
                    step()
                synchronize(place)
                with _quiet():
                    profile.step()
        with _quiet():
            profile.stop()
    if trace is not None:
        profile.export_chrome_trace(os.fspath(trace))
    return StepProfile(str(place), recipe.batch, steps, *_shares(profile, names, steps, place.type != "cpu"))


@contextmanager
def _quiet() -> Iterator[None]:
    """Without what the profiler's library writes to the standard error when it begins and ends."""
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


@contextmanager
def _labelled(net: nn.Module) -> Iterator[None]:
    """Names the forward passes of a net's children in the profile."""
    hooks = []
    for path, module in net.named_children():
        labels: list[record_function] = []

        def begin(module: nn.Module, _: object, path: str = path, labels: list[record_function] = labels) -> None:
            labels.append(record_function(f"{_FORWARD}{path}"))
            labels[-1].__enter__()  # type: ignore[no-untyped-call]

        def end(module: nn.Module, _: object, __: object, labels: list[record_function] = labels) -> None:
            labels.pop().__exit__(None, None, None)

        hooks += [module.register_forward_pre_hook(begin), module.register_forward_hook(end)]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _shares(
    profile: Profile, names: list[tuple[str, str]], steps: int, on_device: bool
) -> tuple[float, tuple[Share, ...]]:
    events = {event.key: event for event in profile.key_averages()}

    def seconds(key: str) -> float:
        event = events.get(key)
        if event is None:
            return 0.0
        return float(event.device_time_total if on_device else event.cpu_time_total) / 1e6 / steps

    whole = seconds(_STEP)
    layers = [Share(f"{path} {kind}", seconds(f"{_FORWARD}{path}"), 1) for path, kind in names]
    stages = {
        "data and augmentation": seconds(_DATA),
        "forward": sum(layer.seconds for layer in layers),
        "backward": sum(seconds(key) for key in events if key.startswith("autograd::engine::evaluate_function")),
        "optimizer": sum(seconds(key) for key in events if key.startswith("Optimizer.step#")),
    }
    stages["the rest: the loss, checks, waiting"] = max(0.0, whole - sum(stages.values()))
    shares = []
    for name, taken in stages.items():
        shares.append(Share(name, taken))
        if name == "forward":
            shares += sorted(layers, key=lambda layer: -layer.seconds)
    return whole, tuple(shares)
