"""Which way of running a net is the fastest here: measured on a copy of it, on the images of a real step."""

from __future__ import annotations

import contextlib
import copy
import time

import torch
from torch import Tensor, nn

from cnnspec.record import record
from cnnspec.training.data.several import arranged, parts_of
from cnnspec.training.device import laid, synchronize

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from cnnspec.training.data.several import Values


@record
class Tuning:
    """The fastest way to run a net that was measured, and what was measured as one sentence."""

    layout: torch.memory_format
    compile: bool
    why: str


def tune(
    net: nn.Module, step: Callable[[nn.Module, Any], Tensor], images: Values, *, try_compile: bool, rounds: int = 3
) -> Tuning:
    """Measure layouts, and torch.compile where asked, on copies of `net`, and choose the fastest.

    `step` gives the loss of a net on images. Options take turns, and the median of `rounds` counts. A way that fails is left
    out; the net and the random state stay as they are.
    """
    layouts = {torch.contiguous_format: "plain", torch.channels_last: "channels_last"}
    ways = [(layout, compiled) for layout in layouts for compiled in ((False, True) if try_compile else (False,))]
    if not any(part.dim() == 4 for part in parts_of(images)):
        ways = [way for way in ways if way[0] == torch.contiguous_format]
    times: dict[tuple[torch.memory_format, bool], list[float]] = {}
    state = torch.get_rng_state()
    for layout, compiled in ways:
        own = laid(copy.deepcopy(net), layout)
        if compiled:
            own.compile()
        with contextlib.suppress(Exception):
            _seconds(own, step, arranged(images, layout))
            times[layout, compiled] = [_seconds(own, step, arranged(images, layout)) for _ in range(rounds)]
    torch.set_rng_state(state)
    if not times:
        return Tuning(torch.contiguous_format, False, "no way of running the net could be measured")
    medians = {way: sorted(values)[len(values) // 2] for way, values in times.items()}
    best = min(medians, key=lambda way: medians[way])
    told = [f"{layouts[way[0]]}{' compiled' if way[1] else ''} {value * 1e3:.1f} ms" for way, value in medians.items()]
    return Tuning(*best, f"measured a step: {', '.join(told)}")


@record
class Threads:
    """A number of threads, and what was measured as one sentence."""

    count: int
    why: str


def fastest_threads(
    net: nn.Module, step: Callable[[nn.Module, Any], Tensor], inputs: Values, most: int, *, seconds: float = 0.8
) -> Threads:
    """The number of threads up to `most` with which a step on the CPU is the fastest; measured for about `seconds`.

    More threads have to be a fifth faster: where others work on the machine too, threads wait for each other. The net, the
    random state and torch's number of threads stay as they are.
    """
    counts = sorted({1, max(1, most // 4), max(1, most // 2), most})
    times: dict[int, list[float]] = {count: [] for count in counts}
    own, state, before = copy.deepcopy(net), torch.get_rng_state(), torch.get_num_threads()
    started = time.perf_counter()
    try:
        _seconds(own, step, inputs)
        while time.perf_counter() - started < seconds and len(times[1]) < 9:
            for count in counts:
                torch.set_num_threads(count)
                times[count].append(_seconds(own, step, inputs))
    finally:
        torch.set_num_threads(before)
        torch.set_rng_state(state)
    medians = {count: sorted(values)[len(values) // 2] for count, values in times.items() if values}
    if not medians:
        # A single step takes longer than all that may be spent: it has work for all threads.
        return Threads(most, "")
    chosen = 1
    for count, median in medians.items():
        if median < 0.8 * medians[chosen]:
            chosen = count
    told = [f"{median * 1e3:.1f} ms with {count}" for count, median in medians.items()]
    return Threads(chosen, f"{chosen} thread{'s' if chosen > 1 else ''}: a step takes {', '.join(told)}")


def _seconds(net: nn.Module, step: Callable[[nn.Module, Any], Tensor], images: Values) -> float:
    synchronize(images.device)
    start = time.perf_counter()
    step(net, images).backward()  # type: ignore[no-untyped-call]
    synchronize(images.device)
    return time.perf_counter() - start
